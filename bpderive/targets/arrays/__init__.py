"""The NumPy module of a computation: any network's layers, one line for each equation.

In: a `Computation`. Out: the text of a module as `ruff format` leaves it. Must not know: how the
equations were derived, what a layer is.
"""

from bpderive.schedule.model import Computation


def generate(computation: Computation, _: str = "network") -> str:
    """The module's text."""
    from bpderive.targets.arrays.file import text  # loads the templates

    return text(computation)
