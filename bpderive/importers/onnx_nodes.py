"""ONNX's operators, one row each: what they mean as layers of ours.

In: an `Operation`. Out: a `Value`, or `Unread` with the reason. To read another operator, add a row
to `OPERATORS`. Must not know: how the graph was found.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bpderive.importers import saying
from bpderive.importers.graph import LOST, Unread, Value, require
from bpderive.importers.onnx_axes import flattened, gathered, sliced, squeezed, transposed
from bpderive.importers.onnx_elements import LAZY
from bpderive.importers.onnx_operation import Operation, known
from bpderive.importers.onnx_recurrent import recurrent
from bpderive.importers.onnx_sums import (
    batchnorm,
    convolution,
    featurewise,
    gemm,
    matmul,
    overall,
    pool,
    reduced,
)
from bpderive.importers.torch_recurrent import Hidden, State, hidden


def _distributed(name: str) -> Callable[[Operation], Value]:
    def read(of: Operation) -> Value:
        axis = of.settings.get("axis", -1 if of.opset >= 13 else 1)
        return saying.distributed(of.call, axis, name)

    return read


def _dropped(of: Operation) -> Value:
    training = known(of.input(2))
    require(training is None or not training.any(), "dropout in training", "a model for inference")
    if of.call.source.lost:
        return LOST
    of.call.graph.note(f"{of.call.name}: dropout does nothing in inference, and is left out")
    return of.call.source


OPERATORS: Mapping[str, Callable[[Operation], Any]] = MappingProxyType(
    {
        **LAZY,
        "Gemm": gemm,
        "MatMul": matmul,
        "Conv": convolution,
        "MaxPool": pool("maxpool"),
        "AveragePool": pool("avgpool"),
        "GlobalAveragePool": overall("globalpool"),
        "GlobalMaxPool": overall("globalmaxpool"),
        "ReduceMean": reduced("globalpool"),
        "ReduceMax": reduced("globalmaxpool"),
        "BatchNormalization": batchnorm,
        "LayerNormalization": featurewise("layernorm"),
        "RMSNormalization": featurewise("rmsnorm"),
        "Flatten": flattened,
        "Reshape": flattened,
        "Transpose": transposed,
        "Squeeze": squeezed,
        "Gather": gathered,
        "Slice": sliced,
        "RNN": recurrent,
        "LSTM": recurrent,
        "GRU": recurrent,
        "Softmax": _distributed("softmax"),
        "LogSoftmax": _distributed("log_softmax"),
        "Dropout": _dropped,
    }
)
"""By the name of the operator."""


def read(of: Operation) -> Any:
    """What an operator gives; several outputs as a tuple.

    Raises:
        Unread: it cannot be said in layers of ours.
    """
    if of.call.what not in OPERATORS:
        raise Unread("no layer here is this operator")
    for one in of.inputs:
        if isinstance(one, Hidden):
            raise hidden(one)
    states = any(isinstance(one, State) for one in of.inputs)
    if states and of.call.what not in {"Squeeze", "Gather", "Identity"}:
        raise Unread("of the states of a recurrent layer", "its outputs, or its last state")
    return OPERATORS[of.call.what](of)
