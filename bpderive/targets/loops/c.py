"""Statements of loops as lines of C99, on arrays that lie row by row.

In: statements. Out: lines. Must not know: equations, the file around them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sympy import Expr, Mod, Mul, Symbol

from bpderive.forms.arrays import Node, Reduce
from bpderive.targets.c.expressions import At, Printer
from bpderive.targets.c.functions import names as c_names
from bpderive.targets.c.text import WIDTH
from bpderive.targets.layout import ADD, COMPARE, MULTIPLY, Code, Invoke, Text, bracketed, chain
from bpderive.targets.loops.model import Assign, For, If, Let, Make, Scope, Statement
from bpderive.targets.loops.values import Values


@dataclass(frozen=True)
class CValues(Values):
    """Expressions in C."""

    divide: ClassVar[str] = "/"
    both: ClassVar[str] = " && "

    def element(self, label: str, positions: tuple[Expr, ...]) -> str:
        """`w1[(o * 3 + c) * 5 + k]`."""
        sizes = self.shapes[label]
        place: Code = Text("0")
        for position, size in zip(positions, sizes, strict=True):
            if place.flat != "0":
                place = chain(MULTIPLY, place, ("*", self.whole(size))) if size != 1 else place
            step = self.whole(position)
            if place.flat == "0":
                place = step
            elif step.flat != "0":
                place = chain(ADD, place, ("+", step))
        return f"{self.names.get(label, label)}[{place.flat}]"

    def leaf(self, atom: Expr) -> str:
        """A tensor without axes is an array of one number."""
        if (
            isinstance(atom, Symbol)
            and self.shapes.get(atom.name) == ()
            and atom.name != self.local
        ):
            return f"{self.names.get(atom.name, atom.name)}[0]"
        return super().leaf(atom)

    local: str = ""
    """The label of the loss, which is a variable."""

    def printed(self, node: Node, texts: Mapping[str, str]) -> Code:
        names = c_names(self.functions.of_numbers())
        printer = Printer(lambda leaf, _: texts[leaf.label], _refuse, names, self.helpers)
        return printer.code(node, {})

    def choice(self, value: Code, test: str) -> str:
        return f"({test} ? {bracketed(value, COMPARE).flat} : 0)"

    def number_of_samples(self) -> str:
        return "(bp_real)N"

    def infinity(self, *, negative: bool) -> Code:
        return Text("-INFINITY" if negative else "INFINITY")

    def divided(self, expr: Expr) -> Code:
        """C rounds towards 0: a macro rounds down where something may be below 0."""
        above = (
            expr.args[0] if isinstance(expr, Mod) else expr.args[0].together().as_numer_denom()[0]
        )
        if all(
            not term.as_coeff_Mul()[0].is_negative for term in above.expand().as_ordered_terms()
        ):
            return super().divided(expr)
        below = (
            expr.args[1] if isinstance(expr, Mod) else expr.args[0].together().as_numer_denom()[1]
        )
        name = "BP_MOD" if isinstance(expr, Mod) else "BP_FLOOR"
        return Invoke(name, (self.whole(above), self.whole(below)))


def _refuse(node: Reduce, at: At) -> Code:
    raise AssertionError((node, at))


@dataclass(frozen=True)
class CLines:
    """Prints statements."""

    values: CValues

    def lines(self, statements: Iterable[Statement], indent: int = 4) -> Iterator[str]:
        """All of them."""
        for one in statements:
            yield from WRITERS[type(one)](self, one, indent)

    def block(self, head: str, body: tuple[Statement, ...], indent: int) -> Iterator[str]:
        """The head, and what belongs to it; in braces where that is more than one statement."""
        braces = len(body) > 1
        yield f"{' ' * indent}{head}{' {' * braces}"
        yield from self.lines(body, indent + 4)
        if braces:
            yield f"{' ' * indent}}}"

    def loop(self, one: For, indent: int) -> Iterator[str]:
        low, high = self.bound("BP_MAX", one.low), self.bound("BP_MIN", one.high)
        v = one.variable
        head = f"for (ptrdiff_t {v} = {low}; {v} < {high}; {v}++)"
        if one.down:
            last = self.values.whole(one.high[0] - 1).flat
            head = f"for (ptrdiff_t {v} = {last}; {v} >= {low}; {v}--)"
        yield from self.block(head, one.body, indent)

    def bound(self, macro: str, values: tuple[Expr, ...]) -> str:
        first, *rest = (self.values.whole(value).flat for value in values)
        for text in rest:
            first = f"{macro}({first}, {text})"
        return first

    def test(self, one: If, indent: int) -> Iterator[str]:
        yield from self.block(f"if ({self.values.test(one.conditions)})", one.body, indent)

    def let(self, one: Let, indent: int) -> Iterator[str]:
        kind, value = "ptrdiff_t" if one.whole else "bp_real", self.code(one.value, whole=one.whole)
        yield from filled(f"{kind} {one.name} =", f"{value.flat};", "", indent)

    def code(self, value: Expr, *, whole: bool) -> Code:
        return self.values.whole(value) if whole else self.values.value(value)

    def assigned(self, one: Assign, indent: int) -> Iterator[str]:
        code = self.code(one.value, whole=one.whole)
        target = self.values.leaf(one.target)
        mark = "" if one.number is None else f" /* ({one.number}) */"
        yield from filled(f"{target} {one.operator}=", f"{code.flat};", mark, indent)

    def made(self, one: Make, indent: int) -> Iterator[str]:
        if one.zero:
            self.values.helpers.add("bp_zero")
            name = self.values.names.get(one.label, one.label)
            size = self.values.whole(Mul(*one.sizes)).flat
            yield f"{' ' * indent}bp_zero({name}, {size});"

    def scope(self, one: Scope, indent: int) -> Iterator[str]:
        yield f"{' ' * indent}{{"
        yield from self.lines(one.body, indent + 4)
        yield f"{' ' * indent}}}"


def size_text(size: Expr) -> str:
    """A number of elements, which may depend on the number of samples."""
    terms = [term.as_coeff_Mul() for term in size.expand().as_ordered_terms()]
    texts = (str(n) if rest == 1 else f"{n} * {rest}" if n != 1 else str(rest) for n, rest in terms)
    return " + ".join(texts)


def filled(head: str, code: str, mark: str, indent: int) -> Iterator[str]:
    """A statement: on one line, or its value on lines that follow."""
    margin = " " * indent
    if len(margin) + len(head) + 1 + len(code) + len(mark) <= WIDTH:
        yield f"{margin}{head} {code}{mark}"
        return
    yield f"{margin}{head}{mark}"
    line, margin = "", f"{margin}    "
    for piece in pieces(code):
        joined = f"{line} {piece}" if line else piece
        if line and len(margin) + len(joined) > WIDTH:
            yield margin + line
            joined = f"    {piece}"
        line = joined
    yield margin + line


def pieces(code: str) -> Iterator[str]:
    """What stays together: all that is in square brackets, and a factor with its sign."""
    start = depth = 0
    for place, sign in enumerate(code):
        depth += (sign == "[") - (sign == "]")
        if sign == " " and depth == 0 and code[place + 1] in "*/+-?:" and code[place + 2] == " ":
            yield code[start:place]
            start = place + 1
    yield code[start:]


WRITERS: Mapping[type, Callable[[CLines, Any, int], Iterator[str]]] = {
    For: CLines.loop,
    If: CLines.test,
    Let: CLines.let,
    Assign: CLines.assigned,
    Make: CLines.made,
    Scope: CLines.scope,
}
