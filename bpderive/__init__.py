"""Symbolic derivation of back-propagation: from a network to its gradients, as LaTeX and as code.

The public names below are resolved when first used, so that `import bpderive` does not import
SymPy.  `bpderive.network`, `derive`, `flow`, `render` and `verify` are functions; the modules of
the same names are reached by `from bpderive.network import …`.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from bpderive._version import __version__

if TYPE_CHECKING:
    from bpderive import errors
    from bpderive.api import (
        Derivation,
        derive,
        generate,
        generate_files,
        load,
        network,
        render,
        verify,
    )
    from bpderive.catalog import CATALOG, Activation, Loss
    from bpderive.errors import (
        BpderiveError,
        DerivationError,
        OutputError,
        SpecError,
        UnsupportedError,
    )
    from bpderive.findings import Findings, flow
    from bpderive.importers.api import from_onnx, from_torch
    from bpderive.layered import LayeredDerivation
    from bpderive.network import Network
    from bpderive.notes import example, notes
    from bpderive.proof import Proof
    from bpderive.stack import Stack

__all__ = [
    "CATALOG",
    "Activation",
    "BpderiveError",
    "Derivation",
    "DerivationError",
    "Findings",
    "LayeredDerivation",
    "Loss",
    "Network",
    "OutputError",
    "Proof",
    "SpecError",
    "Stack",
    "UnsupportedError",
    "__version__",
    "derive",
    "errors",
    "example",
    "flow",
    "from_onnx",
    "from_torch",
    "generate",
    "generate_files",
    "load",
    "network",
    "notes",
    "render",
    "verify",
]

_HOMES = {
    "BpderiveError": "errors",
    "CATALOG": "catalog",
    "Activation": "catalog",
    "Derivation": "api",
    "DerivationError": "errors",
    "Findings": "findings",
    "LayeredDerivation": "layered",
    "Loss": "catalog",
    "Network": "network",
    "OutputError": "errors",
    "Proof": "proof",
    "SpecError": "errors",
    "Stack": "stack",
    "UnsupportedError": "errors",
    "derive": "api",
    "example": "notes",
    "flow": "findings",
    "from_onnx": "importers.api",
    "from_torch": "importers.api",
    "generate": "api",
    "generate_files": "api",
    "load": "api",
    "network": "api",
    "notes": "notes",
    "render": "api",
    "verify": "api",
}
"""The module in which each public name is defined."""


class _Package(ModuleType):
    """Keeps the public functions in front of the modules of the same names.

    The import system binds a module that it has loaded as an attribute of its package: after
    `from bpderive.network import build`, `bpderive.network` would be no function any more.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "errors":
        return import_module("bpderive.errors")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"bpderive.{_HOMES[name]}"), name)
    globals()[name] = value  # the next look-up finds it there
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
