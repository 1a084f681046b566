"""The values of an example from a TOML or JSON file, or from a mapping.

In: a path, a text or a mapping with the keys x, y, w1, b1, … and eta. Out: `Values`, every number
exact (`0.1` is 1/10), or one `SpecError` with every problem and its place. Must not know: what is
computed from them.
"""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sympy import Expr, Integer

from bpderive import sources
from bpderive.catalog import Loss
from bpderive.checks import Findings, Path, place
from bpderive.derive import Derivation
from bpderive.errors import SpecError, UnsupportedError, quoted
from bpderive.example.model import RATE, Shape, Values, names, shapes
from bpderive.example.numbers import Literal, number, shown
from bpderive.toml_lines import dots, line_of

MOST = 500_000
"""Bytes of a file."""
DEEPEST = 8
"""Dots in a key: the time that tomllib takes grows with their third power."""


def read(path: str, derivation: Derivation) -> Values:
    """The values in a file: JSON where its name ends so, else TOML; `-` is standard input.

    Raises:
        SpecError: with every problem; also where the file cannot be read.
        UnsupportedError: the network has sizes without numbers.
    """
    document, where = sources.read(path, "values", MOST, piped=True)
    return _document(document, where, derivation)


class TwiceError(Exception):
    """A key of JSON that stands twice."""


def _document(document: str, where: str, derivation: Derivation) -> Values:
    as_json = where.lower().endswith(".json")
    reader, name = (_json, "JSON") if as_json else (_toml, "TOML")
    try:
        table = reader(document)
    except TwiceError as error:
        raise SpecError.single(f"the key {quoted(str(error))} stands twice", where) from error
    except RecursionError:
        raise SpecError.single("nested too deeply", where) from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError) as error:
        raise SpecError.single(f"not {name}: {error}", where) from error
    except ValueError as error:  # of an integer of thousands of digits
        raise SpecError.single("a number is too long", where) from error

    def at(path: Path) -> str:
        there = not as_json and path and path[0] in table
        line = (f"line {line_of(document, path)}",) if there else ()
        return ", ".join((where, *line, place(path)))

    if not isinstance(table, dict):
        raise SpecError.single("values are a table", where, _keys(shapes(derivation)))
    return parse(table, derivation, at)


def _toml(document: str) -> dict[str, Any]:
    if dots(document) > DEEPEST:
        raise RecursionError
    return tomllib.loads(document, parse_float=Literal)


def _json(document: str) -> Any:
    return json.loads(
        document, parse_float=Literal, parse_constant=Literal, object_pairs_hook=_once
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table, none of whose keys stands twice."""
    table = dict(pairs)
    if len(table) < len(pairs):
        twice = next(key for key, _ in pairs if [other for other, _ in pairs].count(key) > 1)
        raise TwiceError(twice)
    return table


def parse(
    table: Mapping[str, Any], derivation: Derivation, where: Callable[[Path], str] = place
) -> Values:
    """The values of a table; `where` tells the place of a problem.

    Raises:
        SpecError: with every problem.
        UnsupportedError: the network has sizes without numbers.
    """
    if derivation.network.symbolic:
        sizes = ", ".join(sorted(derivation.network.size_names))
        raise UnsupportedError(f"a worked example needs the sizes as numbers, and here are {sizes}")
    found, wanted = Findings(), shapes(derivation)
    numbers: dict[str, Expr] = {}
    for label, shape in wanted.items():
        if label not in table:
            found.add((label,), "is missing", _wanted(shape))
        else:
            numbers |= _tensor(found, label, table[label], shape)
    eta = found.take(("eta",), rate, table.get("eta", Literal("0.1")), RATE)
    found.unknown((), table, (*wanted, "eta"))
    if not found.about("y"):
        _check_label(found, derivation.network.loss, numbers, wanted["y"])
    found.check(where)
    return Values(numbers, eta)


def _tensor(found: Findings, label: str, value: object, shape: Shape) -> dict[str, Expr]:
    """The elements of a tensor by their names; what is wrong is noted."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if not _fits(value, shape):
        found.add((label,), f"has not the right shape: {_described(value)}", _wanted(shape))
        return {}
    rows: Sequence[Any] = value  # type: ignore[assignment] # `_fits` has looked
    elements: list[tuple[Path, Any]] = [((i,), v) for i, v in enumerate(rows, 1)]
    if len(shape) == 2:
        elements = [((*i, j), v) for i, row in elements for j, v in enumerate(row, 1)]
    read = (found.take((label, *at), number, v, Integer(0)) for at, v in elements)
    return dict(zip(names(label, shape), read, strict=True))


def _fits(value: object, shape: Shape) -> bool:
    if not shape:
        return not isinstance(value, list | tuple | dict)
    if not isinstance(value, list | tuple) or len(value) != shape[0]:
        return False
    return all(_fits(part, shape[1:]) for part in value)


def _wanted(shape: Shape) -> str:
    """The shape in words."""
    if len(shape) == 1:
        return f"a list of {_count(shape[0], 'number')}"
    return f"{_count(shape[0], 'row')} of {_count(shape[1], 'number')}"


def _count(size: int, word: str) -> str:
    return f"{size} {word}" + "s" * (size != 1)


def _described(value: object) -> str:
    """What was given instead."""
    if not isinstance(value, list | tuple):
        return shown(value)
    if not any(isinstance(row, list | tuple) for row in value):
        return f"a list of {len(value)}"
    lengths = [len(row) if isinstance(row, list | tuple) else 1 for row in value]
    return f"rows of {', '.join(map(str, lengths[:8]))}{', ...' * (len(lengths) > 8)}"


def _keys(wanted: Mapping[str, Shape]) -> str:
    return ", ".join((*wanted, "eta"))


def rate(value: object) -> Expr:
    """A learning rate above 0."""
    found = number(value)
    if found <= 0:
        raise SpecError.single(f"{shown(value)} is no learning rate", accepted="a number above 0")
    return found


# --- Labels ---


def _check_label(found: Findings, loss: Loss, numbers: Mapping[str, Expr], shape: Shape) -> None:
    """Note a label that the loss cannot take."""
    label = [numbers[name] for name in names("y", shape)]
    allowed, accepted = LABELS[loss.label]
    if not allowed(label):
        shown = ", ".join(map(str, label))
        found.add(("y",), f"the loss {loss.name} cannot take the label ({shown})", accepted)


LABELS: Mapping[str, tuple[Callable[[Sequence[Expr]], bool], str]] = {
    "real": (lambda _: True, ""),
    "binary": (lambda y: all(0 <= v <= 1 for v in y), "probabilities from 0 to 1"),
    "sign": (lambda y: all(abs(v) == 1 for v in y), "-1 or 1"),
    "count": (lambda y: all(v.is_Integer and v >= 0 for v in y), "whole numbers from 0"),
    "distribution": (
        lambda y: all(v >= 0 for v in y) and sum(y) == 1,
        "probabilities whose sum is 1, such as a single 1 among zeros",
    ),
}
"""By kind of label, what it may be, as a test and in words."""
