"""The whole module of a computation: its functions around the lines of its equations.

In: a `Computation`. Out: the text, structure from `templates/code/stack_*.j2`. Must not know any
mathematics.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Integer
from sympy.core.function import AppliedUndef

from bpderive.errors import UnsupportedError
from bpderive.schedule.model import Computation, Line, Loop
from bpderive.targets import telling
from bpderive.targets.arrays import loops, words
from bpderive.targets.arrays.block import Block, Shape
from bpderive.targets.arrays.block import words as words_of
from bpderive.targets.arrays.functions import Functions
from bpderive.targets.arrays.heads import head, told, tuple_items
from bpderive.targets.arrays.lines import Writer, chosen_of, logarithms_of, outputs_of, sizes_of
from bpderive.targets.arrays.pieces import NAMES, checks, helpers
from bpderive.targets.arrays.preparing import checked, fused, needed, with_inputs
from bpderive.targets.arrays.settings import GIVEN_ROLES, constants, settings, signatures
from bpderive.targets.arrays.sizes import whole
from bpderive.targets.arrays.stacking import Stacking
from bpderive.targets.arrays.stacks import Stack
from bpderive.targets.layout import collection
from bpderive.templating import fill


def text(computation: Computation) -> str:
    """The module's text."""
    return Module(computation).text()


@dataclass
class Module:
    """Fills the template; what the functions need of each other is read from their lines."""

    given: Computation
    helpers: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=lambda: set(NAMES))

    @cached_property
    def stacking(self) -> Stacking:
        return Stacking(self.computation)

    @cached_property
    def computation(self) -> Computation:
        """The computation without what no gradient needs."""
        whole_ = with_inputs(self.given)
        return fused(replace(whole_, backward=needed(whole_)))

    @cached_property
    def stacked(self) -> Computation:
        """What is computed, equations of a loop that are alike as one."""
        return self.stacking.run()

    @property
    def stacks(self) -> tuple[Stack, ...]:
        """What lies side by side, known when the computation has been rewritten."""
        stacking, _ = self.stacking, self.stacked
        return tuple(stacking.stacks.values())

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every equation, in order."""
        found: list[Line] = []
        for item in (*self.computation.forward, self.computation.loss, *self.computation.backward):
            found += item.lines if isinstance(item, Loop) else (item,)
        return tuple(found)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shapes of all tensors."""
        given = self.computation.given
        found = {g.label: Shape(g.sizes, g.role == "tokens") for g in given}
        found |= {line.equation.label: Shape(sizes_of(line.equation)) for line in self.lines}
        logs = {f"log_{label}": found[label] for label in self.logarithms}
        for stack in self.stacks:
            sizes, place = found[stack.members[0]].sizes, stack.place
            count = Integer(len(stack.members))
            found[stack.label] = Shape((*sizes[:place], count, *sizes[place:]))
        return found | logs

    @cached_property
    def outputs(self) -> dict[tuple[str, str], str]:
        return dict(outputs_of(self.lines))

    @cached_property
    def logarithms(self) -> frozenset[str]:
        return logarithms_of(self.lines, self.outputs)

    @cached_property
    def functions(self) -> Functions:
        """The activations and slopes in use; a slope may need its activation."""
        names: dict[str, None] = {}
        for line in self.lines:
            for call in sorted(line.equation.rhs.atoms(AppliedUndef), key=str):
                names[str(call.func).removesuffix("'")] = None
                names[str(call.func)] = None
        known = [n for n in names if n.removesuffix("'") in self.computation.activations]
        reserved = frozenset(self.taken | set(self.shapes))
        return Functions(self.computation.activations, tuple(known), reserved, self.helpers)

    @cached_property
    def block(self) -> Block:
        block = Block(self.shapes, {}, self.helpers, taken=self.taken)
        block.where, block.numbers = self.stacking.where, self.stacking.numbers
        for label in (*self.shapes, *map(str, self.computation.numbers)):
            block.name(label)
        for size in sorted(self.symbols):
            block.taken.add(size)
        return block

    @cached_property
    def symbols(self) -> frozenset[str]:
        """The names of sizes that are no numbers."""
        found = {
            s for shape in self.shapes.values() for size in shape.sizes for s in size.free_symbols
        }
        return frozenset(whole(s).flat for s in found)

    # --- Functions' lines ---

    def written(self, items: Iterable[Line | Loop], divided: frozenset[str]) -> list[str]:
        """The lines of some equations; names and views go on from one call to the next."""
        self.block.lines = []
        own = (self.block, self.functions, self.outputs, self.logarithms)
        writer = Writer(*own, divided, chosen=chosen_of(self.lines))
        for item in items:
            try:
                self.item(item, writer)
            except UnsupportedError as error:
                raise UnsupportedError(f"{told(item)}: {error}") from error
        return self.block.lines

    def item(self, item: Line | Loop, writer: Writer) -> None:
        """A line, or all of a loop."""
        if isinstance(item, Loop):
            loops.write(item, writer)
        else:
            writer.line(item)

    def text(self) -> str:
        """Everything; the functions come last, when it is known which are used."""
        forward, loss, backward = self.three()
        output = self.block.name(self.computation.output)
        after = words_of("\n".join(backward)) | words_of("\n".join(loss))
        params, given = self.of("parameter"), self.names(GIVEN_ROLES)
        made = self.made(forward)
        states = [n for n in made if n in after or n == output]
        loss_args = [n for n in (*states, *given) if n in words_of("\n".join(loss))]
        loss_args += [n for n in given if n not in loss_args and self.sized_by(n, loss)]
        inputs = self.names(GIVEN_ROLES[:3])
        body = fill(
            "code/stack_body.py.j2",
            **signatures(self, inputs, given, output),
            forward_call=self.call(states, {output}, inputs),
            loss_call=self.call(states, set(loss_args), inputs),
            forward_lines="\n".join(
                [
                    *self.opening(forward, [*params, *inputs], params),
                    *forward,
                    collection("return ", tuple_items(states)),
                ]
            ),
            loss_args=", ".join(loss_args),
            sum_head=head("_loss", loss_args, "float"),
            loss_lines="\n".join([*self.opening(loss, loss_args, []), *loss]),
            backward_lines=self.backward(backward, states, loss_args, params, given),
            **settings(self),
            checks=checks(),
            functions="µ",
        )
        return self.whole(body)

    def three(self) -> tuple[list[str], list[str], list[str]]:
        """The lines of the layers, the loss and the gradient."""
        stacked, where = self.stacked, self.stacking.where
        names = [label for _, label in self.computation.gradients]
        gradients = frozenset(where[label][0] if label in where else label for label in names)
        divided = gradients if self.computation.mean else frozenset()
        forward = self.written(stacked.forward, frozenset())
        self.block.names[self.computation.loss.equation.label] = "L"
        loss_label = frozenset(
            {self.computation.loss.equation.label} if self.computation.mean else ()
        )
        loss = self.written([self.computation.loss], loss_label)
        return forward, loss, self.written(stacked.backward, divided)

    def made(self, lines: list[str]) -> list[str]:
        """The names that lines assign, in order."""
        found = (re.match(r"    (\w+) = ", line) for line in lines)
        return list(dict.fromkeys(match[1] for match in found if match))

    def backward(
        self,
        lines: list[str],
        states: list[str],
        loss_args: list[str],
        params: list[str],
        given: list[str],
    ) -> str:
        used = words_of("\n".join(lines)) | set(loss_args)
        inputs = self.names(GIVEN_ROLES[:3])
        items = (f'"{label}": {self.block.part(g)}' for label, g in self.computation.gradients)
        return "\n".join(
            [
                self.call(states, used, inputs),
                f"    L = _loss({', '.join(loss_args)})",
                *self.opening(lines, [*params, *given, *[s for s in states if s in used]], params),
                *lines,
                collection("grads = ", items, "", "{}"),
                "    return L, grads",
            ]
        )

    def call(self, states: list[str], wanted: set[str], inputs: list[str]) -> str:
        """`z1, _ = _forward(params, x)`."""
        names = [s if s in wanted else "_" for s in states]
        while len(names) > 1 and names[0] == "_" and names[1] == "_":
            names = names[1:]
        if names[0] == "_" and len(names) < len(states):
            names[0] = "*_"
        return collection("", tuple_items(names), f" = _forward(params, {', '.join(inputs)})")

    def opening(self, lines: list[str], known: list[str], params: list[str]) -> Iterator[str]:
        """Parameters under their names, sizes that are no numbers, and the floating type."""
        used = words_of("\n".join(lines))
        sizes = {s: self.source(s, known, used) for s in sorted(self.symbols & used)}
        for stack in self.stacks:
            if stack.given and self.block.name(stack.label) in used:
                items = (f'params["{member}"]' for member in stack.members)
                yield collection(f"{self.block.name(stack.label)} = np.stack(", items, ")", "()")
        needed = used | {source.partition(".")[0] for source in sizes.values()}
        for label in (g.label for g in self.computation.given if g.role == "parameter"):
            name = self.block.name(label)
            if name in needed:
                yield f'    {name} = params["{label}"]'
        if sizes:
            yield collection(f"{', '.join(sizes)} = ", sizes.values())
        if "dtype" in used:
            real = [*params, *(n for n in known if not self.is_tokens(n))]
            owner = next(n for n in real if n in needed or n not in params or n == real[0])
            found = f'params["{self.label(owner)}"]' if owner in params else owner
            yield f"    dtype = {found}.dtype"

    def label(self, name: str) -> str:
        return next(label for label, other in self.block.names.items() if other == name)

    def is_tokens(self, name: str) -> bool:
        return self.shapes[self.label(name)].tokens

    def source(self, size: str, known: list[str], used: set[str]) -> str:
        """Where a size can be read: `x.shape[0]`."""
        names = sorted(known, key=lambda n: n not in used)
        for name in names:
            sizes = self.shapes[self.label(name)].sizes if name in self.block.names.values() else ()
            for place, found in enumerate(sizes):
                if found.is_Symbol and whole(found).flat == size:
                    return f"{name}.shape[{place}]"
        raise AssertionError(size)  # every size stands in the shape of something given

    def sized_by(self, name: str, lines: list[str]) -> bool:
        """Whether the samples are counted by what is given: only by the target."""
        role = next(g.role for g in self.computation.given if self.block.name(g.label) == name)
        return role == "target" and "N" in words_of("\n".join(lines))

    def of(self, *roles: str) -> list[str]:
        return self.names(roles)

    def names(self, roles: Sequence[str]) -> list[str]:
        """The names of what is given in some roles, targets last."""
        given = [g for g in self.computation.given if g.role in roles]
        return [self.block.name(g.label) for g in sorted(given, key=lambda g: g.role == "target")]

    # --- What the template asks for ---

    def by_sample(self, name: str) -> bool:
        sizes = self.shapes[self.label(name)].sizes
        return bool(sizes) and str(sizes[0]) == "N"

    def whole(self, body: str) -> str:
        """The module around the functions that are used."""
        functions = "".join(f"{text}\n\n\n" for text in helpers(self.functions, body, self.helpers))
        body = body.replace("µ", functions).rstrip("\n")
        return fill(
            "code/stack_numpy.py.j2",
            title=telling.title(self.computation),
            about=words.about(self.computation),
            checked=checked(self.lines),
            constants=constants(self),
            strided="as_strided(" in body,
            body=body + "\n",
        )
