"""The right-hand side of an equation as an expression of NumPy.

In: an index expression and the axes that are wanted. Out: an `Array`. A node that has no form is
an `UnsupportedError`. Must not know: loops' order, the module's template.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sympy import (
    Add,
    Expr,
    Indexed,
    Integer,
    KroneckerDelta,
    Mul,
    Pow,
    Rational,
    Sum,
    Symbol,
    log,
)
from sympy import Function as SymPyFunction
from sympy.core.function import AppliedUndef

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import textbook_terms
from bpderive.functions import select, xlogy
from bpderive.functions.conditions import bracket, first_largest, fixed, merged
from bpderive.index import Equation, label_of
from bpderive.targets.arrays import calls, conditions, spreading
from bpderive.targets.arrays.access import access
from bpderive.targets.arrays.block import Block
from bpderive.targets.arrays.contraction import Contraction
from bpderive.targets.arrays.functions import Functions
from bpderive.targets.arrays.model import Array, Axes, natural, union
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.arrays.softmax import softmax_argument
from bpderive.targets.layout import (
    ADD,
    MULTIPLY,
    POWER,
    Brackets,
    Code,
    Invoke,
    Text,
    bracketed,
    chain,
    minus,
)
from bpderive.targets.printer import number, number_parts


@dataclass
class Lowering:
    """One line's expressions; `order` is the order of axes, `ranges` of all indices."""

    block: Block
    functions: Functions
    ranges: dict[Symbol, Expr]
    order: Axes
    comment: str
    outputs: Mapping[tuple[str, str], str] = field(default_factory=dict)
    summing: bool = False
    chosen: Mapping[str, Equation] = field(default_factory=dict)
    """What is 1 at the first largest of others, by its label."""

    def array(self, expr: Expr) -> Array:
        """The array of an expression.

        Raises:
            UnsupportedError: at what has no array form.
        """
        if expr.is_number:
            return Array(minus(number(-expr)) if expr < 0 else number(expr))
        for kind, method in METHODS:
            if isinstance(expr, kind):
                return method(self, expr)
        raise UnsupportedError(f"no NumPy form for {expr}")

    def value(self, expr: Expr) -> Array:
        """The array of an expression as numbers, not a mask."""
        return self.contraction.number(self.array(expr))

    @property
    def contraction(self) -> Contraction:
        return Contraction(self.block, self.ranges, self.order, self.comment)

    # --- Leaves ---

    def tensor(self, expr: Indexed) -> Array:
        found = access(expr, self.ranges, self.block)
        if self.block.shapes[label_of(expr)].tokens:
            return replace(found, code=Brackets(chain(ADD, found.code, ("+", Text("1")))))
        return found

    def symbol(self, expr: Symbol) -> Array:
        if expr in self.ranges:
            count = whole(self.ranges[expr] + 1).flat
            return Array(Text(f"np.arange(1, {count}, dtype=dtype)"), (expr,))
        return Array(Text(self.block.names.get(expr.name, expr.name)))

    def size(self, expr: Expr) -> Array:
        return Array(whole(expr))

    # --- Sums and products ---

    def add(self, expr: Add) -> Array:
        content, primitive = expr.primitive()
        if content != 1 and _alike(primitive):
            return self.quotient(content, [self.add(primitive)], [])
        terms = [(bool(t.as_coeff_Mul()[0] < 0), t) for t in textbook_terms(expr)]
        arrays = [self.value(-t if negative else t) for negative, t in terms]
        axes = natural(arrays, self.order) if self.summing else union(arrays, self.order)
        codes = [array.at(axes).code for array in arrays]
        head = minus(codes[0]) if terms[0][0] else codes[0]
        rest = zip(terms[1:], codes[1:], strict=True)
        return Array(
            chain(ADD, head, *(("-" if less else "+", code) for (less, _), code in rest)), axes
        )

    def mul(self, expr: Mul) -> Array:
        found = calls.softmax(self, expr)
        if found is not None:
            return found
        constant, rest = expr.as_coeff_Mul()
        if constant < 0:
            positive = self.value(-expr)
            return Array(minus(positive.code), positive.axes)
        roots = [f for f in Mul.make_args(rest) if f.is_number]
        constant *= Mul(*roots)
        factors = [f for f in Mul.make_args(rest) if not f.is_number]
        below = [f for f in factors if isinstance(f, Pow) and f.exp.is_negative]
        arrays = [self.array(f) for f in factors if f not in below]
        return self.quotient(constant, arrays, [self.array(1 / f) for f in below])

    def quotient(self, constant: Expr, above: list[Array], below: list[Array]) -> Array:
        """`2 * a * b / (3 * c)`, masks last."""
        every = (*above, *below)
        axes = natural(every, self.order) if self.summing else union(every, self.order)
        front, under = _constants(constant)
        above = sorted(above, key=lambda array: (array.mask, len(array.axes)))
        if len(above) == 1 and not front and not under and not below:
            return above[0]
        if all(array.mask for array in above) and above and not below:
            above = [self.contraction.number(above[0]), *above[1:]]
        top = front + [self.factor(array, axes) for array in above]
        bottom = [self.factor(array, axes) for array in below] + under
        code = _times(top or [Text("1")])
        if bottom:
            code = chain(MULTIPLY, code, ("/", _times(bottom)))
        return Array(code, axes)

    def factor(self, array: Array, axes: Axes) -> Code:
        found = array.at(axes).code
        if "@" in found.flat and found.level == MULTIPLY:
            return Brackets(found)
        return bracketed(found, MULTIPLY + 1)

    def power(self, expr: Pow) -> Array:
        if expr.exp.is_negative:
            return self.quotient(Integer(1), [], [self.array(1 / expr)])
        base = self.value(expr.base)
        if expr.exp == Rational(1, 2):
            function = "np.sqrt" if base.axes else ""
            code = (
                Invoke(function, (base.code,))
                if function
                else chain(POWER, base.code, ("**", Text("0.5")))
            )
            return Array(code, base.axes)
        if not expr.exp.is_number:
            raise UnsupportedError(f"no NumPy form for the power {expr}")
        return Array(chain(POWER, base.code, ("**", number(expr.exp))), base.axes)

    def sum(self, expr: Sum) -> Array:
        body, limits = expr.function, list(expr.limits)
        constant, body = body.as_coeff_Mul()
        while isinstance(body, Sum):
            limits += body.limits
            body = body.function
        for index, _, size in limits:
            self.ranges[index] = size
        over = {index for index, _, _ in limits}
        self.order = (*self.order, *(i for i, _, _ in reversed(limits) if i not in self.order))
        unused = over - body.free_symbols
        constant *= Mul(*(self.ranges[index] for index in unused))
        before, self.summing = self.summing, True
        found = self.total(body, over - unused)
        self.summing = before
        return found if constant == 1 else self.scaled(constant, found)

    def scaled(self, constant: Expr, found: Array) -> Array:
        number_, sizes = constant.as_coeff_Mul()
        above = [found] if sizes == 1 else [Array(whole(sizes)), found]
        if number_ < 0:
            return Array(minus(self.quotient(-number_, above, []).code), found.axes)
        return self.quotient(number_, above, [])

    def total(self, body: Expr, over: set[Symbol]) -> Array:
        """The sum of a body over indices."""
        if isinstance(body, Add) and self.grows(body, over):
            terms = Add(
                *(
                    Sum(term, *((i, 1, self.ranges[i]) for i in _in(over, self.order)))
                    for term in body.args
                )
            )
            return self.add(terms) if isinstance(terms, Add) else self.array(terms)
        factors = Mul.make_args(body) if self.softmax_free(body) else (body,)
        inner = [f for f in factors if f.free_symbols & over]
        outer = [f for f in factors if f not in inner]
        known = (form(self, inner, over) for form in SUMS)
        found = next(filter(None, known), None)
        if found is None:
            found = self.contraction.total([self.array(f) for f in inner], over)
        if not outer:
            return found
        below = [1 / f for f in outer if isinstance(f, Pow) and f.exp.is_negative]
        above = [self.array(f) for f in outer if 1 / f not in below]
        return self.quotient(Integer(1), [*above, found], [self.array(f) for f in below])

    def softmax_free(self, body: Expr) -> bool:
        return not isinstance(body, Mul) or softmax_argument(body) is None

    def grows(self, body: Add, over: set[Symbol]) -> bool:
        """Whether a sum's terms together have more indices than any factor of theirs."""
        indices = set(self.ranges)
        whole_ = body.free_symbols & indices
        most = max(len(f.free_symbols & indices) for t in body.args for f in Mul.make_args(t))
        return len(whole_) > most

    def fixed(self, expr: fixed) -> Array:
        return self.array(expr.args[0])


def _alike(expr: Expr) -> bool:
    """Whether all terms of a sum have the factor 1 or -1: `2(a - y)`, not `(4a - b)/4`."""
    return isinstance(expr, Add) and all(abs(t.as_coeff_Mul()[0]) == 1 for t in expr.args)


def _constants(value: Expr) -> tuple[list[Code], list[Code]]:
    """A positive factor as what stands in front and what divides; a root as a power."""
    square = value**2
    if value.is_Rational or not square.is_Rational:
        return number_parts(value)
    root = [chain(POWER, Text(str(n)), ("**", Text("0.5"))) for n in (square.p, square.q)]
    return root[:1] if square.p != 1 else [], root[1:] if square.q != 1 else []


def _in(over: set[Symbol], order: Axes) -> Axes:
    return tuple(reversed([a for a in order if a in over]))


def _times(factors: list[Code]) -> Code:
    return chain(MULTIPLY, factors[0], *(("*", factor) for factor in factors[1:]))


SUMS = (conditions.scattered, conditions.maximum, spreading.spread)
"""Sums of products that have a form of their own, in the order in which they are tried."""

METHODS: tuple[tuple[type, Callable[[Lowering, Expr], Array]], ...] = (
    (Indexed, Lowering.tensor),
    (Symbol, Lowering.symbol),
    (Add, Lowering.add),
    (Mul, Lowering.mul),
    (Pow, Lowering.power),
    (Sum, Lowering.sum),
    (log, calls.logarithm),
    (xlogy, calls.logarithm),
    (select, conditions.choice),
    (KroneckerDelta, conditions.delta),
    (bracket, conditions.bracket),
    (first_largest, conditions.largest),
    (fixed, Lowering.fixed),
    (merged, Lowering.size),
    (AppliedUndef, calls.activation),
    (SymPyFunction, calls.function),
)
