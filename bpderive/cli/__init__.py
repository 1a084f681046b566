"""The command line: parse, call, print.

In: words of a person.  Out: files, one screen, an exit code.  Must not know: mathematics.  Help,
completion and misspelt options cost no import of SymPy: what needs it is imported by its command.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpderive._version import __version__
from bpderive.cli import console
from bpderive.cli.flowing import flow
from bpderive.cli.importing import from_onnx, from_torch
from bpderive.cli.notes_options import language, notes_options, setting_options
from bpderive.cli.options import (
    code_options,
    listed,
    network_options,
    output_options,
    proof_options,
    read_spec,
)

if TYPE_CHECKING:
    from bpderive.backprop import AnyDerivation
    from bpderive.render import Made
    from bpderive.spec import Spec

EPILOG = """\b
Examples:
  bpderive --layers 2,2,2,1
  bpderive --layers 784,128:relu,10 --loss softmax_cross_entropy --bias
  bpderive --layers n0,n1,n2 --format latex --fragment --out notes
  bpderive --layers "1x8x8, conv(4,3):relu, flatten, 10"
  bpderive --layers squeeze.eq
  bpderive explain --layers 2,2,2,1 "w1[1,1]"
  bpderive code --layers 784,128:relu,10 --target numpy-inplace -o net.py
  bpderive verify --layers 2,2,2,1
  bpderive flow --layers 2,64*10,1 --init he
"""


LISTED = (
    "activations",
    "losses",
    "layers",
    "formats",
    "targets",
    "notations",
    "languages",
    "sections",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 (failure), 2 (usage) or 130 (Ctrl-C)."""
    return console.guarded(
        lambda: command.main(arguments, prog_name="bpderive", standalone_mode=False)
    )


class _Commands(click.Group):
    """Commands, and options of its own for when none of them is named."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say where layers go, to those who gave them as they stand."""
        if args[0][:1].isdigit():
            ctx.fail(f"The layers go with --layers: bpderive --layers {args[0]}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND …]",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOG,
)
@network_options
@output_options
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.pass_context
def command(context: click.Context, /, **given: Any) -> None:
    """Derive back-propagation for a network, step by step.

    Writes the derivation as LaTeX and Markdown, and NumPy code that computes its gradients. The
    network is a list of widths, of layers of any kind, or a file of equations of your own.
    """
    if context.invoked_subcommand is None:
        _write(given)
        return
    source = click.core.ParameterSource.COMMANDLINE
    if any(context.get_parameter_source(name) is source for name in given):
        context.fail(f"Options go after the command: bpderive {context.invoked_subcommand} …")


@command.command()
@network_options
@setting_options
@click.argument("reference", metavar='"w1[1,1]"')
def explain(reference: str, **given: Any) -> None:
    """Print the steps of one gradient, each with its reason.

    The quantity has its name in the derivation: "w1[2,1]" is layer 1, its neuron 2, its input 1;
    also "b1[2]", "delta2[1]", and with other layers "w1[2,1,3,3]", "W_q2[1,4]", "delta2[1]".

    Layers of any kind: --layers "1x8x8, conv(4,3):relu, flatten, 10", or a file: squeeze.eq.
    """
    from bpderive.reference import parse

    example = 'bpderive explain --layers 2,2,2,1 "w1[1,1]"'
    spec, changes = read_spec(given, example, _conventions(given))
    if not spec.stacked:
        parse(reference)
    with console.progress() as at:
        derivation = _derive(spec, changes, at)
        from bpderive.document import explain as steps
        from bpderive.render import screen

        at("explaining")
        text = screen(
            steps(derivation, reference),
            console.width(),
            notation=given["notation"],
            language=language(given),
        )
    _warn(derivation)
    click.echo(text)


@command.command()
@network_options
@proof_options
def verify(**given: Any) -> int:
    """Check a derivation in numbers: its steps, gradients, forms and code.

    Each step and each gradient is compared at random numbers with what needs no derivation; the
    exit code is 1 where anything does not agree.
    """
    test, network = given["self_test"], given["layers"] or given["spec"]
    if test and given["proof"]:
        raise click.UsageError("--self-test has no certificate: leave --proof out.")
    example = "bpderive verify --layers 2,2,2,1"
    spec, changes = read_spec(given, example) if network or not test else (None, {})
    with console.progress() as at:
        derivation = _derive(spec, changes, at) if spec else None
        from bpderive.cli import proving

        if derivation is None or test:
            told, passed = proving.self_test(derivation, given["seed"], at)
        else:
            told, passed = proving.proved(derivation, given, at)
    if derivation is not None:
        _warn(derivation)
    click.echo(told)
    return 0 if passed else 1


@command.command()
@network_options
@code_options
def code(**given: Any) -> None:
    """Write the derivation as code that stands alone.

    Targets: numpy, to read; numpy-inplace, fast; python, without NumPy; array-api, for PyTorch,
    JAX, CuPy, Dask; c, one C99 file and its header.

    Layers of any kind: --layers "1x8x8, conv(4,3):relu, flatten, 10", or a file: squeeze.eq.
    """
    spec, changes = read_spec(given, "bpderive code --layers 2,2,2,1 -o net.py")
    with console.progress() as at:
        derivation = _derive(spec, changes, at)
        from bpderive.cli import coding, proving

        stem = coding.stem(given)
        if given["verify"]:
            proving.checked(derivation, at)
        at("writing code")
        texts = coding.texts(derivation, given, stem)
        told = texts[0][1] if given["output"] == "-" else coding.save_all(texts, derivation, given)
    _warn(derivation)
    console.put(told, exactly=given["output"] == "-")


@command.command()
@network_options
@notes_options
def notes(**given: Any) -> None:
    """Write course notes, as a page, a PDF, slides, a notebook.

    All sections, with figures and a worked example in numbers, in a language and a textbook's
    notation.

    Layers of any kind: --layers "1x8x8, conv(4,3):relu, flatten, 10", or a file: squeeze.eq.
    """
    example = "bpderive notes --layers 2,2,2,1 -o notes.pdf"
    spec, changes = read_spec(given, example, _conventions(given))
    with console.progress() as at:
        derivation = _derive(spec, changes, at)
        from bpderive.cli import noting, proving

        wanted = noting.jobs(given)
        noting.check(wanted, given)
        proof = proving.checked(derivation, at) if given["verify"] else None
        at("writing")
        made = noting.written(derivation, given, proof)
        told = noting.told(derivation, made, wanted, given)
    _warn(derivation)
    console.put(told, exactly=given["outputs"] == ("-",))


@command.command()
@click.argument("folder", type=click.Path(file_okay=False), metavar="DIR")
@click.option("--force", is_flag=True, help="Replace files that were edited since.")
def templates(folder: str, *, force: bool) -> None:
    """Copy the templates out, to be changed.

    What is changed goes into notes with --templates DIR; the rest may be deleted.
    """
    from bpderive.cli.copying import copied

    click.echo(copied(Path(folder), force=force), nl=False)


@command.command("list")
@click.argument("what", type=click.Choice(LISTED))
def list_(what: str) -> None:
    """Print what there is of one kind."""
    from bpderive.cli.lists import LISTS

    click.echo("\n".join(LISTS[what]()))


@command.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print a script that completes this command in a shell.

    For bash: bpderive completion bash > ~/.bpderive.sh, and source it in ~/.bashrc.
    """
    from click.shell_completion import get_completion_class

    if kind := get_completion_class(shell):
        click.echo(kind(command, {}, "bpderive", "_BPDERIVE_COMPLETE").source())


command.add_command(flow)
command.add_command(from_torch)
command.add_command(from_onnx)


def _write(given: Mapping[str, Any]) -> None:
    """The default command: write files and show one screen, or print one text."""
    names, printed = listed(given["formats"]), given["out"] == "-"
    if printed and len(names) != 1:
        raise click.UsageError("--out - prints one format: choose it with --format.")
    spec, changes = read_spec(given, "bpderive --layers 2,2,2,1")
    with console.progress() as at:
        derivation = _derive(spec, changes, at)
        from bpderive.cli import outputs, proving

        outputs.check(names, given)
        options = {**given, "width": console.width()} if printed else given
        proof = proving.checked(derivation, at) if given["verify"] else None
        texts = list(outputs.texts(derivation, names, options, at, proof))
        told = texts[0][1] if printed else _save(texts, derivation, given)
    _warn(derivation)
    console.put(told, exactly=printed)


def _conventions(given: Mapping[str, Any]) -> Mapping[str, object]:
    """What the notation takes for granted of the network."""
    if given["notation"] == "article":
        return {}
    from bpderive.notation import load  # imports SymPy

    return load(given["notation"]).spec


def _derive(spec: "Spec", changes: Mapping[str, Any], at: Callable[[str], None]) -> "AnyDerivation":
    at("importing SymPy")
    with console.no_garbage():
        from bpderive import api
    at("deriving")
    return api.derive(api.network(spec, **changes))


def _warn(derivation: "AnyDerivation") -> None:
    from bpderive.cli.cautions import cautions

    for caution in cautions(derivation.network):
        console.warn(caution)


def _save(
    texts: Iterable[tuple[str, "Made"]], derivation: "AnyDerivation", given: Mapping[str, Any]
) -> str:
    """Write the files; what there is to say of it."""
    from bpderive.cli.outputs import folder, save

    # the screen first: if it fails, nothing is written
    screen = "" if given["quiet"] else f"{_screen(derivation)}\n\n"
    place = folder(derivation) if given["out"] is None else Path(given["out"])
    told = save([(place / file, text) for file, text in texts], force=given["force"])
    return "" if given["quiet"] else screen + told


def _screen(derivation: "AnyDerivation") -> str:
    from bpderive.document import summary
    from bpderive.render import screen

    return screen(summary(derivation), console.width())
