"""Scalar forms: one gradient, every sum written out, every quantity a symbol by its reference text.

In: a `Derivation` and a `Reference`. Out: SymPy expressions in symbols such as `w1[1,2]`,
`delta1[1]`, `x[1]`: the delta form, or nothing but x, y and the parameters. `g1[i]` stands for
`∂L/∂a1[i]` where it has a name of its own: below a layer that mixes its neurons (softmax).
`paths` has the form in between. Must not know: letters, words, arrays.

Functions are those of `functions` (`sigmoid`, `select` …), for `to_sympy` to make standard; the
weights form is written in standard ones at once.
"""

from collections.abc import Mapping
from functools import cache, cmp_to_key

from sympy import (
    Add,
    Basic,
    Expr,
    Function,
    Heaviside,
    Indexed,
    Integer,
    KroneckerDelta,
    Mul,
    Piecewise,
    Pow,
    Rel,
    Sum,
    Symbol,
)
from sympy.core.function import AppliedUndef

from bpderive.derive import Derivation
from bpderive.errors import UnsupportedError
from bpderive.forms.chosen import equation_of, forward_equation
from bpderive.forms.routes import LIMIT, check_count, route_count
from bpderive.functions import scalar_symbol, to_sympy
from bpderive.index import Equation, label_of, parse_label, peel
from bpderive.network import Network
from bpderive.reference import Reference

UNROLL_LIMIT = 100_000
DEPTH_LIMIT = 30
BACKWARD = {"delta": "z", "g": "a"}
"""The named derivatives, and what each is the derivative with respect to."""

Values = Mapping[Expr, Expr]


@cache
def quantity(label: str, indices: tuple[int, ...] = ()) -> Symbol:
    """The symbol of a scalar quantity: `quantity("w1", (1, 2))` is `w1[1,2]`."""
    return Symbol(f"{label}[{','.join(map(str, indices))}]" if indices else label)


def symbol_of(reference: Reference) -> Symbol:
    """The symbol of a reference."""
    return quantity(reference.tensor, reference.indices)


@cache
def reference_of(symbol: Symbol) -> Reference:
    """The reference of a symbol that `quantity` made; it may be a `g1[2]`."""
    label, _, rest = symbol.name.partition("[")
    name, layer = parse_label(label)
    indices = tuple(map(int, rest.rstrip("]").split(","))) if rest else ()
    return Reference(name, layer if isinstance(layer, int) else None, indices)


# --- From an index expression to scalars ---


def unroll(expr: Expr, values: Values) -> Expr:
    """An index expression at integer indices, its sums written out.

    Raises:
        UnsupportedError: a sum has a symbolic size, or too many terms.
    """
    if isinstance(expr, Indexed):
        return quantity(label_of(expr), tuple(int(i.xreplace(values)) for i in expr.indices))
    if isinstance(expr, Sum):
        return _unroll_sum(expr, values)
    if isinstance(expr, KroneckerDelta):
        return Integer(expr.args[0].xreplace(values) == expr.args[1].xreplace(values))
    if not expr.args:
        return expr
    return expr.func(*(unroll(arg, values) for arg in expr.args))


def _unroll_sum(expr: Sum, values: Values) -> Expr:
    body, index, size = peel(expr)
    if not size.is_Integer:
        raise UnsupportedError(
            f"the size {size} is a symbol, so a sum over it cannot be written out: "
            'ask for form="index" or form="matrix"'
        )
    if size > UNROLL_LIMIT:
        raise UnsupportedError(
            f'a sum of {size} terms is too long to write out: ask for form="index" or form="matrix"'
        )
    return Add(*(unroll(body, {**values, index: Integer(k)}) for k in range(1, int(size) + 1)))


def at_indices(equation: Equation, indices: tuple[int, ...]) -> Expr:
    """The right-hand side of an equation at integer indices."""
    values = dict(zip(equation.indices, map(Integer, indices), strict=True))
    return unroll(equation.rhs, values)


def write_out(expr: Expr, network: Network) -> Expr:
    """Named activations and slopes replaced by their formulas: `sigmoid'(z) → a(1−a)`."""
    named = expr.atoms(AppliedUndef)
    return expr.xreplace({node: _formula(node, network) for node in named}) if named else expr


def _formula(node: AppliedUndef, network: Network) -> Expr:
    name, argument = node.func.__name__, node.args[0]
    row = network.activations[name.removesuffix("'")]
    if not name.endswith("'"):
        return row.definition.xreplace({scalar_symbol("z"): argument})
    at = reference_of(argument)
    value = quantity(f"a{at.layer}", at.indices)
    return row.slope_expr.xreplace({scalar_symbol("z"): argument, scalar_symbol("a"): value})


# --- The forms ---


def delta_form(derivation: Derivation, reference: Reference) -> Expr:
    """`∂L/∂w1[1,1] = delta1[1]*x[1]`; for `delta1[1]` its recurrence."""
    expr = at_indices(equation_of(derivation, reference), reference.indices)
    return write_out(expr, derivation.network)


def definition(derivation: Derivation, symbol: Symbol) -> Expr:
    """What a symbol stands for, one step down; x, y and the parameters stand for themselves."""
    reference = reference_of(symbol)
    if reference.name in BACKWARD:
        return delta_form(derivation, _with_name(reference, BACKWARD[reference.name]))
    equation = forward_equation(derivation.network, reference)
    if equation is None:
        return symbol
    return write_out(at_indices(equation, reference.indices), derivation.network)


def _with_name(reference: Reference, name: str) -> Reference:
    return Reference(name, reference.layer, reference.indices)


def weights_form(derivation: Derivation, reference: Reference, limit: int = LIMIT) -> Expr:
    """The gradient in nothing but x, y and the parameters.

    Raises:
        UnsupportedError: the network is too deep, or has too many paths, to be written out.
    """
    network = derivation.network
    if network.depth > DEPTH_LIMIT:
        raise UnsupportedError(
            f"{network.depth} layers are too deep to write {reference} in the weights alone; "
            f'at most {DEPTH_LIMIT} are: ask for form="delta"'
        )
    # The output, which stands in every gradient, holds every neuron's value along every path.
    count = network.layer(1).width * route_count(network, Reference("z", 1))
    check_count(count, "the whole network, which this form writes out,", limit)
    return _Resolver(derivation)(delta_form(derivation, reference))


class _Resolver:
    """Replaces every quantity by its definition, down to the given ones, each worked out once.

    A definition is made standard by itself, in real symbols; what they stand for is then put in
    their place, and nothing evaluated anew. Of nested expressions SymPy works out, in minutes and
    in an order of the hash seed's, whether some `tanh` in a power may be infinite.
    """

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.done: dict[str, Expr] = {}

    def __call__(self, expr: Expr) -> Expr:
        symbols = {symbol: scalar_symbol(symbol.name) for symbol in expr.free_symbols}
        return _put(to_sympy(expr, symbols), {real: self.value(s) for s, real in symbols.items()})

    def value(self, symbol: Symbol) -> Expr:
        if symbol.name not in self.done:
            found = definition(self.derivation, symbol)
            self.done[symbol.name] = symbol if found == symbol else self(found)
        return self.done[symbol.name]


def _put(expr: Expr, values: Values) -> Expr:
    """The same expression with values for its symbols, nothing evaluated anew."""
    done: dict[Expr, Expr] = dict(values)

    def visit(node: Expr) -> Expr:
        if node not in done:
            done[node] = rebuilt(node)
        return done[node]

    def rebuilt(node: Expr) -> Expr:
        if isinstance(node, Piecewise):
            return _chosen([(visit(value), visit(test)) for value, test in node.args])
        args = [visit(arg) for arg in node.args]
        if isinstance(node, Add | Mul):
            return _joined(node.func, args)
        if isinstance(node, Pow | Function | Rel):
            return node.func(*args, evaluate=False)
        return node.func(*args) if args else node

    return visit(expr)


def _chosen(pairs: list[tuple[Expr, Expr]]) -> Expr:
    """The cases as they are, or by steps: SymPy would combine conditions that hold cases."""
    if not any(test.has(Piecewise) for _, test in pairs):
        return Piecewise(*pairs, evaluate=False)
    *cases, (found, _) = pairs
    for value, test in reversed(cases):
        found = _by_step(test.lhs, value, found)
    return found


def _by_step(u: Expr, p: Expr, q: Expr) -> Expr:
    """`p if u > 0 else q` as `q + (p − q)·[u > 0]`."""
    difference = _joined(Add, [p, _joined(Mul, [Integer(-1), q])])
    return _joined(Add, [q, _joined(Mul, [difference, Heaviside(u, 0, evaluate=False)])])


def _joined(kind: type[Expr], args: list[Expr]) -> Expr:
    """A sum of sums as one, a product of products, in SymPy's order, with one number."""
    parts = [part for arg in args for part in (arg.args if isinstance(arg, kind) else (arg,))]
    number = kind(*(part for part in parts if part.is_Number))
    if kind is Mul and number == 0:
        return number
    rest = sorted((p for p in parts if not p.is_Number), key=cmp_to_key(Basic.compare))
    return kind(*([] if number == kind.identity else [number]), *rest, evaluate=False)
