"""What one library alone can do with a generated array API module: compile it, differentiate it."""

from random import Random

import numpy as np
import pytest
from array_libraries import module
from generated import ACTIVATIONS, point


def test_jax_compiles_it():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True):
        network = module(bias=True, activation="gelu", loss="softmax_cross_entropy")
        plain = point(network, "softmax_cross_entropy")
        given = jax.tree.map(jax.numpy.asarray, plain)
        value, grads = network.loss_and_grad(*plain)

        @jax.jit
        def train_step(params, state, x, y):
            found, slopes = network.loss_and_grad(params, x, y)
            slopes = network.clip_by_norm(network.l2_decay(params, slopes, 0.1), 1.0)
            return found, slopes, network.adam(params, slopes, state, 0.1)

        params, state = given[0], None
        for _ in range(3):
            found, slopes, (params, state) = train_step(params, state, *given[1:])
        found, slopes = jax.jit(network.loss_and_grad)(*given)
        assert float(found) == pytest.approx(float(value))
        own = jax.grad(network.loss)(*given)
        for key, grad in grads.items():
            np.testing.assert_allclose(slopes[key], grad, rtol=1e-11)
            np.testing.assert_allclose(own[key], grad, rtol=1e-9, atol=1e-12)
        expected, states = plain[0], None
        for _ in range(3):
            slopes = network.loss_and_grad(expected, *plain[1:])[1]
            slopes = network.clip_by_norm(network.l2_decay(expected, slopes, 0.1), 1.0)
            expected, states = network.adam(expected, slopes, states, 0.1)
        for key, value in expected.items():
            np.testing.assert_allclose(params[key], value, rtol=1e-9)
        with pytest.raises(ValueError, match="x must have shape"):
            jax.jit(network.loss)(given[0], given[2], given[2])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_autograd_of_torch_finds_the_gradient(activation):
    torch = pytest.importorskip("torch")
    network = module(activation=activation, bias=True, loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy")
    own = {key: torch.asarray(v).requires_grad_() for key, v in params.items()}
    x, y = torch.asarray(x), torch.asarray(y)
    network.loss(own, x, y).backward()
    with torch.no_grad():
        grads = network.loss_and_grad(own, x, y)[1]
    for key, grad in grads.items():
        torch.testing.assert_close(own[key].grad, grad, rtol=1e-10, atol=1e-12)


def test_torch_without_values():
    """On the device `meta` arrays have shapes alone: whoever looks at a value fails."""
    torch = pytest.importorskip("torch")
    network = module(activation="gelu", bias=True, loss="softmax_cross_entropy")
    params = network.init(Random(0), xp=torch, dtype=torch.float32, device="meta")
    x, y = (torch.ones((4, n), dtype=torch.float32, device="meta") for n in (3, 2))
    value, grads = network.loss_and_grad(params, x, y)
    new, _ = network.adam(params, network.clip_by_norm(grads, 1.0), None, 0.1)
    assert {array.device.type for array in (value, *new.values())} == {"meta"}


def test_dask_computes_nothing_until_it_is_asked():
    da = pytest.importorskip("dask.array")
    dask = pytest.importorskip("dask")

    def refuse(*_, **__):
        raise AssertionError("something was computed")

    network = module(activation="gelu", bias=True, loss="softmax_cross_entropy")
    params, x, y = point(network, "softmax_cross_entropy", n=7)
    lazy = {key: da.from_array(value) for key, value in params.items()}
    rows, labels = da.from_array(x, chunks=(3, 3)), da.from_array(y, chunks=(2, 2))
    with dask.config.set(scheduler=refuse):
        outputs = network.forward(lazy, rows)
        value, grads = network.loss_and_grad(lazy, rows, labels)
        new, _ = network.adam(lazy, network.clip_by_norm(grads, 0.1), None, 0.1)
        network.momentum(new, network.l2_decay(new, grads, 0.1), state=None, lr=0.1)
    assert outputs.chunks == ((3, 3, 1), (2,))
    assert {key: grad.chunks for key, grad in grads.items()} == {
        key: tuple((size,) for size in shape) for key, shape in network.SHAPES.items()
    }
    assert float(value) == pytest.approx(float(network.loss(params, x, y)))
    np.testing.assert_allclose(outputs.compute(), network.forward(params, x))
    unknown = rows[rows[:, 0] > 0]
    with pytest.raises(ValueError, match=r"known number of samples; for Dask: compute_chunk_sizes"):
        network.forward(lazy, unknown)
    known = unknown.compute_chunk_sizes()
    np.testing.assert_allclose(
        network.forward(lazy, known).compute(), network.forward(params, x[x[:, 0] > 0])
    )
