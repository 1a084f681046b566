"""Draws our own little mathematics font and writes it as text: `python tools/make_font.py`.

In: nothing. Out: `templates/document/html/mathematics.woff2.txt`, the font in Base64. It holds what
a browser needs to set MathML and a reader's machine may lack: operators on one axis, brackets,
roots and sums that grow, and the measures of mathematical typesetting (OpenType's MATH table).
Letters and digits come from the reader's text font, whose scale (that of Times) this font keeps.
Needs fonttools and brotli; the page itself needs neither.
"""

import base64
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from font_brackets import (
    MEDIUM,
    brace,
    brace_part,
    double_bar,
    parenthesis,
    parenthesis_end,
    square_bracket,
    square_end,
    stem,
    vertical_bar,
)
from font_measures import CONSTANTS
from font_shapes import Glyph, glyph, mirrored, upside_down
from font_signs import PLAIN, root, root_part, summation
from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib.builder import buildMathTable
from fontTools.pens.boundsPen import BoundsPen
from fontTools.pens.t2CharStringPen import T2CharStringPen

TARGET = Path(__file__).parent.parent / "templates/document/html/mathematics.woff2.txt"
HALVES = {"": 450, ".1": 620, ".2": 900, ".3": 1200}
"""Half the heights of brackets, by what follows the character in a glyph's name."""

ROOTS = {"": 1000, ".1": 1250, ".2": 1800, ".3": 2400}
SUMS = {"": (500, 830), ".1": (700, 1120)}
DATE = 3_800_000_000
"""The font's date of making, in seconds since 1904: always the same, so that its bytes are."""

OVERLAP = 100
"""By how much the parts of a tall bracket may lie over each other."""


def drawn() -> dict[str, Glyph]:
    """Every glyph by its name; a character's own is named by the character."""
    found = {**PLAIN, **dict(_brackets()), **dict(_parts())}
    found |= {f"√{suffix}": root(high) for suffix, high in ROOTS.items()}
    found |= {f"√.{part}": root_part(part) for part in ("foot", "line", "corner")}
    found |= {f"∑{suffix}": summation(half, wide=wide) for suffix, (half, wide) in SUMS.items()}
    return found


def _brackets() -> Iterator[tuple[str, Glyph]]:
    """All brackets in all sizes."""
    pairs = (("(", ")", parenthesis), ("[", "]", square_bracket), ("{", "}", brace))
    for suffix, half in HALVES.items():
        for left, right, draw in pairs:
            yield left + suffix, draw(half)
            yield right + suffix, mirrored(draw(half))
        yield f"|{suffix}", vertical_bar(half)
        yield f"‖{suffix}", double_bar(half)


def _parts() -> Iterator[tuple[str, Glyph]]:
    """What brackets of any height are put together from."""
    rows = (
        ("(", ")", parenthesis_end(), stem(60, MEDIUM + 24, 400)),
        ("[", "]", square_end(), stem(90, MEDIUM, 300)),
        ("{", "}", brace_part("end"), stem(157, MEDIUM + 16, 385)),
    )
    for left, right, end, straight in rows:
        for name, part in (("top", end), ("stem", straight), ("low", upside_down(end))):
            yield f"{left}.{name}", part
            yield f"{right}.{name}", mirrored(part)
    yield "{.middle", brace_part("middle")
    yield "}.middle", mirrored(brace_part("middle"))
    yield "|.stem", vertical_bar(400)
    yield "‖.stem", double_bar(400)


def _name(key: str) -> str:
    """A glyph's name in the font, from the character and what follows it."""
    return "space" if key == " " else f"u{ord(key[0]):04X}{key[1:]}"


def _height(found: Glyph) -> int:
    pen = BoundsPen(None)
    found[1].replay(pen)
    return round(pen.bounds[3] - pen.bounds[1])


def _variants(glyphs: Mapping[str, Glyph]) -> dict[str, list[tuple[str, int]]]:
    """For each glyph that grows: the glyphs of its sizes with their heights."""
    found = {}
    for key in "()[]{}√∑|‖":
        sizes = [key, *(f"{key}.{k}" for k in (1, 2, 3) if f"{key}.{k}" in glyphs)]
        found[_name(key)] = [(_name(size), _height(glyphs[size])) for size in sizes]
    return found


STRAIGHT = ((".low", 0), (".stem", 1), (".top", 0))
CURLY = ((".low", 0), (".stem", 1), (".middle", 0), (".stem", 1), (".top", 0))
ASSEMBLED: Mapping[str, tuple[tuple[str, int], ...]] = {
    **dict.fromkeys("()[]", STRAIGHT),
    **dict.fromkeys("{}", CURLY),
    **dict.fromkeys("|‖", ((".stem", 0), (".stem", 1))),
    "√": ((".foot", 0), (".line", 1), (".corner", 0)),
}
"""The parts of a glyph of any height, from below; 1 where a part is repeated."""


def _assembly(key: str, glyphs: Mapping[str, Glyph]) -> tuple[list[tuple[Any, ...]], int]:
    """The parts with the lengths over which each may lie over its neighbours, and their heights."""
    parts = ASSEMBLED[key]
    found = []
    for at, (part, repeats) in enumerate(parts):
        low = OVERLAP if at or repeats else 0
        high = OVERLAP if at < len(parts) - 1 or repeats else 0
        found.append((_name(key + part), repeats, low, high, _height(glyphs[key + part])))
    return found, 0


def _charstring(found: Glyph) -> Any:
    pen = T2CharStringPen(found[0], None)
    found[1].replay(pen)
    return pen.getCharString()


def _plain(glyphs: Mapping[str, Glyph]) -> FontBuilder:
    """The font without what is mathematical in it."""
    names = {key: key if key == ".notdef" else _name(key) for key in glyphs}
    outlines = {names[key]: _charstring(found) for key, found in glyphs.items()}
    widths = {names[key]: (round(found[0]), 0) for key, found in glyphs.items()}
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder(list(names.values()))
    builder.setupCharacterMap({ord(key): names[key] for key in glyphs if len(key) == 1})
    builder.setupCFF("bpderiveMath", {}, outlines, {})
    builder.setupHorizontalMetrics(widths)
    builder.setupHorizontalHeader(ascent=891, descent=-216)
    builder.setupNameTable({"familyName": "bpderive math", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=891, sTypoDescender=-216, usWinAscent=891, usWinDescent=216)
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = DATE
    builder.font.recalcTimestamp = False
    return builder


def build() -> bytes:
    """The font's bytes, compressed."""
    glyphs = {".notdef": glyph(500), **drawn()}
    font = _plain(glyphs).font
    buildMathTable(
        font,
        constants=dict(CONSTANTS),
        topAccentAttachments={_name("^"): 250},  # browsers refuse a table without this part,
        horizGlyphVariants={_name("^"): [(_name("^"), 320)]},  # and one without that
        minConnectorOverlap=20,
        vertGlyphVariants=_variants(glyphs),
        vertGlyphAssembly={_name(key): _assembly(key, glyphs) for key in ASSEMBLED},
    )
    font.flavor = "woff2"
    stream = io.BytesIO()
    font.save(stream)
    return stream.getvalue()


if __name__ == "__main__":
    TARGET.write_text(base64.b64encode(build()).decode("ascii"), encoding="ascii")
