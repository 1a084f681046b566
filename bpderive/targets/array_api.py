"""The module of a program for any array library: the functions of the array API standard alone.

In: a `Program`. Out: the text of a Python module like that of `numpy`, which takes its library `xp`
from the arrays that it is given; structure from `templates/code/array_api*.py.j2`, functions that
the standard lacks from `array_api_functions.py` beside them. What is written means the same in
PyTorch and Dask, which have most of the standard but not all. Must not know any mathematics.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

from sympy import Integer, Rational

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
)
from bpderive.forms.trees import walk
from bpderive.program import Assignment, Definition, Program
from bpderive.targets import describe
from bpderive.targets.definitions import SHORT, Definitions, named_parts
from bpderive.targets.layout import (
    AND,
    MULTIPLY,
    Brackets,
    Code,
    Invoke,
    Text,
    chain,
    statement,
)
from bpderive.targets.numpy import Module, functions_of
from bpderive.targets.printer import FUNCTIONS, Printer
from bpderive.targets.spelling import Parts, comparison, is_mask, spell
from bpderive.templating import fill

FILE = "array_api_functions.py"
"""The functions that the standard lacks."""
DRAWS = {
    "real": "rng.gauss(0, 1)",
    "binary": "rng.randrange(2)",
    "sign": "rng.choice((-1, 1))",
    "distribution": "rng.expovariate(1)",
    "count": "rng.randrange(5)",
}
"""How the gradient's check draws a label of each kind."""
BOUNDS = {"maximum": 1, "minimum": -1}
"""Whether a bound comes first in `xp.clip(z, 0, None)`, or last."""
NAMES = {"Any", "Array", "Callable", "Integral", "Random", "Real", "abs", "all", "bool", "check"}
NAMES |= {"adam", "check_labels", "clip_by_norm", "clip_by_value", "dict", "enumerate", "float"}
NAMES |= {"forward", "getattr", "hasattr", "import_module", "init", "int", "isinstance"}
NAMES |= {"l2_decay", "len", "list", "loss", "loss_and_grad", "main", "map", "math", "max", "min"}
NAMES |= {"momentum", "pairwise", "params", "print", "range", "step", "sum", "sys", "train"}
NAMES |= {"object", "Optimizer", "Params", "State", "str", "tuple", "type", "warnings", "xp", "zip"}
"""Names of the module that no activation may take."""


def generate(program: Program, _: str = "network") -> str:
    """The module's text."""
    return fill("code/array_api.py.j2", **_Module(program).context())


@dataclass(frozen=True)
class _Printer(Printer):
    """Prints what all libraries have: no number in `maximum`, no truth values in a product."""

    table: ClassVar[Mapping[str, str]] = {
        name: function.replace("np.", "xp.") for name, function in FUNCTIONS.items()
    }

    def apply(self, node: Apply) -> Code:
        """A function; the larger of an array and a number is `xp.clip(z, 0, None)`."""
        numbers = [arg for arg in node.args if isinstance(arg, Scalar)]
        if node.name not in BOUNDS or not numbers:
            return super().apply(node)
        (array,) = self.many((arg for arg in node.args if arg not in numbers), node.axes)
        bounds = [self.code(numbers[0]), Text("None")]
        return Invoke("xp.clip", (array, *bounds[:: BOUNDS[node.name]]))

    def outer(self, node: Outer) -> Code:
        left, right = (self.operand(side).flat for side in (node.left, node.right))
        return chain(MULTIPLY, Text(f"{left}[:, None]"), ("*", Text(f"{right}[None, :]")))

    def power(self, node: Power) -> Code:
        if node.exponent == Rational(1, 2):
            return Invoke("xp.sqrt", (self.along(node.base, node.axes),))
        return super().power(node)

    def sum(self, node: Reduce, *options: str) -> Code:
        """`xp.sum(…)`, along an axis unless it is over all."""
        code = super().sum(node, *options)
        assert isinstance(code, Invoke)  # noqa: S101 - so the method of NumPy writes it
        args = code.args if code.function == "np.sum" else (self.code(node.arg), *code.args)
        return Invoke("xp.sum", args)

    def quotient(self, node: Node, axes: Axes) -> tuple[bool, Code]:
        """A term, and whether it is negative; with masks, `xp.where(z > 0, delta, 0)`."""
        parts = Parts.of(node)
        if not parts.masks:
            return super().quotient(node, axes)
        below = tuple(Power(part.axes, part, Integer(-1)) for part in parts.below)
        rest = Product(axes, (Scalar((), parts.constant), *parts.above, *below))
        negative, value = super().quotient(rest, axes)
        if all(isinstance(part, Scalar) for part in (*parts.above, *parts.below)):
            value = self.filled(parts.masks[0], value)
        tests = [self.mask(mask, axes) for mask in parts.masks]
        head, *more = tests if len(tests) == 1 else map(Brackets, tests)
        test = chain(AND, head, *(("&", other) for other in more))
        return negative, Invoke("xp.where", (test, value, Text("0")))

    def select(self, node: Apply) -> Code:
        """`xp.where(u > 0, p, q)`; where both are numbers, the first as an array."""
        u, *branches = node.args
        p, q = self.many(branches, node.axes)
        if is_mask(node):
            return self.quotient(node, node.axes)[1]
        if all(isinstance(branch, Scalar) for branch in branches):
            p = self.filled(node, p)
        return Invoke("xp.where", (self.test(u, node.axes), p, q))

    def filled(self, node: Node, value: Code) -> Code:
        """A number as an array of the type that a `select` compares."""
        assert isinstance(node, Apply)  # noqa: S101 - masks are
        u = node.args[0]
        same = (part for part in walk(u) if isinstance(part, Leaf) and part.axes == node.axes)
        like = next(same, comparison(u).left)
        array = self.along(like, node.axes)
        if value.flat == "1":
            return Invoke("xp.ones_like", (array,))
        return Invoke("xp.full_like", (array, value))


@dataclass(frozen=True)
class _Definitions(Definitions):
    """Definitions in the functions of the standard."""

    @cached_property
    def written(self) -> Mapping[str, bool]:
        return {row.name: not _is_short(row) for row in self.rows}

    def functions(self, helpers: set[str], *, slopes: bool = True) -> Iterable[str]:
        for row in self.rows:
            if self.written[row.name] and (slopes or not row.name.endswith("'")):
                yield _function(row, self.names[row.name], helpers)


def _is_short(row: Definition) -> bool:
    node = spell(row.value)
    short = is_mask(node) or len(_Printer({}).code(node).flat) <= SHORT
    return short and not named_parts(node, ())[0]


def _function(row: Definition, name: str, helpers: set[str]) -> str:
    """`def gelu_slope(z): …`, with names for the parts that occur twice."""
    printer = _Printer({}, helpers=helpers)
    parts, value = named_parts(spell(row.value), row.parameters)
    what = f"the slope of {row.name[:-1]}" if row.name.endswith("'") else row.name
    rows = [*((f"{label} =", part) for label, part in parts), ("return", value)]
    body = [statement(head, printer.code(node), row.name, bare=True) for head, node in rows]
    parameters = ", ".join(f"{parameter}: Array" for parameter in row.parameters)
    head = [
        f"def {name}({parameters}) -> Array:",
        f'    """Return {what} at z."""',
    ]
    return "\n".join([*head, with_library(row.parameters[0], *body)])


def with_library(array: str, *lines: str) -> str:
    """Lines of a function; the library comes first where they use it."""
    used = any("xp." in line for line in lines)
    return "\n".join([f"    xp = _namespace({array})"] * used + [line for line in lines if line])


@dataclass(frozen=True)
class _Module(Module):
    """What the template asks for; `helpers` gathers the functions that the standard lacks."""

    def context(self) -> dict[str, Any]:
        program, network = self.program, self.program.network
        partial = describe.is_partial(program)
        values = super().context() | {
            "signature": SIGNATURES[network.symbolic],
            "averaged": " / count" if program.mean else "",
            "draw": DRAWS[network.loss.label],
            "row": ", a row of y" if network.loss.label == "distribution" else "",
            "count": 1000 if partial else 5,
            "nowhere": ", or the loss nowhere a gradient" if partial else "",
        }
        grad_states = values["grad_states"].replace("len(x)", "x.shape[0]")
        after = "\n" + values["backward"]
        return values | {
            "forward": with_library("x", values["forward"]),
            "loss": with_library("y", values["loss"]),
            "loss_states": with_library("x", values["loss_states"]),
            "grad_states": with_library("x", grad_states + after).removesuffix(after),
        }

    def line(self, row: Assignment) -> str:
        """A line; the loss, which is returned, is declared."""
        return super().line(replace(row, target="L: Array") if row.target == "L" else row)

    def code(self, row: Assignment, names: Mapping[str, str]) -> Code:
        """The right-hand side, divided by the number of samples where the loss is their mean."""
        symbols = {str(self.program.widths[-1]): "y.shape[1]"}
        printer = _Printer({**symbols, **names}, self.definitions.names, self.helpers)
        value = self.definitions.expand(row.value)
        if not self.program.mean or not row.target.startswith(("dW", "db", "L")):
            return printer.code(value)
        if isinstance(value, MatMul):  # the errors are fewer than the weights
            return printer.matmul(value, Text("n"))
        count = Text("y.shape[0]" if row.target.startswith("L") else "n")
        return chain(MULTIPLY, printer.code(value), ("/", count))

    @cached_property
    def definitions(self) -> Definitions:
        return _Definitions(self.program.definitions, frozenset(NAMES | set(functions_of(FILE))))

    def functions(self) -> Iterator[str]:
        """Activations and slopes, then what the standard lacks."""
        yield from list(self.definitions.functions(self.helpers))
        if self.helpers & {"log_softmax", "softmax"}:
            self.helpers.add("row_max")
        yield from (functions_of(FILE)[name] for name in sorted(self.helpers))


SIGNATURES = {
    False: """\
def init(
    rng: Random,
    scheme: str = "xavier",
    *,
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Params:""",
    True: """\
def init(
    rng: Random,
    layers: tuple[int, ...],
    scheme: str = "xavier",
    *,
    xp: Any,
    dtype: Any = None,
    device: Any = None,
) -> Params:""",
}
