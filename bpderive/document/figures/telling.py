"""The figures of networks of any layers: drawings, captions, words for who cannot see them.

In: a `StackDerivation`. Out: `Figure` blocks. Must not know: letters, formats.
"""

from sympy import Integer, Symbol

from bpderive.backprop import StackDerivation
from bpderive.document.blocks import Cell, Figure, Listed, Words
from bpderive.document.figures.attention import attention_figure
from bpderive.document.figures.blocks import blocks_figure
from bpderive.document.figures.columns import Column, Columns
from bpderive.document.figures.receptive import receptive_figure
from bpderive.document.figures.through_time import Recurrence
from bpderive.document.figures.unrolled import unrolled_figure
from bpderive.document.figures.windows import Windows
from bpderive.document.layered.naming import written
from bpderive.document.mathematics import Formula, Plain, Shape
from bpderive.document.runs import numbered
from bpderive.modules.labels import label
from bpderive.stack.model import Place, Stack

NOTHING = Plain("")


def blocks_block(derivation: StackDerivation) -> Figure:
    """The whole network as boxes."""
    stack = derivation.stack
    columns = Columns(stack)
    caption: dict[str, Cell] = {
        "sums": Words("figure.sums") if columns.arcs else NOTHING,
        "repeats": Words("figure.repeats") if columns.frames else NOTHING,
    }
    told: dict[str, Cell] = {
        "input": Formula(Symbol(stack.input.label)),
        "shape": Shape(stack.input.sizes),
        "loss": Formula(Symbol(stack.root)),
        "layers": Listed(tuple(_told(stack, c) for c in columns.all if c.kind in SHOWN)),
        "repeats": _repeated(columns),
    }
    return Figure(
        "blocks",
        blocks_figure(derivation),
        Words("figure.blocks", caption),
        Words("alternative.blocks", told),
    )


SHOWN = ("layer", "sum", "dots")


def _told(stack: Stack, column: Column) -> Words:
    if column.kind == "dots":
        slots: dict[str, Cell] = {
            "first": numbered(column.first),
            "last": numbered(column.number),
        }
        return Words("alternative.left_out", slots)
    place = stack.place(column.number)
    inputs = tuple(Formula(Symbol(_output(stack, source))) for source in place.sources)
    slots = {
        "layer": numbered(place.number),
        "shape": Shape(place.output.sizes),
        "written": Plain(written(place)),
        "inputs": Listed(inputs),
    }
    kind = "block_sum" if column.kind == "sum" else "block_of"
    return Words(f"alternative.{'block' if place.sources == (place.number - 1,) else kind}", slots)


def _output(stack: Stack, number: int) -> str:
    return stack.place(number).output.label if number else stack.input.label


def _repeated(columns: Columns) -> Cell:
    if not columns.repeats:
        return NOTHING
    found = [
        Words(
            "alternative.repeated",
            {
                "first": numbered(r.first),
                "last": numbered(r.first + r.period - 1),
                "count": Plain(str(r.count)),
            },
        )
        for r in columns.repeats
    ]
    return Listed(tuple(found))


def unrolled_block(recurrence: Recurrence) -> Figure:
    """A recurrent layer in time."""
    stack, place = recurrence.derivation.stack, recurrence.place
    source = place.sources[0]
    slots: dict[str, Cell] = {
        "layer": numbered(place.number),
        "weight": Formula(recurrence.element_of_weight()),
        "cut": Words("figure.truncated") if recurrence.truncated else NOTHING,
    }
    told: dict[str, Cell] = {
        "steps": Formula(recurrence.steps),
        "input": Formula(Symbol(_output(stack, source))),
        "carried": Listed(
            tuple(Formula(Symbol(recurrence.label(name))) for name in recurrence.carried)
        ),
        "weight": slots["weight"],
        "heard": _heard(recurrence),
        "cut": Words("alternative.truncated") if recurrence.truncated else NOTHING,
    }
    return Figure(
        f"unrolled-{place.number}",
        unrolled_figure(recurrence),
        Words("figure.unrolled", slots),
        Words("alternative.unrolled", told),
    )


def _heard(recurrence: Recurrence) -> Words:
    """From which steps an arrow leads up to the loss."""
    every = recurrence.heard(Integer(1))
    return Words("alternative.every_step" if every else "alternative.last_step")


def receptive_block(windows: Windows) -> Figure:
    """What one weight of a convolution connects."""
    kind = "receptive_line" if len(windows.lines) == 1 else "receptive"
    slots: dict[str, Cell] = {
        "layer": numbered(windows.place.number),
        "weight": Formula(windows.element, windows.samples),
    }
    padded = any(line.first < 1 or line.last > line.inputs for line in windows.lines)
    caption: dict[str, Cell] = {
        **slots,
        "padding": Words("figure.padding") if padded else NOTHING,
    }
    sizes = zip(*((a.inputs, a.weights, a.outputs) for a in windows.lines), strict=True)
    names = ("inputs", "weights", "outputs")
    told = {n: Shape(tuple(map(Integer, s))) for n, s in zip(names, sizes, strict=True)}
    return Figure(
        f"receptive-{windows.place.number}",
        receptive_figure(windows),
        Words(f"figure.{kind}", caption),
        Words(f"alternative.{kind}", {**slots, **told}),
    )


def attention_block(derivation: StackDerivation, place: Place) -> Figure:
    """Attention as blocks."""
    slots: dict[str, Cell] = {"layer": numbered(place.number)}
    source = _output(derivation.stack, place.sources[0])
    told = {"input": Formula(Symbol(source))} | {
        name: Formula(Symbol(str(place.names[label(name)]))) for name in "qkvupoa"
    }
    return Figure(
        f"attention-{place.number}",
        attention_figure(derivation, place),
        Words("figure.attention", slots),
        Words("alternative.attention", {**slots, **told}),
    )
