"""The proof of networks of any layers: right ones pass, wrong ones do not; PyTorch agrees."""

import json
from dataclasses import replace
from random import Random

import pytest
from sympy import Integer
from torch_layers import CASES, FOLDER, Case, tensor

from bpderive.backprop import StackDerivation, derive_stack
from bpderive.catalog import CATALOG
from bpderive.index import Equation
from bpderive.proof import Check
from bpderive.spec import parse_spec
from bpderive.stack import build
from bpderive.targets import LAYERED
from bpderive.verify.arithmetic import MP
from bpderive.verify.layered import proof_of, selftest, steps, table, targets, verify_stack
from bpderive.verify.layered.mistakes import MISTAKES
from bpderive.verify.layered.subject import StackSubject, quantities
from bpderive.verify.layered.surroundings import COUNT
from bpderive.verify.layered.twins import sized

# --- The derived gradients of every layer against PyTorch's modules ---

SPECS = {
    "dense-I4-2d": "2,dense(4)",
    "dense-I2-3d-free": "seq(4)x3,dense(2)",
    "dense-I4-softmax-2d": "2,dense(4):softmax",
    "conv1d-O4-K2-3d": "3x7,conv(4,2)",
    "conv1d-O4-K3-S2-P1-D2-3d-free": "3x7,conv(4,3,stride=2,padding=1,dilation=2)",
    "conv1d-O2-K2-P1-tanh-3d": "3x7,conv(2,2,padding=1):tanh",
    "conv1d_groups-G3-O2-K2-P1-S2-3d": "6x5,conv(6,2,groups=3,padding=1,stride=2)",
    "conv1d_groups-G3-O2-K2-3d-free": "3x5,conv(6,2,groups=3)",
    "conv2d-O2-K2-4d": "3x5x4,conv(2,2)",
    "conv2d-O4-K3-L2-S2-P1-4d": "3x5x4,conv(4,3x2,stride=2,padding=1)",
    "conv2d-O2-K2-P1-D2-S3-4d-free": "3x5x4,conv(2,2,padding=1,dilation=2,stride=3)",
    "conv2d_groups-G2-O3-K2-P1-4d": "4x5x4,conv(6,2,groups=2,padding=1)",
    "maxpool1d-K2-3d": "3x7,maxpool(2)",
    "maxpool1d-K3-S2-3d": "3x7,maxpool(3,stride=2)",
    "maxpool2d-K2-4d": "3x5x4,maxpool(2)",
    "maxpool2d-K3-L2-S1-Q1-4d": "3x5x4,maxpool(3x2,stride=1)",
    "avgpool1d-K3-S2-3d": "3x7,avgpool(3,stride=2)",
    "avgpool2d-K2-4d": "3x5x4,avgpool(2)",
    "avgpool2d-K3-L2-S1-Q1-4d": "3x5x4,avgpool(3x2,stride=1)",
    "globalpool1d-3d": "3x7,globalpool",
    "globalpool2d-4d": "3x5x4,globalpool",
    "globalmaxpool1d-3d": "3x7,globalmaxpool",
    "globalmaxpool2d-4d": "3x5x4,globalmaxpool",
    "batchnorm0d-2d": "3,batchnorm",
    "batchnorm1d-3d": "3x7,batchnorm",
    "batchnorm2d-4d": "2x4x3,batchnorm",
    "batchnorm0d_inference-2d": "3,batchnorm(inference=true)",
    "batchnorm1d_inference-3d": "3x7,batchnorm(inference=true)",
    "batchnorm2d_inference-4d": "3x5x4,batchnorm(inference=true)",
    "layernorm-2d": "4,layernorm",
    "layernorm-3d": "seq(4)x3,layernorm",
    "rmsnorm-2d": "4,rmsnorm",
    "rmsnorm-3d": "seq(4)x3,rmsnorm",
    "rnn-I2-tanh-3d": "seq(4)x3,rnn(2):tanh",
    "rnn-I2-relu-3d-free": "seq(4)x3,rnn(2):relu",
    "rnn_truncated-I2-B2-tanh-3d": "seq(5)x3,rnn(2,truncate=2):tanh",
    "lstm-H2-3d": "seq(4)x3,lstm(2)",
    "lstm_truncated-H2-B2-3d": "seq(5)x3,lstm(2,truncate=2)",
    "gru-H2-3d": "seq(4)x3,gru(2)",
    "gru_truncated-H2-B2-3d": "seq(5)x3,gru(2,truncate=2)",
    "attention-3d": "seq(3)x4,attention",
    "attention-3d-free": "seq(3)x4,attention",
    "attention_causal-3d": "seq(3)x4,attention(causal=true)",
    "attention_heads-H2-3d": "seq(3)x6,attention(heads=2)",
    "attention_heads_causal-H3-3d-free": "seq(4)x6,attention(heads=3,causal=true)",
    "attention_plain-3d": "seq(3)x4,attention(project=false)",
    "attention_plain_causal-3d": "seq(3)x4,attention(project=false,causal=true)",
    "embedding-V5-D3-2d": "seq(4),embedding(5,3)",
    "embeddingbag-V5-D3-2d": "seq(4),embeddingbag(5,3)",
    "bilinear-I4-2d": "2,bilinear(4)",
    "dropout-2d": "2,dropout(0.5)",
    "dropout-3d": "seq(4)x3,dropout(0.5)",
    "flatten2d-3d": "3x7,flatten",
    "flatten3d-4d": "3x5x4,flatten",
    "last-3d": "seq(4)x3,last",
    "add-3d": "seq(4)x3,residual(tanh)",
    "activation-tanh-3d": "seq(4)x3,tanh",
    "activation-softmax-3d": "seq(4)x3,softmax",
}
"""Each case as a spec asks for it. A copy is asked for by none: every recurrent output has one."""


def test_every_case_has_a_spec():
    assert {str(case) for case in CASES if case.file != "copy"} == set(SPECS)


def summed(case, torch, given, x):
    """Half the sum of squares of the difference from y, as PyTorch has it."""
    residual = case.file == "add"
    found = x + torch.tanh(x) if residual else case.module(torch, given, x, case.sizes)
    return ((found - given["y"]) ** 2 / 2).sum()


@pytest.mark.parametrize("case", [c for c in CASES if c.file != "copy"], ids=str)
def test_gradients_are_those_of_pytorch(case: Case):
    """Every element of every gradient, by the equations of the derivation."""
    torch = pytest.importorskip("torch")
    derivation, shapes, point = at_random(case)
    found = quantities(derivation, point, case.shape[0]).tensors
    leaves = {k: tensor(torch, point[k], shape) for k, shape in shapes.items()}
    wanted = [t for t in shapes if t not in given_only(derivation, case)]
    assert wanted
    for label in wanted:
        leaves[label].requires_grad_()
    named = {k.removesuffix("1"): value for k, value in leaves.items()}
    loss = summed(case, torch, named, leaves["x"])
    slopes = torch.autograd.grad(loss, [leaves[k] for k in wanted], allow_unused=True)
    for label, slope in zip(wanted, slopes, strict=True):
        name = "delta_x" if label == "x" else f"d{label}"
        values = {at: float(found[name][at]) for at in point[label]}
        expected = torch.zeros_like(leaves[label]) if slope is None else slope
        ours = tensor(torch, values, shapes[label])
        torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-11)


def at_random(case):
    """The derivation at the case's sizes, the shapes of what is given, and random numbers."""
    stack = build(parse_spec(SPECS[str(case)], bias=case.bias), CATALOG)
    sizes = {s for p in stack.places for s in p.names.values() if not isinstance(s, str)}
    sizes |= {axis.size for axis in stack.input.axes}
    numbers = {s: s if s.is_Integer else Integer(case.shape[0]) for s in sizes}
    small = sized(stack, numbers)
    derivation = StackDerivation(small, derive_stack(stack)._sweeps)
    oracle = replace_shape(small, case)
    shapes = oracle.parameters() | oracle.data() | {"x": case.shape, "y": oracle.output[1]}
    random = Random(str(case))
    point = case.drawn({k: s for k, s in shapes.items() if k != "x"}, random)
    return derivation, shapes, exact(point | {"x": case.input(random)})


def replace_shape(stack, case):
    from bpderive.verify.layered.plain import oracle_of

    oracle = oracle_of(stack)
    assert oracle.shape == case.shape
    return oracle


def exact(point):
    return {
        label: {at: v if isinstance(v, int) else MP.mpf(v) for at, v in values.items()}
        for label, values in point.items()
    }


def given_only(derivation, case):
    """What has no gradient: labels, data, and tokens."""
    data = {"y"} | ({"x"} if case.tokens else set())
    places = derivation.stack.places
    return data | {
        str(place.names[f"{t.name}{{l}}"]) for place in places for t in place.module.of_role("data")
    }


# --- The proof ---

CONV = "2x5,conv(2,2):tanh,flatten,2"
QUICK = ("dense", "maxpool", "rnn, truncated", "attention", "embedding", "tied weights")


@pytest.mark.parametrize("layer", QUICK)
def test_right_derivations_pass(layer):
    proof = table.proved(dict(table.NETWORKS)[layer], quick=True)
    assert proof.passed
    assert not [skip for skip in proof.skips if skip.reason in {"no_point", "zero"}]
    assert {"step", "chain", "forward", "gradient"} == {check.kind for check in proof.checks}
    assert min(s.digits for s in proof.summaries) >= 30


def test_the_table_has_every_layer():
    texts = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.eq")}
    stacks = [build(parse_spec(network, bias=True), CATALOG) for _, network in table.NETWORKS]
    found = {place.source for stack in stacks for place in stack.places}
    assert [name for name, text in texts.items() if text not in found] == []


def test_the_steps_of_each_kind_are_tried_at_two_sizes():
    proof = table.proved("3,dense(2):tanh,2", quick=True)
    layers = [sizes["layer"] for sizes in proof.sizes]
    assert layers == [1, 1, 2, 2]
    assert len({tuple(sizes.items()) for sizes in proof.sizes}) == len(layers)


@pytest.mark.long
def test_every_layer_passes_the_whole_proof():
    rows = list(table.rows())
    assert [row.layer for row in rows if not row.passed] == []
    text = table.markdown(iter(rows))
    assert text.count("\n") == len(rows) + 2
    print(text)  # noqa: T201 - the table of the documentation, with -rP


LARGE = (
    "1x28x28,conv(16,5):relu,maxpool(2),conv(32,5):relu,maxpool(2),flatten,120:relu,10",
    "seq(20)x32,[transformer(heads=4)]*2,last,10",
    "seq(T)x3,rnn(H):tanh,last,2",
    "16x8x8,residual(conv(16,3,padding=1),batchnorm,relu),globalpool,10",
)


@pytest.mark.parametrize("spec", LARGE)
def test_a_large_network_has_a_small_twin(spec):
    derivation = derive_stack(build(parse_spec(spec), CATALOG))
    subject = StackSubject(derivation, quick=True)
    assert max(subject.oracle.shape) <= 16
    assert [place.row for place in subject.small.places] == [
        place.row for place in derivation.stack.places
    ]
    assert subject.model.derived(1) is derivation.derived(1)


def test_the_same_seed_gives_the_same_proof():
    derivation = derive_stack(build(parse_spec("seq(3)x2,rnn(2):tanh,last,2"), CATALOG))
    first, again = (verify_stack(derivation, quick=True, seed=3) for _ in range(2))
    assert first.checks == again.checks


# --- Mistakes ---


def derived(spec):
    return derive_stack(build(parse_spec(spec, bias=True), CATALOG))


def attempts(spec, seed=1):
    return list(selftest.run(seed, (spec,), selftest.MOST))


@pytest.mark.parametrize(
    "spec", ["seq(4)x2,rnn(2,truncate=2):tanh,2", pytest.param(CONV, marks=pytest.mark.long)]
)
def test_planted_mistakes_are_caught(spec):
    outcomes = selftest.report(iter(attempts(spec)))
    assert [one.mistake for one in outcomes] == [row.id for row in MISTAKES]
    assert sum(one.caught for one in outcomes) > 50
    assert [attempt for one in outcomes for attempt in one.escaped] == []
    assert all(one.steps and one.oracles for one in outcomes if one.caught)


@pytest.mark.long
def test_planted_mistakes_are_caught_in_all_networks():
    outcomes = selftest.report(selftest.run(most=selftest.MOST))
    for one in outcomes:
        print(one.mistake, one.planted, one.caught, one.steps, one.oracles, one.unseen)  # noqa: T201
    assert all(one.caught for one in outcomes)
    assert [attempt for one in outcomes for attempt in one.escaped] == []


def broken(derivation, number, name, change):
    """The derivation with another right-hand side in one result, its steps as they were."""
    right = dict(derivation.derived(number))
    result = right[name].result
    wrong = replace(right[name], result=Equation(result.lhs, change(result.rhs), result.sizes))
    sweeps = {**derivation._sweeps, derivation.kind(number): {**right, name: wrong}}
    return StackDerivation(derivation.stack, sweeps)


def test_a_result_that_no_step_leads_to_is_refused():
    wrong = broken(derived("3,dense(2):tanh,2"), 1, "w", lambda rhs: -rhs)
    failed = verify_stack(wrong, quick=True).failures
    assert {"chain", "gradient"} == {check.kind for check in failed}
    assert {check.subject for check in failed} == {"w{l}", "dw1"}


def test_a_gradient_that_is_missing_is_refused():
    wrong = broken(derived("3,dense(2):tanh,2"), 1, "w", lambda rhs: rhs / 0)
    assert not verify_stack(wrong, quick=True).passed


def test_a_forward_equation_that_is_not_the_text_is_refused():
    """The oracle reads the text by itself: the engine's reader is put to the test too."""
    derivation = derived("3,dense(2):tanh,2")
    stack = derivation.stack
    texts = stack.places[0].source.replace("+ b[i]", "- b[i]")
    places = (replace(stack.places[0], source=texts), *stack.places[1:])
    other = StackDerivation(replace(stack, places=places), derivation._sweeps)
    failed = {check.kind for check in verify_stack(other, quick=True).failures}
    assert {"forward", "gradient"} <= failed


def test_a_loss_without_a_value_is_no_proof():
    derivation = derived("3,dense(2):tanh,2")
    stack = replace(derivation.stack, loss=replace(derivation.stack.loss, formula="log(-1 - y*y)"))
    proof = proof_of(StackSubject(StackDerivation(stack, derivation._sweeps), quick=True))
    assert not proof.passed
    assert any(skip.reason == "no_point" for skip in proof.skips)


def test_steps_are_tried_where_two_indices_differ():
    """At places of several sizes: the first alike, others apart."""
    subject = StackSubject(derived("2x5,conv(2,2):tanh,flatten,2"))
    around, points = subject.around[1], subject.tried[1]
    assert len(points) == COUNT
    one = next(d for d in around.derived if d.tensor.name == "w")
    found = list(steps.checks(one, points, "", 1))
    assert all(isinstance(check, Check) and check.passed for check in found)
    assert found[0].count == COUNT * steps.PLACES


def test_the_certificate_tells_the_network_and_every_check():
    spec = "seq(3)x2,rnn(2):tanh,last,2"
    proof = table.proved(spec, quick=True)
    told = json.loads(proof.certificate())
    assert told["passed"] is True
    assert told["network"]["layers"] == spec
    assert len(told["checks"]) == len(proof.checks)


@pytest.mark.parametrize(
    ("spec", "subjects"),
    [
        ("2x5,conv(2,2):tanh,flatten,2", {"L", "a3", "dw1", "db1", "dw3", "db3"}),
        ("seq(3),embedding(4,2),dropout(0.5),last,2", {"L", "a4", "dE1", "dw4", "db4"}),
    ],
)
def test_the_code_of_every_target_is_run_at_the_small_twin(spec, subjects):
    subject = StackSubject(derived(spec))
    found = list(targets.check(subject))
    assert {(check.against, check.subject) for check in found} == {
        (target, name) for target in LAYERED for name in subjects
    }
    assert all(check.passed for check in found)


OWN = """
input x[n,c,t]
data m[n,t]
param w[h,c], q[v]
size H = 3, V = 7
r[n,h] = max(t, sum(c, w[h,c]*x[n,c,t]))
output y[n,h,t] = r[n,h]*x[n,1,2*t-1] + q[m[n,t]]*exp(-x[n,2,t]**2)
"""


def test_a_file_of_ones_own_is_proved(tmp_path):
    """Also one whose data are read as indices: they are whole numbers at the point."""
    path = tmp_path / "own.eq"
    path.write_text(OWN)
    subject = StackSubject(derived(f"{path}(C=2,T=5)"), quick=True)
    assert subject.oracle.tokens == {"m": 7}
    assert proof_of(subject).failures == ()
    code = list(targets.check(replace(subject, quick=False)))
    assert {check.against for check in code} == set(LAYERED)
    assert all(check.passed for check in code)


@pytest.mark.parametrize("spec", ["2x4x4,maxpool(2x1),flatten,2", "2x1,globalmaxpool,2"])
def test_the_largest_of_one_element_is_code_too(spec):
    found = list(targets.check(StackSubject(derived(spec))))
    assert found
    assert all(check.passed for check in found)


def test_a_target_that_nothing_runs_is_refused(monkeypatch):
    rows = {k: run for k, run in targets.RUNNERS.items() if k != "python"}
    monkeypatch.setattr(targets, "RUNNERS", rows)
    failed = [c for c in targets.check(StackSubject(derived("2,dense(1)"))) if not c.passed]
    assert [(check.against, check.place) for check in failed] == [("python", "KeyError: 'python'")]


def test_code_that_is_wrong_is_refused(monkeypatch):
    right = targets.RUNNERS["numpy"]

    def wrong(computation):
        code = right(computation)
        gradients = code.loss_and_grad
        code.loss_and_grad = lambda *given: (
            gradients(*given)[0],
            {k: 1.001 * g for k, g in gradients(*given)[1].items()},
        )
        return code

    monkeypatch.setattr(targets, "RUNNERS", {**targets.RUNNERS, "numpy": wrong})
    failed = [c for c in targets.check(StackSubject(derived(CONV))) if not c.passed]
    assert {check.subject for check in failed} == {"dw1", "db1", "dw3", "db3"}
