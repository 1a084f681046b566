"""The versions of what a proof was made with."""

import sys
from collections.abc import Mapping
from importlib import metadata

from bpderive._version import __version__

PACKAGES = ("sympy", "mpmath", "numpy", "autograd", "jax", "torch")


def versions() -> Mapping[str, str]:
    """The versions of this package, of Python, and of every library that is installed."""
    found = {"bpderive": __version__, "python": ".".join(map(str, sys.version_info[:3]))}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
