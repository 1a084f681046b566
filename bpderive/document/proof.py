"""What was checked of a derivation, and to how many digits: a section, or one screen.

In: a `Proof`. Out: blocks. A document says what was asked for, which is the same on every machine;
the screen also says what came out. Must not know: words, how anything is checked.
"""

from collections.abc import Iterator, Sequence

from sympy import Integer

from bpderive.document.blocks import (
    Block,
    Cell,
    Document,
    Items,
    Listed,
    Paragraph,
    Section,
    Table,
    Words,
)
from bpderive.document.mathematics import Formula, Named, Plain
from bpderive.proof import Proof, Skip, Summary

SHOWN = 20
"""At most so many failures are printed; the certificate has them all."""


def section(proof: Proof) -> Section:
    """What was checked, in sentences."""
    precision = {"precision": _number(proof.precision)}
    told = proof.passed or proof.failures
    intro = Words("proof.intro", precision) if told else Words("proof.unproved")
    found = tuple(_sentences(proof))
    return Section("proof", (Paragraph(intro), Items(found), *_model(proof)))


def _sentences(proof: Proof) -> Iterator[Words]:
    told = {(one.kind, one.against): one for one in proof.summaries}
    layered = "layered_" if proof.spec.items else ""
    if step := told.get(("step", "before")):
        slots = {"steps": step.subjects, "digits": step.wanted}
        sizes = {} if layered else {"sizes": len(proof.sizes)}
        yield _sentence(f"{layered}steps", slots | sizes)
    if forward := told.get(("forward", "texts")):
        yield _sentence("forward", {"digits": forward.wanted})
    exact, extrapolated = (told.get(("gradient", by)) for by in ("complex_step", "differences"))
    if exact and extrapolated:
        slots = {"samples": proof.samples, "digits": exact.wanted, "fewer": extrapolated.wanted}
        yield _sentence(f"{layered}gradients", slots)
    if forms := [one for one in proof.summaries if one.kind == "form"]:
        names = Listed(tuple(Named(one.against) for one in forms))
        digits = _number(min(one.wanted for one in forms))
        yield Words("proof.forms", {"forms": names, "digits": digits})
    if program := told.get(("program", "oracles")):
        yield _sentence("program", {"digits": program.wanted})
    if slopes := told.get(("slope", "complex_step")):
        yield _sentence("slopes", {"digits": slopes.wanted})
    if kinks := [one.against for one in proof.summaries if one.kind == "kink"]:
        yield Words("proof.kinks", {"places": Plain(", ".join(kinks))})
    yield from (_skipped(skip) for skip in _skips(proof))


def _sentence(id: str, slots: dict[str, int]) -> Words:  # noqa: A002 - the wording's word
    return Words(f"proof.{id}", {name: _number(value) for name, value in slots.items()})


def _number(value: int) -> Formula:
    return Formula(Integer(value))


def _model(proof: Proof) -> Iterator[Block]:
    """At which network the scalars were compared, where it is not the one that was derived."""
    if not proof.own:
        widths = Plain("-".join(map(str, proof.model)))
        told = "proof.layered_model" if proof.spec.items else "proof.model"
        yield Paragraph(Words(told, {"layers": widths}))


def _skips(proof: Proof) -> list[Skip]:
    """What was not checked, once for each kind and oracle."""
    return list({(skip.kind, skip.against): skip for skip in reversed(proof.skips)}.values())[::-1]


def _skipped(skip: Skip) -> Words:
    no_point = Words("proof.no_point")
    if skip.reason == "zero":
        return Words("proof.zero", {"labels": Plain(skip.against)})
    reason = no_point if skip.reason == "no_point" else Plain(skip.reason)
    what: Cell = _what(skip.kind, skip.against)
    if skip.kind == "step":
        what = Words("proof.at", {"what": what, "place": Plain(skip.against)})
    slots: dict[str, Cell] = {"what": what, "reason": reason}
    if skip.kind == "gradient" and reason != no_point:
        return Words("proof.skipped_by", {**slots, "by": Words(f"oracle.{skip.against}")})
    return Words("proof.skipped", slots)


def _what(kind: str, against: str) -> Words:
    """What was compared: `the form paths`, `steps`, `gradients`."""
    name = Named(against) if kind == "form" else Plain(against)
    return Words(f"check.{kind}", {"name": name} if kind in NAMED else {})


NAMED = ("form", "code", "full_size", "kink", "kink_code")
"""The kinds of checks whose name says what is compared; `ORACLES` says with what."""
ORACLES = {
    "chain": "next",
    "step": "before",
    "form": "complex_step",
    "forward": "texts",
    "program": "complex_step",
    "code": "complex_step",
    "full_size": "directions",
    "slope": "complex_step",
    "kink": "stated",
    "kink_code": "stated",
}
COLUMNS = ("compared", "against", "numbers", "digits", "wanted")


def screen(proof: Proof, title: Words) -> Document:
    """One screen: every kind of check with the digits that came out, and the verdict."""
    rows = tuple(_row(one) for one in proof.summaries)
    skipped = tuple(_skipped(skip) for skip in _skips(proof))
    failed = tuple(_failure(proof)) if proof.failures else ()
    sections = (
        Section("checked", (Table(COLUMNS, rows), *_model(proof))),
        *((Section("not_checked", (Items(skipped),)),) if skipped else ()),
        *failed,
        Section("verdict", (Paragraph(_verdict(proof)),)),
    )
    return Document(title, sections)


def _row(one: Summary) -> tuple[Cell, ...]:
    against = Words(f"oracle.{ORACLES.get(one.kind, one.against)}")
    numbers = (one.count, one.digits, one.wanted)
    return (_what(one.kind, one.against), against, *(Plain(str(number)) for number in numbers))


def _failure(proof: Proof) -> Iterator[Section]:
    rows = tuple(
        (
            Plain(check.subject),
            _what(check.kind, check.against),
            Plain(str(check.digits)),
            Plain(str(check.wanted)),
            Plain(check.place),
        )
        for check in proof.failures[:SHOWN]
    )
    yield Section("failed", (Table(("subject", "compared", "digits", "wanted", "place"), rows),))


def _verdict(proof: Proof) -> Words:
    counts = {"failed": len(proof.failures), "count": len(proof.checks), "seed": proof.seed}
    if proof.passed:
        return _sentence("passed", {"count": counts["count"], "seed": counts["seed"]})
    return _sentence("failed" if proof.failures else "nothing", counts if proof.failures else {})


# --- The proof of the proof ---

COUNTS = ("planted", "caught", "by_steps", "by_oracles", "unseen", "escaped", "mistake")
ESCAPED = ("mistake", "network", "place")


Outcomes = Sequence[tuple[str, Sequence[int]]]
"""A mistake's id, and how often it was planted, was caught, was caught by the steps and by the
oracles, makes no difference, and escaped."""


def self_test(
    outcomes: Outcomes, escaped: Sequence[tuple[str, ...]], layered: Outcomes = ()
) -> Document:
    """How often each mistake was planted and caught, and where one escaped.

    Args:
        outcomes: in networks of dense layers.
        escaped: the mistake, the network and the place of each that nothing caught.
        layered: in networks of any layers.
    """
    tables = [
        Section(name, (_counted(rows), Paragraph(Words("proof.counts"))))
        for name, rows in (("mistakes", outcomes), ("layered_mistakes", layered))
        if rows
    ]
    where = tuple((_mistake(name), *map(_plain, place)) for name, *place in escaped)
    every = (*outcomes, *layered)
    planted, unseen = (sum(counts[at] for _, counts in every) for at in (0, 4))
    verdict = {"seen": planted - unseen, "unseen": unseen, "escaped": len(escaped)}
    sections = (
        *tables,
        *((Section("escaped", (Table(ESCAPED, where),)),) if escaped else ()),
        Section("verdict", (Paragraph(_sentence(_told(planted, escaped), verdict)),)),
    )
    return Document(Words("title.self_test"), sections)


def _counted(outcomes: Outcomes) -> Table:
    return Table(COUNTS, tuple((*map(_plain, counts), _mistake(name)) for name, counts in outcomes))


def _told(planted: int, escaped: Sequence[object]) -> str:
    if not planted:
        return "unplanted"
    return "escaped" if escaped else "caught"


def _mistake(name: str) -> Cell:
    return Words(f"mistake.{name}")


def _plain(value: object) -> Cell:
    return Plain(str(value))
