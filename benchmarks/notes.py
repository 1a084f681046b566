"""How long notes take, as ratios within one run: `python benchmarks/notes.py [ROUNDS]`.

To PDF, and to every format at once, against the default command; and ten thousand formulas printed
from their objects, against the same texts written by a template. Needs `bpderive[notes]`.
"""

import sys
from collections.abc import Callable, Iterable
from time import perf_counter

from cli import PYTHON, measure

ROUNDS = 7
SIZES = (100, 100)
NETWORK = ("--layers", "2,2,2,1")
NOTES = (PYTHON, "-m", "bpderive", "notes", *NETWORK)
EVERY = "latex,slides,typst,pdf,markdown,html,notebook,text"
COMMANDS = {
    "default": (PYTHON, "-m", "bpderive", *NETWORK),
    "pdf": (*NOTES, "-o", "notes.pdf"),
    "every": (*NOTES, "--format", EVERY),
}
RATIOS = (("notes to PDF", "pdf", 3.0), ("notes in every format", "every", 6.0))
PRINTED = 2.0
TEMPLATE = "{% for line in lines %}\\noindent $\\displaystyle {{ line }}$\\par\n{% endfor %}"


def fastest(run: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds."""

    def once() -> float:
        start = perf_counter()
        run()
        return perf_counter() - start

    return min(once() for _ in range(20))


def formulas() -> tuple[float, float]:
    """Seconds for a page of ten thousand gradients, and for a template given their texts."""
    from jinja2 import Environment
    from sympy import Symbol

    from bpderive.document.blocks import Document, Listing, Section, Words
    from bpderive.document.mathematics import Plain
    from bpderive.index import Partial, element
    from bpderive.notation import load
    from bpderive.render import render
    from bpderive.render.latex import math

    i, j = Symbol("_i"), Symbol("_j")
    sides = (
        Partial(element("L", ()), element("w1", (i, j))),
        element("delta1", (i,)) * element("x", (j,)),
    )
    block = Listing(*sides, (i, j), SIZES)
    title = Words("title.line", {"text": Plain("gradients")})
    page = Document(title, (Section("gradients", (block,)),))
    lines = "".join(math(load()).lines(*sides, (i, j), SIZES)).splitlines()
    template = Environment(autoescape=False).from_string(TEMPLATE)  # noqa: S701 - plain text
    if template.render(lines=lines) not in str(render(page, "latex")):
        raise SystemExit("the two do not print the same")
    return fastest(lambda: render(page, "latex")), fastest(lambda: template.render(lines=lines))


def told(what: str, ratio: float, against: str, limit: float) -> str:
    """One line."""
    return f"{what}: {ratio:.2f} x {against} (at most {limit})"


def main(arguments: Iterable[str] = sys.argv[1:]) -> None:
    """Print the figures."""
    medians = measure(COMMANDS, int(next(iter(arguments), ROUNDS)))
    for what, name, limit in RATIOS:
        print(told(what, medians[name] / medians["default"], "the default command", limit))
    ours, plain = formulas()
    print(told("10000 formulas", ours / plain, "their texts through Jinja", PRINTED))


if __name__ == "__main__":
    main()
