"""The plain Python module of a computation: floats, loops, and the standard library alone.

In: a `Computation`. Out: the text of a module like that of the dense target; structure from
`templates/code/loops_python.py.j2`. Must not know any mathematics.
"""

import keyword
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from sympy import log

from bpderive.functions import xlogy
from bpderive.schedule.model import Computation, Given
from bpderive.targets import telling
from bpderive.targets.layout import collection
from bpderive.targets.loops import words
from bpderive.targets.loops.activations import Functions, used_functions
from bpderive.targets.loops.equations import Writer
from bpderive.targets.loops.pieces import training
from bpderive.targets.loops.python import PythonLines, PythonValues
from bpderive.targets.loops.python_text import (
    call,
    heads,
    is_root,
    opened,
    returned,
    strings,
    unpacked,
    value_of,
    words_of,
)
from bpderive.targets.numpy import functions_of
from bpderive.targets.python import FILE, _function
from bpderive.targets.python.printer import ScalarPrinter
from bpderive.templating import fill

OWN = "loops_functions.py"
NAMES = frozenset(
    [
        "Any",
        "Callable",
        "Iterator",
        "L",
        "N",
        "Optimizer",
        "Params",
        "Random",
        "Real",
        "Row",
        "Sequence",
        "State",
        "abs",
        "adam",
        "all",
        "batch",
        "check",
        "clip_by_norm",
        "clip_by_value",
        "dict",
        "drawn",
        "flatten",
        "float",
        "forward",
        "grads",
        "init",
        "int",
        "isinstance",
        "islice",
        "iter",
        "l2_decay",
        "len",
        "list",
        "loss",
        "loss_and_grad",
        "main",
        "map",
        "math",
        "max",
        "min",
        "momentum",
        "mul",
        "next",
        "params",
        "print",
        "range",
        "reversed",
        "rng",
        "sorted",
        "states",
        "step",
        "str",
        "sum",
        "train",
        "tuple",
        "type",
        "unflatten",
        "zip",
        "top",
        "total",
        "GIVEN",
        "SHAPES",
        "TOKENS",
        "SCHEMES",
        "OPTIMIZERS",
    ]
)


@dataclass(frozen=True)
class Module:
    """Fills the template."""

    computation: Computation
    helpers: set[str] = field(default_factory=set)

    @cached_property
    def functions_known(self) -> frozenset[str]:
        return frozenset({*functions_of(FILE), *functions_of(OWN)})

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of tensors in the code; the loss is L."""
        taken = NAMES | self.functions_known | set(keyword.kwlist)
        plain = Writer(self.computation, frozenset()).shapes
        found = {label: label + "_" * (label in taken) for label in plain}
        return found | {self.computation.loss.equation.label: "L"}

    @cached_property
    def writer(self) -> Writer:
        own = NAMES - {"top", "total"} | self.functions_known | set(keyword.kwlist)
        taken = own | set(self.names) | set(self.names.values())
        return Writer(self.computation, frozenset(taken))

    @cached_property
    def functions(self) -> Functions:
        rows = (line.equation.rhs for line in self.writer.lines)
        reserved = NAMES | self.functions_known | set(self.names.values())
        return Functions(self.computation.activations, used_functions(rows), frozenset(reserved))

    @cached_property
    def printer(self) -> PythonLines:
        roots = (line.equation for line in self.writer.lines if is_root(line.equation.rhs))
        above = frozenset({"N", *(equation.label for equation in roots)})
        values = PythonValues(self.functions, self.writer.shapes, self.names, self.helpers, above)
        return PythonLines(values)

    # --- What is given ---

    def of(self, *roles: str) -> list[Given]:
        """What is given in some roles, the target last."""
        found = [given for given in self.computation.given if given.role in roles]
        return sorted(found, key=lambda given: given.role == "target")

    @property
    def inputs(self) -> list[str]:
        return [self.names[g.label] for g in self.of("input", "tokens", "data")]

    @property
    def all_given(self) -> list[str]:
        return [self.names[g.label] for g in self.of("input", "tokens", "data", "target")]

    # --- Functions' bodies ---

    def body(self, number: int) -> list[str]:
        """The lines of one part."""
        return list(self.printer.lines(self.writer.part(number)))

    def opening(self, lines: Iterable[str], given: Iterable[str]) -> Iterator[str]:
        """Parameters under their names, and the number of samples."""
        used = words_of(lines)
        for parameter in self.of("parameter"):
            if self.names[parameter.label] in used:
                yield f'    {self.names[parameter.label]} = params["{parameter.label}"]'
        if "N" in used:
            yield f"    N = {self.samples(list(given))}"

    def samples(self, names: list[str]) -> str:
        """The number of samples, from something that has them."""
        for given in self.computation.given:
            letters = list(map(str, given.sizes))
            if "N" in letters and self.names[given.label] in names:
                return f"len({self.names[given.label]}{'[0]' * letters.index('N')})"
        return "len(states[0])"

    def context(self) -> dict[str, Any]:
        """What the template asks for."""
        forward, loss, backward = (self.body(number) for number in range(3))
        output = self.names[self.computation.output]
        made = [line.equation.label for line in self.writer.source_lines(0)]
        after = words_of(loss) | words_of(backward) | {output}
        states = [
            self.names.get(name, name) for name in made if self.names.get(name, name) in after
        ]
        loss_given = [name for name in self.all_given if name in words_of(loss)]
        if not loss_given and "N" in words_of(loss):
            loss_given = self.all_given[-1:]
        gradients = (f'"{label}": {self.names[g]}' for label, g in self.computation.gradients)
        found = {
            "forward_states": unpacked(states, {output}, call("_forward", self.inputs)),
            "forward_lines": [*self.opening(forward, self.inputs), *forward, returned(states)],
            "loss_lines": [
                *opened(states, words_of(loss)),
                *self.opening(loss, loss_given),
                *value_of(loss),
            ],
            "backward_lines": [
                *opened(states, words_of(backward)),
                *self.opening(backward, self.all_given),
                *backward,
                collection("return ", gradients, "", "{}"),
            ],
        }
        texts = {
            key: value if isinstance(value, str) else "\n".join(value)
            for key, value in found.items()
        }
        return {
            **texts,
            **self.told(output),
            **training(),
            **heads(self.inputs, self.all_given, loss_given),
            "functions": "".join(f"{text}\n\n\n" for text in self.texts()),
        }

    def texts(self) -> Iterator[str]:
        """Activations that are long, then what `math` lacks."""
        names = self.functions.definitions.names
        for function in self.functions.of_numbers():
            yield _function(function, ScalarPrinter({}, names, self.helpers))
        known = {**functions_of(FILE), **functions_of(OWN)}
        yield from (known[name] for name in sorted(self.helpers))

    def told(self, output: str) -> dict[str, Any]:
        """What docstrings say, and what depends on shapes."""
        counts = self.writer.token_counts
        shapes = {g.label: g.sizes for g in self.of("parameter")}
        gains = [g for g in self.of("parameter") if words.is_gain(g) and len(g.sizes) < 2]
        given = self.of("input", "tokens", "data", "target")
        size = sum(prod(map(int, sizes)) for sizes in shapes.values())
        return {
            "title": telling.title(self.computation),
            "about": words.about(self.computation),
            "constants": words.constants(shapes, given, counts),
            "inputs": ", ".join(self.inputs),
            "given": ", ".join(self.all_given),
            "inputs_told": words.told(self.of("input", "tokens", "data"), self.names, counts),
            "given_told": words.told(given, self.names, counts),
            "train_typed": "\n".join(f"    {name}: Sequence[Any]," for name in self.all_given),
            "output": output,
            "output_told": telling.item(
                f"{output}, {words.shape(self.writer.shapes[self.computation.output])}."
            ),
            "reduction": words.reduction(self.computation),
            "mean": self.computation.mean,
            "tokens": bool(counts),
            "trained": all(str(g.sizes[0]) == "N" for g in given if g.sizes)
            and all(g.sizes for g in given),
            "plain": "0 (gains 1)" if gains else "0",
            "filled": f"float(key in ({strings(g.label for g in gains)}))" if gains else "0.0",
            "key": "key" if gains else "_",
            "checked": max(10, min(100, 20_000 // max(size, 1))),
            "distribution": self.distribution,
            "target": self.of("target")[0].label,
            "drawn": "\n".join(self.drawn()) or "    del name",
        }

    @property
    def distribution(self) -> bool:
        """Whether the loss takes the logarithm of something."""
        return bool(self.computation.loss.equation.rhs.has(log, xlogy))

    def drawn(self) -> Iterator[str]:
        """How the check draws what is given, where that is not just any number."""
        counts = self.writer.token_counts
        if counts:
            yield f"    if name in ({strings(counts)}):"
            yield "        return rng.randrange(TOKENS[name])"
        positive = [g.label for g in self.of("data") if g.label not in counts]
        positive += [g.label for g in self.of("target")] * self.distribution
        if positive:
            yield f"    if name in ({strings(positive)}):"
            yield "        return rng.uniform(0.5, 1.5)"


def generate(computation: Computation, _: str = "network") -> str:
    """The module's text.

    Raises:
        UnsupportedError: sizes that are no numbers.
    """
    words.need_numbers(computation)
    return fill("code/loops_python.py.j2", **Module(computation).context())
