"""Where a key, or an item of the array `layers`, stands in the text of a TOML document.

In: a document that tomllib has read, and a path into it.  Out: a line number for a message, found
by scanning; 1 where the scan finds nothing.  Must not know what the keys mean.
"""

import re
from collections.abc import Iterator
from itertools import islice

from bpderive.checks import Path

_PIECE = (
    r""""{3}(?:\\.|[^\\])*?"{3}|'{3}(?:.|\n)*?'{3}|"(?:\\.|[^"\\\n])*+"|'[^'\n]*+'|"""
    r"""["'#][^\n]*+|[\[\]{},\n]|[^\s\[\]{},#"']+"""
)
"""A string, a comment (or a string that does not end), a mark, or a word."""


def dots(document: str) -> int:
    """The most dots outside strings between two marks: how deep the deepest dotted key goes."""
    most = run = 0
    for piece in re.finditer(_PIECE, document):
        kind = piece[0][0]
        run = 0 if kind in "[]{},\n" else run + (kind not in "#\"'" and piece[0].count("."))
        most = max(most, run)
    return most


def line_of(document: str, path: Path) -> int:
    """The line on which the key at the path begins, or the array's item if the path names one."""
    key, item = path[0], path[1] if len(path) > 1 else None
    if isinstance(item, int):
        return next(islice(_items(document, str(key)), item - 1, None), 1)
    return _line(document, rf"(?:\[+[ \t]*+)?([\"']?){re.escape(str(key))}\1[ \t]*[=\].]")


def _line(document: str, pattern: str) -> int:
    found = re.search(rf"^[ \t]*+{pattern}", document, re.MULTILINE)
    return document.count("\n", 0, found.end()) + 1 if found else 1


def _items(document: str, key: str) -> Iterator[int]:
    """The line of every item of `key = [...]`, or of every `[[key]]`."""
    start = re.search(rf"^[ \t]*{key}[ \t]*=[ \t]*\[", document, re.MULTILINE)
    if not start:
        for line, row in enumerate(document.split("\n"), 1):
            if re.match(rf"[ \t]*\[\[[ \t]*{key}[ \t]*\]\]", row):
                yield line
        return
    line = document.count("\n", 0, start.end()) + 1
    depth, waiting = 1, True
    for piece in re.finditer(_PIECE, document[start.end() :]):
        kind = piece[0][0]
        if depth == 1 and waiting and kind not in "\n#,]}":
            yield line
            waiting = False
        waiting = waiting or (depth == 1 and kind == ",")
        depth += (kind in "[{") - (kind in "]}")
        line += piece[0].count("\n")
        if depth == 0:
            return
