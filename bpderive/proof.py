"""What a proof of a derivation says: what was compared, and to how many digits it agrees.

In: a `Spec`, and checks that were made. Out: `Check`, `Skip` and `Proof`, plain data that a
document prints, and its certificate as JSON. Must not know: how anything is checked.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from bpderive.spec import Spec

FORMAT = 1
"""Of the certificate; it changes when a key changes its meaning."""


@dataclass(frozen=True)
class Check:
    """One comparison of numbers that must be the same.

    Args:
        kind: of what: `step`, `chain`, `gradient`, `form`, `program`, `code` …
        subject: what was compared: a step (`z{l}: chain`), a quantity (`w1[1,2]`), a tensor.
        against: the oracle's or the form's id (`complex_step`, `paths`).
        count: how many numbers.
        digits: how many digits all of them share, relative to the largest of the tensor.
        wanted: how many they must share.
        place: where the layer, or the least agreement, is to be found.
    """

    kind: str
    subject: str
    against: str
    count: int
    digits: int
    wanted: int
    place: str = ""

    @property
    def passed(self) -> bool:
        """Whether the numbers agree as they must."""
        return self.digits >= self.wanted


@dataclass(frozen=True)
class Skip:
    """What was not checked, and why (an id of the wording, or a sentence)."""

    kind: str
    against: str
    reason: str


@dataclass(frozen=True)
class Summary:
    """All checks of one kind against one oracle: the subjects, the numbers, the least digits."""

    kind: str
    against: str
    subjects: int
    count: int
    digits: int
    wanted: int

    @property
    def passed(self) -> bool:
        """Whether all of them agree as they must."""
        return self.digits >= self.wanted


@dataclass(frozen=True)
class Proof:
    """Everything that was checked of one derivation.

    `model` are the widths at which scalars were compared (the network's own, where `own`), `sizes`
    those at which the steps were; `precision` is the digits of the arithmetic.
    """

    spec: Spec
    model: tuple[int, ...]
    own: bool
    sizes: tuple[Mapping[str, int], ...]
    samples: int
    seed: int
    precision: int
    checks: tuple[Check, ...]
    skips: tuple[Skip, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the gradients were compared, and everything that was compared agrees."""
        return any(check.kind == "gradient" for check in self.checks) and not self.failures

    @cached_property
    def failures(self) -> tuple[Check, ...]:
        """The comparisons that do not agree."""
        return tuple(check for check in self.checks if not check.passed)

    @cached_property
    def summaries(self) -> tuple[Summary, ...]:
        """The checks by kind and oracle, in the order in which they were made."""
        groups: dict[tuple[str, str], list[Check]] = {}
        for check in self.checks:
            groups.setdefault((check.kind, check.against), []).append(check)
        return tuple(
            Summary(
                kind,
                against,
                len(checks),
                sum(check.count for check in checks),
                min(check.digits for check in checks),
                max(check.wanted for check in checks),
            )
            for (kind, against), checks in groups.items()
        )

    def certificate(self) -> str:
        """The proof as JSON: every check, the seed, and the versions it was made with."""
        content = {
            "format": FORMAT,
            "network": _network(self.spec),
            "passed": self.passed,
            "precision": self.precision,
            "seed": self.seed,
            "samples": self.samples,
            "compared_at": {"widths": self.model, "steps": [dict(sizes) for sizes in self.sizes]},
            "versions": dict(self.versions),
            "summary": [_told(one) for one in self.summaries],
            "not_checked": [asdict(one) for one in self.skips],
            "checks": [_told(one) for one in self.checks],
        }
        return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _told(one: Check | Summary) -> dict[str, Any]:
    return asdict(one) | {"passed": one.passed}


def _network(spec: Spec) -> dict[str, Any]:
    """The network as `--spec` reads it, every activation filled in."""
    options = ("loss", "bias", "reduction", "orientation", "weights")
    return {"layers": _layers(spec), **{name: getattr(spec, name) for name in options}}


def listed(spec: Spec) -> str:
    """Layers of any kinds as `--layers` takes them."""
    items = (*((spec.input,) if spec.input else ()), *spec.items)
    return ",".join(item.text for item in items)


def _layers(spec: Spec) -> list[Any] | str:
    """The layers of plain widths one by one; any others as `--layers` takes them."""
    if spec.items:
        return listed(spec)
    first, *rest = spec.layers
    pairs = zip(rest, spec.activations, strict=True)
    layers = ({"width": layer.width, "activation": name} for layer, name in pairs)
    return [{"width": first.width}, *layers]
