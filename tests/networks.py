"""What tests of derivations share: a network, derived, and when two numbers count as equal."""

from bpderive.catalog import CATALOG
from bpderive.derive import derive
from bpderive.network import build
from bpderive.spec import parse_spec
from bpderive.verify.arithmetic import MP

CLOSE = MP.mpf(10) ** -40  # a complex step is good for 60 digits


def derived(layers, **options):
    return derive(build(parse_spec(layers, **options), CATALOG))


def close(found, expected, within=CLOSE):
    return abs(found - expected) <= within * (1 + abs(expected))
