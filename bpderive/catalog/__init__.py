"""Activations and losses, one row each: a formula as text, and what else must be known of it.

In: nothing. Out: `CATALOG`, a value; listing its names costs no import of SymPy.
"""

from bpderive.catalog.activations import ACTIVATIONS
from bpderive.catalog.losses import LOSSES
from bpderive.catalog.model import (
    FORMULA_NAMES,
    Activation,
    Catalog,
    Kink,
    Loss,
    check_output,
    formula_activation,
    formula_loss,
)

__all__ = [
    "CATALOG",
    "FORMULA_NAMES",
    "Activation",
    "Catalog",
    "Kink",
    "Loss",
    "check_output",
    "formula_activation",
    "formula_loss",
]

CATALOG = Catalog(ACTIVATIONS, LOSSES)
