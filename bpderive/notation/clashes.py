"""Letters that would be read as another quantity's.

In: a `Notation` whose letters are all right by themselves. Out: what is wrong with them together.
Must not know: where the notation was read.
"""

from collections.abc import Iterator, Mapping

from bpderive.checks import Path
from bpderive.notation.model import Notation
from bpderive.notation.setting import DERIVED

Clash = tuple[Path, str, str]
ANOTHER = "a letter that nothing else has"


def clashes(notation: Notation) -> Iterator[Clash]:
    """Every two things with the same letter, the place of the second; and letters that lack."""
    yield from _missing(notation)
    seen: dict[str, tuple[str, str]] = {}
    for keys, meaning, letter in _named(notation):
        other = seen.setdefault(letter, (meaning, str(keys[-1])))
        if other[0] != meaning:
            yield keys, f'"{letter}" is the letter of {other[1]} too', ANOTHER
    yield from _twice(notation)


def _missing(notation: Notation) -> Iterator[Clash]:
    wanted = (*"xwbzaypghLSN", "delta", "eta")
    tables = {"letters": wanted, "matrices": (*"xwzaypgh", "delta")}
    for table, names in tables.items():
        for name in names:
            if name not in getattr(notation, table):
                yield (table, name), "the letter is missing", "a letter"
    if "output" in notation.letters and "output" not in notation.matrices:
        yield ("matrices", "output"), "the letter is missing", "that of a batch's outputs"


def _named(notation: Notation) -> Iterator[tuple[Path, str, str]]:
    """Where a letter stands in the file, what it means, and the letter."""
    hidden = set(DERIVED) if notation.derivatives != "letter" else set()
    hidden |= {"x"} if notation.input_as_activation else set()
    for table in ("letters", "matrices"):
        letters: Mapping[str, str] = getattr(notation, table)
        for name, letter in letters.items():
            if name not in hidden:
                yield (table, name), "output" if name == "p" else name, letter
    yield ("general_layer",), "the general layer", notation.general_layer
    if notation.activation:
        yield ("activation",), "the activation", notation.activation
    for name, symbol in notation.functions.items():
        yield ("functions", name), f"function {name}", symbol
    if notation.derivatives == "d":
        yield ("derivatives",), "a derivative", "d"
    if notation.derivatives != "letter" or notation.marked_below:
        yield ("kronecker",), "the Kronecker delta", notation.kronecker


def _twice(notation: Notation) -> Iterator[Clash]:
    """Indices that have another meaning already: a size may have the letter of an index."""
    taken = {letter: str(keys[-1]) for keys, _, letter in _named(notation) if keys[-1] != "n"}
    taken.setdefault(notation.kronecker, "kronecker")
    for key in ("samples", "indices"):
        letters = getattr(notation, key)
        for at, letter in enumerate(letters, 1):
            if letter in taken:
                yield (key,), f'"{letter}" is the letter of {taken[letter]} too', ANOTHER
            elif letter in letters[: at - 1]:
                yield (key,), f'"{letter}" stands there twice', "each letter once"
    if notation.samples[0] in notation.indices[:2]:
        message = f'"{notation.samples[0]}" counts both samples and neurons'
        yield ("samples",), message, ANOTHER
    if notation.above == notation.indices[0] or notation.above in taken:
        yield ("above",), f'"{notation.above}" has another meaning', ANOTHER
