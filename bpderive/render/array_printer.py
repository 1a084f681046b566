"""Array expressions as printed mathematics: matrices, vectors, ⊙, transposes, vectors of ones.

In: a `Node` of `forms.arrays`, and the labels that a layer gives to the general ones. Out: pieces
and text. A vector is a column (`row_printer` has those that are rows); in a batch the samples are
rows or columns, as the node's axes say.
What lacks an axis is repeated along it by a product with ones: `𝟏 bᵀ`. Must not know: any format.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sympy import Expr, S

from bpderive.errors import DerivationError
from bpderive.forms.arrays import (
    Apply,
    Axes,
    Leaf,
    MatMul,
    Node,
    Outer,
    Power,
    Product,
    Reduce,
    Scalar,
    Terms,
    Transpose,
)
from bpderive.index import rename
from bpderive.render import calls
from bpderive.render.array_shapes import (
    divisor,
    is_number,
    select_args,
    split_number,
    transposed,
    value_of,
)
from bpderive.render.choice import View, chosen
from bpderive.render.pieces import (
    ANYWHERE,
    ATOM,
    HADAMARD,
    POWER,
    PRODUCT,
    Piece,
    by_reading,
    from_loss,
    merged,
    odd,
    unsigned,
)
from bpderive.render.quantities import array, derivative
from bpderive.render.roles import place

if TYPE_CHECKING:
    from bpderive.render.printer import Printer

ZERO = Scalar((), S.Zero)
ONE = Piece("1", kind="number")


class ArrayPrinter:
    """Prints one tree of array expressions."""

    def __init__(self, printer: "Printer", names: Mapping[str, Expr | str]) -> None:
        self.printer = printer
        self.names = names

    def text(self, node: Node) -> str:
        """The whole expression."""
        return self.printer.signed(self.parts(node))

    def parts(self, node: Node) -> list[Piece]:
        """The terms of a sum in reading order, or the node as a single term."""
        if isinstance(node, Terms):
            return by_reading([self.repeated(term, node.axes) for term in node.terms])
        return [self.piece(node)]

    def whole(self, node: Node) -> Piece:
        """A node that stands alone, between brackets."""
        return self.printer.collected(self.parts(node))

    def piece(self, node: Node) -> Piece:
        """A node as a factor.

        Raises:
            DerivationError: at a node that has no printed form.
        """
        method = METHODS.get(type(node))
        if method is None:
            raise DerivationError(f"no printed form for the array {type(node).__name__}")
        found: Piece = getattr(self, method)(node)
        return found

    def repeated(self, node: Node, axes: Axes) -> Piece:
        """A node as it stands among nodes of these axes; a number is repeated silently."""
        if len(node.axes) == len(axes) or is_number(node):
            return self.piece(node)
        number, factors = split_number(node, self.names)
        if number != 1:
            rest = factors[0] if len(factors) == 1 else Product(node.axes, factors)
            return self.scaled(number, self.repeated(rest, axes))
        ones = Piece(self.printer.ones())
        if len(axes) == 1:
            found = self.filled(self.piece(node))
        elif not node.axes:
            found = self.chain(self.piece(node), ones, self.transposed(ones))
        elif node.axes[0] == axes[0]:
            found = self.chain(self.column(node), self.transposed(ones))
        else:
            found = self.chain(ones, self.row(node))
        return found._replace(key=f"~{found.key}")

    def scaled(self, number: Expr, piece: Piece) -> Piece:
        """A number times an array."""
        front = self.printer.piece(number, {})
        negative = piece.negative != front.negative
        if number in (1, -1):
            return piece._replace(negative=negative)
        return self.joined([front, piece])._replace(negative=negative)

    def filled(self, number: Piece) -> Piece:
        """The vector with this number everywhere."""
        return self.chain(Piece(self.printer.ones()), number)

    def column(self, node: Node) -> Piece:
        """A vector upright."""
        return self.piece(node)

    def row(self, node: Node) -> Piece:
        """A vector laid down: `𝟏ᵀ A` for sums along the columns of A."""
        if isinstance(node, Reduce) and len(node.arg.axes) == 2:
            return self.summed(node, down=True)
        return self.transposed(self.piece(node))

    def transposed(self, piece: Piece) -> Piece:
        """The piece, bracketed where need be, with its transposition mark."""
        compound = piece.level < POWER
        text = self.printer.bracketed(piece) if compound else piece.text
        marked = not compound and piece.level < ATOM
        return piece._replace(text=self.printer.transposed(text, marked=marked), level=POWER)

    def chain(self, *factors: Piece) -> Piece:
        """A matrix product: factors in this order, side by side."""
        shown = [
            p._replace(text=self.printer.bracketed(p), level=ATOM, place=place("L", None))
            if p.level < PRODUCT
            else p._replace(open=False)
            for p in factors
        ]
        joined = self.printer.joined(unsigned(shown))
        kind = "bias" if any(p.kind == "bias" for p in factors) else ""
        key = next((p.key for p in factors if p.key), "")
        return joined._replace(negative=odd(factors), place=merged(factors), key=key, kind=kind)

    # --- One method a node ---

    def leaf(self, node: Leaf) -> Piece:
        """A tensor by its letter, or the loss's derivative with respect to it (`dW1`)."""
        label = self.names.get(node.label, node.label)
        known = self.printer.notation.general or label.startswith("delta")
        if known or label[0] != "d":
            return array(str(label), len(node.axes), self.printer)
        inner = label[1].lower() + label[2:]
        tensor = array(str(self.names.get(inner, inner)), len(node.axes), self.printer)
        return derivative(tensor, self.printer)._replace(place=ANYWHERE, key="")

    def terms(self, node: Terms) -> Piece:
        return self.whole(node)

    def scalar(self, node: Scalar) -> Piece:
        return self.printer.piece(rename(node.value, self.names), {})

    def apply(self, node: Apply) -> Piece:
        if node.name == "select":
            return self.select(node)
        if node.name == "xlogy":
            return self.product(Product(node.axes, (node,)))
        args = [self.whole(arg) for arg in node.args]
        if node.name == "exp":
            return calls.named(self.printer, "exp", args)
        return calls.applied(self.printer, node.name, args)

    def select(self, node: Apply) -> Piece:
        """`max(0, z)`, `[z > 0]`, or cases, element by element."""
        condition, yes, no = node.args
        if yes == condition and no == ZERO:
            return calls.extreme(self.printer, "max", [self.whole(yes), self.whole(no)])
        return chosen(node, View(select_args, self.parts, self.whole), self.printer)

    def power(self, node: Power) -> Piece:
        """`a ⊙ a`, or an elementwise power."""
        if is_number(node):
            return self.printer.piece(value_of(node, self.names), {})
        if node.exponent.is_negative:
            return self.product(Product(node.axes, (node,)))
        base = self.whole(node.base)
        if node.exponent == 2 and isinstance(node.base, Leaf):
            text = f"{base.text}{self.printer.hadamard}{base.text}"
            return base._replace(text=text, level=HADAMARD, place=merged([base]))
        inner = base if base.level == ATOM else self.printer.enclosed(base)
        exponent = self.printer.signed([self.printer.whole(node.exponent, {})])
        raised = f"{self.printer.each}{exponent}" if node.axes else exponent
        text = self.printer.power(inner.text, raised)
        return Piece(text, POWER, merged([base]), base.key, tall=base.tall)

    def product(self, node: Product) -> Piece:
        """Numbers, scalars, then what is multiplied element by element; scalars may divide."""
        number, factors = split_number(node, self.names)
        if not factors:
            return self.printer.piece(number, {})
        scalars = [f for f in factors if not f.axes]
        above = [self.piece(f) for f in scalars if divisor(f) is None]
        below = [self.piece(under) for f in scalars if (under := divisor(f)) is not None]
        body = self.elementwise([f for f in factors if f.axes], node.axes)
        found = self.joined([*from_loss(above), *body] or [ONE])
        if below:
            found = self.printer.fraction(found, self.joined(below))
        negative = odd([*above, *below, *body])
        return self.scaled(number, found._replace(negative=negative))

    def joined(self, pieces: Sequence[Piece]) -> Piece:
        """Side by side without their signs; binds no tighter than what is in it."""
        level = min([PRODUCT, *(p.level for p in pieces if p.level >= HADAMARD)])
        found = self.printer.joined(unsigned(pieces))
        return found if len(pieces) == 1 else found._replace(level=level)

    def elementwise(self, factors: Sequence[Node], axes: Axes) -> list[Piece]:
        """`A ⊙ B ⊘ C` as one piece; none where there are no factors."""
        above = from_loss([self.repeated(f, axes) for f in factors if divisor(f) is None])
        below = [self.repeated(u, axes) for f in factors if (u := divisor(f)) is not None]
        return [self.printer.each_by_each(above, below)] if factors else []

    def matmul(self, node: MatMul) -> Piece:
        """A vector on the left is a row: `aᵀ b`; against a matrix, the matrix goes first."""
        left, right = self.piece(node.left), self.piece(node.right)
        if len(node.left.axes) == 2:
            return self.chain(left, right)
        if len(node.right.axes) == 1:
            return self.chain(self.transposed(left), right)
        return self.chain(self.turned(node.right), left)

    def outer(self, node: Outer) -> Piece:
        return self.chain(self.piece(node.left), self.transposed(self.piece(node.right)))

    def transpose(self, node: Transpose) -> Piece:
        return self.transposed(self.piece(node.arg))

    def reduce(self, node: Reduce) -> Piece:
        """Sums along rows and columns are products with ones; of squares, the norm."""
        axes = node.arg.axes
        if not set(node.summed) <= set(axes):
            raise DerivationError("a sum over an axis that its array does not have")
        if len(node.summed) < len(axes):
            return self.summed(node, down=False)
        if isinstance(node.arg, Power) and node.arg.exponent == 2:
            return self.norm(node.arg.base)
        if len(axes) == 1:
            return self.inner(node.arg)
        ones = Piece(self.printer.ones())
        return self.chain(self.transposed(ones), self.piece(node.arg), ones)

    def inner(self, node: Node) -> Piece:
        """The sum of a vector: `yᵀ log a` of a product of two, else `𝟏ᵀ u`."""
        number, factors = split_number(node, self.names)
        if [factor.axes for factor in factors] == [node.axes] * 2:
            left, right = from_loss([self.piece(factor) for factor in factors])
            return self.scaled(number, self.chain(self.transposed(left), right))
        ones = Piece(self.printer.ones())
        return self.chain(self.transposed(ones), self.piece(node))

    def summed(self, node: Reduce, *, down: bool) -> Piece:
        """The sums of a matrix along one axis, as a column `A 𝟏` or, laid down, as a row `𝟏ᵀ A`."""
        first = node.arg.axes[0] in node.summed
        piece = self.piece(node.arg) if first == down else self.turned(node.arg)
        ones = Piece(self.printer.ones())
        return self.chain(self.transposed(ones), piece) if down else self.chain(piece, ones)

    def turned(self, node: Node) -> Piece:
        """A matrix transposed, where it can be inside."""
        inside = transposed(node)
        return self.piece(inside) if inside is not None else self.transposed(self.piece(node))

    def norm(self, node: Node) -> Piece:
        """`‖a − y‖²`."""
        inside = self.whole(node)
        text = self.printer.bars(inside, double=True)
        text += self.printer.frobenius if len(node.axes) == 2 else ""
        raised = self.printer.power(text, "2")
        return Piece(raised, POWER, merged([inside]), inside.key, tall=inside.tall)


METHODS: Mapping[type[Node], str] = {
    Leaf: "leaf",
    Scalar: "scalar",
    Apply: "apply",
    Power: "power",
    Product: "product",
    Terms: "terms",
    MatMul: "matmul",
    Outer: "outer",
    Transpose: "transpose",
    Reduce: "reduce",
}
"""By node, the method of a printer that prints it."""
