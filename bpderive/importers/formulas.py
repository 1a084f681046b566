"""Functions of single elements that a model puts together from smaller ones: one activation.

In: operations on a value and numbers. Out: a formula in z, or the name that the catalogue has for
it. Must not know: any library of models.
"""

from cmath import isclose
from dataclasses import dataclass
from functools import cache
from typing import Any

from bpderive.catalog import CATALOG
from bpderive.errors import SpecError
from bpderive.importers import saying
from bpderive.importers.graph import Call, Value, require

_POINTS = (-4.3, -2.1, -0.7, -0.2, 0.3, 0.9, 1.8, 5.6)
MAX_LENGTH = 400


@dataclass(frozen=True)
class Formula:
    """A function of each element of `base`, called as the node that last added to it."""

    base: Value
    text: str
    call: Call

    @property
    def shape(self) -> tuple[int, ...]:
        """That of its base."""
        return self.base.shape

    def layer(self) -> Value:
        """As a layer.

        Raises:
            Unread: the formula has no derivative that can be written down.
        """
        if self.text == "z" or self.base.lost:
            return self.base
        name = name_of(self.text)
        require(name, f"the function {self.text[:80]} has no slope that can be written down")
        made = self.call.graph.made
        if (self.base, self.text) not in made:
            made[self.base, self.text] = saying.activated(self.call.of(self.base), name)
        return made[self.base, self.text]


def applied(call: Call, inner: "Formula | Value", text: str) -> Formula:
    """A function in z of a value, which may itself be one.

    Raises:
        Unread: it gets too long.
    """
    base = inner.base if isinstance(inner, Formula) else inner
    own = inner.text if isinstance(inner, Formula) else "z"
    inside = own if own == "z" else f"({own})"
    whole = text if own == "z" else _substituted(text, inside)
    require(len(whole) <= MAX_LENGTH, "a function of each element that is too long to write down")
    return Formula(base, whole, call)


def combined(call: Call, sign: str, first: Any, second: Any) -> Formula | None:
    """A sum, difference, product or quotient of two of the same base, or of one and a number."""
    flows = [one for one in (first, second) if isinstance(one, Formula | Value)]
    bases = {one.base if isinstance(one, Formula) else one for one in flows}
    if len(bases) != 1:
        return None
    (base,) = bases
    whole = f"{_text(first)} {sign} {_text(second)}"
    require(len(whole) <= MAX_LENGTH, "a function of each element that is too long to write down")
    return Formula(base, whole, call)


def _text(part: Any) -> str:
    if isinstance(part, Value):
        return "z"
    if isinstance(part, Formula):
        return part.text if part.text == "z" else f"({part.text})"
    return number(part)


def number(value: Any) -> str:
    """A number as a formula has it: no exponent."""
    told = format(float(value), ".17f").rstrip("0").rstrip(".")
    told = repr(float(value)) if "e" not in repr(float(value)) else told
    return f"({told})" if told.startswith("-") else told


def _substituted(text: str, inside: str) -> str:
    """The formula with another in the place of z, where that is a word of its own."""
    import re

    return re.sub(r"\bz\b", lambda _: inside, text)


def settled(value: Any) -> Any:
    """A function of single elements as the layer that it is; anything else as it is."""
    return value.layer() if isinstance(value, Formula) else value


def named(call: Call, inner: "Formula | Value", name: str) -> Formula:
    """An activation of the catalogue, or a formula."""
    return applied(call, inner, CATALOG.activation(name).formula)


@cache
def name_of(text: str) -> str:
    """What the catalogue calls a function; the formula where it has no name; else nothing."""
    names = {row.name for row in CATALOG.activations}
    if text in names:
        return text
    try:
        CATALOG.activation(text)
        own = _values(text)
    except SpecError:
        return ""
    for row in CATALOG.activations:
        if row.elementwise and row.name != "linear" and _alike(own, _values(row.formula)):
            return row.name
    return text


def _values(formula: str) -> tuple[complex, ...]:
    from bpderive.catalog import formula_activation
    from bpderive.functions import to_sympy

    definition = to_sympy(formula_activation(formula).definition)
    (z,) = definition.free_symbols
    found = (definition.subs(z, point).evalf() for point in _POINTS)
    return tuple(complex(one) if one.is_finite else complex("nan") for one in found)


def _alike(one: tuple[complex, ...], other: tuple[complex, ...]) -> bool:
    """Equal but for the rounding of the model's own numbers, which may be of single precision."""
    return all(isclose(a, b, rel_tol=1e-6, abs_tol=1e-7) for a, b in zip(one, other, strict=True))
