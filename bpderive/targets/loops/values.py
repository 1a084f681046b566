"""Values, positions and conditions as code: what is the same in Python and C.

In: SymPy expressions of `model`. Out: `Code`. A value becomes a tree of `forms.arrays` whose leaves
are elements and variables, and is spelled as those of the dense targets are. Must not know:
statements.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from sympy import Add, Expr, Indexed, KroneckerDelta, Mod, Mul, Symbol, floor, oo

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Node, lower
from bpderive.functions.conditions import bracket, flat, merged
from bpderive.index import element, indices_of, label_of
from bpderive.targets.layout import ADD, COMPARE, MULTIPLY, Code, Text, bracketed, chain, minus
from bpderive.targets.loops.activations import INDEX, Functions
from bpderive.targets.loops.model import divisible, guarded, larger
from bpderive.targets.loops.positions import denominator
from bpderive.targets.spelling import spell


@dataclass(frozen=True)
class Values(ABC):
    """Prints expressions; the names of helpers that are used gather in `helpers`."""

    functions: Functions
    shapes: Mapping[str, tuple[Expr, ...]]
    names: Mapping[str, str]
    helpers: set[str] = field(default_factory=set)

    # --- What a language says ---

    @abstractmethod
    def element(self, label: str, positions: tuple[Expr, ...]) -> str:
        """An element of a tensor; positions count from 0."""

    @abstractmethod
    def printed(self, node: Node, texts: Mapping[str, str]) -> Code:
        """A tree, with the texts of its leaves."""

    @abstractmethod
    def choice(self, value: Code, test: str) -> str:
        """A value where a test holds, else 0; in brackets."""

    @abstractmethod
    def number_of_samples(self) -> str:
        """`N` as a factor."""

    divide: ClassVar[str]
    """How whole numbers are divided; they are not below 0, or there is no remainder."""
    both: ClassVar[str]
    """Between conditions."""

    # --- Values ---

    def value(self, expr: Expr) -> Code:
        """A number."""
        if expr in (oo, -oo):
            return self.infinity(negative=expr == -oo)
        texts: dict[str, str] = {}
        table: dict[Expr, Expr] = {}
        for atom in sorted(_leaves(expr), key=str):
            guard = isinstance(atom, guarded)
            name = f"{'delta' if guard else label_of(atom)}#{len(texts)}"
            texts[name] = self.guarded(atom) if guard else self.leaf(atom)
            table[atom] = element(name, (INDEX,))
        node = lower(_swapped(expr, table), (INDEX,))
        return self.printed(spell(self.functions.put_in(node)), texts)

    @abstractmethod
    def infinity(self, *, negative: bool) -> Code:
        """Beyond all numbers."""

    def leaf(self, atom: Expr) -> str:
        """An element, or a variable."""
        if isinstance(atom, Indexed):
            return self.place(atom)
        if atom.name == "N":
            return self.number_of_samples()
        return self.names.get(atom.name, atom.name)

    def place(self, tensor: Expr) -> str:
        """An element, from indices that count from 1."""
        positions = tuple(zero_based(index) for index in indices_of(tensor))
        return self.element(label_of(tensor), positions)

    def guarded(self, expr: Expr) -> str:
        """A value that is 0 where its conditions do not hold."""
        value, *found = expr.args
        return self.choice(self.value(value), self.test(found))

    # --- Conditions ---

    def test(self, found: Iterable[Expr]) -> str:
        """All conditions."""
        return self.both.join(self.condition(one) for one in found)

    def condition(self, expr: Expr) -> str:
        """One condition."""
        return CONDITIONS[expr.func](self, *expr.args)

    def between(self, low: Expr, index: Expr, high: Expr) -> str:
        """`low <= e < high`, the numbers that are in e on the other side."""
        if low == high:
            return self.sides(index - low, "==")
        if low == -oo or high == oo:
            return self.sides(index - low, ">=") if high == oo else self.sides(index - high, "<=")
        moved, rest = index.as_coeff_Add()
        parts = [(">=", low - moved), ("<=", high - moved)]
        texts = [self.compare(self.whole(rest), op, self.whole(bound)) for op, bound in parts]
        return self.both.join(texts)

    def equal(self, one: Expr, other: Expr) -> str:
        return self.sides(one - other, "==")

    def sides(self, zero: Expr, operator: str) -> str:
        """A comparison with 0, terms with a minus sign and the number on the other side."""
        moved, rest = zero.expand().as_coeff_Add()
        left = Add(*(term for term in rest.as_ordered_terms() if not _negative(term)))
        right = (left - rest - moved).expand()
        if left == 0:
            left, right = -rest, moved
            operator = {">=": "<=", "<=": ">="}.get(operator, operator)
        return self.compare(self.whole(left), operator, self.whole(right))

    def divides(self, index: Expr, divisor: Expr) -> str:
        index = (index - (index.as_coeff_Add()[0] // divisor) * divisor).expand()
        code = chain(MULTIPLY, self.whole(index), ("%", self.whole(divisor)))
        return self.compare(code, "==", Text("0"))

    def above(self, one: Expr, other: Expr) -> str:
        return self.compare(self.value(one), ">", self.value(other))

    @staticmethod
    def compare(left: Code, operator: str, right: Code) -> str:
        return chain(COMPARE, left, (operator, right)).flat

    # --- Whole numbers ---

    def whole(self, expr: Expr) -> Code:
        """A whole number of variables, sizes and numbers.

        Raises:
            UnsupportedError: something else stands in it.
        """
        if expr.is_Integer:
            return Text(str(expr)) if expr >= 0 else minus(Text(str(-expr)))
        method = WHOLE.get(expr.func)
        if method is None:
            raise UnsupportedError(f"no code for the position or size {expr}")
        return method(self, expr)

    def whole_name(self, expr: Expr) -> Code:
        return Text(self.names.get(expr.name, expr.name))

    def whole_element(self, expr: Expr) -> Code:
        return Text(self.place(expr))

    def whole_merged(self, expr: Expr) -> Code:
        return self.whole((flat(expr.args)).expand())

    def whole_sum(self, expr: Expr) -> Code:
        below = denominator(expr)
        if below != 1:
            above = self.whole((below * expr).expand())
            return chain(MULTIPLY, above, (self.divide, Text(str(below))))
        terms = sorted(expr.args, key=lambda t: (_negative(t), bool(t.is_number), str(t)))
        first, *rest = terms
        parts = [("-", -t) if _negative(t) else ("+", t) for t in rest]
        return chain(ADD, self.whole(first), *((op, self.whole(t)) for op, t in parts))

    def whole_product(self, expr: Expr) -> Code:
        number, rest = expr.as_coeff_Mul()
        if not number.is_Integer:
            above = self.whole(number.p * rest)
            return chain(MULTIPLY, above, (self.divide, Text(str(number.q))))
        if number < 0:
            return minus(bracketed(self.whole(-expr), MULTIPLY))
        factors = [self.whole(f) for f in Mul.make_args(rest)]
        parts = factors if number == 1 else [self.whole(number), *factors]
        return chain(MULTIPLY, parts[0], *(("*", part) for part in parts[1:]))

    def divided(self, expr: Expr) -> Code:
        """A quotient rounded down, or the remainder."""
        above, below = (
            expr.args if isinstance(expr, Mod) else expr.args[0].together().as_numer_denom()
        )
        operator = "%" if isinstance(expr, Mod) else self.divide
        return chain(MULTIPLY, self.whole(above), (operator, self.whole(below)))


CONDITIONS: Mapping[type[Expr], Callable[..., str]] = {
    bracket: Values.between,
    KroneckerDelta: Values.equal,
    divisible: Values.divides,
    larger: Values.above,
}


WHOLE: Mapping[type[Expr], Callable[[Values, Expr], Code]] = {
    Symbol: Values.whole_name,
    Indexed: Values.whole_element,
    Add: Values.whole_sum,
    Mul: Values.whole_product,
    merged: Values.whole_merged,
    floor: lambda values, expr: values.divided(expr),
    Mod: lambda values, expr: values.divided(expr),
}


def zero_based(index: Expr) -> Expr:
    """The position that an index means, counted from 0; shared axes as one."""
    position = flat(index.args) if isinstance(index, merged) else index
    return (position - 1).expand()


def _negative(term: Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def _leaves(expr: Expr) -> set[Expr]:
    """Elements, variables and choices, but none that stand in others."""
    if isinstance(expr, Indexed | Symbol | guarded):
        return {expr}
    return {leaf for arg in expr.args for leaf in _leaves(arg)}


def _swapped(expr: Expr, table: Mapping[Expr, Expr]) -> Expr:
    """`xreplace` that does not look into elements."""
    if expr in table:
        return table[expr]
    if isinstance(expr, Indexed) or not expr.args:
        return expr
    return expr.func(*(_swapped(arg, table) for arg in expr.args))
