"""Documents: complete, in every flavor, and typeset by the programs that people use."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import bpderive
from bpderive import document
from bpderive.document.blocks import Words
from bpderive.errors import SpecError
from bpderive.proof import Skip
from bpderive.render import FORMATS
from bpderive.render.markdown import FLAVORS
from bpderive.verify.gradients import ORACLES
from bpderive.wording import languages, load

ROOT = Path(__file__).parent.parent

# Each network shows something that the others do not.
NETWORKS = {
    "article": ("2,2,2,1", {}),
    "biases": ("4,4,4,2", {"bias": True}),
    "deep": ("3,5,5,5,2", {"bias": True}),
    "softmax": ("3,4,2", {"loss": "softmax_cross_entropy", "activation": "relu"}),
    "mixing": ("3,4:softmax,2:softmax", {"loss": "mse", "orientation": "columns"}),
    "symbols": ("n0,n1,n2", {"bias": True}),
    "blends": ("n0,n1,n2", {"activation": "z*(1 + sum(exp(z)))"}),
    "letters": ("i,j,k", {}),
    "mixed": ("n0,n1", {"output_activation": "softmax", "loss": "mse"}),
    "wide": ("784,128,10", {"reduction": "sum"}),
    "thousand": ("2,4*1000,1", {}),
    "formula": ("3,2,2", {"activation": "z*tanh(log(1+exp(z)))", "loss": "(a-y)**4"}),
    "given": ("3,2", {"output_activation": "max(z,0)", "loss": "max(1-y*a,0)"}),
    "kinks": ("3,4,2", {"activation": "leaky_relu", "loss": "hinge"}),
    "linear": ("3,2,2,2", {"activation": "linear", "output_activation": "softmax"}),
    "single": ("5,1", {"output_activation": "sigmoid", "loss": "binary_cross_entropy"}),
}
RUNS_OFF = {"formula": 5}
"""Networks outside the promise, and by how many points they may run over a margin."""


@pytest.fixture(scope="module", params=NETWORKS, ids=list(NETWORKS))
def derived(request):
    layers, options = NETWORKS[request.param]
    return request.param, bpderive.derive(bpderive.network(layers, **options))


def overfull(log):
    return [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_compiles_and_nothing_runs_off_the_page(derived, tmp_path):
    name, derivation = derived
    (tmp_path / "d.tex").write_text(bpderive.render(derivation, "latex"), "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "d.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    log = done.stdout.decode("latin-1")
    assert done.returncode == 0, log[-2000:]
    assert max(overfull(log), default=0) <= RUNS_OFF.get(name, 1)
    assert r"Overfull \vbox" not in log


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_a_fragment_compiles_inside_notes(tmp_path):
    derivation = bpderive.derive(bpderive.network("2,2,2,1"))
    fragment = bpderive.render(derivation, "latex", fragment=True)
    assert r"\documentclass" not in fragment
    assert r"\begin{document}" not in fragment
    (tmp_path / "derivation.tex").write_text(fragment, "utf-8")
    (tmp_path / "notes.tex").write_text(
        "\\documentclass{report}\n"
        "\\usepackage{amsmath,amssymb,array,booktabs,longtable}\n"
        "\\begin{document}\\chapter{Notes}\\input{derivation}\\input{derivation}\\end{document}\n",
        "utf-8",
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "notes.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode("latin-1")[-2000:]


FORMULAS = {
    "github": (r"```math\n(.*?)\n\s*```", r"\$`(.*?)`\$"),
    "pandoc": (r"\$\$\n(.*?)\n\s*\$\$", r"(?<!\$)\$(?!\$)(.*?)\$"),
    "myst": (r"```\{math\}\n(.*?)\n\s*```", r"(?<!\$)\$(?!\$)(.*?)\$"),
}
STRICT = """
const katex = require('katex');
const formulas = JSON.parse(require('fs').readFileSync(0, 'utf8'));
for (const [text, displayMode] of formulas) {
  try { katex.renderToString(text, {displayMode, strict: 'error', throwOnError: true}); }
  catch (error) { console.log(text + '\\n  ' + error.message); process.exitCode = 1; }
}
"""


def katex(formulas):
    modules = os.environ["BPDERIVE_NODE"]
    return subprocess.run(
        ["node", "-e", STRICT],
        input=json.dumps(formulas),
        env={**os.environ, "NODE_PATH": modules},
        capture_output=True,
        text=True,
        check=False,
    )


def formulas_of(text, flavor):
    display, inline = FORMULAS[flavor]
    shown = re.findall(display, text, flags=re.S)
    rest = re.sub(display, "", text, flags=re.S)
    return [(formula, True) for formula in shown] + [
        (formula, False) for formula in re.findall(inline, rest)
    ]


needs_katex = pytest.mark.skipif(
    not os.environ.get("BPDERIVE_NODE"), reason="BPDERIVE_NODE is not set"
)


@needs_katex
@pytest.mark.parametrize("flavor", FLAVORS)
def test_katex_takes_every_formula_in_strict_mode(derived, flavor):
    _, derivation = derived
    formulas = formulas_of(bpderive.render(derivation, "markdown", flavor=flavor), flavor)
    assert len(formulas) > 30
    done = katex(formulas)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_katex
def test_the_check_with_katex_can_fail():
    assert katex([(r"\frac{1}", True)]).returncode == 1


@pytest.mark.parametrize("flavor", FLAVORS)
def test_markdown_holds_no_formula_outside_its_marks(derived, flavor):
    _, derivation = derived
    text = bpderive.render(derivation, "markdown", flavor=flavor)
    for pattern in FORMULAS[flavor]:
        text = re.sub(pattern, "", text, flags=re.S)
    assert not re.findall(r"\\(?!--|[-`*_{}\[\]<>#|$~])\w+", text)
    assert "{" not in text.replace("\\{", "")


@pytest.mark.parametrize("width", [72, 100])
def test_text_has_no_latex_and_fits(derived, width):
    name, derivation = derived
    text = bpderive.render(derivation, "text", width=width)
    if name not in ("formula", "kinks", "mixing"):  # there, some product has no place to break
        assert max(map(len, text.splitlines())) <= width
    assert "\\" not in text
    assert "$" not in text


def test_every_document_can_be_built_and_told(derived):
    _, derivation = derived
    for row in FORMATS.values():
        if not row.binary:  # tests/test_pdf.py, tests/test_slides.py
            assert bpderive.render(derivation, row.name)
    assert document.summary(derivation)


def test_a_format_that_is_no_text_is_told():
    derivation = bpderive.derive(bpderive.network("2,3,2"))
    with pytest.raises(SpecError, match="pdf is no text"):
        bpderive.render(derivation, "pdf")


def test_all_weights_lists_every_gradient():
    derivation = bpderive.derive(bpderive.network("20,12,3", bias=True))
    text = bpderive.render(derivation, "text", all_weights=True)
    gradients = [line for line in text.splitlines() if line.strip().startswith("∂L/∂w")]
    plain = bpderive.render(derivation, "text")
    extra = len(gradients) - sum(ln.strip().startswith("∂L/∂w") for ln in plain.splitlines())
    assert extra == 20 * 12 + 12 * 3


def test_a_chosen_weight_is_derived():
    derivation = bpderive.derive(bpderive.network("2,3,2"))
    assert "∂L/∂w¹₃₂ = δ¹₃ x₂" in bpderive.render(derivation, "text", weight="w1[3,2]")
    with pytest.raises(SpecError, match="1 to 3"):
        bpderive.render(derivation, "text", weight="w1[4,2]")


def used_words(value):
    """The ids of all sentences in a document."""
    if isinstance(value, Words):
        yield value.id
    if hasattr(value, "__dataclass_fields__"):
        value = [getattr(value, name) for name in value.__dataclass_fields__]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from used_words(part)


def proofs(derivation):
    """Its proof, and what a proof may come to else."""
    proof = bpderive.verify(derivation)
    missing = (Skip("gradient", "jax", "not installed"), Skip("step", "layer 1", "no_point"))
    missing += (Skip("gradient", "w1", "zero"),)
    failed = replace(proof, checks=(replace(proof.checks[0], digits=0),), skips=missing)
    return proof, failed, replace(proof, checks=())


def self_tests():
    """What may come out of planting mistakes."""
    right, wrong = ("sign", (2, 2, 1, 1, 0, 0)), ("sign", (2, 1, 1, 1, 0, 1))
    yield document.self_test([right], [])
    yield document.self_test([wrong], [("sign", "2,2,1", "layer 1")])
    yield document.self_test([("sign", (0, 0, 0, 0, 0, 0))], [])


def words_of(built):
    used = set(used_words(built)) | {f"section.{section.id}" for section in built.sections}
    for section in built.sections:
        for block in section.blocks:
            used |= {f"table.{name}" for name in getattr(block, "columns", ())}
    return used


def test_every_sentence_of_a_document_has_words():
    used = {f"oracle.{row.id}" for row in ORACLES}.union(*map(words_of, self_tests()))
    for layers, options in NETWORKS.values():
        derivation = bpderive.derive(bpderive.network(layers, **options))
        for built in (
            document.build(derivation, document.Request(all_weights=layers.startswith("784"))),
            *(
                document.build(derivation, document.Request(proof=proof))
                for proof in proofs(derivation)
            ),
            *(document.verification(derivation, proof) for proof in proofs(derivation)),
            document.summary(derivation),
            document.explain(derivation, "b1[1]" if derivation.network.spec.bias else "w1[1,1]"),
        ):
            used |= words_of(built)
    assert len(used) > 100
    for name in languages():
        assert sorted(key for key in used if key not in load(name)) == []
