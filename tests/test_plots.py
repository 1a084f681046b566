"""Pictures and bars: the same bytes always, honest about jumps, zeros and what is not known."""

import io
import math
import os
import random
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bpderive import plots
from bpderive.catalog import CATALOG, Activation, formula_activation
from bpderive.errors import SpecError, UnsupportedError
from bpderive.flow.model import Expectation, Expected, Measurement, Spread
from bpderive.plots import bars, canvas, levels
from bpderive.render.columns import columns

pytest.importorskip("matplotlib")
pikepdf = pytest.importorskip("pikepdf")

ELEMENTWISE = [row for row in CATALOG.activations if row.elementwise]
LANGUAGES = ("en", "zh-TW")


def expectation(powers, *, relative=False):
    rows = (Expected(k, f"W{k}", 1.0, 1.0, 0.5, power) for k, power in enumerate(powers, 1))
    return Expectation(tuple(rows), relative)


def spread(number, size, bound=None):
    quantiles = tuple(size * share for share in (0.1, 0.3, 0.6, 1.0, 2.0))
    return Spread(number, f"W{number}", size, size, 0.0, size, size, quantiles, 0.0, bound)


def measurement(sizes, bounds=None):
    bounds = bounds or [None] * len(sizes)
    rows = zip(sizes, bounds, strict=True)
    spreads = tuple(spread(k, size, bound) for k, (size, bound) in enumerate(rows, 1))
    return Measurement(spreads, "xavier", 10, 4, 1)


def case(count=5, title="xavier"):
    draw = random.Random(count)
    powers = [draw.uniform(-6, 1) for _ in range(count)]
    sizes = [10 ** (power + draw.uniform(-0.2, 0.2)) for power in powers]
    bounds = [50 * size for size in sizes]
    return plots.Case(title, expectation(powers), measurement(sizes, bounds))


def heat(values=None, critical=1.3):
    depths, sigmas = (2, 5, 9, 14), (0.5, 1.0, 2.0)
    if values is None:
        values = [[depth * math.log10(sigma / 1.3) for depth in depths] for sigma in sigmas]
    return plots.heat_map(CATALOG.activation("tanh"), depths, sigmas, values, critical)


PICTURES = {
    "slopes": plots.slopes(CATALOG.activation("relu")),
    "layers": plots.layers(case(), case(5, "he")),
    "heat": heat(),
}


# --- Files ---


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_an_svg_is_xml_with_outlines_for_letters(picture, language):
    data = plots.draw(picture, "svg", language)
    root = ET.fromstring(data)  # noqa: S314 - our own
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert {"svg", "path"} <= tags
    assert not {"text", "image"} & tags
    assert data == plots.draw(picture, "svg", language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_pdf_opens_with_one_page_as_wide_as_a_text(picture, language):
    data = plots.draw(picture, "pdf", language)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        (page,) = pdf.pages
        assert float(page.mediabox[2]) == pytest.approx(canvas.WIDE / 2.54 * 72, abs=0.1)
        assert {"/CreationDate", "/Creator", "/Producer"}.isdisjoint(pdf.docinfo)
    assert data == plots.draw(picture, "pdf", language)


@pytest.mark.parametrize("form", plots.FORMATS)
def test_no_version_and_no_date_is_in_a_file(form):
    import matplotlib as mpl

    data = plots.draw(PICTURES["slopes"], form)
    for word in (f"v{mpl.__version__}", "version" + mpl.__version__, "CreationDate"):
        assert word.encode() not in data
    assert b"<dc:date>" not in data
    assert b"Software" not in data


def test_two_processes_give_the_same_bytes():
    code = (
        "import hashlib, test_plots as t\n"
        "for f in t.plots.FORMATS:\n"
        "    for p in t.PICTURES.values():\n"
        "        print(hashlib.sha256(t.plots.draw(p, f, 'zh-TW')).hexdigest())\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
    assert len(set(found.pop().split())) == len(plots.FORMATS) * len(PICTURES)


def test_no_setting_of_the_users_changes_a_picture_or_is_changed():
    import matplotlib as mpl

    expected = plots.draw(PICTURES["layers"], "svg")
    with mpl.rc_context({"font.size": 30.0, "lines.linewidth": 9.0, "text.color": "red"}):
        before = dict(mpl.rcParams)
        assert plots.draw(PICTURES["layers"], "svg") == expected
        assert dict(mpl.rcParams) == before


def test_pyplot_is_not_loaded():
    code = (
        "import sys; from bpderive import plots; from bpderive.catalog import CATALOG\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.draw(plots.slopes(CATALOG.activation('tanh')), 'png')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- What is missing or unknown ---


def test_without_matplotlib_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'bpderive\[plot\]'"):
        plots.draw(PICTURES["slopes"])


def test_without_a_font_the_package_is_told(monkeypatch):
    from matplotlib import font_manager

    monkeypatch.setattr(font_manager.fontManager, "ttflist", [])
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    with pytest.raises(UnsupportedError, match=r"Noto Sans CJK TC.*fonts-noto-cjk"):
        plots.draw(PICTURES["heat"], "svg", "zh-TW")


def test_a_character_without_a_font_is_an_error():
    with pytest.raises(UnsupportedError, match="no installed font has a character"):
        plots.draw(plots.layers(case(3, "\U000e0001\u3400")), "svg")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: plots.draw(PICTURES["heat"], "gif"), "gif.*svg, pdf, png"),
        (lambda: plots.draw(PICTURES["heat"], "svg", "xx"), "unknown language"),
        (plots.layers, "0 panels"),
        (lambda: plots.layers(*[case()] * 25), "25 panels"),
        (lambda: plots.layers(plots.Case("x")), "0 bounds for 0 layers"),
        (lambda: plots.layers(replace(case(3), bounds=(1.0, 2.0))), "2 bounds for 3 layers"),
        (lambda: heat([[1.0] * 3] * 3), "3 lines of 4 values"),
        (lambda: plots.heat_map(ELEMENTWISE[0], (1,), (1, 2), [[1], [1]]), "depths"),
        (lambda: plots.heat_map(ELEMENTWISE[0], (1, 2), (2, 1), [[1, 1]] * 2), "sigmas"),
    ],
)
def test_what_cannot_be_drawn_is_refused(make, message):
    with pytest.raises(SpecError, match=message):
        make()


def test_an_activation_of_a_whole_layer_has_no_curve():
    with pytest.raises(UnsupportedError, match="softmax has no curve"):
        plots.slopes(CATALOG.activation("softmax"))


# --- Slopes ---


@pytest.mark.parametrize("row", ELEMENTWISE, ids=lambda row: row.name)
def test_every_activation_is_drawn(row):
    picture = plots.slopes(row)
    assert ET.fromstring(plots.draw(picture)) is not None  # noqa: S314 - our own
    for curve in picture.curves.slope.curves:
        if picture.largest is not None:
            assert all(abs(y) <= float(picture.largest) * (1 + 1e-12) for _, y in curve)


@pytest.mark.parametrize(
    ("text", "dots"),
    [
        ("relu", {((0, 0), True), ((0, 1), False)}),
        ("hardtanh", {((-1, 0), True), ((-1, 1), False), ((1, 1), False), ((1, 0), True)}),
        ("tanh", set()),
    ],
)
def test_jumps_have_filled_and_open_dots(text, dots):
    found = plots.slopes(CATALOG.activation(text)).curves.slope.dots
    assert {((round(x, 6), round(y, 6)), taken) for (x, y), taken in found} == dots


@pytest.mark.parametrize(
    "text", ["z*tanh(z)", "-3*z", "z**3", "where(z > 1, 2*z, z)", "exp(z*z)", "1e-9*tanh(z)"]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_formula_is_drawn(text, language):
    assert plots.draw(plots.slopes(formula_activation(text)), "svg", language)


@pytest.mark.parametrize("title", ["$\\frac{", "a$b$c", "\\", "$\\input{x}$", "_" * 9])
def test_a_title_is_never_mathematics(title):
    row = Activation("f", f"z {title}", given=True)
    own = replace(plots.slopes(CATALOG.activation("tanh")), formula=row.formula, given=True)
    for picture in (own, plots.layers(case(3, title)), replace(heat(), name=title)):
        assert ET.fromstring(plots.draw(picture)) is not None  # noqa: S314 - our own


# --- Layers ---


def axes_of(picture, language="en"):
    """The axes as matplotlib has them, of a figure that is not written."""
    from matplotlib.figure import Figure

    from bpderive.wording import load

    figure = Figure()
    levels.draw_layers(picture, load(language))(figure)
    return figure.axes


def lines_of(axes):
    return [line for line in axes.get_lines() if len(line.get_xdata()) > 2]


def test_the_numbers_are_logarithms_of_what_was_found():
    found = case(4)
    (panel,) = plots.layers(found).panels
    for level, row, hoped in zip(
        panel.levels, found.measurement.spreads, found.expectation.levels, strict=True
    ):
        assert 10**level.rms == pytest.approx(row.rms)
        assert 10**level.bound == pytest.approx(row.bound)
        assert level.expected == hoped.gradient
        assert [10**q for q in level.quantiles] == pytest.approx(
            [row.quantiles[0], row.quantiles[2], row.quantiles[4]]
        )


def test_bounds_given_go_before_those_measured():
    (panel,) = plots.layers(replace(case(3), bounds=(10.0, None, 1000.0))).panels
    assert [level.bound for level in panel.levels] == [1.0, None, 3.0]


def test_what_is_relative_starts_from_what_was_measured():
    relative = expectation([-3.0, -1.0, 0.0], relative=True)
    (alone,) = plots.layers(plots.Case("", relative)).panels
    assert alone.relative
    assert [level.expected for level in alone.levels] == [-3.0, -1.0, 0.0]
    (both,) = plots.layers(plots.Case("", relative, measurement([1.0, 2.0, 100.0]))).panels
    assert not both.relative
    assert [level.expected for level in both.levels] == [-1.0, 1.0, 2.0]


BROKEN = [None, -math.inf, math.nan, math.inf, -2.0]


def test_a_broken_value_breaks_a_line_and_nothing_else():
    sizes = [0.0, math.nan, math.inf, 1e-300, 1e300]
    broken = plots.Case("x", expectation(BROKEN), measurement(sizes, [None, math.inf, 0.0, 1, 2]))
    (axes,) = axes_of(plots.layers(broken))
    shown = {round(y, 3) for line in lines_of(axes) for y in line.get_ydata() if not math.isnan(y)}
    assert {-2.0, -300.0, 300.0} <= shown
    assert all(math.isfinite(y) for y in axes.get_ylim())
    for language in LANGUAGES:
        for picture in (plots.layers(broken), plots.layers(broken, case(), case(40))):
            assert ET.fromstring(plots.draw(picture, "svg", language)) is not None  # noqa: S314
    assert all(columns(line) <= 50 for line in plots.chart(broken, 50).splitlines())


def test_a_gradient_of_zero_is_marked_at_the_edge():
    (axes,) = axes_of(plots.layers(plots.Case("zeros", expectation([-math.inf, -math.inf, 0.5]))))
    (marks,) = (line for line in axes.get_lines() if line.get_marker() == "v")
    assert list(marks.get_xdata()) == [1, 2]
    assert set(marks.get_ydata()) == {axes.get_ylim()[0]}


@pytest.mark.parametrize("count", [1, 2, 16, 17, 300, 1000])
def test_any_number_of_layers_stays_readable(count):
    (axes,) = axes_of(plots.layers(case(count)))
    assert 1 <= len(axes.get_xticks()) <= 15
    assert 2 <= len(axes.get_yticks()) <= 9
    for line in lines_of(axes):
        every = line.get_markevery() or 1
        assert line.get_marker() in ("None", "_") or count / every <= levels.MARKS
    assert plots.draw(plots.layers(case(count)), "pdf")


@pytest.mark.parametrize(("count", "shape"), [(1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (10, 12)])
def test_panels_share_their_axes(count, shape):
    found = axes_of(plots.layers(*(case(5, f"scheme{k}") for k in range(count))))
    assert len(found) == shape
    assert [axes.get_visible() for axes in found].count(True) == count
    assert len({axes.get_ylim() for axes in found}) == 1


def test_all_that_is_drawn_lies_within_the_axes():
    (axes,) = axes_of(plots.layers(case(9)))
    low, high = axes.get_ylim()
    for line in lines_of(axes):
        assert all(low <= y <= high for y in line.get_ydata() if not math.isnan(y))


# --- Heat map ---


def test_the_colours_rise_from_dark_to_light_and_one_is_in_the_middle():
    from matplotlib.colors import LinearSegmentedColormap

    from bpderive.plots.heat import COLOURS
    from bpderive.render.colours import contrast

    scale = LinearSegmentedColormap.from_list("gradient", COLOURS)
    shades = ["#" + "".join(f"{round(255 * c):02X}" for c in scale(k / 40)[:3]) for k in range(41)]
    bright = [contrast(shade, "#000000") for shade in shades]
    assert all(a < b for a, b in pairwise(bright))
    middle = [int(shades[20][k : k + 2], 16) for k in (1, 3, 5)]
    assert max(middle) - min(middle) < 12  # grey
    blue, yellow = ([int(shades[at][k : k + 2], 16) for k in (1, 3, 5)] for at in (8, 32))
    assert blue[2] - blue[0] > 60
    assert yellow[0] - yellow[2] > 60


@pytest.mark.parametrize(
    ("values", "limit"),
    [([[0.3, -1.2]], 2.0), ([[-400.0]], 20.0), ([[None, -math.inf]], 1.0), ([[5.0, -3]], 8.0)],
)
def test_the_scale_is_the_same_on_both_sides(values, limit):
    from bpderive.plots.heat import limited

    assert limited(values) == limit


@pytest.mark.parametrize(
    "value", [0.0, None, -math.inf, math.inf, math.nan, 1e-12, -400.0, [None, 1.0, -2.0, 3.0]]
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_any_values_give_a_map(value, language):
    values = [value if isinstance(value, list) else [value] * 4] * 3
    for critical in (None, 1.1, 99.0):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            data = plots.draw(heat(values, critical), "svg", language)
        assert ET.fromstring(data) is not None  # noqa: S314 - our own


# --- Bars ---


@pytest.mark.parametrize("width", [40, 61, 80, 100])
@pytest.mark.parametrize("count", [1, 2, 24, 25, 1000])
@pytest.mark.parametrize("language", LANGUAGES)
def test_bars_fit_the_terminal(count, width, language):
    lines = plots.chart(case(count), width, language).splitlines()
    assert max(map(columns, lines)) <= width
    assert len(lines) <= 34
    assert any(line.split()[0] == str(count) for line in lines)
    assert ("\u22ee" in "".join(lines)) == (count > 24)


def test_where_a_sign_stands_is_its_power_of_ten():
    powers = [-4.0, -2.0, 0.0]
    found = plots.Case("", expectation(powers), None, (10.0, 10.0, 10.0))
    head, *rows = plots.chart(found, 80).splitlines()
    for power, row in zip(powers, rows, strict=False):
        at = head.index(f"1e{power:.0f}")
        assert abs(row.index("o") - at) <= 1
        assert abs(row.index("|") - head.index("1e1")) <= 3
        assert row.endswith(f"1.0e{power:.0f}")


def test_a_bar_has_its_quantiles():
    found = plots.Case("", None, measurement([1e-3, 1.0]))
    for row in plots.chart(found, 80).splitlines()[1:3]:
        lengths = [row.count(sign) for sign in "█▓░"]
        assert min(lengths) > 0
        assert row.index("█") < row.index("▓") < row.rindex("░")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no-such-encoding"])
def test_a_terminal_without_the_signs_gets_ascii(encoding):
    text = plots.chart(case(30), 80, "en", encoding)
    assert text.isascii()
    assert {"#", "=", "-", ":"} <= set(text)
    assert plots.chart(case(30), 80, "en", "utf-8") != text


@pytest.mark.parametrize(
    ("power", "text"),
    [
        (None, "?"),
        (-math.inf, "0"),
        (0.0, "1.0e0"),
        (math.log10(0.0625), "6.2e-2"),
        (-0.0001, "1.0e0"),
        (-345.5, "3.2e-346"),
        (400.0, "1.0e400"),
    ],
)
def test_a_number_of_any_size_is_written(power, text):
    assert bars.figure(power) == text


def test_the_words_of_a_chart_are_only_those_needed():
    text = plots.chart(plots.Case("", expectation([-1.0, 0.0])), 80)
    assert "expected" in text
    assert "measured" not in text
    assert "bound" not in text
    assert "left out" not in text
