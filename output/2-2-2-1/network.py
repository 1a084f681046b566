"""A dense network of sizes 2, 2, 2, 1, and the gradient of its loss.

Activations: sigmoid (layers 1 to 2), linear (layer 3). Loss: half_squared_error, its
mean over the N samples. A number in a comment is that of the equation in the
derivation; dW1 is the gradient with respect to W1.

Run this file to check the gradient against central differences.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]

LAYERS = (2, 2, 2, 1)
SHAPES = {f"W{k}": (n, m) for k, (m, n) in enumerate(pairwise(LAYERS), 1)}
SCHEMES: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "zeros": lambda _, n, m: np.zeros((n, m)),
    "normal": lambda rng, n, m: rng.normal(0, 1, (n, m)),
    "uniform": lambda rng, n, m: rng.uniform(-1, 1, (n, m)),
    "xavier": lambda rng, n, m: rng.normal(0, (2 / (m + n)) ** 0.5, (n, m)),
    "he": lambda rng, n, m: rng.normal(0, (2 / m) ** 0.5, (n, m)),
}


def init(rng: np.random.Generator, scheme: str = "xavier") -> Params:
    """Return new parameters: random weights.

    Args:
        rng: where the randomness comes from, such as `np.random.default_rng(0)`.
        scheme: `zeros`; `normal`, of variance 1; `uniform`, from -1 to 1; `xavier`,
            normal of variance 2 / (inputs + outputs); `he`, normal of variance
            2 / inputs.

    Raises:
        ValueError: if there is no such scheme, or a size is wrong.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme {scheme!r}; there are {', '.join(SCHEMES)}")
    draw = SCHEMES[scheme]
    params: Params = {}
    for k, (m, n) in enumerate(pairwise(LAYERS), 1):
        params[f"W{k}"] = draw(rng, n, m)
    return params


def forward(params: Params, x: Array) -> Array:
    """Return the output a3 of the network.

    Args:
        params: the parameters, as `init` returns them.
        x: the samples, (N, 2), or (2,) for a single sample.

    Returns:
        a3: a row for each sample, (N, 1), or (1,) for a single sample.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params = _check_params(params)
    a3 = _forward(params, _check_x(params, x))[-1]
    return a3 if np.ndim(x) == 2 else a3[0]


def loss(params: Params, x: Array, y: Array) -> float:
    """Return the loss, the mean over the samples.

    Args:
        params: the parameters, as `init` returns them.
        x: the samples, (N, 2), or (2,) for a single sample.
        y: the labels, (N, 1), or (1,) for a single sample.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params, x, y = _check(params, x, y)
    *_, a3 = _forward(params, x)
    return _loss(a3, y)


def loss_and_grad(params: Params, x: Array, y: Array) -> tuple[float, Params]:
    """Return the loss and its gradient.

    Args:
        params: the parameters, as `init` returns them.
        x: the samples, (N, 2), or (2,) for a single sample.
        y: the labels, (N, 1), or (1,) for a single sample.

    Returns:
        The loss, and its gradient under the keys of `params`.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params, x, y = _check(params, x, y)
    n = len(x)
    a1, a2, a3 = _forward(params, x)
    L = _loss(a3, y)
    delta3 = a3 - y  # (8) (N, 1)
    dW3 = delta3.T / n @ a2  # (9) (1, 2)
    delta2 = (delta3 @ params["W3"]) * a2 * (1 - a2)  # (10) (N, 2)
    dW2 = delta2.T / n @ a1  # (11) (2, 2)
    delta1 = (delta2 @ params["W2"]) * a1 * (1 - a1)  # (12) (N, 2)
    dW1 = delta1.T / n @ x  # (13) (2, 2)
    grads = {"W1": dW1, "W2": dW2, "W3": dW3}
    return L, grads


def step(params: Params, grads: Params, lr: float) -> Params:
    """Return the parameters after a step against the gradient, `lr` its length.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params, grads = _check_params(params), _check_params(grads, "grads")
    return {key: value - float(lr) * grads[key] for key, value in params.items()}


def _forward(params: Params, x: Array) -> tuple[Array, ...]:
    """Return what the loss and the gradient need of the layers."""
    z1 = x @ params["W1"].T  # (1) (N, 2)
    a1 = sigmoid(z1)  # (2) (N, 2)
    z2 = a1 @ params["W2"].T  # (3) (N, 2)
    a2 = sigmoid(z2)  # (4) (N, 2)
    z3 = a2 @ params["W3"].T  # (5) (N, 1)
    a3 = z3  # (6) (N, 1)
    return a1, a2, a3


def _loss(a3: Array, y: Array) -> float:
    """Return the loss of the samples."""
    L = 0.5 * np.sum((a3 - y) ** 2) / len(y)  # (7)
    return float(L)


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), in one array; it is 0 where exp(-z) overflows."""
    a: Array = np.negative(z)
    with np.errstate(over="ignore"):
        np.exp(a, out=a)
    a += 1
    return np.divide(1, a, out=a)


def _check_params(params: Params, name: str = "params") -> Params:
    """Return the parameters as arrays of one floating type."""
    if params.keys() != SHAPES.keys():
        missing = ", ".join(key for key in SHAPES if key not in params) or "none"
        unknown = ", ".join(str(key) for key in params if key not in SHAPES) or "none"
        raise ValueError(f"keys of {name}: missing {missing}, unknown {unknown}")
    arrays = {key: np.asarray(params[key]) for key in SHAPES}
    for key, shape in SHAPES.items():
        found = arrays[key].shape
        if found != shape:
            raise ValueError(f"{name} {key} must have shape {shape}, got {found}")
    dtype = np.result_type(*{array.dtype for array in arrays.values()})
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    return {key: _real(name, array, dtype) for key, array in arrays.items()}


def _check_x(params: Params, x: Array) -> Array:
    """Return the samples as rows, in the type of the parameters."""
    x, m = np.asarray(x), LAYERS[0]
    if x.ndim not in (1, 2) or x.shape[-1] != m:
        raise ValueError(f"x must have shape (N, {m}) or ({m},), got {x.shape}")
    x = _real("x", x, params["W1"].dtype)
    return x if x.ndim == 2 else x[np.newaxis]


def _check(params: Params, x: Array, y: Array) -> tuple[Params, Array, Array]:
    """Return the parameters, and the samples and labels as rows."""
    params, y = _check_params(params), np.asarray(y)
    shape = (*np.shape(x)[:-1], LAYERS[-1])
    x = _check_x(params, x)
    if y.shape != shape:
        raise ValueError(f"y must have shape {shape}, got {y.shape}")
    if len(x) == 0:
        raise ValueError("x has no samples, and their mean no value")
    labels = _real("y", y, x.dtype)
    return params, x, labels if y.ndim == 2 else labels[np.newaxis]


def _real(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Return an array of real numbers in a floating type."""
    if array.dtype == dtype:
        return array
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name} must hold real numbers, got {array.dtype}")
    return array.astype(dtype)


def check(rng: np.random.Generator) -> tuple[float, int, int]:
    """Compare the gradient with central differences, at random parameters and samples.

    Differences over two lengths of step must agree; where they do not, the step crosses
    a kink of the loss, and the element is left out.

    Returns:
        The largest relative error, how many elements were compared (200 at most, of all
        parameters), and how many were left out.
    """
    params = init(rng)
    m, n = LAYERS[0], LAYERS[-1]
    x, y = rng.normal(size=(5, m)), rng.normal(size=(5, n))
    value, grads = loss_and_grad(params, x, y)
    floor = 1e-4 * max(1.0, abs(value))

    def slope(key: str, index: int, step: float) -> float:
        """Return the central difference of the loss by one element."""
        values = []
        for sign in (1, -1):
            moved = params[key].copy()
            moved.flat[index] += sign * step
            values.append(loss({**params, key: moved}, x, y))
        return (values[0] - values[1]) / (2 * step)

    count = max(1, 200 // len(params))
    places = [
        (key, index)
        for key in rng.permutation(list(params))[:200]
        for index in rng.permutation(params[key].size)[:count]
    ]
    errors = []
    for key, index in places:
        coarse, fine = slope(key, index, 1e-5), slope(key, index, 5e-6)
        exact = grads[key].flat[index]
        scale = max(abs(fine), abs(exact)) + floor
        if abs(coarse - fine) <= 5e-7 * scale:
            errors.append(abs(exact - fine) / scale)
    return float(np.max(errors, initial=0.0)), len(errors), len(places) - len(errors)


def main() -> int:
    """Check the gradient and print what came out."""
    error, compared, left_out = check(np.random.default_rng(0))
    passed = error < 1e-6 and compared > left_out
    print(
        f"gradient check {'passed' if passed else 'FAILED'}: "
        f"largest relative error {error:.0e} of {compared} elements, "
        f"{left_out} left out at kinks"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
# bpderive:1df9a80793527a31
