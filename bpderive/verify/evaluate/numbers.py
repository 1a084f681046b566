"""What stands in an expression that is worked out: numbers by label, and what they are called.

In: nothing. Out: `Given`, and the types of what works an expression out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sympy import Expr, Symbol

from bpderive.verify.arithmetic import MP
from bpderive.verify.oracle import Tensor

At = Mapping[Symbol, int]
"""The values of indices."""
Code = Callable[["Given", At], Any]
CodeOf = Callable[[Expr], Code]
"""What turns the parts of an expression into functions."""
Build = Callable[[Any, CodeOf], Code]
"""A node's row: its function, from those of its parts."""
Rows = list[list[Any]]


@dataclass
class Given:
    """What stands in an expression: tensors by label, sizes by name, matrices as rows.

    `partial` works out a `Partial` from its two ends, `named` a function that has but a name.
    `zero` says that what lies outside of a tensor, or between its places, reads as zero.
    """

    tensors: Mapping[str, Tensor]
    sizes: Mapping[str, int] = field(default_factory=dict)
    matrices: Mapping[str, Rows] = field(default_factory=dict)
    partial: Callable[[Any, Any], Any] | None = None
    named: Callable[[str, Any], Any] | None = None
    known: dict[Expr, Any] = field(default_factory=dict)
    zero: bool = False

    @cached_property
    def scalars(self) -> dict[str, Any]:
        """Every element by its reference text, and every size."""
        found = {name: MP.mpf(size) for name, size in self.sizes.items()}
        for label, tensor in self.tensors.items():
            found |= {reference(label, indices): value for indices, value in tensor.items()}
        return found


def reference(label: str, indices: tuple[int, ...]) -> str:
    """`w1[1,2]`."""
    return f"{label}[{','.join(map(str, indices))}]" if indices else label
