"""Right-hand sides made ready for loops: numbers put in, logarithms stable, softmaxes apart.

In: lines of a computation. Out: lines of the same values. Must not know: loops, any syntax.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Pow, Rational, Sum, Symbol, log

from bpderive.forms.stable import pulled
from bpderive.functions import xlogy
from bpderive.functions.conditions import first_largest, fixed
from bpderive.index import Equation, element, label_of
from bpderive.schedule.model import Line
from bpderive.targets.arrays.softmax import normal, softmax_argument

Outputs = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Ready:
    """Makes lines ready.

    `numbers` are constants by label, `tokens` the tensors whose numbers are indices: they count
    from 0 in the code, `outputs` the tensors that are a function of another.
    """

    numbers: Mapping[str, Rational]
    tokens: frozenset[str]
    outputs: Outputs

    def line(self, line: Line) -> Line:
        """The same line."""
        rhs = self.ready(_longer(line.equation.rhs))
        return replace(line, equation=replace(line.equation, rhs=rhs))

    def ready(self, expr: Expr) -> Expr:
        """The same value."""
        table: dict[Expr, Expr] = {Symbol(name): value for name, value in self.numbers.items()}
        found = sorted(expr.atoms(fixed, log, xlogy, Indexed), key=str)
        for node in found:
            if isinstance(node, Indexed) and label_of(node) in self.tokens:
                table[node] = node + 1
            if isinstance(node, log | xlogy):
                stable = normal(node, self.outputs)
                table |= {} if stable is None else {node: stable}
        expr = expr.xreplace(table)
        return expr.replace(fixed, lambda u: u) if expr.has(fixed) else expr


def _longer(expr: Expr) -> Expr:
    """Without the sums over a single element; where the largest is sought, it stays one."""
    table: dict[Expr, Expr] = {}
    sought = {node.args[-1] for node in expr.atoms(first_largest)}
    for node in sorted(expr.atoms(Sum) - sought, key=lambda node: len(str(node))):
        inner = node.xreplace(table)
        single = {limit[0]: limit[1] for limit in inner.limits if limit[1] == limit[2]}
        kept = [limit for limit in inner.limits if limit[0] not in single]
        body = inner.function.xreplace(single)
        if inner.limits and (single or inner != node):
            table[node] = Sum(body, *kept) if kept else body
    return expr.xreplace(table)


def token_labels(lines: Iterable[Line]) -> Mapping[str, tuple[str, int]]:
    """The tensors whose elements are indices, each with a tensor and the axis that they index."""
    found: dict[str, tuple[str, int]] = {}
    for line in lines:
        for tensor in sorted(line.equation.rhs.atoms(Indexed), key=str):
            for axis, index in enumerate(tensor.indices):
                for atom in sorted(index.atoms(Indexed), key=str):
                    found.setdefault(label_of(atom), (label_of(tensor), axis))
    return found


def staged(line: Line) -> Iterator[Line]:
    """The line, after lines for the softmaxes that are a part of it."""
    equation = line.equation
    whole = softmax_argument(equation.rhs)
    if whole is not None and whole[3] == 1 and whole[2] in equation.indices:
        yield line
        return
    sizes = dict(zip(equation.indices, equation.sizes, strict=True))
    sizes |= {limit[0]: limit[2] for node in equation.rhs.atoms(Sum) for limit in node.limits}
    table: dict[Expr, Expr] = {}
    for node in sorted(equation.rhs.atoms(Mul), key=str):
        found = softmax_argument(node)
        if found is None:
            continue
        u, condition, _, rest = found
        of = u if condition is None else u * condition
        indices = tuple(index for index in sizes if index in of.free_symbols)
        label = f"softmax_{equation.label}" + f"_{len(table)}" * bool(table)
        lhs = element(label, indices)
        table[node] = rest * lhs
        own = Equation(lhs, node / rest, tuple(sizes[index] for index in indices))
        yield replace(line, equation=own)
    yield replace(line, equation=replace(equation, rhs=equation.rhs.xreplace(table)))


def cancelled(lines: Iterable[Line], outputs: Outputs) -> Iterator[Line]:
    """`δ_i = c_i/a_i`, then `a_i (δ_i - Σ a_k δ_k) → c_i - a_i Σ c_k`, where a is a softmax.

    Its outputs may be as good as 0, and then the quotient has no value.
    """
    softmaxes = {label for (name, _), label in outputs.items() if name == "softmax"}
    quotients: dict[str, Equation] = {}
    for line in lines:
        equation = line.equation
        below = [f for f in Mul.make_args(equation.rhs) if isinstance(f, Pow) and f.exp == -1]
        tensors = [f.base for f in below if isinstance(f.base, Indexed)]
        if any(label_of(t) in softmaxes and t.indices == equation.lhs.indices for t in tensors):
            quotients[equation.label] = equation
        yield replace(line, equation=_without_quotients(equation, quotients))


def _without_quotients(equation: Equation, quotients: Mapping[str, Equation]) -> Equation:
    """The equation with quotients put in, if none of them is left then."""
    table: dict[Expr, Expr] = {}
    for atom in equation.rhs.atoms(Indexed):
        found = quotients.get(label_of(atom))
        if found is not None and found is not equation:
            at = dict(zip(found.indices, atom.indices, strict=True))
            table[atom] = found.rhs.xreplace(at)
    if not table:
        return equation
    factors = Mul.make_args(equation.rhs)
    total = next((f for f in factors if isinstance(f, Add)), None)
    if total is None:
        return equation
    rest = equation.rhs / total
    rhs = Add(*(rest * term.xreplace(table) for term in total.args))
    left = any(p.exp == -1 and isinstance(p.base, Indexed) for p in rhs.atoms(Pow))
    return equation if left else replace(equation, rhs=pulled(rhs))


def scattered(equation: Equation) -> tuple[Expr, Sum, KroneckerDelta] | None:
    """`c Σ … [v = x[n,t]] …`: c, the sum as one, and the delta that says where a term belongs."""
    factor, node = _one_sum(equation.rhs)
    if node is None:
        return None
    for part in Mul.make_args(node.function):
        told = isinstance(part, KroneckerDelta) and part.has(Indexed)
        if told and set(part.args) & set(equation.indices):
            return factor, Sum(node.function / part, *node.limits), part
    return None


def _one_sum(expr: Expr) -> tuple[Expr, Sum | None]:
    """A number and a sum that has within it the sums that are factors of its terms."""
    sums = [f for f in Mul.make_args(expr) if isinstance(f, Sum)]
    if len(sums) != 1:
        return expr, None
    rest = expr / sums[0]
    inner, below = _one_sum(sums[0].function)
    if below is None or not below.has(KroneckerDelta):
        return rest, sums[0]
    return rest, Sum(inner * below.function, *below.limits, *sums[0].limits)
