"""The command: what it writes, what it prints, and one clear message for every bad input."""

import errno
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from bpderive.catalog import CATALOG
from bpderive.cli import command, console, main
from bpderive.cli import options as cli_options
from bpderive.errors import DerivationError
from bpderive.spec import Spec

SEED = ("--layers", "2,2,2,1")
FILES = ["derivation.md", "derivation.tex", "network.py"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def run(capfdbinary):
    """The command in this process: its exit code, stdout and stderr."""

    def call(*arguments):
        code = main(list(map(str, arguments)))
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


def spawn(*arguments, **options):
    """The command in a process of its own."""
    words = [sys.executable, "-m", "bpderive", *arguments]
    environment = {**os.environ, **options.pop("env", {})}
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.run(words, env=environment, check=False, timeout=60, **(given | options))


def tree(folder="."):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))


# --- What it writes ---


def test_the_default_command_writes_three_files_and_shows_one_screen(run):
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
def test_formats(run, options, files):
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


def test_quiet(run):
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


def test_a_spec_from_standard_input():
    done = spawn("--spec", "-", stdin=None, input=TOML.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"output/2-3-1-tanh-mse-bias/network.py" in done.stdout


def test_the_code_runs_where_it_was_written(run):
    pytest.importorskip("numpy")
    run(*SEED)
    done = subprocess.run([sys.executable, "output/2-2-2-1/network.py"], check=False)
    assert done.returncode == 0


# --- The other commands ---


def test_explain(run):
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
        ["markdown", "derivation.md"],
        ["text", "derivation.txt"],
        ["numpy", "network.py"],
    ]


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
    ("bpderive --format latex,nu", {"latex,numpy"}),
    ("bpderive --reduction m", {"mean"}),
    ("bpderive li", {"list"}),
    ("bpderive list a", {"activations"}),
]


@pytest.mark.parametrize(("typed", "expected"), COMPLETED)
def test_completion(typed, expected):
    done = spawn(
        env={
            "_BPDERIVE_COMPLETE": "bash_complete",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(typed.count(" ")),
        }
    )
    assert {line.partition(",")[2] for line in done.stdout.decode().splitlines()} == expected


# --- Bad input: one message, exit code 2, nothing written ---

NOT_ITEM_2 = "layers, item 2: "
BAD = [
    ((), ["Which network?", "for example: bpderive --layers 2,2,2,1"]),
    ((*SEED, "--spec", "net.toml"), ["--layers and --spec"]),
    (("2,2,2,1",), ["bpderive --layers 2,2,2,1"]),
    (("--layers", "2"), ["an input and at least one layer", "for example 2,2,2,1"]),
    (("--layers", "2,0,1"), [NOT_ITEM_2, 'at least 1, not "0"', "a whole number from 1"]),
    (("--layers", "2,-1"), [NOT_ITEM_2, 'at least 1, not "-1"']),
    (("--layers", "-1,2"), ["layers, item 1: ", 'at least 1, not "-1"']),
    (("--layers", "2,two,1"), [NOT_ITEM_2, '"two" is not a width']),
    (("--layers", ""), ["no layers are given"]),
    (("--layers", "\udcff,1"), ["is not a width"]),
    (("--layers", "2:relu,1"), ["the input layer has no activation"]),
    ((*SEED, "--activation", "sigmod"), ["activation: ", 'did you mean "sigmoid"?', "relu, "]),
    ((*SEED, "--loss", "mse_"), ["loss: unknown loss", "half_squared_error, "]),
    (
        ("--layers", "2,2:rellu,1", "--activation", "q", "--loss", "q"),
        ["several things are wrong", "layers, layer 1: ", "activation: ", "loss: "],
    ),
    (
        (*SEED, "--output-activation", "softmax", "--loss", "softmax_cross_entropy"),
        ["cannot take the output of softmax", "output activation linear"],
    ),
    ((*SEED, "--activation", "__import__('os').system('touch owned')"), ["activation, formula"]),
    ((*SEED, "--loss", "__import__('os').remove(a)*y"), ["loss, formula"]),
    ((*SEED, "--activation", "9**9**9**9*z"), ["activation, formula"]),
    ((*SEED, "--activation", "(" * 300 + "z" + ")" * 300), ["activation, formula"]),
    ((*SEED, "--activation", "z+q"), ["activation, formula", '"q"']),
    ((*SEED, "--reduction", "max"), ["'max' is not one of 'mean', 'sum'"]),
    ((*SEED, "--format", "latx"), ['unknown format "latx" (did you mean "latex"?)', "numpy"]),
    ((*SEED, "--format", ","), ["no format is given"]),
    ((*SEED, "--format", "numpy", "--fragment"), ["--fragment is for the format latex"]),
    ((*SEED, "--format", "text", "--flavor", "myst"), ["--flavor is for the format markdown"]),
    ((*SEED, "--flavor", "gitlab"), ["'gitlab' is not one of 'github'"]),
    ((*SEED, "--out", "-"), ["one format"]),
    ((*SEED, "--weight", "w1[3,1]"), ["w1[3,1]"]),
    ((*SEED, "--weight", "v"), ["v", "w1[1,2]"]),
    ((*SEED, "--wieght", "v"), ["--wieght", "--weight"]),
    (("explain", *SEED), ["Missing argument"]),
    (("explain", "w1[1,1]"), ["bpderive explain --layers 2,2,2,1"]),
    (("explain", *SEED, "w1[1"), ['"w1[1" is not a reference', "w1[1,2]"]),
    (("explain", *SEED, "w4[1,1]"), ["w4[1,1]"]),
    (("explain", *SEED, "b1[1]"), ["b1[1]", "no biases"]),
    ((*SEED, "explain", "w1[1,1]"), ["after the command"]),
    (("explian",), ["explian", "explain"]),
    (("list", "networks"), ["'networks' is not one of 'activations'"]),
    (("completion", "tcsh"), ["'tcsh' is not one of 'bash'"]),
    (("--spec", "nothing.toml"), ["nothing.toml: cannot be read: No such file"]),
    (("--spec", "."), ["cannot be read: Is a directory"]),
]


@pytest.mark.parametrize(("arguments", "told"), BAD, ids=[" ".join(r[0])[:60] for r in BAD])
def test_bad_input(run, arguments, told):
    code, out, err = run(*arguments)
    for words in told:
        assert words in err
    assert (code, out) == (2, "")
    assert re.search(r"^Error: ", err, re.MULTILINE)
    assert "Traceback" not in err
    assert tree() == []


THREE = """layers = [2, 0, 1]
activaton = "relu"
bias = "yes"
"""


def test_a_toml_with_three_errors_tells_all_with_their_lines(run):
    Path("net.toml").write_text(THREE)
    code, out, err = run("--spec", "net.toml")
    assert (code, out) == (2, "")
    assert "net.toml, line 1, layers, item 2: a width must be at least 1" in err
    assert (
        'net.toml, line 2, activaton: unknown key "activaton" (did you mean "activation"?)' in err
    )
    assert 'net.toml, line 3, bias: "yes" is neither true nor false' in err
    assert tree() == ["net.toml"]


# --- Files ---


def test_an_edited_file_is_kept_and_so_are_the_others(run):
    run(*SEED)
    edited, other = Path("output/2-2-2-1/derivation.md"), Path("output/2-2-2-1/network.py")
    mine = edited.read_text("utf-8").replace("e", "é", 1)
    edited.write_text(mine, "utf-8")
    other.unlink()
    code, out, err = run(*SEED)
    assert (code, out) == (2, "")
    assert "output/2-2-2-1/derivation.md" in err
    assert "edited since" in err
    assert "--force" in err
    assert edited.read_text("utf-8") == mine
    assert not other.exists()
    code, _, _ = run(*SEED, "--force")
    assert code == 0
    assert edited.read_text("utf-8") != mine
    assert other.exists()


def test_a_folder_that_cannot_be_made(run):
    Path("file").write_text("mine")
    for out in ("file", "file/below"):
        code, shown, err = run(*SEED, "--out", out)
        assert (code, shown) == (2, "")
        assert re.search(r'^Error: "file.*cannot be written: ', err)
    assert tree() == ["file"]
    assert Path("file").read_text() == "mine"


def test_a_full_disk(run, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = run(*SEED)
    assert (code, out) == (2, "")
    assert re.fullmatch(r'Error: "output/.*": cannot be written: No space left on device\n', err)
    assert tree() == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_limit_on_the_size_of_files_leaves_no_half():
    import resource

    done = spawn(*SEED, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"cannot be written: File too large" in done.stderr
    assert tree() == []


# --- Cautions ---

CAUTIONS = [
    (("--loss", "binary_cross_entropy"), ["linear", "--output-activation sigmoid", "with_logits"]),
    (("--loss", "cross_entropy"), ["--output-activation softmax", "--loss softmax_cross_entropy"]),
    (("--loss", "poisson"), ["above 0", "--output-activation exp"]),
    (("--loss", "poisson", "--output-activation", "relu"), ["above 0"]),
    (("--loss", "kl_divergence"), ["--output-activation softmax"]),
    (("--output-activation", "softmax"), ["layer 3 is a softmax of one neuron"]),
    (("--loss", "softmax_cross_entropy"), ["softmax to one output"]),
    (("--loss", "binary_cross_entropy", "--output-activation", "sigmoid"), []),
    (("--loss", "poisson", "--output-activation", "exp"), []),
    (("--loss", "poisson", "--output-activation", "softplus"), []),
    ((), []),
]


@pytest.mark.parametrize(("options", "told"), CAUTIONS, ids=[" ".join(r[0]) for r in CAUTIONS])
def test_cautions(run, options, told):
    code, _, err = run(*SEED, *options, "--quiet")
    assert code == 0
    assert err.startswith("Warning: ") if told else err == ""
    for words in told:
        assert words in err
    assert len(tree("output")) == 4


# --- What goes wrong beyond input ---

FAILURES = [
    (KeyboardInterrupt(), 130, r"\s*Error: interrupted\n"),
    (EOFError(), 130, r"\s*Error: interrupted\n"),
    (RecursionError("maximum"), 1, "Error: .*nested too deeply\n"),
    (MemoryError(), 1, "Error: out of memory.*\n"),
    (DerivationError("no rule"), 1, "Error: no rule\nThis is a fault of bpderive: .*\n"),
    (ZeroDivisionError("by zero"), 1, "Error: ZeroDivisionError: by zero\nThis is a fault .*\n"),
    (OSError(errno.EACCES, "Permission denied", "f"), 1, "Error: f: Permission denied\n"),
]


@pytest.mark.parametrize(("error", "code", "told"), FAILURES, ids=lambda e: type(e).__name__)
def test_failures(run, monkeypatch, error, code, told):
    def fail(*_):
        raise error

    monkeypatch.setattr("bpderive.cli.read_spec", fail)
    failed, out, err = run(*SEED)
    assert (failed, out) == (code, "")
    assert re.fullmatch(told, err)


def test_a_traceback_for_those_who_ask(run, monkeypatch):
    monkeypatch.setenv("BPDERIVE_DEBUG", "1")
    code, _, err = run("--layers", "2,0,1")
    assert code == 2
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("Error: layers, item 2")


def test_a_reader_that_leaves_is_no_news():
    reading, writing = os.pipe()
    os.close(reading)
    done = spawn("list", "activations", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_standard_output():
    with Path("/dev/full").open("wb") as full:
        done = spawn("list", "activations", stdout=full)
    assert (done.returncode, done.stderr) == (1, b"Error: No space left on device\n")


def test_closed_standard_streams():
    shell = f'"{sys.executable}" -m bpderive --layers 2,2,1 >&- 2>&-'
    assert subprocess.run(["sh", "-c", shell], check=False).returncode == 0
    assert len(tree("output")) == 4


# --- The terminal ---


@pytest.mark.parametrize(
    ("encoding", "delta"), [("utf-8", "δ".encode()), ("ascii", "δ".encode()), ("latin-1", b"?")]
)
def test_a_terminal_without_the_signs(encoding, delta):
    done = spawn(*SEED, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"  " + delta in done.stdout  # click takes ASCII for a mistake, and prints UTF-8


def test_a_folder_whose_name_is_no_text():
    done = spawn(*SEED, "--out", b"\xff", env={"LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?/network.py" in done.stdout
    assert [os.fsencode(path) for path in Path().iterdir()] == [b"\xff"]


def test_printed_text_is_utf_8_in_any_terminal():
    words = (*SEED, "--format", "text", "--out", "-")
    plain, narrow = spawn(*words), spawn(*words, env={"PYTHONIOENCODING": "ascii"})
    assert plain.stdout == narrow.stdout
    assert "∂" in plain.stdout.decode()


@pytest.mark.parametrize("columns", ["72", "100", "200"])
def test_the_screen_fits_the_terminal(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    _, out, _ = run(*SEED)
    assert max(map(len, out.splitlines())) <= min(int(columns), console.WIDEST)


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize("words", [SEED, ("--help",), ("--layers", "2"), ("list", "losses")])
def test_no_colours_in_a_terminal(words):
    import pty

    ours, theirs = pty.openpty()
    spawn(*words, stdout=theirs, stderr=theirs, env={"NO_COLOR": "1", "TERM": "xterm"})
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert len(shown) > 20
    assert b"\x1b" not in shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "delay", "shown"),
    [(Terminal(), 0.01, True), (Terminal(), 60, False), (io.StringIO(), 0.01, False)],
    ids=["long", "short", "no terminal"],
)
def test_progress(monkeypatch, stream, delay, shown):
    import time

    monkeypatch.setattr(sys, "stderr", stream)
    with console.progress(delay) as at:
        at("deriving")
        time.sleep(0.2)
    assert ("deriving (" in stream.getvalue()) is shown
    assert not shown or stream.getvalue().endswith("\r")


# --- The price of what needs no mathematics ---

CHEAP = [
    ("--help",),
    ("--version",),
    ("list", "activations"),
    ("list", "losses"),
    ("--layers", "2,0,1"),
    ("explain", *SEED, "w1["),
    ("completion", "zsh"),
]


@pytest.mark.parametrize("words", CHEAP, ids=" ".join)
def test_what_needs_no_mathematics_imports_none(words):
    code = (
        "import sys\nfrom bpderive.cli import main\nmain(sys.argv[1:])\n"
        "print([m for m in ('sympy', 'jinja2', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1] == "[]"
