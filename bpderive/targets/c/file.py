"""What the templates of a C file ask for.

In: a `Program`. Out: texts by name, for `templates/code/c.c.j2`, `c.h.j2` and `test_c.py.j2`. Must
not know any mathematics.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from typing import Any

from bpderive.errors import UnsupportedError, quoted
from bpderive.forms.arrays import Leaf, Reduce
from bpderive.forms.trees import labels, walk
from bpderive.program import Program
from bpderive.targets import describe
from bpderive.targets.c import functions
from bpderive.targets.c.statements import Writer
from bpderive.targets.c.text import identifier, prose, remark
from bpderive.targets.scalars import Block, Element, Scalars, blocks, lower, needed
from bpderive.targets.shapes import spelled

SMALL = 48
"""A network of at most so many parameters has a line for each element."""
MOST, DEEPEST = 10**8, 2000
"""The most parameters, and layers, of one C file: compilers take minutes beyond."""
DRAWS = {
    "real": "y[i] = bp_normal(rng);",
    "binary": "y[i] = (bp_real)bp_below(rng, 2);",
    "sign": "y[i] = bp_below(rng, 2) == 0 ? -1 : 1;",
    "count": "y[i] = (bp_real)bp_below(rng, 5);",
}
"""How the gradient's check draws a label of each kind."""
DISTRIBUTION = """\
    bp_real sum = 0;

    for (size_t i = 0; i < BP_OUTPUTS; i++) {
        y[i] = -BP_M(log)(1 - bp_unit(rng));
        sum += y[i];
    }
    for (size_t i = 0; i < BP_OUTPUTS; i++)
        y[i] /= sum;"""


TEST_DRAWS = {
    "real": "    return [rng.gauss(0, 1) for _ in range(OUTPUTS)]",
    "binary": "    return [rng.choice((0.0, 1.0)) for _ in range(OUTPUTS)]",
    "sign": "    return [rng.choice((-1.0, 1.0)) for _ in range(OUTPUTS)]",
    "distribution": """\
    parts = [rng.expovariate(1) for _ in range(OUTPUTS)]
    return [part / sum(parts) for part in parts]""",
    "count": "    return [float(rng.randrange(5)) for _ in range(OUTPUTS)]",
}
"""How the pytest file draws a label of each kind."""


@dataclass(frozen=True)
class File:
    """The texts of one program; `name` is that of the files, before the dot."""

    program: Program
    name: str

    @cached_property
    def scalars(self) -> Scalars:
        network = self.program.network
        bad = set(self.name) & set('"\\') or "??" in self.name  # a trigraph
        if bad or not self.name.isprintable():
            raise UnsupportedError(f"C code cannot include a file of the name {quoted(self.name)}")
        if network.depth > DEEPEST:
            raise UnsupportedError(
                f"C code is for at most {DEEPEST} layers, and here are {network.depth}"
            )
        found = lower(self.program)
        if (count := self.count) > MOST:
            raise UnsupportedError(f"C code is for at most {MOST} parameters, and here are {count}")
        return found

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Where each parameter lies."""
        return blocks(self.program)

    @property
    def count(self) -> int:
        """How many parameters there are."""
        return sum(block.size for block in self.blocks)

    @property
    def unrolled(self) -> bool:
        """Whether each element has a line of its own."""
        return self.count <= SMALL

    @property
    def output(self) -> str:
        """The last layer's activations."""
        return f"a{self.program.network.depth}"

    # --- Which elements are computed where ---

    @cached_property
    def layers(self) -> tuple[Element, ...]:
        """What `bp_layers` computes: all that others need of the layers."""
        rest = (*self.scalars.loss, *self.scalars.backward)
        used = {label for element in rest for label in labels(element.value)}
        return needed(self.scalars.forward, {self.output} | used - {"p", "log_p"})

    @cached_property
    def loss(self) -> tuple[Element, ...]:
        """What the loss needs beside the layers."""
        found = needed((*self.scalars.forward, *self.scalars.loss), {"L"})
        return tuple(element for element in found if element not in self.layers)

    @cached_property
    def backward(self) -> tuple[Element, ...]:
        """What the gradient needs beside both."""
        targets = {element.target for element in self.scalars.backward}
        found = needed((*self.scalars.forward, *self.scalars.backward), targets)
        before = (*self.layers, *self.loss)
        return tuple(element for element in found if element not in before)

    @property
    def parts(self) -> tuple[tuple[Element, ...], ...]:
        """What each of the three functions computes."""
        return self.layers, self.loss, self.backward

    @cached_property
    def local(self) -> frozenset[str]:
        """The tensors that are local variables: in loops, those that the next element takes."""
        used = [{label for e in part for label in labels(e.value)} for part in self.parts]
        rows = {label for part in self.parts for e in part if e.row for label in labels(e.value)}
        found: set[str] = set()
        for k, part in enumerate(self.parts):
            others = rows.union({self.output}, *used[:k], *used[k + 1 :])
            own = {e.target for e in part if len(e.axes) == 1 and not (e.accumulated or e.row)}
            found |= (own if self.unrolled else _passed(part)) - others
        return frozenset(found)

    @cached_property
    def sizes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor."""
        parameters = {block.label: block.shape for block in self.blocks}
        elements = chain.from_iterable(self.parts)
        return parameters | {element.target: element.shape for element in elements}

    @property
    def work(self) -> dict[str, int]:
        """The arrays of `bp_work`, and their sizes."""
        targets = (element for element in chain.from_iterable(self.parts) if element.axes)
        kept = (e for e in targets if not e.accumulated and e.target not in self.local)
        return {element.target: element.shape[0] for element in kept}

    # --- Texts ---

    def common(self) -> dict[str, Any]:
        """What all templates ask for."""
        network, widths = self.program.network, self.scalars.widths
        return {
            "name": self.name,
            "told": prose(self.name),
            "unrolled": self.unrolled,
            "title": prose(describe.title(self.program)),
            "mean": self.program.mean,
            "bias": network.spec.bias,
            **spelled(network),
            "distribution": network.loss.label == "distribution",
            "output": self.output,
            "widths": widths,
            "label": network.loss.label,
            "parameters": self.count,
        }

    def header(self) -> dict[str, Any]:
        """What the header's template asks for."""
        network, widths, work = self.program.network, self.scalars.widths, self.work
        return self.common() | {
            "about": remark(describe.about(self.program).replace("\n", " ")),
            "guard": identifier(self.name).upper(),
            "depth": network.depth,
            "inputs": widths[0],
            "outputs": widths[-1],
            "labels": describe.LABELS[network.loss.label].removeprefix(", "),
            "reduction": "mean" if self.program.mean else "sum",
            "work_size": sum(work.values()),
            "work": "\n".join(f"    bp_real {name}[{size}];" for name, size in work.items()),
            "offsets": "\n".join(
                f"#define BP_{block.key.upper()} {block.start} /* {_shape(block)} */"
                for block in self.blocks
            ),
        }

    def test(self) -> dict[str, Any]:
        """What the pytest file's template asks for."""
        return self.header() | {
            "quoted": '"' + self.name + '"',
            "draw_python": TEST_DRAWS[self.program.network.loss.label],
            "count": "len(rows)" if self.program.mean else "1",
        }

    def source(self) -> dict[str, Any]:
        """What the source's template asks for."""
        helpers: set[str] = set()
        called = functions.names(self.scalars.functions)
        share = "share" if self.program.mean else ""
        writer = Writer(self.unrolled, share, self.local, self.sizes, called, helpers)
        bodies = {
            "forward": self.body(writer, self.layers, ("params", "x")),
            "loss": self.body(writer, self.loss, ("y", "w")),
            "backward": self.body(writer, self.backward, ("params", "x", "y", "w")),
        }
        draw = DRAWS.get(self.program.network.loss.label)
        loop = f"    for (size_t i = 0; i < BP_OUTPUTS; i++)\n        {draw}"
        arrays = (f"{{BP_{b.key.upper()}, {', '.join(self.ends(b))}}}" for b in self.blocks)
        return self.common() | {
            **bodies,
            "functions": functions.written(self.scalars.functions, helpers),
            "share_told": "a share of " if self.program.mean else "",
            "arrays": "\n".join(f"    {array}," for array in arrays),
            "draw": DISTRIBUTION if draw is None else loop,
        }

    def body(
        self, writer: Writer, elements: tuple[Element, ...], parameters: tuple[str, ...]
    ) -> str:
        """The body of a function: where its arrays lie, and the statements."""
        lines = list(writer.lines(elements))
        words = set(re.findall(r"\w+", re.sub(r"/\*.*?\*/", "", "\n".join(lines))))
        pointers = list(self.pointers(words))
        words |= {"params"} if any("params" in line for line in pointers) else set()
        unused = [f"    (void){name};" for name in parameters if name not in words]
        head = [*pointers, *unused]
        return "\n".join([*head, *([""] if head else []), *lines])

    def ends(self, block: Block) -> tuple[str, str]:
        """The outputs and inputs of an array; a bias has no inputs."""
        shape = block.shape
        outputs, inputs = self.program.network.ends(shape) if len(shape) == 2 else (*shape, 0)
        return str(outputs), str(inputs)

    def pointers(self, words: set[str]) -> Iterator[str]:
        """`const bp_real *W1 = params + BP_W1;` of those that are used."""
        keys = [block.key for block in self.blocks]
        for key in filter(words.__contains__, keys):
            yield f"    const bp_real *{key} = params + BP_{key.upper()};"
        for key in keys:
            if f"d{key}" in words:
                yield f"    bp_real *d{key} = grads + BP_{key.upper()};"


def _passed(part: tuple[Element, ...]) -> set[str]:
    """The tensors that only the next element needs, and it one by one."""
    users = Counter(label for element in part for label in labels(element.value))
    found = (one.target for one, other in pairwise(part) if _is_passed(one, other))
    return {target for target in found if users[target] == 1}


def _is_passed(one: Element, other: Element) -> bool:
    """Whether an element is one that the other takes element by element."""
    if one.row or other.row or one.accumulated or len(one.axes) != 1 or one.shape != other.shape:
        return False
    if _is_gathered(one):
        return False
    sums = (node for node in walk(other.value) if isinstance(node, Reduce))
    return one.target in labels(other.value) and not any(one.target in labels(n) for n in sums)


def _is_gathered(element: Element) -> bool:
    """Whether all of its elements come at once: those of a product with a transposed matrix."""
    (axis,) = element.axes
    sums = (node for node in walk(element.value) if isinstance(node, Reduce))
    parts = (part for node in sums for part in walk(node.arg) if isinstance(part, Leaf))
    return any(len(part.axes) == 2 and part.axes[1] == axis for part in parts)


def _shape(block: Block) -> str:
    return " x ".join(map(str, block.shape))
