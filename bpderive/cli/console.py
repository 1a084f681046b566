"""The terminal: what is said on stderr, progress, and the exit code of whatever happens.

In: a function to run.  Out: an exit code, with one clear message where it failed.  There are no
colours, so that `NO_COLOR` holds.  Must not know what the function does.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import click

from bpderive.errors import BpderiveError, DerivationError

DEBUG = "BPDERIVE_DEBUG"
INTERRUPTED = 130
NARROWEST, WIDEST = 40, 100


def guarded(run: Callable[[], object]) -> int:
    """Run; whatever comes out of it, return the exit code (0, 1, 2, or 130 for Ctrl-C)."""
    _accept_all_signs()
    try:
        result = run()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # here, where a full disk or a closed pipe can still be told
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last line of defence
        if os.environ.get(DEBUG):
            import traceback

            traceback.print_exc()
        answer = next(answer for kind, answer in _ANSWERS if isinstance(error, kind))
        return answer(error)
    return result if isinstance(result, int) else 0


def width() -> int:
    """The columns of the terminal, from `NARROWEST` to `WIDEST`."""
    from shutil import get_terminal_size

    return min(max(get_terminal_size().columns, NARROWEST), WIDEST)


def put(text: str | bytes, *, exactly: bool) -> None:
    """Print a text; `exactly` gives a file's own bytes, whatever the terminal's encoding."""
    data = text.encode() if exactly and isinstance(text, str) else text
    click.echo(data, nl=False)


def warn(message: str) -> None:
    """Tell something that is no failure."""
    click.echo(f"Warning: {message}", err=True)


@contextmanager
def no_garbage() -> Iterator[None]:
    """Let the collector rest during a first import of SymPy: it would search often, and in vain."""
    import gc

    if "sympy" in sys.modules:
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def progress(delay: float = 1.0) -> Iterator[Callable[[str], None]]:
    """Give a function that names the work at hand; a terminal shows it from `delay` seconds on."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from threading import Event, Thread

    stages, done = [""], Event()

    def tell() -> None:
        seconds, shown = 0.0, ""
        while not done.wait(delay):
            seconds += delay
            line = f"{stages[-1]} ({seconds:.0f} s)"
            click.echo(f"\r{line:{len(shown)}}", err=True, nl=False)
            shown = line
        if shown:
            click.echo(f"\r{'':{len(shown)}}\r", err=True, nl=False)

    thread = Thread(target=tell, daemon=True)
    thread.start()
    try:
        yield stages.append
    finally:
        done.set()
        thread.join()


def _accept_all_signs() -> None:
    """Let a terminal whose encoding lacks a sign show `?` in its place."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _fail(message: str, code: int = 1) -> int:
    click.echo(f"Error: {message}", err=True)
    return code


def _usage(error: click.ClickException) -> int:
    error.show()
    return error.exit_code


def _interrupted(error: BaseException) -> int:
    cause = error.__cause__ or error  # Click raises its own
    return _fail(str(cause) or "interrupted", INTERRUPTED)


def _told(error: BpderiveError) -> int:
    return _fail(str(error), error.exit_code)


def _too_deep(_: BaseException) -> int:
    return _fail("the formula or the network is nested too deeply")


def _too_large(_: BaseException) -> int:
    return _fail("out of memory: try fewer neurons, or do without --all-weights")


def _system(error: OSError) -> int:
    """A closed pipe (`| head`) is no news; a full disk behind stdout is."""
    closed = isinstance(error, BrokenPipeError)
    with suppress(OSError, ValueError, AttributeError):  # else Python flushes again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    reason = error.strerror or type(error).__name__
    place = f"{error.filename}: " if error.filename else ""
    return 1 if closed else _fail(f"{place}{reason}")


def _bug(error: BaseException) -> int:
    first = str(error).partition("\n")[0]
    kind = "" if isinstance(error, DerivationError) else f"{type(error).__name__}: "
    return _fail(
        f"{kind}{first}\n"
        f"This is a fault of bpderive: please report it. {DEBUG}=1 shows where it happened."
    )


_ANSWERS: tuple[tuple[type[BaseException], Callable[..., int]], ...] = (
    (click.ClickException, _usage),
    (click.Abort, _interrupted),
    (KeyboardInterrupt, _interrupted),
    (DerivationError, _bug),
    (BpderiveError, _told),
    (RecursionError, _too_deep),
    (MemoryError, _too_large),
    (OSError, _system),
    (BaseException, _bug),
)
"""The first row whose type fits answers."""
