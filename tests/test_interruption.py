"""A process that is killed, a disk that is full, a folder that is read-only: old files or new ones.

Each file is whole: exactly what was there before, or exactly what was to be written. The next run
succeeds, and removes what the killed one left.
"""

import contextlib
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and mounts of Linux")

NAMES = ("derivation.md", "derivation.tex", "network.py")
OLD = ("--layers", "2,2,2,1", "--out", "out", "--quiet")
NEW = ("--layers", "2,3,2", "--bias", "--activation", "tanh", "--out", "out", "--quiet")


def contents(folder="out"):
    """The bytes of every file, drafts too, by name."""
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    """The files of the older and of the newer run, as they are when nothing goes wrong."""
    found = []
    for arguments in (OLD, NEW):
        folder = tmp_path_factory.mktemp("version")
        subprocess.run([sys.executable, "-m", "bpderive", *arguments], cwd=folder, check=True)
        found.append(contents(folder / "out"))
    assert tuple(sorted(found[0])) == tuple(sorted(found[1])) == NAMES
    return found


def lay(version, folder="out"):
    shutil.rmtree(folder, ignore_errors=True)
    Path(folder).mkdir()
    for name, data in version.items():
        (Path(folder) / name).write_bytes(data)


def check_whole(found, old, new):
    """Each file is the old one or the new one; what else is there is a draft."""
    for name in NAMES:
        assert found[name] in (old[name], new[name]), f"{name} is torn"
    assert all(name.startswith(".bpderive-") for name in found.keys() - set(NAMES))


# --- Killed after every line of `files.py` ---

STEPS = """
import json, os, signal, sys
from pathlib import Path
from bpderive import files

def pieces(word):
    return (f"{word} {n}\\n" * 3000 for n in range(4))  # more than a buffer holds

def jobs(word, folder):
    return [(folder / "a.tex", word), (folder / "b.md", pieces(word)), (folder / "c.py", word * 9)]

def tracer(deadly, seen=[0]):
    def trace(frame, event, arg):
        if frame.f_code.co_filename != files.__file__:
            return None
        seen[0] += event == "line"
        if seen[0] == deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    return trace

def killed(deadly, folder):
    child = os.fork()
    if child == 0:
        sys.settrace(tracer(deadly))
        files.write_all(jobs("new", folder))
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])

def contents(folder):
    paths = folder.iterdir() if folder.is_dir() else ()
    return {path.name: path.read_bytes().decode() for path in paths}

first, stride, before = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "old"
for deadly in range(first, 10**6, stride):
    folder = Path(str(deadly)) / "deep"
    if before:
        files.write_all(jobs("old", folder))
    old = contents(folder)
    alive = not killed(deadly, folder)
    found = contents(folder)
    files.write_all(jobs("new", folder))
    print(json.dumps([deadly, old, found, contents(folder)]))
    if alive:
        break
"""


def steps(first, stride, before):
    """For every deadly line: what was there, what the killed process left, and the next one."""
    words = [sys.executable, "-c", STEPS, str(first), str(stride), before]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("before", ["old", "nothing"])
@pytest.mark.parametrize(
    ("first", "stride"), [(1, 7), pytest.param(1, 1, marks=pytest.mark.long)], ids=["some", "every"]
)
def test_killed_at_any_line(tree, first, stride, before):  # noqa: ARG001 - it stands there
    rows = steps(first, stride, before)
    names = {"a.tex", "b.md", "c.py"}
    outcomes = set()
    for deadly, old, found, after in rows:
        for name in names:
            assert found.get(name) in (old.get(name), after[name]), f"line {deadly}: {name}"
        assert all(name in names or name.startswith(".bpderive-") for name in found)
        assert set(after) == names, f"line {deadly}: litter"
        outcomes.add(sum(found.get(name) == after[name] for name in names))
    assert len(rows) > 100 // stride
    assert {0, 3} <= outcomes <= {0, 1, 2, 3}
    assert any(set(found) - names for _, _, found, _ in rows), (
        "no draft was left: nothing is tested"
    )


def test_what_a_living_process_writes_is_not_swept(tmp_path):
    """Also another's files of such a name, links, and folders stay."""
    from bpderive.files import write, write_all

    (tmp_path / "mine").write_text("mine")
    (tmp_path / ".bpderive-1-a").symlink_to(tmp_path / "mine")
    (tmp_path / ".bpderive-2-b").mkdir()
    os.mkfifo(tmp_path / ".bpderive-3-c")
    (tmp_path / ".bpderive-notes").write_text("mine")
    (tmp_path / ".bpderive-4-d").write_text("left")

    def slow():
        yield "begun\n"
        write(tmp_path / "other.tex", "other")  # sweeps, while this draft is open
        yield "done\n"

    assert write_all([(tmp_path / "a.tex", slow()), (tmp_path / "b.tex", slow())]) == (True, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".bpderive-1-a",
        ".bpderive-2-b",
        ".bpderive-3-c",
        ".bpderive-notes",
        "a.tex",
        "b.tex",
        "mine",
        "other.tex",
    ]
    assert (tmp_path / "mine").read_text() == "mine"


# --- The command, killed at random moments ---


def kill_while_writing(rng):
    """Kill the command at a moment of its run, or of the time in which it has drafts."""
    process = subprocess.Popen([sys.executable, "-m", "bpderive", *NEW])
    if rng.random() < 0.3:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(rng.uniform(0, 1.5))
    else:
        while process.poll() is None and not any(Path("out").glob(".bpderive-*")):
            pass
        time.sleep(rng.choice([0, rng.uniform(0, 0.003), rng.uniform(0, 0.03)]))
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("times", [4, pytest.param(60, marks=pytest.mark.long)])
def test_the_command_killed_at_random_moments(spawn, versions, times):
    old, new = versions
    rng = random.Random(7)
    for _ in range(times):
        lay(old)
        kill_while_writing(rng)
        check_whole(contents(), old, new)
    done = spawn(*NEW)
    assert (done.returncode, done.stderr) == (0, b"")
    assert contents() == new


# --- No room ---


def limits(new, step):
    """Sizes at which a limit falls into each of the files, and one that is enough."""
    sizes = sorted(len(data) for data in new.values())
    return sorted({*(size - 1 for size in sizes), sizes[-1], *range(0, sizes[-1], step)})


@pytest.mark.parametrize("step", [10**9, pytest.param(3000, marks=pytest.mark.long)])
def test_a_limit_on_the_size_of_files(spawn, versions, step):
    old, new = versions
    for most in limits(new, step):
        lay(old)
        done = spawn(
            *NEW,
            preexec_fn=lambda most=most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        )
        enough = most >= max(len(data) for data in new.values())
        assert done.returncode == (0 if enough else 2), f"{most}: {done.stderr!r}"
        assert enough or b"cannot be written: File too large" in done.stderr
        assert contents() == (new if enough else old)


@contextlib.contextmanager
def mounted(folder, size):
    """A small file system in memory, where one may be mounted; else the test is skipped."""
    Path(folder).mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]
    if not shutil.which("mount") or subprocess.run(options, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("step", [48, pytest.param(4, marks=pytest.mark.long)])
def test_a_full_disk(spawn, versions, step):
    """In pages of 4 kB, so much room beside the older files that it ends in each of the drafts."""
    old, new = versions
    page, told = 4096, b"cannot be written: No space left on device"
    need = sum(-(-len(data) // page) for data in new.values())
    outcomes = set()
    with mounted("out", "2m"):
        for room in sorted({0, 1, *range(step // 2, need, step), need - 1, need + 2}):
            for path in Path("out").iterdir():
                path.unlink()
            for name, data in old.items():
                Path("out", name).write_bytes(data)
            fill("out", room * page)
            done = spawn(*NEW)
            Path("out/filler").unlink()
            outcomes.add(done.returncode)
            assert done.returncode == 0 or (done.returncode == 2 and told in done.stderr)
            assert contents() == (old if done.returncode else new)
    assert outcomes == {0, 2}


def fill(folder, room):
    """Fill a file system but for so much."""
    free = shutil.disk_usage(folder).free
    with Path(folder, "filler").open("wb") as file:
        file.write(bytes(max(free - room, 0)))


def test_a_read_only_file_system(spawn, versions):
    old, _ = versions
    with mounted("out", "1m"):
        for name, data in old.items():
            Path("out", name).write_bytes(data)
        subprocess.run(["mount", "-o", "remount,ro", "out"], check=True)
        done = spawn(*NEW)
        assert done.returncode == 2
        assert b"cannot be written: Read-only file system" in done.stderr
        assert contents() == old


# Root may write anywhere, and steps down first; what is imported late is imported before.
UNPRIVILEGED = """
import os, sys
from bpderive.cli import main
main([*sys.argv[2:], "--out", sys.argv[1], "--quiet"])
os.chdir(os.path.dirname(sys.argv[1]))
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main([*sys.argv[2:], "--out", "out", "--quiet"]))
"""


@pytest.mark.parametrize("mode", [0o555, 0o444, 0o000], ids=oct)
def test_a_folder_without_permission(mode):
    with tempfile.TemporaryDirectory() as place:
        out, warm = Path(place, "out"), Path(place, "warm")
        subprocess.run([sys.executable, "-m", "bpderive", *OLD[:2], "--out", out], check=True)
        old = contents(out)
        Path(place).chmod(0o755)
        out.chmod(mode)
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, warm, *NEW[:5]], capture_output=True, check=False
        )
        out.chmod(0o755)
        assert done.returncode == 2, done.stderr
        assert re.search(b"cannot be written: Permission denied|is not readable", done.stderr)
        assert contents(out) == old


def test_a_file_without_permission_is_replaced_by_the_owner(spawn, versions):
    old, new = versions
    lay(old)
    for name in NAMES:
        Path("out", name).chmod(0o444)
    assert spawn(*NEW).returncode == 0
    assert contents() == new
    modes = [stat & 0o777 for stat in (Path("out", name).stat().st_mode for name in NAMES)]
    assert modes == [0o444] * 3
