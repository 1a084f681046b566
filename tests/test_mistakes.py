"""The proof, proved: no mistake of the table escapes it, nor a broken rule of the engine."""

import dataclasses
import sys
from functools import partial

import pytest
from networks import derived
from sympy import Add, Expr, Indexed, Mul, Sum

import bpderive
from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.errors import DerivationError
from bpderive.index import Partial, label_of
from bpderive.network import build
from bpderive.proof import Check
from bpderive.rules import RULES
from bpderive.verify import selftest, verify
from bpderive.verify.arithmetic import MP, PRECISION, digits
from bpderive.verify.guard import guarded
from bpderive.verify.mistakes import MISTAKES, clips
from bpderive.verify.planting import planted
from bpderive.verify.selftest import attempts, random_specs, report

# --- The table ---

SMALL = {
    "bias": ("2,3,2", {"bias": True}),
    "relu": ("3,2:relu,3", {"loss": "softmax_cross_entropy"}),
    "softmax": ("2,3:softmax,2:tanh", {"loss": "mse", "orientation": "columns"}),
    "clip": ("2,3:hardtanh,1", {"loss": "hinge", "reduction": "sum"}),
}


@pytest.fixture(scope="module")
def outcomes():
    found = [
        one for layers, options in SMALL.values() for one in attempts(derived(layers, **options))
    ]
    return {outcome.mistake: outcome for outcome in report(found)}


def test_each_mistake_has_an_id_of_its_own():
    assert len({row.id for row in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: row.id)
def test_each_mistake_is_made_and_caught(row, outcomes):
    found = outcomes[row.id]
    assert found.visible
    assert found.escaped == ()
    assert found.planted == found.caught + found.unseen
    assert found.oracles == found.caught, "the oracles alone see it, without a step"
    assert found.steps == (0 if row.id == "kink_other" else found.caught), "and so do the steps"


def told(layers, **options):
    """Mistakes and places that cannot be seen on a network."""
    found = attempts(derived(layers, **options))
    return {(one.mistake, one.place) for one in found if not one.seen}


UNSEEN = [
    ("2,3,2", {"bias": True}, set()),
    (
        "1,1,1",
        {},
        {
            ("weight_transposed", "z of layer 1"),
            ("outer_swapped", "w of layer 1"),
            ("outer_swapped", "w of layer 2"),
            ("index_slipped", "z of layer 1"),
            ("index_slipped", "w of layer 1"),
            ("index_slipped", "w of layer 2"),
        },
    ),
    ("3,1,2", {}, set()),
    (
        "2,1,1",
        {},
        {
            ("weight_transposed", "z of layer 1"),
            ("index_slipped", "z of layer 1"),
            ("outer_swapped", "w of layer 2"),
            ("index_slipped", "w of layer 2"),
        },
    ),
    ("2,3:relu,2", {}, {("a_for_z", "z of layer 1")}),
    ("2,3:leaky_relu,2", {}, {("a_for_z", "z of layer 1")}),
    ("2,3:elu,2", {}, set()),
    ("n0,n1,n2", {}, set()),
]


@pytest.mark.parametrize(("layers", "options", "expected"), UNSEEN, ids=[row[0] for row in UNSEEN])
def test_what_cannot_be_seen_is_said_so(layers, options, expected):
    assert told(layers, **options) == expected


def plant(name, layers, **options):
    """The derivations with one mistake."""
    row = next(row for row in MISTAKES if row.id == name)
    return list(planted(derived(layers, **options), row))


NOWHERE = [
    ("bias_forgotten", "2,3,2", {}),
    ("mean_missing", "2,3,2", {"reduction": "sum"}),
    ("mean_twice", "2,3,2", {"reduction": "sum"}),
    ("slope_dropped", "2,3:linear,2", {}),
    ("a_for_z", "2,3:linear,2", {}),
    ("a_for_z", "2,2:softmax", {"loss": "cross_entropy"}),
    ("next_slope", "2,3", {}),
    ("weight_transposed", "2,3", {}),
    ("path_missing", "2,3", {}),
    ("updated_weights", "2,3", {}),
    ("softmax_diagonal", "2,3,2", {}),
    ("clip_swapped", "2,3:tanh,2", {}),
    ("kink_other", "2,3:elu,2", {}),
]


@pytest.mark.parametrize(("name", "layers", "options"), NOWHERE)
def test_a_mistake_that_cannot_be_made_is_not(name, layers, options):
    assert plant(name, layers, **options) == []


def test_what_clips():
    found = {row.name for row in CATALOG.activations if row.elementwise and clips(row.formula)}
    assert found == {"hardtanh"}
    assert clips("min(max(z, -1/2), 2)")
    assert clips("where(z < -3, -3, where(z > 1, 1, z))")
    assert not clips("min(max(2*z, -1), 1)")
    assert not clips("log(z)")


def test_a_wrong_derivation_differs_by_an_evaluation_that_is_not_the_proofs():
    """SymPy's own numbers, at the article's network."""
    right = derived("2,2,2,1")
    for name in ("sign", "slope_dropped", "path_missing", "index_slipped", "updated_weights"):
        for one in planted(right, next(row for row in MISTAKES if row.id == name)):
            for kind, wrong in one.wrong.items():
                rhs = right.kind(kind)[one.letter].result.rhs
                assert value(wrong.result.rhs) != pytest.approx(value(rhs)), (name, one.letter)


def value(expr):
    """The value at indices 1, 2 …, every size 2, and elements that look random."""
    sizes = {limit[2]: 2 for node in expr.atoms(Sum) for limit in node.limits}
    expr = expr.subs(sizes).doit()
    free = sorted(
        {s for atom in expr.atoms(Indexed) for i in atom.indices for s in i.free_symbols}, key=str
    )
    expr = expr.subs({index: 1 + k % 2 for k, index in enumerate(free)})
    numbers = {
        atom: (
            sum(map(ord, label_of(atom))) * 37 + sum(5**k * i for k, i in enumerate(atom.indices))
        )
        % 101
        / 101
        for atom in expr.atoms(Indexed)
    }
    return float(expr.xreplace(numbers).subs({s: 2 for s in expr.free_symbols if s.name == "N"}))


@pytest.mark.parametrize("name", [row.id for row in MISTAKES])
def test_a_wrong_derivation_has_steps_that_join(name):
    """So that it is not its form that gives it away."""
    for layers, options in SMALL.values():
        for one in plant(name, layers, **options):
            for kind in one.wrong:
                for check in chains(one.derivation.kind(kind)):
                    assert check.passed


def chains(found):
    from bpderive.verify.steps import chain

    return [chain(derived, "") for derived in found.values()]


def test_a_right_derivation_is_left_as_it_is():
    derivation = derived("2,2", output_activation="tanh", bias=True)
    before = {kind: dict(found) for kind, found in derivation._sweeps.items()}
    for row in MISTAKES:
        for one in planted(derivation, row):
            assert not verify(one.derivation, quick=True).passed
    assert all(derivation._sweeps[kind] == found for kind, found in before.items())
    assert verify(derivation, quick=True).passed


@pytest.mark.long
def test_nothing_escapes_on_the_whole_table():
    for outcome in report(selftest.run()):
        assert outcome.escaped == ()
        assert outcome.oracles == outcome.caught
        assert outcome.visible


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_nothing_escapes_on_random_networks(seed):
    for spec in random_specs(seed, 15):
        for one in attempts(derive(build(spec, CATALOG)), seed):
            assert one.caught or not one.seen, one


def test_random_networks_are_the_same_for_a_seed():
    assert list(random_specs(3, 5)) == list(random_specs(3, 5))
    assert list(random_specs(3, 5)) != list(random_specs(4, 5))


# --- A broken engine ---

NETWORKS = {
    "all": ("2,3:softmax,2:sigmoid", {"loss": "binary_cross_entropy", "bias": True}),
    "labels": ("2,3,3", {"loss": "softmax_cross_entropy"}),
}


def negated(expr):
    return -expr


def doubled(expr):
    return 2 * expr


def shortened(expr):
    """One factor of the first product left out."""
    products = [e for e in walk(expr) if isinstance(e, Mul)]
    return expr.xreplace({products[0]: Mul(*products[0].args[1:])}) if products else expr


def extended(expr):
    """A sum of terms less its last."""
    sums = [e for e in walk(expr) if isinstance(e, Add)]
    return expr.xreplace({sums[0]: Add(*sums[0].args[:-1])}) if sums else expr


def slipped(expr):
    """The indices of the first element that has two are exchanged."""
    elements = [e for e in walk(expr) if isinstance(e, Indexed) and len(set(e.indices)) == 2]
    return (
        expr.xreplace({elements[0]: elements[0].base[elements[0].indices[::-1]]})
        if elements
        else expr
    )


def off_by_one(expr):
    """The next neuron at the first element."""
    elements = [e for e in walk(expr) if isinstance(e, Indexed)]
    if not elements:
        return expr
    *first, last = elements[0].indices
    return expr.xreplace({elements[0]: elements[0].base[(*first, last + 1)]})


def walk(expr):
    """All nodes but those of a derivative that is not worked out yet."""
    yield expr
    if not isinstance(expr, Partial | Indexed):
        for arg in expr.args:
            if isinstance(arg, Expr):
                yield from walk(arg)


BREAKS = (negated, doubled, shortened, extended, slipped, off_by_one)
"""What may be wrong with a rule's result."""


ROWS = [
    pytest.param(wrong, id=wrong.__name__, marks=[] if wrong is negated else pytest.mark.long)
    for wrong in BREAKS
]


@pytest.mark.parametrize("wrong", ROWS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_broken_rule_is_refused(monkeypatch, rule, wrong):
    dense = [partial(derived, layers, **options) for layers, options in NETWORKS.values()]
    broken = any(refused(monkeypatch, rule, wrong, network) for network in (*dense, normalised))
    assert broken or wrong not in (negated, doubled), "every rule is used somewhere"


def normalised():
    """A derivation in which a mean's deviations sum to zero."""
    return bpderive.derive(bpderive.network("3, 4, batchnorm, 2"))


def refused(monkeypatch, rule, wrong, network):
    """Whether a derivation with the broken rule differs; one that does must not pass."""
    changes = 0

    def apply(expr, context):
        nonlocal changes
        after = rule.apply(expr, context)
        found = after if after is None or changes else wrong(after)
        changes += found != after
        return found

    rows = tuple(dataclasses.replace(row, apply=apply) if row is rule else row for row in RULES)
    with monkeypatch.context() as patch:
        patch.setattr(sys.modules["bpderive.derive"], "RULES", rows)
        try:
            derivation = network()
        except DerivationError:
            return True
        proof = bpderive.verify(derivation, quick=True)
    assert not (changes and proof.passed)
    return bool(changes)


# --- A proof that cannot be made ---


def test_a_proof_of_nothing_does_not_pass():
    proof = verify(derived("1,1", loss="log(-1 - (a - y)**2)"), quick=True)
    assert {check.kind for check in proof.checks} == {"chain"}
    assert not proof.failures
    assert not proof.passed
    assert not dataclasses.replace(proof, checks=()).passed


ONE = MP.mpf(1)
NONE = [
    [],
    [(ONE, MP.nan)],
    [(MP.nan, ONE)],
    [(ONE, ONE), (MP.nan, ONE)],
    [(MP.inf, MP.inf)],
    [(-MP.inf, ONE)],
    [(float("inf"), 0)],
    [(MP.mpc(1, 1), MP.mpc(1, 1))],
    [(MP.mpc(1, 1), ONE)],
    [(ONE, MP.mpf(0))],
]


@pytest.mark.parametrize("pairs", NONE, ids=str)
def test_no_digit_is_shared(pairs):
    assert digits(pairs) == 0


def test_digits_that_are_shared():
    assert digits([(ONE, ONE)]) == PRECISION
    assert digits([(ONE + MP.mpf(10) ** -20, ONE)]) in (19, 20)
    assert digits([(MP.mpf(10) ** -30, MP.mpf(0))], scale=1) in (29, 30)


@pytest.mark.parametrize(
    "error", [KeyError("w1[3,1]"), ValueError("zip"), DerivationError("no numbers")]
)
def test_what_cannot_be_worked_out_has_failed(error):
    def checks():
        yield Check("form", "w1", "delta", 1, 50, 40)
        raise error

    first, last = guarded("form", "delta", checks())
    assert first.passed
    assert not last.passed
    assert str(error) in last.place


def test_what_ends_the_program_ends_the_proof():
    def checks():
        yield from ()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(guarded("form", "delta", checks()))
