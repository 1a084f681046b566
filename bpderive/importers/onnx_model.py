"""An ONNX file: its graph, and the value of each name for some input, in double precision.

In: a path. Out: `Loaded`, and `Valued`. Must not know: layers of ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bpderive.errors import SpecError
from bpderive.grammar.inputs import EXAMPLES
from bpderive.grammar.model import Input
from bpderive.importers.graph import shown
from bpderive.importers.loading import told
from bpderive.importers.model import Array

SAMPLES = 3
"""So many go through the model where it says no number of its own."""
PLACES = (
    "Conv",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "BatchNormalization",
)
"""What takes channels and positions."""


@dataclass(frozen=True)
class Loaded:
    """A model in double precision; `parameters` are its initializers by name."""

    model: Any
    parameters: Mapping[str, Array]
    entry: Any

    @property
    def nodes(self) -> list[Any]:
        """In the order of the file, which is one in which they can be computed."""
        return list(self.model.graph.node)

    @property
    def opset(self) -> int:
        """The version of the standard's operators."""
        own = [one.version for one in self.model.opset_import if one.domain in {"", "ai.onnx"}]
        return max(own, default=1)

    @property
    def batch(self) -> int | None:
        """The number of samples where the file says it."""
        dims = self.entry.type.tensor_type.shape.dim
        return int(dims[0].dim_value) or None if dims else None


def load(path: str) -> Loaded:
    """A model.

    Raises:
        SpecError: it cannot be read, or has not one input.
    """
    import onnx
    from onnx import numpy_helper

    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except OSError as error:
        raise SpecError.single(f"cannot be read: {error.strerror or error}", path) from error
    except Exception as error:
        raise SpecError.single(f"is no ONNX model: {told(error)}", path) from error
    _double(model.graph)
    _split(model.graph)
    known = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    entries = [one for one in model.graph.input if one.name not in known]
    if len(entries) != 1 or len(model.graph.output) != 1:
        message = f"has {len(entries)} inputs and {len(model.graph.output)} outputs"
        raise SpecError.single(message, path, "a model of one input and one output")
    return Loaded(model, known, entries[0])


def _double(graph: Any) -> None:
    """Numbers of any precision in double precision, wherever they stand."""
    from onnx import numpy_helper

    for one in graph.initializer:
        one.CopyFrom(_doubled(one))
    for one in (*graph.input, *graph.output):
        kind = one.type.tensor_type
        kind.elem_type = _kind(kind.elem_type)
    del graph.value_info[:]
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                attribute.t.CopyFrom(_doubled(attribute.t))
            if node.op_type == "Cast" and attribute.name == "to":
                attribute.i = _kind(attribute.i)
            if node.op_type == "Constant" and attribute.name in {"value_float", "value_floats"}:
                values = attribute.f if attribute.name == "value_float" else list(attribute.floats)
                attribute.t.CopyFrom(_doubled(numpy_helper.from_array(_array(values))))
                attribute.name, attribute.type = "value", 4  # a tensor


def _split(graph: Any) -> None:
    """A copy for each use of an array whose elements are all the same.

    Exporters keep equal arrays once: the zeros of all biases. Those are no shared parameters.
    """
    from onnx import numpy_helper

    found = {one.name: one for one in graph.initializer}
    plain = {
        name
        for name, one in found.items()
        if len(set(numpy_helper.to_array(one).ravel().tolist())) == 1
    }
    seen: set[str] = set()
    for node in graph.node:
        for at, name in enumerate(node.input):
            if name in plain and name in seen:
                copy = graph.initializer.add()
                copy.CopyFrom(found[name])
                copy.name = node.input[at] = f"{name}/{len(graph.initializer)}"
            seen.add(name)


def _array(values: Any) -> Array:
    import numpy as np

    return np.asarray(values, dtype=float)


def _doubled(tensor: Any) -> Any:
    from onnx import numpy_helper

    array = numpy_helper.to_array(tensor)
    real = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    return numpy_helper.from_array(array.astype(float), tensor.name) if real else tensor


def _kind(kind: int) -> int:
    from onnx import TensorProto

    reals = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
    return int(TensorProto.DOUBLE if kind in reals else kind)


# --- What goes in ---


def input_of(loaded: Loaded, given: Input | None, path: str) -> Input:
    """The shape of the input, as the file tells it.

    Raises:
        SpecError: it does not, or it is another.
    """
    if given is not None:
        return given
    from onnx import TensorProto

    kind = loaded.entry.type.tensor_type
    dims = [int(one.dim_value) for one in kind.shape.dim][1:]
    places = next(
        (n.op_type in PLACES for n in loaded.nodes if n.op_type in {*PLACES, *_SEQUENCES}), False
    )
    whole = kind.elem_type in {TensorProto.INT64, TensorProto.INT32}
    kinds = {1: "tokens" if whole else "vector", 2: "signal" if places else "sequence", 3: "image"}
    if not all(dims) or len(dims) not in kinds:
        message = f"the file does not tell the size of the input {shown(loaded.entry.name)}"
        raise SpecError.single(message, path, f"--input {EXAMPLES}")
    if kinds[len(dims)] == "sequence" and _time_first(loaded):
        message = "the input has the steps before the samples"
        raise SpecError.single(message, path, "a model that takes the samples first")
    return Input(kinds[len(dims)], tuple(dims))  # type: ignore[arg-type] # one of its kinds


_SEQUENCES = ("LSTM", "GRU", "RNN", "MatMul", "Gemm", "LayerNormalization")


def _time_first(loaded: Loaded) -> bool:
    """Whether a recurrent layer takes the input as it stands, with the steps first."""
    return any(
        node.op_type in {"LSTM", "GRU", "RNN"}
        and node.input[0] == loaded.entry.name
        and not any(one.name == "layout" and one.i for one in node.attribute)
        for node in loaded.nodes
    )


# --- What its values are ---


def evaluator(loaded: Loaded) -> Any:
    """The library's own reference implementation of the model."""
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(loaded.model)


def values(loaded: Loaded, given: Input, path: str) -> Mapping[str, Array]:
    """Each name's value at random numbers.

    Raises:
        SpecError: the model does not take such an input, or something in it cannot be computed.
    """
    import numpy as np

    sizes = tuple(size for size in given.sizes if isinstance(size, int))
    shape = (loaded.batch or SAMPLES, *sizes)
    tokens = given.kind == "tokens"
    x = np.zeros(shape, int) if tokens else np.random.default_rng(0).normal(size=shape)
    try:
        with np.errstate(all="ignore"):
            found = evaluator(loaded).run(None, {loaded.entry.name: x}, intermediate=True)
    except Exception as error:
        message = f"cannot be computed for the input {given.text}: {told(error)}"
        raise SpecError.single(message, path, "another --input, if it is the wrong one") from error
    return {**loaded.parameters, **dict(found)}
