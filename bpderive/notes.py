"""Course notes: all there is to say about a network, in one language and one notation.

In: a `Derivation`, and what an instructor chooses.  Out: `Notes`, which any format is made of; the
worked example in it agrees with the generated code.  Must not know: the command line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpderive.derive import Derivation
from bpderive.document import FIRST, NOTES, Request, build
from bpderive.document.blocks import Document
from bpderive.document.forward import SMALL, is_small
from bpderive.errors import UnsupportedError
from bpderive.example import Example, make
from bpderive.flow.schemes import XAVIER
from bpderive.notation import DEFAULT
from bpderive.program import build as plan
from bpderive.proof import Proof
from bpderive.render import Made, files_beside, found, render
from bpderive.targets.cells import cells, listing
from bpderive.verify.example import check

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation


@dataclass(frozen=True)
class Notes:
    """Notes that are written but not yet printed."""

    document: Document
    notation: str = "article"
    language: str = "en"
    templates: Path | None = None

    @property
    def _setting(self) -> dict[str, Any]:
        return {"notation": self.notation, "language": self.language}

    def render(self, format: str = "html", **options: Any) -> Made:  # noqa: A002 - the API's word
        """The notes in a format: a text, or the bytes of a PDF.

        Args:
            format: `html`, `pdf`, `latex`, `slides`, `typst`, `markdown`, `notebook` or `text`.
            options: of the format, such as `flavor`, `fragment`, `engine`.

        Raises:
            SpecError: an unknown format or option; a template that fails.
            UnsupportedError: a package or a font that the format needs is not installed.
        """
        folders = (self.templates,) if self.templates else ()
        return render(self.document, format, folders=folders, **self._setting, **options)

    def files(
        self,
        format: str = "html",  # noqa: A002 - the API's word
        stem: str = "notes",
        **options: Any,
    ) -> dict[str, Made]:
        """The notes and the figures that stand beside them, by the names of their files.

        Raises:
            SpecError, UnsupportedError: as `render`.
        """
        row = found(format, options)
        named = {**options, "stem": stem} if "stem" in row.options else options
        beside = files_beside(self.document, format, **self._setting, **named)
        return {f"{stem}{row.suffix}": self.render(format, **named), **beside}


def example(
    derivation: "AnyDerivation",
    *,
    values: Path | str | None = None,
    seed: int = 1,
    eta: str | None = None,
    digits: int = 4,
) -> Example | None:
    """The numbers of the worked example; None for a network too large to be written out.

    Args:
        derivation: made by `derive`.
        values: a TOML or JSON file with x, y, w1, …, b1, … and eta; else numbers are drawn.
        seed: of the numbers that are drawn.
        eta: the learning rate, such as "0.1" or "1/8".
        digits: significant digits that are printed.

    Raises:
        SpecError: with everything that is wrong with the values.
        UnsupportedError: values of a network that is too large.
    """
    if not isinstance(derivation, Derivation):
        if values is not None:
            raise UnsupportedError("numbers are worked out for dense networks only")
        return None
    if is_small(derivation.network):
        return make(derivation, values, seed, eta, digits)
    if values is not None:
        raise UnsupportedError(
            f"numbers are worked out for networks of known sizes and at most {SMALL} parameters"
        )
    return None


def notes(  # noqa: PLR0913 - what an instructor chooses, by name
    derivation: "AnyDerivation",
    *,
    weight: str = FIRST,
    sections: tuple[str, ...] = NOTES,
    level: str = "full",
    language: str = "en",
    notation: str = "article",
    translate: str | None = None,
    example: Example | None = None,
    proof: Proof | None = None,
    title: str | None = None,
    by: tuple[str, ...] = (),
    templates: Path | str | None = None,
    all_weights: bool = False,
    init: str = XAVIER,
    measure: bool = False,
) -> Notes:
    """Course notes of a derivation.

    Args:
        derivation: made by `derive`.
        weight: the weight that is derived in full.
        sections: their ids, in the order wanted.
        level: `full`, or `brief`, which leaves steps out.
        language: `en`, `zh-TW`, or the path of a language's TOML file.
        notation: a textbook's, such as `nielsen`, or the path of a TOML file.
        translate: another notation, into which a table translates.
        example: numbers for the worked example, made by `example`.
        proof: made by `verify`; the notes then say what it checked.
        title: in place of the usual one.
        by: lines under the title: an author, a course.
        templates: a folder of templates that replace ours, file by file.
        all_weights: list the gradient of every weight, however many there are.
        init: how weights are drawn, for the section on the gradient problem.
        measure: measure gradients of large networks and of every remedy too, through NumPy; those
            of small networks are measured in any case.

    Raises:
        SpecError: an unknown section, level, weight, notation or initialisation.
        UnsupportedError: NumPy is needed and not installed.
    """
    code, runnable = _code(derivation, example)
    request = Request(
        weight=weight,
        all_weights=all_weights,
        proof=proof,
        sections=sections,
        level=level,
        figures=True,
        conventions=notation != DEFAULT,
        translate=translate,
        example=example,
        code=code,
        cells=runnable,
        title=title,
        by=by,
        **(_flow(derivation, init, measure=measure) if "flow" in sections else {}),
    )
    folder = Path(templates) if templates is not None else None
    return Notes(build(derivation, request), notation, language, folder)


def _flow(derivation: "AnyDerivation", init: str, *, measure: bool) -> dict[str, Any]:
    """What the section on the gradient problem is told."""
    from bpderive.findings.spreads import compared, spreads

    remedied = compared(derivation.network.spec, init) if measure else {}
    measured = spreads(derivation, init, large=measure)
    return {"scheme": init, "measured": measured, "remedied": remedied}


def _code(
    derivation: "AnyDerivation", example: Example | None
) -> tuple[str | None, Mapping[str, tuple[str, ...]]]:
    """The lines of the code, and what a notebook runs of it.

    The worked example must agree with the code, or nothing is written.
    """
    if not isinstance(derivation, Derivation):
        from bpderive.schedule import build as schedule
        from bpderive.targets.arrays.listing import listing as stack_listing

        try:
            return stack_listing(schedule(derivation)), {}
        except UnsupportedError:
            return None, {}
    program = plan(derivation)
    if example is not None:
        check(derivation, example)
    return listing(program), cells(program, example)
