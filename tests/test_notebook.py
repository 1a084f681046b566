"""The notebook and the code section: cells that run and agree with the worked example."""

import inspect
import json
import re
import sys

import numpy as np
import pytest
from generated import LOSSES, module, point
from sympy import Rational

import bpderive
from bpderive.catalog import CATALOG
from bpderive.document import NOTES, Request, build
from bpderive.document.blocks import NotebookCell, Section
from bpderive.document.code import with_cells
from bpderive.errors import SpecError, UnsupportedError
from bpderive.example import worked
from bpderive.forms.numbering import numbering
from bpderive.program import build as plan
from bpderive.render import render
from bpderive.targets import generate
from bpderive.targets.cells import cells, listing
from bpderive.weights import ORDERS as WEIGHTS

nbformat = pytest.importorskip("nbformat")


def derived(layers="2,2,2,1", **options):
    return bpderive.derive(bpderive.network(layers, **options))


def notebook(derivation, **options):
    program, example = plan(derivation), worked(derivation)
    sections = options.pop("sections", ("notation", "forward", "sharing", "descent", "example"))
    request = Request(
        sections=sections,
        example=example,
        code=listing(program),
        cells=cells(program, example),
        **options,
    )
    return render(build(derivation, request), "notebook")


def run(texts):
    """The cells one after the other, as a kernel would; the names that they leave."""
    names = {"__name__": "notebook"}
    for text in texts:
        exec(compile(text, "cell", "exec"), names)  # noqa: S102 - the code of our own
    return names


def flat(found):
    return [text for texts in found.values() for text in texts]


def networks():
    """Every activation, and every loss with an output that it takes."""
    for k, row in enumerate(CATALOG.activations):
        yield {"activation": row.name, "bias": k % 2 == 0}
    for k, loss in enumerate(CATALOG.losses):
        fit = {"unit": "softmax" if loss.label == "distribution" else "sigmoid", "positive": "exp"}
        output = fit.get(loss.domain, "linear")
        order = ("neuron_first", "input_first")[k % 2]
        yield {"loss": loss.name, "output_activation": output, "weights": order}


@pytest.mark.parametrize("options", list(networks()))
def test_every_cell_runs_and_its_numbers_are_those_of_the_example(options, capsys):
    derivation = derived("2,3,2", **options)
    example = worked(derivation)
    names = run(flat(cells(plan(derivation), example)))
    assert float(names["before"]) == pytest.approx(float(example.loss), rel=1e-9)
    assert float(names["L"]) == pytest.approx(float(example.after), rel=1e-9, abs=1e-12)
    for name, new in example.updated.items():
        label, at = name.split("[")
        place = tuple(int(k) - 1 for k in at.rstrip("]").split(","))
        assert names[label.replace("w", "W")][place] == pytest.approx(float(new), rel=1e-9)
    assert "loss before the step" in capsys.readouterr().out


@pytest.mark.parametrize("options", list(networks()))
def test_large_networks_run_at_random_numbers(options):
    texts = flat(cells(plan(derived("4,6,5,3", **options)), None))
    names = run([text.replace("print(", "str(") for text in texts])
    assert np.isfinite(names["dW1"]).all() or options.get("loss")
    assert names["x"].shape == (3, 4)
    assert names["y"].shape == (3, 3)


@pytest.mark.parametrize("field", ["z1", "dW2", "W1", "before"])
def test_the_check_finds_a_wrong_number(field):
    derivation = derived()
    texts = flat(cells(plan(derivation), worked(derivation)))
    at = next(k for k, text in enumerate(texts) if text.startswith("# What was computed"))
    wrong = re.sub(rf"\(({field}), (\[*)-?[0-9]", r"(\1, \g<2>7", texts[at])
    assert wrong != texts[at]
    with pytest.raises(AssertionError):
        run([*texts[:at], wrong])


def test_the_notebook_is_valid_and_always_the_same():
    text = notebook(derived())
    assert text == notebook(derived())
    found = nbformat.reads(text, 4)
    nbformat.validate(found)
    assert [cell.id for cell in found.cells] == list(
        dict.fromkeys(f"{c.cell_type}-{k}" for k, c in enumerate(found.cells, 1))
    )
    assert all(c.execution_count is None and not c.outputs for c in found.cells if c.id[0] == "c")
    assert json.loads(text)["metadata"]["language_info"] == {"name": "python"}
    assert '"language_info"' in text.rpartition('"cells"')[2]


@pytest.mark.parametrize("options", [{}, {"activation": "relu", "loss": "mse", "bias": True}])
def test_a_kernel_runs_it(options):
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    found = nbformat.reads(notebook(derived(**options)), 4)
    client.NotebookClient(found, timeout=60, kernel_name="python3").execute()
    outputs = [out for c in found.cells if c.cell_type == "code" for out in c.outputs]
    assert not [out for out in outputs if out.output_type == "error"]
    assert "loss before the step" in outputs[-1].text


def test_mathematics_as_jupyter_reads_it():
    found = nbformat.reads(notebook(derived()), 4)
    text = "\n\n".join(cell.source for cell in found.cells if cell.cell_type == "markdown")
    assert "```math" not in text
    assert "$`" not in text
    assert text.count("$$") % 2 == 0
    assert r"\begin{aligned}" in text


def test_a_title_is_no_cell():
    title = "<!-- run --> import os <!-- ran -->"
    found = nbformat.reads(notebook(derived(), title=title), 4)
    assert not any("import os" in c.source for c in found.cells if c.cell_type == "code")


def test_without_nbformat_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(UnsupportedError, match=r"pip install 'bpderive\[notebook\]'"):
        notebook(derived())


ORDERS = [
    NOTES[:3],
    ("example",),
    ("descent", "forward"),
    ("example", "sharing", "forward"),
    ("notation",),
]


@pytest.mark.parametrize("sections", ORDERS)
def test_cells_run_whichever_sections_there_are(sections):
    derivation = derived()
    sections = tuple(name for name in sections if name != "flow")
    found = nbformat.reads(notebook(derivation, sections=sections), 4)
    run([c.source.replace("print(", "str(") for c in found.cells if c.cell_type == "code"])


def test_cells_keep_their_order():
    sections = [Section(name, ()) for name in ("b", "a", "c")]
    found = with_cells(sections, {"a": ("1", "2"), "b": ("3",), "d": ("4",), "c": ("5",)})
    texts = [[block.text for block in section.blocks] for section in found]
    assert texts == [[], ["1", "2", "3", "4"], ["5"]]
    assert all(isinstance(block, NotebookCell) for section in found for block in section.blocks)


# --- The code section ---


@pytest.mark.parametrize(
    "options", [{}, {"bias": True}, {"loss": "softmax_cross_entropy"}, {"weights": "input_first"}]
)
def test_the_listing_is_of_the_module_and_has_every_number(options):
    derivation = derived("2,3,3,2", **options)
    program = plan(derivation)
    text, module = listing(program), generate(program, "numpy")
    lines = [line for line in text.splitlines() if line and not line.startswith("# ")]
    lines.remove("n = len(x)  # N")
    for line in lines:
        told = line.replace("/ n", "/ len(y)") if line.startswith("L =") else line
        assert f"    {told}\n" in module
    numbers = numbering(derivation.network)
    last = numbers.backward("b" if derivation.network.spec.bias else "w", 1)
    told = {int(n) for n in re.findall(r"# \((\d+)\)", text)}
    assert told == set(range(1, last + 1))


LISTED = {
    "usual": ("2,2,2,1", {"bias": True}),
    "sum": ("3,4,2", {"bias": True, "reduction": "sum"}),
    "one_layer": ("3,2", {"output_activation": "sigmoid", "loss": "binary_cross_entropy"}),
    "softmax": ("3,4:gelu,3:softmax", {"bias": True, "loss": "cross_entropy"}),
    "stage": ("3,4:tanh,3", {"loss": "softmax_cross_entropy"}),
    "mean": ("4,5:softmax,3:relu,4", {"bias": True, "loss": "mse"}),
    "columns": ("3,4,2", {"loss": "huber", "orientation": "columns"}),
    "linear": ("3,5:relu,2", {"loss": "2*a"}),
    "formula": ("3,4,2", {"activation": "tanh(z)*z", "loss": "(a-y)**4", "bias": True}),
}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("name", LISTED)
def test_the_listing_runs_as_it_is_and_gives_the_gradients_of_the_code(name, weights):
    """Nothing but NumPy, the arrays given and the module's functions is there to begin with."""
    layers, options = LISTED[name]
    code = module(layers, weights=weights, **options)
    loss = options.get("loss")
    params, x, y = point(code, loss if loss in LOSSES else "half_squared_error")
    functions = {key: value for key, value in vars(code).items() if inspect.isfunction(value)}
    found = {**functions, "np": np, "params": params, "x": x, "y": y}
    exec(listing(plan(derived(layers, weights=weights, **options))), found)  # noqa: S102 - ours
    loss, grads = code.loss_and_grad(params, x, y)
    assert found["L"] == loss
    assert all(np.array_equal(found[f"d{key}"], value) for key, value in grads.items())


def test_the_listing_has_one_name_for_the_number_of_samples():
    for reduction, count in (("mean", 1), ("sum", 0)):
        text = listing(plan(derived(bias=True, reduction=reduction)))
        assert text.count("n = len(x)  # N\n") == count
        assert "len(y)" not in text
        assert bool(re.search(r"/ n\b", text)) == bool(count)


def test_a_deep_network_is_listed_in_short():
    text = listing(plan(derived("2,4*40,1")))
    assert len(text.splitlines()) < 40
    assert text.count("# ...") == 2
    assert "delta41" in text
    assert "delta1 " in text
    assert "z20" not in text


def test_the_code_section_in_every_format():
    derivation = derived()
    request = Request(sections=("code",), code=listing(plan(derivation)))
    for name in ("text", "markdown", "latex"):
        page = render(build(derivation, request), name)
        assert "delta3" in page
        assert "(8)" in page


def test_the_code_section_needs_its_lines():
    with pytest.raises(SpecError, match="needs the lines"):
        build(derived(), Request(sections=("code",)))


def test_sizes_without_numbers_have_no_cells():
    assert cells(plan(derived("n0,n1,n2")), None) == {}


def test_fractions_are_written_as_they_are():
    derivation = derived("1,1")
    from bpderive.example import compute, parse

    values = parse({"x": ["1/3"], "y": [1], "w1": [["-2/7"]], "eta": "1/9"}, derivation)
    text = "\n".join(flat(cells(plan(derivation), compute(derivation, values))))
    assert values.numbers["x[1]"] == Rational(1, 3)
    assert "x = np.array([[1 / 3]])" in text
    assert "W1 = np.array([[-2 / 7]])" in text
    assert "eta = 1 / 9" in text
