"""What is fuzzed: every reader of a person's words, and the river behind it, in a guarded process.

`python fuzz_target.py` answers cases, one JSON line each: `{"target": "loss", "words": "a*y"}` →
`{"outcome": "refused", "told": "…"}`. The process has traps for what a text must not cause, 500 MB
of memory, and 2 s of its own time for each case: the system kills it amid C code too, and the
traceback goes to stderr. `python fuzz_target.py --atheris FOLDER -runs=N` looks for new paths
through the three parsers, guided by what they cover.
"""

import contextlib
import faulthandler
import io
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path

if sys.argv[1:2] == ["--atheris"]:
    import atheris

    with atheris.instrument_imports(include=["bpderive"]):
        import bpderive.cli

import bpderive
from bpderive.catalog import CATALOG, formula_activation, formula_loss
from bpderive.cli import main
from bpderive.errors import BpderiveError, DerivationError
from bpderive.formula import parse
from bpderive.functions import stable
from bpderive.reference import parse as parse_reference
from bpderive.render import FORMATS
from bpderive.spec import load_toml, parse_spec, read_toml

SECONDS = 2
MEGABYTES = 500
LONGEST = 10_000  # characters of a message


# --- Targets: each takes the words of one case ---


def layers(words):
    """The grammar of `--layers`, with and without the names looked up."""
    for names in (None, CATALOG.names):
        with contextlib.suppress(BpderiveError):
            parse_spec(words, names)
    parse_spec(words, CATALOG.names)


def toml(words):
    load_toml(words, names=CATALOG.names)


def toml_bytes(words):
    """A file of these bytes, which are Latin-1 in the case."""
    Path("fuzz.toml").write_bytes(words.encode("latin-1"))
    ARMED.append(True)
    read_toml("fuzz.toml", CATALOG.names)


def activation(words):
    """A formula in z: its slope, and a network of it derived and written."""
    row = formula_activation(words)
    stable(row.definition)
    if row.elementwise:
        stable(row.slope_expr)
    river(activation=words)


def loss(words):
    """A formula in a and y, likewise."""
    stable(formula_loss(words).definition)
    river(loss=words)


def formula(words):
    """A formula as such: nothing but the parser."""
    parse(words, ("z",))


def river(**options):
    derivation = bpderive.derive(bpderive.network("2,3,2", **options))
    for row in FORMATS.values():
        if not row.binary:
            bpderive.render(derivation, row.name)
    bpderive.generate(derivation)


def reference(words):
    parse_reference(words)
    bpderive.derive(bpderive.network("2,3,2")).gradient(words)


def command(words):
    """The command with these arguments, in its folder: it ends with 0 or 2, and no traceback."""
    out, err = Stream(), Stream()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    assert len(err.text()) <= LONGEST, f"a message of {len(err.text())} characters"
    assert code in (0, 2), f"exit code {code}: {err.text()}"
    assert "Traceback" not in err.text()
    assert code == 0 or "Error: " in err.text()
    return "done" if code == 0 else "refused"


def trap(words):
    """What no other target may do; it shows that the guards guard."""
    TRAPS[words]()


TRAPS = {
    "exec": lambda: eval("1 + 1"),  # noqa: S307 - this is what must be noticed
    "system": lambda: os.system("true"),  # noqa: S605 - the same
    "write": lambda: Path(os.devnull).write_text("", encoding="utf-8"),
    "import": lambda: __import__("this"),
    "raise": lambda: 1 / 0,
    "memory": lambda: bytearray(2 * MEGABYTES << 20),
    "time": lambda: sum(range(10**11)),  # which stays in C
}
TARGETS = {
    f.__name__: f
    for f in (layers, toml, toml_bytes, formula, activation, loss, reference, command, trap)
}
SELF_ARMED = ("toml_bytes",)


class Stream(io.TextIOWrapper):
    """Standard output that remembers."""

    def __init__(self):
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def text(self):
        return self.buffer.getvalue().decode()


# --- Traps ---

ARMED: list[bool] = []
CAUGHT: list[str] = []
FORBIDDEN = ("exec", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system")
FORBIDDEN_MODULES = ("subprocess.", "socket.", "ctypes.", "pty.", "webbrowser.", "shutil.")


def watch(event, args):
    """Note what a text must not cause. Reading a syntax tree (of no file) is not running it."""
    if not ARMED:
        return
    if event in FORBIDDEN or event.startswith(FORBIDDEN_MODULES):
        CAUGHT.append(f"{event} {args!r:.200}")
    elif event == "compile" and args[1] != "<unknown>":
        CAUGHT.append(f"compile {args!r:.200}")
    elif event == "import" and args[0].partition(".")[0] not in ("sympy", "mpmath", "bpderive"):
        CAUGHT.append(f"import {args[0]}")
    elif event == "open" and not inside(args):
        CAUGHT.append(f"open {args!r:.200}")


def inside(args):
    """Whether a file is opened to be read, or lies in the folder that we stand in."""
    path, mode, flags = args
    writes = (mode and not set("wax+").isdisjoint(mode)) or flags & (os.O_WRONLY | os.O_RDWR)
    if not writes or isinstance(path, int):
        return True
    return Path(os.fsdecode(path)).resolve().is_relative_to(Path.cwd())


# --- One case after another ---


def answer(case):
    """The outcome of one case: done, refused, or a fault with what it was."""
    began = time.process_time()
    allowed = int(began) + SECONDS + 2
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    CAUGHT.clear()
    try:
        if case["target"] not in SELF_ARMED:
            ARMED.append(True)
        outcome = TARGETS[case["target"]](case["words"]) or "done"
        told = ""
    except DerivationError as error:
        outcome, told = "fault", f"DerivationError: {error}"
    except BpderiveError as error:
        outcome, told = "refused", str(error)
    except BaseException as error:  # noqa: BLE001 - whatever else comes out is a fault
        outcome, told = "fault", f"{type(error).__name__}: {error}"
    finally:
        ARMED.clear()
    if outcome == "refused":
        outcome, told = checked(told)
    seconds = time.process_time() - began
    if CAUGHT:
        outcome, told = "fault", f"trapped: {CAUGHT}"
    if seconds > SECONDS:
        outcome, told = "fault", f"took {seconds:.1f} s"
    return {"outcome": outcome, "told": told[:2000]}


def checked(told):
    try:
        check_message(told)
    except AssertionError as error:
        return "fault", str(error)
    return "refused", told


def check_message(told):
    assert len(told) <= LONGEST, f"a message of {len(told)} characters"
    strange = [line for line in told.split("\n") if not line.isprintable()]
    assert not strange, f"not printable: {strange[0]!r}"


def warm_up():
    """Import whatever is imported late, so that a trapped import is no false alarm."""
    b"x".decode("utf-8-sig")
    for options in ({}, {"activation": "z*tanh(log(1+exp(z)))/sum(abs(z))"}, {"loss": "(a-y)**4"}):
        river(**options)
    for words in ("--layers 2,2,1 --out warm", "--spec none", "explain --layers 2,1 w1[1,1]"):
        command(words.split())
    for words in ("--help", "list losses", "list activations", "list formats", "completion bash"):
        command(words.split())
    command(["--layers", "2,2,1", "--format", "text", "--out", "-"])
    with contextlib.suppress(BpderiveError):
        layers("8,dropout(0.5),x.eq(K=3),residual(8),sigmod,dense(3,tie=9)")
    layers("8,dropout(0.5),dense(3)*2,dense(3,tie=2)")
    for words in (
        'layers=[{input="seq",steps=3},{layer="last"}]',
        "layers=[2,{width=2,activation='sigmod'}]\nbias=3",
        "x",
        "d=1979-05-27T07:32:00Z",
    ):
        with contextlib.suppress(BpderiveError):
            toml(words)


def limit_memory():
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    most = used + (MEGABYTES << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def serve():
    warm_up()
    faulthandler.register(signal.SIGXCPU, chain=True)
    limit_memory()
    sys.addaudithook(watch)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a case prints is no answer
    for line in sys.stdin:
        out.write(json.dumps(answer(json.loads(line))) + "\n")
        out.flush()


# --- Guided by coverage ---

PARSERS = (layers, toml, formula)


def explore(arguments):
    """Run the parsers on what atheris makes up; anything but a refusal stops it."""
    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def one_input(data):
    text = data[1:].decode("utf-8", "surrogateescape")
    with contextlib.suppress(BpderiveError):
        PARSERS[data[0] % len(PARSERS) if data else 0](text)


if __name__ == "__main__":
    explore(sys.argv[2:]) if sys.argv[1:2] == ["--atheris"] else serve()
