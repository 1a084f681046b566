"""Files of equations: what they mean, and what is told of wrong ones, with line and column."""

import random
import string
from pathlib import Path

import pytest
from sympy import Indexed, Sum

import bpderive
from bpderive.errors import SpecError
from bpderive.index import label_of
from bpderive.modules.reader import read

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.eq"))
LAYERS = sorted((ROOT / "templates" / "layers").glob("*.eq"))
GOOD = "input x[n,c]\nparam U[h,c]\noutput y[n,h] = sum(c, U[h,c]*x[n,c])\n"

WRONG = [
    # the whole
    ("", "there is no equation", None),
    ("# only a comment\n", "there is no equation", None),
    ("input x[n,c]\n", "no equation is the output", None),
    ("param U[h]\noutput y[h] = U[h]\n", "there is no input", None),
    (GOOD + "z[n] = sum(c, x[n,c])\n", "z is never used", (4, 1)),
    (GOOD + "output z[n,c] = x[n,c]\n", "two outputs", (4, 8)),
    ("input x[n,c]\noutput y[n,c] = (x[n,c]\n", "never closed", (2, None)),
    # statements
    ("input x[n,c], x[n]\noutput y[n,c] = x[n,c]\n", "x is there twice", (1, 15)),
    ("input x[n,c]\nparam V[h]\noutput y[n,c] = x[n,c]\n", "V is never used", (2, 7)),
    ("input x[n,C]\noutput y[n,c] = x[n,c]\n", "an index is wanted", (1, 11)),
    ("input x[n,cc]\noutput y[n,c] = x[n,c]\n", "an index is wanted", (1, 11)),
    ("input sum[n,c]\noutput y[n,c] = sum[n,c]\n", "bpderive's own", (1, 7)),
    ("input x[n,c]\nnumber e = lots\noutput y[n,c] = e*x[n,c]\n", "a number is wanted", (2, 8)),
    ("input x[n,c]\nsize q = 3\noutput y[n,c] = x[n,c]\n", "a size is wanted", (2, 6)),
    ("input x[n,c]\nindex c: C, D\noutput y[n,c] = x[n,c]\n", "the size of an index", (2, 7)),
    ("input x[n,c]\neliminate q\noutput y[n,c] = x[n,c]\n", '"q" is defined by no', (2, 11)),
    (
        GOOD.replace("U", "w").replace("output y[n,h] = ", "dw[n,h] = ")
        + "output y[n,h] = dw[n,h]\n",
        "name of the gradient by w",
        (3, 1),
    ),
    # expressions
    ("input x[n,c]\noutput y[n,c] = x[n,c]*q\n", 'unknown name "q"', (2, 24)),
    ("input x[n,c]\noutput y[n,c] = rleu(x[n,c])\n", 'did you mean "relu"', (2, 17)),
    ("input x[n,c]\noutput y[n,c] = v[n,c]\n", 'unknown tensor "v"', (2, 17)),
    ("input x[n,c]\noutput y[n,c] = x[n]\n", "x has 2 indices, and here are 1", (2, 17)),
    ("input x[n,c]\noutput y[n] = x[n,c]\n", "the index c is free", (2, 19)),
    ("input x[n,c,t]\noutput y[n,c] = sum(t, x[n,t,c])\n", "runs to T, and index 2", (2, 28)),
    ("input x[n,c]\noutput y[n,c] = sum(c, x[n,c])\n", "taken already", (2, 21)),
    ("input x[n,c]\noutput y[n,c] = y[n,c]\n", "which needs itself", (2, 17)),
    (
        "input x[n,c]\na[n,c] = x[n,c]*b[n,c]\nb[n,c] = a[n,c]\noutput y[n,c] = b[n,c]\n",
        "defined later, or in a circle",
        (2, 17),
    ),
    ("input x[n,c]\noutput y[n,c] = x[n,c]**99\n", "exponent is out of bounds", (2, 25)),
    ("input x[n,c]\noutput y[n,c] = x[n,c]^2\n", "a power is written **", (2, 23)),
    ("input x[n,c]\noutput y[n,c] = x[n,c]/0\n", "division by zero", (2, 24)),
    ("input x[n,c]\noutput y[n,c] = [n <= c <= n]*x[n,c]\n", "a condition is wanted", (2, 17)),
    ("input x[n,c]\noutput y[n,c] = x[n,c].real\n", "does not belong", (2, 17)),
    ("input x[n,c]\noutput y[n,c] = __import__('os')\n", "does not belong here", None),
    ("input x[n,c]\noutput y[n,c] = (lambda: 1)()\n", "only a named function", None),
    ("input x[n,c]\noutput y[n,c] = sum(x[n,c])\n", "wants an index first", (2, 21)),
    ("input x[n,c]\noutput y[n,c] = relu(x[n,c], 1)\n", "relu takes 1 argument", (2, 17)),
    ("input x[n,c]\noutput y[n,c] = " + "(" * 60 + "1" + ")" * 60 + "*x[n,c]\n", "", None),
    ("input x[n,c]\noutput y[n,c] = x[n,c] @@ 2\n", "does not belong here", (2, 24)),
    ("input x[n,c]\noutput y[n,c] = \u2202x[n,c]\n", "does not belong here", (2, 17)),
]


@pytest.mark.parametrize(("text", "told", "place"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_file_is_told_with_its_place(text, told, place):
    if not told:  # deep brackets alone are no fault
        read(text, "my.eq")
        return
    with pytest.raises(SpecError) as caught:
        read(text, "my.eq")
    message = str(caught.value)
    assert told in message
    assert "my.eq" in message
    if place is not None:
        line, column = place
        wanted = f"line {line}, column {column}" if column else f"line {line}"
        assert wanted in message, message


def test_no_text_is_executed(tmp_path):
    target = tmp_path / "pwned"
    for text in (f"open({str(target)!r}, 'w')", f"[open('{target}','w') for n in (1,)]"):
        with pytest.raises(SpecError):
            read(f"input x[n,c]\noutput y[n,c] = x[n,c]*{text}\n")
    assert not target.exists()


def test_random_texts_are_refused_or_read():
    rng = random.Random(5)
    signs = string.ascii_letters + string.digits + "[](),=+-*/<>%: \n#?._"
    for _ in range(400):
        text = list(GOOD)
        for _ in range(rng.randint(1, 6)):
            text[rng.randrange(len(text))] = rng.choice(signs)
        try:
            read("".join(text))
        except SpecError:
            continue


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_derived_and_passes_its_quick_proof(path):
    sizes = {"group_norm": "(G=2,C=3)", "gated_convolution": "(K=2)"}.get(path.stem, "")
    derivation = bpderive.derive(bpderive.network(f"{path}{sizes}"))
    proof = bpderive.verify(derivation, quick=True)
    assert proof.passed, proof.failures[:2]


def test_there_are_six_examples_and_one_of_them_is_squeeze():
    assert len(EXAMPLES) >= 6
    assert "squeeze" in {path.stem for path in EXAMPLES}


@pytest.mark.parametrize("path", LAYERS, ids=lambda path: path.stem)
def test_a_layer_of_the_catalogue_holds_no_gradient(path):
    """Every equation is a forward one: nothing is named after a derivative."""
    module = read(path.read_text("utf-8"), path.name)
    labels = {label_of(t) for e in module.equations for t in e.rhs.atoms(Indexed)}
    assert not any(label.startswith(("delta", "direct")) for label in labels)
    assert module.title


def test_one_nonlinearity_one_equation():
    text = "input x[n,c]\nparam U[h,c]\noutput g[n,h] = tanh(sum(c, U[h,c]*x[n,c]))\n"
    module = read(text)
    assert [e.label for e in module.equations] == ["z_g{l}", "g{l}"]
    assert module.equations[0].rhs.has(Sum)
    assert not module.equations[1].rhs.has(Sum)


def test_columns_count_from_the_line_on_which_a_bracket_went_on():
    text = "input x[n,c]\noutput y[n,c] = (x[n,c] +\n   q)\n"
    with pytest.raises(SpecError, match="line 3, column 4"):
        read(text)


def test_the_gradient_of_a_file_has_the_names_of_the_file():
    derivation = bpderive.derive(bpderive.network(str(ROOT / "examples" / "squeeze.eq")))
    labels = {e.label for e in derivation.backward}
    assert {"dU", "dV", "delta_x", "delta_s"} <= labels
