"""Measuring the networks of one derivation, in this process.

In: a derivation, a scheme or somebody's weights. Out: a `Measurement`. Must not know: files,
other processes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bpderive.backprop import AnyDerivation
from bpderive.errors import Problem, SpecError, quoted
from bpderive.flow.model import Measurement
from bpderive.flow.schemes import SCHEMES, Scheme
from bpderive.sweep.cells import counts
from bpderive.sweep.model import AS_GIVEN, ELEMENTS, WHOLE, Asked, Numbers, Plan, Row
from bpderive.sweep.plans import Code, coded, drawn_by, plan
from bpderive.sweep.running import runner
from bpderive.sweep.spreads import measurement

DEFAULT = SCHEMES["xavier"]


def measured(
    derivation: AnyDerivation,
    scheme: Scheme = DEFAULT,
    *,
    networks: int = 100,
    inputs: int = 4,
    seed: int = 1,
) -> Measurement:
    """The gradients of networks whose weights a scheme draws.

    Small networks run through the generated plain Python code, which needs no package; larger ones
    through that for NumPy.

    Args:
        derivation: of the network.
        scheme: how weights and biases are drawn.
        networks: how many are drawn.
        inputs: how many samples each of them is given, one after another.
        seed: of all random numbers.

    Raises:
        SpecError: a number is out of range.
        UnsupportedError: a size is a symbol, or NumPy is needed and not installed.
    """
    (found,) = measured_each(derivation, (scheme,), networks=networks, inputs=inputs, seed=seed)
    return found


def measured_each(  # noqa: PLR0913 - what is chosen, by name
    derivation: AnyDerivation,
    schemes: Sequence[Scheme],
    *,
    networks: int = 100,
    inputs: int = 4,
    seed: int = 1,
    large: bool = True,
) -> tuple[Measurement, ...]:
    """The same for several schemes, whose code is generated once.

    Unless `large` networks are wanted too, nothing is measured of one that plain Python is too slow
    for.

    Raises:
        SpecError, UnsupportedError: as for `measured`.
    """
    _check(networks=networks, inputs=inputs, seed=seed)
    code = coded(derivation)
    if code.target != "python" and not large:
        return ()
    slug = derivation.network.spec.slug
    every = ((one, Asked(one.name, inputs, seed, code.batch)) for one in schemes)
    return tuple(_of_scheme(code, one, asked, slug, networks) for one, asked in every)


def _of_scheme(code: Code, scheme: Scheme, asked: Asked, slug: str, networks: int) -> Measurement:
    found = plan(code, scheme, asked.inputs)
    run, prefix = runner(found), drawn_by(asked.seed, slug, scheme.name)
    every = [_rows(found, run.network(prefix, index)) for index in range(networks)]
    return measurement(every, asked)


def measured_model(
    derivation: AnyDerivation,
    params: Mapping[str, Any],
    *,
    inputs: int = 100,
    seed: int = 1,
) -> Measurement:
    """The gradients of one network with given weights, at random inputs.

    What is otherwise said of several networks (`low`, `high`, `error`) is here said of the inputs.

    Args:
        derivation: of the network.
        params: each parameter under its name in the generated code, as nested lists or arrays.
        inputs: how many samples it is given, one after another.
        seed: of the samples.

    Raises:
        SpecError: a number is out of range, or a parameter is missing or has another shape.
        UnsupportedError: as for `measured`.
    """
    _check(inputs=inputs, seed=seed)
    found = plan(coded(derivation), SCHEMES["zeros"], inputs)
    given = _checked(found, params)
    found = replace(found, most=max(ELEMENTS, WHOLE // (inputs * len(found.layers))))
    text = drawn_by(seed, derivation.network.spec.slug, AS_GIVEN)
    every = [_rows(found, one) for one in runner(found).each(text, given)]
    whole = measurement(every, Asked(AS_GIVEN, inputs, seed, found.batch))
    return replace(whole, networks=1)


def _rows(found: Plan, numbers: tuple[Numbers, ...]) -> tuple[Row, ...]:
    return tuple(Row(*layer, own) for layer, own in zip(found.layers, numbers, strict=True))


def _check(**given: int) -> None:
    """Refuse numbers that are none.

    Raises:
        SpecError: with each of them.
    """
    if problems := tuple(counts(**given)):
        raise SpecError(problems)


def _checked(found: Plan, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The parameters, as plain lists where the code is plain Python.

    Raises:
        SpecError: one is missing, unknown or of another shape.
    """
    known = {one.key: one for one in found.tensors}
    problems = [Problem(f"unknown parameter {quoted(key)}") for key in params if key not in known]
    problems += [Problem(f"the parameter {key} is missing") for key in known if key not in params]
    values = {key: _plain(value) for key, value in params.items() if key in known}
    problems += [
        Problem(f"{key} has the shape {_shape(value)}", accepted=str(known[key].shape))
        for key, value in values.items()
        if _shape(value) != known[key].shape
    ]
    problems += [
        Problem(f"{key} holds numbers that are not finite")
        for key, value in values.items()
        if not _finite(value)
    ]
    if problems:
        raise SpecError(problems)
    return values


def _finite(value: Any) -> bool:
    return all(map(_finite, value)) if isinstance(value, list | tuple) else math.isfinite(value)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list | tuple):
        return ()
    return (len(value), *(_shape(value[0]) if value else ()))
