"""Sizes for a kind of layer: which of them may be drawn, which follow, and which show most.

In: a `Module`, its equations. Out: random sizes. Must not know: values, rules.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from random import Random

from sympy import Expr, Integer, Mod, Sum, Symbol

from bpderive.functions.conditions import bracket, first_largest
from bpderive.index import Equation, size_symbol
from bpderive.modules.labels import label
from bpderive.modules.model import Module
from bpderive.verify.evaluate import Numbers, compiled

Sizes = Mapping[str, int]
TRIES = 300
CANDIDATES = 12
"""So many sizes that fit are looked at for those at which most shows."""
FEW, WIDE, FREE = 3, (2, 3, 4), (1, 2)
"""Sizes of so few axes; sizes that are no axis's, such as a stride."""
NARROW = (2, 3)
"""Sizes of more axes: sums over all of them take their time."""
ROOM = (0, 1, 2)
"""Axes that windows run over are so much longer."""


@dataclass(frozen=True)
class Sizing:
    """The sizes of a module; a size that only defined tensors have follows from others."""

    module: Module
    equations: tuple[Equation, ...]

    @cached_property
    def follows(self) -> dict[str, Expr]:
        """The sizes that follow, with what they follow from."""
        return follows(self.module)

    @cached_property
    def drawn(self) -> dict[str, bool]:
        """The sizes to draw, each with whether it is an axis's."""
        own = {s for e in self.equations for one in (e.rhs, *e.sizes) for s in symbols(one)}
        axes = ranges(self.module) | taken(self.module)
        more = {name for size in self.follows.values() for name in symbols(size)}
        return {name: name in axes for name in sorted((own | axes | more) - set(self.follows))}

    @cached_property
    def roomy(self) -> set[str]:
        """Sizes of inputs that others follow from."""
        axes = (axis for tensor in self.module.of_role("input") for axis in tensor.axes)
        inputs = {name for axis in axes for name in symbols(axis.size)}
        return inputs & {name for size in self.follows.values() for name in symbols(size)}

    def random(self, random: Random, tried: Collection[Sizes] = ()) -> dict[str, int] | None:
        """Random sizes; of several, those least alike, at which conditions hold here and not there.

        Others than those that were tried, where there are any; None where none fit.
        """
        found: list[dict[str, int]] = []
        for _ in range(TRIES):
            sizes = followed(self._tried(random), self.follows)
            found += [] if sizes is None else [sizes]
            if len(found) == CANDIDATES:
                break
        return max(found, key=lambda one: (one not in tried, *self._shows(one)), default=None)

    def _tried(self, random: Random) -> dict[str, int]:
        wide = WIDE if sum(self.drawn.values()) <= FEW else NARROW
        pool = random.sample(wide, len(wide)) * len(self.drawn)
        pairs = zip(self.drawn.items(), pool, strict=False)
        found = {k: size if axis else random.choice(FREE) for (k, axis), size in pairs}
        return found | {k: found[k] + random.choice(ROOM) for k in sorted(self.roomy)}

    def _shows(self, sizes: dict[str, int]) -> tuple[int, int, int]:
        """Conditions that vary, unlike axes of defined tensors, and few elements."""
        axes = [sizes[name] for name in sorted(ranges(self.module)) if name in self.follows]
        alike = sum(size == 1 for size in axes) + len(axes) - len(set(axes))
        return -constant(self.equations, sizes), -alike, -sum(sizes.values())


def follows(module: Module) -> dict[str, Expr]:
    """The sizes that follow from others, because only defined tensors have them.

    Where the largest of a window stands is no tensor of its own here: windows may be drawn.
    """
    made = {e.label for e in module.equations if not isinstance(e.rhs, first_largest)}
    own = (t for t in module.tensors if label(t.name) in made)
    defined = {name for tensor in own for axis in tensor.axes for name in symbols(axis.size)}
    return {k: size for k, size in module.sizes.items() if k in defined - taken(module)}


def ranges(module: Module) -> set[str]:
    """The sizes of all indices."""
    return {name for size in module.ranges.values() for name in symbols(size)}


def taken(module: Module) -> set[str]:
    """The sizes of what no equation defines."""
    given = (t for t in module.tensors if t.role != "defined")
    return {name for tensor in given for axis in tensor.axes for name in symbols(axis.size)}


def symbols(expr: Expr) -> set[str]:
    """The names of the sizes in an expression."""
    free = expr.free_symbols if hasattr(expr, "free_symbols") else ()
    return {s.name for s in free if isinstance(s, Symbol) and s.is_integer and s.is_positive}


def followed(given: Mapping[str, int], rules: Mapping[str, Expr]) -> dict[str, int] | None:
    """The sizes with those that follow; None where one would be below 1."""
    found, left = dict(given), dict(rules)
    while left:
        known = {size_symbol(k): Integer(v) for k, v in found.items()}
        ready = {k: e.xreplace(known) for k, e in left.items()}
        ready = {k: e for k, e in ready.items() if e.is_Integer}
        if not ready or any(e < 1 for e in ready.values()):
            return None
        found |= {k: int(e) for k, e in ready.items()}
        left = {k: e for k, e in left.items() if k not in ready}
    return found


def constant(equations: Iterable[Equation], sizes: Mapping[str, int]) -> int:
    """How many conditions hold at all values of their indices, or at none.

    So do remainders whose divisor no index exceeds: what happens behind a border would not show.
    Sums over a single element, or the largest of one, show as little.
    """
    return sum(_constant(equation, frozenset(sizes.items())) for equation in equations)


@lru_cache(maxsize=20_000)
def _constant(equation: Equation, given: frozenset[tuple[str, int]]) -> int:
    sizes = dict(given)
    sums, brackets, remainders = _conditions(equation)
    limits = dict(zip(equation.indices, equation.sizes, strict=True))
    limits |= {k: n for node in sums for k, _, n in node.limits}
    ends = {index: _number(size, sizes) for index, size in limits.items()}
    return (
        sum(_single(node, sizes) for node in sums)
        + sum(_same(node, ends, sizes) for node in brackets)
        + sum(_short(node, ends, sizes) for node in remainders)
    )


@lru_cache(maxsize=20_000)
def _conditions(equation: Equation) -> tuple[set[Sum], set[bracket], set[Mod]]:
    """The sums, conditions and remainders of a right-hand side."""
    rhs = equation.rhs
    return rhs.atoms(Sum), rhs.atoms(bracket), rhs.atoms(Mod)


def _same(node: bracket, ends: Mapping[Expr, int], sizes: Mapping[str, int]) -> bool:
    """Whether a condition has one value alone."""
    indices = [index for index in ends if index in node.free_symbols]
    code, numbers = compiled(node), Numbers({}, sizes)
    boxes = product(*(range(1, ends[index] + 1) for index in indices))
    values = (int(code(numbers, dict(zip(indices, at, strict=True)))) for at in boxes)
    return len(set(values)) < 2


def _short(node: Mod, ends: Mapping[Expr, int], sizes: Mapping[str, int]) -> bool:
    """Whether no index goes beyond the divisor of a remainder."""
    found = [end for index, end in ends.items() if index in node.free_symbols]
    return max(found, default=1) <= _number(node.args[1], sizes)


def _single(node: Sum, sizes: Mapping[str, int]) -> bool:
    return all(_number(size, sizes) == 1 for _, _, size in node.limits)


def _number(size: Expr, sizes: Mapping[str, int]) -> int:
    return int(size.xreplace({size_symbol(k): Integer(v) for k, v in sizes.items()}))
