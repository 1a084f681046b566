"""Views of a derivation: one gradient in the form that is asked for.

In: a `Derivation`, reference text, and the name of a form. Out: a SymPy expression. To add a
form, add a row to `FORMS`. Must not know: letters, words, how anything is printed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sympy import Expr

from bpderive.derive import Derivation
from bpderive.errors import SpecError, quoted, suggest
from bpderive.forms.chosen import chosen
from bpderive.forms.index_form import index_form
from bpderive.forms.matrix import batch_form, matrix_form
from bpderive.forms.paths import paths_form
from bpderive.forms.scalar import delta_form, weights_form
from bpderive.functions import to_sympy
from bpderive.reference import Reference

Write: TypeAlias = Callable[[Derivation, Reference], Expr]


@dataclass(frozen=True)
class Form:
    """How a gradient is written; `whole`: it may be that of a whole tensor, such as `w1`."""

    write: Write
    whole: bool = False


def _standard(write: Write) -> Write:
    """The same form in SymPy's own functions."""
    return lambda derivation, reference: to_sympy(write(derivation, reference))


FORMS: Mapping[str, Form] = {
    "delta": Form(_standard(delta_form)),
    "paths": Form(_standard(paths_form)),
    "weights": Form(weights_form),
    "index": Form(_standard(index_form), whole=True),
    "matrix": Form(matrix_form, whole=True),
    "batch": Form(batch_form, whole=True),
}


def gradient(derivation: Derivation, reference: str, form: str = "delta") -> Expr:
    """The gradient of the loss with respect to a quantity.

    Args:
        derivation: of the network.
        reference: `w1[1,2]`, `b1[2]`, `a2[1]`, `p[1]`, `delta1[1]` or `z1[1]` (what `delta1[1]`
            is); in the forms index, matrix and batch a whole tensor too: `w1`.
        form: `delta` (`delta1[1]*x[2]`), `paths` (the sum over every path to the loss), `weights`
            (in x, y and the parameters alone), `index` (with Σ), `matrix` (one sample) or `batch`.

    Raises:
        SpecError: no such form, or no such quantity.
        UnsupportedError: the form cannot be written, for its length or a symbolic size.
    """
    if form not in FORMS:
        message = f"unknown form {quoted(form)}{suggest(form, FORMS)}"
        raise SpecError.single(message, accepted=", ".join(FORMS))
    row = FORMS[form]
    return row.write(derivation, chosen(derivation, reference, whole=row.whole))
