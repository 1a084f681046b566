"""What tests of TeX share: a run, and what its log says."""

import re
import shutil
import subprocess

import pytest


def compiled(folder, text, engine, runs=1):
    """The log of a run, which must succeed; the test is skipped where there is no such engine."""
    if not shutil.which(engine):
        pytest.skip(f"{engine} is not installed")
    (folder / "main.tex").write_text(text, "utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    for _ in range(runs):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        log = done.stdout.decode("utf-8", "replace")
        assert done.returncode == 0, log[-2000:]
    return log


def check(log, most=5):
    """Nothing runs over a margin by more than so many points, and no letter is missing."""
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(wide, default=0) <= most
    assert r"Overfull \vbox" not in log
    assert "Missing character" not in log
