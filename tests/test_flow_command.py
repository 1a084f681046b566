"""`bpderive flow` as a person uses it: what it prints, what it writes, what it refuses."""

import json
import math
import signal
import subprocess
import sys
import time

import pytest

import bpderive
from bpderive.cli import main
from bpderive.findings import Findings

DEEP = "3,16*12,2"
"""A network of sigmoids whose first layers learn nothing."""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")


def run(capsys, *arguments):
    code = main(["flow", *arguments])
    done = capsys.readouterr()
    return code, done.out, done.err


def test_the_screen_of_the_articles_network(capsys):
    code, out, err = run(capsys, "--layers", "2,2,2,1")
    assert (code, err) == (0, "")
    assert "|∂L/∂w¹₁₁| ≤ 1/16 · |a³₁ − y₁| (|w³₁₁ w²₁₁| + |w³₁₂ w²₂₁|) |x₁|" in out
    for line in ("  1      2                  1/16", "  3      0                  1"):
        assert line in out
    for title in ("How large the gradients can be", "How large they are", "What each remedy does"):
        assert title in out
    assert "Dangers" not in out


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--layers", DEEP), 1, "vanishing"),
        (("--layers", DEEP, "--no-measure"), 1, "expected"),
        (("--layers", DEEP, "--activation", "tanh"), 0, "No gradients vanish or explode."),
        (("--layers", "4,32*12,1", "--activation", "relu", "--init", "normal"), 1, "exploding"),
        (("--layers", "4,32*9,1", "--activation", "tanh", "--init", "scaled(0.1)"), 1, "vanishing"),
        (("--layers", "3,5:relu*3,1", "--init", "zeros"), 1, "dead"),
    ],
)
def test_the_exit_code_of_a_check_tells_danger(capsys, arguments, code, word):
    found, out, _ = run(capsys, "--check", "--samples", "20", *arguments)
    assert (found, word in out) == (code, True), out


def test_without_check_danger_is_told_and_no_failure(capsys):
    code, out, _ = run(capsys, "--layers", DEEP, "--samples", "10")
    assert code == 0
    assert "Dangers" in out
    code, out, err = run(capsys, "--layers", DEEP, "--samples", "10", "--quiet")
    assert (code, out) == (0, "")
    assert err.startswith("Warning: vanishing: layer 1 is at ")


def test_json_is_json_and_the_api_has_the_same(capsys):
    code, out, _ = run(capsys, "--layers", DEEP, "--samples", "10", "--json", "--check")
    found = json.loads(out)
    assert code == 1
    assert found["in_danger"]
    assert found["warnings"][0]["kind"] == "vanishing"
    first = found["layers"][0]
    assert first["slopes"] == 12
    assert first["largest_product"] == f"1/{4**12}"
    expected, measured = first["expected"][0], first["measured"][0]
    assert math.log10(measured["rms"]) == pytest.approx(expected["log10_rms"], abs=0.5)
    assert measured["rms"] < measured["bound"]
    ours = bpderive.flow(bpderive.derive(bpderive.network(DEEP)), networks=10)
    assert isinstance(ours, Findings)
    assert ours.json() == out


def test_the_same_command_prints_the_same(capsys):
    network = ("--layers", "2,3,2", "--bias", "--loss", "softmax_cross_entropy")
    assert run(capsys, *network) == run(capsys, *network)
    assert run(capsys, *network) != run(capsys, *network, "--seed", "2")


@pytest.mark.parametrize(
    ("layers", "word"),
    [
        ("4, 6, batchnorm, tanh, residual(6:relu, 6), 2", "+"),
        ("seq(3)x2, rnn(3):tanh, last, 1", "Nothing is established"),
        ("1x6x6, conv(2,3):relu, maxpool(2), flatten, 2", "w1"),
    ],
)
def test_layers_of_any_kind(capsys, layers, word):
    code, out, err = run(capsys, "--layers", layers, "--samples", "10")
    assert (code, err) == (0, "")
    assert word in out
    assert "How large they are" in out


def test_sizes_that_are_symbols_have_bounds_alone(capsys):
    code, out, err = run(capsys, "--layers", "n0,n1,n2")
    assert code == 0
    assert "‖∂L/∂W¹‖ ≤ ¼‖δ²‖ ‖W²‖ ‖x‖" in out
    assert "nothing is measured" in err
    assert "What each remedy does" not in out


def test_other_languages_and_notations(capsys):
    _, out, _ = run(
        capsys, "--layers", "2,2,1", "--lang", "zh-TW", "--notation", "nielsen", "--samples", "5"
    )
    assert "梯度最大可以到多大" in out
    assert "∂C" in out


def test_remedies_are_measured_where_that_is_asked_for(capsys):
    asked = ("--layers", "3,5*6,2", "--remedies", "--samples", "20", "--json")
    _, out, _ = run(capsys, *asked)
    rows = {row["remedy"]: row for row in json.loads(out)["remedies"]}
    assert set(rows) > {"as_given", "relu_he", "batchnorm", "layernorm", "residual", "fixup"}
    for row in rows.values():
        assert row["log10_first_by_last_measured"] == pytest.approx(
            row["log10_first_by_last_expected"], abs=1.2
        )


# --- Files ---


def test_pictures_and_json_are_files(capsys, tmp_path):
    outputs = ("a.svg", "a.pdf", "a.png", "a.json")
    asked = [part for name in outputs for part in ("-o", name)]
    code, out, _ = run(capsys, "--layers", "2,3,1", "--samples", "5", *asked)
    assert code == 0
    assert all(name in out for name in outputs)
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<?xml")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["network"] == "2-3-1"
    (tmp_path / "a.svg").write_text("mine")
    code, _, err = run(capsys, "--layers", "2,3,1", "--samples", "5", "-o", "a.svg")
    assert (code, (tmp_path / "a.svg").read_text()) == (2, "mine")
    assert "--force" in err


@pytest.mark.parametrize("kind", ["slopes", "heat-map"])
def test_other_pictures(capsys, tmp_path, kind):
    asked = ("--layers", "2,3,1", "--no-measure", "--picture", kind, "-o", "b.svg", "--quiet")
    assert run(capsys, *asked) == (0, "", "")
    assert (tmp_path / "b.svg").stat().st_size > 5000


def test_a_sweep_is_a_table_and_a_file_that_goes_on(capsys, tmp_path):
    sweep = ("--layers", "3,4,1", "--depths", "2,6", "--inits", "xavier,scaled(1.5,0.1)")
    more = ("-o", "r.csv", "--workers", "1")
    code, out, _ = run(capsys, *sweep, *more, "--samples", "4")
    assert code == 0
    assert out.count("scaled(1.5,0.1)") == 2
    whole = (tmp_path / "r.csv").read_bytes()
    assert whole.count(b"\n") == 1 + 4 * (2 * 3 + 2 * 7)
    half = b"".join(whole.splitlines(keepends=True)[:15])
    (tmp_path / "r.csv").write_bytes(half[:-4])
    assert run(capsys, *sweep, *more, "--samples", "4")[1] == out
    assert (tmp_path / "r.csv").read_bytes() == whole
    code, _, err = run(capsys, "--layers", "5,4,1", "--depths", "2", *more)
    assert (code, (tmp_path / "r.csv").read_bytes()) == (2, whole)
    assert "another sweep" in err


def test_a_sweep_as_json_and_as_a_check(capsys):
    sweep = ("--layers", "3,16,1", "--depths", "2,12", "--samples", "4", "--workers", "1")
    code, out, _ = run(capsys, *sweep, "--json", "--check")
    cells = json.loads(out)["cells"]
    assert code == 1
    assert [(cell["depth"], bool(cell["warnings"])) for cell in cells] == [(2, False), (12, True)]


# --- What is refused ---


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "bpderive flow --layers 2,2,2,1"),
        (("--layers", "2,2,1", "--init", "xaver"), 2, 'did you mean "xavier"'),
        (("--layers", "2,2,1", "--init", "scaled(-1)"), 2, "no standard deviation"),
        (("--layers", "2,2,1", "--activation", "sgmoid"), 2, 'did you mean "sigmoid"'),
        (("--layers", "2,2,1", "--samples", "0"), 2, "--samples"),
        (("--layers", "2,2,1", "--inputs", "-3"), 2, "--inputs"),
        (("--layers", "2,2,1", "--depths", "two"), 2, '"two" is no whole number'),
        (("--layers", "2,2,1", "--depths", "0"), 2, "depths"),
        (("--layers", "2,2,1", "--activations", "tanh,rleu"), 2, '"rleu"'),
        (("--layers", "2,2,1", "-o", "x.gif"), 2, ".parquet"),
        (("--layers", "2,2,1", "--scheduler", "tcp://a:1"), 2, "--engine dask"),
        (("--layers", "2,2,1", "--input", "3"), 2, "--input"),
        (("net.py", "--layers", "2,2,1"), 2, "leave --layers"),
        (("net.txt",), 2, "no model"),
        (("nowhere.onnx",), 2, "onnx"),  # the file, or the package where it is not installed
        (("--layers", "2,2,1", "--no-measure", "--remedies"), 2, "leave one away"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_one_clear_message(capsys, arguments, code, message):
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (code, ""), err
    assert message in err
    assert "Traceback" not in err


def test_a_scheduler_that_does_not_answer(capsys):
    pytest.importorskip("distributed")
    asked = ("--layers", "2,2,1", "--depths", "2", "--samples", "2", "--engine", "dask")
    code, _, err = run(capsys, *asked, "--scheduler", "tcp://127.0.0.1:9")
    assert code != 0
    assert "127.0.0.1:9" in err
    assert len(err.splitlines()) <= 3


WITHOUT = """
import sys
import time

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "matplotlib", "pyarrow"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from bpderive.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--layers", "2,2,2,1"), 0, ""),
        (("--layers", "3,64*4,1"), 0, "pip install 'bpderive[flow]'"),
        (("--layers", "2,2,1", "-o", "x.svg"), 2, "pip install 'bpderive[plot]'"),
        (("--layers", "2,2,1", "-o", "x.parquet"), 2, "pip install 'bpderive[parquet]'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_not_installed_is_named(arguments, code, message):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "flow", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert message in done.stderr
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


def test_an_interrupted_sweep_says_how_to_go_on(tmp_path):
    sweep = ("--layers", "3,40,1", "--depths", "8", "--samples", "100000", "-o", "i.csv")
    with subprocess.Popen(
        [sys.executable, "-m", "bpderive", "flow", *sweep],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        text=True,
        encoding="utf-8",
    ) as process:
        while not (tmp_path / "i.csv").exists() or (tmp_path / "i.csv").stat().st_size < 10**5:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on" in err
    assert len(err.strip().splitlines()) == 1
    assert (tmp_path / "i.csv").stat().st_size > 10**5
