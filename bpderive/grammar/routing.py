"""Whether a list holds anything but plain widths.

In: a text or a list. Out: yes or no. Must not know SymPy.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from bpderive.errors import SpecError
from bpderive.grammar.values import SIZE, sizes_of

_OWN = ("width", "activation", "repeat")
_HEAD = re.compile(r"[^:*(\[]*")
_CALL = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*\s*\(|[0-9]+\s*\(\s*[a-z]+\s*=|\[)")
_FILE = re.compile(r"\.eq\s*($|[(:*])")
_ASKED = 20  # so many different words that are no sizes are looked up
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def has_layers(value: object, known: Callable[[str], object] | None) -> bool:
    """Whether some item is a layer of another kind than a plain width, or is meant to be one.

    A word that is no size counts where it names an activation, or is nearly the name of a layer.
    """
    if isinstance(value, str):
        return _text(value, known)
    if not isinstance(value, list | tuple):
        return False
    if any(isinstance(item, Mapping) and not {"layer", "input"}.isdisjoint(item) for item in value):
        return True
    texts = (item.get("width") if isinstance(item, Mapping) else item for item in value)
    return any(_text(text, known) for text in texts if isinstance(text, str))


def _text(text: str, known: Callable[[str], object] | None) -> bool:
    return bool(re.search(r"[A-Za-z\[]", text)) and _any(text.split(","), known)


def _any(pieces: Iterable[str], known: Callable[[str], object] | None) -> bool:
    heads: dict[str, None] = {}
    for piece in pieces:
        if _CALL.match(piece) or _FILE.search(piece):
            return True
        heads[_HEAD.match(piece)[0].strip()] = None  # type: ignore[index] # it matches nothing too
    words = [head for head in heads if not (head.isdigit() or SIZE.fullmatch(head))]
    return any(map(sizes_of, words)) or any(_word(head, known) for head in words[:_ASKED])


def _word(head: str, known: Callable[[str], object] | None) -> bool:
    head = head.rstrip(" )]")
    if SIZE.fullmatch(head) or not _WORD.fullmatch(head):
        return False
    from bpderive.grammar.layers import SPOKEN  # not for plain widths

    return head in SPOKEN or _named(head, known) or _nearly(head, known)


def _named(head: str, known: Callable[[str], object] | None) -> bool:
    """Whether it is the name of an activation."""
    try:
        return known is not None and known(head) is not None
    except SpecError:
        return False


def _nearly(head: str, known: Callable[[str], object] | None) -> bool:
    """Whether it is nearly the name of a layer, or of an activation: then the error says so."""
    from difflib import get_close_matches  # only where a word stands for a width

    from bpderive.grammar.layers import CALLED, SPOKEN

    plain = head.lower().replace("_", "")
    if plain in CALLED or get_close_matches(plain, SPOKEN, n=1, cutoff=0.6):
        return True
    try:
        return known is not None and known(head) is None
    except SpecError as error:
        return "did you mean" in str(error)
