"""`bpderive code`: one target's files, and the functions behind it."""

import subprocess
import sys
from pathlib import Path

import pytest

import bpderive
from bpderive.targets import TARGETS

SIZED = ("numpy-inplace", "python", "c")
SEED = ("code", "--layers", "2,2,2,1")


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_writes_its_files_and_tells_them(run, tree, target):
    code, out, err = run(*SEED, "--target", target)
    row = TARGETS[target]
    names = [row.stem + suffix for suffix in row.parts]
    assert (code, err) == (0, "")
    assert tree("output") == ["2-2-2-1", *sorted(f"2-2-2-1/{name}" for name in names)]
    assert out == "Files\n" + "".join(f"  output/2-2-2-1/{name}\n" for name in names)
    text = Path("output", "2-2-2-1", row.file).read_text(encoding="utf-8")
    derivation = bpderive.derive(bpderive.network("2,2,2,1"))
    assert text.startswith(bpderive.generate(derivation, target))


@pytest.mark.parametrize("target", TARGETS)
def test_the_main_command_writes_every_target(run, tree, target):
    assert run("--layers", "2,2,1", "--format", target, "--quiet")[0] == 0
    row = TARGETS[target]
    names = sorted(f"2-2-1/{row.stem}{suffix}" for suffix in row.parts)
    assert tree("output") == ["2-2-1", *names]


@pytest.mark.parametrize("target", TARGETS)
def test_a_file_and_its_test_have_the_name_that_is_asked_for(run, target):
    suffix = TARGETS[target].suffix
    code, out, _ = run(*SEED, "--target", target, "-o", f"my/net{suffix}", "--emit-test")
    assert code == 0
    names = [f"net{one}" for one in TARGETS[target].parts] + ["test_net.py"]
    assert out == "Files\n" + "".join(f"  my/{name}\n" for name in names)
    assert sorted(path.name for path in Path("my").iterdir()) == sorted(names)


def test_one_file_can_be_printed(run):
    derivation = bpderive.derive(bpderive.network("2,2,2,1"))
    for target in ("numpy", "python"):
        code, out, _ = run(*SEED, "--target", target, "-o", "-")
        assert code == 0
        assert out == bpderive.generate(derivation, target)
    assert not Path("output").exists()


def test_the_usual_files_are_those_of_the_library():
    derivation = bpderive.derive(bpderive.network("2,2,1"))
    files = bpderive.generate_files(derivation, "c", name="tiny", test=True)
    assert list(files) == ["tiny.c", "tiny.h", "test_tiny.py"]
    assert '#include "tiny.h"' in files["tiny.c"]
    assert list(bpderive.generate_files(derivation)) == ["network.py"]


def test_a_name_has_no_folder():
    derivation = bpderive.derive(bpderive.network("2,2,1"))
    with pytest.raises(bpderive.SpecError, match='"a/b" is no name of a file'):
        bpderive.generate_files(derivation, "c", name="a/b", test=True)


WRONG = [
    (("--target", "numpi"), 2, 'unknown target "numpi" (did you mean "numpy"?)'),
    (("-o", "net.c"), 2, '"net.c": code for numpy has the suffix .py, such as net.py.'),
    (("--target", "c", "-o", "net.py"), 2, "code for c has the suffix .c, such as net.c."),
    (("-o", "net"), 2, "has the suffix .py, such as net.py."),
    (("-o", "-", "--emit-test"), 2, "-o - prints one file, and these are two (code and test)"),
    (("--target", "c", "-o", "-"), 2, "these are two (.c and .h): name a file."),
    *((("--target", t, "--layers", "n0,2,1"), 2, "here are n0") for t in SIZED),
    (("-o", "."), 2, "has the suffix .py"),
]


@pytest.mark.parametrize(("words", "status", "message"), WRONG)
def test_what_cannot_be_is_told(run, words, status, message):
    code, out, err = run(*SEED, *words)
    assert (code, out) == (status, "")
    assert message in err
    assert not Path("output").exists()
    assert not list(Path().iterdir())


def test_an_edited_file_is_kept(run):
    assert run(*SEED, "-o", "net.py")[0] == 0
    with Path("net.py").open("a", encoding="utf-8") as file:
        file.write("# mine\n")
    code, _, err = run(*SEED, "-o", "net.py")
    assert code == 2
    assert "net.py" in err
    assert Path("net.py").read_text(encoding="utf-8").endswith("# mine\n")
    assert run(*SEED, "-o", "net.py", "--force", "--quiet")[:2] == (0, "")


def test_a_wrong_derivation_is_not_written(run, monkeypatch):
    from dataclasses import replace

    from bpderive.cli import proving

    made = proving.verify

    def failing(derivation, **options):
        found = made(derivation, **options)
        return replace(found, checks=(replace(found.checks[0], digits=1), *found.checks[1:]))

    monkeypatch.setattr(proving, "verify", failing)
    assert run(*SEED, "-o", "net.py")[0] == 1
    assert not Path("net.py").exists()
    assert run(*SEED, "-o", "net.py", "--no-verify")[0] == 0


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_bytes_whatever_the_hash_seed(target):
    command = (
        "import bpderive; d = bpderive.derive(bpderive.network('3,4:gelu,2', bias=True, "
        "loss='huber')); "
        f"print(sorted(bpderive.generate_files(d, {target!r}, test=True).items()))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", command],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1
