"""The public functions: each is one stage of the river, and together they are all of it.

    layers → network → derive → render → text
                              → verify → proof
                              → generate → code → load → module

In: what a program asks for.  Out: the values of the stages.  Must not know: the command line.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_args, overload

from sympy import Eq, Expr

from bpderive.catalog import CATALOG, Catalog
from bpderive.derive import Derivation as Derived
from bpderive.derive import derive as sweep
from bpderive.document import FIRST, Request
from bpderive.document import build as write
from bpderive.errors import SpecError, quoted
from bpderive.forms import gradient
from bpderive.forms.index_form import recurrence
from bpderive.forms.sharing import Operations, Sharing, Slopes, operations, sharing
from bpderive.network import Network
from bpderive.network import build as lay_out
from bpderive.notation import DEFAULT
from bpderive.program import Program
from bpderive.program import build as plan
from bpderive.proof import Proof
from bpderive.render import FORMATS
from bpderive.render import render as print_out
from bpderive.second.asking import SecondOrder
from bpderive.spec import Spec, parse_spec
from bpderive.targets import TARGETS, found
from bpderive.targets import files as print_files
from bpderive.targets import generate as print_code
from bpderive.targets.modules import module
from bpderive.verify import SEED
from bpderive.verify import verify as prove

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation
    from bpderive.layered import LayeredDerivation
    from bpderive.schedule import Computation
    from bpderive.second import Equations
    from bpderive.stack import Stack

Layers = str | Spec | Iterable[object]


@dataclass(frozen=True)
class Derivation(SecondOrder, Derived):
    """A network with every gradient of its loss. Made by `derive`."""

    @cached_property
    def equations(self) -> "Equations":
        """All its equations, for one sample."""
        from bpderive.second.reading import of_dense

        return of_dense(self)

    def gradient(self, reference: str, form: str = "delta") -> Expr:
        """The gradient of the loss with respect to one quantity, as a SymPy expression.

        Args:
            reference: the quantity, such as `w1[1,2]`, `b2[1]` or `delta1[1]`.
            form: `delta` (in deltas, one product), `paths` (the sum over every path to the loss),
                `weights` (in x, y and the parameters alone), `index`, `matrix` (of the whole
                tensor, for one sample) or `batch` (for N samples).

        Returns:
            In the forms `delta`, `paths` and `weights` every quantity is a `sympy.Symbol` with its
            reference text for a name.

        Raises:
            SpecError: the network has no such quantity, or there is no such form.
            UnsupportedError: the form would be too long to write out.
        """
        return gradient(self, _text(reference, "a reference"), _text(form, "a form"))

    def sharing(self, first: str, second: str, *, slopes: Slopes = "factors") -> Sharing:
        """How many factors of one gradient stand in another too, counted over all paths.

        Args:
            first: a weight or bias, such as `w1[1,1]`.
            second: another, of any neuron or layer.
            slopes: count a slope as the `factors` of its closed form, or as `one`.

        Returns:
            `shared`, `total` and their `ratio`, all exact: 14, 16 and 7/8 for w1[1,1] and
            w1[1,2] of 2,2,2,1.

        Raises:
            SpecError: not a weight or bias of this network.
        """
        if slopes not in get_args(Slopes):
            raise SpecError.single(
                f"unknown way to count slopes {quoted(slopes)}", accepted="factors, one"
            )
        return sharing(self, first, second, slopes=slopes)

    def recurrence(self, layer: int) -> tuple[Eq, ...]:
        """The derivatives of a general layer ℓ like this one, as equations between index terms.

        Args:
            layer: the number of any layer of that kind; all of them share the equations.

        Returns:
            For its activation, its weighted sum (`delta{l}`), its weights and its biases; layers
            are `{l}`, `{l-1}` and `{l+1}` in the labels, sizes `n{l}`.

        Raises:
            SpecError: the network has no such layer.
        """
        if not 1 <= layer <= self.network.depth:
            raise SpecError.single(
                f"no layer {quoted(layer)}", accepted=f"1 to {self.network.depth}"
            )
        found = recurrence(self, self.network.kind(layer))
        return tuple(Eq(one.lhs, one.rhs, evaluate=False) for one in found)

    def operations(self) -> Operations:
        """Multiplications for all gradients, path by path and with the deltas: 54 and 20."""
        return operations(self)


def network(  # noqa: PLR0913 - the options of a spec, by name
    layers: Layers,
    *,
    activation: str | None = None,
    output_activation: str | None = None,
    loss: str | None = None,
    bias: bool | None = None,
    reduction: str | None = None,
    orientation: str | None = None,
    weights: str | None = None,
    catalog: Catalog = CATALOG,
) -> "Network | Stack":
    """The network of some layers, as index equations.

    Args:
        layers: the text of `--layers` (`"2,2,2,1"`); or a sequence, the input first, of widths,
            `(width, activation)` pairs and tables such as `{"width": 4, "repeat": 3}`; or a
            `Spec`, whose options are then the defaults. A list with any other layer, or a file of
            equations, gives a `Stack`.
        activation: of the hidden layers: a name or a formula in `z`. Default: sigmoid.
        output_activation: of the last layer. Default: linear.
        loss: a name, or a formula in `a` and `y`. Default: half_squared_error.
        bias: whether the layers have biases. Default: False.
        reduction: `mean` or `sum` over the samples of a batch. Default: mean.
        orientation: samples as `rows` or `columns` of a matrix. Default: rows.
        weights: `neuron_first` (`z_i = Σ_j w_ij a_j`, the default) or `input_first` (`w_ji`).
        catalog: the activations and losses to choose from.

    Raises:
        SpecError: with every problem, each with its place.
    """
    options = {
        "activation": activation,
        "output_activation": output_activation,
        "loss": loss,
        "bias": bias,
        "reduction": reduction,
        "orientation": orientation,
        "weights": weights,
    }
    spec = _spec(layers, options, catalog)
    if not spec.items:
        return lay_out(spec, catalog)
    from bpderive.stack import build as stack_up

    return stack_up(spec, catalog)


@overload
def derive(network: Network) -> Derivation: ...


@overload
def derive(network: "Stack") -> "LayeredDerivation": ...


def derive(network: "Network | Stack") -> "Derivation | LayeredDerivation":
    """Derive every gradient of a network's loss.

    Raises:
        TypeError: given something else, such as the text of the layers.
    """
    if not isinstance(network, Network):
        from bpderive.layered import Stack, layered

        if isinstance(network, Stack):
            return layered(network)
        raise TypeError(
            f"derive takes a network, not {type(network).__name__}: "
            'bpderive.derive(bpderive.network("2,2,2,1"))'
        )
    found = sweep(network)
    return Derivation(found.network, found._sweeps)  # noqa: SLF001 - the same value, with a method


def render(
    derivation: "AnyDerivation",
    format: str = "latex",  # noqa: A002 - the word of the command line
    *,
    weight: str | None = None,
    all_weights: bool = False,
    proof: Proof | None = None,
    **options: Any,
) -> str:
    """The derivation as a document.

    Args:
        derivation: made by `derive`.
        format: `latex`, `markdown`, `html`, `typst`, `slides` or `text`.
        weight: the weight of the worked example, such as `w1[1,1]`.
        all_weights: list the gradient of every weight, however many there are.
        proof: made by `verify`; the document then says what it checked.
        options: of the format: `fragment` (latex: without preamble), `flavor` (markdown: github,
            pandoc or myst), `width` (text: columns); and, of every format, `notation` and
            `language`.

    Raises:
        SpecError: an unknown format, option or weight; a format that is no text.
    """
    if format in FORMATS and FORMATS[format].binary:
        raise SpecError.single(f"{format} is no text", accepted='bpderive.notes(…).render("pdf")')
    request = Request(
        weight=weight or FIRST,
        all_weights=all_weights,
        proof=proof,
        conventions=options.get("notation", DEFAULT) != DEFAULT,
    )
    return str(print_out(write(_derived(derivation), request), format, **options))


def generate(derivation: "AnyDerivation", target: str = "numpy") -> str:
    """The derivation as code: the source text of a module, or of a C file.

    Args:
        derivation: made by `derive`.
        target: `numpy`, `numpy-inplace`, `python`, `array-api` or `c`.

    Raises:
        SpecError: an unknown target.
        UnsupportedError: the target cannot carry the network, such as sizes without numbers.
    """
    return print_code(_planned(_derived(derivation)), _text(target, "a target"))


def generate_files(
    derivation: "AnyDerivation",
    target: str = "numpy",
    *,
    name: str | None = None,
    test: bool = False,
) -> dict[str, str]:
    """The derivation as files: their names and texts, the code first.

    Args:
        derivation: made by `derive`.
        target: as in `generate`; `c` has a header beside its code.
        name: of the files, without suffix. Default: `network`, or near it.
        test: add a pytest file that checks the code against differences.

    Raises:
        SpecError: an unknown target.
        UnsupportedError: the target cannot carry the network, such as sizes without numbers.
    """
    planned = _planned(_derived(derivation))
    return print_files(planned, _text(target, "a target"), name, test=test)


def verify(derivation: "AnyDerivation", *, quick: bool = False, seed: int = SEED) -> Proof:
    """Prove a derivation in numbers: every step, every gradient, every form and the code.

    Args:
        derivation: made by `derive`.
        quick: leave out what needs more than the core packages, or seconds: SymPy's own derivative
            of the loss, the gradients of other libraries, and running the generated code.
        seed: of the random numbers.

    Returns:
        What was compared and to how many digits it agrees: `passed`, `failures`, `summaries`,
        `skips`, and `certificate()`, all of it as JSON.

    Raises:
        TypeError: the seed is no integer, or the derivation none of ours.
        ValueError: the seed is negative.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise TypeError(f"a seed is an integer, not {type(seed).__name__}")
    if seed < 0:
        raise ValueError(f"a seed is not negative, and here is {seed}")
    found = _derived(derivation)
    if isinstance(found, Derived):
        return prove(found, quick=quick, seed=seed)
    from bpderive.verify.layered import verify_stack

    return verify_stack(found, quick=quick, seed=seed)


def load(derivation: "AnyDerivation", target: str = "numpy") -> ModuleType:
    """The generated code as a Python module, ready to call; no file is written.

    Its source lines show in tracebacks. It is not in `sys.modules`.

    Args:
        derivation: made by `derive`.
        target: `numpy`, `numpy-inplace`, `python` or `array-api`.

    Raises:
        SpecError: an unknown target, or one that is no Python module.
        UnsupportedError: a package that it needs is not installed, or the target cannot carry the
            network.
    """
    source = generate(derivation, target)
    if found(target).suffix != ".py":
        modules = ", ".join(name for name, row in TARGETS.items() if row.suffix == ".py")
        raise SpecError.single(f"{target} is no Python module", accepted=modules)
    return module(source, derivation.network.spec.slug)


def _spec(layers: Layers, given: dict[str, Any], catalog: Catalog) -> Spec:
    options = {name: value for name, value in given.items() if value is not None}
    if isinstance(layers, Spec):
        checked = parse_spec("1,1", catalog.names, **options)
        return replace(layers, **{name: getattr(checked, name) for name in options})
    if isinstance(layers, bytes) or not isinstance(layers, Iterable):
        raise TypeError(f"layers are a text or a sequence of widths, not {type(layers).__name__}")
    items = layers if isinstance(layers, str) else [_item(item) for item in layers]
    return parse_spec(items, catalog.names, **options)


def _item(item: object) -> object:
    """A layer as the spec reads it: a pair as its table, any integer (NumPy's too) as an int."""
    if isinstance(item, tuple | list) and len(item) == 2:
        width, activation = item
        return {"width": _item(width), **({"activation": activation} if activation else {})}
    if hasattr(item, "__index__") and not isinstance(item, bool):
        return item.__index__()
    return item


def _text(value: str, what: str) -> str:
    """The value, which must be a text.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(value, str):
        raise TypeError(f"{what} is a text, such as w1[1,2] or delta, not {type(value).__name__}")
    return value


def _planned(derivation: "AnyDerivation") -> "Program | Computation":
    if isinstance(derivation, Derived):
        return plan(derivation)
    from bpderive.schedule import build

    return build(derivation)


def _derived(value: "AnyDerivation") -> "AnyDerivation":
    if not isinstance(value, Derived) and not hasattr(value, "stack"):
        raise TypeError(
            f"a derivation is needed, not {type(value).__name__}: bpderive.derive(network)"
        )
    return value
