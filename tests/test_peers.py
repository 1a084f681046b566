"""Gradients against autograd, JAX and PyTorch; at full size, against the complex step."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from generated import ACTIVATIONS, FORMULAS, LOSSES
from networks import derived

from bpderive.api import load
from bpderive.errors import UnsupportedError
from bpderive.proof import Skip
from bpderive.verify import directions, gradients, peers
from bpderive.verify.arithmetic import MP, digits
from bpderive.verify.directions import directional
from bpderive.verify.model import oracle_of
from bpderive.verify.oracle import Oracle
from bpderive.verify.subject import Subject, labels_of

# --- The networks: each activation with each loss that takes it, and formulas ---

RANGES = {"real": set(), "unit": {"unit"}, "positive": {"unit", "positive"}}
PAIRS = [
    (activation.name, loss.name)
    for activation in ACTIVATIONS.values()
    for loss in LOSSES.values()
    if not RANGES[loss.domain] or activation.range in RANGES[loss.domain]
    if activation.name not in dict(loss.refuses)
]
USUAL = {
    *{a: (a, loss) for a, loss in PAIRS}.values(),
    *{loss: (a, loss) for a, loss in PAIRS}.values(),
    *{loss: (a, loss) for a, loss in reversed(PAIRS)}.values(),
}
GIVEN = [
    ("where(a > y, (a - y)**2, 2*(y - a))", "tanh"),
    ("log(1 + exp(-a*y)) + abs(a)**1.5", "linear"),
    ("xlogy(a, abs(y)) + sign(a - y)*sin(a)", "softmax"),
]


def _row(layers, usual=True, bias=False, reduction="mean", **names):
    options = {**names, "bias": bias, "reduction": reduction}
    told = "-".join(filter(None, (layers, *names.values(), "bias" * bias, reduction)))
    marks = () if usual else pytest.mark.long
    return pytest.param(layers, tuple(options.items()), id=told, marks=marks)


def _rows():
    """Both networks have every row; the usual run has one of them, for some of the rows."""
    for k, (name, loss) in enumerate(PAIRS):
        usual = (name, loss) in USUAL
        varied = {"bias": bool(k % 2), "reduction": ("mean", "sum")[k // 2 % 2], "loss": loss}
        ends = {"output_activation": name, **varied}
        yield _row("2,3,2", usual and not k % 3, activation=name, **ends)
        yield _row("3,4,2", usual and bool(k % 3), activation="sigmoid", **ends)
    yield _row("3,4,3,2", bias=True, activation="softmax", loss="mse", reduction="sum")
    for k, formula in enumerate(FORMULAS):
        yield _row("2,3,2", bias=bool(k % 2), activation=formula)
    for k, (formula, name) in enumerate(GIVEN):
        yield _row("3,4,2", loss=formula, bias=bool(k % 2), output_activation=name)


networks = pytest.mark.parametrize(("layers", "options"), list(_rows()))


@cache
def subject(layers, options):
    return Subject(derived(layers, **dict(options)))


@cache
def found(peer, layers, options):
    tried = subject(layers, options)
    return gradients.peer(peer, tried)


@pytest.fixture(params=peers.PEERS)
def peer(request):
    name = request.param
    pytest.importorskip(name, reason=f"{name} is not installed: pip install {name}")
    return name


def _row_of(name):
    return next(row for row in gradients.ORACLES if row.id == name)


# --- The same gradients ---


@networks
def test_a_peer_gives_the_derived_gradient(peer, layers, options):
    tried, expected = subject(layers, options), found(peer, layers, options)
    own = [gradients._derived(tried, sample) for sample in tried.points.complete]
    checks = [
        check
        for label in expected[0]
        for check in gradients._compared(tried, _row_of(peer), label, own, expected)
    ]
    assert {check.subject for check in checks} == {*map(str, _names(tried))}
    assert [check for check in checks if not check.passed] == []


def _names(tried):
    for label, at in tried.oracle.parameters():
        yield f"{label}[{','.join(map(str, at))}]"


@networks
def test_a_peer_gives_the_gradient_of_the_generated_code(peer, layers, options):
    tried, expected = subject(layers, options), found(peer, layers, options)
    shared = tried.points.samples[0]
    params = {
        label.replace("w", "W"): _array(shared[label]) for label, _ in tried.oracle.parameters()
    }
    x, y = (np.stack([_array(s[end]) for s in tried.points.samples]) for end in "xy")
    _, grads = load(tried.derivation).loss_and_grad(params, x, y)
    combine = np.mean if dict(options)["reduction"] == "mean" else np.sum
    for key, grad in grads.items():
        label = key.lower()
        whole = combine([_array(one[label]) for one in expected], axis=0)
        pairs = list(zip(grad.flat, whole.flat, strict=True))
        assert digits(pairs, tried.scales[label]) >= peers.WANTED


def _array(tensor):
    values = [float(value) for value in tensor.values()]
    return np.array(values).reshape(max(tensor))


def test_a_wrong_gradient_is_seen(peer):
    tried = subject("2,3,2", ())
    expected = gradients.peer(peer, tried)
    wrong = [gradients._derived(tried, sample) for sample in tried.points.complete]
    wrong[-1]["w1"][2, 1] *= 1 + MP.mpf(10) ** -7
    checks = list(gradients._compared(tried, _row_of(peer), "w1", wrong, expected))
    assert [check.subject for check in checks if not check.passed] == ["w1[2,1]"]


# --- Where a library is missing, or cannot ---


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_missing_library_is_a_skip_with_its_command(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    skips = [one for one in gradients.check(subject("1,1", ())) if isinstance(one, Skip)]
    title = {"autograd": "autograd", "jax": "JAX", "torch": "PyTorch"}[name]
    told = {skip.against: skip.reason for skip in skips}
    assert told[name] == f"{title} is not installed: pip install {name}"


def test_what_float64_cannot_hold_is_said(peer):
    oracle = Oracle((1, 1), ("exp(z)/exp(z)",), "a - y")
    sample = {"x": {(1,): MP.mpf(800)}, "y": {(1,): MP.mpf(0)}, "w1": {(1, 1): MP.mpf(1)}}
    with pytest.raises(UnsupportedError, match="float64"):
        peers.gradients(peer, oracle, [sample])


def test_where_no_parameter_leads_to_the_loss_its_gradient_is_zero(peer):
    oracle = Oracle((1, 1), ("where(z > 0, z, -1)",), "(a - y)**2")
    sample = {"x": {(1,): MP.mpf(-1)}, "y": {(1,): MP.mpf(0)}, "w1": {(1, 1): MP.mpf(1)}}
    assert peers.gradients(peer, oracle, [sample]) == [{"w1": {(1, 1): 0}}]


def test_no_library_is_imported_before_it_is_asked():
    code = (
        "import sys\n"
        "from bpderive.verify.peers import PEERS\n"
        "assert not sys.modules.keys() & {'numpy', *PEERS}"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# --- The user's process stays as it is ---


def test_jax_keeps_its_precision():
    jax = pytest.importorskip("jax", reason="jax is not installed: pip install jax")
    before = jax.config.jax_enable_x64, jax.config.jax_default_device, jax.numpy.array(1.0).dtype
    gradients.peer("jax", subject("1,1", ()))
    after = jax.config.jax_enable_x64, jax.config.jax_default_device, jax.numpy.array(1.0).dtype
    assert before == after


def test_an_old_jax_is_told(monkeypatch):
    jax = pytest.importorskip("jax", reason="jax is not installed: pip install jax")
    monkeypatch.delattr(jax, "enable_x64")
    with pytest.raises(UnsupportedError, match="pip install --upgrade jax"):
        gradients.peer("jax", subject("1,1", ()))


def test_pytorch_keeps_its_settings():
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    expected = gradients.peer("torch", subject("1,1", ()))
    with torch.no_grad():
        assert gradients.peer("torch", subject("1,1", ())) == expected
        assert not torch.is_grad_enabled()
    assert torch.tensor(1.0).dtype == torch.float32


# --- At full size ---


def _directional(layers, options=(), change=lambda grads: grads, seed=1):
    """The digits by parameter, of a gradient that may be changed first."""
    found = derived(layers, **dict(options))
    code, net = load(found), found.network

    def loss_and_grad(params, x, y):
        loss, grads = code.loss_and_grad(params, x, y)
        return loss, change(grads)

    slopes = directional(
        oracle_of(net), labels_of(net), net.spec.reduction, loss_and_grad, seed=seed
    )
    return {label: digits(one.pairs, one.scale) for label, one in slopes.items()}


@networks
def test_the_generated_code_along_directions(layers, options):
    agreed = _directional(layers.replace("2", "20").replace("3", "30"), options)
    assert min(agreed.values()) >= directions.WANTED


@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize("layers", ["784,128:relu,10", "2,4*100,1"])
def test_the_generated_code_at_full_size(layers, bias):
    loss = "softmax_cross_entropy" if "10" in layers.split(",") else "mse"
    agreed = _directional(layers, {"loss": loss, "bias": bias})
    tensors = (1 + bias) * (2 if loss != "mse" else 101)
    assert min(tensors, 2 * directions.TENSORS // 3) <= len(agreed) <= directions.TENSORS
    assert list(agreed)[-1] == ("b" if bias else "w") + ("2" if loss != "mse" else "101")
    assert min(agreed.values()) >= directions.WANTED


def _changed(key, change):
    return lambda grads: {**grads, key: change(grads[key].copy())}


def _flipped(grad):
    place = np.unravel_index(abs(grad).argmax(), grad.shape)
    grad[place] *= -1
    return grad


WRONG = {
    "one sign of 100352": ("W1", _flipped),
    "a millionth too much": ("W2", lambda grad: grad * (1 + 1e-6)),
    "without the mean": ("W2", lambda grad: grad * 3),
    "transposed": ("W1", lambda grad: grad.T),
    "a row too few": ("b1", lambda grad: grad[:1]),
    "none": ("b2", lambda grad: 0 * grad),
    "no number": ("W2", lambda grad: grad * np.nan),
}


@pytest.mark.parametrize(("key", "change"), WRONG.values(), ids=WRONG)
def test_a_wrong_gradient_is_seen_at_full_size(key, change):
    options = {"loss": "softmax_cross_entropy", "bias": True}
    agreed = _directional("784,128:relu,10", options, _changed(key, change))
    wrong = [label for label, shared in agreed.items() if shared < directions.WANTED]
    assert wrong == [key.lower()]


def test_other_points_for_another_seed():
    options = {"loss": "poisson", "output_activation": "linear"}
    assert min(_directional("20,30,10", options, seed=2).values()) >= directions.WANTED


def test_a_loss_that_takes_no_output_is_told():
    with pytest.raises(UnsupportedError, match="no parameters of layer 2"):
        _directional("20,30,10", {"loss": "cross_entropy", "output_activation": "2 + z**2"})


def test_full_size_needs_numpy(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.delitem(sys.modules, "bpderive.verify.batches", raising=False)
    net = derived("2,1").network
    with pytest.raises(UnsupportedError, match="NumPy is not installed: pip install numpy"):
        directional(oracle_of(net), labels_of(net), "mean", lambda *_: (0.0, {}), seed=1)
