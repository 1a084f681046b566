"""One element of a parameter, or of a derivative with a name, by its reference text.

In: text such as `w1[2,1,3]`. Out: an `Element` that the network has. Must not know: blocks, words.
"""

import re
from dataclasses import dataclass

from sympy import Expr, Symbol

from bpderive.document.layered.view import View
from bpderive.errors import SpecError, quoted, suggest
from bpderive.forms.unrolled import element_symbol
from bpderive.index import Partial
from bpderive.second.reading import of_stack

PATTERN = re.compile(r"([A-Za-z_]\w{0,60})(?:\[([0-9]{1,9}(?:,[0-9]{1,9}){0,9})\])?")


@dataclass(frozen=True)
class Element:
    """A tensor's label, the values of its indices, and the label of the derivative by it."""

    label: str
    at: tuple[int, ...]
    derivative: str

    @property
    def symbol(self) -> Symbol:
        """Its scalar: `w1[2,1,3]`."""
        return element_symbol(self.label, self.at)

    def partial(self, root: str) -> Expr:
        """What is asked for: the derivative by it, or itself where it is one."""
        if self.label == self.derivative:
            return self.symbol
        return Partial(Symbol(root), self.symbol)


def is_derivative(label: str) -> bool:
    """Whether a label is that of a derivative with a name, and of no parameter's gradient."""
    return label.startswith(("delta", "direct_"))


def first(view: View) -> Element | None:
    """The first element of the first parameter; None where there is no parameter."""
    for place, tensor in view.parameters():
        name = view.label(place, tensor.name)
        return Element(name, (1,) * len(tensor.axes), f"d{name}")
    return None


def shapes(view: View) -> dict[str, tuple[Expr, ...]]:
    """What may be referred to: parameters, and derivatives that have a name."""
    own = {
        view.label(place, tensor.name): view.sizes(place, tensor)
        for place, tensor in view.parameters()
    }
    named = {e.label for e in view.derivation.backward if is_derivative(e.label)}
    every = of_stack(view.derivation).shapes
    return {**{label: every[label] for label in sorted(named)}, **own}


def chosen(view: View, text: str) -> Element:
    """The element of a text.

    Raises:
        SpecError: no reference, or none of this network.
    """
    match = PATTERN.fullmatch(text.replace(" ", ""))
    known = shapes(view)
    label = match[1] if match else ""
    if label not in known:
        own = [view.label(place, tensor.name) for place, tensor in view.parameters()]
        message = f"no quantity {quoted(text)}{suggest(label, known)}"
        named = ", ".join(_example(n, known[n]) for n in own)
        raise SpecError.single(message, accepted=f"{named}; and derivatives such as delta2[1]")
    at = tuple(map(int, match[2].split(","))) if match and match[2] else ()
    sizes = known[label]
    fits = len(at) == len(sizes) and all(map(_inside, at, sizes))
    if not fits:
        ranges = ", ".join(f"1 to {size}" for size in sizes) or "no index"
        message = f"{quoted(text)} is no element of {label}, whose indices run over {ranges}"
        last = f"{label}[{','.join(map(str, sizes))}]"
        accepted = f"{_example(label, sizes)} to {last}" if sizes else label
        raise SpecError.single(message, accepted=accepted)
    known_as = label if is_derivative(label) else f"d{label}"
    return Element(label, at, known_as)


def _inside(at: int, size: Expr) -> bool:
    return at >= 1 and (not size.is_Integer or at <= int(size))


def _example(label: str, sizes: tuple[Expr, ...]) -> str:
    return f"{label}[{','.join('1' for _ in sizes)}]" if sizes else label
