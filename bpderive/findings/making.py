"""Finding out about the gradients of a network: every part asked for what it knows.

In: a derivation or somebody's weights, how weights are drawn.  Out: `Findings`.  Must not know: the
command line, words.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bpderive.derive import derive
from bpderive.findings.model import Findings, Remedied, named
from bpderive.flow.dangers import warned
from bpderive.flow.expectation import expected
from bpderive.flow.model import Measurement
from bpderive.flow.passing import shares
from bpderive.flow.remedies import REMEDIES, built, shortened
from bpderive.flow.schemes import XAVIER, Scheme, scheme
from bpderive.network import Network
from bpderive.spec import Spec

if TYPE_CHECKING:  # a dense network does without
    from bpderive.backprop import AnyDerivation
    from bpderive.stack import Stack

AS_GIVEN = "as_given"
NETWORKS, INPUTS, SEED = 100, 4, 1


def flow(  # noqa: PLR0913 - what is chosen, by name
    derivation: "AnyDerivation",
    *,
    init: str = XAVIER,
    measure: bool = True,
    remedies: bool = False,
    networks: int = NETWORKS,
    inputs: int = INPUTS,
    seed: int = SEED,
) -> Findings:
    """How large the gradients of a network can be, are expected to be, and are.

    Args:
        derivation: made by `derive`.
        init: how the weights are drawn: `xavier`, `he`, `scaled(1.5,0.1)`, …
        measure: whether networks are drawn and run through the generated code.
        remedies: whether those of every remedy are measured too, and not only expected.
        networks: how many are drawn.
        inputs: how many samples each is given, one at a time.
        seed: of the random numbers.

    Raises:
        SpecError: no such scheme; a number below 1.
        UnsupportedError: to be measured, the network needs NumPy, or sizes that are numbers.
    """
    chosen = scheme(init)
    many = networks if remedies and measure else 0
    expectation = expected(derivation.network, chosen)
    measurement = measured(derivation, chosen, networks, inputs, seed) if measure else None
    return Findings(
        derivation,
        chosen.name,
        shares(derivation),
        expectation,
        measurement,
        tuple(remedied(shortened(derivation.network.spec), chosen, many, inputs, seed)),
        warned(expectation, measurement, derivation.network.spec, chosen),
    )


def model(
    derivation: "AnyDerivation",
    arrays: Mapping[str, Any],
    *,
    inputs: int = INPUTS,
    seed: int = SEED,
) -> Findings:
    """The same for weights that are given, such as those of somebody's model.

    Args:
        derivation: made by `derive`.
        arrays: parameters and data under their names in the generated code.
        inputs: how many random samples it is given.
        seed: of these samples.

    Raises:
        UnsupportedError: NumPy is not installed.
    """
    from bpderive.sweep import AS_GIVEN as GIVEN
    from bpderive.sweep import measured_model

    measurement = measured_model(derivation, arrays, inputs=inputs, seed=seed)
    warnings = warned(None, measurement, derivation.network.spec, scheme(XAVIER))
    return Findings(derivation, GIVEN, shares(derivation), None, measurement, (), warnings)


def remedied(
    spec: Spec, chosen: Scheme, networks: int = 0, inputs: int = INPUTS, seed: int = SEED
) -> Iterator[Remedied]:
    """The network as it is, then every remedy that can be applied to it.

    They are measured too where `networks` are to be drawn.

    Raises:
        UnsupportedError: to be measured, a network needs NumPy, or sizes that are numbers.
    """
    tried = [(AS_GIVEN, (spec, chosen))]
    tried += [
        (name, found) for name, row in REMEDIES.items() if (found := row.applied(spec, chosen))
    ]
    for name, (changed, drawn) in tried:
        network = built(changed)
        measurement = None
        if networks:
            measurement = measured(_derived(network), drawn, networks, inputs, seed)
        yield Remedied(name, named(network), drawn.name, expected(network, drawn), measurement)


def measured(
    derivation: "AnyDerivation", drawn: Scheme, networks: int, inputs: int, seed: int
) -> Measurement:
    """Networks drawn and run through the generated code; only then is it imported.

    Raises:
        SpecError: a number below 1.
        UnsupportedError: the network needs NumPy, or sizes that are numbers.
    """
    from bpderive import sweep

    return sweep.measured(derivation, drawn, networks=networks, inputs=inputs, seed=seed)


def _derived(network: "Network | Stack") -> "AnyDerivation":
    if isinstance(network, Network):
        return derive(network)
    from bpderive.layered import layered

    return layered(network)
