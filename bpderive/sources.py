"""A user's file as text: read once, of bounded size, every failure told.

In: a path, or `-` for standard input.  Out: its text, and what messages call it.  Must not know:
what is in it.
"""

from bpderive.errors import SpecError


def read(path: str, what: str, most: int, *, piped: bool = False) -> tuple[str, str]:
    """The text of a file in UTF-8, and its name; `-` is standard input where that is `piped`.

    Raises:
        SpecError: it cannot be read, is not UTF-8, or has more than `most` bytes for `what`.
    """
    standard = piped and path == "-"
    where = "standard input" if standard else path
    try:
        with open(0 if standard else path, "rb", closefd=not standard) as file:
            data = file.read(most + 1)
        document = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError.single(f"not UTF-8 at byte {error.start + 1}", where) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SpecError.single(f"cannot be read: {reason}", where) from error
    if len(data) > most:
        raise SpecError.single(f"too long for {what}", where, f"at most {most} bytes")
    return document, where
