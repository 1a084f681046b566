"""The notations of textbooks: `load` gives one of ours by name, or the user's own by its path.

In: a name, such as "article", or the path of a TOML file. Out: a frozen `Notation`. Must not know:
the syntax of any format, words, networks.
"""

from functools import cache

from bpderive.errors import DerivationError, SpecError, quoted, suggest
from bpderive.kept import table
from bpderive.locate import templates
from bpderive.notation.model import Notation
from bpderive.notation.reading import is_path, made, read
from bpderive.notation.setting import DERIVED, Setting

__all__ = ["DEFAULT", "DERIVED", "Notation", "Setting", "load", "notations"]

DEFAULT = "article"


def notations() -> tuple[str, ...]:
    """The names of the notations that bpderive has, its own first."""
    names = sorted(path.stem for path in (templates() / "notation").glob("*.toml"))
    return (DEFAULT, *(name for name in names if name != DEFAULT))


def load(name: str = DEFAULT) -> Notation:
    """The notation of that name, or of a file: what ends in `.toml` or holds a slash is a path.

    Raises:
        SpecError: there is none; the file cannot be read, or something in it is wrong.
    """
    if is_path(name):
        return read(name, _ours)
    if name not in notations():
        raise _unknown(name, ", or the path of a TOML file")
    return _ours(name)


def _unknown(name: str, also: str = "") -> SpecError:
    names = notations()
    message = f"unknown notation {quoted(name)}{suggest(name, names)}"
    return SpecError.single(message, accepted=", ".join(names) + also)


@cache
def _ours(name: str) -> Notation:
    if name not in notations():
        raise _unknown(name)
    try:
        path = templates() / "notation" / f"{name}.toml"
        return made(str(path), table(path), _ours)
    except SpecError as error:
        raise DerivationError(f"the notation {name} is broken: {error}") from error
