"""The proof's table over all layers: what of each was compared with what, and to how many digits.

In: a seed. Out: rows, and a table in Markdown for the documentation. To add a layer, add its
network. Must not know: how anything is compared.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bpderive.backprop import derive_stack
from bpderive.catalog import CATALOG
from bpderive.proof import Proof
from bpderive.spec import parse_spec
from bpderive.stack import build
from bpderive.targets import LAYERED
from bpderive.verify.layered import verify_stack
from bpderive.verify.subject import SEED

NETWORKS: tuple[tuple[str, str], ...] = (
    ("dense", "3,dense(2):tanh,2"),
    ("conv, one axis", "2x6,conv(2,3,stride=2,padding=1,dilation=2):tanh,flatten,2"),
    ("conv, two axes", "2x4x5,conv(2,2,padding=1):tanh,globalpool,2"),
    ("conv, groups", "4x5,conv(4,2,groups=2):tanh,flatten,2"),
    ("conv, groups, two axes", "2x3x4,conv(2,2,groups=2):tanh,flatten,2"),
    ("maxpool", "2x7,conv(2,2):tanh,maxpool(3,stride=2),flatten,2"),
    ("maxpool, two axes", "2x4x5,maxpool(2,stride=1),conv(2,2):tanh,flatten,2"),
    ("avgpool", "2x7,conv(2,2):tanh,avgpool(3,stride=2),flatten,2"),
    ("avgpool, two axes", "2x4x5,avgpool(2,stride=1),conv(2,2):tanh,flatten,2"),
    ("globalpool", "2x5,conv(3,2):tanh,globalpool,2"),
    ("globalmaxpool", "2x5,conv(3,2):tanh,globalmaxpool,2"),
    ("globalmaxpool, two axes", "2x3x4,conv(3,2):tanh,globalmaxpool,2"),
    ("flatten", "2x3,flatten,2"),
    ("batchnorm", "3,dense(2):tanh,batchnorm,2"),
    ("batchnorm, one axis", "2x3,batchnorm,conv(2,2):tanh,flatten,2"),
    ("batchnorm, two axes", "2x3x2,batchnorm,conv(2,2):tanh,flatten,2"),
    ("batchnorm, inference", "3,dense(2):tanh,batchnorm(inference=true),2"),
    ("the same, one axis", "2x3,batchnorm(inference=true),conv(2,2):tanh,flatten,2"),
    ("the same, two axes", "2x3x2,batchnorm(inference=true),conv(2,2):tanh,flatten,2"),
    ("layernorm", "seq(3)x2,layernorm,last,2"),
    ("rmsnorm", "seq(3)x2,rmsnorm,last,2"),
    ("dropout", "3,dense(2):tanh,dropout(0.25),2"),
    ("rnn", "seq(3)x2,rnn(2):tanh,last,2"),
    ("rnn, last of all", "seq(3)x2,rnn(2):tanh"),
    ("rnn, truncated", "seq(5)x2,rnn(2,truncate=2):tanh,last,2"),
    ("lstm", "seq(3)x2,lstm(2),last,2"),
    ("lstm, truncated", "seq(3)x2,lstm(2,truncate=2),last,2"),
    ("gru", "seq(3)x2,gru(2),last,2"),
    ("gru, truncated", "seq(3)x2,gru(2,truncate=2),last,2"),
    ("attention", "seq(3)x2,attention,last,2"),
    ("attention, causal", "seq(3)x2,attention(causal=true),last,2"),
    ("attention, heads", "seq(3)x4,attention(heads=2),last,2"),
    ("attention, heads, causal", "seq(3)x4,attention(heads=2,causal=true),last,2"),
    ("attention, no projections", "seq(3)x2,attention(project=false),last,2"),
    ("the same, causal", "seq(3)x2,attention(project=false,causal=true),last,2"),
    ("transformer", "seq(3)x2,transformer(hidden=3),last,2"),
    ("embedding", "seq(3),embedding(4,2),rnn(2):tanh,last,2"),
    ("embeddingbag", "seq(3),embeddingbag(4,2),2"),
    ("bilinear", "3,bilinear(2):sigmoid,2"),
    ("residual", "3,dense(2):tanh,residual(dense(2):tanh),2"),
    ("tied weights", "2,dense(2):tanh,dense(2,tie=1):tanh,1"),
    ("softmax", "3,dense(3),softmax,dense(2):softmax"),
)
"""By what a row of the table is called, a network that has the layer."""


TITLES = {
    ("step", "before"): "steps",
    ("forward", "texts"): "forward",
    ("gradient", "complex_step"): "complex step",
    **{("code", target): f"code, {target}" for target in LAYERED},
}
"""Of columns; others are called by what they compare with."""


@dataclass(frozen=True)
class Row:
    """One layer: by what was compared with what, the digits that all of it shares."""

    layer: str
    network: str
    passed: bool
    digits: Mapping[tuple[str, str], int]


def rows(seed: int = SEED, *, quick: bool = False) -> Iterator[Row]:
    """The proof of every layer."""
    for layer, network in NETWORKS:
        yield Row(layer, network, (proof := proved(network, seed, quick=quick)).passed, told(proof))


def proved(network: str, seed: int = SEED, *, quick: bool = False) -> Proof:
    """The proof of a network with biases."""
    stack = build(parse_spec(network, bias=True), CATALOG)
    return verify_stack(derive_stack(stack), quick=quick, seed=seed)


def told(proof: Proof) -> dict[tuple[str, str], int]:
    """The least digits of each comparison."""
    return {(one.kind, one.against): one.digits for one in proof.summaries}


def markdown(found: Iterator[Row]) -> str:
    """The table, `–` where nothing was compared; 50 digits are all that there are."""
    every = list(found)
    columns = list({key: None for row in every for key in row.digits if key[0] != "chain"})
    titles = [TITLES.get(key, key[1]) for key in columns]
    lines = [["layer", *titles], ["---"] * (len(columns) + 1)]
    lines += [[row.layer, *(str(row.digits.get(one, "–")) for one in columns)] for row in every]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main() -> None:
    """Print the table: `python -m bpderive.verify.layered.table`."""
    print(markdown(rows()), end="")  # noqa: T201 - what it is asked for


if __name__ == "__main__":
    main()
