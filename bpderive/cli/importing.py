"""`bpderive from-torch` and `bpderive from-onnx`: somebody's model as a spec.

In: words after a command.  Out: a line or TOML on stdout, files, an exit code.  Must not know: how
models are read.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpderive.cli import console
from bpderive.cli.options import LOSS, Decorator, together

if TYPE_CHECKING:
    from bpderive.importers.checking import Compared
    from bpderive.importers.model import Imported


def _ends(suffix: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """The name of a file of one kind."""

    def check(_ctx: click.Context, _param: click.Parameter, path: str | None) -> str | None:
        if path is not None and not path.endswith(suffix):
            raise click.BadParameter(f"give the file a name that ends with {suffix}")
        return path

    return check


_OPTIONS: tuple[Decorator, ...] = (
    click.option(
        "--input",
        "shape",
        metavar="SHAPE",
        help="What goes in, as in --layers: 8, 8x16, 1x28x28, seq(5)x3, or seq(5) of tokens. "
        "[default: what the model tells]",
    ),
    click.option("--loss", type=LOSS, help="A name, or a formula. [default: half_squared_error]"),
    click.option("--toml", "as_toml", is_flag=True, help="Print TOML, and no line for --layers."),
    click.option(
        "-o",
        "--output",
        type=click.Path(readable=False, dir_okay=False),
        metavar="FILE.toml",
        callback=_ends(".toml"),
        help="Write the spec to a file, for --spec.",
    ),
    click.option(
        "--weights",
        type=click.Path(readable=False, dir_okay=False),
        metavar="FILE.npz",
        callback=_ends(".npz"),
        help="Write the model's weights under the names that the generated code has for them.",
    ),
    click.option(
        "--check",
        is_flag=True,
        help="Compare the gradients with the model's own, at its weights and random inputs; the "
        "exit code is 1 where they differ.",
    ),
    click.option("--force", is_flag=True, help="Replace files that were edited since."),
)
_options = together(_OPTIONS)


@click.command("from-torch")
@click.argument("model", metavar="FILE.py:NAME")
@_options
def from_torch(model: str, **given: Any) -> int:
    """Read a PyTorch model as a network of bpderive's.

    The file is run as it stands. NAME in it is an nn.Module, or a class or function without
    arguments that gives one. What cannot be read is named, all of it at once.
    """
    from bpderive.importers.api import from_torch as read

    with console.progress() as at:
        at("importing PyTorch")
        found = read(model, given["shape"], given["loss"])
        return _finish(found, given, at)


@click.command("from-onnx")
@click.argument("model", type=click.Path(), metavar="MODEL.onnx")
@_options
def from_onnx(model: str, **given: Any) -> int:
    """Read an ONNX model as a network of bpderive's.

    What cannot be read is named, all of it at once.
    """
    from bpderive.importers.api import from_onnx as read

    with console.progress() as at:
        at("reading the model")
        found = read(model, given["shape"], given["loss"])
        return _finish(found, given, at)


def _finish(read: "Imported", given: Mapping[str, Any], at: Callable[[str], None]) -> int:
    """Say and write what was asked for."""
    from bpderive.cli.outputs import save
    from bpderive.importers.writing import line, npz, toml

    rows: tuple[Compared, ...] = ()
    if given["check"]:
        from bpderive.importers.checking import check

        at("comparing the gradients")
        rows = check(read)
    files: list[tuple[Path, str | bytes]] = []
    files += [(Path(given["output"]), toml(read))] if given["output"] else []
    files += [(Path(given["weights"]), npz(read))] if given["weights"] else []
    told = save(files, force=given["force"]) if files else ""
    for note in read.notes:
        console.warn(note)
    short = "" if given["as_toml"] else line(read)
    if not short and not given["as_toml"]:
        console.warn("an activation is a formula, which only TOML can hold")
    click.echo(short or toml(read), nl=bool(short))
    click.echo(told, nl=False)
    for text in _table(read, rows):
        click.echo(text)
    return int(any(row.difference > read.original.tolerance for row in rows))


def _table(read: "Imported", rows: "tuple[Compared, ...]") -> Iterator[str]:
    """The largest difference of each parameter from the model's own gradient."""
    if not rows:
        return
    yield f"Gradients against {read.original.title}: the largest relative difference"
    wide = max(len(row.name) for row in rows)
    for row in rows:
        off = row.difference > read.original.tolerance
        told = f"  {row.name:{wide}}  {row.difference:.1e}  of {row.elements} elements"
        yield told + ("  DIFFERENT" if off else "")
