"""Generated NumPy modules for the tests: made, imported, and points to try them at."""

from functools import cache
from types import ModuleType

import numpy as np

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.network import build as lay_out
from bpderive.program import build as plan
from bpderive.spec import parse_spec
from bpderive.targets import generate

ACTIVATIONS = {row.name: row for row in CATALOG.activations}
LOSSES = {row.name: row for row in CATALOG.losses}
FORMULAS = (
    "z*tanh(log(1+exp(z)))",
    "max(z, z**3)/(1 + min(abs(z), 2))",
    "2**z + where(z > 1, 2, 3)*sqrt(1 + abs(z))",
    "exp(2*z)/sum(exp(2*z))",
    "z/sum(abs(z))",
    "tanh(z)*max(sum(z)/3, z)",
    "sin(z)*cos(z)/(2+sin(z)*cos(z)+exp(-z**2)*erf(z)*erf(z)+tanh(z/3)**2)**3*sinh(z/100)*cosh(z)"
    "+log(1+exp(sin(z)))*sign(z)*abs(z)**1.5-log(1+abs(z))",
    "where(z > 0, log(1 + z), -log(1 - z))",
)


def load(text):
    """The module of a text."""
    found = ModuleType("network")
    exec(text, found.__dict__)  # noqa: S102 - our own code
    return found


@cache
def source(layers="3,4,2", catalog=CATALOG, target="numpy", **options):
    return generate(plan(derive(lay_out(parse_spec(layers, **options), catalog))), target)


@cache
def module(layers="3,4,2", catalog=CATALOG, target="numpy", **options):
    return load(source(layers, catalog, target, **options))


def labels(rng, kind, n, outputs):
    return {
        "real": rng.normal(size=(n, outputs)),
        "binary": rng.integers(2, size=(n, outputs)).astype(float),
        "sign": rng.choice((-1.0, 1.0), (n, outputs)),
        "distribution": rng.dirichlet(np.ones(outputs), n),
        "count": rng.poisson(2, (n, outputs)).astype(float),
    }[kind]


def point(network, loss="half_squared_error", n=4):
    """Parameters without symmetry, samples and labels."""
    rng = np.random.default_rng(len(loss) + n)
    params = {key: rng.normal(0, 0.7, shape) for key, shape in network.SHAPES.items()}
    x = rng.normal(size=(n, network.LAYERS[0]))
    return params, x, labels(rng, LOSSES[loss].label, n, network.LAYERS[-1])


def differences(function, params, step=1e-6):
    """The gradient of a function of the parameters by central differences."""
    grads = {}
    for key, value in params.items():
        grads[key] = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[index] += sign * step
                ends.append(function({**params, key: moved}))
            grads[key][index] = (ends[0] - ends[1]) / (2 * step)
    return grads
