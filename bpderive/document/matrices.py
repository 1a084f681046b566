"""Sections 7 and 8: matrix and batch form, the algorithm, its cost; and gradient descent."""

from collections.abc import Iterator, Mapping

from sympy import Add, Expr, Indexed, Symbol

from bpderive.derive import Derivation, Derived
from bpderive.document.blocks import (
    Algorithm,
    Block,
    Cell,
    Equations,
    Number,
    Paragraph,
    Row,
    Section,
    Words,
)
from bpderive.document.forward import is_small
from bpderive.document.mathematics import Formula, Layer, Matrix, Ordered, OrderedSum, Update
from bpderive.document.request import Request
from bpderive.document.runs import LAYER, Run, between, in_letters, numbered, runs
from bpderive.equations import SAMPLES
from bpderive.forms.arrays import Apply, Leaf, Node, Product, Scalar, lower
from bpderive.forms.numbering import numbering
from bpderive.forms.scalar import delta_form, reference_of
from bpderive.index import Equation, Partial, element, label_of, rename
from bpderive.network import Network
from bpderive.weights import in_order

ADJOINTS = ("p", "a", "z", "w", "b")
_BATCH = {
    "n": Formula(Symbol("_n"), (Symbol("_n"),), samples=True),
    "total": Formula(Symbol("S")),
}


def matrix(derivation: Derivation, request: Request) -> Section:
    """Section 7: one sample, a batch, the algorithm and what it costs."""
    network = derivation.network
    orientation = network.spec.orientation
    return Section(
        "matrix",
        (
            Paragraph(Words("matrix.sample_rows" if network.row_vectors else "matrix.sample")),
            Equations(tuple(_rows(derivation, batch=False))),
            *(_figure(network, batch=False) if request.figures else ()),
            Paragraph(Words(f"matrix.batch_{orientation}", {"n": Formula(SAMPLES)})),
            Paragraph(Words(f"matrix.{network.spec.reduction}", _BATCH)),
            Equations(tuple(_index_rows(derivation))),
            Paragraph(Words("matrix.batch_matrix")),
            Equations(tuple(_rows(derivation, batch=True))),
            *(_figure(network, batch=True) if request.figures else ()),
            Paragraph(Words("algorithm.intro")),
            algorithm(network),
            Paragraph(_cost(network)),
        ),
    )


def _figure(network: Network, *, batch: bool) -> Iterator[Block]:
    from bpderive.document.illustrations import flow_block  # most documents have no figures

    yield flow_block(network, batch=batch)


def _rows(derivation: Derivation, *, batch: bool) -> Iterator[Row]:
    """Every equation in matrix form: forward, then backward."""
    network = derivation.network
    numbers = numbering(network)
    for run in runs(network):
        graph = network.graph(network.kind(run.first, batch=batch))
        for letter in "za":
            number = run.number(
                numbers.forward(letter, run.first), numbers.forward(letter, run.last)
            )
            equation = graph.by_label[f"{letter}{{l}}"]
            yield _forward_row(network, run, equation, letter, number if batch else None)
    yield from _loss_rows(network, batch=batch)
    for run in reversed(runs(network)):
        for letter, derived in _named(derivation, run, batch=batch):
            number = run.number(
                numbers.backward(letter, run.first), numbers.backward(letter, run.last)
            )
            yield _backward_row(network, run, derived, number if batch else None)


def _loss_rows(network: Network, *, batch: bool) -> Iterator[Row]:
    """The loss's own stage, and the loss; that of a batch with the mean's 1/N."""
    run, numbers = Run(network.depth, network.depth), numbering(network)
    graph = network.graph(network.kind(network.depth, batch=batch))
    names = run.names(network)
    if network.stage is not None:
        order = _order(network, graph.by_label["p"].indices, parameter=False)
        value: Node = Apply(order, network.stage.name, (Leaf(order, "a{l}"),))
        number = Number(numbers.stage) if batch else None
        lhs = _matrix(network, Leaf(order, "p"), names)
        yield Row(lhs, _matrix(network, value, names), number)
    loss = _lower(network, graph.by_label["S" if batch else "L"].rhs, ())
    if batch:
        loss = _averaged(network, loss)
    number = Number(numbers.loss) if batch else None
    yield Row(Formula(Symbol("L")), _matrix(network, loss, names), number)


def _matrix(network: Network, node: Node, names: Mapping[str, Expr | str]) -> Matrix:
    """Mathematics in which a vector lies as the network's samples do."""
    return Matrix(node, names, rows=network.row_vectors)


def _averaged(network: Network, node: Node) -> Node:
    """A sum over the samples, divided by their number where the loss is the mean."""
    if network.spec.reduction == "sum":
        return node
    return Product(node.axes, (Scalar((), 1 / SAMPLES), node))


def _named(derivation: Derivation, run: Run, *, batch: bool) -> Iterator[tuple[str, Derived]]:
    """The derivatives of a layer that have a name or are a parameter's."""
    found = derivation.at(run.first, batch=batch)
    for letter in ADJOINTS:
        if letter in found and (found[letter].named or letter in "wb"):
            yield letter, found[letter]


def _lower(network: Network, expr: Expr, indices: tuple[Expr, ...]) -> Node:
    columns = network.spec.orientation == "columns"
    return lower(expr, indices, columns=columns)


def _order(network: Network, indices: tuple[Expr, ...], *, parameter: bool) -> tuple[Expr, ...]:
    flip = network.spec.orientation == "columns" and len(indices) == 2 and not parameter
    return indices[::-1] if flip else indices


def _forward_row(
    network: Network, run: Run, equation: Equation, letter: str, number: Number | None
) -> Row:
    names = run.names(network)
    order = _order(network, equation.indices, parameter=False)
    activation = network.layer(run.first).activation
    if letter == "a" and not activation.elementwise:
        value: Node = Apply(order, activation.name, (Leaf(order, "z{l}"),))
    else:
        value = _lower(network, equation.rhs, order)
    lhs = _matrix(network, Leaf(order, equation.label), names)
    return Row(lhs, _matrix(network, value, names), number, run.words)


def _backward_row(network: Network, run: Run, derived: Derived, number: Number | None) -> Row:
    """A derivative in matrix form; a batch's parameter gradients carry the mean's 1/N."""
    names = run.names(network)
    parameter = derived.tensor.role in ("weight", "bias")
    order = _order(network, derived.result.indices, parameter=parameter)
    value = _lower(network, derived.shown.rhs, order)
    if parameter and number is not None:
        value = _averaged(network, value)
    label = label_of(derived.result.lhs) if derived.named else f"d{derived.tensor.label}"
    lhs = _matrix(network, Leaf(order, label), names)
    return Row(lhs, _matrix(network, value, names), number, run.words)


def _index_rows(derivation: Derivation) -> Iterator[Row]:
    """The batch's equations in index form, for one general layer: where the matrices come from."""
    network = derivation.network
    run = runs(network)[-1]
    found = derivation.at(run.first, batch=True)
    for letter in ("w", "b"):
        if letter not in found:
            continue
        derived = found[letter]
        names = run.names(network)
        factor = derivation.mean.rhs / Symbol("S")
        lhs = Partial(Symbol("L"), rename(derived.tensor[derived.result.indices], names))
        rhs = factor * rename(derived.result.rhs, names)
        if network.spec.orientation == "columns":
            rhs = _samples_last(rhs)
        indices = in_letters(network, letter, derived.result.indices)
        yield Row(Formula(lhs, indices), Formula(rhs, indices))


def _samples_last(expr: Expr) -> Expr:
    """The same with the samples as the second index, as the columns of a matrix."""
    tensors = (t for t in expr.atoms(Indexed) if len(t.indices) == 2)
    return expr.xreplace({t: element(label_of(t), tuple(t.indices[::-1])) for t in tensors})


def algorithm(network: Network) -> Algorithm:
    """The pseudo-code of one step of training."""
    backward = [] if network.depth == 1 else ["backward_two" if network.depth == 2 else "backward"]
    lines = ["given", "forward", "loss", "output", *backward, "gradients", "update"]
    slots: dict[str, Cell] = {name: numbered(at) for name, at in _ends(network)}
    slots |= {"layer": Layer(LAYER), "below": Layer(LAYER - 1)}
    ends = {"forward": (1, network.depth), backward[0] if backward else "": (network.depth, 2)}
    layers = {line: {"layers": between(*pair)} for line, pair in ends.items()}
    bias = "_bias" if network.spec.bias else ""
    named = {"gradients": f"gradients{bias}", "update": f"update{bias}", "given": f"given{bias}"}
    return Algorithm(
        tuple(Words(f"algorithm.{named.get(x, x)}", slots | layers.get(x, {})) for x in lines)
    )


def _ends(network: Network) -> Iterator[tuple[str, int]]:
    """The layers that the algorithm names."""
    yield from (("first", 1), ("second", 2), ("depth", network.depth))


def cost(network: Network) -> tuple[Expr, Expr]:
    """Multiplications with weights for one sample: forward, and for the deltas."""
    weights = [layer.width * layer.inputs for layer in network.layers]
    return Add(*weights), Add(*weights[1:])


def _cost(network: Network) -> Words:
    forward, deltas = cost(network)
    slots = {"forward": forward, "backward": forward + deltas, "deltas": deltas}
    return Words("algorithm.cost", {name: Formula(value) for name, value in slots.items()})


def descent(derivation: Derivation, request: Request) -> Section:
    """Section 8: every parameter steps against its gradient, all gradients at the old weights."""
    network = derivation.network
    i, j = Symbol("_i"), Symbol("_j")
    kinds = [("w", in_order(network.spec.weights, i, j))] + (
        [("b", (i,))] if network.spec.bias else []
    )
    rows = tuple(
        Row(None, Update(element(f"{name}{{l}}", indices), (i, j))) for name, indices in kinds
    )
    written = request.full and is_small(network)
    return Section(
        "descent",
        (
            Paragraph(Words("descent.rule")),
            Equations(rows),
            Paragraph(Words("descent.old")),
            *(_written(derivation) if written else ()),
        ),
    )


def _written(derivation: Derivation) -> tuple[Block, ...]:
    """The step of every parameter, its gradient by the delta of its neuron."""
    from bpderive.example import parameter_names

    rows = []
    for name in parameter_names(derivation):
        symbol = Symbol(name)
        slope = delta_form(derivation, reference_of(symbol))
        step = Ordered((-Symbol("eta"), slope))
        rows.append(Row(Update(symbol), OrderedSum((Ordered((symbol,)), step))))
    return (Paragraph(Words("descent.written")), Equations(tuple(rows)))
