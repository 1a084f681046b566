"""Every form of every gradient, for every activation × loss × bias of the catalogue, in numbers.

The expected numbers are complex steps through the oracle's own forward pass at 80 digits, which
extrapolated differences confirm; they stand for the deltas too, so each equation is checked by
itself. SymPy's `diff` of the flat loss is another oracle, for a part of the table (all of it with
`-m long`).
"""

from dataclasses import dataclass
from functools import cached_property

import pytest
from networks import close, derived
from sympy import Symbol

from bpderive.catalog import CATALOG
from bpderive.derive import Derivation
from bpderive.forms import gradient
from bpderive.verify.evaluate import Numbers, reference
from bpderive.verify.formulas import SCALARS
from bpderive.verify.oracle import Oracle
from bpderive.verify.points import SAMPLES, Labels, Points, draw
from bpderive.weights import ORDERS

WIDTHS = (2, 3, 2)


@dataclass(frozen=True)
class Combination:
    """One row of the table; an output that the loss refuses is linear instead."""

    activation: str
    loss: str
    bias: bool

    def __str__(self):
        return f"{self.activation}-{self.loss}{'-bias' if self.bias else ''}"

    @property
    def weights(self):
        return ORDERS[len(self.activation + self.loss) % 2]

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
            weights=c.weights,
        )

    @cached_property
    def oracle(self) -> Oracle:
        c, loss = self.combination, CATALOG.loss(self.combination.loss)
        texts = (c.activation,) * (len(self.widths) - 2) + (c.output,)
        return Oracle(
            self.widths,
            tuple(CATALOG.activation(name).formula for name in texts),
            loss.formula,
            CATALOG.activation(loss.stage).formula if loss.stage else "",
            loss.combine == "mean",
            c.bias,
            c.weights == "input_first",
        )

    @cached_property
    def points(self) -> Points:
        loss = CATALOG.loss(self.combination.loss)
        labels = Labels(loss.label, loss.domain, tuple(kink.at for kink in loss.kinks))
        found = draw(self.oracle, labels, seed=7)
        assert found is not None
        assert any(value for slopes in found.slopes for value in slopes["w1"].values())
        return found

    @property
    def samples(self):
        """By sample: all quantities, the derivatives `delta1`, `g1` too."""
        return self.points.complete

    @property
    def expected(self):
        """By sample: the derivative by every parameter and inner quantity."""
        return self.points.slopes

    @cached_property
    def references(self):
        return [*self.oracle.parameters(), *self.oracle.inner()]

    @cached_property
    def some(self):
        """One reference of every tensor, from the middle of its range."""
        tensors = {}
        for label, at in self.references:
            tensors.setdefault(label, []).append((label, at))
        return [elements[len(elements) // 2] for elements in tensors.values()]

    def given(self, letters, sample=0):
        """A sample's quantities of these letters: no others may stand in a form."""
        return Numbers({k: v for k, v in self.samples[sample].items() if k[0] in letters})

    @cached_property
    def labels(self):
        """The labels of all tensors of a sample."""
        return sorted(label for label, tensor in self.samples[0].items() if () not in tensor)

    def batch(self, label, samples):
        """A tensor over all samples; a parameter is the same for all."""
        if label[0] in "wb":
            return rows_of(samples[0][label])
        rows = [list(sample[label].values()) for sample in samples]
        return transposed(rows) if self.combination.bias else rows


def rows_of(tensor):
    """A tensor as rows; of one index, as a column."""
    rows = {}
    for (first, *_), value in sorted(tensor.items()):
        rows.setdefault(first, []).append(value)
    return list(rows.values())


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


ALL = "xywbzapdgh"


def check_elements(case, form, elements, letters):
    for element in elements:
        (label, at), expr = element, gradient(case.derivation, reference(*element), form)
        for sample in range(SAMPLES):
            wanted = case.expected[sample][label][at]
            assert close(case.given(letters, sample)(expr), wanted), element


def test_delta_form(case):
    check_elements(case, "delta", case.references, ALL)


def test_paths_form(case):
    check_elements(case, "paths", case.some, "xywbzap")


def test_weights_form(case):
    weight = case.oracle.weight
    elements = [("w1", weight(2, 1)), ("z1", (3,)), ("w2", weight(1, 3))]
    check_elements(case, "weights", elements, "xywb")


def test_index_form_at_indices(case):
    check_elements(case, "index", case.some, ALL)


def test_matrix_form(case):
    sample, expected = case.samples[0], case.expected[0]
    values = Numbers({}, matrices={label: rows_of(sample[label]) for label in case.labels})
    for label, _ in case.some:
        found = values(gradient(case.derivation, label, "matrix"))
        assert all_close(found, rows_of(expected[label])), label


def test_batch_form(case):
    matrices = {label: case.batch(label, case.samples) for label in case.labels}
    values = Numbers({}, {"N": SAMPLES}, matrices)
    for label, _ in case.some:
        found = values(gradient(case.derivation, label, "batch"))
        assert all_close(found, batch_expected(case, label)), label


def batch_expected(case, label):
    """The mean over the samples for parameters; sample by sample for what lies between."""
    if label[0] not in "wb":
        return case.batch(label, case.expected)
    tensors = [slopes[label] for slopes in case.expected]
    return rows_of({at: sum(tensor[at] for tensor in tensors) / SAMPLES for at in tensors[0]})


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
    symbols = {
        label: {at: Symbol(reference(label, at), real=True) for at in tensor}
        for label, tensor in case.samples[0].items()
        if label[0] in "xywb"
    }
    loss = case.oracle.forward(symbols, SCALARS)["L"][()]
    values, quantities = case.given("xywb"), case.given(ALL)
    biases = [("b1", (2,))] if combination.bias else []
    for label, at in (("w1", (1, 2)), ("w2", (2, 1)), *biases):
        name, wanted = reference(label, at), values(loss.diff(symbols[label][at]))
        assert close(quantities(gradient(case.derivation, name)), wanted), name
        assert close(values(gradient(case.derivation, name, "weights")), wanted), name
