"""A network in numbers: what is given, every quantity, every gradient, one step of descent.

In: a `Derivation`, and values from a file, a mapping or a seed. Out: an `Example`: exact rational
numbers where all functions of the network have such values, else 50 digits. Must not know: letters,
words, how anything is printed.
"""

from bpderive.example.computing import compute, parameter_names
from bpderive.example.drawing import drawn, worked
from bpderive.example.making import make
from bpderive.example.model import Example, Values
from bpderive.example.reading import parse, read

__all__ = [
    "Example",
    "Values",
    "compute",
    "drawn",
    "make",
    "parameter_names",
    "parse",
    "read",
    "worked",
]
