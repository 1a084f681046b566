"""The NumPy module that computes in place: one workspace, and no array made on the way.

In: a `Program`. Out: the text of the numpy target's module, in which `compile(batch, dtype)` makes
`loss_and_grad`; structure from `templates/code/numpy_inplace.py.j2`, functions from
`inplace_functions.py` beside it. Must not know any mathematics.
"""

from dataclasses import dataclass
from functools import cached_property
from textwrap import wrap
from typing import Any

from bpderive.program import Program
from bpderive.targets import numpy
from bpderive.targets.inplace.lowering import ones
from bpderive.targets.inplace.operations import BATCH, ROWS, Group, Operand, Operation
from bpderive.targets.inplace.planning import Plan, Variable, plan
from bpderive.targets.layout import WIDTH, collection
from bpderive.targets.printer import Printer
from bpderive.templating import fill

MADE = ("log_softmax", "sigmoid", "softmax", "softplus", "where", "xlogy")
"""Functions that are made for a type, by `inplace_functions.py`."""
NAMES = {"compile", "enumerate", "list", "math", "sorted", "workspace", "zip"}


def generate(program: Program, _: str = "network") -> str:
    """The module's text.

    Raises:
        UnsupportedError: sizes without numbers.
    """
    return fill("code/numpy_inplace.py.j2", **_Module(program).context())


@dataclass(frozen=True)
class _Module:
    """What the template asks for."""

    program: Program

    def context(self) -> dict[str, Any]:
        """What the numpy target's template asks for, and the steps in place."""
        context = self.base.context()
        texts = numpy.functions_of("inplace_functions.py")
        made = [texts[f"_{name}"] for name in self.made]
        helpers = [numpy.functions_of()["erf"]] if self.erf else []
        context["functions"] += "".join(f"{text}\n\n\n" for text in (*helpers, *made))
        return context | {
            "inplace": True,
            "ones": self.ones.name,
            "arrays": "\n".join(map(_row, self.variables)),
            "unpacked": self.unpacked(),
            "views": self.views(),
            "constants_in_place": self.constants(),
            "functions_in_place": self.functions(),
            "parameters": self.parameters(),
            "guard": self.guard(),
            "body": "\n\n".join(map(self.group, self.plan.groups)),
            "grads_in_place": self.grads(),
            "allocates": any(operation.function == "erf" for operation in self.steps),
        }

    @cached_property
    def base(self) -> numpy.Module:
        """The numpy target's module, without its gradient."""
        return numpy.Module(self.program, gradient=False, more=frozenset(NAMES))

    @cached_property
    def plan(self) -> Plan:
        definitions = self.base.definitions
        outputs = {str(self.program.widths[-1]): "y.shape[1]"}
        return plan(self.program, definitions, Printer(outputs, definitions.names))

    @property
    def checked(self) -> bool:
        """Whether the sum of each row of labels is checked."""
        return self.program.network.loss.label == "distribution"

    @property
    def ones(self) -> Operand:
        """What sums each row of labels."""
        return ones(str(self.program.widths[-1]))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The arrays of the workspace; the sums of the labels come before all steps."""
        first = [Variable(n, (BATCH,), mask=False, first=-1, last=-1) for n in ("sums", "excess")]
        return (*first, *self.plan.variables) if self.checked else self.plan.variables

    @cached_property
    def steps(self) -> list[Operation]:
        return [operation for group in self.plan.groups for operation in group.operations]

    @property
    def made(self) -> list[str]:
        used = {operation.function for operation in self.steps}
        return [name for name in MADE if name in used]

    @property
    def erf(self) -> bool:
        """Whether erf is needed, and not among the functions of the forward pass."""
        used = any(operation.function == "erf" for operation in self.steps)
        return used and "erf" not in self.base.helpers

    # --- What stands before the steps ---

    def unpacked(self) -> str:
        """`a1, t1, delta2 = …`."""
        names = [variable.name for variable in self.variables]
        return collection("", numpy.tuple_of(names), " = _arrays(batch, dtype)")

    def constants(self) -> str:
        """`one = np.array(1, dtype)`, and vectors of ones."""
        numbers = ({"one": "1"} if self.checked else {}) | dict(self.plan.constants)
        texts = [f"    {name} = np.array({number}, dtype)" for name, number in numbers.items()]
        if self.program.mean:
            texts.append("    scale = np.array(1 / batch, dtype)")
        summing = {one.name: one for one in (*self.plan.ones, *[self.ones] * self.checked)}
        for _, vector in sorted(summing.items()):
            shape = ", ".join(vector.shape) + "," * (len(vector.shape) == 1)
            texts.append(f"    {vector.name} = np.ones(({shape}), dtype)")
        return "\n".join(texts)

    def views(self) -> str:
        """`delta1_T = delta1.T`, once and for all."""
        turned = [arg for step in self.steps for arg in step.args if arg.transposed]
        names = {self.name(arg) for arg in turned if not arg.given}
        return "".join(f"    {name} = {name.removesuffix('_T')}.T\n" for name in sorted(names))

    def functions(self) -> str:
        """`add, exp = np.add, np.exp`: names that are local are found faster."""
        used = {name for step in self.steps for name in ROWS[step.function].uses}
        used |= {"subtract"} if self.checked else set()
        plain = sorted(used - {"erf", *MADE})
        texts = [f"    {name} = np.{name}" for name in plain]
        return "\n".join([*texts, *(f"    {name} = _{name}(dtype)" for name in self.made)])

    @property
    def keys(self) -> list[str]:
        """The names of the parameters."""
        letters = "Wb" if self.program.network.spec.bias else "W"
        return [f"{a}{k}" for k in range(1, self.program.network.depth + 1) for a in letters]

    def parameters(self) -> str:
        """`W1 = params["W1"]`."""
        return "\n".join(f'            {key} = params["{key}"]' for key in self.keys)

    def guard(self) -> str:
        """The condition under which something is refused; products refuse weights themselves."""
        tests = [f"len(params) != {len(self.keys)}", "x.shape != x_shape", "y.shape != y_shape"]
        widths = dict(enumerate(self.program.widths))
        biases = [key for key in self.keys if key.startswith("b")]
        tests += [f"{key}.shape != ({widths[int(key[1:])]},)" for key in biases]
        tests += [f"{key}.dtype != dtype" for key in ("x", "y", *self.keys)]
        line = f"            if {' or '.join(tests)}:"
        if len(line) <= WIDTH:
            return line
        inner = "\n".join(f"                {'or ' * (k > 0)}{t}" for k, t in enumerate(tests))
        return f"            if (\n{inner}\n            ):"

    def grads(self) -> str:
        names = self.plan.names
        results = [(g.target, g.result) for g in self.plan.groups]
        titles = {title: names[one.name] for title, one in results if isinstance(one, Operand)}
        return collection(
            "grads = ", (f'"{key}": {titles["d" + key]}' for key in self.keys), "", "{}"
        )

    # --- The steps ---

    def group(self, group: Group) -> str:
        """A comment with the equation, and what is done for it."""
        margin = " " * 12
        comment = wrap(
            f"({group.number}) {group.target} = {group.formula}",
            WIDTH,
            initial_indent=f"{margin}# ",
            subsequent_indent=f"{margin}#     ",
            break_long_words=False,
        )
        steps = [margin + self.step(operation) for operation in group.operations]
        if isinstance(group.result, str):
            steps.append(f"{margin}{group.target} = {group.result}")
        return "\n".join([*comment, *steps])

    def step(self, operation: Operation) -> str:
        values = {f"s{k}": self.name(one) for k, one in enumerate(operation.scratch)}
        args = map(self.name, operation.args)
        return ROWS[operation.function].text.format(*args, out=self.name(operation.out), **values)

    def name(self, operand: Operand) -> str:
        """`a1`; turned, an array of the workspace is `delta1_T`, and another `W1.T`."""
        name = self.plan.names.get(operand.name, operand.name)
        mark = ("." if operand.given else "_") + "T"
        return name + mark * operand.transposed


def _row(variable: Variable) -> str:
    """`("a1", (batch, 128), dtype, 0, 7),`."""
    shape = ", ".join(variable.shape) + "," * (len(variable.shape) == 1)
    kind = "bool" if variable.mask else "dtype"
    return f'        ("{variable.name}", ({shape}), {kind}, {variable.first}, {variable.last}),'
