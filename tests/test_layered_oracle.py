"""The oracle of networks of any layers, against PyTorch's own modules."""

from random import Random

import pytest
from torch_layers import CASES, FOLDER, places, tensor

from bpderive.catalog import CATALOG
from bpderive.verify.arithmetic import MP, digits
from bpderive.verify.formulas import FLOAT
from bpderive.verify.layered.oracle import Layer, Oracle, Watch
from bpderive.verify.layered.reading import read

FORMULAS = {row.name: row.formula for row in CATALOG.activations}
SQUARE = "(a - y)**2/2"


def oracle_of(case):
    """The one layer of a case, and a square loss."""
    activation = FORMULAS.get(case.activation, "z")
    sources = (0,) * len(read(case.text, 0).entries)
    layer = Layer(case.text, sources, case.sizes, activation=activation, bias=case.bias)
    return Oracle((layer,), case.shape, SQUARE, formulas=FORMULAS)


def point_of(oracle, case):
    """Random tensors, in the machine's numbers."""
    random = Random(str(case))
    point = case.drawn(oracle.parameters() | oracle.data(), random) | {"x": case.input(random)}
    return point | case.drawn({"y": oracle.output[1]}, random)


def test_every_file_has_a_case():
    assert {case.file for case in CASES} == {path.stem for path in FOLDER.glob("*.eq")}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_forward_is_that_of_pytorch(case):
    torch = pytest.importorskip("torch")
    oracle = oracle_of(case)
    point = point_of(oracle, case)
    found = oracle.forward(point, FLOAT)
    label, shape = oracle.output
    shapes = oracle.parameters() | oracle.data()
    given = {k.removesuffix("1"): tensor(torch, point[k], s) for k, s in shapes.items()}
    x = tensor(torch, point["x"], case.shape)
    expected = case.module(torch, given, x, case.sizes)
    assert tuple(expected.shape) == shape
    torch.testing.assert_close(tensor(torch, found[label], shape), expected, rtol=1e-12, atol=1e-12)


def autograd(torch, case, oracle, point):
    """PyTorch's gradients of half the sum of squares, by label."""
    shapes = oracle.parameters() | ({} if case.tokens else {"x": case.shape})
    leaves = {k: tensor(torch, point[k], shape).requires_grad_() for k, shape in shapes.items()}
    given = {k: tensor(torch, point[k], shape) for k, shape in oracle.data().items()} | leaves
    x = leaves.get("x", tensor(torch, point["x"], case.shape))
    named = {k.removesuffix("1"): value for k, value in given.items()}
    y = tensor(torch, point["y"], oracle.output[1])
    loss = ((case.module(torch, named, x, case.sizes) - y) ** 2 / 2).sum()
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    return {
        label: dict(zip(places(shapes[label]), _listed(leaves[label], slope), strict=True))
        for label, slope in zip(leaves, found, strict=True)
    }


def _listed(leaf, slope):
    return (0 * leaf if slope is None else slope).flatten().tolist()


def exact(point):
    """The same numbers with many digits; tokens stay as they are."""
    return {
        label: {at: v if isinstance(v, int) else MP.mpf(v) for at, v in values.items()}
        for label, values in point.items()
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_are_those_of_pytorch(case):
    """Both ways of finding them agree in 40 digits, and with PyTorch in 11."""
    torch = pytest.importorskip("torch")
    oracle = oracle_of(case)
    point = exact(point_of(oracle, case))
    slopes, watch = autograd(torch, case, oracle, point), Watch()
    whole = oracle.forward(point, watch=watch)
    every = [(label, at) for label, values in slopes.items() for at in values]
    chosen = Random(str(case)).sample(every, min(8, len(every)))
    assert chosen
    stepped = [oracle.complex_step(whole, one) for one in chosen]
    differed = [oracle.differences(whole, one, watch) for one in chosen]
    scale = max(abs(v) for values in slopes.values() for v in values.values())
    assert digits(zip(differed, stepped, strict=True), scale) >= 30
    theirs = [slopes[label][at] for label, at in chosen]
    assert digits(zip(map(MP.mpf, theirs), stepped, strict=True), scale) >= 11
