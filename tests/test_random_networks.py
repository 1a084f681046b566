"""Random networks: derived, proved in every family, and their code run at full size.

What fails is shrunk by hypothesis; the row that it prints goes into `test_regressions.REGRESSIONS`.
"""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from generated import ACTIVATIONS, FORMULAS, LOSSES
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from sympy import Indexed, Sum

import bpderive
from bpderive.forms import FORMS, gradient
from bpderive.proof import Skip
from bpderive.verify import forms, proof_of, targets
from bpderive.verify.arithmetic import digits
from bpderive.verify.evaluate import Numbers
from bpderive.verify.subject import Subject, name_of, rows_of
from bpderive.weights import ORDERS

# --- Networks ---

GIVEN = (
    *FORMULAS,
    "z - sum(z)/4",
    "z/sqrt(1 + sum(z**2))",
    "tanh(z)*max(sum(z), z)",
    "where(sum(z) > 0, z, 2*z)",
    "z*sigmoid(sum(z*sigmoid(z)))",
    "max(min(z, 1), -1)*z",
    "abs(z)",
    "sign(z)*sqrt(abs(z) + 1)",
    "z**3/5",
)
"""Activations that are formulas: sums over the layer, kinks, jumps, powers."""
GIVEN_LOSSES = (
    "(a - y)**4",
    "log(1 + (a - y)**2)",
    "where(a > y, (a - y)**2, 2*(y - a))",
    "abs(a - y)**1.5",
    "exp(a - y) - a",
)
INSIDE = {"unit": ("sigmoid", "softmax"), "positive": ("sigmoid", "softmax", "softplus", "exp")}
"""The output activations whose values a loss always takes, by its domain."""
LETTERS = ("i", "j", "k", "m", "n", "q", "r", "s", "t", "u", "v", "l", "i1", "k1", "n1")
"""Sizes that indices are named like."""

depths = st.sampled_from((1, 2) * 9 + (3, 3, 4, 5, 6))
activations = st.sampled_from([*ACTIVATIONS, *GIVEN])
losses = st.sampled_from([*LOSSES, *GIVEN_LOSSES])


@dataclass(frozen=True)
class Given:
    """What a network is made from: widths, an activation a layer, options."""

    widths: tuple[int | str, ...]
    activations: tuple[str, ...]
    loss: str
    bias: bool
    reduction: str
    orientation: str
    weights: str = "neuron_first"

    def derived(self):
        layers = [self.widths[0], *zip(self.widths[1:], self.activations, strict=True)]
        names = ("loss", "bias", "reduction", "orientation", "weights")
        options = {name: getattr(self, name) for name in names}
        return bpderive.derive(bpderive.network(layers, **options))

    @property
    def inside(self):
        """Whether the loss always takes the outputs."""
        domain = LOSSES[self.loss].domain if self.loss in LOSSES else "real"
        if (self.activations[-1], self.widths[-1]) == ("softmax", 1):  # it is 1, on the edge
            return domain != "unit"
        return self.activations[-1] in INSIDE.get(domain, self.activations)


@st.composite
def networks(draw, depths=depths, widths=None):
    depth = draw(depths)
    wide = st.integers(1, 6) if widths is None else widths
    narrow = st.integers(1, 2) if widths is None else widths
    below = draw(st.lists(narrow if depth > 3 else wide, min_size=depth - 1, max_size=depth - 1))
    loss = draw(losses)
    refused = dict(LOSSES[loss].refuses) if loss in LOSSES else ()
    domain = LOSSES[loss].domain if loss in LOSSES else "real"
    outputs = [name for name in INSIDE.get(domain, [*ACTIVATIONS, *GIVEN]) if name not in refused]
    # outputs that need not suit the loss are left to one neuron: of more, hardly any draw suits
    beside = [name for name in (*ACTIVATIONS, *GIVEN) if name not in refused]
    strays = domain != "real" and draw(st.integers(0, 5)) == 0
    last = draw(st.sampled_from(beside if strays else outputs))
    return Given(
        widths=(draw(wide), *below, 1 if strays else draw(wide)),
        activations=(*(draw(activations) for _ in below), last),
        loss=loss,
        bias=draw(st.booleans()),
        reduction=draw(st.sampled_from(("mean", "sum"))),
        orientation=draw(st.sampled_from(("rows", "columns"))),
        weights=ORDERS[len(f"{below}{loss}{last}") % 2],
    )


# --- What is asked of each ---

REASONS = ("paths to the loss; at most", "has no matrix form")
"""Why a form may be left out. That there is no point, or no slope but 0, is counted."""


@dataclass
class Tally:
    """What a run has seen."""

    networks: set[Given] = field(default_factory=set)
    counts: Counter[object] = field(default_factory=Counter)

    def add(self, network):
        self.networks.add(network)
        self.counts.update(
            [
                ("depth", len(network.activations)),
                *(("width", width) for width in network.widths),
                *network.activations,
                network.loss,
                network.reduction,
                network.orientation,
                network.weights,
                ("bias", network.bias),
            ]
        )

    def left_out(self, skips, network):
        """Every skip has a reason that is known, and points are missing only of stray outputs."""
        for skip in skips:
            if skip.reason == "no_point":
                self.counts["no_point", skip.kind] += 1
                rounded = skip.kind == "kink" and skip.against.startswith(network.loss)
                assert rounded or not network.inside, skip
            elif skip.reason == "zero":
                self.counts["zero"] += 1
            else:
                assert skip.kind in ("form", "kink"), skip
                assert any(words in skip.reason for words in REASONS), skip


def prove(network, tally):
    """Each family is compared, and nothing fails."""
    subject = Subject(network.derived(), quick=True)
    proof = proof_of(subject)
    assert not proof.failures, (network, proof.failures[:4])
    assert proof.passed or subject.points is None, network
    tally.left_out(proof.skips, network)
    told = {(one.kind, one.against) for one in (*proof.checks, *proof.skips)}
    if subject.points is not None:
        assert {("form", form) for form in FORMS} <= told
        assert {"step", "chain", "gradient", "form", "program"} <= {kind for kind, _ in told}
        run(subject, network)


def run(subject, network):
    """The NumPy code, at the small model's size and at its own."""
    found = list(targets.check(subject))
    wrong = [one for one in found if isinstance(one, Skip) or not one.passed]
    assert found and not wrong, (network, wrong[:4])  # noqa: PT018


def through(count, strategy, check):
    """So many distinct networks of a strategy; what was seen of them.

    A few from each seed: from one, hypothesis tries many that are alike.
    """
    tally = Tally()
    for start in range(count):
        more = min(FEW, count - len(tally.networks))
        if more:
            some(tally, more, strategy, check, start)
    assert len(tally.networks) == count
    print(f"{count} networks: {dict(tally.counts)}")  # noqa: T201 - `pytest -rP` shows it
    return tally


def some(tally, more, strategy, check, start):
    """Some more networks; after one that fails, whichever hypothesis shrinks it with."""
    wanted, failed = len(tally.networks) + more, []

    @seed(start)
    @settings(max_examples=2 * more, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def one(network):
        if network in tally.networks or (len(tally.networks) == wanted and not failed):
            return
        try:
            check(network, tally)
        except BaseException:
            failed.append(network)
            raise
        tally.add(network)

    one()


FEW = 20
RUNS = [200, pytest.param(2000, marks=pytest.mark.long)]


@pytest.mark.parametrize("count", RUNS)
def test_random_networks_are_proved(count):
    tally = through(count, networks(), prove)
    seen = tally.counts
    assert all(seen["depth", depth] and seen["width", depth] for depth in range(1, 7))
    assert all(seen[name] for name in (*ACTIVATIONS, *GIVEN, *LOSSES, *GIVEN_LOSSES))
    assert all(seen[word] for word in ("mean", "sum", "rows", "columns", *ORDERS))
    assert seen["bias", True] and seen["bias", False]  # noqa: PT018
    assert seen["no_point", "gradient"] <= count // 50
    assert seen["zero"] <= count // 10


# --- Symbolic sizes, named like indices ---


@dataclass(frozen=True)
class Lettered(Given):
    """A network of which some widths are letters; `sizes` has a number for each letter."""

    sizes: tuple[tuple[str, int], ...] = ()

    def numbered(self):
        """The same network in numbers."""
        table = dict(self.sizes)
        return replace(self, widths=tuple(table.get(width, width) for width in self.widths))


@st.composite
def lettered(draw):
    """Of few letters, so that layers have the same one; at most 36 parameters."""
    pool = draw(st.lists(st.sampled_from((*LETTERS, *LETTERS, 1, 2)), min_size=1, max_size=4))
    pool.append(draw(st.sampled_from(LETTERS)))
    network = draw(networks(st.sampled_from((1, 2, 2, 3)), st.sampled_from(pool)))
    widths = (pool[-1], *network.widths[1:])
    letters = sorted({width for width in widths if isinstance(width, str)})
    values = {**vars(network), "widths": widths}
    return Lettered(**values, sizes=tuple((letter, draw(st.integers(1, 3))) for letter in letters))


def agree(network, tally):
    """The forms of the letters, at these sizes, are the numbers' gradients."""
    derivation = network.derived()
    subject = Subject(network.numbered().derived(), quick=True)
    assert not proof_of(Subject(derivation, quick=True)).failures
    assert subject.own
    if subject.points is None:
        tally.counts["no_point", "gradient"] += 1
        assert not network.numbered().inside
        return
    for label, elements in subject.elements.items():
        for name, numbers, expected in readings(subject, label, elements[-1]):
            try:
                form, of = name
                expr = gradient(derivation, of, form)
            except bpderive.UnsupportedError as error:
                assert "has no matrix form" in str(error)  # noqa: PT017
                continue
            found = replace(numbers, sizes={**numbers.sizes, **dict(network.sizes)}, known={})
            pairs = forms._paired(rows(found(expr)), expected)
            assert digits(pairs, subject.scales[label]) >= 40, (network, name, expr)
        whole = gradient(derivation, label, "index")
        assert not free_letters(whole) & dict(network.sizes).keys()
        check_letters(whole, {*dict(network.sizes), *free_letters(whole), "N"})


def readings(subject, label, element):
    """Each form of a tensor: its name, the numbers it is read in, and what it must be."""
    sample, slopes = subject.points.complete[0], subject.points.slopes[0]
    matrices = {k: rows_of(tensor) for k, tensor in sample.items() if () not in tensor}
    yield ("index", name_of(element)), Numbers(sample), [[slopes[label][element[1]]]]
    yield ("matrix", label), Numbers({}, matrices=matrices), rows_of(slopes[label])
    yield ("batch", label), forms._batch(subject), forms._expected_batch(subject, label)


def rows(value):
    return value if isinstance(value, list) else [[value]]


def free_letters(expr):
    """The letters of the indices that are not summed."""
    summed = {limit[0] for node in expr.atoms(Sum) for limit in node.limits}
    indices = {index for atom in expr.atoms(Indexed) for index in atom.indices} - summed
    return {index.name for index in indices}


def check_letters(expr, taken):
    """Told apart by their names, as a reader does: no sum's letter names something else there."""
    if isinstance(expr, Sum):
        letters = [limit[0].name for limit in expr.limits]
        assert len({*letters, *taken}) == len(letters) + len(taken), (letters, taken)
        taken = taken | set(letters)
    for arg in [expr.function] if isinstance(expr, Sum) else expr.args:
        check_letters(arg, taken)


@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.long)])
def test_letters_of_sizes_do_not_meet_those_of_indices(count):
    tally = through(count, lettered(), agree)
    assert tally.counts["no_point", "gradient"] <= count // 20


SUM = re.compile(r"\\sum_\{([a-z])")


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.long)])
def test_letters_of_sums_on_a_page_are_no_sizes(count):
    def written(network, tally):
        latex = bpderive.render(network.derived(), "latex")
        letters = set(SUM.findall(latex))
        tally.counts["sums"] += bool(letters)
        assert not letters & dict(network.sizes).keys(), (network, letters)

    assert through(count, lettered(), written).counts["sums"] == count
