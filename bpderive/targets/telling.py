"""What the docstrings of every module of any layers say alike.

In: a `Computation`, texts. Out: lines of a docstring. Must not know: a target.
"""

from textwrap import fill

from bpderive.schedule.model import Computation
from bpderive.targets.layout import WIDTH

MEANINGS = {
    "input": "the input",
    "tokens": "tokens, counted from 0",
    "data": "given numbers",
    "target": "what the output is compared with",
}


def title(computation: Computation) -> str:
    """The first line."""
    name = clean(computation.name)
    line = f"The network {name}, and the gradient of its loss."
    if len(line) + 3 <= WIDTH and "\n" not in line:
        return line
    return f"A network of {len(computation.layers)} layers, and the gradient of its loss."


def clean(text: str) -> str:
    """Text that can stand in a docstring."""
    kept = (c if c.isprintable() else "?" for c in text)
    return "".join(kept).replace("\\", "/").replace('"', "'").replace("µ", "u")


def item(text: str) -> str:
    """An item of a docstring's list."""
    return fill(text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 12)
