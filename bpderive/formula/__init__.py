"""A formula given as text becomes a SymPy expression, without ever being executed.

In: a text such as `z*tanh(log(1+exp(z)))` and the names that may stand in it. Out: an expression
in real symbols (`functions.scalar_symbol`), with exact numbers, finite and real constants, and the
numerically stable atoms recognised. Anything else is a `SpecError` that names the column and what
is accepted. Must not know: networks, indices, letters, words.

Safe by construction: a whitelist of characters, then of `ast` nodes; text, nesting, numerals,
exponents, constants and what comes out are bounded, so that no text takes long, here or later.
"""

from bpderive.formula.limits import MAX_LENGTH
from bpderive.formula.reader import FUNCTIONS, parse
from bpderive.formula.slopes import check_slopes

__all__ = ["FUNCTIONS", "MAX_LENGTH", "check_slopes", "parse"]
