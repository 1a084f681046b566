"""What is done against vanishing and exploding gradients, each with one exact statement.

In: a `Network`. Out: blocks: the activations side by side, initialisation, normalisation, residual
layers; clipping in numbers. Must not know: letters, words.
"""

from collections.abc import Iterator
from itertools import zip_longest

from sympy import Expr, Function, Integer, Rational, Symbol, acos, pi, sqrt

from bpderive.catalog import CATALOG, Activation
from bpderive.document.blocks import (
    Block,
    Cell,
    Code,
    Command,
    Equations,
    Heading,
    Paragraph,
    Remark,
    Row,
    Table,
    Words,
)
from bpderive.document.mathematics import Formula, Named, Ordered, Plain, Value
from bpderive.document.maxima import Z, bound_of
from bpderive.slopes.extrema import maximal_slope

GRADIENT = (Integer(-7), Integer(24))
"""A small gradient whose norm is whole: 25."""

DIGITS = 3
TRUNCATED = "0.7737"
"""The variance of a normal distribution cut at two standard deviations, of variance 1 before."""

SWAPPED = "tf.clip_by_value(gradient, 1, -1)"
RIGHT = "tf.clip_by_value(gradient, clip_value_min=-1, clip_value_max=1)\n"
HERE, BELOW, S = Symbol("n{l}"), Symbol("n{l-1}"), Symbol("r")
FACTOR = Symbol("q")
U, V = Symbol("u"), Symbol("v")


def remedies() -> Iterator[Block]:
    """Another activation, initialisation, normalisation, residual layers, fewer layers."""
    yield Heading(Words("flow.remedies_title"))
    yield from _activations()
    yield from _initialisation()
    yield from _normalisation()
    yield from _residual()
    yield Paragraph(Words("flow.shallower"))


def _activations() -> Iterator[Block]:
    yield Paragraph(Words("flow.activations"))
    cells: list[tuple[Cell, Cell]] = [
        (Named(row.name), _largest(row)) for row in CATALOG.activations if row.elementwise
    ]
    half = (len(cells) + 1) // 2
    pairs = zip_longest(cells[:half], cells[half:], fillvalue=(Plain(""), Plain("")))
    rows = tuple((*left, *right) for left, right in pairs)
    yield Table(("activation", "largest_slope") * 2, rows)
    relu = Formula(Function("relu'")(Z))
    yield Remark(Words("flow.claim_relu", {"slope": relu, "z": Formula(Z)}))


def _largest(row: Activation) -> Cell:
    bound, found = bound_of(row), maximal_slope(row)
    if bound is None or found.value is None:
        return Words("flow.unbounded" if found.kind == "unbounded" else "flow.no_bound")
    return Formula(bound) if bound == found.value else Value(found.value.evalf(12), 6)


def _initialisation() -> Iterator[Block]:
    """What the variance of the weights has to be, and which distributions have it."""
    variance, mean = Function("Var"), Function("E")
    w, slope = Symbol("w"), Function("f'")(Z)
    kept = (HERE, variance(w), mean(slope**2))
    yield Paragraph(Words("flow.initial", {"kept": Ordered(kept), "slope": Formula(slope)}))
    rows = (
        (Words("flow.he"), Formula(Rational(1, 2)), Formula(2 / HERE)),
        (Words("flow.xavier"), Formula(Integer(1)), Formula(2 / (HERE + BELOW))),
        (Words("flow.sigmoid"), Formula(Rational(1, 16)), Formula(16 / HERE)),
    )
    yield Table(("where", "mean_square", "variance"), rows)
    slots: dict[str, Cell] = {
        "s": Formula(S),
        "low": Formula(-sqrt(3) * S),
        "high": Formula(sqrt(3) * S),
        "share": Plain(TRUNCATED),
    }
    yield Paragraph(Words("flow.distributions", slots))


def _normalisation() -> Iterator[Block]:
    m, s, k = Function("E")(Z), sqrt(Function("Var")(Z)), FACTOR
    slots = {"m": Formula(m), "s": Formula(s), "k": Formula(k), "z": Formula(Z)}
    slots["normal"] = Formula((Z - m) / s)
    yield Paragraph(Words("flow.normal", slots))


def _residual() -> Iterator[Block]:
    """`(1 + u)(1 + v) = 1 + u + v + uv`."""
    slots: dict[str, Cell] = {"u": Formula(U), "v": Formula(V), "product": Formula(U * V)}
    yield Paragraph(Words("flow.residual", slots))
    product = (1 + U) * (1 + V)
    yield Equations((Row(Formula(product), Formula(product.expand())),))
    yield Paragraph(Words("flow.residual_one", slots))
    blocks, layers = Symbol("B"), Symbol("q")
    scale = Formula(blocks ** (-1 / (2 * layers - 2)))
    fixup = {"scale": scale, "blocks": Formula(blocks), "layers": Formula(layers)}
    yield Paragraph(Words("flow.fixup", fixup))


def clipping() -> Iterator[Block]:
    """Clipping by value and by norm, of one gradient in numbers."""
    g = Formula(Symbol("g"))
    norm = _norm(GRADIENT)
    by_value = tuple(max(Integer(-1), min(Integer(1), part)) for part in GRADIENT)
    by_norm = tuple(part / norm for part in GRADIENT)
    yield Heading(Words("flow.clipping_title"))
    yield Paragraph(Words("flow.clipping", {"g": g}))
    yield Table(
        ("clipped", "becomes", "turned_by"),
        (
            (Words("flow.not_clipped"), _vector(GRADIENT), _angle(GRADIENT)),
            (Words("flow.by_value"), _vector(by_value), _angle(by_value)),
            (Words("flow.by_norm"), _vector(by_norm), _angle(by_norm)),
        ),
    )
    yield Paragraph(Words("flow.direction", {"g": g, "norm": Formula(norm)}))
    yield Remark(Words("flow.claim_clip", {"swapped": Command(SWAPPED)}))
    yield Code("python", RIGHT)


def _vector(parts: tuple[Expr, ...]) -> Words:
    first, second = (Value(part, DIGITS) for part in parts)
    return Words("flow.vector", {"first": first, "second": second})


def _angle(parts: tuple[Expr, ...]) -> Words:
    """By how many degrees a vector is turned away from the gradient."""
    inner = sum((a * b for a, b in zip(parts, GRADIENT, strict=True)), Integer(0))
    angle = acos(inner / (_norm(parts) * _norm(GRADIENT))) * 180 / pi
    return Words("flow.degrees", {"angle": Value(angle.evalf(8), DIGITS)})


def _norm(parts: tuple[Expr, ...]) -> Expr:
    return sqrt(sum((part**2 for part in parts), Integer(0)))
