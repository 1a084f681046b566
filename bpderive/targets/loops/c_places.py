"""Where parameters, tensors and what is given lie in C, and how functions take them.

In: a `Computation`. Out: names, offsets, and the parameters of functions. Must not know: the files'
templates, any mathematics.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

from sympy import Expr, Integer, Mul, Symbol

from bpderive.schedule.model import Computation, Given
from bpderive.targets.loops.c import size_text
from bpderive.targets.loops.equations import Writer

NAMES = frozenset(
    [
        "N",
        "NULL",
        "NAN",
        "INFINITY",
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "asm",
        "near",
        "far",
        "params",
        "grads",
        "work",
        "loss",
        "out",
        "isnan",
        "isfinite",
        "isinf",
        "signbit",
        "ptrdiff_t",
        "size_t",
        "errno",
        "HUGE_VAL",
        "memcpy",
        "memset",
        "strcmp",
    ]
)
MATHS = frozenset(
    [
        "sqrt",
        "pow",
        "fabs",
        "fmax",
        "cos",
        "sin",
        "tan",
        "cosh",
        "sinh",
        "tanh",
        "erf",
        "exp",
        "expm1",
        "log",
        "log1p",
        "copysign",
    ]
)
SAMPLES = Symbol("N", integer=True, positive=True)


@dataclass(frozen=True)
class Places:
    """Where everything lies, and what the functions are handed."""

    computation: Computation

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of tensors in the code; the loss is L."""
        labels = Writer(self.computation, frozenset()).shapes
        taken = NAMES | MATHS
        found = {label: label + "_" * (label in taken) for label in labels}
        return found | {self.root: "L"}

    @property
    def root(self) -> str:
        return self.computation.loss.equation.label

    @cached_property
    def writer(self) -> Writer:
        return Writer(
            self.computation, frozenset({*NAMES, *MATHS, *self.names, *self.names.values()})
        )

    # --- What is given, and where the rest lies ---

    def of(self, *roles: str) -> list[Given]:
        """What is given in some roles, the target last."""
        found = [given for given in self.computation.given if given.role in roles]
        return sorted(found, key=lambda given: given.role == "target")

    @property
    def inputs(self) -> list[Given]:
        return self.of("input", "tokens", "data")

    @property
    def given(self) -> list[Given]:
        return self.of("input", "tokens", "data", "target")

    @cached_property
    def sampled(self) -> bool:
        """Whether there is a number of samples."""
        return any(SAMPLES in g.sizes or "N" in map(str, g.sizes) for g in self.given)

    @cached_property
    def offsets(self) -> Mapping[str, tuple[int, int]]:
        """Where each parameter begins, and its size."""
        found, start = dict[str, tuple[int, int]](), 0
        for given in self.of("parameter"):
            size = prod(map(int, given.sizes))
            found[given.label] = (start, size)
            start += size
        return found

    @property
    def count(self) -> int:
        return sum(size for _, size in self.offsets.values())

    @cached_property
    def places(self) -> tuple[Mapping[str, Expr], Expr]:
        """Where each tensor lies that is computed, and the size of all."""
        gradients = {label for _, label in self.computation.gradients}
        labels = [
            line.equation.label for part in range(3) for line in self.writer.source_lines(part)
        ]
        at: Expr = Integer(0)
        found: dict[str, Expr] = {}
        for label in labels:
            if label not in gradients and label != self.root:
                found[label] = at
                sizes = (SAMPLES if str(s) == "N" else s for s in self.writer.shapes[label])
                at = (at + Mul(*sizes)).expand()
        return found, at

    # --- Parameters of functions ---

    def declared(self, given: Iterable[Given]) -> list[str]:
        """`const bp_real *x`."""
        kinds = self.writer.tokens
        return [
            f"const {'int' if g.label in kinds else 'bp_real'} *{self.names[g.label]}"
            for g in given
        ]

    def parameters(self, given: Iterable[Given], *results: str, inner: bool = False) -> str:
        """The parameters of a function."""
        samples = ["ptrdiff_t N" if inner else "size_t n"] * self.sampled
        return ", ".join(["const bp_real *params", *self.declared(given), *samples, *results])

    def call(self, given: Iterable[Given], *results: str) -> str:
        samples = ["(ptrdiff_t)n"] * self.sampled
        return ", ".join(["params", *(self.names[g.label] for g in given), *samples, *results])

    def nulls(self, given: Iterable[Given], *results: str) -> str:
        names = ["params", *(self.names[g.label] for g in given), *results]
        return " || ".join(f"{name} == NULL" for name in names)

    @property
    def token_checks(self) -> str:
        lines = []
        for label, below in self.writer.token_counts.items():
            size = Mul(*(SAMPLES if str(s) == "N" else s for s in self.writer.shapes[label]))
            count = size_text(size).replace("N", "n")
            lines.append(f"    if (!bp_known({self.names[label]}, {count}, {below}))")
            lines.append("        return BP_LABELS;")
        return "\n".join(lines)


def words_of(lines: Iterable[str]) -> set[str]:
    """The names in lines of code."""
    return set(re.findall(r"[A-Za-z_]\w*", re.sub(r"/\*.*?\*/", "", "\n".join(lines))))


def needed(text: str) -> set[str]:
    """The macros that are used, and those that they use."""
    used = words_of([text])
    return used | ({"BP_MOD"} if "BP_FLOOR" in used else set())


def value_of(lines: list[str]) -> Iterator[str]:
    """Lines whose assignment of L, which comes last, is what is returned."""
    last = max(k for k, line in enumerate(lines) if line.startswith("    L ="))
    yield from lines[:last]
    yield lines[last].replace("    L =", "    return", 1)
    yield from lines[last + 1 :]


def wrapped(head: str, parameters: str) -> str:
    """Parameters in lines of 100 columns, below each other."""
    margin, width, lines = " " * len(head), 98, [""]
    for part in parameters.split(", "):
        joined = f"{lines[-1]}, {part}" if lines[-1] else part
        if len(head) + len(joined) > width and lines[-1]:
            lines[-1] += ","
            lines.append(part)
        else:
            lines[-1] = joined
    return f"\n{margin}".join(lines)


def broken(test: str) -> str:
    """A long test in several lines."""
    lines, width = [""], 88
    for part in test.split(" || "):
        joined = f"{lines[-1]} || {part}" if lines[-1] else part
        if len(joined) > width:
            lines.append(f"|| {part}")
        else:
            lines[-1] = joined
    return "\n        ".join(lines)
