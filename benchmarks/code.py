"""The generated code against the matrix products alone, and against other libraries.

python benchmarks/code.py [PART …]

The parts are `floor`, `peers`, `small`, `memory`; without one, all of them. One thread for all
libraries. The floor computes the network's matrix products with `np.dot(out=)` into arrays made
before. Where OpenBLAS has better kernels for this processor than it takes by itself, `peers` is
measured with those too (OPENBLAS_CORETYPE). Peers that are not installed are left out.
"""

import one_thread  # noqa: F401, I001 - before NumPy: it sets its threads

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from subprocess import run

import c_calls
import numpy as np
from timing import medians

import bpderive
from bpderive.targets.modules import module

CROSS_ENTROPY, HALF_SQUARED = "softmax_cross_entropy", "half_squared_error"
WIDE, DEEP = "784,128:relu,10", "1024,1024:relu,1024:relu,1024:relu,10"
BEST = "SkylakeX"  # OpenBLAS's kernels for processors with AVX-512
Function = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """A network, a loss, a batch and a type, with random parameters and samples."""

    layers: str
    batch: int
    dtype: str = "float32"
    loss: str = CROSS_ENTROPY

    @property
    def name(self) -> str:
        """One line of a table."""
        return f"{self.layers:40}{self.batch:5} {self.dtype:8} {self.loss:22}"

    @property
    def widths(self) -> tuple[int, ...]:
        """The sizes of the layers."""
        return tuple(int(item.partition(":")[0]) for item in self.layers.split(","))

    @property
    def activation(self) -> str:
        """That of the hidden layers."""
        return "relu" if "relu" in self.layers else "sigmoid"

    def given(self) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The same parameters, samples and labels for all who are compared."""
        rng = np.random.default_rng(0)
        params = {
            f"W{k}": rng.normal(0, m**-0.5, (n, m)).astype(self.dtype)
            for k, (m, n) in enumerate(pairwise(self.widths), 1)
        }
        x = rng.normal(size=(self.batch, self.widths[0])).astype(self.dtype)
        y = np.eye(self.widths[-1], dtype=self.dtype)[
            rng.integers(self.widths[-1], size=self.batch)
        ]
        return params, x, y


# --- Ours ---


def source(case: Case, target: str) -> str:
    """The generated code."""
    network = bpderive.network(case.layers, loss=case.loss)
    return bpderive.generate(bpderive.derive(network), target)


def readable(case: Case) -> Function:
    """The numpy target."""
    return partial(module(source(case, "numpy"), "numpy").loss_and_grad, *case.given())


def in_place(case: Case) -> Function:
    """The numpy-inplace target."""
    code = module(source(case, "numpy-inplace"), "inplace")
    return partial(code.compile(case.batch, case.dtype), *case.given())


def plain(case: Case) -> Function:
    """The kernel of the python target for one sample."""
    code = module(source(case, "python"), "plain")
    params, x, y = case.given()
    theta = code.flatten({key: value.tolist() for key, value in params.items()})
    return partial(code.sample_loss_and_grad, theta, x[0].tolist(), y[0].tolist())


# --- The others ---


def floor(case: Case) -> Function:
    """The matrix products of one forward and one backward pass."""
    params, x, _ = case.given()
    weights = list(params.values())
    arrays = [x, *(np.ones((case.batch, n), case.dtype) for n in case.widths[1:])]
    errors = [np.empty_like(array) for array in arrays]
    gradients = [np.empty_like(weight) for weight in weights]

    def products() -> None:
        for k, weight in enumerate(weights):
            np.dot(arrays[k], weight.T, out=arrays[k + 1])
        for k in reversed(range(len(weights))):
            np.dot(arrays[k + 1].T, arrays[k], out=gradients[k])
            if k:
                np.dot(arrays[k + 1], weights[k], out=errors[k])

    return products


def torch_eager(case: Case) -> Function:
    """PyTorch's autograd, not compiled."""
    import torch

    torch.set_num_threads(1)
    params, x, y = case.given()
    weights = [torch.tensor(value, requires_grad=True) for value in params.values()]
    x, y = torch.tensor(x), torch.tensor(y)
    activation = getattr(torch, case.activation)

    def loss_and_grad() -> object:
        a = x
        for weight in weights[:-1]:
            a = activation(a @ weight.T)
        z = a @ weights[-1].T
        if case.loss == CROSS_ENTROPY:
            loss = torch.nn.functional.cross_entropy(z, y)
        else:
            loss = 0.5 * ((z - y) ** 2).sum() / len(y)
        return loss.item(), torch.autograd.grad(loss, weights)

    return loss_and_grad


def jax_jit(case: Case) -> Function:
    """JAX's value_and_grad, compiled; with arrays of its own, until the results are there."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    activation = getattr(jax.nn, case.activation)

    def loss(weights: list[jax.Array], x: jax.Array, y: jax.Array) -> jax.Array:
        a = x
        for weight in weights[:-1]:
            a = activation(a @ weight.T)
        z = a @ weights[-1].T
        if case.loss == CROSS_ENTROPY:
            return -(y * jax.nn.log_softmax(z)).sum() / len(y)
        return 0.5 * ((z - y) ** 2).sum() / len(y)

    params, x, y = case.given()
    weights = [jnp.asarray(value) for value in params.values()]
    compiled = jax.jit(jax.value_and_grad(loss))
    args = weights, jnp.asarray(x), jnp.asarray(y)
    return lambda: jax.block_until_ready(compiled(*args))


def autograd_tape(case: Case) -> Function:
    """HIPS autograd's value_and_grad."""
    import autograd
    import autograd.numpy as anp

    def loss(weights: list[np.ndarray]) -> float:
        a = x
        for weight in weights[:-1]:
            z = anp.dot(a, weight.T)
            a = anp.maximum(z, 0) if case.activation == "relu" else 1 / (1 + anp.exp(-z))
        z = anp.dot(a, weights[-1].T)
        if case.loss == CROSS_ENTROPY:
            z = z - anp.max(z, axis=1, keepdims=True)
            return anp.sum(y * (anp.log(anp.sum(anp.exp(z), 1, keepdims=True)) - z)) / len(y)
        return 0.5 * anp.sum((z - y) ** 2) / len(y)

    params, x, y = case.given()
    return partial(autograd.value_and_grad(loss), list(params.values()))


PEERS: Mapping[str, tuple[str, Callable[[Case], Function]]] = {
    "PyTorch": ("torch", torch_eager),
    "JAX": ("jax", jax_jit),
    "autograd": ("autograd", autograd_tape),
}


def peers(case: Case) -> dict[str, Function]:
    """Those that are installed."""
    return {title: make(case) for title, (package, make) in PEERS.items() if find_spec(package)}


# --- The parts ---


def floor_table() -> Iterator[str]:
    """In place over the floor, and the readable code over that in place."""
    yield f"{'':76}   floor  in place/floor  readable/in place"
    cases = [Case(WIDE, batch, dtype) for batch in (1, 32, 256) for dtype in ("float32", "float64")]
    cases += [Case(WIDE, batch, "float64", HALF_SQUARED) for batch in (1, 32)]
    cases += [Case(WIDE, batch, "float32", HALF_SQUARED) for batch in (1, 32)]
    cases += [Case("784,128:sigmoid,10", 256), Case("784,128:gelu,10", 256)]
    cases += [Case(DEEP, 256, dtype) for dtype in ("float32", "float64")]
    for case in cases:
        found = medians({"floor": floor(case), "in": in_place(case), "numpy": readable(case)})
        ratios = found["in"] / found["floor"], found["numpy"] / found["in"]
        yield f"{case.name}{found['floor'] * 1e6:7.0f} us{ratios[0]:12.3f}{ratios[1]:16.3f}"


def peers_table() -> Iterator[str]:
    """In place over each peer: below 1 is faster."""
    yield f"{'':76} in place  over {'  '.join(f'{name:>9}' for name in PEERS)}"
    cases = [Case(WIDE, batch, dtype) for batch in (1, 32, 256) for dtype in ("float32", "float64")]
    cases += [Case(DEEP, 256, dtype) for dtype in ("float32", "float64")]
    cases += [Case(layers, 1, "float64", HALF_SQUARED) for layers in ("2,2,2,1", "16,16,16,4")]
    for case in cases:
        others = peers(case)
        found = medians({"in": in_place(case), **others})
        ratios = [f"{found['in'] / found[name]:9.3f}" if name in found else "" for name in PEERS]
        yield f"{case.name}{found['in'] * 1e6:7.1f} us      {'  '.join(f'{r:>9}' for r in ratios)}"


def small_table() -> Iterator[str]:
    """Unrolled floats and C for one sample."""
    case = Case("2,2,2,1", 1, "float64", HALF_SQUARED)
    found = medians({"python": plain(case), "in": in_place(case)})
    ratio = found["python"] / found["in"]
    yield f"{case.name}python {found['python'] * 1e6:.2f} us, over in place {ratio:.3f}"
    if not find_spec("casadi") or not shutil.which("cc"):
        return
    for layers in ("2,2,2,1", "16,16,16,4"):
        mine, _, ratio = c_calls.compare(layers)
        case = Case(layers, 1, "float64", HALF_SQUARED)
        yield f"{case.name}c {mine * 1e6:.2f} us, over CasADi's {ratio:.3f}"


def memory_table() -> Iterator[str]:
    """The most that one step takes."""
    script = Path(__file__).with_name("memory.py")
    kinds = ["ours", *["torch"] * bool(find_spec("torch"))]
    command = [sys.executable, str(script)]
    found = {
        kind: int(run([*command, kind], check=True, capture_output=True, text=True).stdout)
        for kind in kinds
    }
    told = ", ".join(f"{kind} {value / 1e6:.1f} MB" for kind, value in found.items())
    ratio = f", ratio {found['ours'] / found['torch']:.2f}" if "torch" in found else ""
    yield f"1024,1024,1024,1024,10, batch 1024, float32: a step takes {told}{ratio}"


def best_kernels() -> Iterator[str]:
    """The same with OpenBLAS's kernels for AVX-512, where the processor has it."""
    flags = Path("/proc/cpuinfo")
    if os.environ.get("OPENBLAS_CORETYPE") == BEST or not flags.exists():
        return
    if "avx512f" not in flags.read_text():
        return
    yield f"With OPENBLAS_CORETYPE={BEST}:"
    environment = os.environ | {"OPENBLAS_CORETYPE": BEST}
    command = [sys.executable, __file__, "peers"]
    yield run(command, env=environment, check=True, capture_output=True, text=True).stdout


PARTS: Mapping[str, tuple[Callable[[], Iterator[str]], ...]] = {
    "floor": (floor_table,),
    "peers": (peers_table, best_kernels),
    "small": (small_table,),
    "memory": (memory_table,),
}


def main() -> None:
    """Print the parts."""
    for part in sys.argv[1:] or PARTS:
        for table in PARTS[part]:
            for line in table():
                print(line, flush=True)


if __name__ == "__main__":
    main()
