"""Conditions, choices and what tokens pick out, as masks and places.

In: nodes of an index expression, and the `Lowering` of the line that they stand in. Out: arrays.
Must not know: products and sums.
"""

from typing import TYPE_CHECKING

from sympy import Add, Expr, Indexed, KroneckerDelta, Mul, Symbol

from bpderive.functions import conditions as nodes
from bpderive.functions import select
from bpderive.index import indices_of, label_of
from bpderive.targets.arrays.access import access, places, whole_tokens
from bpderive.targets.arrays.model import Array, union
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import AND, COMPARE, Brackets, Code, Invoke, Text, chain

if TYPE_CHECKING:
    from bpderive.targets.arrays.lowering import Lowering


def choice(lowering: "Lowering", expr: select) -> Array:
    """`np.where(u > 0, p, q)`."""
    u, p, q = expr.args
    positive = [t for t in Add.make_args(u) if not t.as_coeff_Mul()[0] < 0]
    left, right = Add(*positive), Add(*positive) - u
    test = compared(lowering, left, ">", right)
    one, two = lowering.value(p), lowering.value(q)
    axes = union((test, one, two), lowering.order)
    code: Code = Invoke("np.where", tuple(a.at(axes).code for a in (test, one, two)))
    if not one.axes and not two.axes:
        if (p, q) == (1, 0):
            return test
        code = Text(f"{code.flat}.astype(dtype)")
    return Array(code, axes)


def compared(lowering: "Lowering", left: Expr, sign: str, right: Expr) -> Array:
    """A comparison of two arrays."""
    one, two = lowering.value(left), lowering.value(right)
    axes = union((one, two), lowering.order)
    return Array(chain(COMPARE, one.at(axes).code, (sign, two.at(axes).code)), axes, mask=True)


def delta(lowering: "Lowering", expr: KroneckerDelta) -> Array:
    """Where two indices are the same."""
    return condition(lowering, expr.args[0], "==", expr.args[1])


def condition(lowering: "Lowering", left: Expr, sign: str, right: Expr) -> Array:
    """A comparison of two positions."""
    one, two = positions(lowering, left), positions(lowering, right)
    if not one.axes:
        one, two, sign = two, one, {"<=": ">=", ">=": "<="}.get(sign, sign)
    axes = union((one, two), lowering.order)
    return Array(chain(COMPARE, one.at(axes).code, (sign, two.at(axes).code)), axes, mask=True)


def positions(lowering: "Lowering", expr: Expr) -> Array:
    """Whole numbers from 1: of indices, sizes and data, which count from 0 in the code."""
    if isinstance(expr, Indexed):
        tokens = lowering.block.shapes[label_of(expr)].tokens  # its value has the 1 already
        return lowering.value(expr if tokens else expr + 1)
    step = lowering.block.step
    if step is not None and step.index in expr.free_symbols:
        now = Symbol(step.variable, integer=True)
        expr = expr.xreplace({step.index: now + 1})
    return places(expr, lowering.ranges)


def bracket(lowering: "Lowering", expr: nodes.bracket) -> Array:
    """Where an expression of indices lies between its bounds."""
    low, value, high = expr.args
    tests = []
    if low.is_finite is not False:
        tests.append(condition(lowering, value, ">=", low))
    if high.is_finite is not False:
        tests.append(condition(lowering, value, "<=", high))
    if len(tests) == 1:
        return tests[0]
    axes = union(tests, lowering.order)
    one, two = (Brackets(test.at(axes).code) for test in tests)
    return Array(chain(AND, one, ("&", two)), axes, mask=True)


def largest(lowering: "Lowering", expr: nodes.first_largest) -> Array:
    """Where the first largest stands."""
    *indices, sought = expr.args
    limits = tuple(reversed(sought.limits))
    table = dict(zip((i for i, _, _ in limits), indices, strict=True))
    lowering.ranges.update({table[i]: size for i, _, size in limits})
    found = lowering.value(sought.function.xreplace(table))
    kept = tuple(a for a in lowering.order if a in found.axes and a not in indices)
    axes = (*kept, *indices)
    lowering.block.helpers.add("first_largest")
    code = Invoke("first_largest", (found.at(axes).code, Text(str(len(indices)))))
    return Array(code, axes, mask=True)


def maximum(lowering: "Lowering", factors: list[Expr], over: set[Symbol]) -> Array | None:
    """`Σ_k s_k x_k`, where `s` is 1 at the first largest `x`: the largest `x`."""
    for factor in factors:
        found = lowering.chosen.get(label_of(factor)) if isinstance(factor, Indexed) else None
        if found is None:
            continue
        *indices, sought = found.rhs.args
        table = dict(zip(indices_of(found.lhs), factor.indices, strict=True))
        inner = (i for i, _, _ in reversed(sought.limits))
        table |= {i: table[index] for i, index in zip(inner, indices, strict=True)}
        rest = Mul(*(f for f in factors if f is not factor))
        if {table[i] for i in indices} == over and sought.function.xreplace(table) == rest:
            return lowering.contraction.largest(lowering.value(rest), over)
    return None


def scattered(lowering: "Lowering", factors: list[Expr], over: set[Symbol]) -> Array | None:
    """`Σ_n [x_n = v] g_n`: what belongs to each token, added up."""
    for factor in factors:
        if not isinstance(factor, KroneckerDelta):
            continue
        data = next((a for a in factor.args if isinstance(a, Indexed)), None)
        index = next((a for a in factor.args if isinstance(a, Symbol)), None)
        if data is None or index is None or set(data.free_symbols & set(lowering.ranges)) != over:
            continue
        return scatter(lowering, data, index, [f for f in factors if f is not factor], over)
    return None


def scatter(
    lowering: "Lowering", data: Indexed, index: Symbol, rest: list[Expr], over: set[Symbol]
) -> Array | None:
    """Values added up at the places that data tell."""
    tokens = access(data, lowering.ranges, lowering.block)
    value = lowering.value(Mul(*rest))
    kept = tuple(a for a in value.axes if a not in over)
    if index in kept:
        return None
    axes = (*tokens.axes, *kept)
    code = value.at(axes).code
    if set(value.axes) != set(axes):
        sizes = ", ".join(whole(lowering.ranges[a]).flat for a in axes)
        code = Invoke(
            "np.broadcast_to", (code, Text(f"({sizes},)" if len(axes) == 1 else f"({sizes})"))
        )
    lowering.block.helpers.add("scattered")
    places_ = whole_tokens(tokens.code, label_of(data), lowering.block)
    args = (places_, code, whole(lowering.ranges[index]))
    return Array(Invoke("scattered", args), (index, *kept))
