"""Typst: every document compiles without a warning, stays on its page, and prints any text."""

import re
import subprocess
from pathlib import Path

import pytest

import bpderive
from bpderive import document
from bpderive.document import NOTES
from bpderive.document.blocks import Command, Document, Paragraph, Section, Words
from bpderive.document.request import Request
from bpderive.errors import DerivationError, UnsupportedError
from bpderive.notation import load as load_notation
from bpderive.render import render
from bpderive.render.pdf import finish
from bpderive.render.typst import escape, held, string, writer_of
from bpderive.render.typst_math import TypstMath
from bpderive.render.typst_width import width
from bpderive.wording import languages
from bpderive.wording import load as load_wording

typst = pytest.importorskip("typst")

ROOT = Path(__file__).parent.parent
NOTATIONS = sorted(path.stem for path in (ROOT / "templates" / "notation").glob("*.toml"))

# Each network shows something that the others do not.
NETWORKS = {
    "article": ("2,2,2,1", {}),
    "biases": ("4,4,4,2", {"bias": True}),
    "deep": ("3,5,5,5,2", {"bias": True}),
    "softmax": ("3,4,2", {"loss": "softmax_cross_entropy", "activation": "relu"}),
    "mixing": ("3,4:softmax,2:softmax", {"loss": "mse", "orientation": "columns"}),
    "symbols": ("n0,n1,n2", {"bias": True}),
    "blends": ("n0,n1,n2", {"activation": "z*(1 + sum(exp(z)))"}),
    "letters": ("i,j,k", {}),
    "mixed": ("n0,n1", {"output_activation": "softmax", "loss": "mse"}),
    "wide": ("784,128,10", {"reduction": "sum"}),
    "thousand": ("2,4*1000,1", {}),
    "formula": ("3,2,2", {"activation": "z*tanh(log(1+exp(z)))", "loss": "(a-y)**4"}),
    "given": ("3,2", {"output_activation": "max(z,0)", "loss": "max(1-y*a,0)"}),
    "kinks": ("3,4,2", {"activation": "leaky_relu", "loss": "hinge"}),
    "linear": ("3,2,2,2", {"activation": "linear", "output_activation": "softmax"}),
    "single": ("5,1", {"output_activation": "sigmoid", "loss": "binary_cross_entropy"}),
}
MARGIN, FOOT = 23 / 210, 18 / 297
"""Of the page's width, and of its height."""


def noted(layers, options=None, **wanted):
    derivation = bpderive.derive(bpderive.network(layers, **(options or {})))
    return document.build(derivation, Request(**wanted))


@pytest.fixture(scope="module", params=NETWORKS, ids=list(NETWORKS))
def notes(request):
    return noted(*NETWORKS[request.param])


def pages(pdf):
    """Every page as rows of grey, at 36 dots an inch, without a reader that might not be there."""
    pictures = typst_pictures(pdf)
    while pictures:
        _, size, _, rest = pictures.split(b"\n", 3)
        wide, high = map(int, size.split())
        yield [rest[wide * k : wide * (k + 1)] for k in range(high)]
        pictures = rest[wide * high :]


def typst_pictures(pdf):
    command = ["pdftoppm", "-r", "36", "-gray", "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout


def runs_off(pdf):
    """The pages with ink in the margins: at the sides, or below, left of the page's number."""
    found = []
    for number, rows in enumerate(pages(pdf), 1):
        margin, foot = int(len(rows[0]) * MARGIN), int(len(rows) * FOOT)
        sides = [row[: margin - 1] + row[len(row) - margin + 2 :] for row in rows]
        below = [row[: len(row) * 2 // 5] for row in rows[len(rows) - foot + 1 :]]
        if any(map(inked, sides + below)):
            found.append(number)
    return found


def inked(dots):
    return min(dots) < 200


def test_a_document_compiles_without_a_warning_and_stays_on_its_page(notes):
    assert runs_off(render(notes, "pdf")) == []


def test_the_check_of_the_margins_can_fail():
    page = '#set document(title: "x")\n%s'
    for place in ("top + left, dx: -2cm", "top + right, dx: 2cm", "bottom + left, dy: 1.5cm"):
        pdf = finish(page % f"#place({place})[over]", load_wording("en"))
        assert runs_off(pdf) == [1]
    assert runs_off(finish(page % "within", load_wording("en"))) == []


# With all that notes can hold: sums over many paths in colour, steps of long formulas.
FULL = {
    "paths": ("2,8,8,1", {}),
    "entropy": ("3,4,2", {"bias": True, "loss": "softmax_cross_entropy"}),
    "mixing": ("2,3:softmax,2", {}),
    "formula": ("3,2,2", {"activation": "z*tanh(log(1+exp(z)))"}),
}


@pytest.mark.parametrize("network", FULL)
def test_full_notes_stay_on_their_page(network):
    layers, options = FULL[network]
    made = noted(layers, options, figures=True, level="full")
    assert runs_off(render(made, "pdf")) == []


def test_a_colour_takes_no_room():
    plain = "frac(∂z_(1),∂w_(11)) thin a_(1)"
    coloured = (
        "frac(∂text(fill: #bp-sum,z_(1)),∂text(fill: #bp-weight,w_(11))) thin "
        "text(fill: #bp-activation,a_(1))"
    )
    assert width(coloured) == width(plain)
    assert width(f"{coloured} + {coloured}") == width(f"{plain} + {plain}")


def test_a_command_is_copied_as_it_stands(tmp_path):
    words = Words("code.file", {"command": Command('tool --name "a" -- b\\c')})
    made = Document(Words("title.self_test"), (Section("code", (Paragraph(words),)),))
    pdf = tmp_path / "d.pdf"
    pdf.write_bytes(render(made, "pdf"))
    done = subprocess.run(["pdftotext", str(pdf), "-"], capture_output=True, check=True, text=True)
    assert '(tool --name "a" -- b\\c)' in done.stdout


@pytest.mark.parametrize(("count", "kept"), [(1, []), (2, [0]), (3, [0, 1]), (6, [0, 4])])
def test_no_step_of_a_chain_is_left_alone(count, kept):
    assert [k for k, one in enumerate(held(count)) if one] == kept


def test_reasons_with_chinese_are_upright():
    made = noted("2,1")
    for language, style in (("en", "italic"), ("zh-TW", "normal")):
        assert f'style: "{style}"' in render(made, "typst", language=language)


def test_a_chinese_title_has_the_fonts_of_chinese(tmp_path):
    pdf = tmp_path / "d.pdf"
    pdf.write_bytes(render(noted("2,1", title="反向傳播", by=("Ελένη",)), "pdf"))
    done = subprocess.run(["pdffonts", str(pdf)], capture_output=True, check=True, text=True)
    assert "Serif" in done.stdout
    assert "Sans" not in done.stdout.replace("Sans Mono", "").replace("SansMono", "")


@pytest.mark.parametrize("language", languages())
def test_all_sections_and_figures_compile(language):
    sections = tuple(name for name in NOTES if name not in ("example", "code"))
    made = noted("2,2,2,1", {"bias": True}, sections=sections, figures=True, level="full")
    assert runs_off(render(made, "pdf", language=language)) == []


@pytest.mark.parametrize("notation", NOTATIONS)
def test_every_notation_compiles(notation):
    made = noted("3,4,2", {"bias": True, "activation": "tanh"})
    assert runs_off(render(made, "pdf", notation=notation)) == []


HOSTILE = [
    '#panic("x")',
    "*bold* _under_ `raw` $x$",
    r"\u{41} \ # $ @label <label>",
    "= heading",
    "1. item",
    "- item -- dash --- long",
    "// comment /* comment */",
    "[content] ~ https://example.org",
    '"; #include "x" "',
    'a #import "@preview/x:1.0.0": *',
    "... 'quoted' \"quoted\"",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_prints_as_it_stands(text, tmp_path):
    made = noted("2,1", title=text, by=(text,))
    pdf = tmp_path / "d.pdf"
    pdf.write_bytes(render(made, "pdf"))
    command = ["pdftotext", "-l", "1", str(pdf), "-"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    shown = re.sub(r"[\s\u2060]", "", done.stdout)
    wanted = re.sub(r"\s", "", text)
    for sign, quotes in {"'": "‘’", '"': "“”"}.items():
        for quote in quotes:
            shown = shown.replace(quote, sign)
    assert shown.startswith(wanted * 2)


def test_every_escape_is_undone_by_typst():
    text = "".join(chr(code) for code in range(33, 127))
    page = f'#set document(title: "x")\n#let (a, b) = ({string(text)}, [{escape(text)}])\n'
    page += "#assert(repr(a).len() > 90)\n"
    page += '#show smartquote: it => if it.double [#"\\""] else [#"\'"]\n#b'
    assert finish(page, load_wording("en")).startswith(b"%PDF")
    assert escape("a\n= b") == r"a \= b"


def test_widths_are_those_of_latex():
    """Both formats are broken at the same places, near enough."""
    from bpderive.render.latex import STYLE, math
    from bpderive.render.writer import Writer

    made = noted("3,4,2", {"bias": True, "activation": "leaky_relu", "loss": "mse"})
    notation, words = load_notation().fitted(made.setting), load_wording("en")
    typeset, latex = writer_of(notation, words), Writer(math(notation), words, STYLE)
    seen = 0
    for section in made.sections:
        for block in section.blocks:
            for row in getattr(block, "rows", ()) if block.kind == "equations" else ():
                ours, theirs = typeset.math(row.rhs), latex.math(row.rhs)
                wide = latex.printer.width(theirs)
                assert abs(width(ours) - wide) <= 2 + wide // 8, (ours, theirs)
                assert abs(len(typeset.rhs_lines(row)) - len(latex.rhs_lines(row))) <= 1
                seen += 1
    assert seen > 20


def test_names_of_a_user_are_quoted():
    printer = TypstMath(load_notation())
    assert printer.function("f2") == "f_(2)"
    assert printer.function("GELU_tanh") == '"GELU"_("tanh")'
    with pytest.raises(DerivationError, match="no Typst"):
        printer.function('a"b')


def test_what_typst_warns_of_is_an_error():
    page = '#set document(title: "x")\n#set text(font: "No Such Font")\nx'
    with pytest.raises(DerivationError, match=r"(?i)no such font"):
        finish(page, load_wording("en"))


def test_a_template_cannot_fetch_a_package():
    page = '#import "@preview/cetz:0.3.1": canvas\n'
    with pytest.raises(UnsupportedError, match="not fetched"):
        finish(page, load_wording("en"))
