"""Pictures by matplotlib (extra `plot`): the same bytes for the same data; and bars of plain text.

In: what `flow` and `sweep` found. Out: pictures as data (`slopes`, `layers`, `heat_map`), the bytes
of an SVG, PDF or PNG (`draw`), lines for a terminal (`chart`). Must not know: the command line.
"""

from collections.abc import Callable, Mapping

from bpderive.errors import SpecError, quoted
from bpderive.plots.bars import chart
from bpderive.plots.canvas import FORMATS, Making, drawn
from bpderive.plots.heat import draw_heat_map
from bpderive.plots.levels import draw_layers
from bpderive.plots.making import heat_map, layers, slopes
from bpderive.plots.model import Case, HeatMap, Layers, Level, Panel, Slopes
from bpderive.plots.steepness import draw_slopes
from bpderive.wording import load

__all__ = [
    "FORMATS",
    "Case",
    "HeatMap",
    "Layers",
    "Level",
    "Panel",
    "Slopes",
    "chart",
    "draw",
    "heat_map",
    "layers",
    "slopes",
]

Picture = Slopes | Layers | HeatMap
MAKERS: Mapping[type, Callable[..., Making]] = {
    Slopes: draw_slopes,
    Layers: draw_layers,
    HeatMap: draw_heat_map,
}


def draw(picture: Picture, format: str = "svg", language: str = "en") -> bytes:  # noqa: A002
    """The bytes of a picture, the same every time.

    Args:
        picture: what `slopes`, `layers` or `heat_map` gave.
        format: `svg` (letters as outlines), `pdf` or `png`.
        language: a language's name, or the path of one's own TOML.

    Raises:
        SpecError: there is no such format or language.
        UnsupportedError: matplotlib is not installed, or no font has a character.
    """
    if format not in FORMATS:
        raise SpecError.single(f"unknown format {quoted(format)}", accepted=", ".join(FORMATS))
    wording = load(language)
    return drawn(MAKERS[type(picture)](picture, wording), format, wording)
