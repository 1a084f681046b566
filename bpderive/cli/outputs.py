"""What the default command writes: a derivation in the formats asked for.

In: a `Derivation`, names of formats and their options.  Out: texts by the names of their files,
and the files. Must not know: how the options were given.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bpderive.api import generate_files
from bpderive.document import Request, build
from bpderive.errors import Problem, SpecError, quoted, suggest
from bpderive.files import write_all
from bpderive.proof import Proof
from bpderive.render import FORMATS, Made, render
from bpderive.targets import TARGETS

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation

DOCUMENT = ("weight", "all_weights")
STEMS = {"notes": "derivation"}
"""What this command calls the file of a format."""
OWNERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(DOCUMENT, tuple(FORMATS)),
    **{option: (row.name,) for row in FORMATS.values() for option in row.options},
}
"""The formats that an option is for."""


@dataclass(frozen=True)
class Output:
    """One format: the name of its file, and what that is."""

    file: str
    description: str


def outputs() -> dict[str, Output]:
    """Every format by its name: the documents, then the programs."""
    documents = {
        name: Output(f"{STEMS.get(f.stem, f.stem)}{f.suffix}", f.description)
        for name, f in FORMATS.items()
    }
    programs = {name: Output(target.file, target.description) for name, target in TARGETS.items()}
    return documents | programs


def check(names: Iterable[str], options: Mapping[str, Any]) -> None:
    """Refuse unknown formats, and options of a format that is not among them.

    Raises:
        SpecError: with every problem.
    """
    names, known = tuple(names), outputs()
    accepted = ", ".join(known)
    problems = [
        Problem(f"unknown format {quoted(name)}{suggest(name, known)}", accepted=accepted)
        for name in names
        if name not in known
    ]
    if not names:
        problems.append(Problem("no format is given", accepted=accepted))
    for option, owners in OWNERS.items():
        if options.get(option) and not set(owners).intersection(names):
            flag = option.replace("_", "-")
            problems.append(Problem(f"--{flag} is for the format {' or '.join(owners)}"))
    if problems:
        raise SpecError(problems)


def texts(
    derivation: "AnyDerivation",
    names: Iterable[str],
    options: Mapping[str, Any],
    at: Callable[[str], None],
    proof: Proof | None = None,
) -> Iterator[tuple[str, Made]]:
    """The name of the file and its text, for each format; `at` is told which."""
    known = outputs()
    document = cache(lambda: build(derivation, Request(proof=proof, **_of(DOCUMENT, options))))
    for name in names:
        at(f"writing {known[name].file}")
        own = [option for option, owners in OWNERS.items() if owners == (name,)]
        if name in TARGETS:
            yield from generate_files(derivation, name).items()
        else:
            yield known[name].file, render(document(), name, **_of(own, options))


def _of(names: Iterable[str], options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in names if options.get(name)}


def folder(derivation: "AnyDerivation") -> Path:
    """Where the files of a network go when nothing else is said."""
    return Path("output", derivation.network.spec.slug)


def save(files: Sequence[tuple[Path, Made]], *, force: bool) -> str:
    """Write the files; which they are, and which are as before.

    Raises:
        OutputError: if a file must be kept, or cannot be written.
    """
    marks = ("" if new else " (as before)" for new in write_all(files, force=force))
    told = (f"  {path}{mark}\n" for (path, _), mark in zip(files, marks, strict=True))
    return f"Files\n{''.join(told)}"
