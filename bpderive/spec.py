"""What the user asked for: the layers and the options, validated before any mathematics.

In: the text of `--layers`, options, or a TOML document.  Out: a frozen `Spec`, or one `SpecError`
that tells every problem with its place.  A list of plain widths is read here; one that holds other
layers, by `grammar`.  Must not know SymPy, nor which activations and losses exist: the caller may
hand in `Names` to look them up, else the network's builder does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from bpderive import sources
from bpderive.checks import Findings, Path, one_of, place, text, truth
from bpderive.errors import SpecError, quoted
from bpderive.grammar import widths
from bpderive.grammar.routing import has_layers
from bpderive.grammar.values import NAME
from bpderive.grammar.widths import LayerSpec
from bpderive.weights import ORDERS

if TYPE_CHECKING:
    from bpderive.grammar.model import Input, Item

Names = Mapping[str, Callable[..., object]]
"""By option (`activation`, `output_activation`, `loss`) what looks a name up, or raises; under
`output` what raises if a loss (the first argument) cannot take an output activation."""

Defaults = Mapping[str, object]
"""Options that a textbook's notation takes for granted, where they are not given."""
NOTHING: Defaults = {}

REDUCTIONS = ("mean", "sum")
ORIENTATIONS = ("rows", "columns")

_MAX_SLUG = 100
_MAX_BYTES = 500_000  # of a TOML document
_MAX_DOTS = 8  # in one of its keys: the time that tomllib takes grows with their third power
PLAIN: Defaults = {"orientation": "rows", "weights": "neuron_first"}
"""What a list of any layers has; a textbook's conventions on matrices are not about it."""


@dataclass(frozen=True)
class Spec:
    """A network and its conventions; the first of `layers` is the input.

    A network that is no list of plain widths has `items` and an `input` instead (no input where it
    is a single file of equations), and its default activation is linear.
    """

    layers: tuple[LayerSpec, ...]
    activation: str = "sigmoid"
    output_activation: str = "linear"
    loss: str = "half_squared_error"
    bias: bool = False
    reduction: str = "mean"
    orientation: str = "rows"
    weights: str = "neuron_first"
    items: "tuple[Item, ...]" = ()
    input: "Input | None" = None

    @property
    def stacked(self) -> bool:
        """Whether it holds layers of any kind, and no list of plain widths."""
        return bool(self.items)

    @property
    def activations(self) -> tuple[str, ...]:
        """The activation of every layer after the input, the defaults filled in."""
        if self.stacked:
            from bpderive.grammar.expanding import leaves  # not for plain widths

            layers = list(leaves(self.items))
            every = enumerate(layers, 1)
            own_ = (la and self.activation_of(la, last=at == len(layers)) for at, la in every)
            return tuple(name for name in own_ if isinstance(name, str))
        *hidden, output = self.layers[1:]
        own = (layer.activation or self.activation for layer in hidden)
        return (*own, output.activation or self.output_activation)

    def activation_of(self, item: "Item", *, last: bool) -> str | None:
        """That of one layer of any kind, the options and the layer's own default filled in."""
        from bpderive.grammar.layers import LAYERS, NEURONS

        if item.activation is not None or item.name not in NEURONS:
            return item.activation
        shared = self.output_activation if last else self.activation
        return shared if shared != "linear" else LAYERS[item.name].activation

    @property
    def slug(self) -> str:
        """A safe file name: the layers, then whatever differs from the defaults."""
        parts, shared = self._listed() if self.stacked else self._widths()
        last = self.output_activation
        options = (
            (shared != "", _word(shared or "none")),
            (last != Spec.output_activation, f"out_{_word(last)}"),
            (self.loss != Spec.loss, _word(self.loss, "loss")),
            (self.bias, "bias"),
            (self.reduction != Spec.reduction, self.reduction),
            (self.orientation != Spec.orientation, self.orientation),
            (self.weights != Spec.weights, self.weights),
        )
        slug = "-".join((*parts, *(word for differs, word in options if differs)))
        return slug if len(slug) <= _MAX_SLUG else f"{slug[:80]}-{_digest(slug)}"

    def _listed(self) -> tuple[list[str], str]:
        """The words of the items, and the activation that the options give them."""
        from bpderive.grammar.slug import words

        shared = "" if self.activation == "linear" else self.activation
        return words(self.input, self.items, _word), shared

    def _widths(self) -> tuple[list[str], str]:
        """The words of plain widths, and their common activation where it is not the default."""
        *hidden, _ = self.activations
        mixed = len(set(hidden)) > 1  # then each hidden layer tells its own activation
        shared = Spec.activation if mixed or not hidden else hidden[0]
        told = [f".{_word(name)}" if mixed and name != Spec.activation else "" for name in hidden]
        marked = widths.marked((layer.width for layer in self.layers), ("", *told, ""))
        return list(marked), "" if shared == Spec.activation else shared


def _word(name: str, kind: str = "f") -> str:
    """The name; for a formula (or what else is no name) a short hash of it."""
    return name if NAME.fullmatch(name) else f"{kind}_{_digest(''.join(name.split()))}"


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
    return _spec({"layers": layers, **given}, defaults, place, names or {})


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

    return _spec(table, defaults, at, names or {})


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


def _spec(
    given: Mapping[str, object], defaults: Defaults, where: Callable[[Path], str], names: Names
) -> Spec:
    found = Findings()
    stacked = has_layers(given.get("layers"), names.get("activation"))
    values = {**defaults, **(PLAIN if stacked else {}), **given}
    read = _stack if stacked else _dense
    spec = read(values, found, names)
    found.unknown((), values, ("layers", *OPTIONS))
    found.check(where)
    return spec


def _dense(values: Mapping[str, object], found: Findings, names: Names) -> Spec:
    """A list of plain widths."""
    layers = widths.read(values.get("layers"), found, names.get("activation"))
    options = _options(values, found, names)
    own = layers[-1].activation if layers else None
    _check_output(own or options.get("output_activation"), options, found, names)
    return Spec(layers, **options)


def _stack(values: Mapping[str, object], found: Findings, names: Names) -> Spec:
    """A list of layers of any kind."""
    from bpderive.grammar.reading import read  # not for plain widths

    given, items = read(values.get("layers"), found, names.get("activation"))
    options = _options(values, found, names)
    for name in (name for name in PLAIN if options.get(name) is not None):
        found.take((name,), partial(plain, name), options[name], None)
    spec = Spec((), **{"activation": "linear", **options}, items=items, input=given)
    if items:
        _check_stack(spec, found, names)
    return spec


def plain(name: str, value: object) -> None:
    """Refuse a convention on matrices for a list of any layers.

    Raises:
        SpecError: it is another than the plain one.
    """
    if value != PLAIN[name]:
        message = f"{quoted(value)} is for lists of plain widths alone"
        raise SpecError.single(message, accepted=str(PLAIN[name]))


def _check_stack(spec: Spec, found: Findings, names: Names) -> None:
    """Note what the last layer cannot take, and too many different activations."""
    from bpderive.grammar.expanding import final
    from bpderive.grammar.layers import NEURONS

    last, asked = final(spec.items), spec.output_activation
    if asked not in {None, "linear"} and (last is None or last.name not in NEURONS):
        told = quoted(spec.items[-1].text)
        message = f"the last layer, {told}, takes no activation"
        found.add(("output_activation",), message, "an item of its own at the end of the layers")
    if "activation" in names:
        widths.look_up_all(found, spec.activations, names["activation"])
    own = spec.activation_of(last, last=True) if last is not None else None
    options = {"loss": spec.loss, "output_activation": asked}
    _check_output(own, options, found, names)


def _options(values: Mapping[str, object], found: Findings, names: Names) -> dict[str, Any]:
    options: dict[str, Any] = {
        name: found.take((name,), read, values[name], None)
        for name, read in OPTIONS.items()
        if name in values
    }
    for name in (name for name in names if name in options):
        _look_up(found, (name,), names[name], options[name])
    return options


def _check_output(
    last: str | None, options: Mapping[str, Any], found: Findings, names: Names
) -> None:
    """Note a loss that cannot take the last layer's activation."""
    if "output" in names and not found.about("layers", "loss", "output_activation"):
        given = (options.get("loss") or Spec.loss, last or Spec.output_activation)
        found.take(("loss",), lambda _: names["output"](*given), given, None)


def _look_up(found: Findings, path: Path, find: Callable[[str], object], name: str | None) -> None:
    """Note a name that there is not; what was no name at all is noted already."""
    if name is not None:
        found.take(path, lambda _: find(name), name, None)
