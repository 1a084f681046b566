"""The proof as its users see it: the function, the command, the certificate and the documents."""

import builtins
import json
import sys
from dataclasses import replace
from pathlib import Path

import mpmath
import pytest

import bpderive
from bpderive.catalog import CATALOG, Activation
from bpderive.errors import ProofError
from bpderive.forms import FORMS
from bpderive.rules import RULES
from bpderive.targets import TARGETS
from bpderive.verify.arithmetic import MP, PRECISION, digits
from bpderive.verify.forms import READERS
from bpderive.verify.gradients import ORACLES
from bpderive.verify.targets import RUNNERS

SEED = ("--layers", "2,2,2,1")
MIXED = {"chain", "step", "gradient", "form", "program"}
QUICK = MIXED | {"slope"}


def proved(layers="2,2,2,1", *, quick=False, seed=1, **options):
    derivation = bpderive.derive(bpderive.network(layers, **options))
    return bpderive.verify(derivation, quick=quick, seed=seed)


@pytest.fixture
def _broken(monkeypatch):
    """An engine that loses the factor of a slope."""

    def fold(expr, context):
        right = next(rule for rule in RULES if rule.id == "fold").apply(expr, context)
        return None if right is None else 2 * right

    wrong = tuple(replace(rule, apply=fold) if rule.id == "fold" else rule for rule in RULES)
    monkeypatch.setattr(sys.modules["bpderive.derive"], "RULES", wrong)


# --- The function ---

NETWORKS = [
    ("2,2,2,1", {}, QUICK, True),
    ("3,4:relu,2", {"loss": "hinge", "bias": True}, QUICK | {"kink"}, True),
    ("3,2,3:softmax", {"loss": "cross_entropy", "orientation": "columns"}, QUICK, True),
    ("784,128:hardtanh,10", {"loss": "softmax_cross_entropy"}, QUICK | {"kink"}, False),
    ("n0,n1,n2", {"reduction": "sum", "bias": True}, QUICK, False),
    ("2,4*1000,1", {}, QUICK, False),
    ("i,j,k", {"activation": "z/sum(abs(z))"}, MIXED, False),
    ("1,2,1", {"activation": "softmax", "loss": "mse"}, MIXED, True),
]


@pytest.mark.parametrize(
    ("layers", "options", "kinds", "own"), NETWORKS, ids=[row[0] for row in NETWORKS]
)
def test_every_family_is_compared(layers, options, kinds, own):
    proof = proved(layers, quick=True, **options)
    assert proof.passed
    assert {check.kind for check in proof.checks} == kinds
    assert {check.against for check in proof.checks if check.kind == "form"} == set(FORMS)
    assert proof.own is own
    assert all(check.count > 0 for check in proof.checks)
    assert proof.skips == ()


def test_the_whole_proof_runs_the_code_and_asks_the_other_libraries():
    proof = proved("784,128:relu,10", bias=True)
    assert proof.passed
    made = {(one.kind, one.against) for one in proof.summaries}
    assert {("code", target) for target in TARGETS} <= made
    assert {("full_size", target) for target in TARGETS} <= made
    assert ("kink_code", "relu at 0") in made
    told = {one.against for one in proof.summaries if one.kind == "gradient"}
    told |= {skip.against for skip in proof.skips}
    assert told == {row.id for row in ORACLES}
    full = [check.subject for check in proof.checks if check.kind == "full_size"]
    assert full == ["w1", "b1", "w2", "b2"] * len(TARGETS)


def test_every_form_and_every_target_is_proved():
    assert READERS.keys() == FORMS.keys()
    assert RUNNERS.keys() == TARGETS.keys()


def test_a_loss_without_a_real_value_is_said_to_be_unproved():
    proof = proved("2,2,1", quick=True, loss="log(-1 - (a-y)**2)")
    assert not proof.passed
    assert {skip.kind for skip in proof.skips} == {"step", "gradient", "form", "program"}
    assert {skip.reason for skip in proof.skips} == {"no_point"}


@pytest.mark.usefixtures("_broken")
def test_a_broken_rule_is_refused():
    proof = proved(quick=True)
    assert not proof.passed
    assert {check.kind for check in proof.failures} == {"step", "gradient", "form", "slope"}


def test_steps_that_do_not_join_are_refused():
    derivation = bpderive.derive(bpderive.network("2,2,1"))
    kind, found = next(iter(derivation._sweeps.items()))
    z = found["z"]
    derivation._sweeps[kind] = {**found, "z": replace(z, steps=z.steps[1:])}
    assert [check.kind for check in bpderive.verify(derivation, quick=True).failures] == ["chain"]


def test_derivatives_that_are_all_0_are_told():
    proof = proved("2,2,1", quick=True, activation="max(z - 1000, 0)")
    assert proof.passed
    assert [(skip.against, skip.reason) for skip in proof.skips] == [("w1, w2", "zero")]


FAR = {
    "an upper bound forgotten": ("min(max(z, 0), 6)", "where(z > 0, 1, 0)"),
    "a branch far away": ("where(z > 10, z**2, z)", "where(z > 10, 7, 1)"),
    "a small scale": ("tanh(1000*z)", "1 - a"),
}


@pytest.mark.parametrize(("formula", "slope"), FAR.values(), ids=FAR)
def test_a_slope_that_is_wrong_far_away_is_refused(formula, slope):
    catalog = CATALOG.extended(Activation("far", formula, slope))
    network = bpderive.network("2,3,1", activation="far", catalog=catalog)
    proof = bpderive.verify(bpderive.derive(network), quick=True)
    assert "slope" in {check.kind for check in proof.failures}


TAKEN = [
    ("5,3", {"loss": "binary_cross_entropy"}),
    ("2,10", {"loss": "poisson"}),
    ("4,8", {"loss": "sqrt(a) - y*a"}),
    ("2,3,2", {"loss": "a**2/2"}),
    ("2,3,2", {"loss": "a + y", "bias": True}),
    ("2,3,2", {"loss": "exp(exp(a))"}),
    ("2,2,1", {"activation": "sin(1e6*z)"}),
    ("2,2,1", {"activation": "log(z)"}),
    ("2,3,1", {"activation": "1/z"}),
    ("3,2,2", {"activation": "hardtanh", "output_activation": "relu", "loss": "cross_entropy"}),
]


@pytest.mark.parametrize(("layers", "options"), TAKEN, ids=str)
def test_right_derivations_are_not_refused(layers, options):
    proof = proved(layers, quick=True, **options)
    assert proof.passed
    assert {"gradient", "form", "program", "step"} <= {check.kind for check in proof.checks}


BREAKS = {
    "forward": lambda code: setattr(code, "forward", lambda *a, f=code.forward: 2 * f(*a)),
    "loss": lambda code: setattr(code, "loss", lambda *a, f=code.loss: f(*a) + 1e-6),
    "step": lambda code: setattr(code, "step", lambda p, g, lr: p),
    "loss_and_grad": lambda code: setattr(
        code, "loss_and_grad", lambda *a, f=code.loss_and_grad: (f(*a)[0], a[0])
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_wrong_code_is_refused(monkeypatch, what):
    def broken(source):
        code = RUNNERS["numpy"](source)
        BREAKS[what](code)
        return code

    monkeypatch.setattr(sys.modules["bpderive.verify.targets"], "RUNNERS", {"numpy": broken})
    monkeypatch.setattr(sys.modules["bpderive.verify.gradients"], "ORACLES", ORACLES[:1])
    assert {check.kind for check in proved("3,2,1", bias=True).failures} == {"code"}


def test_nothing_compared_is_nothing_proved():
    assert not replace(proved(quick=True), checks=()).passed


def test_another_seed_draws_other_numbers():
    one, other = (proved("2,3,1", quick=True, seed=seed) for seed in (1, 2))
    assert one.passed
    assert other.passed
    assert one.sizes != other.sizes


@pytest.mark.parametrize("seed", [1.5, "1", None, True])
def test_a_seed_is_an_integer(seed):
    with pytest.raises(TypeError, match="a seed is an integer"):
        proved(seed=seed)


def test_a_proof_leaves_the_numbers_of_others_alone():
    before = mpmath.mp.dps
    proved(quick=True)
    assert mpmath.mp.dps == before


def test_without_numpy_the_rest_is_proved(monkeypatch):
    load = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "numpy":
            raise ModuleNotFoundError(f"No module named {name!r}", name="numpy")
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.startswith("bpderive.verify.")]:
        if name.endswith(("arrays", "batches")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys.modules["bpderive.verify.gradients"], "ORACLES", ORACLES[:3])
    proof = proved("784,128,10")
    assert proof.passed
    assert {(skip.kind, skip.against) for skip in proof.skips} == {("code", t) for t in TARGETS}
    assert all("pip install numpy" in skip.reason for skip in proof.skips)


# --- Digits ---

DIGITS = [
    ([(1, 1)], 50),
    ([(MP.mpf(1) / 3, MP.mpf(1) / 3 + MP.mpf(10) ** -30)], 29),
    ([(2, 1)], 0),
    ([(1, 1), (2, 1)], 0),
    ([], 0),
    ([(MP.nan, 1)], 0),
    ([(1, 1), (MP.nan, 1)], 0),
    ([(1, MP.inf)], 0),
    ([(MP.inf, MP.inf)], 0),
    ([(MP.mpc(1, 1), 1)], 0),
    ([(MP.mpf(10) ** -60, 0), (1, 1)], 50),
    ([(MP.mpf(10) ** -60, 0)], 0),
]


@pytest.mark.parametrize(("pairs", "expected"), DIGITS)
def test_digits(pairs, expected):
    assert digits(pairs) == expected


def test_of_zeros_no_digits_are_asked():
    assert digits([(MP.mpf(10) ** -60, 0)], MP.mpf(10) ** -8) == PRECISION


# --- The certificate ---


def test_the_certificate_has_every_step_and_every_gradient():
    derivation = bpderive.derive(bpderive.network("3,2,1:tanh", bias=True))
    proof = bpderive.verify(derivation)
    content = json.loads(proof.certificate())
    checks = content["checks"]
    assert len(checks) == len(proof.checks)
    steps = [one["subject"] for one in checks if one["kind"] == "step"]
    derived = [
        (d, step)
        for batch in (False, True)
        for layer in (1, 2)
        for d in derivation.at(layer, batch=batch).values()
        for step in d.steps
    ]
    assert steps == [f"{d.tensor.label}: {step.rule}" for d, step in derived]
    weights = {f"w1[{i},{j}]" for i in (1, 2) for j in (1, 2, 3)} | {"w2[1,1]", "w2[1,2]"}
    biases = {"b1[1]", "b1[2]", "b2[1]"}
    for oracle in ("complex_step", "differences", "sympy"):
        found = {one["subject"] for one in checks if one["against"] == oracle}
        assert weights | biases <= found
    assert all(one["passed"] and one["digits"] >= one["wanted"] for one in checks)
    assert content["passed"] is True
    assert content["seed"] == 1
    assert {"bpderive", "python", "sympy", "mpmath"} <= content["versions"].keys()
    assert content["network"]["layers"][2] == {"width": 1, "activation": "tanh"}


def test_the_certificate_is_the_same_twice():
    assert proved().certificate() == proved().certificate()


# --- The command ---


def test_verify_prints_what_agrees(run):
    code, out, err = run("verify", *SEED)
    assert (code, err) == (0, "")
    assert out.startswith("2-2-2-1: sigmoid, linear; loss half_squared_error; 10 parameters\n")
    assert "The derivation holds: all " in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.usefixtures("_broken")
def test_verify_fails_where_something_does_not_agree(run):
    code, out, _ = run("verify", *SEED)
    assert code == 1
    assert "What does not agree" in out
    assert "The derivation does not hold: of " in out
    assert len(out.splitlines()) < 80


@pytest.mark.usefixtures("_broken")
def test_a_derivation_that_fails_its_proof_is_not_written(run, tree):
    code, out, err = run(*SEED)
    assert (code, out) == (1, "")
    assert err.startswith("Error: the derivation fails its own proof: ")
    assert tree() == []


def test_a_proof_error_is_a_fault_of_ours():
    assert issubclass(ProofError, bpderive.DerivationError)


def test_the_certificate_as_a_file(run, tree):
    words = ("verify", *SEED, "--proof", "proof.json")
    code, out, _ = run(*words)
    assert code == 0
    assert out.endswith("Files\n  proof.json\n")
    content = json.loads(Path("proof.json").read_text("utf-8"))
    assert content["passed"] is True
    assert content["stamp"].startswith("bpderive:")
    assert run(*words, "--seed", "2")[0] == 0  # ours, and so replaced
    Path("proof.json").write_text("mine", "utf-8")
    code, _, err = run(*words)
    assert code == 2
    assert "edited since" in err
    assert run(*words, "--force")[0] == 0
    assert tree() == ["proof.json"]


WRONG = [
    (("verify",), "Which network"),
    (("verify", *SEED, "--proof", "proof.txt"), "ends with .json"),
    (("verify", *SEED, "--seed", "x"), "not a valid integer"),
    (("verify", *SEED, "--seed", "-1"), "not in the range"),
    (("verify", *SEED, "--proof", "no/such/\0/proof.json"), "no file name"),
    (("verify", "--layers", "2,0,1"), "layers, item 2"),
]


@pytest.mark.parametrize(("words", "told"), WRONG, ids=[" ".join(map(repr, r[0])) for r in WRONG])
def test_misuse(run, words, told, tree):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert told in err
    assert tree() == []


# --- The documents ---


@pytest.mark.parametrize("name", ["latex", "markdown", "text"])
def test_a_document_says_what_was_checked(name):
    derivation = bpderive.derive(bpderive.network("784,128:relu,10"))
    plain = bpderive.render(derivation, name)
    text = bpderive.render(derivation, name, proof=bpderive.verify(derivation, quick=True))
    assert "What was checked" not in plain
    told = " ".join(text[text.index("What was checked") :].split())
    for words in ("digits", "relu at 0", "2-3-2", "random samples"):
        assert words in told


def test_the_command_says_it_unless_told_not_to(run):
    words = (*SEED, "--format", "text", "--out", "-")
    _, told, _ = run(*words)
    _, plain, _ = run(*words, "--no-verify")
    assert "What was checked" in told
    assert told.startswith(plain[:1000])
    assert "What was checked" not in plain


def test_the_document_does_not_depend_on_what_is_installed():
    """The sentences hold what was asked for; digits that came out are on the screen alone."""
    derivation = bpderive.derive(bpderive.network("2,3,1"))
    one, other = (bpderive.verify(derivation, quick=True, seed=seed) for seed in (1, 5))
    assert bpderive.render(derivation, proof=one) == bpderive.render(derivation, proof=other)
