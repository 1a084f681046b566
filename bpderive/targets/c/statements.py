"""Elements as C statements: a line for each, or loops.

In: `Element`s of `targets.scalars`, in order of computation. Out: the lines of a function's body.
Neighbours of one length share a loop, and what only the next of them needs is a local variable.
Must not know: what the elements mean.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Leaf, Node, Product, Reduce
from bpderive.forms.trees import labels, transform, walk
from bpderive.targets.c.expressions import At, Printer, add, multiply
from bpderive.targets.c.text import Statement, block
from bpderive.targets.layout import MULTIPLY, Chain, Code, Invoke, Text, chain
from bpderive.targets.scalars import Element

INDEX = "i"
"""The variable of a loop."""


@dataclass
class Part:
    """Statements of one element: before the loop, of length `size`, in it, and after it."""

    size: int
    before: list[str] = field(default_factory=list)
    body: list[Statement] = field(default_factory=list)
    after: list[Statement] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    """The tensors of which the body reads more than the one element."""

    def takes(self, other: "Part") -> bool:
        """Whether the loop of another part may be this one's."""
        apart = self.after or other.before or other.whole & self.written
        return self.size == other.size and not apart

    def take(self, other: "Part") -> None:
        """Make the other's loop a part of this."""
        self.body += other.body
        self.after += other.after
        self.written |= other.written

    def lines(self) -> Iterator[str]:
        """All, in order."""
        yield from self.before
        yield from block(self.size, self.body)
        yield from block(1, self.after)


@dataclass(frozen=True)
class Writer:
    """Writes statements.

    Args:
        unrolled: whether each element has a line of its own.
        share: the factor of what is added over the samples, or nothing.
        local: the tensors that are local variables.
        sizes: the shape of each tensor.
        functions: the names of the definitions' functions.
        helpers: gathers the functions of the library that are used.
    """

    unrolled: bool
    share: str
    local: frozenset[str]
    sizes: Mapping[str, tuple[int, ...]]
    functions: Mapping[str, str]
    helpers: set[str]

    def lines(self, elements: Iterable[Element]) -> Iterator[str]:
        """The statements, with neighbouring loops of one length made one."""
        last = Part(0)
        for part in map(self.part, elements):
            if last.takes(part):
                last.take(part)
            else:
                yield from last.lines()
                last = part
        yield from last.lines()

    def part(self, element: Element) -> Part:
        """The statements of an element."""
        if element.row is not None:
            return self.row(element)
        if not element.axes:
            return self.scalar(element)
        if self.unrolled:
            return self.each(element)
        return self.matrix(element) if len(element.axes) == 2 else self.vector(element)

    # --- Names ---

    def leaf(self, node: Leaf, at: At) -> str:
        """An element of a tensor."""
        index = [at[axis] for axis in node.axes]
        if not index:
            return node.label
        if node.label in self.local:
            return f"{node.label}_{index[0]}" if index[0].isdigit() else node.label
        return f"{array(node.label)}[{self.place(node.label, index)}]"

    def place(self, label: str, index: list[str]) -> str:
        """The place in an array; a matrix lies row by row."""
        if len(index) == 1:
            return index[0]
        (row, column), (_, width) = index, self.sizes[label]
        if row.isdigit() and column.isdigit():
            return str(int(row) * width + int(column))
        start = row if width == 1 or row == "0" else f"{row} * {width}"
        return " + ".join(text for text in (start, column) if text != "0")

    def start(self, label: str, row: str) -> Text:
        """Where a row of a matrix begins."""
        place = self.place(label, [row, "0"])
        return Text(array(label) if place == "0" else f"{array(label)} + {place}")

    # --- Statements ---

    def statement(self, element: Element, at: At, code: Code) -> Statement:
        """`w->a1[i] = …`, or `db1[i] += share * …`."""
        name = self.leaf(Leaf(element.axes, element.target), at)
        if element.accumulated:
            added = self.shared(code).flat
            begin = "+=" if self.unrolled else f"= (more ? {name} : 0) +"
            return Statement(f"{name} {begin} {added}", element.number)
        const = "const bp_real " if element.target in self.local else ""
        return Statement(f"{const}{name} = {code.flat}", element.number)

    def shared(self, code: Code) -> Code:
        """What one sample adds."""
        if not self.share:
            return code
        if isinstance(code, Chain) and code.binds == MULTIPLY:
            return Chain(MULTIPLY, Text(self.share), (("*", code.first), *code.rest))
        return chain(MULTIPLY, Text(self.share), ("*", code))

    def each(self, element: Element) -> Part:
        """A line for each element."""
        part, printer = Part(1, written={element.target}), self.printer(self.written_out, element)
        for index in product(*(map(str, range(size)) for size in element.shape)):
            at = dict(zip(element.axes, index, strict=True))
            part.body.append(self.statement(element, at, printer.code(element.value, at)))
        return part

    def written_out(self, node: Reduce, at: At, element: Element) -> Code:
        """`Σ_k f(k) → f(0) + f(1) + …`."""
        printer, (axis,) = self.printer(self.written_out, element), node.summed
        places = ({**at, axis: str(k)} for k in range(element.sizes[axis]))
        return add(printer.quotient(node.arg, place) for place in places)

    def vector(self, element: Element) -> Part:
        """A loop over the elements."""
        (axis,), (size,) = element.axes, element.shape
        part, at = Part(size, written={element.target}), {axis: index(size)}

        def total(node: Reduce, _: At, element: Element) -> Code:
            return self.contraction(node, element, part)

        code = self.printer(total, element).code(element.value, at)
        if code.flat != self.leaf(Leaf(element.axes, element.target), at):
            part.body.append(self.statement(element, at, code))
        return part

    def contraction(self, node: Reduce, element: Element, part: Part) -> Code:
        """A matrix times a vector; of the transposed product, all elements come first."""
        (axis,), (summed,) = element.axes, node.summed
        (matrix, vector), (columns,) = factors(node.arg), element.shape
        rows, at = element.sizes[summed], index(columns)
        if rows == 1:
            places = {axis: at, summed: "0"}
            return multiply([Text(self.leaf(leaf, places)) for leaf in (matrix, vector)])
        if matrix.axes == (axis, summed):
            part.whole.add(vector.label)
            start = self.start(matrix.label, at)
            return self.invoke("bp_dot", start, Text(array(vector.label)), Text(str(rows)))
        names = (Text(array(label)) for label in (element.target, matrix.label, vector.label))
        call = self.invoke("bp_transposed", *names, Text(str(rows)), Text(str(columns)))
        part.before += Statement(
            call.flat, element.number if node == element.value else None
        ).lines(4)
        return Text(f"{array(element.target)}[{at}]")

    def matrix(self, element: Element) -> Part:
        """A loop over the rows, to each of which a multiple of a vector is added."""
        (row, column), (rows, columns) = element.axes, element.shape
        left, right = factors(element.value)
        if left.axes != (row,) or right.axes != (column,):
            raise UnsupportedError(f"no C form for {element.target}")
        at = {row: index(rows), column: "0"}
        part = Part(rows, written={element.target}, whole={right.label})
        if columns == 1:
            code = self.printer(self.written_out, element).code(element.value, at)
            part.body.append(self.statement(element, at, code))
            return part
        factor = self.shared(Text(self.leaf(left, at)))
        args = (Text("more"), factor, Text(array(right.label)), Text(str(columns)))
        call = self.invoke("bp_add_row", self.start(element.target, at[row]), *args)
        part.body.append(Statement(call.flat, element.number))
        return part

    def scalar(self, element: Element) -> Part:
        """A variable, and the loops of its sums before it; the loss is returned."""
        part, value, number = Part(0), element.value, element.number
        sums = (node for node in walk(value) if isinstance(node, Reduce))
        looped = [n for n in sums if element.sizes[n.summed[0]] > 1 and not self.unrolled]
        for k, node in enumerate(looped):
            base = "sum" if element.target == "L" else element.target
            name = base if value == node or (base == "sum" and k == 0) else f"{base}_{k}"
            value = transform(value, swap(node, Leaf((), name)))
            part.before += self.gathered(name, node, element)
        code = self.printer(self.written_out, element).code(value, {})
        if element.target == "L":
            part.after.append(Statement(f"return {code.flat}", number))
        elif code.flat != element.target:
            part.after.append(Statement(f"const bp_real {element.target} = {code.flat}", number))
        return part

    def gathered(self, name: str, node: Reduce, element: Element) -> Iterator[str]:
        """`bp_real s1 = 0;` and the loop that adds to it."""
        (axis,) = node.summed
        code = self.printer(self.written_out, element).code(node.arg, {axis: INDEX})
        added = Statement(f"{name} += {code.flat}", element.number)
        yield from Statement(f"bp_real {name} = 0").lines(4)
        yield from block(element.sizes[axis], [added])

    def row(self, element: Element) -> Part:
        """A function of a whole row."""
        name, (size,) = f"bp_{element.row}", element.shape
        arrays = (Text(array(label)) for label in (element.target, *labels(element.value)))
        call = self.invoke(name, *arrays, Text(str(size)))
        return Part(0, written={element.target}, after=[Statement(call.flat, element.number)])

    def printer(self, total: Callable[[Reduce, At, Element], Code], element: Element) -> Printer:
        """Prints values of an element, and its sums with a function."""
        return Printer(
            self.leaf, lambda node, at: total(node, at, element), self.functions, self.helpers
        )

    def invoke(self, function: str, *args: Code) -> Code:
        """A call of a function of the library."""
        self.helpers.add(function)
        return Invoke(function, args)


def index(size: int) -> str:
    """The index of an axis: a loop's, or of the only element."""
    return INDEX if size > 1 else "0"


def array(label: str) -> str:
    """Where a tensor lies: parameters and gradients in arrays of their own, others in `w`."""
    if label in {"x", "y"}:
        return label
    return label.replace("w", "W") if label.startswith(PLAIN) else f"w->{label}"


def factors(node: Node) -> tuple[Leaf, Leaf]:
    """The two tensors of a product."""
    if isinstance(node, Product) and len(node.factors) == 2:
        left, right = node.factors
        if isinstance(left, Leaf) and isinstance(right, Leaf):
            return left, right
    raise UnsupportedError("no C form for a sum that is no matrix product")


def swap(old: Node, new: Node) -> Callable[[Node], Node]:
    """What puts one node in place of another."""
    return lambda part: new if part == old else part


PLAIN = ("w", "b", "dW", "db")
"""How the names of parameters and gradients begin."""
