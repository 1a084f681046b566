"""Where a slope jumps, the gradient takes the one that the catalogue's row states."""

import pytest
from networks import close, derived

from bpderive.catalog import CATALOG
from bpderive.forms import gradient
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate import Numbers
from bpderive.verify.formulas import REAL, read

KINKS = [(row, kink) for row in CATALOG.activations for kink in row.kinks]
LOSS_KINKS = [(row, kink) for row in CATALOG.losses for kink in row.kinks]


def number(text, layer=(), **values):
    return read(text, REAL)(values, layer)


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_of_an_activation(row, kink):
    derivation = derived("1,1,1", activation=row.name)
    z = number(kink.at)
    a = number(row.formula, [z], z=z)
    one = {(1,): MP.mpf(1)}
    values = Numbers({"z1": {(1,): z}, "a1": {(1,): a}, "delta2": one, "w2": {(1, 1): MP.mpf(1)}})
    assert close(values(gradient(derivation, "delta1[1]")), number(kink.slope))


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_in_the_weights_alone(row, kink):
    derivation = derived("1,1,1", activation=row.name)
    z = number(kink.at)
    given = {"x": {(1,): MP.mpf(1)}, "y": {(1,): MP.mpf(-3)}}
    given |= {"w1": {(1, 1): z}, "w2": {(1, 1): MP.mpf(2)}}
    error = 2 * number(row.formula, [z], z=z) + 3
    found = Numbers(given)(gradient(derivation, "w1[1,1]", "weights"))
    assert close(found, 2 * error * number(kink.slope))


@pytest.mark.parametrize(("row", "kink"), LOSS_KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_of_a_loss(row, kink):
    derivation = derived("1,1", loss=row.name)
    for y in (MP.mpf(1), MP.mpf(-1)):
        values = Numbers({"y": {(1,): y}, "a1": {(1,): number(kink.at, y=y)}})
        assert close(values(gradient(derivation, "a1[1]")), number(kink.slope, y=y))
