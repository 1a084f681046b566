"""Read somebody's model: the functions that a command calls.

In: a path, the shape of the input and the loss as texts. Out: an `Imported`. Must not know: the
command line.
"""

from bpderive.catalog import CATALOG
from bpderive.checks import Findings, place
from bpderive.errors import SpecError
from bpderive.grammar import inputs, text
from bpderive.grammar.inputs import EXAMPLES
from bpderive.grammar.model import Input
from bpderive.importers.model import Imported


def from_torch(reference: str, given: str | None = None, loss: str | None = None) -> Imported:
    """The PyTorch model of `FILE.py:NAME`, whose file is run.

    Args:
        reference: the file, and the name of an `nn.Module`, or of a class or function without
            arguments that gives one.
        given: the shape of its input, as in `--layers`: `1x28x28`, `seq(5)x3`.
        loss: of the catalogue.

    Raises:
        SpecError: with everything that cannot be read.
        UnsupportedError: torch is not installed.
    """
    from bpderive.importers.torch_graph import read_file

    return read_file(reference, _input(given), _loss(loss))


def from_onnx(path: str, given: str | None = None, loss: str | None = None) -> Imported:
    """The model of an ONNX file.

    Args:
        path: the file.
        given: the shape of its input, where the file does not tell it.
        loss: of the catalogue.

    Raises:
        SpecError: with everything that cannot be read.
        UnsupportedError: onnx is not installed.
    """
    from bpderive.importers.onnx_graph import read_file

    return read_file(path, _input(given), _loss(loss))


def _input(given: str | None) -> Input | None:
    """The shape of an input.

    Raises:
        SpecError: it is none.
    """
    if given is None:
        return None
    found = Findings()
    raws = text.read(given, found, ())
    if len(raws) > 1:
        raise SpecError.single(f"{len(raws)} shapes", "--input", EXAMPLES)
    read = inputs.read(raws[0], found) if raws else None
    found.check(lambda path: ", ".join(filter(None, ("--input", place(path[1:])))))
    if read is None or not all(isinstance(size, int) for size in read.sizes):
        raise SpecError.single(f"{given} has sizes without numbers", "--input", EXAMPLES)
    return read


def _loss(name: str | None) -> str:
    """The name or formula of a loss, empty where none is given.

    Raises:
        SpecError: there is none of that name.
    """
    if name is not None:
        CATALOG.loss(name)
    return name or ""
