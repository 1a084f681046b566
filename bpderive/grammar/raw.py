"""An item as it was written, before anybody asks what its name means.

In: nothing. Out: frozen data, which the readers of texts and of tables make and `binding` reads.
Must not know: layers, SymPy.
"""

from dataclasses import dataclass

from bpderive.checks import Path


@dataclass(frozen=True)
class Given:
    """One argument: its name where it was told, its value as written, and its place.

    In a `block` it is an item, or None where that could not be read.
    """

    value: object
    name: str | None = None
    place: Path = ()
    item: "Raw | None" = None
    block: bool = False


@dataclass(frozen=True)
class Raw:
    """One item: `name(args):activation*repeat`.

    `name` may be a width, a size such as `1x8x8`, a path, or `[` for items in square brackets.
    `bare` says that it had no brackets; `after` is what follows those of `seq(5)x3`.
    """

    name: str
    place: Path
    args: tuple[Given, ...] = ()
    activation: object = None
    repeat: object = 1
    after: str = ""
    bare: bool = True
