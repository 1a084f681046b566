"""From the text of a file of equations to a `Module`.

In: the text, the activation asked for, whether optional biases are wanted, the letters of `*`.
Out: a checked `Module`, or a `SpecError` with line and column. Must not know: networks.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, Mul, Rational, Symbol

from bpderive.catalog import CATALOG, Activation, Catalog
from bpderive.errors import SpecError, quoted
from bpderive.formula.reader import FUNCTIONS
from bpderive.functions.conditions import merged
from bpderive.index import Axis, Equation, Fresh, element, size_symbol
from bpderive.modules.binders import BINDERS
from bpderive.modules.expressions import read as read_expression
from bpderive.modules.indices import subscripts
from bpderive.modules.labels import label
from bpderive.modules.model import Declared, Module, Role
from bpderive.modules.order import check_order
from bpderive.modules.scope import Scope
from bpderive.modules.shortening import shortened
from bpderive.modules.sizes import number, size
from bpderive.modules.text import Statement, split, statements

NAME = re.compile(r"[A-Za-z]+(?:_[A-Za-z]+)*\d*")
ROLES: Mapping[str, Role] = {"input": "input", "param": "parameter", "data": "data"}
RESERVED = frozenset(("L", "N", "S", "target", "eta", "delta", "pi", "act", "stop", *BINDERS))


def read(  # noqa: PLR0913 - what a file leaves open, by name
    text: str,
    where: str = "equations",
    *,
    activation: Activation | None = None,
    bias: bool = True,
    leading: tuple[str, ...] = ("n",),
    catalog: Catalog = CATALOG,
) -> Module:
    """The module of a file of equations.

    Args:
        text: the file.
        where: what it is called in messages.
        activation: what `act` stands for; None is linear.
        bias: whether the optional parameters are there.
        leading: the letters that `*` stands for.
        catalog: whose activations may be used by name.

    Raises:
        SpecError: with the line and the column of what is wrong.
    """
    title, found = statements(text, where)
    reader = _Reader(where, activation, bias, _apart(leading, found), catalog)
    declarations = [s for s in found if s.keyword not in ("", "output")]
    for statement in sorted(declarations, key=lambda s: s.keyword != "index"):
        reader.declare(statement)
    equations = [s for s in found if s.keyword in ("", "output")]
    for statement in equations:
        reader.announce(statement)
    for statement in equations:
        reader.define(statement)
    return reader.module(title)


def _apart(leading: tuple[str, ...], found: Iterable[Statement]) -> tuple[str, ...]:
    """Letters for `*` that the file does not use itself; the samples stay `n`."""
    own = {k for statement in found for k in re.findall(r"\b[a-z]\b", statement.text)}
    free = [letter for letter in "trsuvwpqmabcdefghijklxyz" if letter not in (*own, *leading)]
    return tuple(k if k == "n" or k not in own else free.pop(0) for k in leading)


@dataclass
class _Reader:
    """Gathers what the statements say."""

    where: str
    activation: Activation | None
    bias: bool
    leading: tuple[str, ...]
    catalog: Catalog
    tensors: dict[str, Declared] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    ranges: dict[str, Expr] = field(default_factory=dict)
    sizes: dict[str, Expr] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    numbers: dict[str, Rational] = field(default_factory=dict)
    eliminate: dict[str, Statement] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)
    defined: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    chosen: dict[str, Activation] = field(default_factory=dict)
    recurrent: dict[str, None] = field(default_factory=dict)
    output: str = ""
    first: dict[str, Statement] = field(default_factory=dict)
    fresh: Fresh = field(default_factory=lambda: Fresh(200_000))

    # --- Declarations ---

    def declare(self, statement: Statement) -> None:
        if statement.keyword in ROLES:
            for text, offset in split(statement):
                self.tensor(text, offset, ROLES[statement.keyword], statement)
        else:
            DECLARE[statement.keyword](self, statement)

    def tensor(self, text: str, offset: int, role: Role, statement: Statement) -> Declared:
        """`w[o,c,k]`, or `b[o]?` for what may be absent."""
        bare = text.rstrip()
        optional = bare.endswith("?")
        node = statement.tree(bare.rstrip("?"), offset)
        name = self.name(node, statement)
        if name in self.tensors:
            raise statement.at(node, f"{name} is there twice")
        axes = tuple(self.axis(item, statement) for item in self.items(node))
        found = Declared(name, role, axes)
        self.tensors[name] = found
        self.first[name] = statement
        if optional and not self.bias:
            self.absent.add(name)
        return found

    def items(self, node: ast.expr) -> list[ast.expr]:
        return subscripts(node, self.leading) if isinstance(node, ast.Subscript) else []

    def name(self, node: ast.expr, statement: Statement) -> str:
        plain = node.value if isinstance(node, ast.Subscript) else node
        if not isinstance(plain, ast.Name) or not NAME.fullmatch(plain.id):
            raise statement.at(node, "a tensor is wanted here", "a name and its indices: U[h,c]")
        name = plain.id
        taken = name in RESERVED or name.startswith("delta_") or name in FUNCTIONS
        if taken or name in {row.name for row in self.catalog.activations}:
            raise statement.at(node, f"{name} is a name of bpderive's own", "another name")
        return name

    def axis(self, node: ast.expr, statement: Statement) -> Axis:
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        letters = [self.letter(part, statement) for part in parts]
        return Axis(",".join(letters), Mul(*(self.ranges[letter] for letter in letters)))

    def letter(self, node: ast.expr, statement: Statement) -> str:
        if not isinstance(node, ast.Name) or not re.fullmatch(r"[a-z]", node.id):
            wanted = "one small letter; its range is the capital letter"
            raise statement.at(node, "an index is wanted here", wanted)
        self.ranges.setdefault(node.id, size_symbol(node.id.upper()))
        self.known.add(str(self.ranges[node.id]))
        return node.id

    def index(self, statement: Statement) -> None:
        """`index i, j: T`."""
        letters, colon, size = statement.text.partition(":")
        if not colon or not re.fullmatch(r"\s*[A-Z]\s*", size):
            raise statement.error(0, "the size of an index is wanted", "index s: T")
        for text in letters.split(","):
            if not re.fullmatch(r"\s*[a-z]\s*", text) or text.strip() in self.ranges:
                message = f"{quoted(text.strip())} is no new index"
                raise statement.error(
                    letters.find(text), message, "a small letter, before its first use"
                )
            self.ranges[text.strip()] = size_symbol(size.strip())
        self.known.add(size.strip())

    def size(self, statement: Statement) -> None:
        """`size I = (T - K)//S + 1, S = K`."""
        for text, offset in split(statement):
            name, equals, value = text.partition("=")
            if not re.fullmatch(r"\s*[A-Z]\s*", name):
                raise statement.error(offset, "a size is wanted", "size I = (T - K)//S + 1")
            if name.strip() in self.sizes:
                raise statement.error(offset, f"the size {name.strip()} is there twice")
            self.known.add(name.strip())
            if equals:
                tree = statement.tree(value, offset + len(name) + 1)
                self.sizes[name.strip()] = size(tree, statement)

    def number(self, statement: Statement) -> None:
        """`number eps = 1e-5`."""
        for text, offset in split(statement):
            name, _, value = text.partition("=")
            name = name.strip()
            found = number(value)
            if not NAME.fullmatch(name) or found is None:
                raise statement.error(offset, "a number is wanted", "number eps = 1e-5")
            if name in self.tensors or name in self.numbers or name in RESERVED:
                raise statement.error(offset, f"the name {name} is taken", "another name")
            self.numbers[name] = found

    def eliminated(self, statement: Statement) -> None:
        """`eliminate mu, sigma`."""
        for name in statement.text.split(","):
            self.eliminate[name.strip()] = statement

    # --- Equations ---

    def announce(self, statement: Statement) -> None:
        """Note the tensor that an equation defines, so that an earlier one may refer to it."""
        left, equals, right = statement.text.partition("=")
        if not equals or right.startswith("="):
            raise statement.error(0, "an equation is wanted", "name[indices] = expression")
        declared = self.tensor(left, 0, "defined", statement)
        letters = [letter for axis in declared.axes for letter in axis.name.split(",")]
        if len(set(letters)) < len(letters):
            raise statement.error(
                0, "an index stands twice on the left", "index s: T for a second letter"
            )
        if statement.keyword == "output":
            if self.output:
                raise statement.error(0, "there are two outputs", "one")
            self.output = declared.name

    def define(self, statement: Statement) -> None:
        left, _, right = statement.text.partition("=")
        name = self.name(statement.tree(left, 0), statement)
        declared = self.tensors[name]
        free = {k: self.fresh(k) for axis in declared.axes for k in axis.name.split(",")}
        scope = self.scope(statement, free, name)
        value = read_expression(statement.tree(right, len(left) + 1), scope)
        self.used |= scope.used
        self.chosen.update(scope.chosen)
        check_order(self, name, value, free, statement)
        lhs = element(label(name), tuple(self.position(axis, free) for axis in declared.axes))
        self.add(Equation(lhs, value, tuple(self.ranges[letter] for letter in free)), name)

    def add(self, equation: Equation, name: str) -> None:
        self.equations.append(equation)
        self.defined.add(name)

    def position(self, axis: Axis, free: Mapping[str, Symbol]) -> Expr:
        letters = axis.name.split(",")
        if len(letters) == 1:
            return free[letters[0]]
        return merged(*(part for k in letters for part in (free[k], self.ranges[k])))

    def scope(self, statement: Statement, free: Mapping[str, Symbol], name: str) -> Scope:
        elementwise = {row.name: row for row in self.catalog.activations if row.elementwise}

        def stage(value: Expr, letter: str, extra: Mapping[str, Symbol]) -> Expr:
            return self.stage(value, letter, {**free, **extra}, name, statement)

        return Scope(
            statement,
            dict(free),
            self.ranges,
            self.leading,
            self.tensors,
            frozenset(self.absent),
            self.numbers,
            self.known,
            elementwise,
            self.activation,
            self.fresh,
            stage,
            read_expression,
        )

    def stage(
        self,
        value: Expr,
        letter: str,
        free: Mapping[str, Symbol],
        name: str,
        statement: Statement,
    ) -> Expr:
        """An equation of its own for a part of another: `z_g`, the sum inside the function of g."""
        indices = {s for s in value.free_symbols if s.name[0] == "_"}
        if not indices <= set(free.values()):
            told = "a sum inside a function inside a sum"
            raise statement.error(0, told, "an equation of its own for the inner one")
        new = self.unused(f"{letter}_{name.rstrip('0123456789')}")
        axes = tuple(Axis(k, self.ranges[k]) for k in free)
        self.tensors[new] = Declared(new, "defined", axes)
        self.first[new] = statement
        self.used.add(new)
        fresh = {symbol: self.fresh(k) for k, symbol in free.items()}
        lhs = element(label(new), tuple(fresh.values()))
        check_order(self, new, value, free, statement)
        self.add(Equation(lhs, value.xreplace(fresh), tuple(axis.size for axis in axes)), new)
        return element(label(new), tuple(free.values()))

    def unused(self, stem: str) -> str:
        """A name that no tensor has: `z_g`, `z_gb` and so on."""
        others = (f"{stem}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")
        return next(name for name in (stem, *others) if name not in self.tensors)

    # --- The whole ---

    def check_samples(self) -> None:
        """That inputs and the output have the axis of the samples first, and another."""
        ends = [t for t in self.tensors.values() if t.role == "input"] + [self.tensors[self.output]]
        for tensor in ends:
            letters = [axis.name for axis in tensor.axes]
            if letters[:1] != ["n"] or len(letters) == 1:
                missing = (
                    "an axis besides the samples'" if letters == ["n"] else "the samples' axis n"
                )
                wanted = f"{tensor.name}[n,i]; with size I = 1 for one number a sample"
                raise self.first[tensor.name].error(0, f"{tensor.name} lacks {missing}", wanted)

    def module(self, title: str) -> Module:
        if not self.output:
            raise SpecError.single("no equation is the output", self.where, "output y[n,i] = ...")
        for name in self.eliminate:
            if name not in self.defined:
                raise self.eliminate[name].error(0, f"{quoted(name)} is defined by no equation")
        for name, tensor in self.tensors.items():
            if name not in self.used and name != self.output and name not in self.absent:
                what, remedy = UNUSED.get(tensor.role, ("", "leave it out"))
                raise self.first[name].error(0, f"{what} {name} is never used".strip(), remedy)
        for name, tensor in self.tensors.items():
            if tensor.role == "parameter" and f"d{name}" in self.tensors:
                taken = f"d{name} is the name of the gradient by {name}"
                raise self.first[f"d{name}"].error(0, taken, "another name")
        if not any(t.role in ("input", "data") for t in self.tensors.values()):
            raise SpecError.single("there is no input", self.where, "input x[n,i]")
        self.check_samples()
        return shortened(
            Module(
                title=title,
                tensors=tuple(t for n, t in self.tensors.items() if n not in self.absent),
                equations=tuple(self.equations),
                output=self.output,
                sizes=self.sizes,
                numbers=self.numbers,
                eliminate=frozenset(self.eliminate),
                recurrent=tuple(self.recurrent),
                ranges=self.ranges,
                activations=self.chosen,
            )
        )


UNUSED = {
    "input": ("the input", "an equation that it stands in"),
    "parameter": ("the parameter", "leave it out, or use it"),
}
DECLARE = {
    "index": _Reader.index,
    "size": _Reader.size,
    "number": _Reader.number,
    "eliminate": _Reader.eliminated,
}
