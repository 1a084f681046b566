"""The web page: well-formed, MathML of the core alone, nothing from outside; in a browser."""

import base64
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from test_documents import NETWORKS

import bpderive
from bpderive import document
from bpderive.catalog.activations import ACTIVATIONS
from bpderive.catalog.losses import LOSSES
from bpderive.document import Request
from bpderive.document.blocks import Code, Document, Paragraph, Section, Words
from bpderive.document.mathematics import Plain
from bpderive.errors import DerivationError
from bpderive.render import render
from bpderive.render.html import cut, flow
from bpderive.render.mathml import mathml
from bpderive.render.mathml_lines import mathml_of
from bpderive.wording import languages
from bpderive.wording import load as load_wording

ROOT = Path(__file__).parent.parent
FONT = ROOT / "templates" / "document" / "html" / "mathematics.woff2.txt"
CORE = {
    "math": None,
    "mrow": None,
    "mi": 0,
    "mn": 0,
    "mo": 0,
    "mtext": 0,
    "mspace": 0,
    "mpadded": None,
    "mfrac": 2,
    "msqrt": None,
    "msub": 2,
    "msup": 2,
    "msubsup": 3,
    "munder": 2,
    "mover": 2,
    "munderover": 3,
    "mtable": None,
    "mtr": None,
    "mtd": None,
}
"""The elements of MathML Core that we use, and how many children each must have (None: any)."""

NOTATIONS = sorted(path.stem for path in (ROOT / "templates" / "notation").glob("*.toml"))
ATTRIBUTES = {"accent", "class", "displaystyle", "form", "lspace", "mathvariant", "rspace"}
ATTRIBUTES |= {"stretchy", "width", "voffset", "mathsize"}
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "&lt;b&gt; {{7*7}} << 1 >>",
)


def page(derivation, **options):
    request = Request(figures=True, **options)
    return render(document.build(derivation, request), "html")


def tree(text):
    """The page as XML, which is stricter than HTML."""
    return ET.fromstring(text)  # noqa: S314 - our own page


def local(element):
    return element.tag.rpartition("}")[2]


def problems(formula):
    """What MathML Core does not allow in a formula."""
    for element in formula.iter():
        name, count = local(element), len(element)
        if name not in CORE:
            yield f"{name} is not of MathML Core"
        elif CORE[name] not in (None, count):
            yield f"{name} has {count} children"
        if not set(element.attrib) <= ATTRIBUTES:
            yield f"{name} has {sorted(element.attrib)}"
        if name in ("mi", "mn", "mo", "mtext") and not (element.text or "").strip("\n"):
            yield f"{name} is empty"
        if name not in ("mi", "mn", "mo", "mtext") and (element.text or "").strip():
            yield f"{name} holds bare text: {element.text}"


def mathematics(text):
    """What is wrong with the formulas of a page, of which there are many."""
    formulas = [element for element in tree(text).iter() if local(element) == "math"]
    assert len(formulas) > 20
    return [problem for formula in formulas for problem in problems(formula)]


@pytest.fixture(scope="module", params=NETWORKS, ids=list(NETWORKS))
def derivation(request):
    layers, options = NETWORKS[request.param]
    return bpderive.derive(bpderive.network(layers, **options))


@pytest.fixture(scope="module")
def article():
    return bpderive.derive(bpderive.network("2,2,2,1"))


def test_pages_are_well_formed_and_their_mathematics_of_the_core(derivation):
    assert mathematics(page(derivation)) == []


@pytest.mark.parametrize("name", NOTATIONS)
def test_every_notation_has_mathml(name):
    made = document.build(
        bpderive.derive(bpderive.network("2,3,2", bias=True, activation="softsign")),
        Request(figures=True, level="full", translate=name),
    )
    assert mathematics(render(made, "html", notation=name)) == []


@pytest.mark.parametrize("name", [row.name for row in ACTIVATIONS])
def test_every_activation_has_mathml(name):
    made = document.build(
        bpderive.derive(bpderive.network("2,3,2", activation=name)), Request(level="full")
    )
    assert mathematics(render(made, "html")) == []


@pytest.mark.parametrize("name", [row.name for row in LOSSES])
def test_every_loss_has_mathml(name):
    made = document.build(
        bpderive.derive(bpderive.network("2,3,2", loss=name)), Request(level="full")
    )
    assert mathematics(render(made, "html")) == []


def test_names_on_a_page_stand_once_and_links_lead_to_them(derivation):
    elements = list(tree(page(derivation)).iter())
    names = [element.get("id") for element in elements if element.get("id")]
    assert len(names) == len(set(names))
    links = [element.get("href") for element in elements if element.get("href")]
    assert {link for link in links if link[1:] not in names} == set()
    told = [element.get("aria-labelledby", "").split() for element in elements]
    assert {name for several in told for name in several} <= set(names)


def test_headings_go_down_one_level_at_a_time(article):
    levels = [int(local(e)[1]) for e in tree(page(article)).iter() if re.match("h[1-6]$", local(e))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_page_asks_for_nothing(article):
    text = page(article)
    assert not re.search(r"<script|<link|<iframe|javascript:|@import", text)
    assert set(re.findall(r"(?:src=|url\()['\"]?(\w+:)", text)) == {"data:"}
    outside = set(re.findall(r"https?://[^\"'< ]+", text))
    assert outside <= {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'" in text


def test_a_page_is_the_same_each_time_and_in_another_process(article):
    text = page(article)
    assert page(article) == text
    program = (
        "import bpderive, sys; from bpderive import document;"
        "from bpderive.document import Request;"
        "import importlib; render = importlib.import_module('bpderive.render').render;"
        "d = bpderive.derive(bpderive.network('2,2,2,1'));"
        "sys.stdout.buffer.write(render(document.build(d, Request(figures=True)), 'html').encode())"
    )
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    assert found.stdout.decode() == text


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_user_writes_stays_text(text):
    section = Section(
        "notation",
        (
            Paragraph(Words("title.given", {"title": Plain(text)})),
            Code("python", text),
        ),
    )
    given = Words("title.given", {"title": Plain(text)})
    made = render(Document(given, (section,), by=(given,)), "html")
    assert "<script" not in made
    assert "<img" not in made
    root = tree(made)
    assert "".join(root.find(".//h1").itertext()) == text
    assert "".join(root.find(".//p[@class='bp-by']").itertext()) == text
    assert "".join(root.find(".//code").itertext()) == text
    assert root.find(".//title").text == text


@pytest.mark.parametrize("text", [*HOSTILE, r"\frac{1}{2} }{ \text"])
def test_words_in_mathematics_stay_text(text):
    from bpderive.render.html import in_math

    formula = tree(f"<math>{mathml(in_math(text))}</math>")
    assert list(problems(formula)) == []
    assert "".join(formula.itertext()).replace("\u00a0", " ") == text


@pytest.mark.parametrize("name", languages())
def test_a_page_names_its_language_and_its_fonts(article, name):
    setting = load_wording(name).setting
    made = render(document.build(article, Request()), "html", language=name)
    assert f'<html lang="{setting.tag}">' in made
    assert all(f'"{font}"' in made for font in setting.serif)


# --- Mathematics ---


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("x", "<mi>x</mi>"),
        (r"\Delta", '<mi mathvariant="normal">Δ</mi>'),
        ("w^{1}_{12}", "<msubsup><mi>w</mi><mn>12</mn><mn>1</mn></msubsup>"),
        (r"\frac{1}{2}", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        (r"\tfrac{1}{2}", '<mfrac displaystyle="false"><mn>1</mn><mn>2</mn></mfrac>'),
        (r"\sqrt{2}", "<msqrt><mn>2</mn></msqrt>"),
        (r"\mathbf{1}", '<mn class="bp-bold">1</mn>'),
        (r"\boldsymbol{\delta}", '<mi class="bp-bold bp-slanted">δ</mi>'),
        (r"\hat{y}", '<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>'),
        (r"\text{ a }", "<mtext>\u00a0a\u00a0</mtext>"),
        (r"\textcolor{bpsum}{z}", '<mrow class="bpsum"><mi>z</mi></mrow>'),
        ("a - b", '<mi>a</mi><mo form="infix">−</mo><mi>b</mi>'),
        ("-b", '<mo form="prefix" lspace="0" rspace="0">−</mo><mi>b</mi>'),
    ],
)
def test_mathml_of_a_construct(latex, expected):
    assert mathml(latex) == expected


@pytest.mark.parametrize("latex", [r"\unknown", "#", "ä", r"\begin{align}a\end{align}", "a}"])
def test_what_has_no_mathml_is_an_error(latex):
    with pytest.raises(DerivationError):
        mathml(latex)


@pytest.mark.parametrize("latex", ["w^{12}_{3,4} = 10 a^{1}_{20}", r"\mathbf{1} + 0.5 x_{11}"])
def test_formulas_that_differ_in_numbers_only_are_read_once(latex):
    assert mathml_of(latex) == mathml(latex)


def test_a_narrow_formula_is_whole_and_a_wide_one_is_cut_at_its_terms():
    assert cut("a + b") == ["a + b"]
    terms = [r"(a - y)\,\sigma'(z_{1})\,w_{1}", r"+ (a - y)\,\sigma'(z_{2})\,w_{2}", "- 10 x"]
    assert cut(" ".join(terms)) == terms
    made = tree(f"<p>{flow(' '.join(terms))}</p>")
    assert len(made.findall("./span/math")) == len(terms)


# --- The font ---


def test_the_font_is_one_line_of_base64_and_small():
    text = FONT.read_text(encoding="ascii")
    assert re.fullmatch(r"[A-Za-z0-9+/]+=*", text)  # a line break would end the address in CSS
    assert base64.b64decode(text)[:4] == b"wOF2"
    assert len(text) < 6000


def test_the_font_is_what_its_script_draws(monkeypatch):
    pytest.importorskip("fontTools", reason="fonttools is not installed")
    pytest.importorskip("brotli", reason="brotli is not installed")
    from io import BytesIO

    from fontTools.ttLib import TTFont

    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    make_font = importlib.import_module("make_font")
    kept, drawn = (
        TTFont(BytesIO(data)) for data in (base64.b64decode(FONT.read_text()), make_font.build())
    )
    assert kept.getBestCmap() == drawn.getBestCmap()
    for table in ("CFF ", "MATH", "hmtx", "head"):
        assert kept[table].compile(kept) == drawn[table].compile(drawn)


# --- In a browser ---


@pytest.fixture(scope="module")
def browser():
    """What Chromium says of pages, by `tests/page.cjs`."""
    modules = os.environ.get("BPDERIVE_NODE")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not modules:
        pytest.skip("BPDERIVE_NODE does not name a node_modules with puppeteer-core and axe-core")
    if not (chromium and shutil.which("node")):
        pytest.skip("chromium or node is not installed")

    def look(*files):
        command = ["node", str(ROOT / "tests" / "page.cjs"), modules, chromium, *map(str, files)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        return [json.loads(line) for line in found.stdout.splitlines()]

    return look


SEEN = {
    "article": ("2,2,2,1", {}, "article", "en"),
    "chinese": ("2,2,2,1", {"bias": True}, "article", "zh-TW"),
    "softmax": (*NETWORKS["softmax"], "article", "en"),
    "formula": (*NETWORKS["formula"], "article", "en"),
    "thousand": (*NETWORKS["thousand"], "article", "en"),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_browser_finds_nothing_wrong(browser, tmp_path, name):
    layers, options, notation, language = SEEN[name]
    made = document.build(
        bpderive.derive(bpderive.network(layers, **options)), Request(figures=True, level="full")
    )
    file = tmp_path / f"{name}.html"
    file.write_text(render(made, "html", notation=notation, language=language), "utf-8")
    (found,) = browser(file)
    assert found["errors"] == []
    assert found["requests"] == []
    assert found["violations"] == []
    assert found["font"] == ["bpderive math: loaded"]
    assert {name: width for name, width in found["widths"].items() if width > 1280} == {}
    assert all(width <= 390 for name, width in found["widths"].items() if "telephone" in name)
    assert {name: out for name, out in found["scrolled"].items() if out} == {}
    assert {name: shrunk for name, shrunk in found["shrunk"].items() if shrunk} == {}
    for screen, columns in found["columns"].items():
        assert all(count == 1 if "telephone" in screen else count <= 2 for count in columns)
    if name == "article":
        assert 2 in found["columns"][min(found["columns"], key=lambda one: "telephone" in one)]
    assert found["pdf"] > 10_000


@pytest.mark.parametrize("language", languages())
def test_each_figure_scrolls_in_a_region_with_a_name_of_its_own(language):
    made = document.build(
        bpderive.derive(bpderive.network("2,2,2,1")), Request(figures=True, level="full")
    )
    text = render(made, "html", language=language)
    inside = re.findall(r"<figure>\n<div class=\"bp-scroll\" ([^>]*)>\n<svg ([^>]*)>", text)
    assert len(inside) == text.count("<figure>") > 3
    names = [re.search('aria-label="([^"]+)"', region)[1] for region, _ in inside]
    assert len(set(names)) == len(names)
    assert all(name[-1].isdigit() for name in names)
    assert all('role="region" tabindex="0"' in region for region, _ in inside)
    assert all(re.search(r"min-width:min\([0-9.]+cm,32rem\)", svg) for _, svg in inside)
