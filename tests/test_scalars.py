"""Programs for one sample, run by a small interpreter, against the NumPy module."""

import math
from dataclasses import replace

import numpy as np
import pytest
from generated import FORMULAS, LOSSES, module, point
from sympy import Float, Symbol

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.errors import UnsupportedError
from bpderive.forms.arrays import Apply, Leaf, Outer, Power, Product, Reduce, Scalar, Terms
from bpderive.forms.trees import transform, walk
from bpderive.network import build as lay_out
from bpderive.program import Call
from bpderive.program import build as plan
from bpderive.spec import parse_spec
from bpderive.targets.scalars import (
    blocks,
    lower,
    needed,
    unrolled,
)
from bpderive.targets.scalars.lowering import _explicit

NETWORKS = (
    {},
    {"layers": "2,3,1,4,2", "bias": True, "loss": "softmax_cross_entropy", "activation": "gelu"},
    {"output_activation": "softmax", "loss": "huber", "activation": "mish"},
    {"activation": FORMULAS[4], "loss": "mse", "bias": True},
    {"activation": FORMULAS[3], "loss": "a - y", "reduction": "sum"},
    {"activation": FORMULAS[5], "loss": "log(cosh(a - y)) + abs(a)**3"},
    {"activation": "softmax", "output_activation": "sigmoid", "loss": "binary_cross_entropy"},
    {"activation": "hardtanh", "output_activation": "softmax", "loss": "cross_entropy"},
)
by_options = pytest.mark.parametrize(
    "options", NETWORKS, ids=lambda options: "-".join(map(str, options.values()))
)


def scalars(layers="3,4,2", **options):
    return lower(plan(derive(lay_out(parse_spec(layers, **options), CATALOG))))


# --- An interpreter ---

FUNCTIONS = {
    "Abs": abs,
    "power": math.pow,
    "maximum": max,
    "minimum": min,
    "select": lambda u, p, q: p if u > 0 else q,
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
    "sign": lambda u: float(u > 0) - float(u < 0),
    "softplus": lambda u: math.log1p(math.exp(u)),
    "xlogy": lambda u, v: u * math.log(v) if u else 0.0,
    **{name: getattr(math, name) for name in ("cos", "cosh", "erf", "exp", "expm1", "log")},
    **{name: getattr(math, name) for name in ("log1p", "sin", "sinh", "tanh")},
}


def softmax(row):
    exps = np.exp(row - np.max(row))
    return exps / exps.sum()


ROWS = {"softmax": softmax, "log_softmax": lambda row: np.log(softmax(row))}


def number(node, values, functions):
    """The value of an expression without sums; leaves are looked up as `("w1", 1, 2)`."""
    if isinstance(node, Leaf):
        return values(node)
    if isinstance(node, Scalar):
        return float(node.value)
    if isinstance(node, Power):
        return number(node.base, values, functions) ** float(node.exponent)
    if isinstance(node, Call):
        function = functions[node.definition.name]
        names = [number(arg, values, functions) for arg in node.args]
        inner = dict(zip(function.parameters, names, strict=True))
        for name, part in (*function.parts, ("", function.value)):
            inner[name] = number(part, lambda leaf: inner[leaf.label], functions)
        return inner[""]
    parts = {Product: "factors", Terms: "terms", Apply: "args"}[type(node)]
    found = [number(part, values, functions) for part in getattr(node, parts)]
    if isinstance(node, Apply):
        return FUNCTIONS[node.name](*found)
    return math.prod(found) if isinstance(node, Product) else math.fsum(found)


def run_unrolled(network, state):
    """The elements of one sample, each by its own expression."""
    functions = {function.of: function for function in network.functions}

    def values(leaf):
        return state[leaf.label][tuple(int(axis) - 1 for axis in leaf.axes)]

    for element in network.elements:
        pairs = list(unrolled(element))
        assert not any(isinstance(part, Reduce) for _, value in pairs for part in walk(value))
        found = np.array([number(value, values, functions) for _, value in pairs])
        found = found if element.row is None else ROWS[element.row](found)
        state[element.target] = found.reshape(element.shape)
    return state


def run_summed(network, state):
    """The elements of one sample, each sum taken over its index."""
    functions = {function.of: function for function in network.functions}
    for element in network.elements:
        found = np.zeros(element.shape)
        for place in np.ndindex(element.shape):
            at = dict(zip(element.axes, place, strict=True))
            found[place] = summed(element.value, element.sizes, at, state, functions)
        state[element.target] = found if element.row is None else ROWS[element.row](found)
    return state


def summed(node, sizes, at, state, functions):
    """The value of an expression at indices; each sum is made a number first."""
    sums = [part for part in walk(node) if isinstance(part, Reduce)]
    for one in sums:
        (index,) = one.summed
        places = (at | {index: k} for k in range(sizes[index]))
        total = math.fsum(summed(one.arg, sizes, place, state, functions) for place in places)
        found = Scalar((), Float(total, 30))
        node = transform(node, lambda part, old=one, new=found: new if part == old else part)

    def values(leaf):
        return state[leaf.label][tuple(at[axis] for axis in leaf.axes)]

    return number(node, values, functions)


@pytest.mark.parametrize("run", [run_unrolled, run_summed])
@by_options
def test_one_sample_is_that_of_numpy(options, run):
    network, arrays = scalars(**options), module(**options)
    loss = options.get("loss")
    params, x, y = point(arrays, loss if loss in LOSSES else "half_squared_error", n=1)
    given = {key.replace("W", "w"): value for key, value in params.items()}
    state = run(network, {**given, "x": x[0], "y": y[0]})
    found, grads = arrays.loss_and_grad(params, x, y)
    assert state["L"] == pytest.approx(found)
    for key, grad in grads.items():
        np.testing.assert_allclose(state[f"d{key}"], grad, rtol=1e-9, atol=1e-12)


# --- What elements are ---


def text(node):
    """An expression on one line."""
    name, *parts = {
        Leaf: lambda: ("".join((node.label, *map(str, node.axes))),),
        Scalar: lambda: (str(node.value),),
        Reduce: lambda: (f"sum_{node.summed[0]}", node.arg),
        Power: lambda: (f"pow_{node.exponent}", node.base),
        Product: lambda: ("*", *node.factors),
        Terms: lambda: ("+", *node.terms),
        Apply: lambda: (node.name, *node.args),
        Call: lambda: (node.definition.name, *node.args),
    }[type(node)]()
    return f"{name}({', '.join(map(text, parts))})" if parts else name


@pytest.mark.parametrize(
    ("options", "target", "expected"),
    [
        ({}, "z1", "sum_k(*(w1ik, xk))"),
        ({"bias": True}, "z2", "+(sum_k(*(w2ik, a1k)), b2i)"),
        ({}, "a1", "sigmoid(z1i)"),
        ({}, "a2", "z2i"),
        ({}, "L", "*(1/2, sum_k(pow_2(+(a2k, *(-1, yk)))))"),
        ({}, "delta2", "+(a2i, *(-1, yi))"),
        ({}, "dW2", "*(delta2i, a1j)"),
        ({"bias": True}, "db1", "delta1i"),
        ({"activation": "relu"}, "delta1", "*(sum_k(*(w2ki, delta2k)), select(z1i, 1, 0))"),
        ({"activation": "gelu"}, "delta1", "*(sum_k(*(w2ki, delta2k)), gelu'(z1i))"),
        ({"loss": "a - y"}, "delta2", "1"),
        ({"activation": "softmax"}, "s1", "sum_k(*(a1k, g1k))"),
        ({"activation": "softmax"}, "delta1", "*(+(g1i, *(-1, s1)), a1i)"),
        ({"activation": FORMULAS[3]}, "t1", "*(2, z1i)"),
        ({"activation": FORMULAS[3]}, "a1", "t1i"),
        ({"activation": FORMULAS[4]}, "a1", "*(z1i, pow_-1(s1))"),
        ({"activation": FORMULAS[4]}, "s2", "sum_k(Abs(z1k))"),
        ({"activation": FORMULAS[4]}, "s3", "sum_k(*(g1k, z1k))"),
    ],
    ids=str,
)
def test_elements(options, target, expected):
    (element,) = (e for e in scalars(**options).elements if e.target == target)
    assert text(element.value) == expected


def test_every_product_is_one_of_elements():
    i, j = map(Symbol, "ij")
    outer = Outer((i, j), Leaf((i,), "delta1"), Leaf((j,), "x"))
    assert text(_explicit(outer)) == "*(delta1i, xj)"


def test_what_elements_know():
    network = scalars(bias=True, output_activation="softmax", loss="mse")
    elements = {element.target: element for element in network.elements}
    i, j, k = map(Symbol, "ijk")
    assert elements["z1"].sizes == {i: 4, k: 3}
    assert elements["dW2"].axes == (i, j)
    assert elements["dW2"].shape == (2, 4)
    assert elements["L"].shape == ()
    assert elements["a2"].row == "softmax"
    assert {name for name, e in elements.items() if e.accumulated} == {
        *("L", "dW1", "db1", "dW2", "db2"),
    }
    assert elements["z2"].number == 3
    assert network.mean
    assert not scalars(reduction="sum").mean


def test_elements_are_counted_from_one():
    elements = {element.target: element for element in scalars("2,2,1").elements}
    pairs = [(text(target), text(value)) for target, value in unrolled(elements["z1"])]
    assert pairs == [
        ("z11", "+(*(w111, x1), *(w112, x2))"),
        ("z12", "+(*(w121, x1), *(w122, x2))"),
    ]
    assert [text(leaf) for leaf in scalars("2,2,1").leaves("w1")] == [
        "w111",
        "w112",
        "w121",
        "w122",
    ]


def test_blocks():
    found = blocks(plan(derive(lay_out(parse_spec("3,4,2", bias=True), CATALOG))))
    assert [(b.key, b.label, b.shape, b.start, b.size) for b in found] == [
        ("W1", "w1", (4, 3), 0, 12),
        ("b1", "b1", (4,), 12, 4),
        ("W2", "w2", (2, 4), 16, 8),
        ("b2", "b2", (2,), 24, 2),
    ]


def test_needed():
    network = scalars(loss="softmax_cross_entropy", activation="tanh")
    assert [e.target for e in needed(network.elements, ("a2",))] == ["z1", "a1", "z2", "a2"]
    assert "p" not in {e.target for e in needed(network.elements, ("L",))}
    assert "L" not in {e.target for e in needed(network.elements, ("dW1",))}


def test_functions_have_names_that_nothing_else_has():
    rows = [replace(CATALOG.activation("gelu"), name=name) for name in ("w1", "s2", "theta", "a_1")]
    for row in (*rows, CATALOG.activation("gelu")):
        spec = parse_spec("3,4,2", activation=row.name)
        program = plan(derive(lay_out(spec, CATALOG.extended(*rows))))
        name = row.name + "_" * (row in rows)
        assert lower(program).names[row.name] == name
        assert lower(program, frozenset({name})).names[row.name] == f"{name}_"


def test_equal_layers_are_lowered_once():
    network = scalars("2,3*200,1", activation="gelu")
    assert len(network.functions) == 2
    assert {e.sizes[Symbol("k")] for e in network.forward if e.target.startswith("z")} == {2, 3}


def test_symbolic_sizes_are_refused():
    with pytest.raises(UnsupportedError, match="the sizes as numbers, and here are n0, n1"):
        scalars("n0,n1,1")
