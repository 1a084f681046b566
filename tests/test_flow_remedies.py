"""Remedies: what they make of a network; dangers, and which remedies are named."""

import math

import pytest

import bpderive
from bpderive.flow.dangers import DEAD, warned
from bpderive.flow.expectation import expected
from bpderive.flow.model import Expectation, Expected, Measurement, Spread
from bpderive.flow.remedies import REMEDIES
from bpderive.flow.schemes import SCHEMES

XAVIER = SCHEMES["xavier"]
NETWORKS = ("3,5*6,2", "3,4,6,5,2", "4,6:tanh,5:relu,3")


@pytest.mark.parametrize("layers", NETWORKS)
@pytest.mark.parametrize("name", REMEDIES)
def test_what_a_remedy_makes_is_a_network_with_code(name, layers):
    spec = bpderive.network(layers, bias=True).spec
    found, drawn = REMEDIES[name].applied(spec, XAVIER)
    network = bpderive.network(found)
    code = bpderive.load(bpderive.derive(network), "python")
    assert callable(code.loss_and_grad)
    expectation = expected(network, drawn)
    assert expectation.stopped == ()
    assert all(level.gradient is not None for level in expectation.levels)
    again = bpderive.network(
        ",".join([found.input.text, *(i.text for i in found.items)]) if found.items else found,
        bias=True,
    )
    assert again.depth == network.depth


TEXTS = (
    ("batchnorm", "4:linear,batchnorm,sigmoid,6:linear,batchnorm,sigmoid,2"),
    ("layernorm", "4:linear,layernorm,sigmoid,6:linear,layernorm,sigmoid,2"),
    ("residual", "4:linear,residual(sigmoid,6:linear,project=true),sigmoid,2"),
    ("fixup", "4:linear,residual(sigmoid,6:linear,project=true),sigmoid,2"),
)


@pytest.mark.parametrize(("name", "text"), TEXTS)
def test_the_layers_of_a_remedy(name, text):
    found, _ = REMEDIES[name].applied(bpderive.network("3,4,6,2").spec, XAVIER)
    assert ",".join(item.text for item in found.items) == text


NONE = (
    ("relu_he", "3,2", {}),
    ("residual", "3,4,2", {}),
    ("shallower", "3,4,2", {}),
    ("batchnorm", "3,2", {}),
    ("batchnorm", "3,4:tanh,layernorm,2", {}),
    ("relu_he", "3,4,batchnorm,2", {}),
    ("tanh_xavier", "3,4,2", {"activation": "tanh"}),
)


@pytest.mark.parametrize(("name", "layers", "options"), NONE)
def test_remedies_that_cannot_be_applied_or_change_nothing(name, layers, options):
    spec = bpderive.network(layers, **options).spec
    assert REMEDIES[name].applied(spec, XAVIER) is None


def test_activations_inside_blocks_are_changed_and_the_output_is_kept():
    spec = bpderive.network("3,4:tanh,residual(sigmoid,4),1:sigmoid").spec
    found, drawn = REMEDIES["relu_he"].applied(spec, XAVIER)
    told = ",".join(item.text for item in found.items)
    assert told == "4:relu,residual(relu,4),1:sigmoid"
    assert drawn.name == "he"


# --- Dangers ---


def level(number, gradient):
    return Expected(number, f"W{number}", 1.0, 1.0, None, gradient)


def expectation(*powers):
    return Expectation(tuple(level(at, power) for at, power in enumerate(powers, 1)))


def measurement(*rows):
    spreads = tuple(
        Spread(at, f"W{at}", rms, rms, 0.0, rms, rms, (rms,) * 5, dead)
        for at, (rms, dead) in enumerate(rows, 1)
    )
    return Measurement(spreads, "xavier", 10, 4, 1)


CASES = (
    (expectation(-7, -4, -1, 0), None, [("vanishing", 1, 4, -7, "expected")]),
    (expectation(-2.9, -1, 0), None, []),
    (expectation(5, 2, 0), None, [("exploding", 1, 3, 5, "expected")]),
    (expectation(None, -4, 0), None, [("vanishing", 2, 3, -4, "expected")]),
    (expectation(), None, []),
    (None, measurement((1e-5, 0), (1, 0)), [("vanishing", 1, 2, -5, "measured")]),
    (expectation(-7, 0), measurement((1, 0), (1, 0)), []),
    (None, measurement((0.0, 1.0), (1, 0)), [("dead", 1, 2, 0, "measured")]),
    (None, measurement((1, DEAD - 0.01), (1, 0)), []),
    (None, None, []),
)


@pytest.mark.parametrize(("first", "second", "wanted"), CASES)
def test_dangers(first, second, wanted):
    found = [
        (one.kind, one.layer, one.against, one.power, one.source) for one in warned(first, second)
    ]
    assert [one[:3] + one[4:] for one in found] == [one[:3] + one[4:] for one in wanted]
    assert [one[3] for one in found] == pytest.approx([one[3] for one in wanted], abs=1e-9)


def test_remedies_that_help_are_named_the_best_first():
    network = bpderive.network("2,64*20,1")
    (found,) = warned(expected(network, XAVIER), None, network.spec, XAVIER)
    assert found.kind == "vanishing"
    assert found.remedies[0] == "tanh_xavier"
    assert len(found.remedies) > 2
    left = []
    for name in found.remedies:
        spec, drawn = REMEDIES[name].applied(network.spec, XAVIER)
        powers = [one.gradient for one in expected(bpderive.network(spec), drawn).levels]
        left.append(round(max(powers) - min(powers), 2))
    assert left == sorted(left)
    assert left[-1] < 6.5


@pytest.mark.parametrize("name", ["shallower", "layernorm", "orthogonal"])
def test_remedies_that_do_not_help_are_not_named(name):
    network = bpderive.network("2,64*20,1")
    (found,) = warned(expected(network, XAVIER), None, network.spec, XAVIER)
    assert name not in found.remedies


def test_a_sound_network_is_not_warned_of():
    network = bpderive.network("20,64*30,1", activation="relu")
    assert warned(expected(network, SCHEMES["he"]), None, network.spec, SCHEMES["he"]) == ()
    assert math.isfinite(expected(network, SCHEMES["he"]).levels[0].gradient)
