"""The figures of a network of any layers.

In: a derivation. Out: blocks, for the section that tells what the network is. Must not know: words,
formats. What draws is imported where it is called: most documents have no figures.
"""

from collections.abc import Iterator

from bpderive.backprop import StackDerivation
from bpderive.document.blocks import Block
from bpderive.stack.model import Place, Stack


def figures(derivation: StackDerivation) -> tuple[Block, ...]:
    """The figures that there are."""
    return tuple(_figures(derivation))


def _figures(derivation: StackDerivation) -> Iterator[Block]:
    """The network; of recurrent layers, convolutions and attention the first of each kind."""
    from bpderive.document.figures import telling
    from bpderive.document.figures.attention import has_figure
    from bpderive.document.figures.through_time import recurrence
    from bpderive.document.figures.windows import windows

    yield telling.blocks_block(derivation)
    for place in _first_of_kind(derivation.stack):
        steps, window = recurrence(derivation, place), windows(place)
        if steps is not None:
            yield telling.unrolled_block(steps)
        if window is not None:
            yield telling.receptive_block(window)
        if has_figure(place):
            yield telling.attention_block(derivation, place)


def _first_of_kind(stack: Stack) -> Iterator[Place]:
    """Of layers of one row of the catalogue and with as many axes, the first."""
    seen: set[tuple[str, int]] = set()
    for place in stack.places:
        kind = (place.row, len(place.output.axes))
        if kind not in seen:
            seen.add(kind)
            yield place
