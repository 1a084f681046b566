"""Writes each file whole or not at all, and never over what somebody else wrote.

In: paths and texts (a text, chunks of one too large for memory, or bytes).  Out: files in UTF-8
that end with a stamp: a comment with the hash of all that stands before it; where a comment may not
end the file, the stamp stands before a mark near its end, and hashes all else.  A file is replaced
only where its stamp is right, so that bpderive wrote it and nobody edited it since.  All files of
one call are checked, then written beside their places as drafts, then renamed.  Where a process is
killed, each file is the old one or the new one, and the next call removes the drafts that are left.
Must not know what is in the texts.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bpderive.errors import OutputError, quoted

Text = str | bytes | Iterable[str]

_BLOCK = 1 << 16
_DIGITS = 16  # of the hash, in a stamp
_DRAFT = re.compile(r"\.bpderive-[0-9]+-[0-9a-f]+")
_TAG = ("<!-- ", " -->")
COMMENTS = {
    ".tex": ("% ", ""),
    ".md": _TAG,
    ".html": _TAG,
    ".svg": _TAG,
    ".typ": ("// ", ""),
    ".j2": ("<# ", " #>"),
    ".c": ("/* ", " */"),
    ".h": ("/* ", " */"),
    ".json": (' "stamp": "', '"}'),
    ".ipynb": ('"bpderive": "', '",'),
    ".pdf": ("% ", ""),
}
"""What opens and closes a comment, by the file's suffix; any other suffix takes `# `.

JSON has none: its stamp is the last key of the object, whose text is given without its end.
"""
INSIDE = {".ipynb": b'"language_info"', ".pdf": b"startxref"}
"""Before the last of which mark the stamp stands, in files that a comment may not end."""


@dataclass(frozen=True)
class _Job:
    """One file: the name it was asked for by, the file behind it, and what to write."""

    name: str
    target: Path
    text: Text
    comment: tuple[str, str]
    mode: int | None  # of the file to be replaced


def write(path: Path | str, text: Text, *, force: bool = False) -> bool:
    """Write one file; see `write_all`."""
    return write_all(((path, text),), force=force)[0]


def write_all(files: Sequence[tuple[Path | str, Text]], *, force: bool = False) -> tuple[bool, ...]:
    """Write files with their stamps, none before all are on the disk; folders are made as needed.

    Args:
        files: paths and their texts; a text may be an iterable of chunks, which is read once.
        force: replace files that bpderive did not write, or that were edited since.

    Returns:
        For each file whether it was written; False where it already said the same.

    Raises:
        OutputError: if a file must be kept, or cannot be written; then all is as before. Only where
            the system refuses a rename, or kills the process between two, are some files new.
    """
    jobs = tuple(_job(path, text) for path, text in files)
    _refuse_twins(jobs)
    if not force:
        _refuse_edited(jobs)
    with ExitStack() as undo:
        drafts = tuple(_draft(job, undo) for job in jobs)
        changed = tuple(map(_differs, jobs, drafts))
        for job, draft, differs in zip(jobs, drafts, changed, strict=True):
            if differs:
                with _told(job.name):
                    draft.replace(job.target)
        return changed


def _job(path: Path | str, text: Text) -> _Job:
    name = quoted(path, 200)
    with _told(name):
        try:
            info = Path(path).stat()  # of what a link leads to
        except FileNotFoundError:
            info = None
        except ValueError as error:  # a null byte
            raise OutputError(f"{name}: cannot be written: no file name") from error
        target = Path(os.path.realpath(path))
    if info and not stat.S_ISREG(info.st_mode):
        kind = "a folder" if stat.S_ISDIR(info.st_mode) else "not a regular file"
        raise OutputError(f"{name}: cannot be written: it is {kind}")
    mode = stat.S_IMODE(info.st_mode) if info else None
    return _Job(name, target, text, COMMENTS.get(target.suffix, ("# ", "")), mode)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell a failure of the file system in one line, with the name of the file."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{name}: cannot be written: {reason}") from error
    except UnicodeEncodeError as error:
        raise OutputError(f"{name}: cannot be written: it is not Unicode text") from error


def _refuse_twins(jobs: Sequence[_Job]) -> None:
    seen: set[Path] = set()
    for job in jobs:
        if job.target in seen:
            raise OutputError(f"{job.name}: two texts for one file")
        seen.add(job.target)


def _refuse_edited(jobs: Sequence[_Job]) -> None:
    edited = [job.name for job in jobs if job.mode is not None and not _is_ours(job)]
    if edited:
        message = "edited since bpderive wrote it, or not written by bpderive: kept"
        remedy = "nothing was written; --force replaces"
        raise OutputError("\n".join(f"{name}: {message} ({remedy})" for name in edited))


def _is_ours(job: _Job) -> bool:
    """Whether the file ends with the right stamp for all that stands before it."""
    from hashlib import sha256

    if job.target.suffix in INSIDE:
        return _holds_stamp(job)
    digest = sha256()
    with _told(job.name), job.target.open("rb") as file:
        left = os.fstat(file.fileno()).st_size - len(_stamp("", job.comment)) - _DIGITS
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
        return left == 0 and file.read() == _stamp(digest.hexdigest(), job.comment)


def _holds_stamp(job: _Job) -> bool:
    """Whether the right stamp stands before the mark of such files."""
    with _told(job.name):
        data = job.target.read_bytes()
    at = _mark(data, job)
    start = at - len(_stamp("", job.comment)) - _DIGITS
    return start >= 0 and data == _with_stamp(data[:start], data[at:], job)


def _mark(data: bytes, job: _Job) -> int:
    at = data.rfind(INSIDE[job.target.suffix])
    return at if at >= 0 else len(data)


def _with_stamp(head: bytes, tail: bytes, job: _Job) -> bytes:
    from hashlib import sha256

    return head + _stamp(sha256(head + tail).hexdigest(), job.comment) + tail


def _stamp(digest: str, comment: tuple[str, str]) -> bytes:
    return f"{comment[0]}bpderive:{digest[:_DIGITS]}{comment[1]}\n".encode()


def _stamped(job: _Job) -> Iterator[bytes]:
    """The text in bytes, closed with a newline, and its stamp."""
    from hashlib import sha256

    text = job.text
    chunks: Iterable[str | bytes] = (text,) if isinstance(text, str | bytes) else text
    if job.target.suffix in INSIDE:
        data = b"".join(map(_encoded, chunks))
        at = _mark(data, job)
        yield _with_stamp(data[:at], data[at:], job)
        return
    digest, last = sha256(), b"\n"
    for chunk in chunks:
        data = _encoded(chunk)
        digest.update(data)
        last = data[-1:] or last
        yield data
    if last != b"\n":
        digest.update(b"\n")
        yield b"\n"
    yield _stamp(digest.hexdigest(), job.comment)


def _encoded(chunk: str | bytes) -> bytes:
    return chunk if isinstance(chunk, bytes) else chunk.encode()


def _draft(job: _Job, undo: ExitStack) -> Path:
    """The text, stamped and on the disk, in a file beside its place."""
    draft = job.target.parent / f".bpderive-{os.getpid()}-{id(job):x}"
    with _told(job.name):
        _make(job.target.parent, undo)
        _sweep(job.target.parent)
        draft.unlink(missing_ok=True)  # left by a process of this number, where nothing is held
        with os.fdopen(_create(draft), "wb", buffering=_BLOCK) as file:
            undo.callback(draft.unlink, missing_ok=True)
            if os.name == "posix":
                undo.callback(os.close, os.dup(file.fileno()))  # held until it is renamed
            file.writelines(_stamped(job))
            file.flush()
            os.fsync(file.fileno())
        if job.mode is not None:
            draft.chmod(job.mode)
    return draft


def _create(draft: Path) -> int:
    """A new file, open and held; again where another's `_sweep` was faster."""
    while True:
        number = os.open(draft, _flags("O_WRONLY", "O_CREAT", "O_EXCL", "O_BINARY"), 0o666)
        if not _hold(number, wait=True) or os.fstat(number).st_nlink:
            return number
        os.close(number)


def _hold(number: int, *, wait: bool = False) -> bool:
    """Whether this process now holds the open file; the death of a process ends its hold."""
    try:
        import fcntl

        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except (ImportError, OSError):  # another holds it, or there are no locks here
        return False
    return True


def _sweep(folder: Path) -> None:
    """Remove the drafts that nobody holds: their processes were killed."""
    with suppress(OSError):
        for draft in [path for path in folder.iterdir() if _DRAFT.fullmatch(path.name)]:
            number = os.open(draft, _flags("O_RDONLY", "O_NONBLOCK", "O_NOFOLLOW"))
            with os.fdopen(number, "rb") as file:
                if stat.S_ISREG(os.fstat(number).st_mode) and _hold(file.fileno()):
                    draft.unlink()


def _flags(*names: str) -> int:
    """What `os.open` takes, without what the system lacks."""
    return sum(getattr(os, name, 0) for name in names)


def _make(folder: Path, undo: ExitStack) -> None:
    """Make the folder; what is made goes again if it stays empty."""
    missing = [level for level in (folder, *folder.parents) if not level.exists()]
    for level in reversed(missing):
        level.mkdir(exist_ok=True)
        undo.callback(_drop, level)


def _drop(folder: Path) -> None:
    with suppress(OSError):  # it holds what was written
        folder.rmdir()


def _differs(job: _Job, draft: Path) -> bool:
    if job.mode is None:
        return True
    with _told(job.name), job.target.open("rb") as old, draft.open("rb") as new:
        while (block := new.read(_BLOCK)) == old.read(_BLOCK):
            if not block:
                return False
    return True
