"""One array operation after the other: what a workspace is filled by.

In: nothing. Out: `Operation`s over `Operand`s, and the table of what each operation is in NumPy.
Must not know: layers, the workspace.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Shape = tuple[str, ...]
BATCH = "batch"


@dataclass(frozen=True)
class Operand:
    """An array: a parameter, an input, or the one value that an operation gives it.

    A `mask` holds truth values; one that is `given` is not in the workspace.
    """

    name: str
    shape: Shape
    transposed: bool = False
    mask: bool = False
    given: bool = False


@dataclass(frozen=True)
class Operation:
    """`out = function(args)`, with arrays that only this operation uses."""

    function: str
    args: tuple[Operand, ...]
    out: Operand
    scratch: tuple[Operand, ...] = ()


@dataclass(frozen=True)
class Row:
    """How NumPy does an operation, and which arguments it may write its result over.

    In `text`, `{0}` and `{1}` are the arguments, `{out}` is the result, `{s0}` scratch. `over`
    lists the arguments that may be the same array as the result; they have its shape.
    """

    text: str
    over: tuple[int, ...] = (0, 1)
    uses: tuple[str, ...] = ()


def _ufunc(name: str, arguments: int) -> Row:
    args = ", ".join(f"{{{k}}}" for k in range(arguments))
    out = "out={out}" if name in ("maximum", "minimum") else "{out}"
    return Row(f"{name}({args}, {out})", uses=(name,))


UNARY: tuple[str, ...] = (
    "absolute",
    "cos",
    "cosh",
    "exp",
    "expm1",
    "log",
    "log1p",
    "negative",
    "reciprocal",
)
UNARY += ("sign", "sin", "sinh", "sqrt", "square", "tanh")
BINARY: tuple[str, ...] = (
    "add",
    "divide",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
)
BINARY += ("maximum", "minimum", "multiply", "power", "subtract")
ROWS: Mapping[str, Row] = {
    **{name: _ufunc(name, 1) for name in UNARY},
    **{name: _ufunc(name, 2) for name in BINARY},
    "vdot": Row("{out} = float(vdot({0}, {1}))", (), ("vdot",)),
    "sum": Row("{out} = float({0}.sum())", ()),
    "copy": Row("copyto({out}, {0})", (0,), ("copyto",)),
    "dot": Row("{0}.dot({1}, {out})", ()),
    "outer": Row("multiply({0}, {1}, {out})", (), ("multiply",)),
    "where": Row("where({0}, {1}, {2}, {out})", (2,), ("where",)),
    "erf": Row("copyto({out}, erf({0}))", (0,), ("copyto", "erf")),
    "sigmoid": Row("sigmoid({0}, {out})", (0,), ("sigmoid",)),
    "clip": Row("{0}.clip({1}, {2}, {out})", (0,)),
    "softplus": Row("softplus({0}, {out}, {s0})", (0,), ("softplus",)),
    "xlogy": Row("xlogy({0}, {1}, {out}, {s0})", (1,), ("xlogy",)),
    "softmax": Row("softmax({0}, {1}, {out}, {s0}, {s1})", (0,), ("softmax",)),
    "log_softmax": Row(
        "log_softmax({0}, {1}, {out}, {s0}, {s1}, {s2}, {s3})", (0,), ("log_softmax",)
    ),
}


@dataclass(frozen=True)
class Group:
    """The operations of one assignment, with its number and its formula in words of arrays.

    `result` is where its value is; that of the loss is an expression in Python's numbers, its sums.
    """

    target: str
    number: int
    formula: str
    operations: tuple[Operation, ...]
    result: Operand | str
