"""Derivatives of derivatives: the engine run on its own result.

In: the forward and backward equations of any derivation. Out: index equations again: the product of
the Hessian with a direction, the derivative of the outputs along a direction (JVP), the gradient of
a weighted sum of the outputs (VJP); and single entries of the Hessian of a small network. Must not
know: kinds of layers, letters, words.

The backward pass is a list of equations like the forward one. So `R = Σ v ∂L/∂θ` is a scalar of a
longer list, and its gradient by θ is `H v` (Pearlmutter, Fast exact multiplication by the Hessian,
1994: reverse over reverse gives the same product).
"""

from bpderive.second.model import Equations, Shape
from bpderive.second.products import hessian_product, jvp, vjp
from bpderive.second.scalars import hessian_entry

__all__ = ["Equations", "Shape", "hessian_entry", "hessian_product", "jvp", "vjp"]
