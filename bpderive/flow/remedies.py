"""What may be done against gradients that vanish or explode: each remedy as another network.

In: a `Spec` and a `Scheme`. Out: the spec and the scheme that a remedy makes of them, None where it
cannot be applied or changes nothing. To add a remedy, add a row. Must not know: whether it helps,
letters, words.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bpderive.catalog import CATALOG, Catalog
from bpderive.flow.schemes import SCHEMES, Scheme
from bpderive.grammar.layers import LAYERS, NEURONS
from bpderive.grammar.model import Input, Item
from bpderive.grammar.widths import LayerSpec
from bpderive.network import Network, build
from bpderive.spec import PLAIN, Spec

if TYPE_CHECKING:
    from bpderive.stack import Stack

Changed = tuple[Spec, Scheme]
Applied = Callable[[Spec, Scheme], Changed | None]


@dataclass(frozen=True)
class Remedy:
    """One row."""

    id: str
    applied: Applied


# --- Another activation and scheme ---


def _activated(name: str, drawn: str) -> Applied:
    """Hidden layers with this activation, weights by this scheme."""

    def applied(spec: Spec, scheme: Scheme) -> Changed | None:
        found = _reactivated(spec, name)
        same = found == spec and scheme.name == drawn
        return None if found is None or same else (found, SCHEMES[drawn])

    return applied


def _reactivated(spec: Spec, name: str) -> Spec | None:
    """The spec with this activation of hidden layers; None where there is none to change."""
    if spec.stacked:
        items = _items(spec, name)
        return None if items is None else replace(spec, items=items)
    first, *hidden, last = spec.layers
    if not hidden:
        return None
    plain = [replace(layer, activation=None) for layer in hidden]
    return replace(spec, layers=(first, *plain, last), activation=name)


def _items(spec: Spec, name: str) -> tuple[Item, ...] | None:
    """The items with this activation, the last layer aside; None where none has one."""
    *inner, last = spec.items
    again = [_item(one, name, spec.activation) for one in inner]
    if last.repeat > 1 or LAYERS[last.name].block:
        again.append(_item(last, name, spec.activation))
    else:
        again.append(last)
    changed = tuple(again)
    has = any(_bends(one, spec.activation) for one in changed[: len(inner)] or changed)
    return changed if has else None


def _item(item: Item, name: str, shared: str) -> Item:
    inner = tuple(_item(one, name, shared) for one in item.inner)
    own = name if _replaced(item, shared) else item.activation
    return replace(item, inner=inner, activation=own)


def _replaced(item: Item, shared: str) -> bool:
    """Whether it has an activation of single numbers that a user chose."""
    own = item.activation
    if own is None and item.name in NEURONS:
        own = shared
    return own not in (None, "linear", "softmax") and item.name != "rnn"


def _bends(item: Item, shared: str) -> bool:
    return _replaced(item, shared) or any(_bends(one, shared) for one in item.inner)


def _drawn(name: str) -> Applied:
    """The same layers, drawn by another scheme."""

    def applied(spec: Spec, scheme: Scheme) -> Changed | None:
        return None if scheme.name == name else (spec, SCHEMES[name])

    return applied


# --- Other layers ---


def _listed(spec: Spec, hidden: Iterator[Item]) -> Spec:
    """A list of any layers with the same input and output, and the convention that such have."""
    given = Input("vector", (spec.layers[0].width,))
    last = _dense(spec.layers[-1], spec.layers[-1].activation)
    items, plain = (*hidden, last), dict[str, Any](PLAIN)
    return replace(spec, layers=(), activation="linear", items=items, input=given, **plain)


def _dense(layer: LayerSpec, activation: str | None = "linear") -> Item:
    return Item("dense", (("width", layer.width),), activation)


def _bend(layer: LayerSpec, spec: Spec) -> Iterator[Item]:
    name = layer.activation or spec.activation
    if name != "linear":
        yield Item("activation", activation=name)


def _normalised(norm: str) -> Applied:
    """A normalisation between each hidden layer's weighted sums and its activation."""

    def applied(spec: Spec, scheme: Scheme) -> Changed | None:
        hidden = () if spec.stacked else spec.layers[1:-1]
        items = (item for la in hidden for item in (_dense(la), Item(norm), *_bend(la, spec)))
        return (_listed(spec, items), scheme) if hidden else None

    return applied


def _residual(spec: Spec, scheme: Scheme) -> Changed | None:
    """The weighted sums of each hidden layer but the first are added to those before them.

    `z2 = z1 + w2 f(z1)`; where the widths differ, to a linear map of those.
    """
    hidden = () if spec.stacked else spec.layers[1:-1]
    return (_listed(spec, _blocks(hidden, spec)), scheme) if len(hidden) > 1 else None


def _blocks(hidden: tuple[LayerSpec, ...], spec: Spec) -> Iterator[Item]:
    yield _dense(hidden[0])
    for below, layer in pairwise(hidden):
        project = (("project", True),) if below.width != layer.width else ()
        yield Item("residual", project, inner=(*_bend(below, spec), _dense(layer)))
    yield from _bend(hidden[-1], spec)


def _fixup(spec: Spec, scheme: Scheme) -> Changed | None:
    """Residual blocks whose last layer begins at 0, so that each gives what it takes."""
    found = _residual(spec, scheme)
    return None if found is None else (found[0], SCHEMES["fixup"])


def _shallower(spec: Spec, scheme: Scheme) -> Changed | None:
    """Every second hidden layer."""
    if spec.stacked or len(spec.layers) < 4:
        return None
    first, *hidden, last = spec.layers
    return replace(spec, layers=(first, *hidden[::2], last)), scheme


_ROWS = (
    Remedy("relu_he", _activated("relu", "he")),
    Remedy("leaky_relu_he", _activated("leaky_relu", "he")),
    Remedy("tanh_xavier", _activated("tanh", "xavier")),
    Remedy("selu_lecun", _activated("selu", "lecun")),
    Remedy("orthogonal", _drawn("orthogonal")),
    Remedy("batchnorm", _normalised("batchnorm")),
    Remedy("layernorm", _normalised("layernorm")),
    Remedy("residual", _residual),
    Remedy("fixup", _fixup),
    Remedy("shallower", _shallower),
)
REMEDIES: Mapping[str, Remedy] = {row.id: row for row in _ROWS}
"""Every remedy by its id, in the order in which they are shown."""


SHORT = 24
"""Remedies are tried on so many hidden layers."""


def shortened(spec: Spec) -> Spec:
    """The first layers of a very deep network: what helps them helps all."""
    if spec.stacked or len(spec.layers) <= SHORT + 2:
        return spec
    return replace(spec, layers=(*spec.layers[: SHORT + 1], spec.layers[-1]))


def built(spec: Spec, catalog: Catalog = CATALOG) -> "Network | Stack":
    """The network of a spec, whatever its layers.

    Raises:
        SpecError: it cannot be built.
    """
    if not spec.stacked:
        return build(spec, catalog)
    from bpderive.stack import build as stack_up  # a dense network does without

    return stack_up(spec, catalog)
