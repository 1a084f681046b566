"""The gallery in output/ is what the command writes, byte for byte, under any hash seed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = ("derivation.md", "derivation.tex", "network.py")
GALLERY = [
    ("2-2-2-1", ["--layers", "2,2,2,1"]),
    ("2-2-2-1-tanh-bias", ["--layers", "2,2,2,1", "--activation", "tanh", "--bias"]),
    ("3-4-2-softmax_cross_entropy", ["--layers", "3,4,2", "--loss", "softmax_cross_entropy"]),
    ("n0-n1-n2", ["--layers", "n0,n1,n2"]),
]


LAYERS = [
    (
        "cnn",
        "1x6x6, conv(2,3,padding=1):relu, maxpool(2), flatten, 3:softmax",
        ["--loss", "cross_entropy", "--bias", "--lang", "en"],
    ),
    ("rnn", "seq(5)x3, rnn(4):tanh, last, 1", ["--bias", "--lang", "zh-TW"]),
    ("transformer", "seq(4)x6, transformer(heads=2), last, 1", ["--lang", "en"]),
    ("squeeze", "squeeze.eq", ["--lang", "en", "--notation", "goodfellow"]),
]
"""Notes of layers beyond dense ones, as PDF and Markdown; the last is a file of equations."""

EVERY = "latex,slides,typst,pdf,markdown,html,notebook,text"
NOTES = [
    ("en", ["--lang", "en", "--format", EVERY]),
    ("zh-TW", ["--lang", "zh-TW", "--format", EVERY]),
    ("nielsen", ["--lang", "en", "--notation", "nielsen", "--weight", "w1[1,1]"]),
    ("goodfellow", ["--lang", "en", "--notation", "goodfellow", "--translate", "nielsen"]),
    ("cs224n", ["--lang", "zh-TW", "--notation", "cs224n", "--level", "brief"]),
]
"""Notes of 2,2,2,1: in both languages every format, and in other notations a page."""


def run(arguments, folder, seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "COLUMNS": "80"}
    command = [sys.executable, "-m", "bpderive", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("seed", ["0", "4711"])
@pytest.mark.parametrize(("name", "arguments"), GALLERY, ids=[name for name, _ in GALLERY])
def test_gallery_is_what_the_command_writes(name, arguments, seed, tmp_path, request):
    run(arguments, tmp_path, seed)
    written = tmp_path / "output" / name
    assert sorted(path.name for path in written.iterdir()) == sorted(FILES)
    if request.config.getoption("--update-output"):
        for file in FILES:
            (ROOT / "output" / name).mkdir(parents=True, exist_ok=True)
            (ROOT / "output" / name / file).write_bytes((written / file).read_bytes())
    for file in FILES:
        golden = (ROOT / "output" / name / file).read_bytes()
        assert (written / file).read_bytes() == golden, f"{name}/{file}: --update-output rewrites"


def text_of(pdf):
    """What a PDF says, page by page: its bytes depend on the version of what set it."""
    command = ["pdftotext", "-layout", pdf, "-"]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.mark.parametrize(("name", "arguments"), NOTES, ids=[name for name, _ in NOTES])
def test_the_notes_of_the_gallery_are_what_the_command_writes(name, arguments, tmp_path, request):
    for package in ("typst", "nbformat"):
        pytest.importorskip(package)
    run(["notes", "--layers", "2,2,2,1", "--out", "notes", *arguments], tmp_path, "0")
    compare(tmp_path / "notes", ROOT / "output" / "notes" / name, request)


def compare(written, kept, request):
    """The files of a folder are those of the gallery, or become them."""
    if request.config.getoption("--update-output"):
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(written, kept)
    files = sorted(path.name for path in written.iterdir())
    assert files == sorted(path.name for path in kept.iterdir())
    for file in files:
        read = text_of if file.endswith(".pdf") else Path.read_bytes
        same = read(written / file) == read(kept / file)
        assert same, f"{kept.parent.name}/{kept.name}/{file}: --update-output rewrites"


@pytest.mark.parametrize(("name", "layers", "more"), LAYERS, ids=[name for name, *_ in LAYERS])
def test_the_notes_of_layers_are_what_the_command_writes(name, layers, more, tmp_path, request):
    pytest.importorskip("typst")
    shutil.copy(ROOT / "examples" / "squeeze.eq", tmp_path)
    arguments = ["--layers", layers, "--format", "pdf,markdown", "--out", "notes", *more]
    run(["notes", *arguments], tmp_path, "0")
    compare(tmp_path / "notes", ROOT / "output" / "layers" / name, request)


def test_every_folder_of_the_gallery_is_tested():
    command = ["git", "ls-files", "output"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    folders = {path.split("/")[1] for path in done.stdout.split()}
    assert folders == {name for name, _ in GALLERY} | {"layers", "notes"}


@pytest.mark.parametrize("name", [name for name, _ in GALLERY])
def test_the_gallery_s_code_passes_its_own_check(name):
    source = ROOT / "output" / name / "network.py"
    done = subprocess.run([sys.executable, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_the_screen_does_not_depend_on_the_hash_seed(tmp_path):
    arguments = ["--layers", "2,2,2,1"]
    assert (
        run(arguments, tmp_path, "0").splitlines()[:-3]
        == (run(arguments, tmp_path, "4711").splitlines()[:-3])
    )
