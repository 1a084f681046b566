"""Array expressions where a single vector is a row: `z = x W + b`, `dL/dW = xᵀ δ`.

In: a `Node` of `forms.arrays`, as `ArrayPrinter`. Out: pieces and text. Vectors lie; where one has
to stand it is transposed, and every product has its factors the other way round. Must not know: any
format.
"""

from bpderive.forms.arrays import MatMul, Node, Outer, Reduce
from bpderive.render.array_printer import ArrayPrinter
from bpderive.render.array_shapes import split_number
from bpderive.render.pieces import Piece, from_loss


class RowPrinter(ArrayPrinter):
    """Prints one tree of array expressions, its vectors as rows."""

    def filled(self, number: Piece) -> Piece:
        return self.chain(number, self.transposed(Piece(self.printer.ones())))

    def column(self, node: Node) -> Piece:
        """A vector set upright: `A 𝟏` for sums along the rows of A."""
        if isinstance(node, Reduce) and len(node.arg.axes) == 2:
            return self.summed(node, down=False)
        return self.transposed(self.piece(node))

    def row(self, node: Node) -> Piece:
        return self.piece(node)

    def matmul(self, node: MatMul) -> Piece:
        """`W v` of a column is `v Wᵀ` of a row."""
        if len(node.right.axes) == 2:
            return self.chain(self.piece(node.left), self.piece(node.right))
        if len(node.left.axes) == 1:
            return self.chain(self.piece(node.left), self.column(node.right))
        return self.chain(self.piece(node.right), self.turned(node.left))

    def outer(self, node: Outer) -> Piece:
        return self.chain(self.column(node.left), self.piece(node.right))

    def reduce(self, node: Reduce) -> Piece:
        """The sums along one axis of a matrix are a row: `𝟏ᵀ A`."""
        if len(node.arg.axes) == 2 and len(node.summed) == 1:
            return self.summed(node, down=True)
        return super().reduce(node)

    def inner(self, node: Node) -> Piece:
        """The sum of a vector: `y (log a)ᵀ` of a product of two, else `u 𝟏`."""
        number, factors = split_number(node, self.names)
        if [factor.axes for factor in factors] == [node.axes] * 2:
            left, right = from_loss([self.piece(factor) for factor in factors])
            return self.scaled(number, self.chain(left, self.transposed(right)))
        return self.chain(self.piece(node), Piece(self.printer.ones()))
