"""The options of `bpderive flow`.

In: the words after the command.  Out: click's options.  Must not import SymPy: help is answered at
once.
"""

import re
from collections.abc import Mapping
from typing import Any

import click

from bpderive.cli.notes_options import SCHEME
from bpderive.cli.options import together

ENGINES = ("processes", "dask")
PICTURES = ("layers", "slopes", "heat-map")
COMMAS = re.compile(r",(?![^(]*\))")
"""A comma that stands in no brackets: `he,scaled(1.5,0.1)` are two."""


TABLES = (".csv", ".parquet")
SUFFIXES = (*TABLES, ".json", ".svg", ".pdf", ".png")


def _suffixed(
    _ctx: click.Context, _param: click.Parameter, paths: tuple[str, ...]
) -> tuple[str, ...]:
    """Files whose suffix tells what they are to hold."""
    for path in paths:
        if not path.endswith(SUFFIXES):
            raise click.BadParameter(f"{path!r}: the suffix is one of {', '.join(SUFFIXES)}")
    return paths


def split(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of comma lists, each once, in their order."""
    parts = (part.strip() for text in texts for part in COMMAS.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


_GRID: Mapping[str, str] = {
    "depths": "numbers of hidden layers",
    "widths": "neurons of a hidden layer",
    "activations": "of the hidden layers",
    "inits": "as for --init",
}
"""What a sweep goes through, and what its values are."""


def is_sweep(given: Mapping[str, Any]) -> bool:
    """Whether more than one network is asked for, or the results of every one."""
    return any(given[name] for name in _GRID) or any(map(_is_table, given["outputs"]))


def _is_table(path: str) -> bool:
    return path.endswith(TABLES)


_FLOW = (
    click.option(
        "--init",
        type=SCHEME,
        default="xavier",
        help="How weights are drawn: normal, uniform, truncated_normal, xavier, xavier_uniform, "
        "he, he_uniform, lecun, orthogonal, zero_residual, fixup, zeros, or "
        "scaled(SIGMA_W,SIGMA_B). [default: xavier]",
    ),
    click.option(
        "--samples",
        type=click.IntRange(min=1),
        default=100,
        metavar="NUMBER",
        help="How many networks are drawn. [default: 100]",
    ),
    click.option(
        "--inputs",
        type=click.IntRange(min=1),
        default=4,
        metavar="NUMBER",
        help="Random samples for each, one at a time. [default: 4]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        default=1,
        metavar="NUMBER",
        help="Of the random numbers. [default: 1]",
    ),
    click.option("--no-measure", is_flag=True, help="Draw nothing: bounds and expectation only."),
    click.option("--remedies", is_flag=True, help="Measure every remedy too, not this one alone."),
    *(
        click.option(
            f"--{name}", multiple=True, metavar="LIST", help=f"Sweep over several: {what}."
        )
        for name, what in _GRID.items()
    ),
    click.option(
        "--engine",
        type=click.Choice(ENGINES),
        default="processes",
        help="Of a sweep: processes of this machine, or dask for several. [default: processes]",
    ),
    click.option("--scheduler", metavar="ADDRESS", help="Of dask: tcp://192.168.0.5:8786."),
    click.option(
        "--workers", type=click.IntRange(min=1), metavar="NUMBER", help="[default: all cores]"
    ),
    click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        type=click.Path(dir_okay=False, readable=False),
        metavar="FILE",
        callback=_suffixed,
        help="The results as .csv, .parquet or .json; a picture as .svg, .pdf or .png. May be "
        "given again. A sweep that was interrupted goes on from its .csv or .parquet.",
    ),
    click.option(
        "--picture",
        type=click.Choice(PICTURES),
        default="layers",
        help="Gradients by layer; the activations' slopes; depth by σ_w. [default: layers]",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts."),
    click.option(
        "--check",
        is_flag=True,
        help="Print only what is wrong; the exit code is 1 where gradients vanish or explode.",
    ),
    click.option("--input", "shape", metavar="SHAPE", help="Of a MODEL: what goes in, 1x28x28."),
    click.option("--force", is_flag=True, help="Replace files that were edited since."),
    click.option("--quiet", is_flag=True, help="Print nothing but warnings and errors."),
)
flow_options = together(_FLOW)
