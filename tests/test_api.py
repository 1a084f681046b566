"""The public functions: what they take, what they refuse, and that they cost nothing unused."""

import inspect
import subprocess
import sys
import traceback

import numpy as np
import pytest
import sympy

import bpderive
from bpderive.catalog import CATALOG, Activation
from bpderive.errors import SpecError, UnsupportedError
from bpderive.spec import LayerSpec, Spec


@pytest.fixture(scope="module")
def derivation():
    return bpderive.derive(bpderive.network("2,2,2,1"))


def widths(network):
    return [int(network.inputs), *(int(layer.width) for layer in network.layers)]


def names(network):
    return [layer.activation.name for layer in network.layers]


# --- The package ---


def python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAVY = (
    "[m for m in ('sympy', 'jinja2', 'numpy', 'difflib', 'importlib.metadata') if m in sys.modules]"
)
LIGHT = [
    "import bpderive",
    "import bpderive; dir(bpderive); bpderive.__version__; bpderive.errors.SpecError",
    "import bpderive; bpderive.CATALOG.activation('relu')",
    "import bpderive.cli",
]


@pytest.mark.parametrize("code", LIGHT)
def test_what_needs_no_mathematics_imports_none(code):
    assert python(f"import sys; {code}; print({HEAVY})") == "[]"


SHADOWS = [
    "from bpderive.network import build; import bpderive",
    "import bpderive; bpderive.network; from bpderive.network import build",
    "import bpderive.render; import bpderive.derive; import bpderive",
    "from bpderive import network, derive, render; import bpderive",
]


@pytest.mark.parametrize("code", SHADOWS)
def test_a_loaded_module_does_not_hide_the_function_of_its_name(code):
    shown = "[inspect.isfunction(f) for f in (bpderive.network, bpderive.derive, bpderive.render)]"
    assert python(f"import inspect; {code}; print({shown})") == "[True, True, True]"


def test_all_public_names_are_there():
    for name in bpderive.__all__:
        assert getattr(bpderive, name) is not None
        assert name in dir(bpderive)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = bpderive.nothing


# --- network ---


PAIRS = (2, (3, "relu"), (1, "sigmoid"))
LAYERS = [
    ("2,3:relu,1:sigmoid", [2, 3, 1], ["relu", "sigmoid"]),
    ([2, 3, 1], [2, 3, 1], ["sigmoid", "linear"]),
    (PAIRS, [2, 3, 1], ["relu", "sigmoid"]),
    ((layer for layer in PAIRS), [2, 3, 1], ["relu", "sigmoid"]),
    (
        [2, {"width": 3, "activation": "z*tanh(z)", "repeat": 2}, 1],
        [2, 3, 3, 1],
        ["f", "f", "linear"],
    ),
    (np.array([2, 3, 1]), [2, 3, 1], ["sigmoid", "linear"]),
    ([2, "3:relu*2", 1], [2, 3, 3, 1], ["relu", "relu", "linear"]),
    (range(3, 0, -1), [3, 2, 1], ["sigmoid", "linear"]),
    (Spec((LayerSpec(2), LayerSpec(3, "relu"), LayerSpec(1))), [2, 3, 1], ["relu", "linear"]),
]


@pytest.mark.parametrize(("layers", "sizes", "activations"), LAYERS)
def test_layers(layers, sizes, activations):
    network = bpderive.network(layers)
    assert (widths(network), names(network)) == (sizes, activations)


def test_defaults_are_those_of_the_article():
    assert bpderive.network("2,2,2,1") == bpderive.network(
        "2,2,2,1",
        activation="sigmoid",
        output_activation="linear",
        loss="half_squared_error",
        bias=False,
        reduction="mean",
        orientation="rows",
    )


def test_options_change_a_spec():
    spec = Spec((LayerSpec(2), LayerSpec(1)), bias=True, loss="mse")
    network = bpderive.network(spec, loss="mae", output_activation="tanh")
    assert network.spec == Spec(spec.layers, bias=True, loss="mae", output_activation="tanh")


BAD_NETWORKS = [
    (("2",), {}, ["an input and at least one layer"]),
    (([2, 0, 1],), {}, ["item 2", "at least 1"]),
    (([2, True, 1],), {}, ["item 2", '"True" is not a width']),
    (([2, 2.0, 1],), {}, ["item 2", '"2.0" is not a width']),
    (
        ([2, (3, "rellu"), 1],),
        {},
        ['layers, item 2: unknown activation "rellu" (did you mean "relu"?)'],
    ),
    (([],), {}, ["no layers are given"]),
    (("2,1",), {"reduction": "means"}, ['reduction: unknown value "means" (did you mean "mean"?)']),
    (("2,1",), {"bias": "yes"}, ['bias: "yes" is neither true nor false']),
    (("2,1",), {"activation": "sigmod"}, ["activation: ", '(did you mean "sigmoid"?)']),
    (
        ("2,3:rellu,1",),
        {"activation": "sigmod", "output_activation": "liner", "loss": "mes"},
        [
            'layers, item 2: unknown activation "rellu"',
            'activation: unknown activation "sigmod"',
            'output_activation: unknown activation "liner"',
            'loss: unknown loss "mes"',
        ],
    ),
    (("2,1",), {"loss": "a*", "activation": "z+q"}, ["loss, formula", "activation, formula"]),
    (
        ("2,3",),
        {"output_activation": "softmax", "loss": "softmax_cross_entropy"},
        ["softmax_cross_entropy cannot take the output of softmax", "linear"],
    ),
]


@pytest.mark.parametrize(("layers", "options", "told"), BAD_NETWORKS)
def test_every_problem_is_told(layers, options, told):
    with pytest.raises(SpecError) as caught:
        bpderive.network(*layers, **options)
    for words in told:
        assert words in str(caught.value)


def test_a_catalog_of_ones_own():
    catalog = CATALOG.extended(Activation("square", "z**2", "2*z"))
    network = bpderive.network("2,2,1", activation="square", catalog=catalog)
    gradient = bpderive.derive(network).gradient("delta1[1]")
    assert gradient == 2 * sympy.Symbol("z1[1]") * sympy.Symbol("w2[1,1]") * sympy.Symbol(
        "delta2[1]"
    )


# --- derive ---


@pytest.mark.parametrize("value", ["2,2,2,1", Spec((LayerSpec(2), LayerSpec(1))), None])
def test_derive_takes_a_network(value):
    with pytest.raises(TypeError, match=r"bpderive.derive\(bpderive.network"):
        bpderive.derive(value)


@pytest.mark.parametrize("function", [bpderive.render, bpderive.generate, bpderive.load])
def test_the_rest_takes_a_derivation(function):
    with pytest.raises(TypeError, match="a derivation is needed, not Network"):
        function(bpderive.network("2,1"))


def test_a_gradient(derivation):
    delta, x = sympy.Symbol("delta1[1]"), sympy.Symbol("x[1]")
    assert derivation.gradient("w1[1,1]") == delta * x
    assert derivation.gradient("w1[1,1]", form="weights").free_symbols >= {x}


BAD_GRADIENTS = [
    ("w1[3,1]", "delta"),
    ("w9[1,1]", "delta"),
    ("q", "delta"),
    ("b1[1]", "delta"),
    ("w1[1,1]", "detla"),
]


@pytest.mark.parametrize(("reference", "form"), BAD_GRADIENTS)
def test_no_such_gradient(derivation, reference, form):
    with pytest.raises(SpecError):
        derivation.gradient(reference, form)


def test_derivations_are_equal_where_their_networks_are(derivation):
    assert derivation == bpderive.derive(bpderive.network([2, 2, 2, 1]))
    assert derivation != bpderive.derive(bpderive.network([2, 2, 1]))


# --- render and generate ---


RENDERED = [
    ("latex", {}, r"\documentclass"),
    ("latex", {"fragment": True}, r"\section"),
    ("markdown", {}, "```math"),
    ("markdown", {"flavor": "pandoc"}, "$$"),
    ("text", {"width": 60}, "∂L/∂"),
]


@pytest.mark.parametrize(("format_", "options", "holds"), RENDERED)
def test_render(derivation, format_, options, holds):
    assert holds in bpderive.render(derivation, format_, **options)


BAD_RENDERINGS = [
    ("latx", {}, 'did you mean "latex"'),
    ("markdown", {"flavor": "gitlab"}, "github"),
    ("latex", {"weight": "w9[1,1]"}, "w9"),
]


@pytest.mark.parametrize(("format_", "options", "told"), BAD_RENDERINGS)
def test_what_cannot_be_rendered(derivation, format_, options, told):
    with pytest.raises(SpecError, match=told):
        bpderive.render(derivation, format_, **options)


def test_generate(derivation):
    compile(bpderive.generate(derivation), "network.py", "exec")
    with pytest.raises(SpecError, match="numpy"):
        bpderive.generate(derivation, "numpi")


# --- load ---


def test_load_gives_a_module_that_computes(derivation):
    module = bpderive.load(derivation)
    params = module.init(np.random.default_rng(0))
    value, grads = module.loss_and_grad(params, np.ones((3, 2)), np.ones((3, 1)))
    assert value > 0
    assert {name: grad.shape for name, grad in grads.items()} == {
        name: value.shape for name, value in params.items()
    }


def test_what_is_loaded_is_no_guest_of_the_interpreter(derivation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    one, two = bpderive.load(derivation), bpderive.load(derivation)
    assert one is not two
    assert {name for name in set(sys.modules) - before if "network" in name} == set()
    assert list(tmp_path.iterdir()) == []


def test_tracebacks_show_the_lines_of_what_was_loaded(derivation):
    module = bpderive.load(derivation)
    with pytest.raises((KeyError, ValueError)) as caught:
        module.forward({}, np.ones((1, 2)))
    shown = "".join(traceback.format_exception(caught.value))
    assert "<bpderive 2-2-2-1" in shown
    assert shown.count("\n    ") >= 2
    assert inspect.getsource(module.forward).startswith("def forward(")


def test_load_needs_numpy(derivation, monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(UnsupportedError, match="pip install numpy"):
        bpderive.load(derivation)


def test_the_recurrence_of_a_general_layer():
    derivation = bpderive.derive(bpderive.network("2,4*10,1", bias=True))
    shown = {str(equation.lhs): str(equation.rhs) for equation in derivation.recurrence(3)}
    assert shown["Partial(L, w{l}[i, j])"] == "a{l-1}[j]*delta{l}[i]"
    assert "Sum(delta{l+1}[j]*w{l+1}[j, i], (j, 1, n{l+1}))" in shown["delta{l}[i]"]
    assert derivation.recurrence(3) == derivation.recurrence(7)
    with pytest.raises(SpecError, match="no layer"):
        derivation.recurrence(12)
