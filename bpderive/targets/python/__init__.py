"""The module of a program in plain Python: floats and the standard library alone.

In: a `Program`. Out: the text of a module like that of `numpy`, on lists of floats, as `ruff
format` leaves it; structure from `templates/code/python*.py.j2`, functions that `math` lacks from
`python_functions.py` beside them. A small network is unrolled: one assignment for each element.
Must not know any mathematics.
"""

from collections.abc import Iterator
from typing import Any

from bpderive.program import Program
from bpderive.targets import describe
from bpderive.targets.layout import run_lengths, statement
from bpderive.targets.numpy import functions_of
from bpderive.targets.python.looped import Looped, RowPrinter
from bpderive.targets.python.printer import ScalarPrinter
from bpderive.targets.python.unrolled import Unrolled
from bpderive.targets.scalars import Function, Scalars, blocks, lower
from bpderive.targets.shapes import shapes, spelled
from bpderive.templating import fill

FILE = "python_functions.py"
"""The functions that `math` lacks."""
LIMIT = 256
"""The most parameters that are unrolled."""
DRAWS = {
    "real": "rng.gauss(0, 1)",
    "binary": "float(rng.randrange(2))",
    "sign": "rng.choice((-1.0, 1.0))",
    "distribution": "rng.expovariate(1)",
    "count": "float(rng.randrange(5))",
}
"""How the gradient's check draws a label of each kind."""
NAMES = """\
Any Callable L Optimizer Params Random Real Row Sequence State abs adam add check clip_by_norm
clip_by_value columns dict flatten float forward grads init int isinstance islice l2_decay labels
len list loss loss_and_grad main map math max min momentum mul pairwise params print range rng
sample_forward sample_loss_and_grad samples set sorted step str sum total train tuple type
unflatten zip"""
"""Names of the module that no activation may take."""


def generate(program: Program, _: str = "network", *, limit: int = LIMIT) -> str:
    """The module's text; a network of at most `limit` parameters is unrolled.

    Raises:
        UnsupportedError: sizes that are no numbers.
    """
    scalars = lower(program, frozenset(NAMES.split()) | functions_of(FILE).keys())
    return fill("code/python.py.j2", **_context(scalars, limit))


def _context(scalars: Scalars, limit: int) -> dict[str, Any]:
    """What the template asks for; the functions come last, when it is known which are used."""
    size = sum(block.size for block in blocks(scalars.program))
    helpers: set[str] = set()
    small = size <= limit
    printed = (
        Unrolled(scalars, ScalarPrinter({}, scalars.names, helpers)).context()
        if small
        else Looped(scalars, RowPrinter({}, scalars.names, helpers)).context()
    )
    functions = list(_functions(scalars, helpers))
    functions += [functions_of(FILE)[name] for name in sorted(helpers)]
    return {
        **_described(scalars),
        **printed,
        "unrolled": small,
        "checked": max(20, min(200, 2_000_000 // size)),
        "operators": "add, mul" if small or "add_row" in helpers else "mul",
        "functions": "".join(f"{text}\n\n\n" for text in functions),
    }


def _functions(scalars: Scalars, helpers: set[str]) -> Iterator[str]:
    """Activations and slopes that are long."""
    printer = ScalarPrinter({}, scalars.names, helpers)
    for function in scalars.functions:
        yield _function(function, printer)


def _function(function: Function, printer: ScalarPrinter) -> str:
    """`def gelu_slope(z: float) -> float: …`."""
    parameters = ", ".join(f"{parameter}: float" for parameter in function.parameters)
    slope = function.of.endswith("'")
    told = f"the slope of {function.of[:-1]}" if slope else function.of
    lines = [
        f"def {function.name}({parameters}) -> float:",
        f'    """Return {told} at z."""',
        *(
            statement(f"{label} =", printer.code(part), function.of, bare=True)
            for label, part in function.parts
        ),
        statement("return", printer.code(function.value), function.of, bare=True),
    ]
    return "\n".join(lines)


def _described(scalars: Scalars) -> dict[str, Any]:
    """What the docstrings say, and what depends on the loss."""
    program, network = scalars.program, scalars.program.network
    distribution = network.loss.label == "distribution"
    first, last = program.widths[0], program.widths[-1]
    layers = run_lengths("LAYERS = ", map(str, program.widths))
    x = describe.samples("x", "the samples", first)
    y = describe.samples("y", "the labels", last, describe.LABELS[network.loss.label])
    return {
        "title": describe.title(program),
        "about": describe.about(program),
        "constants": f"{layers}\n{shapes(network)}",
        **spelled(network),
        "bias": network.spec.bias,
        "mean": program.mean,
        "reduction": "mean" if program.mean else "sum",
        "drawn": "random weights" + (" and zero biases" if network.spec.bias else ""),
        "distribution": distribution,
        "refused": ", or a row of y" if distribution else "",
        "partial": describe.is_partial(program),
        "draw": DRAWS[network.loss.label],
        "x": x,
        "samples": f"{x}\n{y}",
        "result": describe.samples(f"a{network.depth}", "a row for each sample", last),
        "depth": network.depth,
        "draws": 1000 if describe.is_partial(program) else 5,
    }
