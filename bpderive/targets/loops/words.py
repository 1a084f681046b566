"""What the docstrings and constants of these modules say.

In: a `Computation`. Out: text. Must not know: the module's code.
"""

from collections.abc import Iterable, Mapping
from textwrap import fill

from sympy import Expr

from bpderive.errors import UnsupportedError
from bpderive.functions.conditions import fixed
from bpderive.schedule.model import Computation, Given, Loop
from bpderive.targets.layout import WIDTH, collection
from bpderive.targets.telling import MEANINGS, clean, item

STOPPED = (
    "What the derivation takes as a constant has no part in the gradient, which therefore differs "
    "from that of the loss: the check against differences tells by how much."
)


def _stops(computation: Computation) -> bool:
    items = (*computation.forward, computation.loss)
    lines = (one for item in items for one in (item.lines if isinstance(item, Loop) else (item,)))
    return any(line.equation.rhs.has(fixed) for line in lines)


def need_numbers(computation: Computation) -> None:
    """For targets whose code has the sizes in it; the number of samples may be open.

    Raises:
        UnsupportedError: other sizes that are no numbers.
    """
    found = {s for given in computation.given for size in given.sizes for s in size.free_symbols}
    names = ", ".join(sorted({str(symbol) for symbol in found} - {"N"}))
    if names:
        raise UnsupportedError(
            f"this target needs the sizes as numbers, and here are {names}: "
            "take the target numpy, or give the sizes, such as file.eq(H=4)"
        )


def about(computation: Computation, width: int = WIDTH) -> str:
    """The layers, and what the comments mean."""
    layers = ", ".join(f"{k} {clean(layer)}" for k, layer in enumerate(computation.layers, 1))
    sentences = [
        f"Layers: {layers}." if layers else "",
        f"The loss is {reduction(computation)}.",
        STOPPED if _stops(computation) else "",
        "A number in a comment is that of the equation in the derivation; there, an index counts "
        "from 1, and here from 0: so do tokens.",
    ]
    return fill(" ".join(filter(None, sentences)), width)


def reduction(computation: Computation) -> str:
    """How the samples' losses become one."""
    if not computation.samples:
        return "that of the sample"
    return f"the {'mean' if computation.mean else 'sum'} over the samples"


def constants(
    shapes: Mapping[str, tuple[Expr, ...]], given: Iterable[Given], counts: Mapping[str, int]
) -> str:
    """`SHAPES`, `GIVEN`, and `TOKENS` where there are some."""
    params = (f'"{label}": {_tuple(sizes)}' for label, sizes in shapes.items())
    rest = (f'"{g.label}": {_tuple(g.sizes)}' for g in given)
    lines = [
        collection("SHAPES: dict[str, tuple[int, ...]] = ", params, "", "{}", indent=0),
        collection("GIVEN: dict[str, tuple[int | str, ...]] = ", rest, "", "{}", indent=0),
    ]
    tokens = (f'"{label}": {count}' for label, count in counts.items())
    return "\n".join(lines + [collection("TOKENS = ", tokens, "", "{}", indent=0)] * bool(counts))


def _tuple(sizes: tuple[Expr, ...]) -> str:
    texts = [f'"{size}"' if not size.is_Integer else str(size) for size in sizes]
    return f"({', '.join(texts)}{',' * (len(texts) == 1)})"


def shape(sizes: tuple[Expr, ...]) -> str:
    """`(N, 3)`."""
    return f"({', '.join(map(str, sizes))}{',' * (len(sizes) == 1)})"


def told(given: Iterable[Given], names: Mapping[str, str], counts: Mapping[str, int]) -> str:
    """A line for each argument."""
    lines = []
    for one in given:
        meaning = MEANINGS["tokens" if one.label in counts else one.role]
        more = f", each below {counts[one.label]}" if one.label in counts else ""
        lines.append(item(f"{names[one.label]}: {meaning}{more}, {shape(one.sizes)}."))
    return "\n".join(lines)


def is_gain(given: Given) -> bool:
    """Whether a parameter multiplies what was normalised: it begins as 1."""
    return given.label.startswith("gamma")
