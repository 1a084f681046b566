"""LaTeX: in Chinese, with every engine, as a fragment in a stranger's document, with bookmarks."""

import re
import shutil
import subprocess

import pytest
from test_documents import NETWORKS, RUNS_OFF
from typeset import check, compiled

import bpderive
from bpderive import document
from bpderive.document.blocks import (
    Beside,
    Code,
    Command,
    Document,
    Figure,
    Heading,
    NotebookCell,
    Paragraph,
    Remark,
    Section,
    Table,
    Words,
)
from bpderive.document.drawing import Disc, Drawing
from bpderive.document.mathematics import Plain
from bpderive.errors import UnsupportedError
from bpderive.render import render

EVIL = r"\input{/etc/passwd} $x$ & # ~ ^ _ { } % \end{document} -- << 1 >> <% raw %>"
DONE = Words("descent.old")
SHOWN = ("article", "softmax", "symbols", "mixing", "formula", "kinks")


def notes(network="article", **request):
    layers, options = NETWORKS[network]
    return made(layers, options, **{"figures": True, "level": "full", **request})


def made(layers, options, **request):
    derivation = bpderive.derive(bpderive.network(layers, **options))
    return document.build(derivation, document.Request(**request))


@pytest.mark.parametrize("network", SHOWN)
def test_chinese_compiles_with_xelatex(tmp_path, network):
    log = compiled(tmp_path, render(notes(network), "latex", language="zh-TW"), "xelatex")
    check(log, RUNS_OFF.get(network, 1))


FULL = {
    "paths": ("2,8,8,1", {}),
    "entropy": ("3,4,2", {"bias": True, "loss": "softmax_cross_entropy"}),
    "mixing": ("2,3:softmax,2", {}),
    "formula": ("3,2,2", {"activation": "z*tanh(log(1+exp(z)))"}),
}
ARTICLE = r"\documentclass[11pt]{article}%s\begin{document}\input{notes}\end{document}"


@pytest.mark.parametrize("network", FULL)
def test_full_notes_stay_on_their_page(tmp_path, network):
    layers, options = FULL[network]
    built = made(layers, options, figures=True, level="full")
    check(compiled(tmp_path, render(built, "latex"), "pdflatex"), 1)


@pytest.mark.parametrize("network", FULL)
def test_a_fragment_of_full_notes_stays_on_the_page_of_an_article(tmp_path, network):
    layers, options = FULL[network]
    built = made(layers, options, figures=True, level="full")
    (tmp_path / "notes.tex").write_text(render(built, "latex", fragment=True), "utf-8")
    check(compiled(tmp_path, ARTICLE % PACKAGES, "pdflatex"), 1)


def test_a_command_is_set_as_it_stands(tmp_path):
    words = Words("code.file", {"command": Command("tool --name 'a' ~b_c\\d")})
    built = Document(DONE, (Section("code", (Paragraph(words),)),))
    text = render(built, "latex")
    assert r"\texttt{tool {-}{-}name " in text
    check(compiled(tmp_path, text, "pdflatex"))


@pytest.mark.parametrize("form", ["latex", "slides"])
@pytest.mark.parametrize("engine", ["xelatex", "lualatex"])
def test_a_chinese_title_of_an_english_document_is_set(tmp_path, form, engine):
    built = made("2,1", {}, title="反向傳播", by=("王小明",))
    check(compiled(tmp_path, render(built, form), engine))


def test_a_chinese_title_tells_pdflatex_what_it_needs(tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed")
    log = failed(tmp_path, render(made("2,1", {}, title="反向傳播"), "latex"), "pdflatex")
    assert "! bpderive: the title or the author needs xelatex or lualatex" in log


def test_letters_that_latex_has_not_are_an_error():
    with pytest.raises(UnsupportedError, match="GREEK CAPITAL LETTER EPSILON"):
        render(made("2,1", {}, by=("Ελένη",)), "latex")
    assert "Łódź" in render(made("2,1", {}, by=("Łódź",)), "latex")


@pytest.mark.parametrize("network", ["article", "symbols"])
def test_english_with_figures_compiles_with_pdflatex(tmp_path, network):
    check(compiled(tmp_path, render(notes(network), "latex"), "pdflatex"), 1)


@pytest.mark.parametrize(("engine", "language"), [("lualatex", "zh-TW"), ("xelatex", "en")])
def test_other_engines_compile_too(tmp_path, engine, language):
    check(compiled(tmp_path, render(notes(), "latex", language=language), engine))


def test_chinese_tells_pdflatex_what_it_needs(tmp_path):
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed")
    log = failed(tmp_path, render(notes(), "latex", language="zh-TW"), "pdflatex")
    assert "bpderive: this language needs xelatex or lualatex" in log


def test_a_missing_font_is_an_error_that_names_the_package(tmp_path):
    if not shutil.which("xelatex"):
        pytest.skip("xelatex is not installed")
    text = render(notes(), "latex", language="zh-TW")
    text = re.sub(r"\\IfFontExistsTF\{[^}]*", r"\\IfFontExistsTF{No Such Font", text)
    log = failed(tmp_path, text, "xelatex")
    assert "! bpderive: no font for zh-Hant-TW: install fonts-noto-cjk." in log


def failed(folder, text, engine):
    """The log of a run that must fail, and leave no PDF."""
    (folder / "main.tex").write_text(text, "utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.returncode
    assert not (folder / "main.pdf").exists()
    return done.stdout.decode("utf-8", "replace")


# --- A fragment ---

PACKAGES = r"\usepackage{amsmath,amssymb,array,booktabs,longtable,graphicx,tikz}"
CJK = r"\usepackage{fontspec,xeCJK}\setCJKmainfont{Noto Serif CJK TC}"
STRANGERS = {
    "hyperref": rf"\documentclass{{article}}{PACKAGES}\usepackage{{hyperref}}",
    "cleveref": rf"\documentclass{{report}}{PACKAGES}\usepackage{{hyperref,cleveref}}",
    "columns": rf"\documentclass[twoside]{{book}}{PACKAGES}\newcommand{{\bpseries}}{{b}}",
    "beamer": rf"\documentclass{{beamer}}{PACKAGES}",
    "beamerarticle": rf"\documentclass{{article}}\usepackage{{beamerarticle}}{PACKAGES}",
}


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_a_fragment_compiles_in_a_strangers_document(tmp_path, stranger, language):
    fragment = render(notes(), "latex", language=language, fragment=True)
    (tmp_path / "notes.tex").write_text(fragment, "utf-8")
    chinese = language == "zh-TW"
    body = r"\input{notes}\input{notes}"
    if stranger == "beamer":
        body = r"\begin{frame}[allowframebreaks]\input{notes}\end{frame}"
    head = STRANGERS[stranger] + (CJK if chinese else "")
    text = rf"{head}\begin{{document}}{body}\end{{document}}"
    compiled(tmp_path, text, "xelatex" if chinese else "pdflatex")


def test_a_fragment_defines_names_of_its_own_alone():
    text = render(notes(), "latex", fragment=True)
    named = re.findall(r"\\(?:providecommand|newcommand|renewcommand|def)\s*\{?\\(\w+)", text)
    assert named
    assert [n for n in named if not n.startswith("bp") and n != "arraystretch"] == []
    inside = text[text.index(r"\begingroup") : text.rindex(r"\endgroup")]
    outside = text.replace(inside, "")
    assert r"\setlength" not in outside
    assert r"\renewcommand" not in outside
    assert r"\definecolor" not in outside


def test_a_fragment_does_not_bring_a_preamble():
    text = render(notes(), "latex", fragment=True)
    for command in (r"\documentclass", r"\begin{document}", r"\hypersetup"):
        assert command not in text
    used = [line for line in text.splitlines() if r"\usepackage" in line]
    assert all(line.startswith("%") for line in used)


# --- Blocks, titles, bookmarks ---


@pytest.mark.parametrize(("language", "engine"), [("en", "pdflatex"), ("zh-TW", "xelatex")])
def test_every_kind_of_block_compiles(tmp_path, language, engine):
    drawing = Drawing(20, 3, (Disc((1, 0.5), 0.3, "sum"),))
    code = "def f(x):\n    return x['a'] ** 2 - 1  # ^~$%&_{}\\<>` --\n" + "very_" * 60 + "long\n"
    rows = tuple((Plain(str(k)), DONE) for k in range(40))
    blocks = (
        Heading(Words("section.steps")),
        Remark(DONE),
        Figure("one", drawing, DONE, DONE, 1),
        Beside("two", drawing, DONE, (Paragraph(DONE),)),
        Code("python", code),
        NotebookCell("import os"),
        Table(("layer", "meaning"), rows),
    )
    built = Document(Words("title.self_test"), (Section("forward", blocks),))
    text = render(built, "latex", language=language)
    assert "import os" not in text
    check(compiled(tmp_path, text, engine, runs=2))


def test_what_a_user_wrote_is_text(tmp_path):
    title = Words("title.given", {"title": Plain(EVIL)})
    line = Words("title.line", {"text": Plain(EVIL)})
    built = Document(title, (Section("forward", (Paragraph(DONE),)),), by=(line, line))
    text = render(built, "latex")
    assert r"\input{/etc" not in text
    compiled(tmp_path, text, "pdflatex")


def test_the_file_has_a_title_a_language_and_bookmarks(tmp_path):
    built = notes(title="反向傳播 & more", by=("王小明", "2020"))
    compiled(tmp_path, render(built, "latex", language="zh-TW"), "xelatex", runs=2)
    outline = (tmp_path / "main.out").read_text("latin-1")
    assert outline.count("BOOKMARK") >= len(built.sections)
    if shutil.which("pdfinfo"):
        command = ["pdfinfo", "main.pdf"]
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
        assert re.search("Title: +反向傳播 & more", told.decode())
        assert "王小明、2020" in told.decode()
