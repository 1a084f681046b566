"""What holds for all tests: the same examples in every run, one bpderive, the command to call."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

import bpderive
from bpderive.cli import main

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

# A process that a test starts elsewhere imports the package that the test itself imports.
_HOME = str(Path(bpderive.__file__).resolve().parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))


def pytest_addoption(parser):
    parser.addoption("--update-output", action="store_true", help="write the gallery in output/")


def pytest_report_header():
    seed = os.environ.get("BPDERIVE_SHUFFLE")
    return f"shuffled by {seed}" if seed else None


def pytest_collection_modifyitems(items):
    """In the order of a seed, where one is given: no test may lean on another."""
    if seed := os.environ.get("BPDERIVE_SHUFFLE"):
        random.Random(seed).shuffle(items)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """An empty folder to stand in, 80 columns wide; gives the paths of all that is in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def found(folder="."):
        return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*"))

    return found


@pytest.fixture
def run(tree, capfdbinary):  # noqa: ARG001 - it stands in the empty folder
    """The command in this process: its exit code, stdout and stderr."""

    def call(*arguments):
        code = main(list(arguments))
        out, err = capfdbinary.readouterr()
        return code, out.decode(), err.decode()

    return call


@pytest.fixture
def spawn(tree):  # noqa: ARG001 - it stands in the empty folder
    """The command in a process of its own."""

    def call(*arguments, env=(), **options):
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        words = [sys.executable, "-m", "bpderive", *arguments]
        environment = {**os.environ, **dict(env)}
        return subprocess.run(words, env=environment, check=False, timeout=60, **(given | options))

    return call
