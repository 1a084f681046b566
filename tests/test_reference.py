"""Reference text: one name for every scalar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpderive.errors import SpecError
from bpderive.reference import EXAMPLES, Reference, parse

GOOD = [
    ("x[1]", Reference("x", None, (1,))),
    ("w1[1,2]", Reference("w", 1, (1, 2))),
    (" w12[ 3 , 40 ] ", Reference("w", 12, (3, 40))),
    ("b1[2]", Reference("b", 1, (2,))),
    ("z2[1]", Reference("z", 2, (1,))),
    ("a2[1]", Reference("a", 2, (1,))),
    ("delta2[1]", Reference("delta", 2, (1,))),
    ("y[1]", Reference("y", None, (1,))),
    ("p[3]", Reference("p", None, (3,))),
    ("L", Reference("L")),
]

BAD = [
    ("", "is not a reference"),
    ("w1[1,2", "is not a reference"),
    ("w1[1,]", "is not a reference"),
    ("w1[]", "is not a reference"),
    ("w1[-1,2]", "is not a reference"),
    ("w1(1,2)", "is not a reference"),
    ("w1[1,2]+1", "is not a reference"),
    ("w1[i,j]", "is not a reference"),
    ("w\u0661[1,2]", "is not a reference"),  # an Arabic digit one
    ("w1[" + "1" * 5000 + ",1]", "is not a reference"),
    ("__import__('os')", "is not a reference"),
    ("W1[1,2]", 'did you mean "w"?'),
    ("deta2[1]", 'did you mean "delta"?'),
    ("q1[1]", 'unknown quantity "q"'),
    ("w[1,2]", 'has not the form of "w1[1,2]"'),
    ("w1", 'has not the form of "w1[1,2]"'),
    ("w1[1]", 'has not the form of "w1[1,2]"'),
    ("b1[1,2]", 'has not the form of "b1[1]"'),
    ("x1[1]", 'has not the form of "x[1]"'),
    ("x", 'has not the form of "x[1]"'),
    ("L[1]", 'has not the form of "L"'),
    ("w0[1,2]", "start at 1"),
    ("w1[0,1]", "start at 1"),
    ("x[0]", "start at 1"),
]


@pytest.mark.parametrize(("text", "reference"), GOOD)
def test_references_are_read(text, reference):
    assert parse(text) == reference
    assert str(reference) == text.replace(" ", "")


@pytest.mark.parametrize(("text", "told"), BAD, ids=[text[:12] for text, _ in BAD])
def test_bad_references_are_refused(text, told):
    with pytest.raises(SpecError) as caught:
        parse(text)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=str)
def test_every_example_is_a_reference(example):
    assert parse(str(example)) == example


@given(
    st.sampled_from(sorted(EXAMPLES)), st.lists(st.integers(1, 10**9 - 1), min_size=3, max_size=3)
)
def test_text_and_reference_are_one(name, numbers):
    example = EXAMPLES[name]
    layer = None if example.layer is None else numbers[0]
    reference = Reference(name, layer, tuple(numbers[1 : 1 + len(example.indices)]))
    assert parse(str(reference)) == reference


@pytest.mark.parametrize(("text", "tensor"), [("w1[1,2]", "w1"), ("x[1]", "x"), ("L", "L")])
def test_the_tensor_of_a_reference(text, tensor):
    assert parse(text).tensor == tensor
