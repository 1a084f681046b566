"""The same spec gives the same bytes: under any hash seed, in any order, beside other networks."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NETWORKS = {
    "article": ("2,2,2,1", {}),
    "softmax": ("3,4:relu,2", {"loss": "softmax_cross_entropy", "bias": True}),
    "mixing": ("3,2:softmax,2:tanh", {"loss": "huber", "orientation": "columns"}),
    "symbols": ("i,j,k", {"activation": "gelu", "reduction": "sum"}),
    "formulas": ("2,3,2", {"activation": "z*tanh(log(1+exp(z)))", "loss": "abs(a-y)**3"}),
    "kinks": ("3,4,2", {"activation": "hardtanh", "loss": "hinge", "bias": True}),
    "large": ("784,128:leaky_relu,10", {"loss": "mae"}),
}
SCRIPT = """
import json, sys
from hashlib import sha256
import bpderive
from bpderive import document
from bpderive.render import render

NETWORKS = json.loads(sys.argv[1])
found = {}
for name in sys.argv[2:]:
    layers, options = NETWORKS[name]
    derivation = bpderive.derive(bpderive.network(layers, **options))
    proof = bpderive.verify(derivation, quick=True)
    texts = {
        **{form: bpderive.render(derivation, form, proof=proof) for form in
           ("latex", "markdown", "text")},
        "numpy": bpderive.generate(derivation),
        "certificate": proof.certificate(),
        "screen": render(document.verification(derivation, proof), "text"),
        "summary": render(document.summary(derivation), "text"),
        "explain": render(document.explain(derivation, "w1[1,1]"), "text"),
        **{form: str(derivation.gradient("w1[1,1]", form)) for form in
           (("index", "matrix") if derivation.network.symbolic else
            ("delta", "weights", "paths", "index", "matrix", "batch")
            if layers != "784,128:leaky_relu,10" else ("delta", "batch"))},
    }
    found[name] = {what: sha256(text.encode()).hexdigest() for what, text in texts.items()}
print(json.dumps(found))
"""


def texts(names, seed="0"):
    """The digest of everything that is printed of some networks, derived one after the other."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(NETWORKS), *names],
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def expected():
    return texts(NETWORKS)


@pytest.mark.parametrize("seed", ["1", "42", "random"])
def test_nothing_depends_on_the_hash_seed(expected, seed):
    assert texts(NETWORKS, seed) == expected


@pytest.mark.parametrize("order", [1, 2, 3])
def test_nothing_depends_on_what_was_derived_before(expected, order):
    names = list(NETWORKS)
    random.Random(order).shuffle(names)
    found = texts(names)
    assert list(found) == names
    assert found == expected


@pytest.mark.parametrize("name", ["softmax", "mixing"])
def test_nothing_depends_on_being_alone(expected, name):
    assert texts([name]) == {name: expected[name]}


def test_files_are_the_same_twice(spawn, tree):
    for out in ("one", "other"):
        done = spawn("--layers", "3,4:relu,2", "--bias", "--quiet", "--out", out)
        assert (done.returncode, done.stderr) == (0, b"")
    names = tree("one")
    assert names == tree("other")
    assert len(names) == 3
    for name in names:
        assert Path("one", name).read_bytes() == Path("other", name).read_bytes()


@pytest.mark.parametrize("seed", ["1", "2"])
def test_tests_pass_in_any_order(seed):
    """The whole run in a shuffled order: BPDERIVE_SHUFFLE=1 python -m pytest."""
    files = ("test_reference.py", "test_spec.py", "test_sharing.py", "test_matrix.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
        + [str(ROOT / "tests" / file) for file in files],
        cwd=ROOT,
        env={**os.environ, "BPDERIVE_SHUFFLE": seed},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert f"shuffled by {seed}" in done.stdout
