"""What `bpderive code` does: the files of one target.

In: a `Derivation` and options.  Out: texts by the names of their files.  Must not know: what is in
the texts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bpderive.api import generate_files
from bpderive.cli.outputs import folder, save
from bpderive.errors import quoted
from bpderive.targets import found

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation


def stem(given: Mapping[str, Any]) -> str | None:
    """The name of the files without suffix; None where the target's own is meant.

    Raises:
        SpecError: an unknown target.
        click.UsageError: a name with another suffix, or several files for standard output.
    """
    target, output = found(given["target"]), given["output"]
    if output == "-" and (given["emit_test"] or len(target.parts) > 1):
        several = " and ".join(target.parts) if len(target.parts) > 1 else "code and test"
        raise click.UsageError(f"-o - prints one file, and these are two ({several}): name a file.")
    if output in (None, "-"):
        return None
    path = Path(output)
    if path.suffix != target.suffix:
        raise click.UsageError(
            f"{quoted(output)}: code for {target.name} has the suffix {target.suffix}, "
            f"such as {path.stem or target.stem}{target.suffix}."
        )
    return path.stem


def texts(
    derivation: "AnyDerivation", given: Mapping[str, Any], name: str | None
) -> list[tuple[str, str]]:
    """The names of the files and their texts, the code first.

    Raises:
        UnsupportedError: the target cannot carry the network.
    """
    files = generate_files(derivation, given["target"], name=name, test=given["emit_test"])
    return list(files.items())


def save_all(
    files: list[tuple[str, str]], derivation: "AnyDerivation", given: Mapping[str, Any]
) -> str:
    """Write the files; what there is to say of it."""
    output = given["output"]
    place = folder(derivation) if output is None else Path(output).parent
    told = save([(place / file, text) for file, text in files], force=given["force"])
    return "" if given["quiet"] else told
