"""The shape of a weight as the code spells it: `(n, m)` of n neurons and m inputs, or `(m, n)`.

In: a `Network`. Out: texts for templates, and which axis is whose. Must not know any target.
"""

from collections.abc import Mapping
from typing import Any

from bpderive.network import Network
from bpderive.weights import in_order

PLAIN = 'SHAPES = {{f"W{{k}}": ({0}, {1}) for k, (m, n) in enumerate(pairwise(LAYERS), 1)}}'
BIASED = """\
SHAPES = {{
    key: shape
    for k, (m, n) in enumerate(pairwise(LAYERS), 1)
    for key, shape in ((f"W{{k}}", ({0}, {1})), (f"b{{k}}", (n,)))
}}"""


def shapes(network: Network) -> str:
    """`SHAPES = …`, the shape of each parameter from the `LAYERS`."""
    text = BIASED if network.spec.bias else PLAIN
    return text.format(*in_order(network.spec.weights, "n", "m"))


def axes(network: Network) -> tuple[int, int]:
    """Which axis of a weight runs over the neurons, and which over their inputs."""
    return network.ends((0, 1))


def spelled(network: Network) -> Mapping[str, Any]:
    """For templates: the size of each axis by its letter and by its name; `fan_in` of a matrix.

    A function that fills a matrix of n rows and m columns has as many inputs as `fan_in` says.
    """
    first, second = in_order(network.spec.weights, "n", "m")
    rows, columns = in_order(network.spec.weights, "outputs", "inputs")
    neurons, inputs = axes(network)
    return {
        "first": first,
        "second": second,
        "rows": rows,
        "columns": columns,
        "fan_in": ("n", "m")[inputs],
        "of_rows": in_order(network.spec.weights, 1, 0)[0],
        "of_columns": in_order(network.spec.weights, 1, 0)[1],
        "input_axis": (0, -1)[inputs],
        "neurons_first": neurons == 0,
    }
