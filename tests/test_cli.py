"""The command: what it writes and what it prints."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

import bpderive
from bpderive import document
from bpderive.catalog import CATALOG
from bpderive.cli import command
from bpderive.cli import options as cli_options
from bpderive.cli.notes_options import SECTIONS
from bpderive.document import NOTES, layered
from bpderive.spec import Spec
from bpderive.targets import TARGETS

SEED = ("--layers", "2,2,2,1")
FILES = ["derivation.md", "derivation.tex", "network.py"]


# --- What it writes ---


def test_the_default_command_writes_three_files_and_shows_one_screen(run, tree):
    code, out, err = run(*SEED)
    assert (code, err) == (0, "")
    assert tree("output") == ["2-2-2-1", *(f"2-2-2-1/{name}" for name in FILES)]
    for name in FILES:
        assert f"output/2-2-2-1/{name}" in out
    assert "δ" in out
    assert "∂L/∂" in out
    assert len(out.splitlines()) <= 60
    assert "\x1b" not in out


def test_a_second_run_changes_nothing(run):
    run(*SEED)
    before = {path: path.stat().st_mtime_ns for path in Path("output/2-2-2-1").iterdir()}
    code, out, _ = run(*SEED)
    assert code == 0
    assert out.count("(as before)") == 3
    assert before == {path: path.stat().st_mtime_ns for path in Path("output/2-2-2-1").iterdir()}


WRITES = [
    (("--format", "text"), ["derivation.txt"]),
    (("--format", "latex,numpy"), ["derivation.tex", "network.py"]),
    (("--format", "latex", "--format", " numpy , latex"), ["derivation.tex", "network.py"]),
    (("--format", "latex", "--fragment"), ["derivation.tex"]),
    (("--format", "markdown", "--flavor", "myst"), ["derivation.md"]),
    (("--weight", "w2[1,2]", "--all-weights"), FILES),
]


@pytest.mark.parametrize(("options", "files"), WRITES, ids=[" ".join(row[0]) for row in WRITES])
def test_formats(run, options, files, tree):
    code, _, err = run(*SEED, "--out", "here", *options)
    assert (code, err) == (0, "")
    assert tree("here") == files


def test_what_is_printed_is_the_file_without_its_stamp(run):
    for name, file in (("latex", "derivation.tex"), ("numpy", "network.py")):
        run(*SEED, "--format", name, "--out", "here")
        code, out, err = run(*SEED, "--format", name, "--out", "-")
        assert (code, err) == (0, "")
        assert (
            Path("here", file).read_text("utf-8").rpartition("\n")[0].rpartition("\n")[0] + "\n"
            == out
        )


def test_quiet(run, tree):
    assert run(*SEED, "--quiet") == (0, "", "")
    assert len(tree("output")) == 4


TOML = """
layers = [2, {width = 3, activation = "tanh"}, 1]
loss = "mse"
bias = true
"""


def test_a_spec_file_and_what_the_options_change(run):
    Path("net.toml").write_text(TOML)
    code, out, _ = run("--spec", "net.toml")
    assert code == 0
    assert "output/2-3-1-tanh-mse-bias/network.py" in out
    code, out, _ = run("--spec", "net.toml", "--no-bias", "--loss", "mae", "--columns")
    assert code == 0
    assert "output/2-3-1-tanh-mae-columns/network.py" in out


def test_a_spec_from_standard_input(spawn):
    done = spawn("--spec", "-", stdin=None, input=TOML.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"output/2-3-1-tanh-mse-bias/network.py" in done.stdout


def test_the_code_runs_where_it_was_written(run):
    pytest.importorskip("numpy")
    run(*SEED)
    done = subprocess.run([sys.executable, "output/2-2-2-1/network.py"], check=False)
    assert done.returncode == 0


# --- The other commands ---


def test_explain(run, tree):
    code, out, err = run("explain", *SEED, "w1[1,1]")
    assert (code, err) == (0, "")
    assert "∂L/∂" in out
    assert "Chain rule" in out or "chain rule" in out
    assert tree() == []


def test_list(run):
    code, out, _ = run("list", "activations")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    for row in CATALOG.activations:
        assert row.formula in lines[row.name]
        assert row.kinks == () or f"slope {row.kinks[0].slope} at z = {row.kinks[0].at}" in out
    code, out, _ = run("list", "losses")
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert all(row.formula in lines[row.name] for row in CATALOG.losses)
    code, out, _ = run("list", "formats")
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["latex", "derivation.tex"],
        ["slides", "slides.tex"],
        ["markdown", "derivation.md"],
        ["notebook", "derivation.ipynb"],
        ["html", "derivation.html"],
        ["typst", "derivation.typ"],
        ["pdf", "derivation.pdf"],
        ["slides-pdf", "slides.pdf"],
        ["text", "derivation.txt"],
        ["numpy", "network.py"],
        ["numpy-inplace", "network_inplace.py"],
        ["python", "network_plain.py"],
        ["array-api", "network_xp.py"],
        ["c", "network.c"],
    ]
    code, out, _ = run("list", "targets")
    assert [line.split()[0] for line in out.splitlines()] == list(TARGETS)
    assert "network.c, network.h" in out
    for what in ("notations", "languages"):
        assert run("list", what)[0] == 0


def test_sections_are_listed_with_the_networks_that_have_them(run):
    code, out, _ = run("list", "sections")
    *rows, order = out.splitlines()
    names = {row.split()[0]: row for row in rows}
    assert (code, set(names)) == (0, {*NOTES, *layered.SECTIONS})
    for name, row in names.items():
        alone = {(True, False): "dense networks", (False, True): "other kinds"}
        assert row.endswith(alone.get((name in NOTES, name in layered.SECTIONS), "any network"))
    assert order.endswith(", ".join(layered.SECTIONS))
    assert SECTIONS.choices() == [*document.SECTIONS, *(n for n in names if n not in NOTES)]


@pytest.mark.parametrize("command", [[], ["explain"], ["code"], ["notes"]])
def test_help_names_layers_of_any_kind_and_files(run, command):
    said = " ".join(run(*command, "--help")[1].split())
    assert '"1x8x8, conv(4,3):relu, flatten, 10"' in said
    assert "squeeze.eq" in said


def test_version_and_help(run):
    assert run("--version")[1] == "bpderive 0.1.0\n"
    for words in (["--help"], ["-h"], ["explain", "--help"], ["list", "-h"]):
        code, out, err = run(*words)
        assert (code, err) == (0, "")
        assert out.startswith("Usage: bpderive")


def commands(group):
    return [group, *group.commands.values()]


@pytest.mark.parametrize("of", commands(command), ids=lambda of: of.name)
def test_everything_has_help(of):
    assert of.help
    for param in of.params:
        assert isinstance(param, click.Argument) or param.help, param.name


def test_the_help_tells_the_defaults_and_choices_that_hold():
    from bpderive.render.markdown import FLAVORS

    params = {param.name: param for param in command.params}
    for name in cli_options.SPEC_OPTIONS:
        default = {True: "bias", False: "no-bias"}.get(getattr(Spec, name), getattr(Spec, name))
        default = default.replace("neuron_first", "neuron-first")
        assert params[name].help.endswith(f"[default: {default}]")
    assert params["flavor"].type.choices == tuple(FLAVORS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(run, shell):
    code, out, _ = run("completion", shell)
    assert code == 0
    assert f"_BPDERIVE_COMPLETE={shell}_complete" in out


COMPLETED = [
    ("bpderive --activation sof", {"softplus", "softsign", "softmax"}),
    ("bpderive explain --loss half", {"half_squared_error"}),
    ("bpderive --format latex,nu", {"latex,numpy", "latex,numpy-inplace"}),
    ("bpderive code --target py", {"python"}),
    ("bpderive --reduction m", {"mean"}),
    ("bpderive li", {"list"}),
    ("bpderive list a", {"activations"}),
]


@pytest.mark.parametrize(("typed", "expected"), COMPLETED)
def test_completion(typed, expected, spawn):
    done = spawn(
        env={
            "_BPDERIVE_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        }
    )
    assert {line.partition(",")[2] for line in done.stdout.decode().splitlines()} == expected


# --- Notes ---


def test_explain_speaks_the_language_and_the_notation_asked_for(run):
    code, out, err = run("explain", *SEED, "w1[1,1]", "--lang", "zh-TW", "--notation", "nielsen")
    assert (code, err) == (0, "")
    assert "∂C/∂w²₁₁" in out
    assert "連鎖律" in out or "連鎖率" in out


def test_notes_go_where_they_are_sent(run, tree):
    code, out, _ = run("notes", *SEED, "--sections", "notation,weight", "--out", "here")
    assert code == 0
    assert tree() == ["here", "here/notes.html"]
    assert out == "Files\n  here/notes.html\n"
    assert (
        run("notes", *SEED, "--sections", "weight", "-o", "a.md", "-o", "b.tex", "--quiet")[1] == ""
    )
    assert {"a.md", "a-paths.svg", "a-path-1.svg", "b.tex"} <= set(tree())
    code, out, _ = run("notes", *SEED, "--sections", "weight", "--format", "text", "-o", "-")
    assert code == 0
    assert "∂L/∂w¹₁₁" in out


WRONG_NOTES = [
    (["--notation", "nilsen"], 2, 'did you mean "nielsen"?'),
    (["--translate", "nilsen"], 2, 'did you mean "nielsen"?'),
    (["--lang", "en-GB"], 2, "unknown language"),
    (["--sections", "weigth"], 2, 'did you mean "weight"?'),
    (["--weight", "w9[1,1]"], 2, "the layers are 1 to 3"),
    (["--values", "missing.toml"], 2, "missing.toml"),
    (["-o", "notes.doc"], 2, "the suffix tells the format"),
    (["-o", "-"], 2, "choose it with --format"),
    (["-o", "a.html", "--out", "here"], 2, "leave --out away"),
    (["--engine", "latexmk"], 2, "is for the format pdf"),
    (["--flavor", "myst"], 2, "is for the format markdown"),
    (["--format", "word"], 2, "unknown format"),
    (["--templates", "missing"], 2, "does not exist"),
    (["--digits", "99"], 2, "digits"),
    (["--weight", "delta1[1]"], 2, "is no weight"),
    (["--title", ""], 2, "the title is empty"),
    (["--title", "a\x1b[31m"], 2, "U+001B"),
    (["--by", "a\u202eb"], 2, "U+202E"),
    (["--values", "x.json", "--seed", "3"], 2, "leave --seed away"),
    (["--flavor", "quarto"], 2, "quarto"),
]


@pytest.mark.parametrize(("words", "code", "told"), WRONG_NOTES)
def test_wrong_notes_leave_nothing_behind(run, tree, words, code, told):
    found, _, err = run("notes", *SEED, *words)
    assert (found, told in err) == (code, True), err
    assert tree() == []


def test_templates_are_copied_and_replace_ours(run, tree):
    assert run("templates", "mine")[0] == 0
    assert "mine/document/latex/title.tex.j2" in tree()
    page = ["--sections", "weight", "--format", "latex", "-o", "-"]
    ours = run("notes", *SEED, *page)[1]
    assert run("notes", *SEED, *page, "--templates", "mine")[1] == ours
    Path("mine/document/latex/title.tex.j2").write_text("\\mylogo << words(document.title) >>\n")
    assert "\\mylogo Back-propagation" in run("notes", *SEED, *page, "--templates", "mine")[1]
    assert run("templates", "mine")[0] == 2  # what was changed is kept
    for text in (
        "<< document.titel.x >>",
        "<< document.title >>",
        "<< words(document.titel) >>",
        "<< ''.__class__ >>",
        "<% if %>",
    ):
        Path("mine/document/latex/title.tex.j2").write_text(text)
        words = ["--format", "latex", "--templates", "mine", "-o", "n.tex"]
        code, _, err = run("notes", *SEED, *words)
        assert code == 2
        assert "title.tex.j2, line 1" in err
        assert "n.tex" not in tree()


@pytest.mark.usefixtures("tree")
def test_templates_that_replace_nothing_are_told(run):
    page = ["--sections", "weight", "--format", "latex", "-o", "-", "--templates", "mine"]
    Path("mine/document/latex").mkdir(parents=True)
    Path("mine/document/latex/titel.tex.j2").write_text("x")
    code, _, err = run("notes", *SEED, *page)
    assert code == 0
    assert 'no template of ours is in "mine": nothing in it is used' in err
    assert '"document/latex/titel.tex.j2": it is not used (did you mean "document/' in err
    assert 'latex/title.tex.j2"?)' in err
    Path("mine/document/latex/title.tex.j2").write_text(
        '<% include "document/latex/titel.tex.j2" %>'
    )
    assert run("notes", *SEED, *page)[2] == ""  # what another one includes is used


def test_a_section_is_asked_for_once():
    derivation = bpderive.derive(bpderive.network("2,2,1"))
    with pytest.raises(bpderive.SpecError, match="the section weight is asked for twice"):
        bpderive.notes(derivation, sections=("weight", "weight"))
