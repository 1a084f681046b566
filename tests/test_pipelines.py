"""The pages go into people's own documents: each tool of docs/pipelines is really run."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import pytest

import bpderive

LANGUAGES = ("en", "zh-TW")


@cache
def made(language):
    derivation = bpderive.derive(bpderive.network("2,3,1", bias=True))
    return bpderive.notes(derivation, example=bpderive.example(derivation), language=language)


def put(folder, language, kind, stem="backprop", **options):
    """The notes as files in a folder; the text of the page."""
    folder.mkdir(exist_ok=True)
    files = made(language).files(kind, stem, **options)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return next(iter(files.values()))


def run(folder, *words, **environment):
    """Run a tool; what it said."""
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told[-3000:]
    return told


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed")


STRANGER = r"""
\documentclass[twoside]{scrartcl}
\usepackage[english]{babel}
\usepackage{amsmath,amssymb,array,booktabs,longtable,xcolor,tikz}
%(cjk)s
\usepackage{amsthm,graphicx,enumitem,hyperref,cleveref}
\newtheorem{theorem}{Theorem}
\newcommand{\step}[1]{#1}\newcommand{\R}{\mathbb{R}}\newcommand{\loss}{\mathcal{L}}
\setlength{\parskip}{1ex}
\begin{document}
\section{Lecture one}\label{sec:one}
\begin{equation}\label{eq:mine} \step{\loss} \in \R \end{equation}
\input{backprop}
\section{Lecture two} After \cref{sec:one} and \cref{eq:mine}.
\begin{equation} \loss = 1 \end{equation}
\begin{theorem} It still works. \end{theorem}
\end{document}
"""
CJK = r"\usepackage{xeCJK}\setCJKmainfont{Noto Serif CJK TC}\setCJKmonofont{Noto Sans Mono CJK TC}"


@pytest.mark.parametrize(("language", "engine"), [("en", "pdflatex"), ("zh-TW", "xelatex")])
def test_overleaf_a_fragment_in_a_strangers_article(tmp_path, language, engine):
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    text = put(tmp_path, language, "latex", fragment=True)
    assert "\\documentclass" not in text
    page = STRANGER % {"cjk": CJK if language == "zh-TW" else ""}
    (tmp_path / "main.tex").write_text(page, "utf-8")
    command = (engine, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "main.tex")
    run(tmp_path, *command)
    run(tmp_path, *command)
    log = (tmp_path / "main.log").read_text("utf-8", errors="replace")
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(wide, default=0) <= 5
    assert "undefined" not in log
    assert "Missing character" not in log


CONF = """
project = "Notes"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath", "amsmath"]
"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_sphinx_builds_without_a_warning(tmp_path, language):
    pytest.importorskip("myst_parser")
    put(tmp_path, language, "markdown", flavor="myst")
    (tmp_path / "conf.py").write_text(CONF)
    (tmp_path / "index.md").write_text("# Course\n\n```{toctree}\nbackprop\n```\n")
    run(tmp_path, sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", ".", "out")
    page = (tmp_path / "out" / "backprop.html").read_text("utf-8")
    assert page.count('class="math') > 100
    pictures = re.findall(r'<img[^>]*src="([^"]+)"', page)
    assert pictures
    assert all((tmp_path / "out" / name).exists() for name in pictures)


@needs("pandoc")
@pytest.mark.parametrize("language", LANGUAGES)
def test_pandoc_makes_a_word_document_of_real_equations(tmp_path, language):
    text = put(tmp_path, language, "markdown", flavor="pandoc")
    told = run(tmp_path, "pandoc", "backprop.md", "-o", "backprop.docx")
    assert not re.search("(?i)could not convert|not found|unknown", told), told
    with zipfile.ZipFile(tmp_path / "backprop.docx") as word:
        body = word.read("word/document.xml").decode()
        names = word.namelist()
    assert body.count("<m:oMath>") >= text.count("$$") // 2
    assert "\\" not in re.sub(r"<[^>]+>", "", body), "raw TeX is left"
    pictures = len(re.findall(r"!\[", text))
    assert sum(name.endswith(".svg") for name in names) == pictures


@needs("pandoc")
@pytest.mark.parametrize("language", LANGUAGES)
def test_pandoc_makes_a_page_of_mathml(tmp_path, language):
    text = put(tmp_path, language, "markdown", flavor="pandoc")
    options = ("--mathml", "--standalone", "--metadata", "title=Notes", "--fail-if-warnings")
    run(tmp_path, "pandoc", "backprop.md", *options, "-o", "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count("<math ") >= text.count("$$") // 2
    assert "\\frac" not in re.sub(r"(?s)<annotation.*?</annotation>", "", page)


QUARTO = "---\ntitle: Back-propagation\nformat: html\n---\n\n"


@needs("pandoc")
def test_quartos_reader_takes_the_page(tmp_path):
    """Quarto itself is run where it is installed; it reads its pages with Pandoc."""
    text = put(tmp_path, "en", "markdown", flavor="pandoc")
    if shutil.which("quarto"):
        (tmp_path / "page.qmd").write_text(f"{QUARTO}{{{{< include backprop.md >}}}}\n")
        run(tmp_path, "quarto", "render", "page.qmd")
    (tmp_path / "page.md").write_text(QUARTO + text, "utf-8")
    reader = "markdown+tex_math_dollars+pipe_tables+fenced_divs"
    told = run(tmp_path, "pandoc", "-f", reader, "page.md", "-s", "--mathjax", "-o", "page.html")
    assert "WARNING" not in told
    assert (tmp_path / "page.html").read_text("utf-8").count('class="math') > 100


BOOK = "format: jb-book\nroot: index\nchapters:\n  - file: backprop\n  - file: cells\n"
CONFIG = """
title: Course
execute:
  execute_notebooks: force
  timeout: 120
  raise_on_error: true
"""


def test_jupyter_book_builds_the_page_and_runs_the_notebook(tmp_path):
    command = os.environ.get("BPDERIVE_JUPYTER_BOOK")
    if not command:
        pytest.skip("BPDERIVE_JUPYTER_BOOK does not name the command")
    put(tmp_path, "en", "markdown", flavor="myst")
    put(tmp_path, "en", "notebook", stem="cells")
    (tmp_path / "index.md").write_text("# Course\n")
    (tmp_path / "_toc.yml").write_text(BOOK)
    (tmp_path / "_config.yml").write_text(CONFIG)
    told = run(tmp_path, command, "build", ".")
    assert "WARNING: " not in told, told[-3000:]
    page = (tmp_path / "_build" / "html" / "cells.html").read_text("utf-8")
    assert "cell_output" in page
    assert "Traceback" not in page


REFUSED = (r"\operatorname", r"\mbox", r"\phantom", r"\def", r"\newcommand", r"\require", r"\cssId")


@pytest.mark.parametrize("language", LANGUAGES)
def test_github_is_given_what_it_takes(tmp_path, language):
    text = put(tmp_path, language, "markdown")
    formulas = [
        *re.findall(r"(?ms)^ *```math\n(.*?)\n *```$", text),
        *re.findall(r"\$`(.*?)`\$", text),
    ]
    assert len(formulas) > 100
    assert not [f for f in formulas if any(macro in f for macro in REFUSED)]
    outside = re.sub(r"(?ms)^ *```.*?^ *```$|\$`.*?`\$", "", text)
    assert "$" not in outside
    for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text):
        assert (tmp_path / name).exists()


@pytest.mark.skipif(not os.environ.get("BPDERIVE_NODE"), reason="BPDERIVE_NODE is not set")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flavor", ["github", "pandoc", "myst"])
def test_github_markdown_is_what_a_reader_of_markdown_sees(tmp_path, language, flavor):
    """CommonMark with GitHub's tables: every fence is closed, no table is broken."""
    put(tmp_path, language, "markdown", flavor=flavor)
    script = """
    const {marked} = require('marked');
    const text = require('fs').readFileSync('backprop.md', 'utf8');
    const html = marked.parse(text);
    console.log(JSON.stringify({tables: (html.match(/<table>/g) || []).length,
      images: (html.match(/<img /g) || []).length, html}));
    """
    told = run(tmp_path, "node", "-e", script, NODE_PATH=os.environ["BPDERIVE_NODE"])
    seen = json.loads(told)
    text = (tmp_path / "backprop.md").read_text("utf-8")
    assert seen["tables"] == len(re.findall(r"(?m)^\|(?: -+ \|)+$", text))
    assert seen["images"] == len(re.findall(r"!\[", text))


def test_every_pipeline_has_its_page():
    pages = {path.stem for path in (Path(__file__).parent.parent / "docs/pipelines").glob("*.md")}
    assert pages == {"overleaf", "sphinx", "pandoc", "quarto", "github"}
