"""Weights stored input first: the same network as neuron first, with every weight transposed.

`z_i = Σ_j a_j w_ji`. The expected numbers are those of the other order, at transposed weights;
that one is tested against differences and oracles elsewhere, and `verify` does it for both.
"""

import json
import re
from dataclasses import replace
from functools import cache
from itertools import chain, pairwise
from random import Random

import numpy as np
import pytest
from generated import labels
from networks import close, derived

import bpderive
from bpderive.cli import command
from bpderive.errors import SpecError
from bpderive.forms import FORMS
from bpderive.program import build as plan
from bpderive.spec import Spec, load_toml, parse_spec
from bpderive.targets import TARGETS
from bpderive.verify import proof_of
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate import Numbers
from bpderive.verify.selftest import attempts
from bpderive.verify.subject import Subject
from bpderive.verify.targets import RUNNERS
from bpderive.weights import ORDERS, by_role, in_order

NEURONS, INPUTS = ORDERS
NETWORKS = {
    "usual": ("3,4,2", {"bias": True}),
    "default": ("2,2,2,1", {}),
    "thin": ("5,1,7,1", {"bias": True, "activation": "tanh"}),
    "one_layer": ("3,2", {"bias": True, "output_activation": "softmax", "loss": "cross_entropy"}),
    "mixing": ("3,5:softmax,6:relu,2", {"bias": True, "loss": "mse", "reduction": "sum"}),
    "looped": ("20,19,18:softmax,3", {"bias": True, "loss": "softmax_cross_entropy"}),
    "wide": ("30,40:gelu,1", {"loss": "huber", "bias": True}),
    "deep": ("3,4*12,2", {"bias": True, "activation": "silu", "orientation": "columns"}),
    "formula": ("3,4,2", {"activation": "tanh(z)*max(sum(z), z)", "loss": "(a-y)**4"}),
    "linear": ("3,9:softmax,8,2", {"loss": "2*a"}),
}
each_network = pytest.mark.parametrize("name", NETWORKS)
each_target = pytest.mark.parametrize("target", TARGETS)


def both(name):
    layers, options = NETWORKS[name]
    return (derived(layers, weights=order, **options) for order in ORDERS)


def turned(params):
    """The same parameters for the other order."""
    return {key: value.T.copy() for key, value in params.items()}


def point(network, n=4):
    """Parameters neuron first, samples and labels."""
    rng = np.random.default_rng(n)
    layers = [int(network.inputs), *(int(layer.width) for layer in network.layers)]
    params = {}
    for k, (m, width) in enumerate(pairwise(layers), 1):
        params[f"W{k}"] = rng.normal(0, 0.7, (width, m))
        if network.spec.bias:
            params[f"b{k}"] = rng.normal(0, 0.7, width)
    kind = network.loss.label
    return params, rng.normal(size=(n, layers[0])), labels(rng, kind, n, layers[-1])


# --- The place that knows ---


def test_the_orders():
    assert in_order(NEURONS, "i", "j") == ("i", "j")
    assert in_order(INPUTS, "i", "j") == ("j", "i")
    for order in ORDERS:
        assert by_role(order, in_order(order, "i", "j")) == ("i", "j")


# --- The spec ---


def test_spec():
    assert Spec.weights == NEURONS
    assert parse_spec("2,1").weights == NEURONS
    assert parse_spec("2,1", weights=INPUTS).weights == INPUTS
    assert load_toml('layers = "2,1"\nweights = "input_first"').weights == INPUTS
    assert parse_spec("2,1", weights=INPUTS).slug == "2-1-input_first"
    assert parse_spec("2,1", weights=NEURONS).slug == "2-1"
    assert bpderive.network(parse_spec("2,1"), weights=INPUTS).spec.weights == INPUTS


@pytest.mark.parametrize("value", ["input-first", "transposed", 1, True])
def test_another_order_is_refused(value):
    with pytest.raises(SpecError, match="neuron_first, input_first"):
        bpderive.network("2,1", weights=value)


def test_indices_out_of_range_are_told_with_their_roles():
    derivation = derived("3,4,2", weights=INPUTS)
    assert derivation.network.spec.weights == INPUTS
    bpderive.derive(bpderive.network("3,4,2", weights=INPUTS)).gradient("w1[3,4]")
    for order, wrong, told in (
        (INPUTS, "w1[4,1]", "1 to 3, 1 to 4 (input, neuron)"),
        (NEURONS, "w1[5,1]", "1 to 4, 1 to 3 (neuron, input)"),
    ):
        with pytest.raises(SpecError, match=re.escape(told)):
            bpderive.derive(bpderive.network("3,4,2", weights=order)).gradient(wrong)


# --- Equations and forms ---


def test_the_forward_equation_has_the_inputs_index_first():
    network = bpderive.network("3,4,2", weights=INPUTS)
    z = network.graph(network.kind(1)).by_label["z{l}"]
    weight = next(t for t in z.rhs.atoms() if str(t) == "w{l}")
    (indexed,) = (t for t in z.rhs.function.args if t.base.label == weight)
    assert indexed.indices[1] == z.indices[0]
    assert [str(size) for size in network.graph(network.kind(1)).own[2].sizes] == ["n{l-1}", "n{l}"]


MATRICES = {
    ("rows", "w1", "matrix"): "x*delta1.T",
    ("rows", "w1", "batch"): "1/N*x.T*delta1",
    ("columns", "w1", "batch"): "1/N*x*delta1.T",
    ("rows", "w2", "batch"): "1/N*a1.T*delta2",
}


@pytest.mark.parametrize(("row", "expected"), MATRICES.items())
def test_matrix_forms_read_like_the_book(row, expected):
    orientation, label, form = row
    network = bpderive.network("3,4,2", weights=INPUTS, orientation=orientation)
    assert str(bpderive.derive(network).gradient(label, form)) == expected


def number(expr, order):
    """An expression at numbers by name, a weight's name being that of its neuron and input."""
    tensors = {}
    for label, indices in (symbol.name.rstrip("]").split("[") for symbol in expr.free_symbols):
        at = tuple(map(int, indices.split(",")))
        name = (label, by_role(order, at) if label[0] == "w" else at)
        tensors.setdefault(label, {})[at] = MP.mpf(Random(str(name)).uniform(-1, 1))
    return Numbers(tensors)(expr)


@pytest.mark.parametrize("form", [form for form in FORMS if form in ("delta", "paths", "weights")])
def test_a_form_is_that_of_the_other_order_with_every_weight_transposed(form):
    neurons, inputs = (
        bpderive.derive(bpderive.network("3,2:softmax,2,2:tanh", bias=True, weights=order))
        for order in ORDERS
    )
    for ours, theirs in (("w1[3,2]", "w1[2,3]"), ("w2[1,2]", "w2[2,1]"), ("delta1[2]",) * 2):
        found, expected = inputs.gradient(ours, form), neurons.gradient(theirs, form)
        assert close(number(found, INPUTS), number(expected, NEURONS))
        if form != "delta":  # in which no weight stands, but for that of a delta
            assert not close(number(found, NEURONS), number(expected, NEURONS))


def test_sharing_is_that_of_the_same_weights():
    neurons, inputs = (
        bpderive.derive(bpderive.network("3,4,2,2", bias=True, weights=order)) for order in ORDERS
    )
    rows = ((1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1), (2, 2, 2))
    names = [(f"w{k}[{i},{j}]", f"w{k}[{j},{i}]") for k, i, j in rows]
    names += [("b1[1]", "b1[1]"), ("b2[2]", "b2[2]")]
    for one, here in names:
        for other, there in names:
            for slopes in ("factors", "one"):
                found = inputs.sharing(here, there, slopes=slopes)
                assert found == neurons.sharing(one, other, slopes=slopes)
    assert inputs.operations() == neurons.operations()


# --- Print ---

MARKS = re.compile(r"w([⁰¹²³⁴⁵⁶⁷⁸⁹ˡ⁺⁻]+)([₀-₉ᵢⱼₖₘₙ])([₀-₉ᵢⱼₖₘₙ])")


def sections(weights, layers, **options):
    """The lines of a text, by the titles of its sections; each once, and sorted."""
    derivation = bpderive.derive(bpderive.network(layers, weights=weights, **options))
    found, title = {}, ""
    for line in bpderive.render(derivation, "text", width=400).splitlines():
        title = title if line.startswith(" ") or not line else line
        found.setdefault(title, []).append(" ".join(line.split()))
    return found


@pytest.mark.parametrize("layers", ["3,4,2", "n0,n1:softmax,n2", "3,4*9,2"])
def test_a_page_is_that_of_the_other_order_with_every_weight_transposed(layers):
    neurons, inputs = (sections(order, layers, bias=True) for order in ORDERS)
    titles = ("Forward pass", "One weight in full", "All the gradients", "Gradient descent")
    for title in titles:
        expected = [MARKS.sub(r"w\1\3\2", line) for line in neurons[title]]
        assert inputs[title] == expected
    assert any(MARKS.search(line) for line in inputs["All the gradients"])


def test_the_letters_of_a_sum_are_those_of_its_role():
    text = "\n".join(chain(*sections(INPUTS, "3,4,2").values()))
    assert "z¹ᵢ = Σⱼ w¹ⱼᵢ xⱼ (1)" in text
    assert "δ¹ᵢ = σ′(z¹ᵢ) Σₖ w²ᵢₖ δ²ₖ" in text
    assert "∂L/∂w¹ⱼᵢ = δ¹ᵢ xⱼ" in text
    assert "wˡⱼᵢ nₗ₋₁ × nₗ nₗ₋₁ × nₗ" in text
    assert "1 4 σ(z) sigmoid 3 × 4" in text


BATCH = {
    "rows": ("Z¹ = X W¹ + 𝟏 b¹", "∂L/∂W¹ = 1/N · Xᵀ Δ¹", "Δ¹ = (Δ² W²ᵀ) ⊙ σ′(Z¹)"),
    "columns": ("Z¹ = W¹ᵀ X + b¹ 𝟏ᵀ", "∂L/∂W¹ = 1/N · X Δ¹ᵀ", "Δ¹ = (W² Δ²) ⊙ σ′(Z¹)"),
}


@pytest.mark.parametrize(("orientation", "expected"), BATCH.items())
def test_the_batch_reads_like_the_book(orientation, expected):
    found = sections(INPUTS, "3,4,2", bias=True, orientation=orientation)
    lines = [line.rpartition(" (")[0] for line in found["Matrix and batch form"]]
    assert set(expected) <= set(lines)


# --- Code ---


@each_target
@each_network
def test_gradients_are_the_transposes(name, target):
    neurons, inputs = (RUNNERS[target](plan(one), target) for one in both(name))
    params, x, y = point(next(both(name)).network)
    loss, expected = neurons.loss_and_grad(params, x, y)
    found, grads = inputs.loss_and_grad(turned(params), x, y)
    assert found == pytest.approx(loss, rel=1e-12)
    assert inputs.loss(turned(params), x, y) == pytest.approx(loss, rel=1e-12)
    outputs = inputs.forward(turned(params), x), neurons.forward(params, x)
    np.testing.assert_allclose(*outputs, rtol=1e-10, atol=1e-12)
    assert list(grads) == list(expected)
    for key, grad in turned(expected).items():
        np.testing.assert_allclose(grads[key], grad, rtol=1e-10, atol=1e-12)


SYMBOLIC = [target for target in TARGETS if target in ("numpy", "array-api")]


@pytest.mark.parametrize("target", SYMBOLIC)
def test_sizes_without_numbers(target):
    neurons, inputs = (
        module_of("n0,n1,3,n0", target, weights=order, bias=True) for order in ORDERS
    )
    numbered = derived("4,5,3,4", bias=True).network
    params, x, y = point(numbered)
    loss, expected = neurons.loss_and_grad(params, x, y)
    found, grads = inputs.loss_and_grad(turned(params), x, y)
    assert found == pytest.approx(loss)
    for key, grad in turned(expected).items():
        np.testing.assert_allclose(grads[key], grad)
    with pytest.raises(ValueError, match="must have shape"):
        inputs.loss_and_grad(params, x, y)
    assert inputs.SHAPES["W1"] == ("n0", "n1")


@cache
def module_of(layers, target, **options):
    return bpderive.load(bpderive.derive(bpderive.network(layers, **options)), target)


@pytest.mark.parametrize("target", [name for name, row in TARGETS.items() if row.suffix == ".py"])
@pytest.mark.parametrize("name", ["usual", "looped", "wide"])
def test_a_module_checks_itself_and_refuses_the_other_shapes(name, target):
    _, inputs = both(name)
    module = bpderive.load(inputs, target)
    rng = Random(0) if target in ("python", "array-api") else np.random.default_rng(0)
    error, compared, _ = module.check(rng, *[np] * (target == "array-api"))
    assert compared
    assert error < 1e-6
    layers = module.LAYERS
    assert module.SHAPES["W1"] == (layers[0], layers[1])
    params, x, y = point(inputs.network)
    given = (params, x, y)
    if target == "python":
        given = {key: value.tolist() for key, value in params.items()}, x.tolist(), y.tolist()
    with pytest.raises(ValueError, match=r"W1 must have shape \(\d+, \d+\)"):
        module.loss_and_grad(*given)


FANS = {"he": 2 / 200, "xavier": 2 / 350, "normal": 1.0}


def drawn(target, scheme, layers="200,150,1"):
    """The first weights that a target draws."""
    derivation = derived(layers, weights=INPUTS, bias=True)
    if target == "c":
        return drawn_by_c(derivation, scheme)
    module = bpderive.load(derivation, target)
    rng = Random(0) if target in ("python", "array-api") else np.random.default_rng(0)
    more = {"xp": np} if target == "array-api" else {}
    return np.array(module.init(rng, scheme, **more)["W1"])


def drawn_by_c(derivation, scheme):
    from test_c_target import draw

    network = RUNNERS["c"](plan(derivation), "c")
    status, theta = draw(network, scheme)
    assert status == 0
    m, n = int(derivation.network.inputs), int(derivation.network.layers[0].width)
    return theta[: m * n].reshape(m, n)


@each_target
@pytest.mark.parametrize("scheme", FANS)
def test_the_fan_in_is_the_number_of_inputs(scheme, target):
    weights = drawn(target, scheme)
    assert weights.shape == (200, 150)
    assert weights.var() == pytest.approx(FANS[scheme], rel=0.03)


@each_target
@pytest.mark.parametrize("layers", ["20,15,1", "15,20,1"])
def test_orthogonal_weights(layers, target):
    weights = drawn(target, "orthogonal", layers)
    m, n = map(int, layers.split(",")[:2])
    assert weights.shape == (m, n)
    gram = weights.T @ weights if m >= n else weights @ weights.T
    np.testing.assert_allclose(gram, np.eye(min(m, n)), atol=1e-12)


def test_in_place_no_weight_is_copied():
    code = bpderive.generate(derived("30,40,20,10", weights=INPUTS, bias=True), "numpy-inplace")
    body = code[code.index("def loss_and_grad(\n") : code.index("return loss_and_grad")]
    products = re.findall(r"^ +(\S+\.dot\(.*)$", body, re.MULTILINE)
    assert "x.dot(W1, z1)" in products or "x.dot(W1, a1)" in products
    assert "x.T.dot(delta1, dW1)" in products
    assert "delta2.dot(W2.T, delta1)" in products
    assert ".copy()" not in body.split("if copy:")[0]


def test_the_header_says_where_a_weight_lies():
    _, header = bpderive.generate_files(derived("3,4,2", weights=INPUTS), "c", name="net").values()
    assert "BP_W1 + j * outputs + i" in header
    assert "/* 3 x 4 */" in header


# --- The proof ---


@each_network
def test_the_proof_holds(name):
    _, inputs = both(name)
    proof = bpderive.verify(inputs)
    assert proof.failures == ()
    assert proof.passed
    against = {check.against for check in proof.checks if check.kind == "code"}
    assert against >= set(TARGETS)
    assert json.loads(proof.certificate())["network"]["weights"] == INPUTS


def test_the_proof_of_symbolic_sizes_holds():
    assert bpderive.verify(derived("n0,n1:softmax,n2", weights=INPUTS, bias=True)).passed


@pytest.mark.parametrize("name", ["usual", "mixing", "one_layer"])
def test_each_mistake_is_caught(name):
    _, inputs = both(name)
    found = attempts(inputs)
    seen = [one for one in found if one.seen]
    assert {"outer_swapped", "index_slipped", "sign"} <= {one.mistake for one in seen}
    assert ("weight_transposed" in {one.mistake for one in seen}) == (name != "one_layer")
    assert all(one.oracle for one in seen)
    assert all(one.steps for one in seen if one.mistake != "kink_other")


def test_the_other_order_is_no_proof_of_this_one():
    """The oracle has the order as plain data: where it has the other, the gradient is refused."""
    for order in ORDERS:
        subject = Subject(derived("3,3,3", weights=order), quick=True)
        assert not proof_of(subject).failures
        wrong = replace(subject.oracle, input_first=not subject.oracle.input_first)
        mistaken = Subject(subject.derivation, quick=True)
        mistaken.__dict__["oracle"] = wrong  # where a cached property lies
        kinds = {check.kind for check in proof_of(mistaken).failures}
        assert {"gradient", "form", "program"} <= kinds


# --- The command ---


def test_the_command(capsys):
    with pytest.raises(SystemExit) as ended:
        command(["verify", "--layers", "3,4,2", "--bias", "--weights", "input-first"])
    assert ended.value.code == 0
    assert "The derivation holds" in capsys.readouterr().out
