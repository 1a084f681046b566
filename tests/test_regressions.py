"""What went wrong once, and must not again: a row for each network that was reported."""

import numpy as np
import pytest

import bpderive
from bpderive.catalog import CATALOG, Activation


@pytest.mark.parametrize(
    ("layers", "sizes"),
    [("5,5,5,5,5", (5,) * 5), ("3*7", (3,) * 7), ("2,4*6,1", (2, *(4,) * 6, 1))],
)
def test_runs_of_equal_widths_are_a_tuple(layers, sizes):
    derivation = bpderive.derive(bpderive.network(layers))
    assert sizes == bpderive.load(derivation).LAYERS


@pytest.mark.parametrize("samples", [3, 4, 5])
@pytest.mark.parametrize(
    "activation",
    ["z/max(sum(abs(z)),1)", "where(sum(z) > 0, z, 2*z)", "z*sum(z)", "tanh(z)*max(sum(z), z)"],
)
def test_sums_over_the_layer_keep_their_axis(activation, samples):
    """Also with as many samples as neurons, where a wrong axis broadcasts silently."""
    derivation = bpderive.derive(bpderive.network("2,4,3", activation=activation, bias=True))
    code = bpderive.load(derivation)
    rng = np.random.default_rng(7)
    params = {key: rng.normal(size=value.shape) for key, value in code.init(rng).items()}
    x, y = rng.normal(size=(samples, 2)), rng.normal(size=(samples, 3))
    _, grads = code.loss_and_grad(params, x, y)
    for key, value in params.items():
        for at in np.ndindex(value.shape):
            losses = []
            for step in (1e-6, -1e-6):
                moved = value.copy()
                moved[at] += step
                losses.append(code.loss({**params, key: moved}, x, y))
            assert grads[key][at] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-6)


@pytest.mark.parametrize("layers", ["2,1*300,1", "2,1*40,1"])
def test_thin_deep_networks_are_written(layers):
    derivation = bpderive.derive(bpderive.network(layers))
    for name in ("latex", "markdown", "text"):
        assert len(bpderive.render(derivation, name)) < 100_000


@pytest.mark.parametrize("formula", ["sum(z)", "tanh(sum(z))"])
def test_a_formula_must_hold_z_by_itself(formula):
    with pytest.raises(bpderive.SpecError, match="not only inside sum"):
        bpderive.network("2,3,1", activation=formula)


@pytest.mark.parametrize("name", ["f", "a b", 'x"""', "select", "_x", r"\input{x}", "", "a" * 41])
def test_rows_have_names_that_can_be_printed(name):
    with pytest.raises(bpderive.SpecError, match="cannot name a row"):
        CATALOG.extended(Activation(name, "z**2"))


@pytest.mark.parametrize("width", ["N", "L", "x", "x1", "w2", "delta1", "e"])
def test_widths_leave_the_letters_of_quantities_alone(width):
    with pytest.raises(bpderive.SpecError, match="another quantity"):
        bpderive.network(f"2,{width},1")


def test_a_delta_never_stays_inside_a_select():
    loss = "where(a > 0, a*exp(a), (a+1)*(a*tanh(a)+y)) + a**2"
    derivation = bpderive.derive(bpderive.network("3,2", loss=loss))
    assert "δᵢₖ" not in str(derivation.gradient("delta1", "index"))
    assert "KroneckerDelta" not in str(derivation.gradient("delta1", "index"))


def test_counts_beyond_the_limit_of_digits():
    derivation = bpderive.derive(bpderive.network("2,4*9998,1"))
    assert "10" in bpderive.render(derivation, "text")
