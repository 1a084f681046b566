"""Array libraries for the tests of the generated array API module: each in turn."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from generated import load

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.network import build as lay_out
from bpderive.program import build as plan
from bpderive.spec import parse_spec
from bpderive.targets import array_api

LIBRARIES = {
    "numpy": "numpy",
    "strict": "array_api_strict",
    "torch": "torch",
    "jax": "jax.numpy",
    "dask": "dask.array",
}
TOLERANCE = {"float32": 2e-4, "float64": 1e-11}
USUALLY = {"jax": 10, "dask": 5}
"""One of how many rows is tried in the usual run; JAX compiles every operation of a new shape."""


@cache
def source(layers="3,4,2", catalog=CATALOG, **options):
    network = lay_out(parse_spec(layers, **options), catalog)
    return array_api.generate(plan(derive(network)), "network")


@cache
def module(layers="3,4,2", catalog=CATALOG, **options):
    return load(source(layers, catalog, **options))


def strict_flags(xs):
    """Nothing but the standard of 2024, and of its options the linear algebra alone."""
    return xs.ArrayAPIStrictFlags(
        api_version="2024.12",
        boolean_indexing=False,
        data_dependent_shapes=False,
        enabled_extensions=("linalg",),
    )


def each_library(request):
    """The fixture `lib` of a module of tests: `lib = pytest.fixture(each_library, params=…)`."""
    name = request.param
    xp = pytest.importorskip(LIBRARIES[name], reason=f"{name} is not installed")

    def array(value, dtype="float64"):
        value = np.asarray(value, dtype=dtype)
        if name == "dask":
            return xp.from_array(value, chunks=(2, -1) if value.ndim == 2 else -1)
        return xp.asarray(value)

    def arrays(values, dtype="float64"):
        return {key: array(value, dtype) for key, value in values.items()}

    def back(value):
        """An array as NumPy's, after a look at its library."""
        assert type(value).__module__.split(".")[0] in (xp.__name__.split(".")[0], "jaxlib")
        return np.asarray(value)

    found = SimpleNamespace(name=name, xp=xp, array=array, arrays=arrays, back=back)
    if name == "strict":
        with strict_flags(xp):
            yield found
    elif name == "jax":
        with pytest.importorskip("jax").enable_x64(True):
            yield found
    else:
        yield found


def close(lib, found, expected, tolerance, dtype="float64"):
    found = lib.back(found)
    if found.ndim or np.lib.NumpyVersion(np.__version__) >= "2.0.0":
        assert found.dtype == dtype  # a number of NumPy 1 is a float64 after any division
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def compare(lib, network, reference, given, dtypes=("float64", "float32")):
    """Outputs, loss and gradients, in both types; the reference computes in float64."""
    params, x, y = given
    outputs, (value, grads) = reference.forward(params, x), reference.loss_and_grad(*given)
    for dtype in dtypes:
        within = TOLERANCE[dtype]
        cast = lib.arrays(params, dtype), lib.array(x, dtype), lib.array(y, dtype)
        close(lib, network.forward(*cast[:2]), outputs, within, dtype)
        found, slopes = network.loss_and_grad(*cast)
        scale = max(1, abs(value))
        close(lib, found / scale, value / scale, within, dtype)
        close(lib, network.loss(*cast) / scale, value / scale, within, dtype)
        assert list(slopes) == list(grads)
        for key, grad in grads.items():
            close(lib, slopes[key], grad, within * scale, dtype)


def everywhere(names, rows):
    """Rows for every library; JAX and Dask take long over each, and usually see a few."""
    rows = [row if isinstance(row, tuple) else (row,) for row in rows]
    params = [
        pytest.param(
            name,
            *row,
            marks=[pytest.mark.long] * bool(k % USUALLY.get(name, 1)),
            id=f"{name}-{'-'.join(map(str, row))}",
        )
        for name in LIBRARIES
        for k, row in enumerate(rows)
    ]
    return pytest.mark.parametrize(("lib", *names), params, indirect=["lib"])
