"""Section 9: a worked example, every number with the formula and the substitution it comes from.

In: a `Derivation` and an `Example` of it. Out: blocks. Must not know: letters, words, formats, and
how a number is rounded.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby

from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef

from bpderive.derive import Derivation
from bpderive.document.blocks import (
    Block,
    Calculation,
    Equations,
    Heading,
    Listed,
    Number,
    Paragraph,
    Remark,
    Row,
    Section,
    Table,
    Words,
    Working,
)
from bpderive.document.forward import SMALL, is_small
from bpderive.document.mathematics import (
    Entries,
    Formula,
    Matrix,
    Plain,
    Substituted,
    Update,
    Value,
)
from bpderive.document.request import Request
from bpderive.example.computing import backward_names, forward_names, parameter_names
from bpderive.example.model import Example, names, shapes
from bpderive.example.numbers import value_of
from bpderive.forms.arrays import Leaf
from bpderive.forms.chosen import equation_of, forward_equation
from bpderive.forms.numbering import numbering
from bpderive.forms.scalar import BACKWARD, at_indices, reference_of, write_out
from bpderive.formula import parse
from bpderive.functions import select
from bpderive.index import Partial
from bpderive.reference import Reference

SHORT, LONG = 6, 20
"""A slope's formula with more operations stands on a line of its own, or not at all."""

AXES = (Symbol("_i"), Symbol("_j"))


def example(derivation: Derivation, request: Request) -> Section:
    """Section 9: the values, the forward and the backward pass, a step, and the loss after it."""
    network = derivation.network
    if request.example is not None:
        worked = Worked(derivation, request.example)
        return Section("example", tuple(_blocks(worked, full=request.full)))
    reason = "symbolic" if network.symbolic else "none" if is_small(network) else "elided"
    words = Words(f"example.{reason}", {"limit": Plain(str(SMALL))} if reason == "elided" else {})
    return Section("example", (Paragraph(words),))


def _blocks(worked: "Worked", *, full: bool) -> Iterator[Block]:
    yield Paragraph(worked.origin)
    yield Equations(tuple(worked.given()))
    yield Paragraph(worked.precision)
    yield Heading(Words("example.forward"))
    yield Calculation(tuple(worked.forward()))
    yield from worked.kinks()
    yield Heading(Words("example.backward"))
    yield from worked.backward()
    yield Paragraph(Words("example.gradients"))
    yield Calculation(tuple(worked.gradients()))
    yield from worked.zeros()
    yield Heading(Words("example.step"))
    yield Paragraph(Words("example.old"))
    if full:
        yield Calculation(tuple(worked.updates()))
    else:
        yield Equations(tuple(worked.tensors(worked.example.updated)))
    yield from worked.afterwards()


class Worked:
    """The rows of one example."""

    def __init__(self, derivation: Derivation, example: Example) -> None:
        self.derivation, self.network = derivation, derivation.network
        self.example, self.digits = example, example.digits
        self.numbers = numbering(self.network)
        self.shapes = shapes(derivation)

    @cached_property
    def values(self) -> Mapping[str, Expr]:
        """Every number by the name under which an expression calls for it."""
        example = self.example
        slopes = {f"d{name}": value for name, value in example.slopes.items()}
        return {**example.numbers, **slopes, **self.own_slopes, "eta": example.given.eta}

    @cached_property
    def own_slopes(self) -> Mapping[str, Expr]:
        """The slopes that the deltas call by name: `gelu'(z1[1])`."""
        return {
            f"{call.func.__name__}({call.args[0].name})": value_of(
                write_out(call, self.network), self.example.numbers
            )
            for name in backward_names(self.network)
            for call in calls(self.backward_form(name))
        }

    # --- What is given ---

    @property
    def origin(self) -> Words:
        """Where the numbers come from."""
        seed = self.example.given.seed
        if seed is None:
            return Words("example.given")
        return Words("example.drawn", {"seed": Plain(str(seed))})

    @property
    def precision(self) -> Words:
        """How exact the numbers are."""
        kind = "exact" if self.example.exact else "rounded"
        return Words(f"example.{kind}", {"digits": Plain(str(self.digits))})

    def given(self) -> Iterator[Row]:
        """The sample, its label, the parameters and the learning rate."""
        yield from self.tensors(self.example.given.numbers)
        eta = Value(self.example.given.eta, self.digits)
        yield Row(Formula(Symbol("eta")), eta)

    def tensors(self, numbers: Mapping[str, Expr]) -> Iterator[Row]:
        """Every tensor whose numbers these are, as a matrix."""
        for label, shape in self.shapes.items():
            own = list(names(label, shape))
            if own[0] in numbers:
                lying = shape[0] if self.network.row_vectors else 1
                columns = shape[1] if len(shape) == 2 else lying
                found = [numbers[name] for name in own]
                rows = tuple(tuple(found[k : k + columns]) for k in range(0, len(found), columns))
                lhs = Matrix(Leaf(AXES[: len(shape)], label))
                yield Row(lhs, Entries(rows, self.digits))

    # --- What is computed ---

    def forward(self) -> Iterator[Working]:
        """Every z and a, and the loss."""
        for name in forward_names(self.network):
            at = reference_of(Symbol(name))
            yield self.working(name, self.forward_form(at), self.forward_number(at))

    def backward(self) -> Iterator[Calculation]:
        """Every delta; where slopes have long formulas, each layer's before its deltas."""
        rows: list[Working] = []
        for _, layer in groupby(backward_names(self.network), key=_layer):
            own = [(name, self.backward_form(name)) for name in layer]
            slopes = [self.slope(call) for _, form in own for call in calls(form)]
            if slopes and rows:
                yield Calculation(tuple(rows))
            if slopes:
                yield Calculation(tuple(slopes))
                rows = []
            rows += [self.working(name, form, self.backward_number(name)) for name, form in own]
        yield Calculation(tuple(rows))

    def backward_number(self, name: str) -> Number:
        at = reference_of(Symbol(name))
        return Number(self.numbers.backward(BACKWARD[at.name], at.layer or 0))

    def gradients(self) -> Iterator[Working]:
        """The derivative by every parameter."""
        for name in parameter_names(self.derivation):
            at = reference_of(Symbol(name))
            form = at_indices(equation_of(self.derivation, at), at.indices)
            number = Number(self.numbers.backward(at.name, at.layer or 0))
            lhs = Formula(Partial(Symbol("L"), Symbol(name)))
            yield self.row(lhs, form, self.example.slopes[name], number)

    def updates(self) -> Iterator[Working]:
        """`w ← w − η ∂L/∂w = 0.5 − 0.1 · 0.03`."""
        for name, value in self.example.updated.items():
            update = Update(Symbol(name))
            numbers = Substituted(update, self.values, self.digits)
            yield Working(update, (numbers, Value(value, self.digits)))

    def working(self, name: str, form: Expr, number: Number) -> Working:
        """A quantity, its formula, the numbers in it, and its own."""
        return self.row(Formula(Symbol(name)), form, self.example.numbers[name], number)

    def row(self, lhs: Formula, form: Expr, value: Expr, number: Number | None) -> Working:
        """Where the formula is a single quantity, its number needs no substitution."""
        case, values = self.decided(form)
        single = isinstance(case, Symbol) or isinstance(-case, Symbol)
        whole = Substituted(case, values, self.digits)
        middle = () if single or not form.atoms(Symbol) else (whole,)
        return Working(lhs, (Formula(form), *middle, Value(value, self.digits)), number)

    def slope(self, call: Expr) -> Working:
        """The slope of an activation at one neuron."""
        form = write_out(call, self.network)
        value = self.own_slopes[f"{call.func.__name__}({call.args[0].name})"]
        if form.count_ops() <= LONG:
            return self.row(Formula(call), form, value, None)
        numbers = Substituted(call, self.example.numbers, self.digits)
        return Working(Formula(call), (numbers, Value(value, self.digits)))

    def decided(self, form: Expr) -> tuple[Expr, Mapping[str, Expr]]:
        """A formula with the cases that hold, and its numbers; a case that is a number is one."""
        found, values = dict[Expr, Expr](), dict(self.values)
        for case in sorted(form.atoms(select), key=str):
            branch = self.branch(case)
            if branch.is_number:
                values[str(case)] = branch
            else:
                found[case] = branch
        return form.xreplace(found), values

    def branch(self, form: Expr) -> Expr:
        """What holds of `select(u, p, q)`, and of the cases in it."""
        while isinstance(form, select):
            u, yes, no = form.args
            form = yes if value_of(u, self.example.numbers) > 0 else no
        return form

    def forward_form(self, at: Reference) -> Expr:
        """The right-hand side of a quantity of the forward pass, activations by name."""
        equation = forward_equation(self.network, at)
        assert equation is not None  # noqa: S101 - of z, a, p and L there is one
        return at_indices(equation, at.indices)

    def backward_form(self, name: str) -> Expr:
        """The right-hand side of a delta, slopes by name where their formulas are long."""
        at = reference_of(Symbol(name))
        layer = at.layer or 0
        derived = self.derivation.at(layer)[BACKWARD[at.name]]
        activation = self.network.layer(layer).activation
        short = not activation.elementwise or activation.slope_expr.count_ops() <= SHORT
        equation = derived.result if short else derived.shown
        return at_indices(equation.renamed(self.network.names(layer)), at.indices)

    def forward_number(self, at: Reference) -> Number:
        if at.name in ("p", "L"):
            return Number(self.numbers.stage if at.name == "p" else self.numbers.loss)
        return Number(self.numbers.forward(at.name, at.layer or 0))

    # --- What is to be said ---

    def zeros(self) -> Iterator[Block]:
        """The gradients that are 0 at these numbers."""
        found = [name for name, slope in self.example.slopes.items() if slope == 0]
        if found:
            listed = Listed(tuple(Formula(Partial(Symbol("L"), Symbol(name))) for name in found))
            yield Remark(Words("example.zeros", {"list": listed}))

    def kinks(self) -> Iterator[Block]:
        """The weighted sums that lie exactly where a slope jumps."""
        for layer in self.network.layers:
            for kink in layer.activation.kinks:
                at = parse(kink.at, ())
                for name in names(f"z{layer.index}", (int(layer.width),)):
                    if self.example.numbers[name] == at:
                        slots = {"sum": Symbol(name), "slope": parse(kink.slope, ())}
                        formulas = {key: Formula(value) for key, value in slots.items()}
                        name_of = Plain(layer.activation.name)
                        yield Remark(Words("example.kink", {**formulas, "name": name_of}))

    def afterwards(self) -> Iterator[Block]:
        """The forward pass again, and whether the loss fell."""
        before, after = self.example.loss, self.example.after
        if after is None:
            yield Remark(Words("example.undefined"))
            return
        yield Paragraph(Words("example.again"))
        rows = (
            (Formula(Symbol(name)), self.shown(self.example.numbers[name]), self.shown(value))
            for name, value in self.example.moved.items()
        )
        yield Table(("quantity", "before", "after"), tuple(rows))
        kind = "falls" if after < before else "rises" if after > before else "stays"
        slots = {"before": self.shown(before), "after": self.shown(after)}
        loss = Formula(Symbol("L"))
        yield Paragraph(Words(f"example.{kind}", {"loss": loss, **slots}))

    def shown(self, number: Expr) -> Value:
        return Value(number, self.digits)


def _layer(name: str) -> int | None:
    return reference_of(Symbol(name)).layer


def calls(form: Expr) -> Sequence[Expr]:
    """The named slopes of an expression, in a fixed order."""
    return sorted(form.atoms(AppliedUndef), key=str)
