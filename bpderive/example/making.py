"""An example from what a caller chooses: a file of values or a seed, a learning rate, digits.

In: a `Derivation` and choices. Out: an `Example`, or None where no numbers suit. Must not know: how
big a network may be to be shown.
"""

from dataclasses import replace
from pathlib import Path

from bpderive.derive import Derivation
from bpderive.errors import SpecError, quoted
from bpderive.example.computing import DIGITS, compute
from bpderive.example.drawing import RATES, worked
from bpderive.example.model import Example
from bpderive.example.reading import rate, read

FEWEST, MOST = 2, 15
"""Significant digits that may be asked for."""


def make(
    derivation: Derivation,
    values: Path | str | None = None,
    seed: int = 0,
    eta: str | float | None = None,
    digits: int = DIGITS,
) -> Example | None:
    """The example of the values in a file, or of numbers drawn from a seed.

    Args:
        derivation: of a network whose sizes are numbers.
        values: a TOML or JSON file.
        seed: of the numbers, where no file is given.
        eta: the learning rate, in place of the file's or of one at which the loss falls.
        digits: significant digits that are printed.

    Raises:
        SpecError: something is wrong with the values, the rate or the digits.
        UnsupportedError: sizes without numbers.
    """
    if not FEWEST <= digits <= MOST:
        accepted = f"{FEWEST} to {MOST}"
        raise SpecError.single(f"{quoted(digits)} significant digits", "digits", accepted)
    chosen = None if eta is None else rate(eta)
    if values is None:
        return worked(derivation, seed, digits, RATES if chosen is None else (chosen,))
    given = read(str(values), derivation)
    return compute(derivation, replace(given, eta=chosen or given.eta), digits)
