"""The functions of a generated C file: definitions, and what it takes from the library.

In: the functions of `targets.scalars`, and the names that are used. Out: the text of C functions.
Must not know: layers, statements.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from bpderive.errors import DerivationError
from bpderive.forms.arrays import Reduce
from bpderive.locate import templates
from bpderive.targets.c.expressions import At, Printer
from bpderive.targets.c.text import Statement, identifier, prose
from bpderive.targets.layout import Code
from bpderive.targets.scalars import Function

FILES = ("c.c.j2", "c.h.j2", "c_functions.c")
"""What holds names that no definition may have."""


def _text(file: str) -> str:
    return (templates() / "code" / file).read_text(encoding="utf-8")


@cache
def reserved() -> frozenset[str]:
    """The names of the file's own functions and types."""
    return frozenset(name for file in FILES for name in re.findall(r"\bbp_\w+", _text(file)))


@cache
def library() -> Mapping[str, str]:
    """The library's functions, each with the comment before it, by name."""
    blocks = _text("c_functions.c").split("\n\n/* ")[1:]
    functions = (f"/* {block.strip()}\n" for block in blocks)
    return {text.partition("static ")[2].partition("(")[0].split()[-1]: text for text in functions}


def names(functions: Iterable[Function]) -> dict[str, str]:
    """The C name of each definition's function: `relu'` → `bp_relu_slope`."""
    found: dict[str, str] = {}
    taken = set(reserved())
    for function in functions:
        name = f"bp_{identifier(function.name)}"
        while name in taken:
            name += "_"
        taken.add(name)
        found[function.of] = name
    return found


def written(functions: Iterable[Function], helpers: set[str]) -> str:
    """Definitions and the library's functions that are used, those first that others call."""
    called = names(functions)
    own = [definition(function, called, helpers) for function in functions]
    return "\n".join([*(text for name, text in library().items() if name in helpers), *own])


def definition(function: Function, called: Mapping[str, str], helpers: set[str]) -> str:
    """`static bp_real bp_gelu_slope(bp_real z) …`."""
    printer = Printer(lambda node, _: node.label, _refuse, {}, helpers)
    slope = function.of.endswith("'")
    words = prose(f"The slope of {function.of[:-1]} at z." if slope else f"{function.of} at z.")
    parameters = ", ".join(f"bp_real {name}" for name in function.parameters)
    parts = [
        Statement(f"const bp_real {name} = {printer.code(value, {}).flat}")
        for name, value in function.parts
    ]
    body = (*parts, Statement(f"return {printer.code(function.value, {}).flat}"))
    return "\n".join(
        (
            f"/* {words} */",
            f"static bp_real {called[function.of]}({parameters})",
            "{",
            *_lines(body),
            "}\n",
        )
    )


def _lines(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        yield from statement.lines(4)


def _refuse(_: Reduce, __: At) -> Code:
    raise DerivationError("a function of numbers has a sum")
