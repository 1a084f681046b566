"""Pieces of the dense C target that these files have too: random numbers, optimizers.

In: nothing. Out: texts. Must not know: equations.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from bpderive.templating import fill

FLAGS = ("unrolled", "mean", "bias", "distribution", "neurons_first")
TEXTS = [
    "name",
    "told",
    "title",
    "functions",
    "forward",
    "loss",
    "backward",
    "share_told",
    "arrays",
    "draw",
    "output",
    "about",
    "depth",
    "inputs",
    "outputs",
    "parameters",
    "work",
    "work_size",
    "offsets",
    "labels",
    "reduction",
    "guard",
]


@cache
def _made(template: str) -> str:
    told: dict[str, Any] = dict.fromkeys(TEXTS, "µ") | dict.fromkeys(FLAGS, False)
    return fill(template, rows="outputs", columns="inputs", **told)


def _between(text: str, first: str, last: str) -> str:
    start = text.index(first)
    return text[start : text.index(last, start)]


def header() -> str:
    """Random numbers, first parameters, gradients and steps, as the header declares them."""
    return _between(_made("code/c.h.j2"), "/* --- Random numbers", "/* --- Training ---")


def source(arrays: str) -> Mapping[str, str]:
    """The functions of the same, and the program that checks."""
    text = _made("code/c.c.j2")
    first = _between(text, "/* --- First parameters", "int bp_init(")
    return {
        "random": _between(text, "/* --- Random numbers", "/* --- First parameters"),
        "first": first.replace("µ", arrays),
        "steps": _between(text, "/* --- Gradients and steps", "/* --- Training ---"),
        "main": text[text.index("#ifdef BP_MAIN") :],
    }
