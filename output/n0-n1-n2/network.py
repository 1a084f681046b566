"""A dense network of sizes n0, n1, n2, and the gradient of its loss.

Activations: sigmoid (layer 1), linear (layer 2). Loss: half_squared_error, its mean
over the N samples. A number in a comment is that of the equation in the derivation; dW1
is the gradient with respect to W1.

Run this file to check the gradient against central differences.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]
State = dict[str, Any]

LAYERS: tuple[int | str, ...] = ("n0", "n1", "n2")
SHAPES = {f"W{k}": (n, m) for k, (m, n) in enumerate(pairwise(LAYERS), 1)}
FIXED: dict[int | str, int] = {size: size for size in LAYERS if isinstance(size, int)}
Optimizer = Callable[[Params, Params, State | None, float], tuple[Params, State]]


def forward(params: Params, x: Array) -> Array:
    """Return the output a2 of the network.

    Args:
        params: the parameters, as `init` returns them.
        x: the samples, (N, n0), or (n0,) for a single sample.

    Returns:
        a2: a row for each sample, (N, n2), or (n2,) for a single sample.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params = _check_params(params)
    a2 = _forward(params, _check_x(params, x))[-1]
    return a2 if np.ndim(x) == 2 else a2[0]


def loss(params: Params, x: Array, y: Array) -> float:
    """Return the loss, the mean over the samples.

    Args:
        params: the parameters, as `init` returns them.
        x: the samples, (N, n0), or (n0,) for a single sample.
        y: the labels, (N, n2), or (n2,) for a single sample.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params, x, y = _check(params, x, y)
    *_, a2 = _forward(params, x)
    return _loss(a2, y)


def loss_and_grad(params: Params, x: Array, y: Array) -> tuple[float, Params]:
    """Return the loss and its gradient.

    Args:
        params: the parameters, as `init` returns them.
        x: the samples, (N, n0), or (n0,) for a single sample.
        y: the labels, (N, n2), or (n2,) for a single sample.

    Returns:
        The loss, and its gradient under the keys of `params`.

    Raises:
        ValueError: if a shape, or the name of a parameter, is wrong.
    """
    params, x, y = _check(params, x, y)
    n = len(x)
    a1, a2 = _forward(params, x)
    L = _loss(a2, y)
    delta2 = a2 - y  # (6) (N, n2)
    dW2 = delta2.T / n @ a1  # (7) (n2, n1)
    delta1 = (delta2 @ params["W2"]) * a1 * (1 - a1)  # (8) (N, n1)
    dW1 = delta1.T / n @ x  # (9) (n1, n0)
    grads = {"W1": dW1, "W2": dW2}
    return L, grads


def _forward(params: Params, x: Array) -> tuple[Array, ...]:
    """Return what the loss and the gradient need of the layers."""
    z1 = x @ params["W1"].T  # (1) (N, n1)
    a1 = sigmoid(z1)  # (2) (N, n1)
    z2 = a1 @ params["W2"].T  # (3) (N, n2)
    a2 = z2  # (4) (N, n2)
    return a1, a2


def _loss(a2: Array, y: Array) -> float:
    """Return the loss of the samples."""
    L = 0.5 * np.sum((a2 - y) ** 2) / len(y)  # (5)
    return float(L)


def sigmoid(z: Array) -> Array:
    """Return 1 / (1 + exp(-z)), in one array; it is 0 where exp(-z) overflows."""
    a: Array = np.negative(z)
    with np.errstate(over="ignore"):
        np.exp(a, out=a)
    a += 1
    return np.divide(1, a, out=a)


# --- Training ---


def _truncated(rng: np.random.Generator, n: int, m: int) -> Array:
    """Return normal numbers of variance 1, drawn again where they are beyond 2."""
    draws = rng.normal(size=(n, m))
    while (far := np.abs(draws) > 2).any():
        draws[far] = rng.normal(size=np.count_nonzero(far))
    return draws


def _orthogonal(rng: np.random.Generator, n: int, m: int) -> Array:
    """Return a matrix with orthonormal rows, or columns where they are fewer.

    Source: A. M. Saxe, J. L. McClelland, S. Ganguli, Exact solutions to the nonlinear
    dynamics of learning in deep linear neural networks, ICLR 2014.
    """
    q, r = np.linalg.qr(rng.normal(size=(max(n, m), min(n, m))))
    q *= np.copysign(1, np.diag(r))  # without it, not all directions are equally likely
    return q if n >= m else q.T.copy()


SCHEMES: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "zeros": lambda _, n, m: np.zeros((n, m)),
    "normal": lambda rng, n, m: rng.normal(0, 1, (n, m)),
    "uniform": lambda rng, n, m: rng.uniform(-1, 1, (n, m)),
    "truncated_normal": _truncated,
    "xavier": lambda rng, n, m: rng.normal(0, (2 / (m + n)) ** 0.5, (n, m)),
    "glorot": lambda rng, n, m: rng.normal(0, (2 / (m + n)) ** 0.5, (n, m)),
    "he": lambda rng, n, m: rng.normal(0, (2 / m) ** 0.5, (n, m)),
    "orthogonal": _orthogonal,
}


def init(
    rng: np.random.Generator, layers: tuple[int, ...], scheme: str = "xavier"
) -> Params:
    """Return new parameters: random weights.

    Args:
        rng: where the randomness comes from, such as `np.random.default_rng(0)`.
        layers: the sizes of the layers, a number for each name in LAYERS.
        scheme: `zeros`; `normal`, of variance 1; `uniform`, from -1 to 1;
            `truncated_normal`, drawn again beyond 2; `xavier` or `glorot`, normal of
            variance 2 / (inputs + outputs); `he`, normal of variance 2 / inputs;
            `orthogonal`.

    Raises:
        ValueError: if there is no such scheme, or a size is wrong.
    """
    if scheme not in SCHEMES:
        raise ValueError(f"unknown scheme {scheme!r}; there are {', '.join(SCHEMES)}")
    draw = SCHEMES[scheme]
    _bind("layers", LAYERS, tuple(layers), dict(FIXED))
    params: Params = {}
    for k, (m, n) in enumerate(pairwise(layers), 1):
        params[f"W{k}"] = draw(rng, n, m)
    return params


def step(params: Params, grads: Params, lr: float) -> Params:
    """Return the parameters after a step against the gradient: w - lr g.

    Raises:
        ValueError: if a shape, the name of a parameter, or the rate is wrong.
    """
    params, grads, lr = _check_step(params, grads, lr)
    return {key: value - lr * grads[key] for key, value in params.items()}


def momentum(
    params: Params, grads: Params, state: State | None, lr: float, beta: float = 0.9
) -> tuple[Params, State]:
    """Return the parameters after a step with momentum, and the state for the next.

    v = beta v + g, then w - lr v. The state holds v; for the first step it is None.

    Raises:
        ValueError: if a shape, the name of a parameter, or a rate is wrong.
    """
    params, grads, lr = _check_step(params, grads, lr)
    beta = _rate("beta", beta)
    _check_state(state, "v")
    if state:
        before = _check_params(state["v"], "v of the state", params)
        v = {key: beta * before[key] + g for key, g in grads.items()}
    else:
        v = {key: g.copy() for key, g in grads.items()}
    return {key: w - lr * v[key] for key, w in params.items()}, {"v": v}


def adam(
    params: Params,
    grads: Params,
    state: State | None,
    lr: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> tuple[Params, State]:
    """Return the parameters after a step of Adam, and the state for the next.

    m and v are running means of g and g², with t steps in them; the step is
    lr m / (1 - beta1^t) over the root of v / (1 - beta2^t), plus eps. The state holds
    m, v and t; for the first step it is None.

    Source: D. P. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015.

    Raises:
        ValueError: if a shape, the name of a parameter, or a rate is wrong.
    """
    params, grads, lr = _check_step(params, grads, lr)
    beta1, beta2 = _rate("beta1", beta1, below=1), _rate("beta2", beta2, below=1)
    eps, zero = _rate("eps", eps), {key: np.zeros_like(g) for key, g in grads.items()}
    _check_state(state, "t", "m", "v")
    state = state or {"t": 0, "m": zero, "v": zero}
    m0 = _check_params(state["m"], "m of the state", params)
    v0 = _check_params(state["v"], "v of the state", params)
    t = state["t"] + 1
    m = {key: beta1 * m0[key] + (1 - beta1) * g for key, g in grads.items()}
    v = {key: beta2 * v0[key] + (1 - beta2) * g**2 for key, g in grads.items()}
    new = {
        key: w - lr / (1 - beta1**t) * m[key] / (np.sqrt(v[key] / (1 - beta2**t)) + eps)
        for key, w in params.items()
    }
    return new, {"t": t, "m": m, "v": v}


def clip_by_value(grads: Params, bound: float) -> Params:
    """Return the gradients with each element between -bound and bound.

    Raises:
        ValueError: if a shape, the name of a parameter, or the bound is wrong.
    """
    grads, bound = _check_params(grads, "grads"), _rate("bound", bound)
    return {key: np.clip(g, -bound, bound) for key, g in grads.items()}


def clip_by_norm(grads: Params, bound: float) -> Params:
    """Return the gradients, all shortened alike where their norm is above the bound.

    The norm is that of all gradients together, so that the step keeps its direction.

    Raises:
        ValueError: if a shape, the name of a parameter, or the bound is wrong.
    """
    grads, bound = _check_params(grads, "grads"), _rate("bound", bound)
    grads = {key: g.copy() for key, g in grads.items()}
    largest = max(float(np.max(np.abs(g), initial=0)) for g in grads.values())
    if largest == 0:
        return grads
    scaled = {key: g / largest for key, g in grads.items()}  # the squares may overflow
    norm = sum(float(np.sum(g**2)) for g in scaled.values()) ** 0.5
    if norm <= bound / largest:
        return grads
    return {key: g * (bound / norm) for key, g in scaled.items()}


def l2_decay(params: Params, grads: Params, rate: float) -> Params:
    """Return the gradients of the loss plus rate / 2 times the squares of all weights.

    Raises:
        ValueError: if a shape, the name of a parameter, or the rate is wrong.
    """
    params, grads, rate = _check_step(params, grads, rate, "rate")
    return {
        key: g + rate * params[key] if key.startswith("W") else g.copy()
        for key, g in grads.items()
    }


OPTIMIZERS: dict[str, Optimizer] = {
    "sgd": lambda params, grads, _, lr: (step(params, grads, lr), {}),
    "momentum": momentum,
    "adam": adam,
}


def train(
    params: Params,
    x: Array,
    y: Array,
    *,
    epochs: int = 10,
    batch: int = 32,
    lr: float = 0.1,
    optimizer: str = "sgd",
    decay: float = 0.0,
    clip_value: float | None = None,
    clip_norm: float | None = None,
    seed: int = 0,
    progress: Callable[[int, int, float], object] | None = None,
) -> tuple[Params, list[float]]:
    """Return the parameters after training on minibatches, and the loss of each epoch.

    Args:
        params: the parameters to begin with; they are not modified.
        x: the samples, (N, n0), or (n0,) for a single sample.
        y: the labels, (N, n2), or (n2,) for a single sample.
        epochs: how often each sample is met.
        batch: how many samples a step takes; the last of an epoch may have fewer.
        lr: the length of a step.
        optimizer: `sgd`, `momentum` or `adam`.
        decay: the rate of `l2_decay`.
        clip_value: the bound of `clip_by_value`; it comes after the decay.
        clip_norm: the bound of `clip_by_norm`; it comes last.
        seed: of the order of the samples, a new one in each epoch.
        progress: called after each step with the steps done, the steps in all, and the
            loss of the step's samples.

    Returns:
        The new parameters, and for each epoch the loss over all samples, each as it was
        met; the decay is not in it.

    Raises:
        ValueError: if a shape, the name of a parameter, or an option is wrong.
    """
    params, x, y = _check(params, x, y)
    if optimizer not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise ValueError(f"unknown optimizer {optimizer!r}; there are {known}")
    epochs, batch = _count("epochs", epochs), _count("batch", batch)
    if len(x) == 0:
        raise ValueError("x has no samples to train on")
    state: State | None = None
    rng, history = np.random.default_rng(seed), []
    for epoch in range(epochs):
        order, total = rng.permutation(len(x)), 0.0
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            L, grads = loss_and_grad(params, x[rows], y[rows])
            if decay:
                grads = l2_decay(params, grads, decay)
            if clip_value is not None:
                grads = clip_by_value(grads, clip_value)
            if clip_norm is not None:
                grads = clip_by_norm(grads, clip_norm)
            params, state = OPTIMIZERS[optimizer](params, grads, state, lr)
            total += L * len(rows)
            if progress is not None:
                steps = -(-len(x) // batch)
                progress(epoch * steps + start // batch + 1, epochs * steps, L)
        history.append(total / len(x))
    return params, history


# --- What is given ---


def _check_params(
    params: Params, name: str = "params", like: Params | None = None
) -> Params:
    """Return the parameters as arrays of one floating type."""
    keys = params.keys() if isinstance(params, Mapping) else set()
    if keys != SHAPES.keys():
        missing = ", ".join(key for key in SHAPES if key not in keys) or "none"
        unknown = ", ".join(str(key) for key in keys if key not in SHAPES) or "none"
        raise ValueError(f"keys of {name}: missing {missing}, unknown {unknown}")
    arrays = {key: np.asarray(params[key]) for key in SHAPES}
    sizes = dict(FIXED)
    for key, shape in SHAPES.items():
        _bind(f"{name} {key}", shape, arrays[key].shape, sizes)
        if like is not None and arrays[key].shape != like[key].shape:
            expected, found = like[key].shape, arrays[key].shape
            raise ValueError(f"{name} {key} must have shape {expected}, got {found}")
    dtype = np.result_type(*{array.dtype for array in arrays.values()})
    dtype = dtype if dtype.kind == "f" else np.dtype(float)
    return {key: _real(name, array, dtype) for key, array in arrays.items()}


def _bind(
    name: str,
    shape: tuple[int | str, ...],
    found: tuple[int, ...],
    sizes: dict[int | str, int],
) -> None:
    """Check a shape; a name stands for the first size that is found for it."""
    if len(found) != len(shape):
        raise ValueError(f"{name} must have shape {shape}, got {found}")
    pairs = zip(shape, found, strict=True)
    expected = tuple(sizes.setdefault(size, number) for size, number in pairs)
    if found != expected:
        raise ValueError(f"{name} must have shape {shape} = {expected}, got {found}")


def _check_x(params: Params, x: Array) -> Array:
    """Return the samples as rows, in the type of the parameters."""
    x, m = np.asarray(x), params["W1"].shape[1]
    if x.ndim not in (1, 2) or x.shape[-1] != m:
        raise ValueError(f"x must have shape (N, {m}) or ({m},), got {x.shape}")
    x = _real("x", x, params["W1"].dtype)
    return x if x.ndim == 2 else x[np.newaxis]


def _check(params: Params, x: Array, y: Array) -> tuple[Params, Array, Array]:
    """Return the parameters, and the samples and labels as rows."""
    params, y = _check_params(params), np.asarray(y)
    shape = (*np.shape(x)[:-1], params["W2"].shape[0])
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


def _check_step(
    params: Params, grads: Params, lr: float, name: str = "lr"
) -> tuple[Params, Params, float]:
    """Return the parameters and gradients as arrays, and the rate as a number."""
    params = _check_params(params)
    return params, _check_params(grads, "grads", params), _rate(name, lr)


def _check_state(state: State | None, *keys: str) -> None:
    """Refuse the state of another optimizer."""
    if state and state.keys() != set(keys):
        known, found = ", ".join(keys), ", ".join(map(str, state))
        raise ValueError(f"the state must hold {known}, got {found}")


def _rate(name: str, value: float, below: float = np.inf) -> float:
    """Return a finite number that is not negative."""
    real = isinstance(value, int | float | np.integer | np.floating)
    if not real or not 0 <= value < below:
        least = "a number from 0" + ("" if below == np.inf else f" to below {below}")
        raise ValueError(f"{name} must be {least}, got {value!r}")
    return float(value)


def _count(name: str, value: int) -> int:
    """Return a whole number above 0."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < 1:
        raise ValueError(f"{name} must be a whole number from 1, got {value!r}")
    return int(value)


# --- The gradient against differences ---


def check(rng: np.random.Generator) -> tuple[float, int, int]:
    """Compare the gradient with central differences, at random parameters and samples.

    Differences over two lengths of step must agree; where they do not, the step crosses
    a kink of the loss, and the element is left out.

    Returns:
        The largest relative error, how many elements were compared (200 at most, of all
        parameters), and how many were left out.
    """
    names = {name: k for k, name in enumerate(dict.fromkeys(LAYERS), 2)} | FIXED
    params = init(rng, tuple(names[name] for name in LAYERS))
    m, n = params["W1"].shape[1], params["W2"].shape[0]
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
# bpderive:595ab692291d5a54
