"""A module whose last equation says only `a = z`, without it.

In: a `Module`. Out: an equal one. Must not know: the text.
"""

from dataclasses import replace

from sympy import Indexed

from bpderive.index import Equation, indices_of, label_of
from bpderive.modules.labels import label
from bpderive.modules.model import Module


def shortened(module: Module) -> Module:
    """Without a last equation that says only `a = z`: then `z` is the output.

    In a recurrence, what referred to `a` refers to `z`.
    """
    name = _alias(module)
    if name is None:
        return module
    own, other = label(module.output), label(name)
    kept = tuple(e.renamed({own: other}) for e in module.equations[:-1])
    tensors = tuple(t for t in module.tensors if t.name != module.output)
    return replace(module, tensors=tensors, equations=kept, output=name)


def _alias(module: Module) -> str | None:
    """The tensor that the output only repeats."""
    last: Equation = module.equations[-1]
    same = isinstance(last.rhs, Indexed) and indices_of(last.rhs) == indices_of(last.lhs)
    if last.label != label(module.output) or not same:
        return None
    name = label_of(last.rhs).removesuffix("{l}").removesuffix("_")
    return name if module.by_name[name].role == "defined" else None
