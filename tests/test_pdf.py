"""PDF: read aloud, the same every time, stamped; what is missing is told by its name."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

import bpderive
from bpderive import document
from bpderive.document import NOTES
from bpderive.document.request import Request
from bpderive.errors import DerivationError, OutputError, SpecError, UnsupportedError
from bpderive.files import write
from bpderive.render import pdf, render, tex
from bpderive.wording import languages
from bpderive.wording import load as load_wording

pytest.importorskip("typst")
OBJECT = re.compile(rb"\d+ 0 obj\s(.*?)\sendobj", re.DOTALL)
TITLE = '#set document(title: "x")\n'


def notes(**wanted):
    derivation = bpderive.derive(bpderive.network("2,2,2,1", bias=True))
    return document.build(derivation, Request(**wanted))


@pytest.fixture(scope="module")
def full():
    sections = tuple(name for name in NOTES if name not in ("example", "code"))
    return notes(sections=sections, figures=True, level="full")


@pytest.fixture(scope="module")
def brief():
    return notes(sections=("notation", "forward"))


@pytest.mark.parametrize("language", languages())
def test_every_formula_and_figure_has_words(full, language):
    data = render(full, "pdf", language=language)
    parts = OBJECT.findall(data)
    for kind, least in ((b"/S/Formula", 200), (b"/S/Figure", 5)):
        found = [part for part in parts if re.search(re.escape(kind) + rb"\b", part)]
        assert len(found) >= least
        assert all(re.search(rb"/Alt\s?[(<][^)>]", part) for part in found)


@pytest.mark.parametrize("language", languages())
def test_the_file_says_its_language_and_its_title(brief, language):
    data = render(brief, "pdf", language=language)
    setting = load_wording(language).setting
    tag = "-".join(part for part in (setting.lang, setting.region.upper()) if part)
    assert f"/Lang({tag})".encode() in data
    assert b"/Marked true" in data
    assert b"/DisplayDocTitle true" in data
    assert b"pdfuaid:part" in data
    assert re.search(rb"/Title\s?[(<]", data)


def test_what_has_no_words_is_refused():
    """The standard is checked: a formula without words does not pass."""
    with pytest.raises(DerivationError, match="alt"):
        pdf.finish(f"{TITLE}$x$", load_wording("en"))


def test_the_same_bytes_every_time(full):
    one, two = render(full, "pdf"), render(full, "pdf")
    assert one == two
    assert b"CreationDate" not in one


def test_a_stamped_pdf_is_a_pdf(brief, tmp_path):
    path, data = tmp_path / "notes.pdf", render(brief, "pdf")
    assert write(path, data)
    assert not write(path, data)
    stamped = path.read_bytes()
    assert len(stamped) > len(data)
    assert re.search(rb"\n% bpderive:[0-9a-f]{16}\nstartxref\n", stamped)
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, check=True)
    assert b"Notation" in done.stdout
    assert b"xref" not in done.stderr
    path.write_bytes(stamped.replace(b"%PDF-1.7", b"%PDF-1.6"))
    with pytest.raises(OutputError, match="edited"):
        write(path, data)


@pytest.mark.skipif(not shutil.which("mutool"), reason="mutool is not installed")
def test_another_reader_finds_nothing_to_repair(brief, tmp_path):
    path = tmp_path / "notes.pdf"
    write(path, render(brief, "pdf"))
    done = subprocess.run(["mutool", "info", path], capture_output=True, check=True)
    assert b"repair" not in done.stderr
    assert b"Pages:" in done.stdout


# --- What is missing ---


def test_without_the_package_the_remedy_is_told(brief, monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'bpderive\[pdf\]'"):
        render(brief, "pdf")
    assert "document(title" in render(brief, "typst")


def test_without_a_font_of_the_language_its_package_is_told():
    wording = load_wording("zh-TW")
    lacking = replace(wording, setting=replace(wording.setting, serif=("No Such Font",)))
    with pytest.raises(UnsupportedError, match="install the package fonts-noto-cjk"):
        pdf.finish(TITLE, lacking)


def test_the_second_font_serves_where_the_first_is_missing():
    wording = load_wording("zh-TW")
    serif = ("No Such Font", *wording.setting.serif)
    lacking = replace(wording, setting=replace(wording.setting, serif=serif))
    page = f'{TITLE}#set text(font: sys.inputs.at("serif"))\n{wording.setting.name}'
    assert pdf.finish(page, lacking).startswith(b"%PDF")


def test_a_character_that_no_font_has_is_an_error():
    with pytest.raises(UnsupportedError, match="no installed font has a character"):
        render(notes(sections=("notation",), title="\U0001f9ff\u16a0\U00010380"), "pdf")


# --- TeX ---

INSTALLED = [name for name, row in tex.ENGINES.items() if shutil.which(row.command[0])]
ARTICLE = "\\documentclass{article}%s\\begin{document}%s\\end{document}\n"
needs_pdflatex = pytest.mark.skipif("pdflatex" not in INSTALLED, reason="no pdflatex")


@pytest.mark.parametrize("engine", tex.ENGINES)
def test_an_engine_makes_the_same_pdf_every_time(brief, engine):
    if engine not in INSTALLED:
        pytest.skip(f"{engine} is not installed")
    one, two = (render(brief, "pdf", engine=engine) for _ in range(2))
    assert one.startswith(b"%PDF")
    assert one == two


@pytest.mark.parametrize("engine", ["latexmk", "lualatex", "xelatex"])
def test_an_engine_sets_chinese(brief, engine):
    if engine not in INSTALLED:
        pytest.skip(f"{engine} is not installed")
    assert render(brief, "pdf", language="zh-TW", engine=engine).startswith(b"%PDF")


@needs_pdflatex
def test_an_engine_that_cannot_set_chinese_names_one_that_can(brief):
    with pytest.raises(UnsupportedError, match="xelatex or lualatex"):
        render(brief, "pdf", language="zh-TW", engine="pdflatex")


def test_an_unknown_engine_is_told(brief):
    with pytest.raises(SpecError, match="did you mean"):
        render(brief, "pdf", engine="lualatx")


@pytest.mark.parametrize("engine", tex.ENGINES)
def test_an_engine_that_is_not_installed_names_its_package(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnsupportedError, match=tex.ENGINES[engine].package):
        tex.finish(ARTICLE % ("", "x"), load_wording("en"), engine)


LOGS = [
    (1, "! LaTeX Error: File `tikz.sty' not found.", "install texlive-pictures"),
    (1, "! LaTeX Error: File `fancy.sty' not found.", "fancy.sty: install texlive-latex-extra"),
    (1, '! Package fontspec Error: The font "Q" cannot be found.', "the font Q: install lmodern"),
    (1, "! bpderive: no font for zh is installed; install one.", "^no font for zh is installed"),
    (0, "Missing character: There is no ᚠ (U+16A0) in font", "has the character ᚠ"),
]


@pytest.mark.parametrize(("code", "log", "told"), LOGS)
def test_what_tex_lacks_is_told_by_its_name(code, log, told):
    with pytest.raises(UnsupportedError, match=told):
        tex._refuse(code, f"This is TeX\n{log}\nl.7 x\n", load_wording("en"))


@needs_pdflatex
def test_a_package_that_is_missing_is_named():
    page = ARTICLE % (r"\usepackage{bpderivelacksthis}", "x")
    with pytest.raises(UnsupportedError, match=r"bpderivelacksthis\.sty: install"):
        tex.finish(page, load_wording("en"), "pdflatex")


@needs_pdflatex
@pytest.mark.parametrize("engine", ["pdflatex", "latexmk"])
def test_the_first_fault_of_the_log_is_told(engine):
    if engine not in INSTALLED:
        pytest.skip(f"{engine} is not installed")
    with pytest.raises(DerivationError, match=r"Undefined control sequence.*\\nonsense"):
        tex.finish(ARTICLE % ("", r"a\nonsense b"), load_wording("en"), engine)


@pytest.mark.parametrize("engine", tex.ENGINES)
def test_tex_runs_no_other_program(engine, tmp_path):
    if engine not in INSTALLED:
        pytest.skip(f"{engine} is not installed")
    mark = tmp_path / "ran"
    text = rf"\ifdefined\directlua\directlua{{os.execute('touch {mark}')}}\else"
    text += rf"\immediate\write18{{touch {mark}}}\fi x"
    tex.finish(ARTICLE % ("", text), load_wording("en"), engine)
    assert not mark.exists()
