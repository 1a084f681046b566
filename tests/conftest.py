"""What holds for all tests: the same examples in every run, and one bpderive in all processes."""

import os
from pathlib import Path

from hypothesis import settings

import bpderive

settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.load_profile("repeatable")

# A process that a test starts elsewhere imports the package that the test itself imports.
_HOME = str(Path(bpderive.__file__).resolve().parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (_HOME, os.environ.get("PYTHONPATH"))))


def pytest_addoption(parser):
    parser.addoption(
        "--update-output",
        action="store_true",
        help="rewrite the gallery in output/ with what the command writes now",
    )
