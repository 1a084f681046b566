"""Every figure of every kind of network, in every format: legible, whole, repeatable."""

import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from networks import derived

from bpderive.catalog import CATALOG
from bpderive.document import Request, build
from bpderive.document.blocks import Beside, Figure, Words
from bpderive.document.drawing import Disc, Drawing, Label, Stroke
from bpderive.document.figures.network import network_figure
from bpderive.document.figures.parts import ends
from bpderive.document.figures.placing import area, crosses, overlap, place_roomily
from bpderive.document.mathematics import Coloured, Formula, OrderedSum, Plain
from bpderive.forms.scalar import delta_form
from bpderive.notation import load as load_notation
from bpderive.reference import parse
from bpderive.render import latex, svg, tikz, typst, typst_drawing
from bpderive.render.breaking import width
from bpderive.render.colours import COLOURS, GROUND, ROLES, contrast, fill
from bpderive.render.drawn import text_size
from bpderive.render.svg_math import setting
from bpderive.render.writer import Writer
from bpderive.wording import load as load_wording

NETWORKS = {
    "2,2,2,1": {},
    "3,4,2": {"bias": True},
    "784,128,10": {},
    "2,4*1000,1": {},
    "n0,n1,n2": {},
    "5,1": {},
    "1,1": {"bias": True},
    "3,4:softmax,2": {},
    "2,3,3,2,1": {"bias": True},
    "4,3,2": {"loss": "softmax_cross_entropy", "weights": "input_first"},
    "1*8,1": {},
    "6,7,8,9,3,2": {"bias": True},
}
NOTATIONS = ("article", "nielsen", "bishop", "cs229", "cs231n", "goodfellow")
POINT = 1 / 28.45
CHARACTER = 0.155
"""Centimetres that a character is wide in text of 9 points."""

WORDING = load_wording("en")
CHINESE = load_wording("zh-TW")


def figures(layers, weight="w1[1,1]", **options):
    """Every figure of a document."""
    document = build(derived(layers, **options), Request(weight=weight, figures=True))
    blocks = [block for section in document.sections for block in section.blocks]
    return {block.id: block for block in blocks if isinstance(block, Figure | Beside)}


@pytest.fixture(scope="module")
def drawn():
    """All figures of all networks, by their layers and ids."""
    return {
        f"{layers} {name}": block
        for layers, options in NETWORKS.items()
        for name, block in figures(layers, **options).items()
        if name in ("network", "paths", "shared", "flow", "flow-batch") or name.startswith("path-")
    }


def printed(label, notation="article", wording=WORDING):
    writer = Writer(latex.math(load_notation(notation)), wording, svg.STYLE)
    words = isinstance(label.text, Words)
    return writer.words_in_math(label.text) if words else writer.math(label.text)


def box(label, notation="article", wording=WORDING):
    """About where the text of a label stands."""
    text, size = printed(label, notation, wording), text_size(label)
    found = setting(text)
    wide = found.width * size * POINT
    if "text" not in text and "frac" not in text:
        wide = max(wide, width(text) * CHARACTER * size / 9)
    high = (found.up + found.down) * size * POINT
    x, y = label.at
    left = {"west": x, "east": x - wide}.get(label.anchor, x - wide / 2)
    foot = {"south": y, "north": y - high}.get(label.anchor, y - high / 2)
    return (left, foot, left + wide, foot + high)


def labels(block):
    return [shape for shape in block.drawing.shapes if isinstance(shape, Label)]


def shrunk(area, by):
    left, foot, right, top = area
    return (left + by, foot + by, right - by, top - by)


def test_every_network_has_its_figures(drawn):
    for layers in NETWORKS:
        names = {key.partition(" ")[2] for key in drawn if key.partition(" ")[0] == layers}
        assert {"network", "paths", "flow", "flow-batch"} <= names
        one_input = layers[0] == "1"
        assert ("shared" in names) != one_input
    assert {"2,2,2,1 path-1", "2,2,2,1 path-2"} <= set(drawn)
    assert "2,2,2,1 path-3" not in drawn


def test_no_figure_is_wider_than_a_page(drawn):
    assert {key for key, block in drawn.items() if block.drawing.width > 15.0} == set()
    assert {key for key, block in drawn.items() if block.drawing.height > 10.0} == set()


@pytest.mark.parametrize(
    ("notation", "wording"), [*((name, WORDING) for name in NOTATIONS), ("article", CHINESE)]
)
def test_labels_lie_within_the_drawing(drawn, notation, wording):
    for key, block in drawn.items():
        for label in labels(block):
            left, foot, right, top = box(label, notation, wording)
            inside = (
                left >= -0.05
                and foot >= -0.05
                and right <= block.drawing.width + 0.05
                and top <= block.drawing.height + 0.05
            )
            assert inside, (key, printed(label, notation, wording), label.at)


@pytest.mark.parametrize(
    ("notation", "wording"), [*((name, WORDING) for name in NOTATIONS), ("article", CHINESE)]
)
def test_no_two_labels_overlap(drawn, notation, wording):
    for key, block in drawn.items():
        boxes = [(shrunk(box(label, notation, wording), 0.04), label) for label in labels(block)]
        for (one, first), (other, second) in combinations(boxes, 2):
            met = (key, printed(first, notation), printed(second, notation))
            assert not overlap(one, other), met


def test_no_line_runs_through_a_label(drawn):
    """But for those with the ground behind them, which the lines are drawn under."""
    for key, block in drawn.items():
        lines = [shape for shape in block.drawing.shapes if isinstance(shape, Stroke)]
        bold = [line for line in lines if line.emphasis != "faint"]
        for label in labels(block):
            if label.halo:
                continue
            area = shrunk(box(label), 0.06)
            for line in bold:
                pairs = zip(line.points, line.points[1:], strict=False)
                hit = [pair for pair in pairs if crosses(pair, area)]
                assert not hit, (key, printed(label), hit)


def test_dots_stand_where_neurons_are_left_out(drawn):
    for layers, elided in (("784,128,10", True), ("n0,n1,n2", True), ("2,2,2,1", False)):
        shapes = drawn[f"{layers} network"].drawing.shapes
        dots = [shape for shape in shapes if isinstance(shape, Disc) and shape.radius < 0.07]
        assert bool(dots) == elided
    texts = [printed(label) for label in labels(drawn["784,128,10 network"])]
    assert {"x_{1}", "x_{2}", "x_{784}", "a^{1}_{128}"} <= set(texts)
    texts = [printed(label) for label in labels(drawn["n0,n1,n2 network"])]
    assert {"x_{1}", "x_{2}", "x_{n_{0}}", "a^{1}_{n_{1}}"} <= set(texts)


@pytest.mark.parametrize(
    ("layers", "count"), [("2,2,2,1", 10), ("3,4,2", 20), ("5,1", 5), ("2,3,3,2,1", 23)]
)
def test_every_weight_of_a_small_network_is_labelled_once(drawn, layers, count):
    texts = [printed(label) for label in labels(drawn[f"{layers} network"])]
    weights = [text for text in texts if text.startswith("w^")]
    assert len(weights) == len(set(weights)) == count


@pytest.mark.parametrize(
    ("weight", "weights", "others"),
    [
        ("w1[1,1]", "w1[1,1] w2[1,1] w2[2,1] w3[1,1] w3[1,2]", "w1[1,2] w2[1,2] w2[2,2]"),
        ("w2[2,1]", "w2[2,1] w3[1,2]", "w1[1,1] w2[1,1] w3[1,1]"),
        ("w3[1,2]", "w3[1,2]", "w3[1,1] w2[1,1]"),
    ],
)
def test_the_paths_of_a_weight_are_strong(weight, weights, others):
    block = figures("2,2,2,1", weight)["paths"]
    strong = {str(label.text.expr) for label in labels(block) if label.emphasis == "strong"}
    names = {name.replace(" ", "") for name in strong}
    assert set(weights.split()) <= names
    assert not set(others.split()) & names


def test_a_weight_among_many_is_shown():
    """Its neurons are there, though most of their layers are left out."""
    block = figures("784,128,128,10", "w2[77,35]")["paths"]
    texts = {printed(label) for label in labels(block)}
    assert {"w^{2}_{77,35}", "a^{1}_{35}", "z^{2}_{77}"} <= texts


def test_two_gradients_differ_in_their_last_factor():
    block = figures("2,2,2,1")["shared"]
    apart = {printed(label) for label in labels(block) if label.role == "path2"}
    shared = {printed(label) for label in labels(block) if label.role == "path1"}
    assert apart == {"x_{1}", "x_{2}", "w^{1}_{11}", "w^{1}_{12}"}
    assert {"z^{1}_{1}", "a^{1}_{1}", "w^{2}_{21}", "L"} <= shared
    dashed = [s for s in block.drawing.shapes if isinstance(s, Stroke) and s.role == "path2"]
    assert dashed
    assert all(stroke.dashed for stroke in dashed)


def test_weights_stored_input_first_keep_their_indices():
    found = figures("3,2", weights="input_first")["network"]
    texts = {printed(label) for label in labels(found)}
    assert {"w^{1}_{31}", "w^{1}_{32}"} <= texts
    network = derived("3,2", weights="input_first").network
    assert ends(network, parse("w1[3,1]")) == (1, 3)


# --- Colours ---


@pytest.mark.parametrize("role", [role for role in COLOURS if role not in ("faint", "pale")])
def test_letters_have_contrast(role):
    for dark in (False, True):
        assert contrast(COLOURS[role][dark], GROUND[dark]) >= 4.5
        for emphasis in ("normal", "strong"):
            assert contrast(COLOURS[role][dark], fill(role, emphasis)[dark]) >= 4.3


def test_faint_letters_can_still_be_read():
    assert contrast(COLOURS["pale"].light, GROUND.light) >= 3
    assert contrast(COLOURS["pale"].dark, GROUND.dark) >= 3


def test_every_quantity_with_a_role_has_a_colour():
    assert set(ROLES.values()) <= set(COLOURS)
    assert set(ROLES) <= set(load_notation().letters)


def bare(text):
    """A formula without its colours."""
    found = re.search(r"\\textcolor\{[#\w]+\}\{", text)
    while found:
        depth, end = 1, found.end()
        while depth:
            depth += (text[end] == "{") - (text[end] == "}")
            end += 1
        text = text[: found.start()] + text[found.end() : end - 1] + text[end:]
        found = re.search(r"\\textcolor\{[#\w]+\}\{", text)
    return text


@pytest.mark.parametrize("row", CATALOG.activations, ids=lambda row: row.name)
def test_colours_change_nothing_else(row):
    """Order, gaps and brackets are those without colours, and so is the width."""
    derivation = derived(f"2,2:{row.name},2:{row.name},1", bias=True)
    writer = Writer(latex.math(load_notation()), WORDING, latex.STYLE)
    for name in ("delta1[1]", "delta2[1]", "a1[2]"):
        plain = Formula(delta_form(derivation, parse(name)))
        text, coloured = writer.math(plain), writer.math(Coloured(plain))
        assert coloured != text
        assert bare(coloured) == text
        assert width(coloured) == width(text)


def test_a_symbol_has_the_colour_of_its_element(drawn):
    """In formulas and figures, by role."""
    document = build(derived("2,2,2,1"), Request(figures=True))
    blocks = [block for section in document.sections for block in section.blocks]
    rows = [r for b in blocks if b.kind == "equations" for r in b.rows if r.lhs]
    found = [row.rhs for row in rows if isinstance(row.rhs, Coloured)]
    assert [type(math.math) for math in found] == [OrderedSum, OrderedSum]
    writer = Writer(latex.math(load_notation()), WORDING, latex.STYLE)
    text = "".join(map(writer.math, found))
    in_text = set(re.findall(r"\\textcolor\{bp(\w+)\}\{((?:[^{}]|\{[^{}]*\})*)\}", text))
    in_figure = {(label.role, printed(label)) for label in labels(drawn["2,2,2,1 paths"])}
    same = {pair for pair in in_text if pair[0] in ("weight", "sum", "activation")}
    assert len(same) > 8
    assert same <= in_figure


# --- Words ---


def test_every_figure_is_told_in_words(drawn):
    writer = Writer(latex.math(load_notation()), WORDING, svg.PLAIN)
    told = {key: writer.words(block.alternative) for key, block in drawn.items()}
    assert all(len(text) > 40 for text in told.values())
    assert "layer 1 of 2 neurons with the activation sigmoid" in told["2,2,2,1 network"]
    assert "Each neuron has a bias" in told["3,4,2 network"]
    assert "bias" not in told["2,2,2,1 network"]
    assert "There are 2:" in told["2,2,2,1 paths"]
    assert "1000 of 4 neurons" in told["2,4*1000,1 network"]
    assert r"x_{1}" in told["2,2,2,1 shared"]


# --- Writers ---


def source(block):
    """A figure in every format."""
    notation = load_notation()
    writer = typst.writer_of(notation, WORDING)
    return {
        "svg": svg.picture(block, notation, WORDING),
        "inline": svg.inline(block, notation, WORDING),
        "tikz": tikz.picture(block, notation, WORDING),
        "typst": typst_drawing.drawn(block.drawing, writer),
    }


def test_svg_is_whole_and_by_itself(drawn):
    notation = load_notation()
    for key, block in drawn.items():
        text = svg.picture(block, notation, WORDING)
        root = ET.fromstring(text)  # noqa: S314 - our own
        assert root.get("role") == "img", key
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert root.get("aria-labelledby").split() == ids
        names = [element.tag.rpartition("}")[2] for element in root.iter()]
        assert names[:3] == ["svg", "title", "desc"]
        assert not {"script", "image", "use", "foreignObject"} & set(names)
        assert re.findall(r"(?:href|src|url\()", text) == []
        assert re.findall(r"nan|inf\b|\d\.\d{3}", text) == []
        assert "prefers-color-scheme:dark" in text


def test_inlined_pictures_have_ids_of_their_own(drawn):
    found = [svg.inline(drawn[f"2,2,2,1 {n}"], load_notation(), WORDING) for n in ("paths", "flow")]
    ids = [name for text in found for name in re.findall(r' id="([^"]+)"', text)]
    assert len(ids) == len(set(ids)) == 4


def test_text_in_pictures_is_escaped():
    """A user's formula stands in the words for it, never as marks of a format."""
    found = figures("2,2,1", activation="where(z < 0, z, 0)")["network"]
    for name in ("svg", "inline"):
        text = source(found)[name]
        assert "where(z &lt; 0, z, 0)" in text
        ET.fromstring(text)  # noqa: S314 - our own
    cruel = Label((1.0, 1.0), Plain(r"</text><script>#x $y$ \input{z} & % _^~"))
    block = replace(found, drawing=Drawing(2.0, 2.0, (cruel,)))
    texts = source(block)
    assert "&lt;/text&gt;&lt;script&gt;" in texts["svg"]
    assert r"\input" not in texts["tikz"]
    assert "#x" not in re.sub(r"\\#", "", texts["typst"])


def test_numbers_are_rounded(drawn):
    for key in ("2,2,2,1 paths", "3,4,2 network"):
        for name, text in source(drawn[key]).items():
            places = re.findall(r"(?<![#\w])\d+\.\d{3,}(?!\w)", text)
            assert places == [], name


HASH = """
import hashlib, sys
sys.path.insert(0, {tests!r})
from test_figures import figures, source
found = figures("3,4:softmax,2", bias=True)
print(hashlib.sha256(repr([source(b) for b in found.values()]).encode()).hexdigest())
"""


def test_the_same_figures_in_every_process(request):
    script = HASH.format(tests=str(request.path.parent))
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
        ).stdout
        for seed in ("0", "7")
    }
    assert len(found) == 1
    assert len(found.pop().strip()) == hashlib.sha256().digest_size * 2


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_tikz_compiles_with_tikz_alone(drawn, tmp_path):
    lines = [r"\documentclass[a4paper]{article}\usepackage[margin=2cm]{geometry}"]
    lines += [r"\usepackage{amsmath,tikz}\parindent0pt"]
    colours = ((name, shade.light[1:]) for name, shade in COLOURS.items())
    lines += [rf"\definecolor{{bp{name}}}{{HTML}}{{{shade}}}" for name, shade in colours]
    pictures = (tikz.picture(block, load_notation(), WORDING) for block in drawn.values())
    lines += [r"\begin{document}", *(f"{text}\n\n" for text in pictures), r"\end{document}"]
    (tmp_path / "f.tex").write_text("\n".join(lines), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "f.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    out = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, out[-2000:]
    assert "Overfull" not in out
    assert "undefined" not in out.lower()


def test_typst_compiles_without_a_warning(drawn, tmp_path):
    compiler = pytest.importorskip("typst", reason="typst is not installed")
    lines = ["#set page(margin: 2cm)", "#let m(said, it) = math.equation(alt: said, it.body)"]
    lines += [f'#let bp-{name} = rgb("{shade.light}")' for name, shade in COLOURS.items()]
    writer = typst.writer_of(load_notation(), WORDING)
    lines += [f"#{typst_drawing.drawn(block.drawing, writer)}" for block in drawn.values()]
    (tmp_path / "f.typ").write_text("\n\n".join(lines), encoding="utf-8")
    pdf, warnings = compiler.compile_with_warnings(str(tmp_path / "f.typ"))
    assert warnings == []
    assert pdf[:4] == b"%PDF"


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
PAGE = """<body>{images}<script>
onload = () => document.body.innerText = [...document.images].map(i => i.naturalWidth).join(" ")
</script>"""


@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
def test_a_browser_shows_every_svg(drawn, tmp_path):
    images = []
    for number, block in enumerate(drawn.values()):
        text = svg.picture(block, load_notation(), WORDING)
        (tmp_path / f"{number}.svg").write_text(text, encoding="utf-8")
        images.append(f'<img src="{number}.svg">')
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(images="".join(images)), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    done = subprocess.run(
        [BROWSER, *options, page.as_uri()], capture_output=True, text=True, check=True
    )
    widths = re.search(r"<body>([\d ]+)</body>", done.stdout.replace("\n", ""))
    assert widths, done.stdout[-500:]
    assert len(widths[1].split()) == len(drawn)
    assert "0" not in widths[1].split()


def test_long_letters_of_weights_stand_apart_too():
    """A notation may have the layer and commas in the lower mark: figures leave room for it."""
    drawing = network_figure(derived("3,4,2").network)
    weights = [one.at for one in drawing.shapes if isinstance(one, Label) and one.role == "weight"]
    assert len(weights) == 3 * 4 + 4 * 2
    boxes = [area(at, (0.95, 0.4)) for at in sorted(weights)[: 3 * 4]]
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


def test_room_for_long_letters_puts_no_letter_on_a_line():
    lines = [((0.0, 0.0), (2.0, 1.0)), ((0.0, 1.0), (2.0, 0.0))]
    for longer in (0.0, 0.3, 0.6, 30.0):
        found = place_roomily(lines, (0.4, 0.2), longer)
        boxes = [area(at, (0.4, 0.2)) for at in found]
        assert not crosses(lines[1], boxes[0])
        assert not crosses(lines[0], boxes[1])
