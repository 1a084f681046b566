"""The sharing figures against a count that writes every path out, factor by factor, as text."""

import time
from fractions import Fraction
from itertools import product

import pytest
from networks import derived
from sympy import Integer, Mul

from bpderive.errors import SpecError
from bpderive.forms.paths import path_factors
from bpderive.forms.routes import routes
from bpderive.forms.sharing import layer_sharing, operations, sharing
from bpderive.index import size_symbol
from bpderive.reference import parse

SLOPE_FACTORS = {"sigmoid": 2, "tanh": 1, "linear": 0, "softmax": 2, "relu": 1}


class Written:
    """The paths of a network written out: each a dict from factor to the number it counts for."""

    def __init__(self, derivation, slopes):
        network = derivation.network
        self.widths = [int(network.inputs), *(int(layer.width) for layer in network.layers)]
        self.names = ["", *(layer.activation.name for layer in network.layers)]
        self.depth = network.depth
        self.cancels = network.loss.name in ("binary_cross_entropy", "cross_entropy")
        self.slopes = slopes
        self.bias = network.spec.bias

    def weight(self, name):
        number = SLOPE_FACTORS[name]
        return min(number, 1) if self.slopes == "one" else number

    def upwards(self, layer, neuron):
        """Every path from a z to the loss."""
        name = self.names[layer]
        if layer == self.depth:
            slope = {} if self.cancels else {f"slope{layer}[{neuron}]": self.weight(name)}
            return [{f"error[{neuron}]": 1} | slope]
        outs = self.all(layer) if name == "softmax" else [neuron]
        paths = []
        for out, above in product(outs, self.all(layer + 1)):
            own = {
                f"slope{layer}[{out},{neuron}]": self.weight(name),
                f"w{layer + 1}[{above},{out}]": 1,
            }
            paths += [path | own for path in self.upwards(layer + 1, above)]
        return paths

    def all(self, layer):
        return range(1, self.widths[layer] + 1)

    def gradient(self, text):
        at = parse(text)
        own = {f"a{at.layer - 1}[{at.indices[1]}]": 1} if at.name == "w" else {}
        return [path | own for path in self.upwards(at.layer, at.indices[0])]

    def total(self, text):
        return sum(sum(path.values()) for path in self.gradient(text))

    def shared(self, first, second):
        others = self.gradient(second)
        return sum(max(common(path, other) for other in others) for path in self.gradient(first))

    def parameters(self):
        for layer in range(1, self.depth + 1):
            yield from (f"w{layer}[{i},{j}]" for i in self.all(layer) for j in self.all(layer - 1))
            yield from (f"b{layer}[{i}]" for i in self.all(layer) if self.bias)

    def multiplications(self):
        """Of every path of every gradient, each product by itself."""
        return sum(sum(p.values()) - 1 for name in self.parameters() for p in self.gradient(name))


def common(path, other):
    return sum(number for factor, number in path.items() if factor in other)


NETWORKS = [
    ("2,2,2,1", {}),
    ("2,3,2", {"activation": "tanh"}),
    ("3,2,4,2", {"bias": True}),
    ("2,2,3,2", {"activation": "softmax"}),
    ("2,3,2,2", {"activation": "linear", "output_activation": "sigmoid"}),
    ("2,3,2", {"output_activation": "sigmoid", "loss": "binary_cross_entropy"}),
    ("2,3,2", {"output_activation": "softmax", "loss": "cross_entropy", "bias": True}),
    ("3,1,2,1", {"activation": "relu"}),
]


@pytest.fixture(params=NETWORKS, ids=str)
def derivation(request):
    layers, options = request.param
    return derived(layers, **options)


@pytest.mark.parametrize("slopes", ["factors", "one"])
def test_sharing_of_any_two_parameters(derivation, slopes):
    written = Written(derivation, slopes)
    names = list(written.parameters())[::2]
    for first, second in product(names, names):
        found = sharing(derivation, first, second, slopes=slopes)
        expected = (written.shared(first, second), written.total(first))
        assert (found.shared, found.total) == expected, (first, second)


@pytest.mark.parametrize("slopes", ["factors", "one"])
def test_multiplications_path_by_path(derivation, slopes):
    expected = Written(derivation, slopes).multiplications()
    assert operations(derivation, slopes=slopes).paths == expected


def test_the_total_is_that_of_the_path_form_itself(derivation):
    for name in list(Written(derivation, "factors").parameters())[::3]:
        reference = parse(name)
        count = 0
        for route in routes(derivation.network, reference):
            first, *rest = path_factors(derivation, reference, route)
            parts = [part for factor in rest for part in Mul.make_args(factor.value)]
            assert first.value != 0
            count += 1 + sum(not part.is_number for part in parts)
        assert sharing(derivation, name, name).total == count
        assert sharing(derivation, name, name).shared == count


@pytest.mark.parametrize(
    ("slopes", "by_layer"),
    [("factors", ["7/8", "4/5", "1/2"]), ("one", ["5/6", "3/4", "1/2"])],
)
def test_figures_of_the_article(slopes, by_layer):
    article = derived("2,2,2,1")
    found = [layer_sharing(article, layer, slopes=slopes).ratio for layer in (1, 2, 3)]
    assert found == list(map(Fraction, by_layer))
    assert sharing(article, "w1[1,1]", "w1[1,2]", slopes=slopes).ratio == Fraction(by_layer[0])


def test_counts_of_the_article():
    article = derived("2,2,2,1")
    found = sharing(article, "w1[1,1]", "w1[1,2]")
    assert (found.shared, found.total) == (14, 16)
    work = operations(article)
    assert (work.paths, work.deltas) == (54, 20)
    assert round(float(work.saved), 2) == 0.63


@pytest.mark.parametrize(
    ("layers", "options", "expected"),
    [
        ("2,2,2,1", {"bias": True}, 20),  # a bias's gradient is a delta itself
        ("2,2,2,1", {"output_activation": "sigmoid"}, 21),  # the output's slope
        ("3,2,1", {"activation": "linear"}, 2 + 2 + 6),  # w δ; the gradients
        ("2,2,1", {"activation": "softmax"}, 2 + 4 + 2 + 4),  # w δ; Jacobian; the gradients
    ],
)
def test_multiplications_with_deltas(layers, options, expected):
    assert operations(derived(layers, **options)).deltas == expected


def test_symbolic_sizes_give_symbolic_counts():
    n0, n1, n2 = map(size_symbol, ("n0", "n1", "n2"))
    derivation = derived("n0,n1,n2")
    found = sharing(derivation, "w1[1,1]", "w1[1,2]")
    assert (found.shared, found.total) == (4 * n2, 5 * n2)
    assert found.ratio == Integer(4) / 5
    assert (operations(derivation).paths - (3 * n0 * n1 * n2 + n1 * n2)).expand() == 0
    sizes = {n0: 5, n1: 4, n2: 3}
    numbers = operations(derived("5,4,3"))
    assert operations(derivation).paths.subs(sizes) == numbers.paths
    assert operations(derivation).deltas.subs(sizes) == numbers.deltas


def test_a_thousand_layers_are_counted_exactly_and_at_once():
    derivation = derived("2,4*1000,1")
    start = time.perf_counter()
    found = sharing(derivation, "w1[1,1]", "w1[1,2]")
    work = operations(derivation)
    assert time.perf_counter() - start < 1
    assert found.shared == found.total - 4**999  # 4^999 paths, each with an input of its own
    assert isinstance(work.paths, int)
    assert work.deltas == 2 * 4 + 4 * 4 * 999 + 4 + (999 * 4 * 5 + 4 * 2)


@pytest.mark.parametrize("name", ["x[1]", "delta1[1]", "w9[1,1]", "w1[9,9]", "b1[1]"])
def test_only_parameters_are_compared(name):
    with pytest.raises(SpecError):
        sharing(derived("2,2,1"), "w1[1,1]", name)
