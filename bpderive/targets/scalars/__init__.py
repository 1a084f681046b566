"""A program for one sample, element by element: what languages without arrays print.

In: a `Program` whose sizes are numbers. Out: `Scalars`: its assignments in the same order, each an
expression for one element, every sum over an index explicit, the samples' axis gone: what loops
are made of. `unrolled` gives each element an expression of its own. Must not know any syntax.

The trees are those of `forms.arrays`, of fewer kinds: `Leaf`, `Scalar`, `Apply`, `Power`,
`Product`, `Terms`, `Call` of a function of numbers, and `Reduce` for a sum over one index. A node's
`axes` are its indices: those of a `Leaf` say which element it is.
"""

from bpderive.targets.scalars.lowering import lower
from bpderive.targets.scalars.model import Block, Element, Function, Scalars, blocks, needed
from bpderive.targets.scalars.unrolling import unrolled

__all__ = [
    "Block",
    "Element",
    "Function",
    "Scalars",
    "blocks",
    "lower",
    "needed",
    "unrolled",
]
