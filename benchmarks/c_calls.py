"""The generated C against CasADi's generated C, both called through ctypes for one sample.

Both have the same network, sigmoid with half the squared error, the same parameters and sample,
and the same flags of the compiler. Calls take turns; medians are compared.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import numpy as np

from bpderive import derive, network
from bpderive.program import build
from bpderive.targets import c

FLAGS = ("-O3", "-shared", "-fPIC")
SIZES = {"2,2,2,1": (1.2, 10000), "16,16,16,4": (1.5, 4000)}
"""Most that our time may be of CasADi's, and how many calls are one measurement."""
LOADS, ROUNDS = 9, 15
Array = np.ndarray
Call = Callable[[], object]


def compiled(folder: Path, source: Path) -> ctypes.CDLL:
    """A C file as a library."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise SystemExit("there is no C compiler: cc, gcc or clang")
    library = folder / f"{source.stem}.so"
    subprocess.run([compiler, *FLAGS, str(source), "-o", str(library), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def pointer(array: Array) -> object:
    """Where an array lies, as an argument that ctypes need not convert again."""
    return ctypes.c_void_p.from_param(array.ctypes.data)


def ours(folder: Path, layers: str, theta: Array, x: Array, y: Array) -> tuple[Call, Array]:
    """A call of `bp_loss_and_grad`, and where its results go: the loss, then the gradient."""
    program = build(derive(network(layers)))
    (folder / "ours.h").write_text(c.header(program, "ours"), encoding="utf-8")
    (folder / "ours.c").write_text(c.source(program, "ours"), encoding="utf-8")
    function = compiled(folder, folder / "ours.c").bp_loss_and_grad
    result, work = np.zeros(1 + theta.size), np.zeros(4096)
    one = ctypes.c_size_t.from_param(1)
    loss, grads = pointer(result), pointer(result[1:])
    args = (pointer(theta), pointer(x), pointer(y), one, loss, grads, pointer(work))
    keep = (theta, x, y, work)
    return lambda f=function, a=args, _=keep: f(*a), result


def casadis(folder: Path, layers: str, theta: Array, x: Array, y: Array) -> tuple[Call, Array]:
    """A call of CasADi's function for the same, and where its results go."""
    import casadi

    sizes = [int(size) for size in layers.split(",")]
    arrays = {"p": theta, "u": x, "t": y}
    p, u, t = (casadi.SX.sym(name, array.size) for name, array in arrays.items())
    a, start = u, 0
    for k, (m, n) in enumerate(pairwise(sizes)):
        weights = casadi.reshape(p[start : start + m * n], m, n).T
        start += m * n
        z = weights @ a
        a = z if k == len(sizes) - 2 else 1 / (1 + casadi.exp(-z))
    loss = casadi.sumsqr(a - t) / 2
    made = casadi.Function("other", [p, u, t], [loss, casadi.gradient(loss, p)])
    generator = casadi.CodeGenerator("other.c")
    generator.add(made)
    generator.generate(f"{folder}/")
    function = compiled(folder, folder / "other.c").other
    result, work = np.zeros(1 + theta.size), np.zeros(max(1, made.sz_w()))
    inputs = (ctypes.c_void_p * made.sz_arg())(*(a.ctypes.data for a in (theta, x, y)))
    outputs = (ctypes.c_void_p * made.sz_res())(result.ctypes.data, result[1:].ctypes.data)
    args = (
        ctypes.byref(inputs),
        ctypes.byref(outputs),
        None,
        pointer(work),
        ctypes.c_int.from_param(0),
    )
    keep = (theta, x, y, work, inputs, outputs)
    return lambda f=function, a=args, _=keep: f(*a), result


def seconds(call: Call, count: int) -> float:
    """The time of one call, measured over many."""
    begin = perf_counter_ns()
    for _ in range(count):
        call()
    return (perf_counter_ns() - begin) / count / 1e9


def once(layers: str) -> tuple[float, float]:
    """The seconds of one call of ours and of CasADi's, both compiled and loaded anew."""
    sizes = [int(size) for size in layers.split(",")]
    rng = np.random.default_rng(0)
    theta = rng.normal(size=sum(m * n for m, n in pairwise(sizes)))
    x, y = rng.normal(size=sizes[0]), rng.normal(size=sizes[-1])
    with tempfile.TemporaryDirectory() as name:
        one, found = ours(Path(name), layers, theta, x, y)
        other, expected = casadis(Path(name), layers, theta, x, y)
        one(), other()
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)
        count = SIZES[layers][1]
        times = [(seconds(one, count), seconds(other, count)) for _ in range(ROUNDS)]
    return median(t for t, _ in times), median(t for _, t in times)


def compare(layers: str) -> tuple[float, float, float]:
    """Both times and their ratio, medians over several loads.

    Some loads of a library, ours or CasADi's, stay slower by 0.4 us a call; the cause is not known.
    """
    loads = [once(layers) for _ in range(LOADS)]
    ratio = median(mine / theirs for mine, theirs in loads)
    return median(mine for mine, _ in loads), median(theirs for _, theirs in loads), ratio


def main() -> None:
    """Print both times and their ratio."""
    for layers, (most, _) in SIZES.items():
        mine, casadi, ratio = compare(layers)
        print(
            f"c, {layers}, one sample through ctypes: {mine * 1e6:.3f} us, "
            f"CasADi {casadi * 1e6:.3f} us, ratio {ratio:.2f} (at most {most})"
        )


if __name__ == "__main__":
    main()
