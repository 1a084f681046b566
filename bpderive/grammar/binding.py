"""Raw items as items: what their names mean, and which argument each value is.

In: `Raw` items, and what looks an activation's name up. Out: `Item`s; what is wrong is noted.
Must not know: how items were written, whether a layer fits what comes before it, SymPy.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bpderive.checks import Findings, integer, line, text
from bpderive.errors import SpecError, quoted, suggest
from bpderive.grammar.inputs import looks_like_input
from bpderive.grammar.layers import CALLED, LAYERS, SPOKEN, Argument, Layer
from bpderive.grammar.model import Item, Value
from bpderive.grammar.raw import Given, Raw
from bpderive.grammar.text import WORDS
from bpderive.grammar.values import MAX_COUNT, NAME, READERS, SIZE, number, truth

Lookup = Callable[[str], object]
"""Raises a SpecError for the name of an activation that there is not."""

_FIRST = "the input first, and once: 8, 8x16, 1x8x8, seq(5)x3 or seq(5)"
_ITEMS = f"a width, an activation, a file of equations, or {', '.join(SPOKEN)}"
_PATHS = "a path to a file of equations, such as squeeze.eq"


def _activation(value: object) -> str:
    """A name; a formula where it is no part of a list's text."""
    return text(value)


def _tie(value: object) -> int:
    return integer(value, "the number of a layer", MAX_COUNT)


_OPTIONS: Mapping[str, Callable[[object], Any]] = {
    "bias": truth,
    "tie": _tie,
    "activation": _activation,
}


@dataclass(frozen=True)
class Binder:
    """Makes items; `known` looks up activations, where they are known already."""

    found: Findings
    known: Lookup | None = None
    _told: dict[str, bool] = field(default_factory=dict)

    def items(self, raws: Iterator[Raw]) -> tuple[Item, ...]:
        """Those that can be read."""
        return tuple(item for raw in raws if (item := self.item(raw)) is not None)

    def item(self, raw: Raw) -> Item | None:
        """One item, or None where it cannot be read."""
        row, args = self._meaning(raw)
        if row is None:
            return None
        if raw.after:
            self.found.add(raw.place, f'"x{raw.after}" after the brackets', _FIRST)
        values = self._values(row, raw, args)
        options = {name: values.pop(name, None) for name in _OPTIONS}
        own = raw.activation if raw.activation is not None else options["activation"]
        return Item(
            row.name,
            tuple(values.items()),
            self._own(row, raw, own),
            options["bias"],
            options["tie"],
            self._count(raw),
            self.items(iter(self._inner(row, raw))),
            raw.place,
        )

    # --- What the name means ---

    def _meaning(self, raw: Raw) -> tuple[Layer | None, tuple[Given, ...]]:
        """The row, and the arguments with what the name itself said."""
        name, place = raw.name, raw.place
        if looks_like_input(name):
            self.found.add(place, f"{quoted(name.removeprefix('input '))} is an input", _FIRST)
        elif name == "[" or name in SPOKEN:
            return LAYERS["group" if name == "[" else name], raw.args
        elif name.endswith(".eq"):
            return LAYERS["equations"], (Given(name, "file", place), *raw.args)
        elif SIZE.fullmatch(name) or name[:1] in "0123456789+-.":
            return LAYERS["dense"], (Given(name, "width", place), *raw.args)
        elif NAME.fullmatch(name):
            return self._word(raw)
        else:
            self.found.add(place, f"{quoted(name)} is neither a width nor a layer", _ITEMS)
        return None, ()

    def _word(self, raw: Raw) -> tuple[Layer | None, tuple[Given, ...]]:
        """An activation alone, or a name that means nothing."""
        hint = _hint(raw.name)
        wrong = self._unknown(raw.name) if raw.bare else ()
        if not raw.bare and self.known is not None and not self._unknown(raw.name):
            called = hint if raw.name in CALLED else ""
            self.found.add(raw.place, f"{raw.name} is an activation{called}", f"{raw.name} alone")
        elif not raw.bare or (wrong and hint):
            self.found.add(raw.place, f"unknown layer {quoted(raw.name)}{hint}", ", ".join(SPOKEN))
        elif wrong:
            self.found.take(raw.place, _raiser(self.known), raw.name, None)
        else:
            return LAYERS["activation"], (Given(raw.name, "activation", raw.place),)
        return None, ()

    def _unknown(self, name: str) -> bool:
        """Whether no activation has the name; asked once a name."""
        if name not in self._told:
            silent = Findings()
            if self.known is not None:
                silent.take((), _raiser(self.known), name, None)
            self._told[name] = bool(silent.problems)
        return self._told[name]

    # --- Its arguments ---

    def _values(self, row: Layer, raw: Raw, args: tuple[Given, ...]) -> dict[str, Any]:
        """Each value by its name, in the order of the signature; wrong ones are noted."""
        given = {name: one for name, one in self._named(row, raw, args) if one is not None}
        missing = [name for name in row.by_name if name in row.required and name not in given]
        if missing:
            self.found.add(raw.place, f"{row.name} needs {_and(missing)}", row.signature)
        order = {name: at for at, name in enumerate((*row.by_name, *_OPTIONS))}
        names = sorted(given, key=lambda name: order.get(name, 0))
        return {name: self._value(row, name, given[name]) for name in names}

    def _named(
        self, row: Layer, raw: Raw, args: tuple[Given, ...]
    ) -> Iterator[tuple[str, Given | None]]:
        """Each argument with its name: told, or that of its turn in the signature."""
        turns = iter([] if row.block and row.name != "transformer" else row.by_name)
        known = (*row.by_name, *row.options)
        taken: set[str] = set()
        for one in (one for one in args if not one.block):
            name = one.name or self._turn(row, one, turns, raw)
            if name in taken:
                self.found.add(one.place or raw.place, f"{name} is given twice", row.signature)
            elif name and name not in known and not _of_file(row, name):
                told = ", ".join(known) or f"{row.name} alone"
                message = f"{_subject(row)} takes no {quoted(name)}{suggest(name, known)}"
                self.found.add(one.place or raw.place, message, told)
            elif name:
                yield name, one
            taken.add(name or "")

    def _turn(self, row: Layer, one: Given, turns: Iterator[str], raw: Raw) -> str | None:
        """The name of a positional argument; a flag may stand by its name."""
        if isinstance(one.value, str) and _is_flag(row.by_name.get(one.value)):
            return one.value
        name = next(turns, None)
        if name == "file":
            name = None
        if name is None:
            message = f"{_subject(row)} takes no further argument, and here is {quoted(one.value)}"
            self.found.add(one.place or raw.place, message, row.signature)
        return name

    def _value(self, row: Layer, name: str, one: Given) -> Any:
        flag = row.by_name.get(name)
        if one.name is None and one.value == name and _is_flag(flag):
            return True
        if name == "file":
            return self.found.take(one.place, _path, one.value, "")
        reader = _OPTIONS.get(name) or (READERS[flag.kind] if flag else number)
        place = one.place if name in one.place or name == "width" else (*one.place, name)
        return self.found.take(place, reader, one.value, _dummy(flag))

    # --- What follows the brackets ---

    def _own(self, row: Layer, raw: Raw, value: object) -> str | None:
        """The activation, looked up."""
        if value is None:
            if row.name == "activation":
                self.found.add(raw.place, "which activation?", "its name alone, such as tanh")
            return None
        if not row.activates:
            message = f"{_subject(row)} takes no activation"
            self.found.add(raw.place, message, f"an item of its own: {row.name}, {_short(value)}")
            return None
        name = self.found.take(raw.place, _activation, value, None)
        if name is not None and self._unknown(name):
            self.found.take(raw.place, _raiser(self.known), name, None)
        return name

    def _count(self, raw: Raw) -> int:
        return self.found.take(raw.place, lambda v: integer(v, "a count", MAX_COUNT), raw.repeat, 1)

    def _inner(self, row: Layer, raw: Raw) -> list[Raw]:
        """The items of a block, which must not be empty."""
        if not row.block or row.name == "transformer":
            return []
        if not any(one.block for one in raw.args):
            self.found.add(raw.place, f"{_subject(row)} holds no items", "residual(8:relu,8)")
        return [one.item for one in raw.args if one.item is not None]


def _raiser(known: Lookup | None) -> Callable[[object], object]:
    """As a reader of any value."""
    return lambda value: known(str(value)) if known else None


def _path(value: object) -> str:
    told = line(str(value), "the path")
    if not told.endswith(".eq") or told.strip() == ".eq":
        raise SpecError.single(f"{quoted(value)} is no file of equations", accepted=_PATHS)
    return told


def _hint(name: str) -> str:
    """What a layer may be called elsewhere, or the name nearest to it."""
    plain = name.lower().replace("_", "")
    called = CALLED.get(plain) or (plain if plain in SPOKEN else None)
    return f' (did you mean "{called}"?)' if called else suggest(name, (*SPOKEN, *WORDS))


def _is_flag(argument: Argument | None) -> bool:
    return argument is not None and argument.kind == "truth"


def _of_file(row: Layer, name: str) -> bool:
    """Sizes and numbers of a file of equations have names of its own."""
    return row.name == "equations" and name != "file" and bool(NAME.fullmatch(name))


def _dummy(argument: Argument | None) -> Value | None:
    """What stands in for a wrong value until the problems are told."""
    return 1 if argument and argument.kind != "truth" else None


def _subject(row: Layer) -> str:
    return {"equations": "a file of equations", "group": "[…]"}.get(row.name, row.name)


def _and(names: list[str]) -> str:
    return " and ".join(names)


def _short(value: object) -> str:
    return str(value) if NAME.fullmatch(str(value)) else "tanh"
