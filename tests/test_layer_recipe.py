"""docs/layers.md, followed to the letter: what it says to add is added, and works."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "layers.md").read_text("utf-8")
CREATE = re.compile(r"Create `([^`]+)`:\n\n {3}```\w+\n(.*?)\n {3}```", re.DOTALL)
INSERT = re.compile(
    r"In `([^`]+)`, after the line\s+`([^`]+)`:\n\n {3}```\w+\n(.*?)\n {3}```", re.DOTALL
)
COMMANDS = re.search(r"```console\n(.*?)```", GUIDE, re.DOTALL).group(1).splitlines()


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A copy of the project with the steps of the guide done."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("bpderive", "templates"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignored)
    for name, text in CREATE.findall(GUIDE):
        (copy / name).write_text(_outdented(text) + "\n", "utf-8")
    for name, line, text in INSERT.findall(GUIDE):
        path = copy / name
        before = path.read_text("utf-8")
        assert before.count(f"\n{line}\n") == 1, f"{line} in {name}"
        path.write_text(before.replace(f"\n{line}\n", f"\n{line}\n{_outdented(text)}\n"), "utf-8")
    return copy


def _outdented(text):
    """A block of the list, without the list's own indent of three."""
    return "\n".join(line[3:] for line in text.splitlines())


def run(folder, command):
    words = [sys.executable, "-m", *re.findall(r'"[^"]*"|\S+', command)]
    words = [word.strip('"') for word in words]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_guide_has_all_steps():
    assert len(CREATE.findall(GUIDE)) == 1
    assert len(INSERT.findall(GUIDE)) == 4
    assert len(COMMANDS) == 3


def test_before_the_steps_there_is_no_such_layer():
    told = run(ROOT, COMMANDS[0])
    assert told.returncode == 2
    assert "glu" in told.stderr


@pytest.mark.parametrize("command", COMMANDS[:2])
def test_the_added_layer_is_proved_and_explained(followed, command):
    told = run(followed, command)
    assert told.returncode == 0, told.stderr
    assert told.stdout


def test_the_notes_call_it_by_its_name(followed):
    command = COMMANDS[2].replace("glu.pdf", "glu.md")
    told = run(followed, command)
    assert told.returncode == 0, told.stderr
    assert "門控線性單元" in (followed / "glu.md").read_text("utf-8")


def test_the_example_in_the_guide_is_the_one_in_the_examples():
    text = (ROOT / "examples" / "squeeze.eq").read_text("utf-8")
    assert dedent(text) in GUIDE
