"""A small network in plain Python: one assignment for each element.

In: `Scalars`. Out: the functions of one sample, `sample_forward` and `sample_loss_and_grad`, of a
flat sequence of parameters; and what sums the latter over samples. Must not know any mathematics.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bpderive.forms.arrays import Leaf, Node
from bpderive.forms.trees import labels
from bpderive.targets.layout import Invoke, Text, collection, statement
from bpderive.targets.python.printer import ScalarPrinter
from bpderive.targets.scalars import Element, Scalars, blocks, needed, unrolled


@dataclass(frozen=True)
class Unrolled:
    """Prints a network's functions; the names of helpers gather in the printer."""

    scalars: Scalars
    printer: ScalarPrinter

    def context(self) -> dict[str, str]:
        """What the template asks for."""
        output = f"a{len(self.scalars.widths) - 1}"
        forward = needed(self.scalars.forward, (output,))
        targets = [f"d{block.key}" for block in blocks(self.scalars.program)]
        every = needed(self.scalars.elements, ("L", *targets))
        slopes = [name for target in targets for name in self.names(target)]
        outputs = self.names(output)
        return {
            "sample_forward": "\n".join(
                [self.unpacked("x", forward), *self.lines(forward), _returned("return ", outputs)]
            ),
            "sample_loss_and_grad": "\n".join(
                [
                    self.unpacked("xy", every),
                    *self.lines(every),
                    _returned("return L, ", slopes, "()"),
                ]
            ),
        }

    def unpacked(self, inputs: str, elements: Iterable[Element]) -> str:
        """`w1_1_1, … = theta`, and the samples, where they are used."""
        used = {label for element in elements for label in labels(element.value)}
        names = [name for b in blocks(self.scalars.program) for name in self.names(b.label)]
        lines = [_returned("", names, tail=" = theta")]
        lines += [_returned("", self.names(c), tail=f" = {c}") for c in inputs if c in used]
        return "\n".join(lines)

    def names(self, target: str) -> list[str]:
        """The names of a tensor's elements."""
        return [self.printer.leaf(leaf).text for leaf in self.scalars.leaves(target)]

    def lines(self, elements: Iterable[Element]) -> Iterator[str]:
        """The assignments."""
        for element in elements:
            pairs = list(unrolled(element))
            if element.row is not None:
                yield self.row(element, pairs)
                continue
            for target, value in pairs:
                name = self.printer.leaf(target).text
                yield statement(f"{name} =", self.printer.whole(value), f"({element.number})")

    def row(self, element: Element, pairs: list[tuple[Leaf, Node]]) -> str:
        """`p_1, p_2 = softmax((a2_1, a2_2))`."""
        assert element.row is not None  # noqa: S101 - the caller has looked
        self.printer.helpers.add(element.row)
        targets = _tuple([self.printer.leaf(target).text for target, _ in pairs])
        values = _tuple([self.printer.code(value).flat for _, value in pairs])
        head = ", ".join(targets)
        row = Text(f"({values[0][1:-1]})" if len(values) == 1 else f"({', '.join(values)})")
        return statement(f"{head} =", Invoke(element.row, (row,)), f"({element.number})")


def _tuple(names: list[str]) -> list[str]:
    """The items of a tuple, or the tuple of one."""
    return names if len(names) > 1 else [f"({names[0]},)"]


def _returned(head: str, names: list[str], brackets: str = "", tail: str = "") -> str:
    """`return L, (dW1_1_1, …)`, or `w1_1_1, … = theta`, one name a line where it is too long."""
    if len(names) == 1:
        return f"    {head}({names[0]},){tail}"
    return collection(head, names, tail, brackets)
