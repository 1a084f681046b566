"""A generated Python text as a module, ready to call; no file is written.

In: a text of our own making. Out: a module. Must not know what it computes.
"""

from types import ModuleType

from bpderive.errors import UnsupportedError


def module(source: str, name: str) -> ModuleType:
    """The module of a generated text; its lines show in tracebacks. It is not in `sys.modules`.

    Raises:
        UnsupportedError: a package that the text imports is not installed.
    """
    import linecache
    from zlib import crc32

    filename = f"<bpderive {name} {crc32(source.encode()):08x}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    found = ModuleType("network")
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), vars(found))  # noqa: S102
    except ModuleNotFoundError as error:
        message = f"the generated code needs {error.name}: pip install {error.name}"
        raise UnsupportedError(message) from error
    return found
