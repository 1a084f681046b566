"""Every form of every gradient, for every activation × loss × bias of the catalogue, in numbers.

The expected numbers are central differences of the oracle's own forward pass at 80 digits; they
stand for the deltas too, so each equation is checked by itself. SymPy's `diff` of the flat loss
is a second oracle, for a part of the table (all of it with `-m long`).
"""

import random
from dataclasses import dataclass
from functools import cached_property

import pytest
from evaluate import Values
from networks import close, derived
from oracle import MP, Oracle, points

from bpderive.catalog import CATALOG
from bpderive.derive import Derivation
from bpderive.forms import gradient

WIDTHS = (2, 3, 2)
SAMPLES = 3


@dataclass(frozen=True)
class Combination:
    """One row of the table; an output that the loss refuses is linear instead."""

    activation: str
    loss: str
    bias: bool

    def __str__(self):
        return f"{self.activation}-{self.loss}{'-bias' if self.bias else ''}"

    @property
    def output(self):
        refused = dict(CATALOG.loss(self.loss).refuses)
        return "linear" if self.activation in refused else self.activation


COMBINATIONS = [
    Combination(activation.name, loss.name, bias)
    for activation in CATALOG.activations
    for loss in CATALOG.losses
    for bias in (False, True)
]


@dataclass(frozen=True)
class Case:
    """A network, derived, and its quantities at three samples with every derivative."""

    combination: Combination
    widths: tuple[int, ...] = WIDTHS

    @cached_property
    def derivation(self) -> Derivation:
        c = self.combination
        return derived(
            ",".join(map(str, self.widths)),
            activation=c.activation,
            output_activation=c.output,
            loss=c.loss,
            bias=c.bias,
            orientation="columns" if c.bias else "rows",
        )

    @cached_property
    def oracle(self) -> Oracle:
        c = self.combination
        hidden, output = map(CATALOG.activation, (c.activation, c.output))
        return Oracle(self.widths, hidden, output, CATALOG.loss(c.loss), c.bias)

    @cached_property
    def points(self):
        return points(self.oracle, random.Random(7), SAMPLES)

    @cached_property
    def expected(self):
        """By sample: the gradient of every parameter and inner quantity."""
        return [{n: self.oracle.derivative(p, n) for n in self.references} for p in self.points]

    @cached_property
    def samples(self):
        """By sample: all quantities by reference text, the derivatives `delta1[i]`, `g1[i]` too."""
        names = {"z": "delta", "a": "g", "p": "h"}
        return [
            point | {names[n[0]] + n[1:]: slopes[n] for n in self.oracle.inner()}
            for point, slopes in zip(self.points, self.expected, strict=True)
        ]

    @cached_property
    def references(self):
        return [*self.oracle.parameters(), *self.oracle.inner()]

    @cached_property
    def some(self):
        """One reference of every tensor, from the middle of its range."""
        tensors = {}
        for name in self.references:
            tensors.setdefault(name.partition("[")[0], []).append(name)
        return [names[len(names) // 2] for names in tensors.values()]

    def tensor(self, label, values):
        """A tensor as rows, from its elements by reference text."""
        found = {n: v for n, v in values.items() if n.partition("[")[0] == label}
        rows = {}
        for name, value in found.items():
            rows.setdefault(int(name.partition("[")[2].rstrip("]").split(",")[0]), []).append(value)
        return [rows[i] for i in sorted(rows)]

    @cached_property
    def labels(self):
        """The labels of all tensors of a sample."""
        return sorted({name.partition("[")[0] for name in self.samples[0] if "[" in name})

    def batch(self, label, samples):
        """A tensor over all samples; a parameter is the same for all."""
        if label[0] in "wb":
            return self.tensor(label, samples[0])
        rows = [[row[0] for row in self.tensor(label, sample)] for sample in samples]
        return transposed(rows) if self.combination.bias else rows


def transposed(rows):
    return [list(row) for row in zip(*rows, strict=True)]


def all_close(found, expected):
    assert [len(row) for row in found] == [len(row) for row in expected]
    return all(
        close(u, v)
        for row, wanted in zip(found, expected, strict=True)
        for u, v in zip(row, wanted, strict=True)
    )


@pytest.fixture(scope="module", params=COMBINATIONS, ids=str)
def case(request):
    return Case(request.param)


def test_delta_form(case):
    values = Values(case.samples[0])
    for name in case.references:
        assert close(values(gradient(case.derivation, name)), case.expected[0][name]), name


def test_paths_form(case):
    values = Values({n: v for n, v in case.samples[0].items() if n[0] not in "dgh"})
    for name in case.some:
        assert close(values(gradient(case.derivation, name, "paths")), case.expected[0][name]), name


def test_weights_form(case):
    values = Values({n: v for n, v in case.samples[0].items() if n[0] in "xywb"})
    for name in ("w1[2,1]", "delta1[3]", "w2[1,3]"):
        wanted = case.expected[0][name.replace("delta", "z")]
        assert close(values(gradient(case.derivation, name, "weights")), wanted), name


def test_index_form_at_indices(case):
    values = Values(case.samples[0])
    for name in case.some:
        assert close(values(gradient(case.derivation, name, "index")), case.expected[0][name]), name


def test_matrix_form(case):
    sample, expected = case.samples[0], case.expected[0]
    values = Values({}, {label: case.tensor(label, sample) for label in case.labels})
    for name in case.some:
        label = name.partition("[")[0]
        found = values(gradient(case.derivation, name, "matrix"))
        assert all_close(found, case.tensor(label, expected)), label


def test_batch_form(case):
    values = Values(
        {"N": MP.mpf(SAMPLES)}, {label: case.batch(label, case.samples) for label in case.labels}
    )
    for name in case.some:
        label = name.partition("[")[0]
        found = values(gradient(case.derivation, name, "batch"))
        assert all_close(found, batch_expected(case, label)), label


def batch_expected(case, label):
    """The mean over the samples for parameters; sample by sample for what lies between."""
    if label[0] not in "wb":
        return case.batch(label, case.expected)
    mean = {n: sum(e[n] for e in case.expected) / SAMPLES for n in case.oracle.parameters()}
    return case.tensor(label, mean)


# --- SymPy's own derivative of the flat loss ---

STRATIFIED = {
    *(
        Combination(a.name, CATALOG.losses[k % len(CATALOG.losses)].name, bool(k % 2))
        for k, a in enumerate(CATALOG.activations)
    ),
    *(Combination("sigmoid", loss.name, not k % 2) for k, loss in enumerate(CATALOG.losses)),
}
LONG = [
    pytest.param(c, marks=[] if c in STRATIFIED else pytest.mark.long, id=str(c))
    for c in COMBINATIONS
]


@pytest.mark.parametrize("combination", LONG)
def test_gradient_is_sympys(combination):
    case = Case(combination, widths=(2, 2, 2))
    loss, symbols = case.oracle.flat_loss()
    values = Values({name: case.samples[0][name] for name in symbols})
    quantities = Values(case.samples[0])
    for name in ("w1[1,2]", "w2[2,1]", *(["b1[2]"] if combination.bias else [])):
        wanted = values(loss.diff(symbols[name]))
        assert close(quantities(gradient(case.derivation, name)), wanted), name
        assert close(values(gradient(case.derivation, name, "weights")), wanted), name
