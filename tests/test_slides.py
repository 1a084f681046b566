"""Slides: they compile in both languages, nothing runs off them, a chain is told step by step."""

import re

import pytest
from sympy import Symbol
from test_documents import NETWORKS
from typeset import check, compiled

import bpderive
from bpderive import document
from bpderive.document.blocks import (
    Algorithm,
    Chain,
    Code,
    Document,
    Figure,
    Heading,
    Items,
    Link,
    NotebookCell,
    Paragraph,
    Section,
    Table,
    Words,
)
from bpderive.document.drawing import Disc, Drawing
from bpderive.document.mathematics import Formula, Plain
from bpderive.notation import load as load_notation
from bpderive.render import render
from bpderive.render.latex import math
from bpderive.render.slide_parts import ROOM, Lines, Step, height
from bpderive.render.slides import STYLE, slides
from bpderive.render.writer import Writer
from bpderive.wording import load as load_wording

ENGINES = {"en": "pdflatex", "zh-TW": "xelatex"}
SHOWN = ("article", "softmax", "mixing", "symbols", "formula")
SMALLEST = 0.7
"""No slide of an ordinary network is set smaller than this."""

READY = Words("forward.scalar")
"""A sentence that leads to what follows it."""

DONE = Words("descent.old")
"""A sentence that does not."""


@pytest.fixture(scope="module")
def writer():
    return Writer(math(load_notation()), load_wording(), STYLE)


def cut(writer, *blocks):
    return list(slides(writer, Section("forward", blocks)))


def kinds(slide):
    return [type(block).__name__ for block in slide.blocks]


def formula(name):
    return Formula(Symbol(name))


STEPS = tuple(Link(formula(f"w1[{k},1]"), Words("rule.cancel")) for k in (1, 2, 3))


def test_one_step_of_a_chain_stands_on_a_slide_with_the_step_before_it(writer):
    shown = cut(writer, Paragraph(READY), Chain(formula("z1[1]"), STEPS))
    assert [kinds(slide) for slide in shown] == [["Paragraph", "Step"], ["Step"], ["Step"]]
    steps = [slide.blocks[-1] for slide in shown]
    assert [step.link for step in steps] == list(STEPS)
    assert [step.before for step in steps] == [None, *STEPS[:-1]]
    assert [slide.beside for slide in shown] == ["1/3", "2/3", "3/3"]


def test_a_heading_stands_beside_the_title(writer):
    words = Words("section.steps")
    shown = cut(writer, Paragraph(DONE), Heading(words), Chain(formula("z1[1]"), STEPS[:1]))
    assert [slide.beside for slide in shown] == ["", r"Steps\quad 1/1"]


def test_a_table_is_split_and_its_heading_repeated(writer):
    rows = tuple((Plain(str(k)), Plain("x")) for k in range(30))
    shown = cut(writer, Table(("layer", "value"), rows))
    assert len(shown) > 1
    tables = [block for slide in shown for block in slide.blocks]
    assert tuple(row for table in tables for row in table.rows) == rows
    assert {table.columns for table in tables} == {("layer", "value")}
    counts = [len(table.rows) for table in tables]
    assert max(counts) - min(counts) <= 1


def test_the_lines_of_an_algorithm_keep_their_numbers(writer):
    shown = cut(writer, Algorithm((READY,) * 25))
    parts = [block for slide in shown for block in slide.blocks]
    assert all(isinstance(part, Lines) for part in parts)
    starts = [part.first for part in parts]
    assert starts == [sum(len(part.lines) for part in parts[:k]) for k in range(len(parts))]
    assert len(parts) > 1


@pytest.mark.parametrize("words", [READY, DONE])
def test_a_sentence_that_leads_on_goes_with_what_follows(writer, words):
    full = Items((READY,) * 7)
    shown = cut(writer, full, Paragraph(words), full)
    leads = words is READY
    assert [kinds(slide) for slide in shown] == [
        ["Items"] if leads else ["Items", "Paragraph"],
        ["Paragraph", "Items"] if leads else ["Items"],
    ]


def test_all_the_sentences_that_lead_on_go_together(writer):
    full = Items((READY,) * 7)
    shown = cut(writer, full, Paragraph(READY), Paragraph(READY), Items((READY,) * 5))
    assert [kinds(slide) for slide in shown] == [["Items"], ["Paragraph", "Paragraph", "Items"]]


def test_what_only_a_notebook_runs_is_left_out(writer):
    assert cut(writer, NotebookCell("import os")) == []


def test_no_piece_is_taller_than_a_slide(writer):
    code = Code("python", "x = 1\n" * 100)
    for block in (code, Items((READY,) * 40), Algorithm((DONE,) * 40)):
        for slide in cut(writer, block):
            assert sum(height(writer, piece) for piece in slide.blocks) <= ROOM


def test_a_program_text_is_cut_between_its_lines(writer):
    text = "".join(f"x{k} = {k}\n" for k in range(60))
    parts = [block.text for slide in cut(writer, Code("python", text)) for block in slide.blocks]
    assert len(parts) > 1
    assert "\n".join(parts) + "\n" == text


def test_a_figure_has_its_slide(writer):
    drawing = Drawing(2, 1, (Disc((1, 0.5), 0.3, "sum"),))
    figure = Figure("one", drawing, DONE, DONE, 1)
    shown = cut(writer, Items((DONE,)), figure, Paragraph(DONE))
    assert [kinds(slide) for slide in shown] == [["Items"], ["Figure"], ["Paragraph"]]


# --- Set by TeX ---


@pytest.mark.parametrize("network", SHOWN)
@pytest.mark.parametrize("language", ENGINES)
def test_slides_compile_and_nothing_runs_off_them(tmp_path, network, language):
    layers, options = NETWORKS[network]
    derivation = bpderive.derive(bpderive.network(layers, **options))
    built = document.build(derivation, document.Request(figures=True, level="full"))
    log = compiled(tmp_path, render(built, "slides", language=language), ENGINES[language])
    check(log)
    tall = [float(pt) for pt in re.findall(r"a slide of ([\d.]+)pt is set smaller", log)]
    assert 170.7 / max(tall, default=1) >= SMALLEST or network == "formula"


def test_what_is_too_large_is_set_smaller(tmp_path):
    wide = Drawing(60, 30, (Disc((30, 15), 14, "sum"),))
    long = tuple((Plain("x" * 400), Plain("y" * 40)) for _ in range(3))
    blocks = (
        Figure("one", wide, DONE, DONE, 1),
        Table(("layer", "value"), long),
        Paragraph(Words("title.given", {"title": Plain("word " * 1500)})),
        Code("python", "x = '" + "very " * 100 + "long'  # ^~$%&_{}\\<>`\n\n    y = 1"),
    )
    built = Document(Words("title.self_test"), (Section("forward", blocks),))
    log = compiled(tmp_path, render(built, "slides"), "pdflatex")
    check(log)
    assert "is set smaller" in log


def test_what_a_user_wrote_is_text(tmp_path):
    evil = r"\input{/etc/passwd} $x$ & # ~ ^ _ { } % \end{frame} << 1 >> <% raw %>"
    title = Words("title.given", {"title": Plain(evil)})
    line = Words("title.line", {"text": Plain(evil)})
    built = Document(title, (Section("forward", (Paragraph(DONE),)),), by=(line, line))
    text = render(built, "slides")
    assert r"\input{/etc" not in text
    check(compiled(tmp_path, text, "pdflatex"))


def test_a_step_is_told_in_its_slide(writer):
    (slide,) = cut(writer, Chain(formula("z1[1]"), STEPS[:1]))
    built = Document(
        Words("title.self_test"), (Section("forward", (Chain(formula("z1[1]"), STEPS),)),)
    )
    text = render(built, "slides")
    assert isinstance(slide.blocks[0], Step)
    assert text.count(r"\bpnow{") == 3
    assert text.count(r"\bpbefore{") == 2
