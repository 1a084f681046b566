"""The mistakes that people make in derivations of back-propagation: an ordered table.

In: a `Place`, one derivative of one kind of layer. Out: a wrong right-hand side for it, or None
where the mistake cannot be made. Slopes may stand as `f'(z)`, where they are the layer's own. To
add a mistake, add a row, and its name in each language. Must not know: how anything is proved.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Indexed, Integer, Rational, Sum

from bpderive.catalog import Activation, Kink
from bpderive.equations import ABOVE, BELOW, HERE, SAMPLES
from bpderive.formula import parse
from bpderive.functions import scalar_symbol, select
from bpderive.index import element, label_of, peel, rename, sum_over
from bpderive.rules.rewriting import where
from bpderive.verify.formulas import FLOAT, read
from bpderive.verify.place import Place

RATE = Rational(1, 10)
"""The learning rate of a step that came too early."""
WEIGHT, DELTA = f"w{ABOVE}", f"delta{ABOVE}"


@dataclass(frozen=True)
class Mistake:
    """One mistake: `plant` makes it in the derivative by a tensor of one of these letters."""

    id: str
    letters: str
    plant: Callable[[Place], Expr | None]


# --- The slope of the activation ---


def slope_dropped(place: Place) -> Expr | None:
    """`δ_i = f'(z_i) ∂L/∂a_i → ∂L/∂a_i`."""
    return place.by(f"a{HERE}") if place.row.name != "linear" else None


def a_for_z(place: Place) -> Expr | None:
    """`f'(z_i) → f'(a_i)`."""
    at = element(f"a{HERE}", place.indices)
    return place.by(f"a{HERE}") * slope_at(place.row, at) if place.bends else None


def next_slope(place: Place) -> Expr | None:
    """`f'(z_i) Σ_k w_ki δ_k → Σ_k w_ki f'(z{l+1}_k) δ_k`."""

    def sloped(delta: Indexed) -> Expr:
        return delta * slope_at(place.row, element(f"z{ABOVE}", tuple(delta.indices)))

    wrong = place.with_each(DELTA, sloped) if place.bends else None
    return wrong.xreplace({place.slope: Integer(1)}) if wrong is not None else None


def slope_at(row: Activation, u: Expr) -> Expr:
    """The slope of an activation at any quantity."""
    z, a = scalar_symbol("z"), scalar_symbol("a")
    return row.slope_expr.xreplace({z: u, a: row.definition.xreplace({z: u})})


def softmax_diagonal(place: Place) -> Expr | None:
    """`Σ_k ∂L/∂a_k ∂a_k/∂z_i → ∂L/∂a_i ∂a_i/∂z_i`; also of the softmax that a loss applies."""
    if not place.row.elementwise:
        return place.by(f"a{HERE}") * place.within(f"a{HERE}", f"z{HERE}")
    if not place.kind.last or place.network.stage is None:
        return None
    return place.by("p") * place.within("p", f"a{HERE}") * place.slope


def clip_swapped(place: Place) -> Expr | None:
    """`a = min(max(z, lo), hi) → min(max(z, hi), lo)`, which is constant: `δ_i = 0`."""
    return Integer(0) if place.bends and clips(place.row.formula) else None


def clips(formula: str) -> bool:
    """Whether an activation is z between two bounds, and constant beyond them."""
    try:
        below, low, high, above = (_value(formula, z) for z in (-2e6, -1e6, 1e6, 2e6))
        inner = [low + part * (high - low) for part in (0.25, 0.5, 0.75)]
        same = all(abs(_value(formula, z) - z) < 1e-9 for z in inner)
    except (ArithmeticError, ValueError):
        return False
    return below == low < high == above and same


def _value(formula: str, z: float) -> float:
    return float(read(formula, FLOAT)({"z": z}, (z,)))


def kink_other(place: Place) -> Expr | None:
    """`½` for the slope exactly at a kink, where another is stated.

    Of the loss only where the outputs are linear: others may never lie on its kink.
    """
    terms = [_other(kink, place, place.by(f"a{HERE}")) for kink in place.row.kinks]
    if place.kind.last and place.row.name == "linear" and place.network.stage is None:
        mean = place.network.loss.combine == "mean"
        scale = 1 / place.derived.tensor.sizes[-1] if mean else Integer(1)
        kinks = place.network.loss.kinks
        terms += [_other(kink, place, scale, "a") for kink in kinks]
    return place.rhs + sum(terms) if any(terms) else None


def _other(kink: Kink, place: Place, factor: Expr, letter: str = "z") -> Expr:
    """`[u = kink] (½ − its slope)` for a quantity u of the neuron, times a factor."""
    u, y = element(f"{letter}{HERE}", place.indices), element("y", place.indices)
    texts = (kink.at, kink.slope)
    at, slope = (parse(text, ("y",)).xreplace({scalar_symbol("y"): y}) for text in texts)
    there = 1 - select(u - at, Integer(1), Integer(0)) - select(at - u, Integer(1), Integer(0))
    return (Rational(1, 2) - slope) * there * factor


# --- The weights on the way ---


def weight_transposed(place: Place) -> Expr | None:
    """`Σ_k w_ki δ_k → Σ_k w_ik δ_k`."""
    return place.with_each(WEIGHT, lambda w: element(WEIGHT, tuple(w.indices[::-1])))


def path_missing(place: Place) -> Expr | None:
    """`Σ_k w_ki δ_k → Σ_{k>1} w_ki δ_k`: the path through the first neuron is left out."""

    def shorter(node: Expr) -> Expr | None:
        if not isinstance(node, Sum) or DELTA not in map(label_of, node.atoms(Indexed)):
            return None
        body, index, _ = peel(node)
        return node - body.xreplace({index: Integer(1)})

    return where(place.rhs, shorter)


def updated_weights(place: Place) -> Expr | None:
    """`w_ki → w_ki − η ∂L/∂w_ki`: the layer above took its step already."""

    def updated(w: Indexed) -> Expr:
        k, i = place.network.ends(w.indices)
        gradient = element(DELTA, (k,)) * element(f"a{HERE}", (i,))
        if place.kind.batch:
            n = place.context.fresh()
            gradient = element(DELTA, (n, k)) * element(f"a{HERE}", (n, i))
            gradient = sum_over(gradient, n, SAMPLES) / (SAMPLES if place.mean else 1)
        return w - RATE * gradient

    return place.with_each(WEIGHT, updated)


# --- Indices ---


def outer_swapped(place: Place) -> Expr | None:
    """`δ_i a_j → δ_j a_i`."""
    i, j = place.indices  # in any order
    return place.rhs.xreplace({i: j, j: i})


def index_slipped(place: Place) -> Expr | None:
    """`δ_i a_j → δ_i a_i`; in a delta, `Σ_k w_ki δ_k → Σ_k w_ki δ_i`."""
    if place.letter == "w":
        i, j = place.network.ends(place.indices)
        return place.rhs.xreplace({j: i})
    here = place.indices[-1]
    return place.with_each(DELTA, lambda d: element(DELTA, (*d.indices[:-1], here)))


def layer_slipped(place: Place) -> Expr | None:
    """`δ_i a{l-1}_j → δ_i a{l}_j`."""
    return rename(place.rhs, {f"a{BELOW}": f"a{HERE}"})


# --- Factors ---


def factor_two(place: Place) -> Expr | None:
    """`δ_i → 2 δ_i` at the output: the 2 of a square that its ½ should have taken."""
    return 2 * place.rhs if place.kind.last else None


def factor_half(place: Place) -> Expr | None:
    """`δ_i → ½ δ_i` at the output: a ½ that nothing brought."""
    return place.rhs / 2 if place.kind.last else None


def mean_missing(place: Place) -> Expr | None:
    """`1/N Σ_n δ a → Σ_n δ a`."""
    return place.rhs * SAMPLES if place.kind.batch and place.mean else None


def mean_twice(place: Place) -> Expr | None:
    """`1/N Σ_n δ a → 1/N² Σ_n δ a`."""
    return place.rhs / SAMPLES if place.kind.batch and place.mean else None


def sign(place: Place) -> Expr | None:
    """`δ_i → −δ_i`."""
    return -place.rhs


def bias_forgotten(_place: Place) -> Expr | None:
    """`∂L/∂b_i = δ_i → 0`."""
    return Integer(0)


MISTAKES = (
    Mistake("slope_dropped", "z", slope_dropped),
    Mistake("a_for_z", "z", a_for_z),
    Mistake("next_slope", "z", next_slope),
    Mistake("weight_transposed", "az", weight_transposed),
    Mistake("outer_swapped", "w", outer_swapped),
    Mistake("index_slipped", "azw", index_slipped),
    Mistake("layer_slipped", "w", layer_slipped),
    Mistake("path_missing", "az", path_missing),
    Mistake("factor_two", "z", factor_two),
    Mistake("factor_half", "z", factor_half),
    Mistake("mean_missing", "wb", mean_missing),
    Mistake("mean_twice", "wb", mean_twice),
    Mistake("sign", "z", sign),
    Mistake("updated_weights", "az", updated_weights),
    Mistake("bias_forgotten", "b", bias_forgotten),
    Mistake("softmax_diagonal", "z", softmax_diagonal),
    Mistake("clip_swapped", "z", clip_swapped),
    Mistake("kink_other", "z", kink_other),
)
"""In the order in which they are told. `letters`: a derivative without a name is part of others."""
