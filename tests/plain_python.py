"""Generated modules of plain Python for the tests, unrolled and looped."""

from functools import cache

import numpy as np
import pytest
from generated import load

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.network import build as lay_out
from bpderive.program import build as plan
from bpderive.spec import parse_spec
from bpderive.targets import numpy
from bpderive.targets.python import LIMIT, generate

FORMS = {"unrolled": LIMIT, "looped": 0}
both = pytest.mark.parametrize("form", FORMS)


@cache
def program(layers="3,4,2", catalog=CATALOG, **options):
    return plan(derive(lay_out(parse_spec(layers, **options), catalog)))


@cache
def module(*args, **options):
    return load(numpy.generate(program(*args, **options)))


@cache
def source(layers="3,4,2", form="unrolled", catalog=CATALOG, **options):
    return generate(program(layers, catalog, **options), limit=FORMS[form])


@cache
def python(layers="3,4,2", form="unrolled", catalog=CATALOG, **options):
    return load(source(layers, form, catalog, **options))


def plain(params):
    """Arrays as lists."""
    return {key: array.tolist() for key, array in params.items()}


def agree(found, expected, **tolerance):
    """The loss, and every gradient."""
    assert found[0] == pytest.approx(expected[0], rel=1e-12, abs=1e-300)
    assert list(found[1]) == list(expected[1])
    for key, grad in expected[1].items():
        np.testing.assert_allclose(
            found[1][key], grad, **{"rtol": 1e-10, "atol": 1e-14} | tolerance
        )
