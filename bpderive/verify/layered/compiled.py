"""A generated C file of any network, compiled and called through ctypes with NumPy arrays.

In: the texts of a `.c` and its `.h`, and the shapes of the parameters. Out: a `Compiled`, which
computes as a generated Python module does. The files lie in a temporary folder, which is deleted as
soon as they are loaded. Must not know the engine, nor what the code computes.
"""

import ctypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bpderive.verify.compiled_c import FLAGS, build

WORK = """
size_t proof_work(size_t n)
{
    (void)n;
    return BP_WORK%s;
}
"""
"""The macro as a function; its argument is the number of samples, where there are any."""


@dataclass(frozen=True)
class Compiled:
    """The functions of a C file; `places` says where each parameter begins."""

    library: ctypes.CDLL
    shapes: Mapping[str, tuple[int, ...]]
    places: Mapping[str, int]
    sampled: bool

    def forward(self, params: Mapping[str, Any], *given: Any) -> Any:
        """The outputs of samples, one after another."""
        import numpy as np

        samples = self.samples(given)
        out = np.full(self.outputs * (samples or 1), np.nan)
        self.call("bp_forward", params, given, samples, out)
        return out

    def loss(self, params: Mapping[str, Any], *given: Any) -> float:
        """The loss."""
        import numpy as np

        found = np.full(1, np.nan)
        self.call("bp_loss", params, given, self.samples(given), found)
        return float(found[0])

    def loss_and_grad(self, params: Mapping[str, Any], *given: Any) -> tuple[float, dict[str, Any]]:
        """The loss and its gradient."""
        import numpy as np

        found, grads = np.full(1, np.nan), np.full(sum(map(prod, self.shapes.values())), np.nan)
        self.call("bp_loss_and_grad", params, given, self.samples(given), found, grads)
        return float(found[0]), {
            name: grads[start : start + prod(self.shapes[name])].reshape(self.shapes[name])
            for name, start in self.places.items()
        }

    @property
    def outputs(self) -> int:
        """How many numbers the output of one sample has."""
        return int(self.library.proof_outputs())

    def samples(self, given: tuple[Any, ...]) -> int:
        """How many samples there are; 0 where the network has none."""
        return len(given[0]) if self.sampled else 0

    def call(
        self,
        name: str,
        params: Mapping[str, Any],
        given: tuple[Any, ...],
        samples: int,
        *results: Any,
    ) -> None:
        """Call a function.

        Raises:
            ValueError: its status, in words.
        """
        import numpy as np

        theta = np.full(sum(map(prod, self.shapes.values())), np.nan)
        for key, start in self.places.items():
            theta[start : start + prod(self.shapes[key])] = np.ravel(params[key])
        own = [np.ascontiguousarray(v, KINDS[v.dtype.kind]) for v in given]
        work = np.full(self.library.proof_work(ctypes.c_size_t(samples)), np.nan)
        count = [ctypes.c_size_t(samples)] * self.sampled
        addresses = (_address(v) for v in (theta, *own))
        status = getattr(self.library, name)(
            *addresses, *count, *map(_address, results), _address(work)
        )
        if status:
            raise ValueError(self.library.bp_message(status).decode())


KINDS = {"i": "int32", "f": "float64"}


def _address(array: Any) -> Any:
    return array.ctypes.data_as(ctypes.c_void_p)


def load(source: str, header: str, shapes: Mapping[str, tuple[int, ...]]) -> Compiled:
    """The functions of a C file, whose header is `proof.h`.

    Raises:
        UnsupportedError: there is no C compiler.
        DerivationError: the compiler refuses the file.
    """
    sampled = "#define BP_WORK(n)" in header
    more = (
        WORK % ("(n)" if sampled else "")
        + "int proof_outputs(void)\n{\n    return BP_OUTPUTS;\n}\n"
    )
    with TemporaryDirectory(prefix="bpderive", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        (path / "proof.c").write_text(source + more, encoding="utf-8")
        (path / "proof.h").write_text(header, encoding="utf-8")
        build((*FLAGS, str(path / "proof.c"), "-o", str(path / "library.so"), "-lm"))
        found = ctypes.CDLL(str(path / "library.so"))
    found.bp_message.restype = ctypes.c_char_p
    found.proof_work.restype = ctypes.c_size_t
    places = re.findall(r"^#define BP_AT_(\w+) (\d+)", header, re.MULTILINE)
    return Compiled(found, shapes, {name: int(start) for name, start in places}, sampled)
