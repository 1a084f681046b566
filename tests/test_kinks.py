"""Where a slope jumps, the gradient takes the one that the catalogue's row states."""

import pytest
from evaluate import Values
from networks import close, derived
from oracle import MP, formula

from bpderive.catalog import CATALOG
from bpderive.forms import gradient

KINKS = [(row, kink) for row in CATALOG.activations for kink in row.kinks]
LOSS_KINKS = [(row, kink) for row in CATALOG.losses for kink in row.kinks]


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_of_an_activation(row, kink):
    derivation = derived("1,1,1", activation=row.name)
    z = formula(kink.at)({}, ())
    a = formula(row.formula)({"z": z}, [z])
    values = Values({"z1[1]": z, "a1[1]": a, "delta2[1]": MP.mpf(1), "w2[1,1]": MP.mpf(1)})
    assert close(values(gradient(derivation, "delta1[1]")), formula(kink.slope)({}, ()))


@pytest.mark.parametrize(("row", "kink"), KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_in_the_weights_alone(row, kink):
    derivation = derived("1,1,1", activation=row.name)
    z = formula(kink.at)({}, ())
    given = {"x[1]": MP.mpf(1), "y[1]": MP.mpf(-3), "w1[1,1]": z, "w2[1,1]": MP.mpf(2)}
    error = 2 * formula(row.formula)({"z": z}, [z]) + 3
    found = Values(given)(gradient(derivation, "w1[1,1]", "weights"))
    assert close(found, 2 * error * formula(kink.slope)({}, ()))


@pytest.mark.parametrize(("row", "kink"), LOSS_KINKS, ids=lambda v: getattr(v, "name", ""))
def test_slope_at_a_kink_of_a_loss(row, kink):
    derivation = derived("1,1", loss=row.name)
    for y in (MP.mpf(1), MP.mpf(-1)):
        values = Values({"y[1]": y, "a1[1]": formula(kink.at)({"y": y}, ())})
        assert close(values(gradient(derivation, "a1[1]")), formula(kink.slope)({"y": y}, ()))
