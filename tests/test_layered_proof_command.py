"""`bpderive verify` for networks of any layers: its screens, its certificate, its exit codes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import bpderive
from bpderive.backprop import StackDerivation
from bpderive.cli import proving
from bpderive.index import Equation
from bpderive.proof import Check
from bpderive.targets import LAYERED
from bpderive.verify.layered import gradients, selftest, verify_stack
from bpderive.verify.layered.mistakes import MISTAKES
from bpderive.verify.selftest import Attempt, attempts
from bpderive.wording import languages, load

LAYERS = "2x5, conv(2,2):tanh, flatten, 2"
WORDS = ("verify", "--layers", LAYERS)


@pytest.fixture
def _broken(monkeypatch):
    """Every proof is of a derivation with a wrong sign in the first layer's weights."""

    def wrong(derivation, **options):
        right = dict(derivation.derived(1))
        result = right["w"].result
        result = Equation(result.lhs, -result.rhs, result.sizes)
        other = {**right, "w": replace(right["w"], result=result)}
        sweeps = {**derivation._sweeps, derivation.kind(1): other}
        return verify_stack(StackDerivation(derivation.stack, sweeps), **options)

    monkeypatch.setattr(proving, "verify", wrong)


def test_verify_prints_what_agrees(run):
    code, out, err = run(*WORDS)
    assert (code, err) == (0, "")
    assert out.startswith("2x5, conv(2,2):tanh, flatten, 2; loss half squared error; 24 parameters")
    for line in (
        "forward pass     files of the layers",
        "gradients        complex step",
        *(f"code, {target:10} complex step" for target in LAYERED),
        "small sizes; from the",
        "The derivation holds: all ",
    ):
        assert line in out, line
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.usefixtures("_broken")
def test_verify_fails_where_something_does_not_agree(run):
    code, out, _ = run(*WORDS)
    assert code == 1
    assert "What does not agree" in out
    assert "dw1" in out
    assert "The derivation does not hold: of " in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.usefixtures("_broken")
def test_a_derivation_that_fails_its_proof_is_not_written(run, tree):
    code, out, err = run(*WORDS[1:])
    assert (code, out) == (1, "")
    assert err.startswith("Error: the derivation fails its own proof: ")
    assert tree() == []


def test_the_certificate_as_a_file(run, tree):
    code, out, _ = run(*WORDS, "--proof", "proof.json", "--seed", "3")
    assert code == 0
    assert out.endswith("Files\n  proof.json\n")
    content = json.loads(Path("proof.json").read_text("utf-8"))
    assert content["passed"] is True
    assert content["seed"] == 3
    assert content["network"]["layers"] == "2x5,conv(2,2):tanh,flatten,2"
    assert {sizes["layer"] for sizes in content["compared_at"]["steps"]} == {1, 2, 3}
    assert {"chain", "step", "forward", "gradient", "code"} == {
        check["kind"] for check in content["checks"]
    }
    assert tree() == ["proof.json"]


# --- The proof of the proof ---

SMALL = "2, dense(2):tanh, 1"


def test_mistakes_are_planted_in_one_network(run):
    code, out, err = run("verify", "--layers", SMALL, "--self-test")
    assert (code, err) == (0, "")
    assert "Mistakes in layers of other kinds" in out
    assert "Mistakes, planted in right derivations" not in out
    assert out.count("Caught: refused by the proof") == 1
    assert "two indices are swapped" in out
    assert "The proof refuses all " in out
    assert max(map(len, out.splitlines())) <= 80


def test_without_layers_mistakes_are_planted_in_both_tables(run, monkeypatch):
    dense = bpderive.derive(bpderive.network("1,1"))
    stack = bpderive.derive(bpderive.network("1, dense(1)"))
    monkeypatch.setattr(proving, "run", lambda seed: attempts(dense, seed))
    monkeypatch.setattr(selftest, "run", lambda seed: selftest.attempts(stack, seed, 1))
    code, out, _ = run("verify", "--self-test")
    assert code == 0
    assert out.index("Mistakes, planted") < out.index("Mistakes in layers") < out.index("Verdict")
    assert out.count("The proof refuses all ") == 1


def test_a_mistake_that_escapes_is_told(run, monkeypatch):
    escaped = Attempt("doubled", "2,dense(1)", "w of layer 1", seen=True)
    monkeypatch.setattr(selftest, "attempts", lambda *_: iter([escaped]))
    code, out, _ = run("verify", "--layers", SMALL, "--self-test")
    assert code == 1
    assert "Not caught" in out
    assert "w of layer 1" in out


# --- Words ---


@pytest.mark.parametrize("name", languages())
def test_all_that_a_proof_can_say_has_words(name):
    wanted = {f"mistake.{row.id}" for row in MISTAKES}
    wanted |= {f"oracle.{row.id}" for row in gradients.ORACLES}
    assert sorted(key for key in wanted if key not in load(name)) == []


@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "reads the equations of the layers by itself"), ("zh-TW", "自行讀取各層方程式的程式")],
)
def test_a_document_says_what_was_checked(language, told):
    derivation = bpderive.derive(bpderive.network(LAYERS))
    proof = bpderive.verify(derivation, quick=True)
    text = bpderive.render(derivation, "markdown", proof=proof, language=language)
    assert told in text
    assert str(next(one.subjects for one in proof.summaries if one.kind == "step")) in text
    failed = replace(proof, checks=(Check("gradient", "dw1", "complex_step", 1, 0, 40),))
    assert told not in bpderive.render(derivation, "markdown", proof=failed, language=language)


def test_of_many_equal_layers_two_are_tried_and_the_results_are_the_same():
    from bpderive.backprop import derive_stack
    from bpderive.catalog import CATALOG
    from bpderive.spec import parse_spec
    from bpderive.stack import build
    from bpderive.verify.layered.repeated import shortened

    spec = parse_spec("6, [residual(6:relu,6)]*9, layernorm, 3", CATALOG.names)
    whole = derive_stack(build(spec, CATALOG))
    fewer = shortened(whole)
    assert fewer.stack.depth < whole.stack.depth
    last = fewer.stack.depth
    assert fewer.derived(last) is whole.derived(whole.stack.depth)
    short = derive_stack(build(parse_spec("6, layernorm, 3", CATALOG.names), CATALOG))
    assert shortened(short) is short
