"""Sentences that read otherwise in some notations.

In: a sentence's id and a `Notation`. Out: the id of the sentence for that notation. Must not know:
words, documents.
"""

from collections.abc import Callable, Mapping

from bpderive.notation import Notation


def _counted(notation: Notation) -> bool:
    return notation.input_layer == 1


def _shifted(notation: Notation) -> bool:
    return any(notation.layer_shift.values())


def _below(notation: Notation) -> bool:
    return notation.marked_below


def _partial(notation: Notation) -> bool:
    return notation.derivatives == "partial"


Variants = tuple[tuple[str, Callable[[Notation], bool]], ...]

VARIANTS: Mapping[str, Variants] = {
    "notation.network": (("counted", _counted),),
    "notation.mark": (("below", _below), ("shifted", _shifted)),
    "notation.neuron_first": (("below", _below),),
    "notation.input_first": (("below", _below),),
    "symbol.delta": (("partial", _partial),),
    "symbol.g": (("partial", _partial),),
    "matrix.mean": (("partial", _partial),),
    "matrix.sum": (("partial", _partial),),
}
"""By sentence, what follows its id where a notation is so; the first that holds."""


def variant(sentence: str, notation: Notation) -> str:
    """The id of a sentence as it reads in a notation."""
    for suffix, holds in VARIANTS.get(sentence, ()):
        if holds(notation):
            return f"{sentence}_{suffix}"
    return sentence
