"""`bpderive flow`: how large the gradients of a network are, and what is to be done.

In: words after a command.  Out: one screen or JSON on stdout, files, an exit code.  Must not know:
how anything is found out, drawn or measured.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpderive.cli import console
from bpderive.cli.flow_options import flow_options, is_sweep
from bpderive.cli.notes_options import setting_options
from bpderive.cli.options import network_options, read_spec
from bpderive.errors import UnsupportedError

if TYPE_CHECKING:
    from bpderive.findings import Findings

At = Callable[[str], None]


@click.command()
@click.argument("model", required=False, metavar="[MODEL]")
@network_options
@setting_options
@flow_options
def flow(model: str | None, **given: Any) -> int:
    """Tell how large the gradients of a network are, and why.

    Bounds that no weights can exceed; what is expected at initialisation; what is measured on
    networks drawn at random; and what each remedy does. Several values of --depths, --widths,
    --activations or --inits make a sweep.

    MODEL is somebody's, with its weights: net.py:model of PyTorch, or model.onnx.
    """
    _refuse(model, given)
    if is_sweep(given):
        from bpderive.cli import sweeping

        return sweeping.swept(given)
    with console.progress() as at:
        found = _model(model, given, at) if model else _network(given, at)
        from bpderive.cli import findings_told

        told = findings_told.text(found, given, at)
        told += findings_told.files(found, given, at)
    findings_told.warn(found, given)
    console.put(told, exactly=given["as_json"])
    return _code(found) if given["check"] else 0


def _code(found: "Findings") -> int:
    """Of a check: 0 where all is well, 1 in danger, 2 where nothing can be said."""
    if found.warnings:
        return 1
    return 0 if found.known else 2


def _refuse(model: str | None, given: Mapping[str, Any]) -> None:
    """Options that have nothing to do with each other.

    Raises:
        click.UsageError: with what to leave away.
    """
    if model is not None and (given["layers"] or given["spec"]):
        raise click.UsageError("a MODEL says the network: leave --layers and --spec away.")
    if model is None and given["shape"]:
        raise click.UsageError("--input is for a MODEL; --layers begins with the input.")
    drawn = ("activation", "output_activation", "bias", "init")
    other = [name for name in drawn if model is not None and given[name] not in (None, "xavier")]
    if other:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in other)
        raise click.UsageError(f"a MODEL has its layers and weights: leave {flags} away.")
    if model is not None and is_sweep(given):
        raise click.UsageError("a sweep draws its weights: it takes --layers, and no MODEL.")
    if not is_sweep(given) and (given["engine"] == "dask" or given["workers"]):
        raise click.UsageError(
            "--engine and --workers are for a sweep: add --depths or -o FILE.csv."
        )
    if model is not None and given["no_measure"]:
        raise click.UsageError("a MODEL is measured: leave --no-measure away.")
    if given["scheduler"] and given["engine"] != "dask":
        raise click.UsageError("--scheduler is dask's: add --engine dask.")
    if given["no_measure"] and given["remedies"]:
        raise click.UsageError("--remedies measures, and --no-measure does not: leave one away.")


def _network(given: Mapping[str, Any], at: At) -> "Findings":
    spec, changes = read_spec(given, "bpderive flow --layers 2,2,2,1")
    at("importing SymPy")
    with console.no_garbage():
        from bpderive import api
    at("deriving")
    derivation = api.derive(api.network(spec, **changes))
    from bpderive.findings import flow as found

    at("drawing networks")
    chosen = {
        "init": given["init"],
        "remedies": given["remedies"],
        "networks": given["samples"],
        "inputs": given["inputs"],
        "seed": given["seed"],
    }
    try:
        return found(derivation, measure=not given["no_measure"], **chosen)
    except UnsupportedError as error:
        console.warn(f"nothing is measured: {error}")
    return found(derivation, measure=False, **chosen)


def _model(model: str, given: Mapping[str, Any], at: At) -> "Findings":
    """Somebody's model, at its own weights."""
    from bpderive import api
    from bpderive.findings import model as found
    from bpderive.importers.api import from_onnx, from_torch

    at("reading the model")
    name, _, attribute = model.rpartition(":")
    if Path(model).suffix == ".onnx":
        read = from_onnx(model, given["shape"], given["loss"])
    elif name.endswith(".py") and attribute:
        read = from_torch(model, given["shape"], given["loss"])
    else:
        raise click.UsageError(f"{model!r} is no model: net.py:NAME of PyTorch, or model.onnx.")
    for note in read.notes:
        console.warn(note)
    at("deriving")
    derivation = api.derive(api.network(read.spec))
    at("running it")
    return found(derivation, read.weights, inputs=given["inputs"], seed=given["seed"])
