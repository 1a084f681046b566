"""Figures of networks of any layers: legible, whole, true to the equations, in every format."""

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from sympy import Integer, Symbol
from test_figures import CHARACTER, CHINESE, NOTATIONS, POINT, WORDING, shrunk

from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.document import Request, layered
from bpderive.document.blocks import Figure, Words
from bpderive.document.drawing import Box, Disc, Drawing, Label, Stroke, bent
from bpderive.document.figures.columns import Columns, lines
from bpderive.document.figures.placing import crosses, overlap
from bpderive.document.figures.through_time import recurrence
from bpderive.document.figures.unrolled import shown
from bpderive.document.figures.windows import windows
from bpderive.document.layered.figures import figures
from bpderive.document.layered.naming import setting
from bpderive.document.mathematics import Plain
from bpderive.notation import load as load_notation
from bpderive.render import latex, svg, tikz, typst, typst_drawing
from bpderive.render.breaking import width
from bpderive.render.colours import COLOURS
from bpderive.render.drawn import text_size
from bpderive.render.svg_math import setting as set_out
from bpderive.render.writer import Writer
from bpderive.spec import parse_spec
from bpderive.stack import build

LONG = (
    "2x12x12, [conv(4,3,padding=1):relu, batchnorm]*2, conv(5,3):tanh, maxpool(2), avgpool(2), "
    "dropout(0.3), flatten, 20:relu, 19:tanh, 18:relu, 17:tanh, 16:relu, 15, 14:relu, 13, 12, 11, "
    "10, 9:relu, 8, 7"
)
IMAGE = "1x8x8, conv(4,3,padding=1):relu, maxpool(2), flatten, 10:softmax"
STRIDED = "1x7x9, conv(3,3,stride=2), flatten, 2"
SIGNAL = "3x9, conv(2,3,stride=2,padding=1), flatten, 1"
RESIDUAL = "8, residual(8:relu,8), layernorm, 3"
TRANSFORMERS = "seq(4)x6, [transformer(heads=2)]*12, last, 1"
TRUNCATED = "seq(40)x3, rnn(4,truncate=10):tanh, last, 1"
ATTENTION = "seq(4)x6, attention(heads=3,causal=true), last, 1"
NESTED = "8, residual(residual(8:relu,8),residual(8:tanh,4,project),8), 3"
NETWORKS = (
    NESTED,
    IMAGE,
    STRIDED,
    SIGNAL,
    RESIDUAL,
    TRANSFORMERS,
    TRUNCATED,
    ATTENTION,
    LONG,
    "4x5x4, conv(6,2x3,groups=2):relu, globalpool, 2",
    "2x30, conv(2,3,dilation=2), batchnorm, flatten, 1",
    "1x20x20, conv(2,9,padding=4), globalmaxpool, 1",
    "seq(5)x3, rnn(4):tanh, last, 1",
    "seq(40)x6, lstm(4), last, 1",
    "seq(6)x3, rnn(4,truncate=2):tanh",
    "seq(6)x3, rnn(4,truncate=3):tanh, last, 1",
    "seq(T)x5, gru(3), 2",
    "8, residual(8:relu,6,project), dense(6,bias=false), 3",
    "8, 8:relu, dense(8,tie=1):relu, 3",
    "seq(7), embedding(9,4), attention, attention(project=false), last, 3",
)


@cache
def network(text, *, samples=False):
    spec = parse_spec(text, CATALOG.names, bias=True)
    return derive_stack(build(spec, CATALOG, samples=samples))


@pytest.fixture(scope="module")
def drawn():
    """Every figure of every network, by its layers and its id."""
    return {(text, block.id): block for text in NETWORKS for block in figures(network(text))}


@cache
def letters(text, notation):
    return load_notation(notation).fitted(setting(network(text).stack))


def printed(label, text, notation="article", wording=WORDING):
    writer = Writer(latex.math(letters(text, notation)), wording, svg.STYLE)
    if isinstance(label.text, Words):
        return writer.words_in_math(label.text)
    return writer.math(label.text)


def area(label, text, notation="article", wording=WORDING):
    """About where the text of a label stands."""
    found, size = printed(label, text, notation, wording), text_size(label)
    placed = set_out(found)
    wide = placed.width * size * POINT
    if "text" not in found and "frac" not in found:
        wide = max(wide, width(found) * CHARACTER * size / 9)
    high = (placed.up + placed.down) * size * POINT
    x, y = label.at
    left = {"west": x, "east": x - wide}.get(label.anchor, x - wide / 2)
    foot = {"south": y, "north": y - high}.get(label.anchor, y - high / 2)
    return (left, foot, left + wide, foot + high)


def of(block, kind):
    return [shape for shape in block.drawing.shapes if isinstance(shape, kind)]


def texts(block, text):
    return [printed(label, text) for label in of(block, Label)]


EVERYWHERE = [*((name, WORDING) for name in NOTATIONS), ("article", CHINESE)]


def test_every_kind_of_layer_has_its_figure(drawn):
    found = {text: [name for layers, name in drawn if layers == text] for text in NETWORKS}
    assert found[IMAGE] == ["blocks", "receptive-1"]
    assert found["seq(40)x6, lstm(4), last, 1"] == ["blocks", "unrolled-1"]
    assert found[ATTENTION] == ["blocks", "attention-1"]
    assert found[RESIDUAL] == ["blocks"]
    assert found[LONG] == ["blocks", "receptive-1"]
    assert found[TRANSFORMERS] == ["blocks", "attention-2"]


def test_no_figure_is_wider_than_a_page(drawn):
    assert {key for key, block in drawn.items() if block.drawing.width > 15.0} == set()
    assert {key for key, block in drawn.items() if block.drawing.height > 13.0} == set()


@pytest.mark.parametrize(("notation", "wording"), EVERYWHERE)
def test_labels_lie_within_the_drawing(drawn, notation, wording):
    for key, block in drawn.items():
        for label in of(block, Label):
            left, foot, right, top = area(label, key[0], notation, wording)
            high, wide = block.drawing.height, block.drawing.width
            inside = min(left, foot) >= -0.05 and right <= wide + 0.05 and top <= high + 0.05
            assert inside, (key, printed(label, key[0], notation, wording), label.at)


@pytest.mark.parametrize(("notation", "wording"), EVERYWHERE)
def test_no_two_labels_overlap(drawn, notation, wording):
    for key, block in drawn.items():
        areas = [
            (shrunk(area(label, key[0], notation, wording), 0.03), label)
            for label in of(block, Label)
        ]
        for (one, first), (other, second) in combinations(areas, 2):
            names = [printed(label, key[0], notation) for label in (first, second)]
            assert not overlap(one, other), (key, names)


def test_no_line_runs_through_a_label(drawn):
    for key, block in drawn.items():
        bold = [line for line in of(block, Stroke) if line.emphasis != "faint"]
        for label in of(block, Label):
            inner = shrunk(area(label, key[0]), 0.05)
            for line in bold:
                pairs = zip(line.points, line.points[1:], strict=False)
                hit = [pair for pair in pairs if crosses(pair, inner)]
                assert not hit, (key, printed(label, key[0]), hit)


@pytest.mark.parametrize("wording", [WORDING, CHINESE])
def test_text_in_a_box_fits_it(drawn, wording):
    """What begins inside a box ends there: a layer's name, its shape, a step's number."""
    for key, block in drawn.items():
        boxes = [
            (x, y, x + w, y + h) for b in of(block, Box) for (x, y), (w, h) in [(b.at, b.size)]
        ]
        for label in of(block, Label):
            left, foot, right, top = area(label, key[0], wording=wording)
            x, y = label.at
            for box in boxes:
                if label.anchor == "center" and box[0] < x < box[2] and box[1] < y < box[3]:
                    fits = left > box[0] - 0.02 and right < box[2] + 0.02
                    fits = fits and foot > box[1] - 0.05 and top < box[3] + 0.05
                    assert fits, (key, printed(label, key[0], wording=wording))


# --- Blocks ---


def test_every_layer_stands_there_with_its_shape_and_derivative(drawn):
    found = texts(drawn[IMAGE, "blocks"], IMAGE)
    assert {r"\text{maxpool(2)}", r"\text{padding=1)}", r"4 \times 8 \times 8", "64"} <= set(found)
    assert {"a^{1}", "a^{4}", r"\delta^{a,1}", r"\delta^{a,4}", r"\delta^{x}", "L"} <= set(found)


@pytest.mark.parametrize("text", NETWORKS)
def test_the_derivatives_named_are_those_of_the_derivation(drawn, text):
    """No letter stands in the picture that the equations do not define."""
    defined = {equation.label for equation in network(text).backward}
    found = {
        str(label.text.expr)
        for label in of(drawn[text, "blocks"], Label)
        if label.role == "error" and isinstance(label.text.expr, Symbol)
    }
    assert found
    assert found <= defined


def test_of_the_repeated_blocks_one_is_drawn(drawn):
    block = drawn[TRANSFORMERS, "blocks"]
    found = texts(block, TRANSFORMERS)
    assert r"\text{12}\text{ times}" in found
    assert found.count(r"\text{layernorm}") == 2
    assert {"a^{7}", "a^{84}", r"\delta^{a,84}"} <= set(found)
    columns = Columns(network(TRANSFORMERS).stack)
    assert [(r.first, r.period, r.count) for r in columns.repeats] == [(1, 7, 12)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3, [3:relu]*2, 1", []),
        ("3, [3:relu]*5, 1", [(1, 1, 5)]),
        ("3, [4:relu, 3:relu]*4, 4:relu, 2, 2, 2, 2", [(1, 2, 4), (10, 1, 4)]),
        (
            "2x9, [conv(2,3,padding=1):relu]*3, [conv(2,1):tanh]*4, flatten, 1",
            [(1, 1, 3), (4, 1, 4)],
        ),
        ("6, [residual(6:relu,6), layernorm]*3, [5:tanh]*3, layernorm, 1", [(1, 4, 3), (13, 1, 3)]),
    ],
)
def test_equal_blocks_are_found(text, expected):
    columns = Columns(network(text if "layernorm" in text else f"{text}, layernorm").stack)
    assert [(r.first, r.period, r.count) for r in columns.repeats] == expected


def test_what_leads_past_a_layer_bends_over_it_and_back_under_it(drawn):
    block = drawn[RESIDUAL, "blocks"]
    ways = [s for s in of(block, Stroke) if len(s.points) > 6]
    assert [(way.role, way.arrow) for way in ways] == [("input", True), ("error", True)]
    plus = [disc for disc in of(block, Disc) if disc.radius > 0.2]
    assert len(plus) == 1
    forward, back = ways
    assert abs(forward.points[-1][0] - plus[0].at[0]) < 0.01
    assert (
        max(y for _, y in forward.points) > max(b.at[1] + b.size[1] for b in of(block, Box)) - 0.4
    )
    assert min(y for _, y in back.points) < min(b.at[1] for b in of(block, Box))
    assert back.points[-1][0] == forward.points[0][0]


def test_what_leads_past_others_goes_on_in_the_next_row(drawn):
    """Where the last layer of a row feeds only what stands farther on, no line crosses a box."""
    block = drawn[NESTED, "blocks"]
    inner = [(x, y, x + w, y + h) for b in of(block, Box) for (x, y), (w, h) in [(b.at, b.size)]]
    for stroke in of(block, Stroke):
        for pair in pairwise(stroke.points):
            assert not any(crosses(pair, shrunk(area, 0.05)) for area in inner), pair


def test_very_many_layers_are_left_out_in_the_middle(drawn):
    columns = Columns(network(LONG).stack)
    assert len(columns.all) == 16
    assert [c.kind for c in columns.all].count("dots") == 1
    assert columns.all[0].kind == "input"
    assert columns.all[-1].kind == "loss"
    shown_layers = [n for c in columns.all for n in range(c.first, c.number + 1)]
    assert shown_layers == list(range(len(network(LONG).stack.places) + 2))
    assert drawn[LONG, "blocks"].drawing.height < 13


def test_shared_parameters_are_marked(drawn):
    text = "8, 8:relu, dense(8,tie=1):relu, 3"
    assert r"\text{parameters of layer }1" in texts(drawn[text, "blocks"], text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv(4,3,padding=1):relu", ("conv(4,3,", "padding=1)", ":relu")),
        ("10:softmax", ("10:softmax",)),
        ("attention(heads=2,causal=true)", ("attention(", "heads=2,", "causal=true)")),
        ("averyveryverylongname.eq", ("averyveryver", "ylongname.eq")),
        ("f(A=1,B=2,C=3,D=4,E=5,F=6,G=7,H=8,I=9,J=1,K=2,M=3)", None),
    ],
)
def test_a_layer_as_written_is_set_on_lines(text, expected):
    found = lines(text)
    assert len(found) <= 4
    assert max(map(len, found)) <= 12
    assert found == expected if expected else found[-1].endswith("…")


# --- Time ---


def recurrent(text):
    derivation = network(text)
    found = (recurrence(derivation, place) for place in derivation.stack.places)
    return next(one for one in found if one)


@pytest.mark.parametrize(
    ("text", "carried", "weight", "steps"),
    [
        ("seq(5)x3, rnn(4):tanh, last, 1", ("a",), "u", [1, 2, 3, 4, 5]),
        ("seq(40)x6, lstm(4), last, 1", ("c", "a"), "U_i", [1, 2, 39, 40]),
        (TRUNCATED, ("a",), "u", [1, 30, 31, 40]),
        ("seq(6)x3, rnn(4,truncate=3):tanh, last, 1", ("a",), "u", [1, 2, 3, 4, 5, 6]),
        ("seq(3)x5, gru(3), 2", ("a",), "U_r", [1, 2, 3]),
    ],
)
def test_what_is_handed_on_is_read_off_the_equations(text, carried, weight, steps):
    found = recurrent(text)
    assert found.carried == carried
    assert found.weight == weight
    assert [int(step) for step in shown(found)] == steps


def test_a_symbol_counts_steps_too():
    steps = Symbol("T", integer=True, positive=True)
    assert shown(recurrent("seq(T)x5, gru(3), 2")) == (1, 2, steps - 1, steps)


def test_the_cut_stands_where_no_derivative_goes_back():
    """Proved on the equations: with the cut, step 31 is the first whose change reaches the loss."""
    found = recurrent(TRUNCATED)
    assert [k for k in range(2, 41) if found.cut(Integer(k))] == [11, 21, 31]
    assert [k for k in range(1, 41) if found.heard(Integer(k))] == [40]
    free = recurrent("seq(6)x3, rnn(4,truncate=2):tanh")
    assert [k for k in range(1, 7) if free.heard(Integer(k))] == [1, 2, 3, 4, 5, 6]


def test_the_paths_of_the_weight_are_strong_where_they_reach_the_loss(drawn):
    block = drawn[TRUNCATED, "unrolled-1"]
    steps = [b for b in of(block, Box) if b.role in ("axis", "path1")]
    assert [b.emphasis for b in steps] == ["normal", "normal", "strong", "strong"]
    uses = [s for s in of(block, Stroke) if s.role == "weight"]
    assert [s.emphasis for s in uses] == ["normal", "strong", "strong"]
    assert len([s for s in of(block, Stroke) if s.dashed and s.role == "error"]) == 1
    assert r"\text{cut}" in texts(block, TRUNCATED)
    whole = drawn["seq(5)x3, rnn(4):tanh, last, 1", "unrolled-1"]
    cells = [b for b in of(whole, Box) if b.role in ("axis", "path1")]
    assert [b.emphasis for b in cells] == ["normal", *["strong"] * 4]
    ups = [s for s in of(whole, Stroke) if s.role == "path1" and s.points[0][0] == s.points[1][0]]
    assert len(ups) == 1


def test_every_step_leads_up_where_every_step_is_heard(drawn):
    block = drawn["seq(6)x3, rnn(4,truncate=2):tanh", "unrolled-1"]
    vertical = [s for s in of(block, Stroke) if s.points[0][0] == s.points[1][0] and s.arrow]
    up = [s for s in vertical if s.role in ("path1", "activation")]
    assert [s.emphasis for s in up] == ["normal", "strong", "strong", "strong"]


# --- Windows ---


@pytest.mark.parametrize(
    "text", [t for t in NETWORKS if "conv(" in t], ids=lambda text: text.split(",")[0]
)
def test_the_pairs_of_a_weight_are_those_of_the_convolution(text):
    """Output i reads input stride·(i-1) + dilation·(k-1) + 1 - padding."""
    place = network(text).stack.place(1)
    found = windows(place)
    asked = dict(re.findall(r"(stride|padding|dilation)=(\d+)", place.text))
    stride, padding, dilation = (int(asked.get(k, d)) for k, d in DEFAULTS)
    for line in found.lines:
        for output in range(1, line.outputs + 1):
            for weight in range(1, line.weights + 1):
                expected = stride * (output - 1) + dilation * (weight - 1) + 1 - padding
                assert line.read(output, weight) == expected
    numbers = re.match(r"conv\(\d+,(\d+)(?:x(\d+))?", place.text)
    assert found.lines[0].weights == int(numbers[1])
    assert found.lines[-1].weights == int(numbers[2] or numbers[1])


DEFAULTS = (("stride", 1), ("padding", 0), ("dilation", 1))


def test_cells_with_the_same_number_are_the_pairs(drawn):
    block = drawn[STRIDED, "receptive-1"]
    numbers = [label for label in of(block, Label) if isinstance(label.text, Plain)]
    assert len(numbers) == 18
    by_number = {}
    for label in numbers:
        by_number.setdefault(label.text.text, []).append(label.at)
    assert sorted(by_number, key=int) == ["1", "2", "3", "5", "6", "7", "9", "10", "11"]
    (ax, ay), (bx, by) = by_number["1"][0], by_number["2"][0]
    assert round((bx - ax) / 0.56) == 2
    assert ay == by
    assert round((ay - by_number["5"][0][1]) / 0.56) == 2


def test_padding_is_dashed(drawn):
    dashed = [b for b in of(drawn[IMAGE, "receptive-1"], Box) if b.dashed]
    assert len(dashed) == 7 + 6
    assert not [b for b in of(drawn[STRIDED, "receptive-1"], Box) if b.dashed]
    assert len([b for b in of(drawn[SIGNAL, "receptive-1"], Box) if b.dashed]) == 2


def test_along_one_axis_the_weight_has_a_line_for_each_output(drawn):
    block = drawn[SIGNAL, "receptive-1"]
    strong = [s for s in of(block, Stroke) if s.emphasis == "strong"]
    assert len(strong) == 5
    assert len(of(block, Stroke)) == 15
    starts = sorted(s.points[0][0] for s in strong)
    assert {round((b - a) / 0.95) for a, b in pairwise(starts)} == {2}


@pytest.mark.parametrize(
    "text",
    [
        "3xT, conv(2,3), globalpool, 1",
        "1x40, conv(2,11), globalpool, 1",
        "1x40, conv(2,9,padding=5), globalpool, 1",
        "1x40, conv(2,5,dilation=3), globalpool, 1",
    ],
)
def test_what_cannot_be_drawn_has_no_windows(text):
    """Symbolic sizes, and windows that reach too far."""
    assert windows(network(text).stack.place(1)) is None


# --- Attention ---


def test_attention_has_its_derivatives(drawn):
    block = drawn[ATTENTION, "attention-1"]
    errors = {str(label.text.expr) for label in of(block, Label) if label.role == "error"}
    names = {f"delta_{name}1" for name in "qkvupoa"} | {"delta_x"}
    assert errors == names
    assert r"\text{causal softmax}" in texts(block, ATTENTION)
    plain = drawn[TRANSFORMERS, "attention-2"]
    assert r"\text{softmax}" in texts(plain, TRANSFORMERS)


# --- Words and writers ---


@pytest.mark.parametrize("wording", [WORDING, CHINESE])
def test_every_figure_is_told_in_words(drawn, wording):
    for (text, _), block in drawn.items():
        for words in (block.caption, block.alternative):
            told = svg.told(words, letters(text, "article"), wording)
            assert len(told) > 30
            assert not re.search(r"[{}]|\bfigure\.|\balternative\.", told)


def source(block, text):
    notation = letters(text, "article")
    writer = typst.writer_of(notation, WORDING)
    return {
        "svg": svg.picture(block, notation, WORDING),
        "tikz": tikz.picture(block, notation, WORDING),
        "typst": typst_drawing.drawn(block.drawing, writer),
    }


def test_svg_is_whole_and_by_itself(drawn):
    for (text, name), block in drawn.items():
        found = source(block, text)["svg"]
        tags = {e.tag.rpartition("}")[2] for e in ET.fromstring(found).iter()}  # noqa: S314 - ours
        assert not {"script", "image", "use", "foreignObject"} & tags, name
        assert re.findall(r"(?:href|src|url\()|nan|inf\b|\d\.\d{3}", found) == []


def test_names_of_layers_are_escaped(tmp_path):
    """A file's name is the user's text: it is printed, never read as marks of a format."""
    path = tmp_path / "x_y.eq"
    path.write_text("input x[n,i]\noutput a[n,i] = 2*x[n,i]\n", encoding="utf-8")
    text = f"3, 4:relu, {path}, 2"
    assert r"{x\_y.eq}" in source(figures(network(text))[0], text)["tikz"]
    label = Label((1.0, 1.0), Plain(r"f_%$&<b>#x\input{z}.eq"))
    block = replace(figures(network(RESIDUAL))[0], drawing=Drawing(2.0, 2.0, (label,)))
    found = source(block, RESIDUAL)
    assert "&amp;&lt;b&gt;" in found["svg"]
    assert r"\input" not in found["tikz"]
    assert r"\_\%\$\&" in found["tikz"]
    assert "#x" not in re.sub(r"\\#", "", found["typst"])


def test_the_same_network_is_drawn_the_same_way(drawn):
    for text in (IMAGE, TRANSFORMERS, TRUNCATED):
        again = derive_stack(network(text).stack)
        for block in figures(again):
            assert source(block, text) == source(drawn[text, block.id], text)


def test_a_batch_has_its_samples_in_the_shapes():
    text = "3x9, conv(2,3), batchnorm, flatten, 1"
    blocks = {block.id: block for block in figures(network(text, samples=True))}
    writer = Writer(latex.math(letters(text, "article")), WORDING, svg.STYLE)
    found = {
        writer.math(label.text) if not isinstance(label.text, Words) else ""
        for label in of(blocks["blocks"], Label)
    }
    assert {r"N \times 3 \times 9", "S"} <= found
    assert "x_{n1t}" in {writer.math(label.text) for label in of(blocks["receptive-1"], Label)}


def test_figures_stand_in_the_document_with_numbers():
    derivation = network(IMAGE)
    built = layered.build(derivation, Request(figures=True))
    found = [b for section in built.sections for b in section.blocks if isinstance(b, Figure)]
    assert [(b.id, b.number) for b in found] == [("blocks", 1), ("receptive-1", 2)]
    without = layered.build(derivation, Request())
    assert not [b for section in without.sections for b in section.blocks if isinstance(b, Figure)]


def test_typst_compiles_without_a_warning(drawn, tmp_path):
    compiler = pytest.importorskip("typst", reason="typst is not installed")
    page = ["#set page(margin: 2cm)", "#let m(said, it) = math.equation(alt: said, it.body)"]
    page += [f'#let bp-{name} = rgb("{shade.light}")' for name, shade in COLOURS.items()]
    page += [f"#{source(block, text)['typst']}" for (text, _), block in drawn.items()]
    (tmp_path / "f.typ").write_text("\n\n".join(page), encoding="utf-8")
    pdf, warnings = compiler.compile_with_warnings(str(tmp_path / "f.typ"))
    assert warnings == []
    assert pdf[:4] == b"%PDF"


TEX = r"""\documentclass{article}
\usepackage[T1]{fontenc}\usepackage{amsmath,xcolor,tikz}
%s
\begin{document}
%s
\end{document}
"""


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no TeX is installed")
def test_tikz_compiles(drawn, tmp_path):
    colours = "\n".join(
        rf"\definecolor{{bp{name}}}{{HTML}}{{{shade.light[1:]}}}" for name, shade in COLOURS.items()
    )
    pictures = [source(block, text)["tikz"] for (text, _), block in drawn.items()]
    body = "\n\n\\clearpage\n".join(pictures)
    (tmp_path / "f.tex").write_text(TEX % (colours, body), encoding="utf-8")
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "f.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-1500:]


# --- Drawing ---


def test_a_bent_way_keeps_its_ends_and_rounds_its_corners():
    way = bent(((0.0, 0.0), (0.0, 2.0), (3.0, 2.0)), 0.5)
    assert way[0] == (0.0, 0.0)
    assert way[-1] == (3.0, 2.0)
    assert (0.0, 2.0) not in way
    assert (0.0, 1.5) in way
    assert (0.5, 2.0) in way
    assert all(x >= 0 and y <= 2 for x, y in way)
    assert bent(((0.0, 0.0), (1.0, 0.0))) == ((0.0, 0.0), (1.0, 0.0))
