"""One screen about many networks: how the gradient of the first layer compares with the last's.

In: rows, one for each kind of network.  Out: a `Document`.  Must not know: letters, words, how
anything was measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Float, Integer

from bpderive.document.blocks import Block, Cell, Document, Listed, Paragraph, Section, Table, Words
from bpderive.document.flow.screen import NONE, power
from bpderive.document.mathematics import Formula, Plain, Value
from bpderive.flow.model import Danger


@dataclass(frozen=True)
class Kind:
    """One kind of network; `expected` and `measured` are decimal logarithms.

    0 and "" say that the sweep did not change it.
    """

    depth: int
    width: int
    activation: str
    scheme: str
    remedy: str
    expected: float | None
    measured: float | None
    dead: float
    dangers: tuple[Danger, ...]
    remedies: tuple[str, ...]


COLUMNS: dict[str, Callable[[Kind], Cell]] = {
    "hidden": lambda kind: Formula(Integer(kind.depth)),
    "width": lambda kind: Formula(Integer(kind.width)) if kind.width else NONE,
    "activation": lambda kind: Plain(kind.activation),
    "scheme": lambda kind: Plain(kind.scheme),
    "remedy": lambda kind: Words(f"remedy.{kind.remedy or 'as_given'}"),
    "expected_ratio": lambda kind: power(kind.expected),
    "measured_ratio": lambda kind: power(kind.measured),
    "zero_share": lambda kind: Words(
        "flow.screen_percent", {"share": Value(Float(100 * kind.dead, 15), 2)}
    ),
    "danger": lambda kind: Listed(tuple(Words(f"flow.{danger}") for danger in kind.dangers)),
    "to_be_tried": lambda kind: Listed(tuple(Words(f"remedy.{one}") for one in kind.remedies)),
}
OWN = ("hidden", "width", "activation", "scheme", "remedy", "to_be_tried")
"""What a sweep may change; a column that says nothing is left out."""


def sweep(kinds: tuple[Kind, ...], networks: int, *, check: bool = False) -> Document:
    """The kinds of networks of a sweep, a line each; to `check` them, those in danger alone."""
    title = Words("title.sweep", {"networks": Formula(Integer(networks))})
    blocks: tuple[Block, ...] = (Paragraph(Words("flow.no_danger")),)
    shown = [kind for kind in kinds if kind.dangers or not check]
    if shown:
        names = [name for name in COLUMNS if name not in OWN or _told(name, kinds)]
        rows = tuple(tuple(COLUMNS[name](kind) for name in names) for kind in shown)
        blocks = (Paragraph(Words("flow.screen_ratios")), Table(tuple(names), rows))
    return Document(title, (Section("flow_sweep", blocks),))


def _told(name: str, kinds: tuple[Kind, ...]) -> bool:
    """Whether a column says anything: some kinds differ, or are of a kind by themselves."""
    field = {"hidden": "depth", "to_be_tried": "remedies"}.get(name, name)
    values = {getattr(kind, field) for kind in kinds}
    if name == "to_be_tried":
        return values != {()}
    return len(values) > 1
