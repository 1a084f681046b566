"""What the user asked for: the layers and the options, validated before any mathematics.

In: the text of `--layers`, options, or a TOML document.  Out: a frozen `Spec`, or one `SpecError`
that tells every problem with its place.  Must not know SymPy, nor which activations and losses
exist: the caller may hand in `Names` to look them up, else the network's builder does.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bpderive import sources
from bpderive.checks import Findings, Path, integer, one_of, place, text, truth
from bpderive.errors import SpecError, quoted
from bpderive.weights import ORDERS

Names = Mapping[str, Callable[..., object]]
"""By option (`activation`, `output_activation`, `loss`) what looks a name up, or raises; under
`output` what raises if a loss (the first argument) cannot take an output activation."""

Defaults = Mapping[str, object]
"""Options that a textbook's notation takes for granted, where they are not given."""
NOTHING: Defaults = {}

MAX_LAYERS = 100_000
MAX_WIDTH = 10**9
MAX_ACTIVATIONS = 20  # different ones: each is derived by itself
REDUCTIONS = ("mean", "sum")
ORIENTATIONS = ("rows", "columns")

_MAX_SLUG = 100
_MAX_BYTES = 500_000  # of a TOML document
_MAX_DOTS = 8  # in one of its keys: the time that tomllib takes grows with their third power
_RUN = 5  # equal layers from which a slug writes 4x5 instead of 4-4-4-4-4
_SIZE = re.compile(r"[A-Za-z]|[A-Za-z]{1,12}[0-9]{1,6}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
_NAMES = "a name such as relu; a formula goes with --activation or into a --spec file"
_EXAMPLE = "widths from the input to the output, for example 2,2,2,1"
_WIDTHS = (
    f"a whole number from 1 to {MAX_WIDTH}, or a symbolic size: "
    "one letter, or letters and then digits, such as n1"
)


@dataclass(frozen=True)
class LayerSpec:
    """One layer: its width (a number, or a symbolic size such as "n1") and its own activation."""

    width: int | str
    activation: str | None = None


@dataclass(frozen=True)
class Spec:
    """A network and its conventions; the first of `layers` is the input."""

    layers: tuple[LayerSpec, ...]
    activation: str = "sigmoid"
    output_activation: str = "linear"
    loss: str = "half_squared_error"
    bias: bool = False
    reduction: str = "mean"
    orientation: str = "rows"
    weights: str = "neuron_first"

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of every layer after the input, the defaults filled in."""
        *hidden, output = self.layers[1:]
        own = (layer.activation or self.activation for layer in hidden)
        return (*own, output.activation or self.output_activation)

    @property
    def slug(self) -> str:
        """A safe file name: the widths, then whatever differs from the defaults."""
        *hidden, output = self.activations
        mixed = len(set(hidden)) > 1  # then each hidden layer tells its own activation
        shared = Spec.activation if mixed or not hidden else hidden[0]
        told = [f".{_word(name)}" if mixed and name != Spec.activation else "" for name in hidden]
        options = (
            (shared != Spec.activation, _word(shared)),
            (output != Spec.output_activation, f"out_{_word(output)}"),
            (self.loss != Spec.loss, _word(self.loss, "loss")),
            (self.bias, "bias"),
            (self.reduction != Spec.reduction, self.reduction),
            (self.orientation != Spec.orientation, self.orientation),
            (self.weights != Spec.weights, self.weights),
        )
        widths = _marked((layer.width for layer in self.layers), ("", *told, ""))
        slug = "-".join((*widths, *(word for differs, word in options if differs)))
        return slug if len(slug) <= _MAX_SLUG else f"{slug[:80]}-{_digest(slug)}"


def _marked(widths: Iterable[int | str], marks: Iterable[str]) -> Iterator[str]:
    """`784`, `128.relu`, and `4x1000.relu` for a long run of equal layers."""
    for (width, mark), run in groupby(zip(widths, marks, strict=True)):
        count = len(tuple(run))
        same = [f"{width}{mark}"] * count
        yield from same if count < _RUN else [f"{width}x{count}{mark}"]


def _word(name: str, kind: str = "f") -> str:
    """The name; for a formula (or what else is no name) a short hash of it."""
    return name if _NAME.fullmatch(name) else f"{kind}_{_digest(''.join(name.split()))}"


def _digest(words: str) -> str:
    from hashlib import sha256  # an import of some milliseconds, seldom wanted

    return sha256(words.encode(errors="backslashreplace")).hexdigest()[:8]


def parse_spec(
    layers: str | Sequence[object],
    names: Names | None = None,
    defaults: Defaults = NOTHING,
    **options: object,
) -> Spec:
    """A spec from layers (a `--layers` text, or a sequence as in TOML) and options by name.

    An option that is None counts as not given; `defaults` then goes before our own. `names` looks
    the names of activations and losses up, by option, and raises a SpecError for one that there is
    not.

    Raises:
        SpecError: with every problem of the layers and of the options.
    """
    given = {name: value for name, value in options.items() if value is not None}
    return _spec({**defaults, "layers": layers, **given}, place, names or {})


def load_toml(
    document: str, where: str = "TOML", names: Names | None = None, defaults: Defaults = NOTHING
) -> Spec:
    """A spec from the text of a TOML document, called `where` in messages; the rest as above.

    Raises:
        SpecError: with every problem, each with its line and key.
    """
    import tomllib

    from bpderive.toml_lines import dots, line_of

    deep = SpecError.single("nested too deeply", where)
    if dots(document) > _MAX_DOTS:
        raise deep
    try:
        table = tomllib.loads(document)
    except RecursionError:
        raise deep from None
    except tomllib.TOMLDecodeError as error:
        raise SpecError.single(f"not TOML: {error}", where) from error
    except ValueError as error:  # of an integer of thousands of digits
        raise SpecError.single("a number is too long", where) from error

    def at(path: Path) -> str:
        return f"{where}, line {line_of(document, path)}, {place(path)}"

    return _spec({**defaults, **table}, at, names or {})


def read_toml(path: str, names: Names | None = None, defaults: Defaults = NOTHING) -> Spec:
    """A spec from a TOML file; `-` reads standard input. The rest is that of `parse_spec`.

    Raises:
        SpecError: with every problem; also where the file cannot be read.
    """
    document, where = sources.read(path, "a spec", _MAX_BYTES, piped=True)
    return load_toml(document, where, names, defaults)


OPTIONS: dict[str, Callable[[object], object]] = {
    "activation": text,
    "output_activation": text,
    "loss": text,
    "bias": truth,
    "reduction": one_of(REDUCTIONS),
    "orientation": one_of(ORIENTATIONS),
    "weights": one_of(ORDERS),
}


def _spec(values: Mapping[str, object], where: Callable[[Path], str], names: Names) -> Spec:
    found = Findings()
    layers = _layers(values.get("layers"), found, names)
    options: dict[str, Any] = {
        name: found.take((name,), read, values[name], None)
        for name, read in OPTIONS.items()
        if name in values
    }
    for name in (name for name in names if name in options):
        _look_up(found, (name,), names[name], options[name])
    if "output" in names and not found.about("layers", "loss", "output_activation"):
        loss, last = (options.get(name) for name in ("loss", "output_activation"))
        given = (loss or Spec.loss, layers[-1].activation or last or Spec.output_activation)
        found.take(("loss",), lambda _: names["output"](*given), given, None)
    found.unknown((), values, ("layers", *OPTIONS))
    found.check(where)
    return Spec(layers, **options)


def _look_up(found: Findings, path: Path, find: Callable[[str], object], name: str | None) -> None:
    """Note a name that there is not; what was no name at all is noted already."""
    if name is not None:
        found.take(path, lambda _: find(name), name, None)


def _look_up_all(found: Findings, own: Sequence[str | None], find: Callable[..., object]) -> None:
    """Note what is wrong with the activation of each layer; too many different ones are counted."""
    if (count := len(set(filter(None, own)))) <= MAX_ACTIVATIONS:
        found.take_each(("layers",), find, own)
        return
    told = f"{count} different activations are too many", f"at most {MAX_ACTIVATIONS}"
    found.add(("layers",), *told)


def _layers(value: object, found: Findings, names: Names) -> tuple[LayerSpec, ...]:
    items: Sequence[object] = found.take(("layers",), _items, value, [])
    runs = [_run(item, number, found) for number, item in enumerate(items, 1)]
    if "activation" in names:
        _look_up_all(found, [layer.activation for layer, _ in runs], names["activation"])
    if found.about("layers"):
        return ()
    total = sum(count for _, count in runs)
    if runs[0][0].activation:
        found.add(("layers", 1), "the input layer has no activation", "its width alone")
    if total < 2:
        found.add(("layers",), "an input and at least one layer after it are needed", _EXAMPLE)
    if total > MAX_LAYERS:
        found.add(("layers",), f"{total} layers are too many", f"at most {MAX_LAYERS}")
        return ()
    return tuple(layer for layer, count in runs for _ in range(count))


def _items(value: object) -> Sequence[object]:
    """The items of a `--layers` text, or of an array."""
    if isinstance(value, str) and "(" in value:
        raise SpecError.single(f"a formula cannot stand here: {quoted(value)}", accepted=_NAMES)
    items = value.split(",") if isinstance(value, str) and value.strip() else value
    if items is None or isinstance(items, str) or items == []:
        raise SpecError.single("no layers are given", accepted=_EXAMPLE)
    if not isinstance(items, list | tuple):
        raise SpecError.single(f"{quoted(value)} is neither a text nor a list", accepted=_EXAMPLE)
    if len(items) > MAX_LAYERS:
        raise SpecError.single(f"{len(items)} items are too many", accepted=f"at most {MAX_LAYERS}")
    return items


def _run(item: object, number: int, found: Findings) -> tuple[LayerSpec, int]:
    """One item as a layer and its count; what is wrong with it is noted."""
    path: Path = ("layers", number)
    fields: Mapping[str, object] = {"width": item}
    if isinstance(item, dict):
        fields = item
        found.unknown(path, item, tuple(_TABLE))
        if "width" not in item:
            found.add(path, "the width is missing", _WIDTHS)
    elif isinstance(item, str):
        path = (*path, quoted(item)) if ":" in item or "*" in item else path
        fields = found.take(path, _fields, item, {})
    read: dict[str, Any] = {
        key: found.take((*path, key) if isinstance(item, dict) else path, reader, fields[key], None)
        for key, reader in (_ITEM if isinstance(item, str) else _TABLE).items()
        if key in fields
    }
    return LayerSpec(read.get("width", 1), read.get("activation")), read.get("repeat", 1)


def _fields(item: object) -> dict[str, object]:
    """`4:relu*3` as its fields."""
    width, *marks = re.split("([:*])", str(item))
    if not marks and not width.strip():
        raise SpecError.single("the item is empty", accepted=_WIDTHS)
    named = [{":": "activation", "*": "repeat"}[mark] for mark in marks[::2]]
    if len(set(named)) < len(named):
        message = "more than one activation or count"
        raise SpecError.single(message, accepted="WIDTH, WIDTH:ACTIVATION, WIDTH:ACTIVATION*COUNT")
    return {"width": width.strip(), **dict(zip(named, map(str.strip, marks[1::2]), strict=True))}


def _width(value: object) -> int | str:
    if isinstance(value, str) and _SIZE.fullmatch(value):
        return value
    return integer(value, "a width", MAX_WIDTH, _WIDTHS)


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise SpecError.single(f"{quoted(value)} is not a name", accepted=_NAMES)
    return value


def _count(value: object) -> int:
    return integer(value, "a count", MAX_LAYERS)


_TABLE: dict[str, Callable[[object], object]] = {
    "width": _width,
    "activation": text,
    "repeat": _count,
}
_ITEM = {**_TABLE, "activation": _name}
