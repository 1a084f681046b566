"""Documents of networks of any layers: what is said where, its numbers, what is refused."""

import math
import re
from functools import cache
from itertools import product
from math import prod
from pathlib import Path

import numpy as np
import pytest
from sympy import Sum, Symbol

from bpderive import schedule
from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.derive import Step
from bpderive.document import build as document
from bpderive.document import explain, layered, summary
from bpderive.document.blocks import (
    Chain,
    Equations,
    Heading,
    Items,
    Paragraph,
    Remark,
    Table,
    Words,
)
from bpderive.document.layered import references
from bpderive.document.layered.matrices import lowered
from bpderive.document.layered.steps import chain, shows, signature
from bpderive.document.layered.view import View
from bpderive.document.request import Request
from bpderive.errors import SpecError, UnsupportedError
from bpderive.forms import arrays
from bpderive.index import Fresh, element, indices_of, label_of
from bpderive.render import FORMATS, render, screen
from bpderive.rules import RULES
from bpderive.second.reading import of_stack
from bpderive.spec import parse_spec
from bpderive.stack import build
from bpderive.verify.evaluate import compiled
from bpderive.verify.evaluate.numbers import Given
from bpderive.wording import load as load_words

SQUEEZE = """# Squeeze and excitation
input  x[n,c,t]
param  U[h,c], V[c,h]
s[n,c]   = sum(t, x[n,c,t]) / T
u[n,h]   = relu(sum(c, U[h,c]*s[n,c]))
g[n,c]   = sigmoid(sum(h, V[c,h]*u[n,h]))
output y[n,c,t] = g[n,c] * x[n,c,t]
"""
CNN = "1x7x8, conv(4,3,padding=1):relu, maxpool(2), flatten, 5:softmax"
RNN = "seq(5)x3, rnn(4):tanh, last, 1"
LSTM = "seq(4)x3, lstm(2), last, 1"
RESIDUAL = "4, residual(4:relu,4), 3"
TIED = "4, 3:tanh, 3:tanh, 3(tie=2):tanh, 2"
SPECS = {
    "cnn": CNN,
    "strided": "4x9, conv(6,3,stride=2,groups=2):relu, globalmaxpool, 2",
    "pools": "2x6x6, avgpool(2), conv(3,2), globalpool, bilinear(3)",
    "rnn": RNN,
    "lstm": LSTM,
    "gru": "seq(5), embedding(7,3), gru(4), last, 1",
    "truncated": "seq(6)x3, rnn(4,truncate=2):tanh, last, 1",
    "residual": RESIDUAL,
    "tied": TIED,
    "batchnorm": "5, 4, batchnorm, tanh, 2",
    "layernorm": "seq(5)x3, layernorm, last, 1",
    "attention": "seq(4)x6, attention, last, 1",
    "plain": "seq(3)x4, rmsnorm, dropout(0.3), attention(project=false,causal=true), last, 2",
    "transformer": "seq(3)x4, transformer(heads=2), last, 1",
    "symbols": "seq(T)xm, rnn(k):tanh, last, 1",
    "bag": "seq(5), embeddingbag(6,3), 2:softmax",
}


@pytest.fixture
def squeeze(tmp_path):
    path = tmp_path / "squeeze.eq"
    path.write_text(SQUEEZE)
    return str(path)


@cache
def derived(text, samples=False, **options):
    spec = parse_spec(text, CATALOG.names, **{"bias": True, **options})
    return derive_stack(build(spec, CATALOG, samples=samples))


@cache
def made(text, samples=False, **options):
    return layered.build(derived(text, samples), Request(**options))


def text_of(document, language="en", width=100):
    return render(document, "text", language=language, width=width)


def sections(document):
    return {section.id: section.blocks for section in document.sections}


def words(blocks):
    """The ids of all sentences of some blocks."""
    found = []
    for block in blocks:
        if isinstance(block, Paragraph | Remark | Heading):
            found.append(block.words.id)
        elif isinstance(block, Items):
            found += [item.id for item in block.items]
        elif isinstance(block, Chain):
            found += [link.reason.id for link in block.links]
    return found


def rows(blocks):
    return [row for block in blocks if isinstance(block, Equations) for row in block.rows]


# --- All networks, all formats ---

FAST = [name for name, row in FORMATS.items() if not row.binary]


@pytest.mark.parametrize("kind", FAST)
@pytest.mark.parametrize("name", SPECS)
def test_every_format_and_language_prints_every_layer(name, kind):
    english, chinese = (render(made(SPECS[name]), kind, language=x) for x in ("en", "zh-TW"))
    assert len(english) > 1000
    assert english != chinese


@pytest.mark.parametrize("name", SPECS)
def test_a_document_is_the_same_each_time(name):
    spec = parse_spec(SPECS[name], CATALOG.names, bias=True)
    again = layered.build(derive_stack(build(spec, CATALOG, samples=False)), Request())
    assert text_of(again) == text_of(made(SPECS[name]))


@pytest.mark.parametrize("language", ["en", "zh-TW"])
def test_every_rule_and_every_layer_has_its_words(language):
    sentences = load_words(language).sentences
    from bpderive.modules.rows import ROWS

    assert {f"rule.{rule.id}" for rule in RULES} <= set(sentences)
    assert {f"layer.{name}" for name in ROWS} <= set(sentences)


# --- Numbers of equations ---


@pytest.mark.parametrize("name", SPECS)
def test_equations_have_the_numbers_of_the_code(name):
    lines = schedule.build(derived(SPECS[name], samples=True))
    every = [*lines.forward, lines.loss, *lines.backward]
    flat = [one for line in every for one in getattr(line, "lines", (line,))]
    numbers = {line.equation.label: line.number for line in flat}
    numbers.pop("S")
    ours = View(derived(SPECS[name])).numbers
    assert numbers == {label: ours[label] for label in numbers}


@pytest.mark.parametrize("name", SPECS)
def test_every_equation_is_printed_once_on_its_way(name):
    found = sections(made(SPECS[name]))
    forward, backward = (
        [row.number.intercept for row in rows(found[id_]) if row.number]
        for id_ in ("forward", "backward")
    )
    view = View(derived(SPECS[name]))
    assert forward == list(range(1, len(view.derivation.forward) + 1))
    assert sorted(backward) == list(range(len(forward) + 1, len(view.numbers) + 1))


@pytest.mark.parametrize("name", SPECS)
def test_every_parameter_has_its_gradient_and_its_shape(name):
    derivation = derived(SPECS[name])
    known, found = of_stack(derivation), sections(made(SPECS[name]))["gradients"]
    labels = [label_of(row.lhs.expr) for row in rows(found)]
    assert sorted(labels) == sorted(known.gradients[name] for name in known.parameters)
    table = next(block for block in found if isinstance(block, Table))
    shapes = {label_of(cells[0].expr): cells[2].sizes for cells in table.rows}
    assert shapes == known.parameters
    overview = sections(made(SPECS[name]))["overview"]
    counted = sum(prod(sizes) for sizes in known.parameters.values())
    assert overview[0].words.slots["parameters"].expr == counted


# --- What is told, and only where it is so ---

CONVENTIONS = [
    ("cnn", {"outside", "merged", "selector", "delta", "delta_z"}),
    ("rnn", {"outside", "delta", "delta_z", "direct"}),
    ("attention", {"delta", "delta_z"}),
    ("truncated", {"outside", "bracket", "stop", "delta", "delta_z", "direct"}),
    ("gru", {"outside", "lookup", "delta", "delta_z", "direct"}),
    ("residual", {"delta", "delta_z"}),
    ("plain", {"bracket", "delta", "delta_z"}),
]


@pytest.mark.parametrize(("name", "ids"), CONVENTIONS)
def test_a_convention_is_told_only_where_it_is_used(name, ids):
    found = words(sections(made(SPECS[name]))["conventions"])
    assert {x.removeprefix("layered.") for x in found} - {"single_mean", "ranges"} == ids


REMARKS = [
    ("cnn", {"constant", "transposed"}),
    ("strided", {"constant", "transposed"}),
    ("rnn", {"recurrence", "total_unnamed", "over_time"}),
    ("lstm", {"recurrence", "total", "over_time"}),
    ("truncated", {"recurrence", "total_unnamed", "over_time", "stopped"}),
    ("gru", {"recurrence", "total", "over_time", "occurring"}),
    ("batchnorm", {"three_terms"}),
    ("layernorm", {"three_terms"}),
    ("plain", {"two_terms"}),
    ("attention", set()),
    ("residual", set()),
]


@pytest.mark.parametrize(("name", "ids"), REMARKS)
def test_what_is_remarkable_is_said(name, ids):
    blocks = sections(made(SPECS[name]))["backward"]
    found = {block.words.id for block in blocks if isinstance(block, Remark)}
    assert {x.removeprefix("layered.") for x in found} == ids


def test_what_several_layers_send_back_is_added():
    backward = text_of(made(RESIDUAL)).split("Backward pass")[1]
    assert "The input goes into the layers 1, 3." in backward
    assert "What comes back through layer 3 alone" in backward
    assert re.search(r"δ\^\(x\)ᵢ = δ\^\(a,3\)ᵢ \+ Σ_i′ δ¹_i′ w¹_\(i′i\)", backward)


def test_tied_parameters_add_up():
    found = words(sections(made(TIED))["backward"])
    assert found.count("layered.tied") == found.count("layered.tied_sum") == 1
    assert "the layers 2, 3" in text_of(made(TIED)).lower()


def test_a_kind_is_derived_once():
    text = "3, 4:tanh, 4:tanh, 4:tanh, 2"
    deep = "3, residual(3), 3:tanh, 3:tanh, 3:tanh, 3:tanh, 2"
    found = sections(made(deep))["backward"]
    same = [b for b in found if isinstance(b, Paragraph) and b.words.id == "sharing.same"]
    assert len(same) == 3
    assert text not in text_of(made(deep))


def test_alike_derivatives_of_one_layer_are_derived_once():
    blocks = sections(made(SPECS["attention"]))["backward"]
    chains = [b for b in blocks if isinstance(b, Chain)]
    denominators = [label_of(chain.lhs.expr.args[1]) for chain in chains]
    assert "W_q1" in denominators
    assert "W_k1" not in denominators
    assert "In the same way as ∂L/∂W^(q,1)_dc" in text_of(made(SPECS["attention"]))


def test_derivatives_with_other_steps_are_not_taken_for_alike():
    found = derived(LSTM).derived(1)
    marks = {name: signature(found[name]) for name in found}
    assert marks["W_i"] == marks["W_f"]
    assert marks["W_i"] != marks["U_i"]
    assert marks["z_i"] != marks["z_g"]  # sigmoid and tanh


@pytest.mark.parametrize("name", SPECS)
def test_chains_hold_every_recorded_step_that_shows(name):
    derivation = derived(SPECS[name])
    for place in derivation.stack.places:
        names = View(derivation).names(place)
        for found in derivation.derived(place.number).values():
            links = chain(found, names, named=False).links
            dropped = [s for s in found.steps if not shows(s)]
            assert len(links) == len(found.steps) - len(dropped)
            assert {step.rule for step in dropped} <= {"pull"}
            assert all(isinstance(link.reason, Words) for link in links)


def test_a_number_before_a_sum_is_no_step_to_show():
    index = Fresh()("t")
    body = element("x{l}", (index,))
    inside, outside = Sum(2 * body, (index, 1, 4)), 2 * Sum(body, (index, 1, 4))
    assert not shows(Step("pull", inside, outside))
    assert shows(Step("pull", Sum(Symbol("u") * body, (index, 1, 4)), outside))
    assert shows(Step("recognise", inside, outside))


def test_a_size_called_as_the_loss_does_not_take_its_place():
    assert "∂3" not in text_of(made(CNN))
    assert "∂L/∂w¹_ockl" in text_of(made(CNN))
    pool = "1x6x6, maxpool(2), conv(2,2)"
    batch = layered.build(derived(pool, samples=True), Request())
    assert "∂S/∂x_ncuv" in text_of(batch)


# --- One sample, and a batch ---


def test_it_says_whether_it_is_for_one_sample_or_for_a_batch():
    one, batch = made(RNN), made(RNN, samples=True)
    assert "written for one sample" in text_of(one)
    assert "S = ½ Σₙ (z³ₙ₁ − yₙ₁)²" in text_of(batch)
    assert "L = 1/N · S" in text_of(batch)
    assert "for a batch of N samples" in text_of(batch)


def test_it_is_for_one_sample_where_that_can_be():
    assert text_of(document(derived(RNN, samples=True))) == text_of(made(RNN))
    mixed = document(derived(SPECS["batchnorm"], samples=True))
    assert "for a batch of N samples" in text_of(mixed)


# --- A file of one's own ---


def test_a_file_has_its_title_and_its_names_but_not_its_folders(squeeze):
    for text in (squeeze, f"3x4, {squeeze}(H=2), flatten, 2"):
        printed = text_of(layered.build(derived(text), Request()))
        assert str(Path(squeeze).parent) not in printed
        assert "Squeeze and excitation" in printed
        assert "squeeze.eq" in printed
    alone = text_of(layered.build(derived(squeeze), Request()))
    assert "∂L/∂U_hc" in alone
    assert "Some sizes are symbols" in alone


@pytest.mark.parametrize("kind", FAST)
def test_a_hostile_title_is_escaped(tmp_path, kind):
    path = tmp_path / "own.eq"
    path.write_text(SQUEEZE.replace("Squeeze and excitation", r"<b>\input{x} #let *a*_b_ $y$"))
    page = render(layered.build(derived(str(path)), Request()), kind)
    plain = {"text", "notebook"}
    assert kind in plain or r"<b>\input{x} #let *a*_b_ $y$" not in page
    assert "<b>" not in page or kind in {*plain, "latex", "slides", "typst"}


def test_a_target_is_told_beside_an_output_of_its_name(squeeze):
    page = text_of(layered.build(derived(squeeze), Request()))
    assert "y* is the target, with which the loss compares y." in page
    assert "L = ½ Σ_c Σₜ (y_ct − y*_ct)²" in page
    assert "Δ^(y) = Y − Y*" in page


def test_what_a_long_sum_leaves_out_stands_on_a_line_of_its_own():
    """Beside the widest line it would stand outside the page."""
    page = render(made("1x6x6, conv(2,3):relu, flatten, 2"), "latex")
    assert re.search(r"\\\\\*?\n&\\quad \\ldots\\ \d+\\text\{ more\}", page)
    assert "more}" not in "".join(re.findall("&&.*", page))


# --- Matrix form ---


def test_attention_in_matrices():
    text = text_of(made(SPECS["attention"]))
    for line in (
        "U¹ = 1/√6 · Q¹ K¹ᵀ",
        "P¹ = softmax(U¹)",
        "Δ^(p,1) = Δ^(o,1) V¹ᵀ",
        "Δ^(v,1) = P¹ᵀ Δ^(o,1)",
        "Δ^(q,1) = 1/√6 · Δ^(u,1) K¹",
        "Δ^(k,1) = 1/√6 · Δ^(u,1)ᵀ Q¹",
    ):
        assert line in text


def test_no_matrices_where_equations_are_not_of_that_form():
    cnn = sections(made(CNN))["matrices"]
    assert [b.words.slots["number"].index for b in cnn if isinstance(b, Heading)] == [4]
    assert "matrices" not in sections(made("2x5, conv(3,2), globalpool"))
    assert "matrices" not in sections(made(RNN, samples=True))


ACTIVATIONS = {
    "relu": lambda z: max(z, 0),
    "tanh": math.tanh,
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
}


def value(node, numbers):
    """An array expression in numbers, by NumPy."""
    kind = type(node)
    if kind is arrays.Leaf:
        return numbers[node.label]
    if kind is arrays.Scalar:
        return np.float64(node.value.subs(numbers["numbers"]))
    if kind is arrays.Transpose:
        return value(node.arg, numbers).T
    if kind is arrays.MatMul:
        return value(node.left, numbers) @ value(node.right, numbers)
    if kind is arrays.Outer:
        return np.outer(value(node.left, numbers), value(node.right, numbers))
    if kind is arrays.Power:
        return value(node.base, numbers) ** float(node.exponent)
    if kind is arrays.Reduce:
        axes = tuple(node.arg.axes.index(k) for k in node.summed)
        return value(node.arg, numbers).sum(axis=axes)
    if kind is arrays.Apply:
        return applied(node, numbers)
    parts = node.factors if kind is arrays.Product else node.terms
    fitted = [along(value(part, numbers), part.axes, node.axes) for part in parts]
    return np.prod(np.broadcast_arrays(*fitted), axis=0) if kind is arrays.Product else sum(fitted)


def along(array, own, axes):
    """An array of some of the axes, ready to be repeated along the others."""
    places = [k for k in axes if k in own]
    moved = np.transpose(array, [own.index(k) for k in places]) if own else array
    return moved.reshape([moved.shape[places.index(k)] if k in own else 1 for k in axes])


def applied(node, numbers):
    args = [value(arg, numbers) for arg in node.args]
    if node.name == "softmax":
        raised = np.exp(args[0])
        return raised / raised.sum(axis=-1, keepdims=True)
    if node.name == "select":
        return np.where(args[0] > 0, args[1], args[2])
    if node.name in ACTIVATIONS:
        return np.vectorize(ACTIVATIONS[node.name])(args[0])
    return getattr(np, node.name)(*args)


LOWERED = [SPECS[k] for k in ("attention", "residual", "plain", "layernorm", "tied")]


@pytest.mark.parametrize("text", LOWERED)
def test_matrices_are_the_equations_in_numbers(text):
    """Random tensors of unequal sizes: both sides of every matrix equation, element by element."""
    view = View(derived(text))
    shapes = {k: tuple(map(int, v)) for k, v in of_stack(view.derivation).shapes.items()}
    draw = np.random.default_rng(11)
    numbers = {label: draw.uniform(0.2, 1.5, shape) for label, shape in shapes.items()}
    tensors = {
        label: {tuple(k + 1 for k in at): float(v) for at, v in np.ndenumerate(array)}
        for label, array in numbers.items()
    }
    given = Given(tensors=tensors, named=lambda name, z: ACTIVATIONS[name](float(z)))
    constants = {Symbol(k): v for k, v in view.stack.numbers.items()}
    numbers["numbers"] = constants
    tensors |= {str(k): {(): float(v)} for k, v in constants.items()}
    compared = 0
    for equation in view.equations.values():
        node = lowered(equation)
        if node is None or not indices_of(equation.lhs):
            continue
        found = np.asarray(value(node, numbers))
        found = np.broadcast_to(along(found, node.axes, equation.indices), shapes[equation.label])
        code = compiled(equation.rhs)
        for at in product(*(range(1, size + 1) for size in shapes[equation.label])):
            expected = float(code(given, dict(zip(equation.indices, at, strict=True))))
            assert math.isclose(found[tuple(k - 1 for k in at)], expected, rel_tol=1e-9)
            compared += 1
    assert compared > 10


# --- One weight ---


def test_one_weight_written_out():
    page = text_of(made(CNN, weight="w1[2,1,3,1]"))
    assert "∂L/∂w¹₂₁₃₁ = Σᵢ Σⱼ δ¹₂ᵢⱼ x₁,ᵢ₊₁,ⱼ₋₁" in page
    # rows 1 to 6 of 7 have a row below them, columns 2 to 8 of 8 have one before them
    assert f"it is a sum of {6 * 7} terms" in page
    assert f"… {6 * 7 - 12} more" in page


def test_a_weight_of_a_recurrent_layer_adds_up_the_steps():
    page = text_of(made(RNN, weight="u1[2,3]"))
    assert "∂L/∂u¹₂₃ = δ¹₂₂ a¹₁₃ + δ¹₃₂ a¹₂₃ + δ¹₄₂ a¹₃₃ + δ¹₅₂ a¹₄₃" in page


@pytest.mark.parametrize("name", ["cnn", "rnn", "lstm", "residual", "attention", "transformer"])
def test_the_way_to_the_loss_ends_at_the_label(name):
    blocks = sections(made(SPECS[name]))["weight"]
    *_, last = rows(blocks)
    assert any(symbol.name.startswith("y[") for symbol in last.rhs.expr.free_symbols)


def test_without_a_weight_the_first_parameter_is_taken():
    assert "Take W^(i,1)₁₁" in text_of(made(LSTM))
    assert "weight" not in sections(made("2x4, globalpool"))


def test_what_is_too_long_is_not_written_out():
    page = text_of(made("1x40x40, conv(2,3), globalpool"))
    assert "Written out, it would fill pages." in page


def test_an_element_whose_sum_is_empty():
    page = text_of(explain(derived(RNN), "direct_a1[2,3]"))
    assert "it is 0" in page


BAD = [
    ("w9[1,1]", "no quantity"),
    ("w1", "no element of w1"),
    ("w1[1,2,3,9]", "1 to 4, 1 to 1, 1 to 3, 1 to 3"),
    ("w1[0,1,1,1]", "no element"),
    ("w1[1,1,1,1", "no quantity"),
    ("<b>", "no quantity"),
]


@pytest.mark.parametrize(("text", "told"), BAD)
def test_what_is_no_weight_is_refused(text, told):
    for call in (
        lambda: layered.build(derived(CNN), Request(weight=text)),
        lambda: explain(derived(CNN), text),
    ):
        with pytest.raises(SpecError, match=told):
            call()


# --- Explain ---


def test_explain_leads_from_the_loss_to_the_weight():
    found = sections(explain(derived(CNN), "w1[2,1,3,1]"))["steps"]
    *layers, _result = [b.words for b in found if isinstance(b, Heading)]
    numbers = [one.slots["number"].index for one in layers]
    assert numbers == [4, 3, 2, 1]
    chains = [label_of(b.lhs.expr.args[1]) for b in found if isinstance(b, Chain)]
    assert chains == ["a4", "z4", "a3", "a2", "a1", "z1", "w1"]
    assert chains.count("b1") == 0


def test_explain_of_a_derivative_goes_no_further_than_it_needs():
    found = sections(explain(derived(CNN), "delta_a3[2]"))["steps"]
    assert [label_of(b.lhs.expr.args[1]) for b in found if isinstance(b, Chain)] == [
        "a4",
        "z4",
        "a3",
    ]


def test_explain_puts_in_derivatives_without_a_name():
    """Those by the mean and the deviation of a normalisation stand in that by its input."""
    found = sections(explain(derived("3, residual(3), layernorm, 2"), "w1[1,2]"))["steps"]
    chains = [label_of(b.lhs.expr.args[1]) for b in found if isinstance(b, Chain)]
    assert {"sigma4", "mu4", "var4"} & set(chains) or {"sigma3", "mu3", "var3"} <= set(chains)


# --- Requests ---

REFUSED = [
    ({"sections": ("sharing",)}, SpecError, "unknown section"),
    ({"sections": ("forward", "forward")}, SpecError, "asked for twice"),
    ({"translate": "nielsen"}, UnsupportedError, "translation"),
    ({"all_weights": True}, UnsupportedError, "one by one"),
    ({"title": "two\nlines"}, SpecError, "the title"),
]


@pytest.mark.parametrize(("options", "kind", "told"), REFUSED)
def test_what_is_for_dense_networks_only_is_refused(options, kind, told):
    with pytest.raises(kind, match=told):
        layered.build(derived(RNN), Request(**options))


def test_sections_come_in_the_order_asked_for():
    found = made(RNN, sections=("gradients", "forward"), title="Own title", by=("A. Author",))
    assert [section.id for section in found.sections] == ["gradients", "forward"]
    assert text_of(found).startswith("Own title")


def test_the_code_has_a_section_where_there_are_lines():
    assert "code" not in sections(made(RNN))
    found = layered.build(derived(RNN), Request(code="dw1 = 0  # (12)"))
    assert "dw1 = 0  # (12)" in text_of(found)


def test_a_network_without_parameters():
    page = text_of(made("2x4, globalmaxpool"))
    assert page.count("The network has no parameters.") == 2


def test_the_summary_is_one_screen():
    page = screen(summary(derived(RNN)), 80)
    assert page.startswith(f"{RNN}; loss half squared error; 37 parameters")
    assert "∂L/∂w¹ᵢⱼ = Σₜ δ¹ₜᵢ xₜⱼ" in page
    assert len(page.splitlines()) < 40


def test_the_reference_of_an_element():
    view = View(derived(CNN))
    found = references.chosen(view, " w1[2, 1,3,1] ")
    assert (found.label, found.at, found.derivative) == ("w1", (2, 1, 3, 1), "dw1")
    assert str(found.symbol) == "w1[2,1,3,1]"
    sent = references.chosen(view, "delta_a3[2]")
    assert sent.partial("L") == Symbol("delta_a3[2]")
