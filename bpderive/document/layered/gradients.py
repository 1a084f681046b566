"""All the gradients in one table, and the step of gradient descent.

In: a `View`. Out: sections. Must not know: words, letters.
"""

from sympy import Mul

from bpderive.document.blocks import Cell, Equations, Paragraph, Row, Section, Table, Words
from bpderive.document.layered.view import View, shown
from bpderive.document.mathematics import Formula, Plain, Shape, Update
from bpderive.document.request import Request
from bpderive.document.runs import numbered
from bpderive.modules.model import Declared
from bpderive.stack.model import Place

LISTED = 8
"""At most so many parameters have their step of gradient descent written out."""


def gradients(view: View, _request: Request) -> Section:
    """Section 5: the gradient of every parameter, with its shape and its number."""
    found = [(place, tensor, _gradient(view, place, tensor)) for place, tensor in view.parameters()]
    if not found:
        return Section("gradients", (Paragraph(Words("layered.no_parameters")),))
    rows = []
    for place, tensor, label in found:
        sizes = view.sizes(place, tensor)
        cells: tuple[Cell, ...] = (
            shown(tensor, place, view.label(place, tensor.name)),
            numbered(place.number),
            Shape(sizes),
            Formula(Mul(*sizes)),
            Plain(f"({view.numbers[label]})"),
        )
        rows.append(cells)
    return Section(
        "gradients",
        (
            Paragraph(Words("layered.gradients")),
            Equations(tuple(view.row(view.equations[label]) for _, _, label in found)),
            Paragraph(Words("layered.shapes")),
            Table(("parameter", "layer", "shape", "count", "equation"), tuple(rows)),
        ),
    )


def _gradient(view: View, place: Place, tensor: Declared) -> str:
    return f"d{view.label(place, tensor.name)}"


def descent(view: View, _request: Request) -> Section:
    """Section 8: every parameter steps against its gradient."""
    rows = []
    for place, tensor in view.parameters():
        formula = shown(tensor, place, view.label(place, tensor.name))
        rows.append(Row(None, Update(formula.expr, formula.indices)))
    if not rows:
        return Section("descent", (Paragraph(Words("layered.no_parameters")),))
    more = (Paragraph(Words("layered.others")),) if len(rows) > LISTED else ()
    return Section(
        "descent",
        (
            Paragraph(Words("descent.rule")),
            Equations(tuple(rows[:LISTED])),
            *more,
            Paragraph(Words("descent.old")),
        ),
    )
