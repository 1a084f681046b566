"""The pictures of `bpderive flow`: what is drawn of what was found out.

In: `Findings` or cells of a sweep, the kind of picture.  Out: the bytes of a file.  Must not know:
how a picture is drawn.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from bpderive.catalog import Activation
from bpderive.errors import UnsupportedError
from bpderive.findings import Findings
from bpderive.findings.sweeps import Swept
from bpderive.flow.fixed import critical, grid
from bpderive.network import Network
from bpderive.plots import Case, HeatMap, Layers, Slopes, draw, heat_map, layers, slopes

DEPTHS = tuple(range(2, 51, 2))
SIGMAS = tuple(round(0.5 + 0.1 * step, 1) for step in range(26))
"""σ_w from 0.5 to 3."""
PANELS = 24


def drawn(kind: str, form: str, found: Findings, language: str) -> bytes:
    """The picture of one network.

    Raises:
        UnsupportedError: the network has no such picture, or matplotlib is not installed.
    """
    return draw(KINDS[kind](found), form, language)


def of_sweep(form: str, cells: Sequence[Swept], language: str) -> bytes:
    """The gradients by layer of every cell of a sweep, one panel for each.

    Raises:
        UnsupportedError: there are too many, or matplotlib is not installed.
    """
    if len(cells) > PANELS:
        raise UnsupportedError(
            f"{len(cells)} kinds of networks in one picture; at most {PANELS} have room"
        )
    cases = (Case(one.title, one.expectation, one.measurement) for one in cells)
    return draw(layers(*cases), form, language)


def _layers(found: Findings) -> Layers:
    """The network itself, and beside it every remedy that was measured.

    Raises:
        UnsupportedError: nothing is known of its gradients.
    """
    if not found.known:
        raise UnsupportedError(
            "there is nothing to draw: nothing is expected, nothing was measured"
        )
    return layers(*_cases(found))


def _cases(found: Findings) -> Iterator[Case]:
    yield Case("", found.expectation, found.measurement)
    for one in found.remedies:
        if one.measurement is not None:
            yield Case(one.remedy, one.expectation, one.measurement)


def _slopes(found: Findings) -> Slopes:
    return slopes(_activation(found))


def _heat_map(found: Findings) -> HeatMap:
    if not isinstance(found.derivation.network, Network):
        raise UnsupportedError("the map is that of dense layers; this network has others")
    row = _activation(found)
    return heat_map(row, DEPTHS, SIGMAS, grid(row, DEPTHS, SIGMAS, 0.0), critical(row, 0.0))


def _activation(found: Findings) -> Activation:
    """That of the hidden layers.

    Raises:
        UnsupportedError: there is none, or it takes in a whole layer.
    """
    network = found.derivation.network
    rows = [row for row in network.activations.values() if row.elementwise]
    own = [row for row in rows if row.name != "linear"] or rows
    if not own:
        raise UnsupportedError("the network has no activation to be drawn")
    hidden = network.layers[0].activation if isinstance(network, Network) else own[0]
    return hidden if hidden in own else own[0]


KINDS: Mapping[str, Callable[[Findings], Layers | Slopes | HeatMap]] = {
    "layers": _layers,
    "slopes": _slopes,
    "heat-map": _heat_map,
}
"""The pictures by the names that the command has for them."""
