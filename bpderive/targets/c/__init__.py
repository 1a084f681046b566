"""The C file of a program, its header, and a pytest file for both.

In: a `Program`, and the name that the files have before their dots. Out: their texts: C99 that
needs nothing but libm; structure from `templates/code/c.c.j2`, `c.h.j2` and `test_c.py.j2`, small
functions from `c_functions.c` beside them. Must not know any mathematics.
"""

from bpderive.program import Program
from bpderive.targets.c.file import File
from bpderive.templating import fill


def source(program: Program, name: str) -> str:
    """The text of `<name>.c`.

    Raises:
        UnsupportedError: symbolic sizes, or a network too large for one C file.
    """
    return fill("code/c.c.j2", **File(program, name).source())


def header(program: Program, name: str) -> str:
    """The text of `<name>.h`.

    Raises:
        UnsupportedError: as `source`.
    """
    return fill("code/c.h.j2", **File(program, name).header())


def test(program: Program, name: str) -> str:
    """The text of a pytest file that compiles `<name>.c` beside it and checks its gradient.

    Raises:
        UnsupportedError: as `source`.
    """
    return fill("code/test_c.py.j2", **File(program, name).test())
