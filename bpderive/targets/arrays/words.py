"""What the docstrings of a module say, and how its check draws what is given.

In: a `Computation`. Out: text. Must not know: the module's code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from textwrap import fill

from sympy import Expr, Indexed, Integer, Symbol, log

from bpderive.functions import xlogy
from bpderive.index import label_of
from bpderive.schedule.model import Computation, Given, Line
from bpderive.targets.arrays.block import Block, Shape
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.layout import WIDTH, collection
from bpderive.targets.telling import MEANINGS, clean, item

CANDIDATES = (5, 4, 3, 2, 6, 7, 1)
"""Sizes that the check tries for those that are no numbers."""


def about(computation: Computation) -> str:
    """The layers, and what the comments mean."""
    layers = ", ".join(f"{k} {clean(layer)}" for k, layer in enumerate(computation.layers, 1))
    sentences = [
        f"Layers: {layers}." if layers else "",
        f"The loss is the {reduction(computation)}.",
        "A number in a comment is that of the equation in the derivation, and after it stands "
        "the shape. An index of the derivation counts from 1, and one of an array from 0; "
        "so do tokens.",
    ]
    return fill(" ".join(filter(None, sentences)), WIDTH)


def reduction(computation: Computation) -> str:
    """How the samples' losses become one."""
    if not computation.samples:
        return "loss of the sample"
    return f"{'mean' if computation.mean else 'sum'} over the samples"


@dataclass(frozen=True)
class Told:
    """The arguments in words."""

    computation: Computation
    block: Block

    def inputs(self, roles: Sequence[str]) -> str:
        """A line for each argument."""
        given = [g for g in self.computation.given if g.role in roles]
        given.sort(key=lambda g: g.role == "target")
        return "\n".join(map(self.one, given))

    def one(self, given: Given) -> str:
        name = self.block.name(given.label)
        return item(f"{name}: {MEANINGS[given.role]}, {_shape(given.sizes)}.")

    def output(self, name: str, sizes: tuple[Expr, ...]) -> str:
        return item(f"{name}, {_shape(sizes)}.")


def _shape(sizes: tuple[Expr, ...]) -> str:
    texts = [whole(size).flat for size in sizes]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


@dataclass(frozen=True)
class Drawing:
    """How the check draws parameters and samples."""

    computation: Computation
    lines: tuple[Line, ...]
    shapes: Mapping[str, Shape]

    def tokens(self) -> Mapping[str, Expr]:
        """How many tokens there are, of each tensor that is used as an index."""
        found: dict[str, Expr] = {}
        for line in self.lines:
            for tensor in sorted(line.equation.rhs.atoms(Indexed), key=str):
                for place, index in enumerate(tensor.indices):
                    if isinstance(index, Indexed):
                        size = self.shapes[label_of(tensor)].sizes[place]
                        found.setdefault(label_of(index), size)
        return {label: size for label, size in found.items() if self.shapes[label].tokens}

    def sizes(self, names: Sequence[str]) -> str:
        """`{"H": 5, "C": 4}`."""
        values = self.values()
        return "{" + ", ".join(f'"{name}": {values[name]}' for name in names) + "}"

    def values(self) -> Mapping[str, int]:
        """Numbers for all sizes that are names, with which every tensor has elements."""
        sizes = {size for shape in self.shapes.values() for size in shape.sizes}
        symbols = sorted({s for size in sizes for s in size.free_symbols}, key=str)
        turns = product(CANDIDATES, repeat=min(len(symbols), 6))
        for _, turn in zip(range(5000), turns, strict=False):
            spread = (Integer(turn[k % len(turn)]) for k in range(len(symbols)))
            table: dict[Symbol, Expr] = dict(zip(symbols, spread, strict=True))
            if all(_good(size.xreplace(table)) for size in sizes):
                return {str(s): int(n) for s, n in table.items()}
        return {str(s): 3 for s in symbols}

    def given(self) -> str:
        """A tuple of what is drawn."""
        given = [g for g in self.computation.given if g.role != "parameter"]
        given.sort(key=lambda g: g.role == "target")
        items = [self.drawn(g) for g in given]
        return collection("given = ", items if len(items) > 1 else [f"{items[0]},"], "", "()", 12)

    def drawn(self, given: Given) -> str:
        values = self.values()
        table = {s: Integer(values[str(s)]) for size in given.sizes for s in size.free_symbols}
        shape = tuple(int(size.xreplace(table)) for size in given.sizes)
        tokens = self.tokens()
        if given.label in tokens:
            size = tokens[given.label]
            count = size.xreplace({s: Integer(values[str(s)]) for s in size.free_symbols})
            return f"rng.integers({count}, size={shape})"
        if given.role == "data":
            return f"rng.uniform(0.5, 1.5, {shape})"
        if given.role == "target" and self.computation.loss.equation.rhs.has(log, xlogy) and shape:
            return f"rng.dirichlet(np.ones({shape[-1]}), {shape[:-1]})"
        return f"rng.normal(size={shape})"


def _good(size: Expr) -> bool:
    return bool(size.is_Integer and size >= 1)
