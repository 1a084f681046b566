"""What `bpderive list` prints: the rows of the catalogue and the formats, one line each.

In: the catalogue.  Out: lines of text in columns.  Must not know: mathematics; the formulas are
printed as they stand in the rows.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from bpderive.catalog import CATALOG, Activation, Loss
from bpderive.grammar.inputs import EXAMPLES
from bpderive.grammar.layers import LAYERS, SPOKEN, Layer

LABELS = {
    "binary": "y is 0 or 1",
    "sign": "y is -1 or 1",
    "distribution": "y is a distribution",
    "count": "y is a count",
}
DOMAINS = {"unit": "a between 0 and 1", "positive": "a above 0"}


def activations() -> Iterator[str]:
    """Name, formula, and the slope at each kink."""
    yield from _columns((row.name, row.formula, *_kinks(row, "z")) for row in CATALOG.activations)
    yield "or a formula in z, such as 'z*tanh(z)'"


def losses() -> Iterator[str]:
    """Name, formula of one output, and what it expects of a and y."""
    yield from _columns((row.name, row.formula, *_notes(row)) for row in CATALOG.losses)
    yield "or a formula in a and y, such as '(a-y)**4', of one output; the outputs are summed"


def layers() -> Iterator[str]:
    """Name with its arguments, the shapes that may come in and what it takes, what it is."""
    rows = [LAYERS[name] for name in SPOKEN]
    yield from _columns((row.signature, _takes(row), row.told) for row in rows)
    yield f"the first item is the input: {EXAMPLES}"
    yield ":relu says that an activation may follow; bias, that bias=true or false may stand inside"
    yield "a plain width is a dense layer, the name of an activation is that activation alone"
    yield "[items]*3 repeats items; ITEM*3 one; a path that ends in .eq is a file of equations"
    yield "layers with parameters take tie=NUMBER: the parameters of that layer, counted from 1"


def formats() -> Iterator[str]:
    """Name, file and description."""
    from bpderive.cli.outputs import outputs  # imports SymPy

    yield from _columns((name, row.file, row.description) for name, row in outputs().items())


def targets() -> Iterator[str]:
    """Name, files and description."""
    from bpderive.targets import TARGETS  # imports SymPy

    rows = ((row.name, *_files(row.stem, row.parts), row.description) for row in TARGETS.values())
    yield from _columns(rows)


def notations() -> Iterator[str]:
    """Name, two equations of a first layer, and the book."""
    from bpderive.cli.samples import samples  # imports SymPy

    rows = list(samples())
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    yield 'or a notation\'s TOML file, such as one with base = "nielsen" and letters of your own'


def languages() -> Iterator[str]:
    """Name, and what the language calls itself."""
    from bpderive.wording import languages, load

    yield from _columns((name, load(name).setting.name) for name in languages())
    yield "or a language's TOML file; `bpderive templates DIR` copies ours out"


def sections() -> Iterator[str]:
    """Id, title and the networks that have it, in the order of the article."""
    from bpderive.document import NOTES  # imports SymPy
    from bpderive.document.layered import SECTIONS
    from bpderive.wording import load

    words = load().sentences
    yield from _columns(
        (name, words[f"section.{name}"], _networks(name in NOTES, name in SECTIONS))
        for name in dict.fromkeys((*NOTES, *SECTIONS))
    )
    yield f"networks with layers of other kinds have these, in this order: {', '.join(SECTIONS)}"


LISTS: Mapping[str, Callable[[], Iterator[str]]] = {
    "activations": activations,
    "losses": losses,
    "layers": layers,
    "formats": formats,
    "targets": targets,
    "notations": notations,
    "languages": languages,
    "sections": sections,
}


def _networks(dense: bool, layered: bool) -> str:
    """Which networks have a section."""
    if dense and layered:
        return "of any network"
    return "of dense networks" if dense else "with layers of other kinds"


def _files(stem: str, suffixes: Iterable[str]) -> tuple[str]:
    """`network.c, network.h` as one cell."""
    return (", ".join(stem + suffix for suffix in suffixes),)


def _takes(row: Layer) -> str:
    """`vector, sequence; :relu; bias` as one cell."""
    marks = (":relu" if row.activates else "", "bias" if row.biased else "")
    return "; ".join(filter(None, (", ".join(row.takes), *marks)))


def _kinks(row: Activation | Loss, argument: str) -> Iterator[str]:
    if row.kinks:
        told = (f"{kink.slope} at {argument} = {kink.at}" for kink in row.kinks)
        yield f"slope {', '.join(told)}"


def _notes(row: Loss) -> Iterator[str]:
    notes = (
        "the mean over the outputs" if row.combine == "mean" else "",
        f"p = {row.stage}(a)" if row.stage else "",
        LABELS.get(row.label, ""),
        DOMAINS.get(row.domain, ""),
        *_kinks(row, "a"),
    )
    yield "; ".join(note for note in notes if note)


def _columns(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The cells under each other; a very long one pushes its own line alone."""
    table = list(rows)
    widths = [max(len(row[0]) for row in table), 44]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield "  ".join((*cells, *row[len(cells) :])).rstrip()
