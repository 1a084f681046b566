"""What `bpderive templates` does: copies of the templates, to be changed.

In: a folder.  Out: files.  Must not know: what is in them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from bpderive.cli.outputs import save
from bpderive.errors import quoted, suggest
from bpderive.locate import templates

COPIED = ("document", "notation", "locale")


def copied(folder: Path, *, force: bool) -> str:
    """Copy the templates of documents, notations and languages; what there is to say of it.

    Raises:
        OutputError: a file there was edited, or cannot be written.
    """
    origin = templates()
    paths = (origin / name for name in _ours())
    copies = [(folder / path.relative_to(origin), path.read_text("utf-8")) for path in paths]
    return save(copies, force=force)


def _ours() -> list[str]:
    """The paths of all that is copied, below the folder of templates."""
    return [name for part in COPIED for name in _files(templates() / part, part)]


def _files(folder: Path, name: str = "") -> list[str]:
    """The files in a folder and below it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    kept = (path.relative_to(folder) for path in found if "__pycache__" not in path.parts)
    return [(Path(name) / path).as_posix() for path in kept]


def unused(folder: Path) -> Iterator[str]:
    """What to say of templates in a folder that replace none of ours, and that none includes."""
    ours, names = _ours(), _files(folder)
    if not set(ours).intersection(names):
        yield f"no template of ours is in {quoted(folder, 200)}: nothing in it is used"
    templated = [name for name in names if name.endswith(".j2")]
    texts = [(folder / name).read_text("utf-8", errors="replace") for name in templated]
    said = {word for text in texts for word in re.findall(r"[\w./-]+\.j2", text)}
    for name in templated:
        if name not in ours and name not in said:
            beside = [one for one in ours if Path(one).parent == Path(name).parent]
            hint = suggest(name, beside or ours)
            yield f"no template of ours is called {quoted(name, 200)}: it is not used{hint}"
