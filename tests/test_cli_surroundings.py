"""The command in its surroundings: failures, pipes, terminals, and what it costs to start."""

import errno
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bpderive.cli import console
from bpderive.errors import DerivationError

SEED = ("--layers", "2,2,2,1")


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


def test_a_reader_that_leaves_is_no_news(spawn):
    reading, writing = os.pipe()
    os.close(reading)
    done = spawn("list", "activations", stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_standard_output(spawn):
    with Path("/dev/full").open("wb") as full:
        done = spawn("list", "activations", stdout=full)
    assert (done.returncode, done.stderr) == (1, b"Error: No space left on device\n")


def test_closed_standard_streams(tree):
    shell = f'"{sys.executable}" -m bpderive --layers 2,2,1 >&- 2>&-'
    assert subprocess.run(["sh", "-c", shell], check=False).returncode == 0
    assert len(tree("output")) == 4


# --- The terminal ---


@pytest.mark.parametrize(
    ("encoding", "delta"), [("utf-8", "δ".encode()), ("ascii", "δ".encode()), ("latin-1", b"?")]
)
def test_a_terminal_without_the_signs(encoding, delta, spawn):
    done = spawn(*SEED, env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"  " + delta in done.stdout  # click takes ASCII for a mistake, and prints UTF-8


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_folder_whose_name_is_no_text(spawn):
    done = spawn(*SEED, "--out", b"\xff", env={"LC_ALL": "C.UTF-8"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"?/network.py" in done.stdout
    assert [os.fsencode(path) for path in Path().iterdir()] == [b"\xff"]


def test_printed_text_is_utf_8_in_any_terminal(spawn):
    words = (*SEED, "--format", "text", "--out", "-")
    plain, narrow = spawn(*words), spawn(*words, env={"PYTHONIOENCODING": "ascii"})
    assert plain.stdout == narrow.stdout
    assert "∂" in plain.stdout.decode()


@pytest.mark.parametrize("columns", ["72", "100", "200"])
def test_the_screen_fits_the_terminal(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    _, out, _ = run(*SEED)
    assert max(map(len, out.splitlines())) <= min(int(columns), console.WIDEST)


@pytest.mark.parametrize("columns", ["0", "1", "20", "x"])
def test_a_screen_of_no_use_is_no_failure(run, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    assert run(*SEED)[0] == run("explain", *SEED, "w1[1,1]")[0] == run("--help")[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize("words", [SEED, ("--help",), ("--layers", "2"), ("list", "losses")])
def test_no_colours_in_a_terminal(words, spawn):
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
