"""The C file of a computation, and its header.

In: a `Computation`, and the name that the files have before their dots. Out: what the templates
`code/loops.c.j2` and `code/loops.h.j2` ask for. Must not know any mathematics.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import Any

from sympy import Mul, log

from bpderive.errors import UnsupportedError, quoted
from bpderive.functions import xlogy
from bpderive.schedule.model import Computation, Given
from bpderive.targets import telling
from bpderive.targets.c import functions as c_functions
from bpderive.targets.c.text import identifier, prose, remark
from bpderive.targets.loops import c_pieces, words
from bpderive.targets.loops.activations import Functions, used_functions
from bpderive.targets.loops.c import CLines, CValues, size_text
from bpderive.targets.loops.c_places import (
    SAMPLES,
    Places,
    broken,
    needed,
    value_of,
    words_of,
    wrapped,
)
from bpderive.targets.loops.model import Scope
from bpderive.templating import fill

MACROS: Mapping[str, str] = {
    "BP_MAX": "#define BP_MAX(a, b) ((a) > (b) ? (a) : (b))",
    "BP_MIN": "#define BP_MIN(a, b) ((a) < (b) ? (a) : (b))",
    "BP_MOD": "#define BP_MOD(a, b) (((a) % (b) + (b)) % (b))",
    "BP_FLOOR": "#define BP_FLOOR(a, b) (((a) - BP_MOD(a, b)) / (b))",
}
ZERO = """\
/* n zeros. */
static void bp_zero(bp_real *a, ptrdiff_t n)
{
    for (ptrdiff_t i = 0; i < n; i++)
        a[i] = 0;
}
"""


@dataclass(frozen=True)
class File(Places):
    """The texts of one computation; `name` is that of the files, before the dot."""

    name: str
    helpers: set[str] = field(default_factory=set)

    @cached_property
    def functions(self) -> Functions:
        rows = (line.equation.rhs for line in self.writer.lines)
        return Functions(self.computation.activations, used_functions(rows), frozenset())

    @cached_property
    def printer(self) -> CLines:
        values = CValues(self.functions, self.writer.shapes, self.names, self.helpers, self.root)
        return CLines(values)

    # --- Functions' bodies ---

    def body(self, number: int, parameters: Iterable[str]) -> str:
        """The body of a function: where its arrays lie, and the statements."""
        statements = self.writer.part(number)
        if len(statements) == 1 and isinstance(statements[0], Scope):
            statements = list(statements[0].body)
        lines = list(self.printer.lines(statements))
        if number == 1:
            lines = list(value_of(lines))
        used = words_of(lines)
        pointers = list(self.pointers(used, constant=number != 0))
        used |= words_of(pointers)
        unused = [f"    (void){name};" for name in parameters if name not in used]
        return "\n".join([*pointers, *unused, *([""] if pointers or unused else []), *lines])

    def pointers(self, used: set[str], *, constant: bool) -> Iterator[str]:
        """`const bp_real *w1 = params + BP_AT_w1;` of those that are used."""
        for label in self.offsets:
            if self.names[label] in used:
                yield f"    const bp_real *{self.names[label]} = params + BP_AT_{label};"
        for label, gradient in self.computation.gradients:
            if self.names[gradient] in used:
                yield f"    bp_real *{self.names[gradient]} = grads + BP_AT_{label};"
        for label, at in self.places[0].items():
            name = self.names.get(label, label)
            if name in used:
                place = "work" if at == 0 else f"work + {size_text(at)}"
                sizes = " x ".join(map(str, self.writer.shapes[label])) or "1"
                yield f"    bp_real *{name} = {place}; /* {sizes} */"

    # --- Texts ---

    def common(self) -> dict[str, Any]:
        """What both templates ask for."""
        if set(self.name) & set('"\\') or "??" in self.name or not self.name.isprintable():
            raise UnsupportedError(f"C code cannot include a file of the name {quoted(self.name)}")
        output = self.computation.output
        sizes = [s for s in self.writer.shapes[output] if s.is_Integer]
        loss = self.parameters(self.given, "bp_real *loss", "bp_real *work")
        return {
            "name": self.name,
            "told": prose(self.name),
            "title": prose(telling.title(self.computation)),
            "mean": self.computation.mean,
            "tokens": bool(self.writer.token_counts),
            "parameters": self.count,
            "outputs": prod(map(int, sizes)),
            "output": self.names[output],
            "forward_parameters": wrapped(
                "int bp_forward(", self.parameters(self.inputs, "bp_real *out", "bp_real *work")
            ),
            "loss_parameters": wrapped("int bp_loss(", loss),
            "grad_parameters": wrapped(
                "int bp_loss_and_grad(",
                self.parameters(self.given, "bp_real *loss", "bp_real *grads", "bp_real *work"),
            ),
        }

    def header(self) -> dict[str, Any]:
        """What the header's template asks for."""
        size = self.places[1]
        work = size_text(size).replace("N", "(size_t)(n)") if self.sampled else size_text(size)
        shapes = {g.label: " x ".join(map(str, g.sizes)) or "1" for g in self.computation.given}
        checked = "(BP_CHECKED)" if self.sampled else ""
        return self.common() | {
            "about": remark(words.about(self.computation).replace("\n", " ")),
            "given_told": "\n".join(map(self.told, self.given)),
            "guard": identifier(self.name).upper(),
            "of_each": " of each sample" if self.sampled else "",
            "work_args": "(n)" if self.sampled else "",
            "work_call": "(n)" if self.sampled else "",
            "checked_call": checked,
            "work_size": f"({work})",
            "offsets": "\n".join(
                f"#define BP_AT_{label} {at} /* {shapes[label]} */"
                for label, (at, _) in self.offsets.items()
            ),
            "output_shape": words.shape(self.writer.shapes[self.computation.output]),
            "reduction": words.reduction(self.computation),
            "training": c_pieces.header(),
            "check_arrays": "\n".join(
                f"    {'int' if g.label in self.writer.tokens else 'bp_real'} {self.names[g.label]}"
                f"[{self.at_check(g)}];"
                for g in self.given
            ),
        }

    def told(self, given: Given) -> str:
        """A line on an argument."""
        below = self.writer.token_counts.get(given.label)
        meaning = telling.MEANINGS["tokens" if below else given.role]
        more = f", each below {below}" if below else ""
        kind = "int" if below else "bp_real"
        return (
            f" *     {kind} {self.names[given.label]}: {meaning}{more}, {words.shape(given.sizes)}"
        )

    @staticmethod
    def at_check(given: Given) -> str:
        sizes = ["BP_CHECKED" if str(s) == "N" else str(s) for s in given.sizes]
        return " * ".join(sizes) or "1"

    def source(self) -> dict[str, Any]:
        """What the source's template asks for."""
        given, inputs = self.labels(self.given), self.labels(self.inputs)
        samples = ["N"] * self.sampled
        bodies = {
            "forward": self.body(0, ["params", *inputs, *samples]),
            "loss": self.body(1, samples),
            "backward": self.body(2, ["params", *given, *samples, "grads"]),
        }
        text = "\n".join(bodies.values())
        called = c_functions.written(list(self.functions.of_numbers()), self.helpers)
        compared = [g for g in self.given if self.names[g.label] in words_of([bodies["loss"]])]
        return {
            **self.common(),
            **bodies,
            "macros": "\n".join(MACROS[name] for name in MACROS if name in needed(text)),
            "functions": "\n".join(filter(None, [ZERO * ("bp_zero" in self.helpers), called])),
            **self.inner(compared),
            **self.checks(),
            "draws": "\n".join(line for g in self.given for line in self.drawn(g)),
            "gains": "\n".join(self.gains()),
            **c_pieces.source("\n".join(self.arrays())),
        }

    def labels(self, given: Iterable[Given]) -> list[str]:
        """Their names in the code."""
        return [self.names[g.label] for g in given]

    def inner(self, compared: list[Given]) -> dict[str, str]:
        """The parameters of the three functions, and their calls; the loss takes what it needs."""
        layers = self.parameters(self.inputs, "bp_real *work", inner=True)
        gradient = self.parameters(self.given, "bp_real *grads", "bp_real *work", inner=True)
        samples, count = ["ptrdiff_t N"] * self.sampled, ["(ptrdiff_t)n"] * self.sampled
        loss = ", ".join([*self.declared(compared), *samples, "bp_real *work"])
        return {
            "layers_parameters": wrapped("static void bp_layers(", layers),
            "loss_of_parameters": wrapped("static bp_real bp_loss_of(", loss),
            "gradient_parameters": wrapped("static void bp_gradient(", gradient),
            "layers_call": self.call(self.inputs, "work"),
            "loss_of_call": ", ".join([*self.labels(compared), *count, "work"]),
            "gradient_call": self.call(self.given, "grads", "work"),
        }

    def checks(self) -> dict[str, str]:
        """What is looked at before, what is copied after, and the calls by the check."""
        output = self.computation.output
        place = size_text(self.places[0][output]).replace("N", "(ptrdiff_t)n")
        total = Mul(*(SAMPLES if str(s) == "N" else s for s in self.writer.shapes[output]))
        count = ["BP_CHECKED"] * self.sampled
        given = ["work->params", *(f"work->{name}" for name in self.labels(self.given)), *count]
        loss = ", ".join([*given, "&loss", "work->work"])
        grad = ", ".join([*given, "loss", "work->grads", "work->work"])
        return {
            "forward_nulls": broken(self.nulls(self.inputs, "out", "work")),
            "loss_nulls": broken(self.nulls(self.given, "loss", "work")),
            "grad_nulls": broken(self.nulls(self.given, "loss", "grads", "work")),
            "token_checks": self.token_checks,
            "output_place": "work" if place == "0" else f"work + {place}",
            "output_size": f"({size_text(total).replace('N', 'n')})",
            "check_loss_call": wrapped("    bp_loss(", loss),
            "check_grad_call": wrapped("    bp_loss_and_grad(", grad),
        }

    def arrays(self) -> Iterator[str]:
        """Where each parameter begins; the first axis counts as the outputs."""
        for given in self.of("parameter"):
            first, *rest = [*map(int, given.sizes), *([] if given.sizes else [1])]
            yield f"    {{BP_AT_{given.label}, {first}, {prod(rest) if rest else 0}}},"

    def gains(self) -> Iterator[str]:
        for given in self.of("parameter"):
            if words.is_gain(given) and len(given.sizes) < 2:
                at, size = self.offsets[given.label]
                yield f"    for (size_t i = 0; i < {size}; i++)"
                yield f"        params[BP_AT_{given.label} + i] = 1;"
                del at

    def drawn(self, given: Given) -> Iterator[str]:
        """How the check draws an array."""
        name, size = f"work->{self.names[given.label]}", self.at_check(given)
        below = self.writer.token_counts.get(given.label)
        yield f"    for (size_t i = 0; i < {size}; i++)"
        if below:
            yield f"        {name}[i] = (int)bp_below(rng, {below});"
        elif given.role == "data":
            yield f"        {name}[i] = BP_C(0.5) + bp_unit(rng);"
        elif given.role == "target" and self.computation.loss.equation.rhs.has(log, xlogy):
            yield f"        {name}[i] = BP_C(0.1) + BP_C(0.8) * bp_unit(rng);"
        else:
            yield f"        {name}[i] = bp_normal(rng);"


def source(computation: Computation, name: str) -> str:
    """The text of `<name>.c`.

    Raises:
        UnsupportedError: sizes that are no numbers.
    """
    words.need_numbers(computation)
    return fill("code/loops.c.j2", **File(computation, name).source())


def header(computation: Computation, name: str) -> str:
    """The text of `<name>.h`.

    Raises:
        UnsupportedError: as `source`.
    """
    words.need_numbers(computation)
    return fill("code/loops.h.j2", **File(computation, name).header())
