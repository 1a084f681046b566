"""The options of the commands, and how they are read.

In: the words after a command.  Out: a `Spec`, and names of formats.  Must not import SymPy: help,
completion and a misspelt width are answered at once.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from bpderive.spec import NOTHING, REDUCTIONS, Spec, parse_spec, read_toml
from bpderive.weights import ORDERS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

DEFAULT_FORMATS = "latex,markdown,numpy"
SPEC_OPTIONS = (
    "activation",
    "output_activation",
    "loss",
    "bias",
    "reduction",
    "orientation",
    "weights",
)


class Name(click.types.StringParamType):
    """A name that the shell can complete; whether it exists is for others to say."""

    def __init__(self, name: str, choices: Callable[[], Iterable[str]]) -> None:
        self.name = name
        self.choices = choices

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem]":
        """The choices that go on from what is typed, after the last comma of a list."""
        from click.shell_completion import CompletionItem

        head, comma, last = incomplete.rpartition(",")
        found = (name for name in self.choices() if name.startswith(last))
        return [CompletionItem(f"{head}{comma}{name}") for name in found]


def _activations() -> list[str]:
    from bpderive.catalog import CATALOG

    return [row.name for row in CATALOG.activations]


def _losses() -> list[str]:
    from bpderive.catalog import CATALOG

    return [row.name for row in CATALOG.losses]


def _formats() -> list[str]:
    from bpderive.cli.outputs import outputs  # imports SymPy

    return list(outputs())


def _targets() -> list[str]:
    from bpderive.targets import TARGETS  # imports SymPy

    return list(TARGETS)


def _worded(name: str) -> str:
    """The name of a value of a spec, as a command's."""
    return name.replace("_", "-")


ACTIVATION = Name("NAME", _activations)
LOSS = Name("NAME", _losses)
FORMATS = Name("NAMES", _formats)
TARGET = Name("NAME", _targets)

_NETWORK = (
    click.option(
        "--layers",
        metavar="LAYERS",
        help="The widths from the input to the output: 2,2,2,1. Also with activations "
        "(784,128:relu,10:softmax), repeated layers (2,4*1000,1), symbolic sizes (n0,n1,n2). Or "
        "layers of any kind after the input: 1x8x8,conv(4,3):relu,maxpool(2),flatten,10, "
        "seq(5)x3,lstm(4),last,1, or a file of equations: squeeze.eq. `bpderive list layers` "
        "tells all.",
    ),
    click.option(
        "--spec",
        type=click.Path(allow_dash=True),
        metavar="FILE",
        help="Read the network from a TOML file with these options as keys; - is standard input.",
    ),
    click.option(
        "--activation",
        type=ACTIVATION,
        help=f"Of the hidden layers: a name, or a formula such as 'z*tanh(z)'. In a list with "
        f"layers of other kinds, a plain width is linear without it. [default: {Spec.activation}]",
    ),
    click.option(
        "--output-activation",
        type=ACTIVATION,
        help=f"Of the last layer. [default: {Spec.output_activation}]",
    ),
    click.option(
        "--loss",
        type=LOSS,
        help=f"A name, or a formula such as '(a-y)**4'. [default: {Spec.loss}]",
    ),
    click.option("--bias/--no-bias", default=None, help="[default: no-bias]"),
    click.option(
        "--reduction",
        type=click.Choice(REDUCTIONS),
        help=f"Of the losses of a batch. [default: {Spec.reduction}]",
    ),
    click.option(
        "--rows/--columns",
        "orientation",
        default=None,
        callback=lambda _ctx, _param, rows: {True: "rows", False: "columns"}.get(rows),
        help="Samples as rows or columns in the matrix form (the code takes rows). "
        f"[default: {Spec.orientation}]",
    ),
    click.option(
        "--weights",
        type=click.Choice([_worded(name) for name in ORDERS]),
        callback=lambda _ctx, _param, name: name and name.replace("-", "_"),
        help='Which index of a weight comes first: "w1[1,2]" is neuron 1 and input 2, or input 1 '
        f"and neuron 2. [default: {_worded(Spec.weights)}]",
    ),
)

_OUTPUT = (
    click.option(
        "--format",
        "formats",
        type=FORMATS,
        multiple=True,
        default=(DEFAULT_FORMATS,),
        help=f"What to write; `bpderive list formats` tells all. [default: {DEFAULT_FORMATS}]",
    ),
    click.option(
        "--out",
        type=click.Path(allow_dash=True, readable=False),
        metavar="DIR",
        help="The folder for the files; - prints a single format. [default: output/NETWORK]",
    ),
    click.option("--fragment", is_flag=True, help="LaTeX to \\input into a document of your own."),
    click.option(
        "--flavor",
        type=click.Choice(("github", "pandoc", "myst")),
        help="Of the Markdown. [default: github]",
    ),
    click.option("--weight", metavar="REF", help='The weight of the worked example: "w1[1,1]".'),
    click.option("--all-weights", is_flag=True, help="List the gradient of every weight."),
    click.option(
        "--verify/--no-verify",
        default=True,
        help="Check the derivation in numbers, and say so in it. [default: verify]",
    ),
    click.option("--force", is_flag=True, help="Replace files that were edited since."),
    click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors."),
)


def _json(_ctx: click.Context, _param: click.Parameter, path: str | None) -> str | None:
    """The name of a JSON file."""
    if path is not None and not path.endswith(".json"):
        raise click.BadParameter("the file is JSON: give it a name that ends with .json")
    return path


_PROOF = (
    click.option(
        "--proof",
        metavar="FILE.json",
        callback=_json,
        help="Write every comparison, the seed and the versions to a file.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=1,
        metavar="NUMBER",
        help="Of the random numbers. [default: 1]",
    ),
    click.option(
        "--self-test",
        is_flag=True,
        help="Plant known mistakes, in this network or in a table of them, and see each caught.",
    ),
    click.option("--force", is_flag=True, help="Replace a file that was edited since."),
)


_CODE = (
    click.option(
        "--target",
        type=TARGET,
        default="numpy",
        help="What the code is for; `bpderive list targets` tells all. [default: numpy]",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(allow_dash=True, readable=False),
        metavar="FILE",
        help="The file, such as net.py; - prints it. [default: output/NETWORK/…]",
    ),
    click.option("--emit-test", is_flag=True, help="Write a pytest file for the code beside it."),
    click.option(
        "--verify/--no-verify",
        default=True,
        help="Check the derivation in numbers before anything is written. [default: verify]",
    ),
    click.option("--force", is_flag=True, help="Replace files that were edited since."),
    click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors."),
)


def together(options: tuple[Decorator, ...]) -> Decorator:
    """Options as one decorator, in this order in the help."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


network_options = together(_NETWORK)
output_options = together(_OUTPUT)
proof_options = together(_PROOF)
code_options = together(_CODE)


def read_spec(
    given: Mapping[str, Any], example: str, defaults: Mapping[str, object] = NOTHING
) -> tuple[Spec, dict[str, Any]]:
    """The network asked for, and the options that change it further; `example` of a right use.

    A notation's conventions are the `defaults` of what is not given.

    Raises:
        click.UsageError: neither or both of `--layers` and `--spec`.
        SpecError: with every problem.
    """
    from bpderive.catalog import CATALOG  # --help does without it

    layers, path = given["layers"], given["spec"]
    if layers is None and path is None:
        raise click.UsageError(f"Which network? Give its widths, for example: {example}")
    if layers is not None and path is not None:
        raise click.UsageError("--layers and --spec both say the network: give one of them.")
    options = {name: given[name] for name in SPEC_OPTIONS if given[name] is not None}
    if path is not None:
        return read_toml(path, CATALOG.names, defaults), options
    return parse_spec(layers, CATALOG.names, defaults, **options), {}


def listed(values: Iterable[str]) -> tuple[str, ...]:
    """The names of comma lists, each once, in their order."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))
