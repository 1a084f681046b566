"""A generated C file, compiled and called through ctypes with NumPy arrays.

In: the texts of a `.c` and its `.h`. Out: a `Compiled`, which computes as a generated Python module
does. The files lie in a temporary folder, which is deleted as soon as they are loaded. Must not
know the engine, nor what the code computes.
"""

import ctypes
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bpderive.errors import DerivationError, UnsupportedError

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O1", "-shared", "-fPIC")
DTYPES: Mapping[str, tuple[str, ...]] = {"double": (), "float": ("-DBP_FLOAT",)}
"""By the name of the C type, what the compiler is told."""


@dataclass(frozen=True)
class Compiled:
    """The functions of a C file; parameters are `W1`, `b1` …, samples and labels are rows."""

    library: ctypes.CDLL
    dtype: str
    offsets: Mapping[str, int]
    sizes: Mapping[str, int]

    def forward(self, params: Mapping[str, Any], x: Any) -> Any:
        """The outputs of samples, or of a single one."""
        import numpy as np

        rows = self.rows(x, "INPUTS")
        out = np.zeros((len(rows), self.sizes["OUTPUTS"]), rows.dtype)
        self.call("bp_forward", self.flat(params), rows, len(rows), out, self.work())
        return out if np.ndim(x) == 2 else out[0]

    def loss(self, params: Mapping[str, Any], x: Any, y: Any) -> float:
        """The loss."""
        import numpy as np

        rows, labels, found = *self.samples(x, y), np.zeros(1, self.dtype)
        self.call("bp_loss", self.flat(params), rows, labels, len(rows), found, self.work())
        return float(found[0])

    def loss_and_grad(
        self, params: Mapping[str, Any], x: Any, y: Any
    ) -> tuple[float, dict[str, Any]]:
        """The loss and its gradient."""
        import numpy as np

        rows, labels, theta = *self.samples(x, y), self.flat(params)
        found, grads = np.zeros(1, self.dtype), np.full_like(theta, np.nan)
        results = (found, grads, self.work())
        self.call("bp_loss_and_grad", theta, rows, labels, len(rows), *results)
        return float(found[0]), self.arrays(grads, params)

    def step(
        self, params: Mapping[str, Any], grads: Mapping[str, Any], lr: float
    ) -> dict[str, Any]:
        """The parameters after a step; those given stay."""
        theta = self.flat(params)
        rate = (ctypes.c_double if self.dtype == "float64" else ctypes.c_float)(lr)
        self.call("bp_step", theta, self.flat(grads), rate)
        return self.arrays(theta, params)

    # --- Arrays ---

    def call(self, name: str, *args: Any) -> None:
        """Call a function.

        Raises:
            ValueError: its status, in words.
        """
        status = getattr(self.library, name)(*map(_argument, args))
        if status:
            raise ValueError(self.library.bp_message(status).decode())

    def work(self) -> Any:
        """What the functions work in; they must not need what it holds."""
        import numpy as np

        return np.full(self.sizes["WORK"], np.nan, self.dtype)

    def flat(self, params: Mapping[str, Any]) -> Any:
        """The parameters one after another."""
        import numpy as np

        if params.keys() != self.offsets.keys():
            raise ValueError(f"keys must be {', '.join(self.offsets)}")
        found = np.concatenate([np.ravel(params[key]) for key in self.offsets])
        if found.size != self.sizes["PARAMETERS"]:
            raise ValueError(f"there must be {self.sizes['PARAMETERS']} parameters")
        return found.astype(self.dtype)

    def arrays(self, theta: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters by name, in the shapes of others."""
        shapes = {key: getattr(params[key], "shape", ()) for key in self.offsets}
        ends = (*list(self.offsets.values())[1:], theta.size)
        places = zip(self.offsets.items(), ends, strict=True)
        return {key: theta[start:end].reshape(shapes[key]) for (key, start), end in places}

    def samples(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Samples and labels as rows, as many of the one as of the other."""
        rows, labels = self.rows(x, "INPUTS"), self.rows(y, "OUTPUTS")
        if len(rows) != len(labels):
            raise ValueError(f"there are {len(rows)} samples and {len(labels)} labels")
        return rows, labels

    def rows(self, array: Any, size: str) -> Any:
        """An array as rows of a size."""
        import numpy as np

        found = np.array(array, self.dtype, ndmin=2, order="C")
        if found.ndim != 2 or found.shape[1] != self.sizes[size]:
            raise ValueError(f"rows must have {self.sizes[size]} numbers, got {found.shape}")
        return found


def _argument(value: Any) -> Any:
    """A value as ctypes takes it: arrays by their address, counts as `size_t`."""
    if isinstance(value, int):
        return ctypes.c_size_t(value)
    return value.ctypes.data_as(ctypes.c_void_p) if hasattr(value, "ctypes") else value


def load(source: str, header: str, name: str, dtype: str = "double") -> Compiled:
    """The functions of a C file.

    Args:
        source: the text of `<name>.c`.
        header: the text of `<name>.h`.
        name: the name of both.
        dtype: `double` or `float`.

    Raises:
        UnsupportedError: there is no C compiler.
        DerivationError: the compiler refuses the file.
    """
    with TemporaryDirectory(prefix="bpderive", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        (path / f"{name}.c").write_text(source, encoding="utf-8")
        (path / f"{name}.h").write_text(header, encoding="utf-8")
        library = path / "library.so"
        build((*FLAGS, *DTYPES[dtype], str(path / f"{name}.c"), "-o", str(library), "-lm"))
        found = ctypes.CDLL(str(library))
    found.bp_message.restype = ctypes.c_char_p
    numbers = dict(re.findall(r"^#define BP_(\w+) (\d+)", header, re.MULTILINE))
    values = {key: int(number) for key, number in numbers.items()}
    parameters = {key.replace("B", "b"): at for key, at in values.items() if _is_parameter(key)}
    return Compiled(found, {"double": "float64", "float": "float32"}[dtype], parameters, values)


def _is_parameter(key: str) -> bool:
    return key[0] in "WB" and key[1:].isdigit()


def build(arguments: Iterable[str]) -> None:
    """Run the C compiler.

    Raises:
        UnsupportedError: there is none.
        DerivationError: it reports an error.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        names = ", ".join(COMPILERS)
        raise UnsupportedError(f"the C code cannot be run: none of {names} is installed")
    command = [compiler, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise DerivationError(f"the C code does not compile: {done.stderr[:2000]}")
