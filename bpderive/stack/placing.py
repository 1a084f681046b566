"""One module at its place: which sizes its letters have there, and how its labels read.

In: a `Module`, the tensors that it takes, what was asked for. Out: sizes and names, or a
`SpecError` where a size is not known or does not fit. Must not know: how layers are asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Integer

from bpderive.errors import SpecError
from bpderive.index import Axis, Tensor, size_symbol
from bpderive.modules.labels import delta, derivative, direct, gradient, label
from bpderive.modules.model import Declared, Module

Sizes = dict[str, Expr]


@dataclass(frozen=True)
class Asked:
    """What was asked for at one place: the sizes that its arguments give, by their letters."""

    row: str
    text: str
    where: str
    sizes: Mapping[str, Expr]


def bind(module: Module, inputs: tuple[Tensor, ...], asked: Asked) -> Sizes:
    """The size of every letter of the module at its place.

    Raises:
        SpecError: an input has too many axes or another size, or a size is not known.
    """
    sizes: Sizes = dict(asked.sizes)
    taken = (*module.of_role("input"), *_tokens(module))
    for declared, given in zip(taken, inputs, strict=False):
        if len(declared.axes) != len(given.axes):
            here, there = len(declared.axes), len(given.axes)
            raise SpecError.single(
                f"{declared.name} has {here} axes, and what comes in has {there}",
                asked.where,
                "a layer before it that gives such axes",
            )
        for axis, have in zip(declared.axes, given.axes, strict=True):
            _bind_axis(axis, have.size, module, sizes, asked)
    _follow(module, sizes, asked)
    return sizes


def _follow(module: Module, sizes: Sizes, asked: Asked) -> None:
    """Work out the sizes that follow from others, in whatever order they are declared.

    Raises:
        SpecError: two of them need each other.
    """
    waiting = {letter: value for letter, value in module.sizes.items() if letter not in sizes}
    while waiting:
        ready = [
            k for k, v in waiting.items() if not {str(s) for s in v.free_symbols} & set(waiting)
        ]
        if not ready:
            told = f"the sizes {', '.join(waiting)} need each other"
            raise SpecError.single(told, asked.where, "sizes that follow from the input's")
        for letter in ready:
            value = waiting.pop(letter)
            sizes[letter] = value.subs({size_symbol(k): v for k, v in sizes.items()})


def _tokens(module: Module) -> tuple[Declared, ...]:
    """Where there is no differentiable input, the data are what comes in."""
    return () if module.of_role("input") else module.of_role("data")


def _bind_axis(axis: Axis, have: Expr, module: Module, sizes: Sizes, asked: Asked) -> None:
    letters = [str(module.range_of(letter)) for letter in axis.name.split(",")]
    unknown = [letter for letter in letters if letter not in sizes]
    product = Integer(1)
    for letter in letters:
        product = product * sizes.get(letter, Integer(1))
    if len(unknown) > 1:
        known = [letter for letter in letters if letter not in unknown]
        raise SpecError.single(
            f"the sizes {', '.join(unknown)} are not known",
            asked.where,
            f"{unknown[0]}=2" if not known else "",
        )
    if not unknown:
        if have != product:
            raise SpecError.single(
                f"{'*'.join(letters)} is {product} here, and {have} comes in",
                asked.where,
                f"{product}",
            )
        return
    quotient = have / product
    if have.is_Integer and not quotient.is_Integer:
        raise SpecError.single(
            f"{have} cannot be divided by {product}", asked.where, f"a divisor of {have}"
        )
    sizes[unknown[0]] = quotient


def checked(module: Module, sizes: Sizes, asked: Asked) -> None:
    """That every size of the module is known and positive.

    Raises:
        SpecError: one is not.
    """
    for tensor in module.tensors:
        for axis in tensor.axes:
            for letter in axis.name.split(","):
                size = sizes.get(str(module.range_of(letter)))
                if size is None:
                    raise SpecError.single(
                        f"the size {module.range_of(letter)} of {tensor.name} is not known",
                        asked.where,
                        f"{asked.row}({module.range_of(letter)}=3)",
                    )
                if size.is_number and (not size.is_Integer or size < 1):
                    raise SpecError.single(
                        f"{module.range_of(letter)}, a size of {tensor.name}, would be {size}",
                        asked.where,
                        "sizes of at least 1",
                    )


def size_of(axis: Axis, module: Module, sizes: Sizes) -> Expr:
    """The size of an axis at the place."""
    product = Integer(1)
    for letter in axis.name.split(","):
        product = product * sizes[str(module.range_of(letter))]
    return product


def concrete(name: str, number: int, *, alone: bool) -> str:
    """A tensor's label at its place: `U2`, `W2_3`; bare where the file is the whole network."""
    return name if alone else f"{name}{'_' * name[-1].isdigit()}{number}"


@dataclass(frozen=True)
class Numbered:
    """A place's number, and that of the place whose parameters it uses.

    Where a file is the whole network (`alone`), nothing is numbered.
    """

    number: int
    parameters: int
    alone: bool

    def __call__(self, name: str, role: str = "defined") -> str:
        """The label of a tensor here."""
        at = self.parameters if role == "parameter" else self.number
        return concrete(name, at, alone=self.alone)


def names_of(
    module: Module, inputs: Mapping[str, str], sizes: Sizes, named: Numbered
) -> dict[str, Expr | str]:
    """How the general labels and sizes read: `inputs` gives the labels of what comes in."""
    table: dict[str, Expr | str] = dict(sizes)
    for tensor in module.tensors:
        name = tensor.name
        table[label(name)] = inputs.get(name) or named(name, tensor.role)
        table[delta(name)] = named(derivative(name))
        table[direct(name)] = named(f"direct_{name}")
        table[gradient(name)] = named(f"d{name}")
    for name in module.numbers:
        table[label(name)] = named(name)
    return table
