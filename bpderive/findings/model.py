"""All that is found out about the gradients of one network.

In: nothing.  Out: frozen data, and JSON of it.  Must not know: how anything is found out.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bpderive.document import layers
from bpderive.findings.plain import finite, first_by_last, how, plain, power_of
from bpderive.flow.model import Expectation, Measurement, Warned
from bpderive.flow.passing import Share
from bpderive.network import Network

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation
    from bpderive.stack import Stack


@dataclass(frozen=True)
class Remedied:
    """A remedy, applied: the network that it gives and what is found of that.

    `power` is the decimal logarithm of the gradient of the first layer by that of the last, as
    expected; None where nothing is established.
    """

    remedy: str
    layers: str
    scheme: str
    expectation: Expectation
    measurement: Measurement | None = None

    @property
    def power(self) -> float | None:
        """The decimal logarithm of the first layer's gradient by the last's, as expected."""
        return power_of(self.expectation)


@dataclass(frozen=True)
class Findings:
    """All that is found out. Made by `flow`.

    `shares` has for each layer how many slopes stand on the way of its gradients and what they let
    through at most; `expectation` is None for a model whose weights are given.
    """

    derivation: "AnyDerivation"
    scheme: str
    shares: tuple[Share, ...]
    expectation: Expectation | None
    measurement: Measurement | None
    remedies: tuple[Remedied, ...]
    warnings: tuple[Warned, ...]

    @property
    def power(self) -> float | None:
        """The decimal logarithm of the first layer's gradient by the last's, as expected."""
        return None if self.expectation is None else power_of(self.expectation)

    @property
    def known(self) -> bool:
        """Whether anything is expected, or was measured."""
        levels = self.expectation.levels if self.expectation else ()
        return self.measurement is not None or any(one.gradient is not None for one in levels)

    def as_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON: what is not established or not finite is None."""
        network = self.derivation.network
        return {
            "network": named(network),
            "loss": network.loss.name,
            "initialisation": self.scheme,
            "layers": [dict(self._layer(number)) for number in self._numbers()],
            "remedies": [_remedy(one) for one in self.remedies],
            "measured": how(self.measurement),
            "warnings": [plain(one) for one in self.warnings],
            "in_danger": bool(self.warnings),
        }

    def json(self) -> str:
        """The same bytes for the same network, scheme and seed."""
        return json.dumps(self.as_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def _numbers(self) -> list[int]:
        found = {one.number for one in self.shares}
        found |= {one.number for one in (self.expectation.levels if self.expectation else ())}
        found |= {one.number for one in (self.measurement.spreads if self.measurement else ())}
        return sorted(found)

    def _layer(self, number: int) -> Iterator[tuple[str, Any]]:
        yield "layer", number
        for share in (one for one in self.shares if one.number == number):
            yield "slopes", int(share.count) if share.count.is_Integer else str(share.count)
            yield "largest_product", None if share.product is None else str(share.product)
        levels = self.expectation.levels if self.expectation else ()
        expectations = [plain(one) for one in levels if one.number == number]
        if expectations:
            yield "expected", expectations
        spreads = self.measurement.spreads if self.measurement else ()
        measurements = [plain(one) for one in spreads if one.number == number]
        if measurements:
            yield "measured", measurements


def _remedy(one: Remedied) -> dict[str, Any]:
    found = {
        "remedy": one.remedy,
        "layers": one.layers,
        "initialisation": one.scheme,
        "log10_first_by_last_expected": finite(one.power),
    }
    if one.measurement is not None:
        found["log10_first_by_last_measured"] = finite(first_by_last(one.measurement))
    return found


def named(network: "Network | Stack") -> str:
    """The layers in a line: `2-2-2-1`, or a list as it is given."""
    if isinstance(network, Network):
        return layers(network)
    from bpderive.document.layered import layers as listed

    return listed(network)
