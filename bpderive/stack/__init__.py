"""Networks of any layers: from a spec's items to modules at their places.

In: a `Spec`, a `Catalog`. Out: a `Stack`, or a `SpecError` with the place of what is wrong.
Must not know: gradients, letters, words.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

from sympy import Expr, Rational

from bpderive.catalog import Activation, Catalog, Loss, check_output
from bpderive.errors import SpecError
from bpderive.index import Axis, Tensor, size_symbol
from bpderive.locate import templates
from bpderive.modules.reader import read
from bpderive.modules.rows import text
from bpderive.modules.shapes import LETTERS
from bpderive.modules.walking import Request, Walk
from bpderive.spec import Spec
from bpderive.stack.building import Building, Wanted
from bpderive.stack.losses import loss_equation, target_of
from bpderive.stack.model import Place, Stack
from bpderive.stack.placing import Asked

__all__ = ["Place", "Stack", "build", "for_one"]

SAMPLES = size_symbol("N")


def build(spec: Spec, catalog: Catalog, *, samples: bool = True) -> Stack:
    """The network that a spec of any layers asks for.

    Args:
        spec: with `items`.
        catalog: whose activations and losses there are.
        samples: whether the tensors have the axis of the samples of a batch. Without, the network
            is written for one sample, unless a layer mixes them.

    Raises:
        SpecError: a layer does not fit what comes into it, a size is not known, a file is wrong.
    """
    loss = catalog.loss(spec.loss)
    if not samples:
        return _build(spec, catalog, loss, samples=False) or build(spec, catalog)
    found = _build(spec, catalog, loss, samples=True)
    if found is None:
        raise SpecError.single("the network has no axis of samples", "layers")
    return found


def for_one(stack: Stack) -> Stack:
    """The same network for one sample; itself where it has no samples, or mixes them."""
    return build(stack.spec, stack.catalog, samples=False) if stack.samples else stack


def _build(spec: Spec, catalog: Catalog, loss: Loss, *, samples: bool) -> Stack | None:
    """The stack, or None where samples are mixed and were to be left out."""
    walk = Walk(spec)
    building = Building(_input(spec, samples=samples), catalog, samples, alone=spec.input is None)
    for request in walk:
        wanted = _wanted(request, catalog)
        if building.alone:
            building.input, samples = _own_input(wanted, request, catalog, samples=samples)
            building.samples = samples
        place = building.add(wanted, _asked(request), request.sources or (0,), request.tied)
        if place is None:
            return None
        axes = place.output.axes
        walk.tell(request, [axis.size for axis in axes if axis.name != "n"])
    check_output(loss, _last_activation(building.places[-1], catalog))
    asked = len(building.places)
    _finish(building, loss, catalog)
    return replace(_stack(spec, building, loss), added=len(building.places) - asked)


def _stack(spec: Spec, building: Building, loss: Loss) -> Stack:
    last = building.places[-1]
    target = target_of(last.output, building.taken())
    equation = loss_equation(loss, last.module, target.label, "S" if building.samples else "L")
    return Stack(
        spec=spec,
        input=building.input,
        places=tuple(building.places),
        loss=loss,
        target=target,
        loss_equations=(equation,),
        samples=building.samples,
        catalog=building.catalog,
        alone=building.alone,
    )


def _input(spec: Spec, *, samples: bool) -> Tensor:
    """The network's input, as its spec says; for a file alone, what the file says comes later."""
    if spec.input is None:
        return Tensor("x", None, (), "input")
    letters = LETTERS[spec.input.kind]
    sizes = [size_symbol(s) if isinstance(s, str) else Rational(s) for s in spec.input.sizes]
    axes = tuple(Axis(letter, size) for letter, size in zip(letters, sizes, strict=True))
    return Tensor("x", None, (*((Axis("n", SAMPLES),) if samples else ()), *axes), "input")


def _wanted(request: Request, catalog: Catalog) -> Wanted:
    found = request.resolved
    source, name = text(found) if not found.own else (_own(found.file), f"{found.file}.eq")
    row = _activation(found.activation, catalog)
    numbers = tuple(sorted(found.numbers.items()))
    return Wanted(source, name, row, found.bias, found.leading, numbers)


@cache
def _own(file: str) -> str:
    return (Path(templates()) / "layers" / f"{file}.eq").read_text("utf-8")


def _activation(name: str | None, catalog: Catalog) -> Activation | None:
    row = None if name is None else catalog.activation(name)
    return None if row is None or row.name == "linear" else row


def _asked(request: Request) -> Asked:
    return Asked(request.row, request.item.text, request.where, dict(request.resolved.sizes))


def _own_input(
    wanted: Wanted, request: Request, catalog: Catalog, *, samples: bool
) -> tuple[Tensor, bool]:
    """The input of a file that is the whole network, and whether it has samples."""
    module = read(
        wanted.source, wanted.file, activation=wanted.activation, bias=wanted.bias, catalog=catalog
    )
    inputs = module.of_role("input") or module.of_role("data")[:1]
    if len(inputs) > 1:
        message = f"a file that is the whole network has one input, and here are {len(inputs)}"
        raise SpecError.single(message, request.where, "param or data for the others")
    (own,) = inputs
    sizes = request.resolved.sizes
    axes = tuple(Axis(axis.name, _size(axis, sizes)) for axis in own.axes)
    has = any(axis.name == "n" for axis in axes)
    kept = tuple(axis for axis in axes if axis.name != "n" or samples)
    return Tensor(own.name, None, kept, "input"), samples and has


def _size(axis: Axis, given: object) -> Expr:
    sizes: dict[str, Expr] = dict(given)  # type: ignore[call-overload] # a mapping of sizes
    table = {size_symbol(letter): size for letter, size in sizes.items()}
    return axis.size.xreplace(table)


def _last_activation(place: Place, catalog: Catalog) -> Activation:
    """The activation by which the network's output is made; linear where there is none."""
    rows = place.module.activations
    last = place.module.equations[-1].rhs
    found = [row for name, row in rows.items() if name == getattr(last.func, "__name__", "")]
    mixing = [row for row in rows.values() if not row.elementwise]
    return (found or mixing or [catalog.activation("linear")])[0]


def _finish(building: Building, loss: Loss, catalog: Catalog) -> None:
    """What a loss wants behind the last layer; a copy, where its output returns into it."""
    from bpderive.modules.labels import label

    if loss.stage:
        _behind(building, "activation", loss.stage, catalog.activation(loss.stage))
    last = building.places[-1]
    own = label(last.module.output)
    if any(str(t.base.label) == own for e in last.module.equations for t in _tensors(e.rhs)):
        _behind(building, "copy", "copy", None)


def _tensors(expr: Expr) -> set[Expr]:
    from sympy import Indexed

    return set(expr.atoms(Indexed))


def _behind(building: Building, file: str, row: str, activation: Activation | None) -> None:
    last = building.places[-1].output
    leading = tuple(axis.name for axis in last.axes[:-1])
    leading = leading if building.samples else ("n", *leading)
    clean = tuple(letter if len(letter) == 1 else "abcdefgh"[k] for k, letter in enumerate(leading))
    wanted = Wanted(_own(file), f"{file}.eq", activation, bias=False, leading=_apart(clean))
    building.add(wanted, Asked(row, row, row, {}), (len(building.places),))


def _apart(letters: tuple[str, ...]) -> tuple[str, ...]:
    """Letters none of which is that of the last axis."""
    return tuple("r" if letter == "i" else letter for letter in letters)
