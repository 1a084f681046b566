"""What the README and the pages show is what happens: blocks run, their output is compared."""

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    path.read_text("utf-8")
    for path in (
        ROOT / "README.md",
        *(ROOT / "docs" / page for page in ("code.md", "flow.md", "notes.md", "templates.md")),
        *sorted((ROOT / "docs" / "pipelines").glob("*.md")),
    )
]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", "\n".join(PAGES), flags=re.M | re.S)
CONSOLE = [text for kind, text in BLOCKS if kind == "console"]
PYTHON = [text for kind, text in BLOCKS if kind == "pycon"]


def commands(block):
    """Each command of a console block with the output that is shown under it."""
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


@pytest.mark.parametrize("block", CONSOLE, ids=range(len(CONSOLE)))
def test_console_blocks_print_what_is_shown(block, tmp_path):
    for command, shown in commands(block):
        program, *arguments = shlex.split(command)
        start = {"bpderive": ["-m", "bpderive"], "python": []}[program]
        done = subprocess.run(
            [sys.executable, *start, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert _same(done.stdout, shown), f"{command}\n{done.stdout}"


def _same(found, shown):
    """Equal, but that a line `…` stands for any lines, and that rounding differs by machine."""
    found, shown = (re.sub(r"\de-\d\d", "ROUNDING", text) for text in (found, shown))
    pattern = re.escape(shown.rstrip() + "\n").replace("…\\\n", "(?:.*\n)*?")
    return re.fullmatch(pattern, found.rstrip() + "\n") is not None


@pytest.mark.parametrize("block", PYTHON, ids=range(len(PYTHON)))
def test_python_blocks_print_what_is_shown(block):
    test = doctest.DocTestParser().get_doctest(block, {}, "README", "README.md", 0)
    failed, tried = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert tried > 0
    assert failed == 0


def test_there_are_blocks():
    assert CONSOLE
    assert PYTHON
