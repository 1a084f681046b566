"""Activations and losses, one row each: a formula as text, and what else must be known of it.

In: nothing. Out: `CATALOG`, a value, whose rows give their mathematics when asked; a formula that
a user wrote becomes a row too. Must not know: networks, indices, letters, words.

SymPy is imported when a row is first parsed, so that listing the names costs nothing. To add an
activation or a loss, add a row; the tests loop over the rows. Conventions at kinks are PyTorch's.
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
        from bpderive.functions import scalar_symbol  # imports SymPy

        return self.definition.diff(scalar_symbol("z"))

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
        SpecError: it is not a formula, or does not depend on `z`.
    """
    from sympy import Integer

    from bpderive.functions import total  # imports SymPy

    row = Activation(name, text.strip(), given=True)
    definition = row.definition
    own = definition.xreplace(dict.fromkeys(definition.atoms(total), Integer(1)))
    _check_depends(own, "z", text)
    return row


def formula_loss(text: str, name: str = "f") -> Loss:
    """The loss of a formula in `a` and `y`, of one output; the outputs are summed.

    Raises:
        SpecError: it is not a formula, does not depend on `a`, or sums over the layer itself.
    """
    from bpderive.functions import total  # imports SymPy

    row = Loss(name, text.strip(), given=True)
    _check_depends(row.definition, "a", text)
    if row.definition.has(total):
        message = "a loss is the formula of one output; the outputs are summed without being told"
        raise SpecError.single(message, f"formula {quoted(text, 60)}", "a formula without sum")
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


_ALPHA = "1.6732632423543772848170429916717"  # Klambauer et al., Self-Normalizing Neural Networks
_SCALE = "1.0507009873554804934193349852946"

_ACTIVATIONS = (
    Activation("linear", "z", "1"),
    Activation("sigmoid", "1/(1 + exp(-z))", "a*(1 - a)", range="unit"),
    Activation("tanh", "tanh(z)", "1 - a**2", range="signed_unit"),
    Activation("relu", "max(z, 0)", "where(z > 0, 1, 0)", (Kink("0", "0"),), "nonnegative"),
    Activation(
        "leaky_relu",
        "where(z > 0, z, 0.01*z)",
        "where(z > 0, 1, 0.01)",
        (Kink("0", "0.01"),),
    ),
    Activation("elu", "where(z > 0, z, exp(z) - 1)", "where(z > 0, 1, a + 1)"),
    Activation(
        "selu",
        f"where(z > 0, {_SCALE}*z, {_SCALE}*{_ALPHA}*(exp(z) - 1))",
        f"where(z > 0, {_SCALE}, a + {_SCALE}*{_ALPHA})",
        (Kink("0", f"{_SCALE}*{_ALPHA}"),),
    ),
    Activation("softplus", "log(1 + exp(z))", "sigmoid(z)", range="positive"),
    Activation("silu", "z*sigmoid(z)", "sigmoid(z) + a*(1 - sigmoid(z))"),
    Activation("gelu", "z*(1 + erf(z/sqrt(2)))/2"),
    Activation("gelu_tanh", "z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))"),
    Activation("mish", "z*tanh(log(1 + exp(z)))"),
    Activation(
        "hardtanh",
        "where(z < 1, where(z > -1, z, -1), 1)",
        "where(z < 1, where(z > -1, 1, 0), 0)",
        (Kink("-1", "0"), Kink("1", "0")),
        "signed_unit",
    ),
    Activation("softsign", "z/(1 + abs(z))", "1/(1 + abs(z))**2", range="signed_unit"),
    Activation("exp", "exp(z)", "a", range="positive"),
    Activation("softmax", "exp(z)/sum(exp(z))", range="unit"),
)

_LOSSES = (
    Loss("half_squared_error", "1/2*(a - y)**2"),
    Loss("squared_error", "(a - y)**2"),
    Loss("mse", "(a - y)**2", "mean"),
    Loss("mae", "abs(a - y)", "mean", kinks=(Kink("y", "0"),)),
    Loss("huber", "where(abs(a - y) < 1, 1/2*(a - y)**2, abs(a - y) - 1/2)"),
    Loss(
        "binary_cross_entropy",
        "-xlogy(y, a) - xlogy(1 - y, 1 - a)",
        label="binary",
        domain="unit",
        refuses=(
            (
                "softmax",
                "its outputs are one distribution, not a probability each; "
                "use the output activation sigmoid, or the loss cross_entropy",
            ),
        ),
    ),
    Loss(
        "binary_cross_entropy_with_logits",
        "softplus(a) - y*a",
        label="binary",
        refuses=(
            (
                "sigmoid",
                "it applies the sigmoid itself; "
                "use the output activation linear, or the loss binary_cross_entropy",
            ),
            (
                "softmax",
                "it applies a sigmoid itself; "
                "use the output activation linear, or the loss cross_entropy",
            ),
        ),
    ),
    Loss("cross_entropy", "-xlogy(y, a)", label="distribution", domain="unit"),
    Loss(
        "softmax_cross_entropy",
        "-y*log(p)",
        stage="softmax",
        label="distribution",
        refuses=tuple(
            (
                name,
                "it applies softmax itself; "
                "use the output activation linear, or the loss cross_entropy",
            )
            for name in ("softmax", "sigmoid")
        ),
    ),
    Loss(
        "hinge",
        "where(1 - y*a > 0, 1 - y*a, 0)",
        label="sign",
        refuses=tuple(
            (
                name,
                "its labels are -1 and 1, so it needs scores of both signs; "
                "use the output activation linear or tanh",
            )
            for name in ("softmax", "sigmoid")
        ),
        kinks=(Kink("1/y", "0"),),
    ),
    Loss("poisson", "a - xlogy(y, a)", label="count", domain="positive"),
    Loss(
        "kl_divergence",
        "xlogy(y, y) - xlogy(y, a)",
        label="distribution",
        domain="unit",
    ),
)

CATALOG = Catalog(_ACTIVATIONS, _LOSSES)
