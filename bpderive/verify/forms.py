"""Every form of every gradient gives the same numbers.

In: a `Subject`. Out: a `Check` for each form of `FORMS` against the oracle's derivatives. A form
with no row in `READERS` is refused, so that none goes unproved. Must not know: how one is written.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bpderive.errors import UnsupportedError
from bpderive.forms import FORMS, gradient
from bpderive.proof import Check, Skip
from bpderive.verify.arithmetic import digits
from bpderive.verify.evaluate import Numbers, Rows
from bpderive.verify.guard import guarded
from bpderive.verify.oracle import Element, Tensor
from bpderive.verify.subject import Subject, name_of, rows_of

WANTED = 40
Pairs = list[tuple[Any, Any]]


@dataclass(frozen=True)
class Reader:
    """How a form's numbers are found: those of an element, or of a whole tensor.

    `of` are the first letters of the quantities that may stand in the form.
    """

    whole: bool
    of: str
    batch: bool = False


READERS: Mapping[str, Reader] = {
    "delta": Reader(whole=False, of="xywbzapdgh"),
    "paths": Reader(whole=False, of="xywbzap"),
    "weights": Reader(whole=False, of="xywb"),
    "index": Reader(whole=False, of="xywbzapdgh"),
    "matrix": Reader(whole=True, of="xywbzapdgh"),
    "batch": Reader(whole=True, of="xywbzapdgh", batch=True),
}


def check(subject: Subject) -> Iterator[Check | Skip]:
    """Every form of every derivative; when quick, of one element of each tensor."""
    if subject.points is None:
        yield Skip("form", "all", "no_point")
        return
    for form in FORMS:
        yield from guarded("form", form, _checks(subject, form))


def _checks(subject: Subject, form: str) -> Iterator[Check | Skip]:
    reader = READERS[form]
    find = _whole if reader.whole else _element
    for elements in subject.elements.values():
        chosen = elements[len(elements) // 2 :][:1] if reader.whole or subject.quick else elements
        for element in chosen:
            yield _check(subject, form, find, element)


Find = Callable[[Subject, str, Element], tuple[str, Pairs]]


def _check(subject: Subject, form: str, find: Find, element: Element) -> Check | Skip:
    try:
        name, pairs = find(subject, form, element)
    except UnsupportedError as error:
        return Skip("form", form, f"{name_of(element)}: {error}")
    agreed = digits(pairs, subject.scales[element[0]])
    return Check("form", name, form, len(pairs), agreed, WANTED)


def _element(subject: Subject, form: str, element: Element) -> tuple[str, Pairs]:
    """One element, at every sample."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    name, points = name_of(element), subject.points
    expr, of = gradient(subject.model, name, form), READERS[form].of
    label, at = element
    return name, [
        (Numbers({k: v for k, v in sample.items() if k[0] in of})(expr), slopes[label][at])
        for sample, slopes in zip(points.complete, points.slopes, strict=True)
    ]


def _whole(subject: Subject, form: str, element: Element) -> tuple[str, Pairs]:
    """A whole tensor: of the first sample, or of the batch."""
    label, batch = element[0], READERS[form].batch
    expr = gradient(subject.model, label, form)
    assert subject.points is not None  # noqa: S101 - `check` has looked
    if batch:
        return label, _paired(_batch(subject)(expr), _expected_batch(subject, label))
    sample, slopes = subject.points.complete[0], subject.points.slopes[0]
    matrices = {k: rows_of(tensor) for k, tensor in sample.items() if () not in tensor}
    return label, _paired(Numbers({}, matrices=matrices)(expr), rows_of(slopes[label]))


def _batch(subject: Subject) -> Numbers:
    """All samples, as rows or columns; parameters are the same for all."""
    assert subject.points is not None  # noqa: S101 - `check` has looked
    samples = subject.points.complete
    matrices = {
        label: rows_of(tensor)
        if label[0] in "wb"
        else _laid_out(subject, [sample[label] for sample in samples])
        for label, tensor in samples[0].items()
        if () not in tensor
    }
    return Numbers({}, {"N": len(samples)}, matrices)


def _expected_batch(subject: Subject, label: str) -> Rows:
    """The gradient of the batch's loss; of an inner quantity, that of each sample's own."""
    if label[0] in "wb":
        return rows_of(subject.expected(label))
    assert subject.points is not None  # noqa: S101 - `check` has looked
    return _laid_out(subject, [slopes[label] for slopes in subject.points.slopes])


def _laid_out(subject: Subject, tensors: Sequence[Tensor]) -> Rows:
    rows = [list(tensor.values()) for tensor in tensors]
    if subject.network.spec.orientation == "rows":
        return rows
    return [list(row) for row in zip(*rows, strict=True)]


def _paired(found: Rows, expected: Rows) -> Pairs:
    shapes = [[len(row) for row in rows] for rows in (found, expected)]
    if shapes[0] != shapes[1]:
        return [(float("inf"), 0)]
    return [pair for rows in zip(found, expected, strict=True) for pair in zip(*rows, strict=True)]
