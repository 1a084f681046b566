"""What `bpderive templates` does: copies of the templates, to be changed.

In: a folder.  Out: files.  Must not know: what is in them.
"""

from pathlib import Path

from bpderive.cli.outputs import save
from bpderive.locate import templates

COPIED = ("document", "notation", "locale")


def copied(folder: Path, *, force: bool) -> str:
    """Copy the templates of documents, notations and languages; what there is to say of it.

    Raises:
        OutputError: a file there was edited, or cannot be written.
    """
    origin = templates()
    paths = sorted(path for part in COPIED for path in (origin / part).rglob("*") if path.is_file())
    kept = [path for path in paths if "__pycache__" not in path.parts]
    return save(
        [(folder / path.relative_to(origin), path.read_text("utf-8")) for path in kept], force=force
    )
