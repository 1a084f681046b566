"""Indices, sizes and conditions on them as functions of numbers: exact, whole or not.

In: an index expression. Out: a function that gives a whole number or a fraction. What lies outside
of a tensor, or between its places, has no number, or reads as zero where `Given.zero` says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any

import sympy
from sympy import Expr, Symbol

from bpderive.errors import DerivationError
from bpderive.functions.conditions import bracket, first_largest, fixed, merged
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate.numbers import At, Build, Code, CodeOf, Given

Index = Callable[[Given, At], Any]
Test = Callable[[Given, At], bool]
OUTSIDE = 0
"""Indices count from 1."""


def index(expr: Expr, code_of: CodeOf) -> Index:
    """An index or a size.

    Raises:
        DerivationError: at a node that no index has.
    """
    for kind, build in INDICES:
        if isinstance(expr, kind):
            return build(expr, code_of)
    raise DerivationError(f"no index: {type(expr).__name__} in {expr}")


def _integer(expr: Expr, _code_of: CodeOf) -> Index:
    value = int(expr)
    return lambda _numbers, _at: value


def _rational(expr: Expr, _code_of: CodeOf) -> Index:
    value = Fraction(int(expr.p), int(expr.q))
    return lambda _numbers, _at: value


def _symbol(expr: Symbol, _code_of: CodeOf) -> Index:
    name = expr.name

    def run(numbers: Given, at: At) -> Any:
        value = at.get(expr)  # one look: this is where most time goes
        return numbers.sizes[name] if value is None else value

    return run


def _add(expr: Expr, code_of: CodeOf) -> Index:
    first, *rest = [index(arg, code_of) for arg in expr.args]

    def run(numbers: Given, at: At) -> Any:
        value = first(numbers, at)
        for part in rest:
            value = value + part(numbers, at)
        return value

    return run


def _mul(expr: Expr, code_of: CodeOf) -> Index:
    first, *rest = [index(arg, code_of) for arg in expr.args]

    def run(numbers: Given, at: At) -> Any:
        value = first(numbers, at)
        for part in rest:
            value = value * part(numbers, at)
        return value

    return run


def _power(expr: Expr, code_of: CodeOf) -> Index:
    base, exponent = index(expr.base, code_of), int(expr.exp)
    return lambda numbers, at: Fraction(base(numbers, at)) ** exponent


def _floor(expr: Expr, code_of: CodeOf) -> Index:
    inner = index(expr.args[0], code_of)
    return lambda numbers, at: inner(numbers, at) // 1


def _mod(expr: Expr, code_of: CodeOf) -> Index:
    u, v = (index(arg, code_of) for arg in expr.args)
    return lambda numbers, at: u(numbers, at) % v(numbers, at)


def _merged(expr: merged, code_of: CodeOf) -> Index:
    """Several indices as one, the last running fastest; outside, where one of them is."""
    parts = [index(part, code_of) for part in expr.parts]
    sizes = [index(size, code_of) for size in expr.sizes]

    def run(numbers: Given, at: At) -> Any:
        position = 0
        for part, size in zip(parts, sizes, strict=True):
            value, most = part(numbers, at), size(numbers, at)
            if not 1 <= value <= most:
                return OUTSIDE
            position = position * most + value - 1
        return position + 1

    return run


def _token(expr: Expr, code_of: CodeOf) -> Index:
    """An element of a tensor of whole numbers."""
    code = element(expr, code_of)
    return lambda numbers, at: int(code(numbers, at))


INDICES: tuple[tuple[type[Any], Callable[[Any, CodeOf], Index]], ...] = (
    (sympy.Integer, _integer),
    (sympy.Rational, _rational),
    (Symbol, _symbol),
    (sympy.Add, _add),
    (sympy.Mul, _mul),
    (sympy.Pow, _power),
    (sympy.floor, _floor),
    (sympy.Mod, _mod),
    (merged, _merged),
    (sympy.Indexed, _token),
)
"""Nodes of indices."""


# --- What reads them ---


def element(expr: Expr, code_of: CodeOf) -> Code:
    """An element of a tensor."""
    label, indices = expr.base.label.name, [index(one, code_of) for one in expr.indices]

    def run(numbers: Given, at: At) -> Any:
        tensor, place = numbers.tensors[label], tuple(i(numbers, at) for i in indices)
        if not numbers.zero or place in tensor:
            return tensor[place]
        if tensor and len(next(iter(tensor))) != len(place):
            raise LookupError(f"{label} has not {len(place)} indices")
        return MP.mpf(0)

    return run


def boxes(limits: tuple[Any, ...], code_of: CodeOf) -> Callable[[Given, At], Iterator[At]]:
    """All values of the indices of a sum's limits, those of the last, the outermost, slowest."""
    names = [limit[0] for limit in reversed(limits)]
    ends = [tuple(index(end, code_of) for end in limit[1:]) for limit in reversed(limits)]

    def run(numbers: Given, at: At) -> Iterator[At]:
        ranges = [range(low(numbers, at), high(numbers, at) + 1) for low, high in ends]
        return ({**at, **dict(zip(names, found, strict=True))} for found in product(*ranges))

    return run


def _sum(expr: Expr, code_of: CodeOf) -> Code:
    """A sum; of terms that a condition makes zero, nothing is worked out."""
    body, every = code_of(expr.function), boxes(expr.limits, code_of)
    factors = sympy.Mul.make_args(expr.function)
    tests = [arg for arg in factors if type(arg) in TESTS]
    if not tests:
        return lambda numbers, at: sum((body(numbers, b) for b in every(numbers, at)), MP.mpf(0))
    rest = code_of(sympy.Mul(*(arg for arg in factors if arg not in tests)))
    some = chosen(expr.limits, tests, code_of)

    def run(numbers: Given, at: At) -> Any:
        if numbers.zero:
            return sum((rest(numbers, box) for box in some(numbers, at)), MP.mpf(0))
        return sum((body(numbers, box) for box in every(numbers, at)), MP.mpf(0))

    return run


def chosen(
    limits: tuple[Any, ...], tests: list[Expr], code_of: CodeOf
) -> Callable[[Given, At], Iterable[At]]:
    """As `boxes`, but those alone where all tests hold: each is looked at as soon as it can be."""
    names = [limit[0] for limit in reversed(limits)]
    ends = [tuple(index(end, code_of) for end in limit[1:]) for limit in reversed(limits)]
    own: list[list[Test]] = [[] for _ in range(len(names) + 1)]
    for test in tests:
        bound = [level for level, name in enumerate(names, 1) if name in test.free_symbols]
        own[max(bound, default=0)].append(TESTS[type(test)](test, code_of))

    def run(numbers: Given, at: At) -> Iterable[At]:
        found = [at] if all(holds(numbers, at) for holds in own[0]) else []
        for name, (low, high), holding in zip(names, ends, own[1:], strict=True):
            values = range(low(numbers, at), high(numbers, at) + 1)
            every = ({**box, name: value} for box in found for value in values)
            found = [box for box in every if all(holds(numbers, box) for holds in holding)]
        return found

    return run


def _equal(expr: Expr, code_of: CodeOf) -> Test:
    i, j = (index(arg, code_of) for arg in expr.args)
    return lambda numbers, at: bool(i(numbers, at) == j(numbers, at))


def _within(expr: bracket, code_of: CodeOf) -> Test:
    """`[low ≤ e ≤ high]`; an infinite end leaves a side open."""
    ends = [None if end.is_infinite else index(end, code_of) for end in expr.args]

    def run(numbers: Given, at: At) -> bool:
        low, value, high = (None if end is None else end(numbers, at) for end in ends)
        return (low is None or low <= value) and (high is None or value <= high)

    return run


def _test(expr: Expr, code_of: CodeOf) -> Code:
    """1 where it holds, else 0."""
    holds = TESTS[type(expr)](expr, code_of)
    return lambda numbers, at: MP.mpf(holds(numbers, at))


TESTS: Mapping[type[Any], Callable[[Any, CodeOf], Test]] = {
    sympy.KroneckerDelta: _equal,
    bracket: _within,
}
"""Conditions on indices."""


def _first_largest(expr: first_largest, code_of: CodeOf) -> Code:
    """1 where the indices are those of the first largest value, by the real part."""
    *indices, sought = expr.args
    places = [index(one, code_of) for one in indices]
    body, every = code_of(sought.function), boxes(sought.limits, code_of)
    names = [limit[0] for limit in reversed(sought.limits)]

    def run(numbers: Given, at: At) -> Any:
        values = [(MP.re(body(numbers, box)), box) for box in every(numbers, at)]
        largest = max(value for value, _ in values)
        first = next(box for value, box in values if value == largest)
        here = [place(numbers, at) for place in places]
        return MP.mpf(here == [first[name] for name in names])

    return run


def _fixed(expr: fixed, code_of: CodeOf) -> Code:
    """A constant: a complex step ends here."""
    inner = code_of(expr.args[0])
    return lambda numbers, at: MP.mpf(MP.re(inner(numbers, at)))


def _value(expr: Expr, code_of: CodeOf) -> Code:
    """A size that stands among values."""
    whole = index(expr, code_of)

    def run(numbers: Given, at: At) -> Any:
        found = Fraction(whole(numbers, at))
        return MP.mpf(found.numerator) / found.denominator

    return run


CONDITIONS: Mapping[type[Any], Build] = {
    sympy.Indexed: element,
    sympy.Sum: _sum,
    sympy.KroneckerDelta: _test,
    bracket: _test,
    first_largest: _first_largest,
    fixed: _fixed,
    sympy.floor: _value,
    sympy.Mod: _value,
    merged: _value,
}
"""Nodes of scalars that have indices."""
