"""Bad input: one clear message, exit code 2, no traceback, and nothing written or lost."""

import errno
import os
import re
import sys
from pathlib import Path

import pytest

SEED = ("--layers", "2,2,2,1")


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
        ["several things are wrong", "layers, item 2: ", "activation: ", "loss: "],
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
def test_bad_input(run, arguments, told, tree):
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


def test_a_toml_with_three_errors_tells_all_with_their_lines(run, tree):
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


def test_a_folder_that_cannot_be_made(run, tree):
    Path("file").write_text("mine")
    for out in ("file", "file/below"):
        code, shown, err = run(*SEED, "--out", out)
        assert (code, shown) == (2, "")
        assert re.search(r'^Error: "file.*cannot be written: ', err)
    assert tree() == ["file"]
    assert Path("file").read_text() == "mine"


def test_a_full_disk(run, monkeypatch, tree):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    code, out, err = run(*SEED)
    assert (code, out) == (2, "")
    assert re.fullmatch(r'Error: "output/.*": cannot be written: No space left on device\n', err)
    assert tree() == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_limit_on_the_size_of_files_leaves_no_half(spawn, tree):
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
def test_cautions(run, options, told, tree):
    code, _, err = run(*SEED, *options, "--quiet")
    assert code == 0
    assert err.startswith("Warning: ") if told else err == ""
    for words in told:
        assert words in err
    assert len(tree("output")) == 4
