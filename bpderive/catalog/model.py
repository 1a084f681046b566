"""What a row of the catalogue is, and how rows are looked up.

In: nothing. Out: `Activation`, `Loss` and `Catalog`; a formula that a user wrote becomes a row too.
Must not know: networks, indices, letters, words. SymPy is imported when a row is first parsed.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from re import fullmatch
from typing import TYPE_CHECKING, Literal

from bpderive.errors import SpecError, quoted, suggest

if TYPE_CHECKING:
    from sympy import Expr


@lru_cache(maxsize=512)
def _parsed(text: str, names: tuple[str, ...]) -> "Expr":
    from bpderive.formula import parse  # imports SymPy

    return parse(text, names)


FORMULA_NAMES = ("f", "g", "h")
"""What formulas are called, in order; then f1, f2 and so on."""


@dataclass(frozen=True)
class Kink:
    """A point where the slope jumps, and the slope taken there, both as formulas."""

    at: str
    slope: str


@dataclass(frozen=True)
class Activation:
    """`a = formula(z)`; `slope` is a closed form in `a` and `z`, proved by the tests.

    `given` says that a user gave the formula.
    """

    name: str
    formula: str
    slope: str | None = None
    kinks: tuple[Kink, ...] = ()
    range: Literal["real", "unit", "signed_unit", "nonnegative", "positive"] = "real"
    given: bool = False

    @property
    def definition(self) -> "Expr":
        """The formula, in the real symbol `z`."""
        return _parsed(self.formula, ("z",))

    @cached_property
    def slope_expr(self) -> "Expr":
        """`da/dz`, in the real symbols `a` and `z`; only for elementwise rows."""
        if self.slope is not None:
            return _parsed(self.slope, ("a", "z"))
        from bpderive.differentiation import differentiate  # imports SymPy
        from bpderive.functions import scalar_symbol

        return differentiate(self.definition, scalar_symbol("z"))

    @cached_property
    def elementwise(self) -> bool:
        """Whether each output depends on its own input alone."""
        from bpderive.functions import total  # imports SymPy

        return not self.definition.has(total)


@dataclass(frozen=True)
class Loss:
    """The formula of one output, in `a` and `y`; in `p` and `y` where a stage makes `p` from `a`.

    `combine` says how outputs make one loss, `label` what `y` is ("distribution": Σ y = 1),
    `domain` where `a` must lie, `refuses` which output activations it cannot take, and the remedy;
    `given`, that a user gave the formula.
    """

    name: str
    formula: str
    combine: Literal["sum", "mean"] = "sum"
    stage: str | None = None
    label: Literal["real", "binary", "sign", "distribution", "count"] = "real"
    domain: Literal["real", "unit", "positive"] = "real"
    refuses: tuple[tuple[str, str], ...] = ()
    kinks: tuple[Kink, ...] = ()
    given: bool = False

    @property
    def argument(self) -> str:
        """The name of what is compared with `y`."""
        return "p" if self.stage else "a"

    @property
    def definition(self) -> "Expr":
        """The formula, in the real symbols `a` (or `p`) and `y`."""
        return _parsed(self.formula, (self.argument, "y"))


def formula_activation(text: str, name: str = "f") -> Activation:
    """The activation of a formula in `z`.

    Raises:
        SpecError: it is not a formula, does not depend on `z`, or its slope cannot be written down.
    """
    from sympy import Integer

    from bpderive.formula import check_slopes
    from bpderive.functions import total  # imports SymPy

    row = Activation(name, text.strip(), given=True)
    definition = row.definition
    own = definition.xreplace(dict.fromkeys(definition.atoms(total), Integer(1)))
    _check_depends(own, "z", text)
    check_slopes(definition, "z", text, flat=row.elementwise)
    return row


def formula_loss(text: str, name: str = "f") -> Loss:
    """The loss of a formula in `a` and `y`, of one output; the outputs are summed.

    Raises:
        SpecError: it is not a formula, does not depend on `a`, sums over the layer itself, or its
            slope cannot be written down.
    """
    from bpderive.formula import check_slopes  # imports SymPy
    from bpderive.functions import total

    row = Loss(name, text.strip(), given=True)
    _check_depends(row.definition, "a", text)
    if row.definition.has(total):
        message = "a loss is the formula of one output; the outputs are summed without being told"
        raise SpecError.single(message, f"formula {quoted(text, 60)}", "a formula without sum")
    check_slopes(row.definition, "a", text)
    return row


def _check_depends(definition: "Expr", name: str, text: str) -> None:
    if name not in {symbol.name for symbol in definition.free_symbols}:
        message = f"the formula does not depend on {name}"
        accepted = f"a formula that holds {name}, not only inside sum(...)"
        raise SpecError.single(message, f"formula {quoted(text, 60)}", accepted)


def _is_formula(text: str, names: tuple[str, ...]) -> bool:
    """Whether it holds an operator or a parenthesis, and is no name with a hyphen for a `_`."""
    return not set("+-*/()").isdisjoint(text) and text.lower().replace("-", "_") not in names


def _unknown(kind: str, text: str, names: tuple[str, ...], example: str) -> SpecError:
    message = f"unknown {kind} {quoted(text)}{suggest(text, names)}"
    return SpecError.single(message, accepted=f"{', '.join(names)}, or a formula such as {example}")


def check_output(loss: Loss, activation: Activation) -> None:
    """Refuse an output activation that the loss cannot take, with the remedy.

    Raises:
        SpecError: it cannot.
    """
    remedy = dict(loss.refuses).get(activation.name)
    if remedy is not None:
        raise SpecError.single(
            f"the loss {loss.name} cannot take the output of {activation.name}: {remedy}"
        )


@dataclass(frozen=True)
class Catalog:
    """All activations and losses that a network may use."""

    activations: tuple[Activation, ...] = ()
    losses: tuple[Loss, ...] = ()

    def activation(self, text: str) -> Activation:
        """The activation of that name, or of that formula in `z`.

        Raises:
            SpecError: there is none of that name, or it is not a formula.
        """
        text, rows = text.strip(), {row.name: row for row in self.activations}
        if text not in rows and _is_formula(text, tuple(rows)):
            return formula_activation(text)
        if text not in rows:
            raise _unknown("activation", text, tuple(rows), '"z*tanh(z)"')
        return rows[text]

    def loss(self, text: str) -> Loss:
        """The loss of that name, or of that formula in `a` and `y`.

        Raises:
            SpecError: there is none of that name, or it is not a formula.
        """
        text, rows = text.strip(), {row.name: row for row in self.losses}
        if text not in rows and _is_formula(text, tuple(rows)):
            return formula_loss(text)
        if text not in rows:
            raise _unknown("loss", text, tuple(rows), '"(a-y)**4"')
        return rows[text]

    @property
    def names(self) -> Mapping[str, Callable[..., object]]:
        """What looks a name up, by the option that gives it; `output` checks loss and output."""
        return {
            "activation": self.activation,
            "output_activation": self.activation,
            "loss": self.loss,
            "output": lambda loss, name: check_output(self.loss(loss), self.activation(name)),
        }

    def extended(self, *rows: Activation | Loss) -> "Catalog":
        """A catalogue with more rows.

        Raises:
            SpecError: a name is taken.
        """
        for row in rows:
            _check_name(row.name)
        new = replace(
            self,
            activations=(*self.activations, *(r for r in rows if isinstance(r, Activation))),
            losses=(*self.losses, *(r for r in rows if isinstance(r, Loss))),
        )
        for kind, names in (
            ("activation", Counter(row.name for row in new.activations)),
            ("loss", Counter(row.name for row in new.losses)),
        ):
            for name in (name for name, count in names.items() if count > 1):
                raise SpecError.single(f"the {kind} {name} is there already", accepted="a new name")
        return new


def _check_name(name: str) -> None:
    """Refuse a name that the code or the pages could not print, or that means something already."""
    taken = (*FORMULA_NAMES, "select", "xlogy", "total")
    if not fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,39}", name) or name in taken:
        raise SpecError.single(
            f"{quoted(name)} cannot name a row",
            accepted="letters, digits and _, a letter first, but not " + ", ".join(taken),
        )
