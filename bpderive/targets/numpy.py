"""The NumPy module of a program: it stands alone, and has one line for each equation.

In: a `Program`. Out: the text of a module with `LAYERS`, `init`, `forward`, `loss`,
`loss_and_grad` and `step`, as `ruff format` leaves it; structure from `templates/code/numpy.py.j2`,
functions that NumPy lacks from `numpy_functions.py` beside it. Must not know any mathematics.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from bpderive.forms.arrays import MatMul
from bpderive.forms.trees import labels
from bpderive.locate import templates
from bpderive.program import Assignment, Names, Program
from bpderive.targets import describe
from bpderive.targets.definitions import Definitions
from bpderive.targets.layout import MULTIPLY, Code, Text, chain, collection, run_lengths, statement
from bpderive.targets.printer import Printer
from bpderive.targets.shapes import axes, shapes, spelled
from bpderive.templating import fill

DRAWS = {
    "real": "rng.normal(size=({}, n))",
    "binary": "rng.integers(2, size=({}, n))",
    "sign": "rng.choice((-1, 1), ({}, n))",
    "distribution": "rng.dirichlet(np.ones(n), {})",
    "count": "rng.poisson(2, ({}, n))",
}
"""How the gradient's check draws labels of each kind."""
MARK = "µ{}µ"
"""What stands for a label in a line that equal layers share."""
NAMES = {"adam", "check", "clip_by_norm", "clip_by_value", "float", "forward", "init", "int"}
NAMES |= {"l2_decay", "len", "loss", "loss_and_grad", "main", "max", "momentum", "np"}
NAMES |= {"pairwise", "params", "range", "sum", "step", "train", "tuple", "dict", "isinstance"}
"""Names of the module that no activation may take."""


def generate(program: Program, _: str = "network") -> str:
    """The module's text."""
    return fill("code/numpy.py.j2", **Module(program).context())


@cache
def functions_of(file: str = "numpy_functions.py") -> Mapping[str, str]:
    """The functions of a file beside the templates, by name; usually those that NumPy lacks."""
    text = (templates() / "code" / file).read_text(encoding="utf-8")
    functions = (block.strip("\n") for block in text.split("\n\n\ndef ")[1:])
    return {function.partition("(")[0]: f"def {function}" for function in functions}


@dataclass(frozen=True)
class Module:
    """What the template asks for; `helpers` gathers the functions that NumPy lacks.

    Without `gradient`, slopes have no functions; `more` are names that no activation may take.
    """

    program: Program
    gradient: bool = True
    more: frozenset[str] = frozenset()
    helpers: set[str] = field(default_factory=set)
    _codes: dict[int, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        """Everything; the functions come last, when it is known which are used."""
        program, network = self.program, self.program.network
        distribution = network.loss.label == "distribution"
        values = {
            "title": describe.title(program),
            "about": describe.about(program),
            "symbolic": network.symbolic,
            "bias": network.spec.bias,
            "mean": program.mean,
            "reduction": "mean" if program.mean else "sum",
            "weighted": " * len(rows)" if program.mean else "",
            "averaged": " / len(x)" if program.mean else "",
            "drawn": "random weights" + (" and zero biases" if network.spec.bias else ""),
            "distribution": distribution,
            "inplace": False,
            "like": ", params" if network.symbolic else "",
            "loose": ", 1e-3" if distribution else "",
            "refused": ", or a row of y" if distribution else "",
            "partial": describe.is_partial(program),
            **self.sizes(),
            **self.states(),
            "loss": self.line(program.loss),
            "backward": lines(map(self.line, self.rows)),
            "grads": self.grads(),
        }
        return values | {"functions": "".join(f"{text}\n\n\n" for text in self.functions())}

    # --- Which arrays are needed where ---

    @cached_property
    def ending(self) -> frozenset[str]:
        """The arrays that the loss is made of."""
        return self.used((self.program.loss,))

    @property
    def rows(self) -> tuple[Assignment, ...]:
        """The assignments of the gradient."""
        return self.program.backward if self.gradient else ()

    @cached_property
    def backward(self) -> frozenset[str]:
        """The arrays that the gradient is made of."""
        return self.used(self.rows)

    def used(self, rows: Iterable[Assignment]) -> frozenset[str]:
        """The names in the right-hand sides."""
        return frozenset(
            variable(label, row.names) for row in rows for label in self.template(row)[1]
        )

    def stage(self, wanted: frozenset[str]) -> list[Assignment]:
        """The loss's own stage, `p = softmax(a)`, as far as it is wanted."""
        rows: list[Assignment] = []
        for row in filter(is_stage, reversed(self.program.forward)):
            if row.target in wanted:
                rows.insert(0, row)
                wanted |= self.used((row,))
        return rows

    def states(self) -> dict[str, str]:
        """How the arrays of the layers get from `_forward` to the loss and the gradient."""
        output = f"a{self.program.network.depth}"
        rows = [row for row in self.program.forward if not is_stage(row)]
        of_loss, of_both = self.stage(self.ending), self.stage(self.ending | self.backward)
        for_loss = self.ending | self.used(of_loss)
        for_both = self.ending | self.backward | self.used(of_both)
        states = [row.target for row in rows if row.target in for_both | {output}]
        tail = [s for s in states if s in (f"z{output[1:]}", f"log_{output}", output)]
        some = [*["*_"][: len(states) - len(tail)], *(s if s in for_loss else "_" for s in tail)]
        every = [s if s in for_both else "_" for s in states]
        args = [row.target for row in self.program.forward if row.target in self.ending]
        count = ["    n = len(x)"] if self.program.mean else []
        run = " = _forward(params, x)"
        return {
            "output": output,
            "forward": lines([*map(self.line, rows), collection("return ", tuple_of(states))]),
            "loss_states": lines([collection("", tuple_of(some), run), *map(self.line, of_loss)]),
            "grad_states": lines(
                [*count, collection("", tuple_of(every), run), *map(self.line, of_both)]
            ),
            "loss_args": ", ".join([*args, "y"]),
            "loss_parameters": ", ".join(f"{name}: Array" for name in (*args, "y")),
        }

    # --- Lines ---

    def line(self, row: Assignment) -> str:
        """`delta1 = (delta2 @ params["W2"]) * a1 * (1 - a1)  # (10) (N, 2)`."""
        flat, found = self.template(row)
        for mark, label in enumerate(found):
            flat = flat.replace(MARK.format(mark), variable(label, row.names))
        comment = f"({row.number})"
        if row.shape:
            sizes = ", ".join(map(str, row.shape))
            comment += f" ({sizes}{',' * (len(row.shape) == 1)})"
        line = statement(f"{row.target} =", Text(flat), comment)
        if "\n" not in line:
            return line
        names = {label: variable(label, row.names) for label in found}
        return statement(f"{row.target} =", self.code(row, names), comment)

    def template(self, row: Assignment) -> tuple[str, tuple[str, ...]]:
        """The right-hand side on one line, its labels marked, and the labels; once a kind."""
        key = id(row.value)
        if key not in self._codes:
            found = labels(self.definitions.expand(row.value))
            marks = {label: MARK.format(mark) for mark, label in enumerate(found)}
            self._codes[key] = (self.code(row, marks).flat, tuple(found))
        return self._codes[key]

    def code(self, row: Assignment, names: Mapping[str, str]) -> Code:
        """The right-hand side, divided by the number of samples where the loss is their mean."""
        symbols = {str(self.program.widths[-1]): "y.shape[1]"}
        printer = Printer({**symbols, **names}, self.definitions.names, self.helpers)
        value = self.definitions.expand(row.value)
        code = printer.code(value)
        if not self.program.mean or not row.target.startswith(("dW", "db", "L")):
            return code
        if isinstance(value, MatMul):  # the errors are fewer than the weights
            return printer.matmul(value, Text("n"))
        return chain(MULTIPLY, code, ("/", Text("len(y)" if row.target == "L" else "n")))

    def grads(self) -> str:
        """`grads = {"W1": dW1, …}` and the return of both."""
        targets = [row.target for row in reversed(self.program.backward)]
        names = sorted((t for t in targets if t.startswith("d") and t[1] in "Wb"), key=_layer)
        items = collection("grads = ", (f'"{name[1:]}": {name}' for name in names), "", "{}")
        return f"{items}\n    return L, grads"

    # --- Sizes and functions ---

    def sizes(self) -> dict[str, str]:
        """What depends on the sizes of the layers."""
        program, network = self.program, self.program.network
        first, last, symbolic = program.widths[0], program.widths[-1], network.symbolic
        x = describe.samples("x", "the samples", first)
        y = describe.samples("y", "the labels", last, describe.LABELS[network.loss.label])
        rows, columns = axes(network)
        return {
            "constants": lines(
                [self.layer_sizes(), shapes(network), *([FIXED] if symbolic else [])]
            ),
            "signature": SIGNATURES[symbolic],
            "sizes": "layers" if symbolic else "LAYERS",
            "inputs": f'params["W1"].shape[{columns}]' if symbolic else "LAYERS[0]",
            "outputs": f'params["W{network.depth}"].shape[{rows}]' if symbolic else "LAYERS[-1]",
            **spelled(network),
            "x": x,
            "samples": f"{x}\n{y}",
            "result": describe.samples(f"a{network.depth}", "a row for each sample", last),
            "draw": DRAWS[network.loss.label].format(1000 if describe.is_partial(program) else 5),
        }

    def layer_sizes(self) -> str:
        """`LAYERS = (2, *(4,) * 1000, 1)`."""
        head = "LAYERS: tuple[int | str, ...] = " if self.program.network.symbolic else "LAYERS = "
        widths = self.program.widths
        return run_lengths(head, (str(n) if n.is_Integer else f'"{n}"' for n in widths))

    @cached_property
    def definitions(self) -> Definitions:
        return Definitions(
            self.program.definitions, frozenset(NAMES | set(functions_of())) | self.more
        )

    def functions(self) -> Iterator[str]:
        """Activations and slopes, then what NumPy lacks."""
        yield from list(self.definitions.functions(self.helpers, slopes=self.gradient))
        yield from (functions_of()[name] for name in sorted(self.helpers))


def variable(label: str, names: Names) -> str:
    """A label's name in Python: `w{l}` → `params["W3"]`, `log_a{l}` → `log_a3`."""
    prefix, label = ("log_", label[4:]) if label.startswith("log_") else ("", label)
    name = str(names.get(label, label))
    if name[0] in "wb" and name[1:].isdigit():
        return f'params["{name.replace("w", "W")}"]'
    return prefix + name


def lines(texts: Iterable[str]) -> str:
    """One line for each text."""
    return "\n".join(texts)


def tuple_of(names: list[str]) -> list[str]:
    """The items of a tuple: `a1, a2`, or `(a1,)` where there is but one."""
    return names if len(names) > 1 else [f"({names[0]},)"]


def is_stage(row: Assignment) -> bool:
    """Whether the loss computes it, and not the network."""
    return row.target in ("p", "log_p")


def _layer(target: str) -> tuple[int, str]:
    return int(target[2:]), target


FIXED = "FIXED: dict[int | str, int] = {size: size for size in LAYERS if isinstance(size, int)}"
SIGNATURES = {
    False: 'def init(rng: np.random.Generator, scheme: str = "xavier") -> Params:',
    True: """\
def init(
    rng: np.random.Generator, layers: tuple[int, ...], scheme: str = "xavier"
) -> Params:""",
}
