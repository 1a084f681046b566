"""What was read as text: a line for `--layers`, a TOML document; and an archive of weights.

In: an `Imported`. Out: texts, and its weights as bytes. Must not know: any library of models.
"""

import json
import shlex
from collections.abc import Iterator

from bpderive.grammar.model import Item, Multiple
from bpderive.grammar.values import NAME
from bpderive.importers.model import Imported
from bpderive.spec import Spec


def line(read: Imported) -> str:
    """`--layers … --bias --loss …`, as a shell takes it; empty where a formula needs TOML."""
    if any(not _short(item) for item in read.items):
        return ""
    layers = ",".join([read.input.text, *(item.text for item in read.items)])
    words = ["--layers", layers] + ["--bias"] * read.bias
    words += ["--loss", read.loss] if read.loss != Spec.loss else []
    return shlex.join(words)


def toml(read: Imported) -> str:
    """A document for `--spec`."""
    rows = "".join(f"    {_toml(one)},\n" for one in listed(read))
    options = [f"bias = {'true' if read.bias else 'false'}\n"]
    options += [f"loss = {json.dumps(read.loss)}\n"] if read.loss != Spec.loss else []
    return f"layers = [\n{rows}]\n{''.join(options)}"


def npz(read: Imported) -> bytes:
    """The weights as NumPy's archive."""
    from io import BytesIO

    import numpy as np

    file = BytesIO()
    np.savez(file, **dict(read.weights))
    return file.getvalue()


def listed(read: Imported) -> list[object]:
    """The items as a list holds them: texts, or tables where an activation is a formula."""
    return [read.input.text, *(_one(item) for item in read.items)]


def _one(item: Item) -> object:
    return item.text if _short(item) else dict(_table(item))


def _short(item: Item) -> bool:
    """Whether it can be written as a text: no formula stands in it."""
    own = item.activation is None or bool(NAME.fullmatch(item.activation))
    return own and all(map(_short, item.inner))


def _table(item: Item) -> Iterator[tuple[str, object]]:
    if item.name == "activation":
        yield "layer", "activation"
    elif item.name == "dense":
        yield "width", item.get("width")
    else:
        yield "layer", item.name
    for name, value in item.args:
        if (item.name, name) != ("dense", "width"):
            yield name, _value(value)
    if item.inner:
        yield "items", [_one(one) for one in item.inner]
    for name in ("activation", "bias", "tie"):
        if (value := getattr(item, name)) is not None:
            yield name, value
    if item.repeat > 1:
        yield "repeat", item.repeat


def _value(value: object) -> object:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, Multiple) else float(str(float(value)))  # type: ignore[arg-type] # a fraction


def _toml(value: object) -> str:
    """A value as TOML has it; its texts are those of JSON."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {_toml(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
