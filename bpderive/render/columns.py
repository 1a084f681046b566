"""Text in the columns of a terminal, where a Chinese character takes two.

In: text. Out: its width in columns, and lines of at most so many. Chinese breaks between any two
characters, but no line begins with a closing mark or ends with an opening one. Must not know:
mathematics, documents.
"""

import re
import textwrap
from functools import cache, lru_cache
from unicodedata import combining, east_asian_width

_CLOSING = "，。、；：？！）」』〕》〉…"
_OPENING = "（「『〔《〈"
_WIDE = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u303f]"
_BODY = rf"(?:(?![{_OPENING}]){_WIDE}|(?:(?!{_WIDE})\S)+)"


@cache
def _tokens() -> re.Pattern[str]:
    """What a line may break between."""
    return re.compile(rf"[{_OPENING}]*{_BODY}[{_CLOSING}]*|[{_OPENING}]+| +")


@lru_cache(8192)
def columns(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    return sum((2 if east_asian_width(c) in "WF" else 1) for c in text if not combining(c))


def filled(text: str, width: int, first: str = "", others: str = "") -> str:
    """The text in lines of at most `width` columns, `first` before the first of them."""
    if columns(text) == len(text):
        return textwrap.fill(text, width, initial_indent=first, subsequent_indent=others)
    lines = [first]
    for token in _tokens().findall(text):
        if columns(lines[-1] + token.rstrip()) <= width or lines[-1] in (first, others):
            lines[-1] += token
        else:
            lines[-1] = lines[-1].rstrip()
            lines.append(others + token.lstrip())
    return "\n".join(lines).rstrip()


def padded(text: str, width: int) -> str:
    """The text with spaces behind it up to a width."""
    return text + " " * (width - columns(text))
