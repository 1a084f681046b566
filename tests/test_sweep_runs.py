"""Sweeps: the same file whoever measures, however often it is interrupted; what is refused."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bpderive import sweep
from bpderive.errors import OutputError, SpecError, UnsupportedError
from bpderive.sweep import cluster, sweeping
from bpderive.sweep.files import COLUMNS, HEADER

GRID = sweep.Grid(
    "2,3,3,1",
    depths=(1, 3),
    widths=(2, 50),
    activations=("relu",),
    schemes=("he", "scaled(1.5,0.1)"),
    networks=5,
    inputs=3,
    seed=7,
)
SMALL = replace(GRID, depths=(1,), widths=(2,), schemes=("he",))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of the grid by one process."""
    path = tmp_path_factory.mktemp("whole") / "a.csv"
    sweep.run(GRID, path, workers=1)
    return path.read_bytes()


# --- The same numbers ---


def test_the_file(whole):
    first, *rest = whole.decode().splitlines()
    assert first == ",".join(COLUMNS)
    assert len(rest) == 2 * 2 * 5 * (2 + 4)
    assert len({line.split(",")[0] for line in rest}) == 1


@pytest.mark.parametrize("seconds", [1e-9, 0.01, 10.0])
def test_two_workers_and_any_tasks_give_the_same_file(whole, tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(sweeping, "TASK", seconds)
    sweep.run(GRID, tmp_path / "b.csv", workers=2)
    assert (tmp_path / "b.csv").read_bytes() == whole


def test_dask_gives_the_same_file(whole, tmp_path):
    pytest.importorskip("distributed")
    sweep.run(GRID, tmp_path / "c.csv", engine="dask", workers=2)
    assert (tmp_path / "c.csv").read_bytes() == whole


def test_progress_is_told(tmp_path):
    told = []
    sweep.run(SMALL, tmp_path / "d.csv", workers=1, tell=lambda *done: told.append(done))
    assert told == [(n, 5) for n in range(6)]
    told.clear()
    sweep.run(SMALL, tmp_path / "d.csv", workers=1, tell=lambda *done: told.append(done))
    assert told == [(5, 5)]


def test_a_summary_has_each_cell_with_its_measurement():
    found = sweep.run(SMALL)
    (one,) = found.summary()
    assert one.cell == sweep.Cell(1, 2, "relu", "he")
    assert [s.parameter for s in one.measurement.spreads] == ["W1", "W2"]
    assert (one.measurement.networks, one.measurement.inputs, one.measurement.seed) == (5, 3, 7)
    means = [row.numbers.mean for _, _, row in found.rows if row.parameter == "W2"]
    assert one.measurement.spreads[1].mean == pytest.approx(sum(means) / 5)


def test_a_larger_grid_takes_over_what_is_there(whole, tmp_path):
    path = tmp_path / "e.csv"
    sweep.run(SMALL, path, workers=1)
    told = []
    sweep.run(GRID, path, workers=1, tell=lambda *done: told.append(done))
    assert told[0] == (5, 40)
    assert path.read_bytes() == whole


def test_parquet_holds_the_same(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    found = sweep.run(SMALL, tmp_path / "a.parquet", workers=1)
    table = parquet.read_table(tmp_path / "a.parquet")
    assert tuple(table.column_names) == COLUMNS
    assert table["mean"].to_pylist() == [row.numbers.mean for *_, row in found.rows]
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]
    assert sweep.run(SMALL, tmp_path / "a.parquet").networks == found.networks
    larger = sweep.run(replace(SMALL, networks=7), tmp_path / "a.parquet", workers=1)
    assert len(parquet.read_table(tmp_path / "a.parquet")) == len(larger.rows) == 14


def test_parquet_refuses_what_is_not_its_own(tmp_path):
    pytest.importorskip("pyarrow")
    path = tmp_path / "a.parquet"
    path.write_bytes(b"something else")
    with pytest.raises(OutputError, match="no results of bpderive flow: kept"):
        sweep.run(SMALL, path)
    assert path.read_bytes() == b"something else"
    path.unlink()
    sweep.run(SMALL, path, workers=1)
    with pytest.raises(OutputError, match="another sweep"):
        sweep.run(replace(SMALL, seed=8), path)


# --- What is in the file already ---


@pytest.mark.parametrize("cut", [1, 50, 300, 2000, 2500, 4000])
def test_a_torn_file_is_gone_on_with(whole, tmp_path, cut):
    path = tmp_path / "torn.csv"
    path.write_bytes(whole[:-cut])
    told = []
    sweep.run(GRID, path, workers=1, tell=lambda *done: told.append(done))
    assert path.read_bytes() == whole
    assert 0 < told[0][0] < 40


@pytest.mark.parametrize("text", ["", HEADER[:20], HEADER])
def test_a_file_without_results_is_begun(tmp_path, text):
    (tmp_path / "f.csv").write_text(text)
    sweep.run(SMALL, tmp_path / "f.csv", workers=1)
    assert len((tmp_path / "f.csv").read_text().splitlines()) == 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("my notes\n", "no results of bpderive flow: kept"),
        ("\xff\xfe", "no results of bpderive flow: kept"),
        (f"{HEADER}a,b\n", "line 2: damaged: kept"),
        (f"{HEADER}{'0,' * 18}0\n", "another sweep"),
    ],
)
def test_a_foreign_file_is_kept(tmp_path, text, message):
    path = tmp_path / "g.csv"
    path.write_text(text, "latin-1")
    with pytest.raises(OutputError, match=message):
        sweep.run(SMALL, path)
    assert path.read_text("latin-1") == text


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"inputs": 4}, {"layers": "3,3,3,1"}, {"layers": "2,3,1"}]
)
def test_another_sweep_is_kept(tmp_path, change):
    path = tmp_path / "h.csv"
    sweep.run(SMALL, path, workers=1)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="holds the results of another sweep: kept as it is"):
        sweep.run(replace(SMALL, **change), path)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match="No such file or directory"):
        sweep.run(SMALL, tmp_path / "none" / "a.csv")


def test_a_suffix_that_there_is_not():
    with pytest.raises(SpecError, match=r"ends in .csv or .parquet"):
        sweep.run(SMALL, "a.json")


# --- Interruption ---

SCRIPT = """
import sys
from dataclasses import replace
sys.path.insert(0, {folder!r})
from test_sweep_runs import GRID, LONG
from bpderive import sweep
if __name__ == "__main__":
    try:
        tell = lambda *done: print(*done, flush=True)
        sweep.run(LONG, "r.csv", engine={engine!r}, workers=2, tell=tell)
    except sweep.Interrupted as error:
        print(error, file=sys.stderr)
        raise SystemExit(130)
"""
LONG = replace(GRID, depths=(2, 6), networks=600)


def interrupted(folder, engine, after):
    """Start a sweep, press Ctrl-C when so many networks are done; what it says."""
    code = SCRIPT.format(folder=str(Path(__file__).parent), engine=engine)
    (folder / "run.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout:
        if int(line.split()[0]) >= after:
            os.killpg(process.pid, signal.SIGINT)
            break
    start = time.monotonic()
    _, said = process.communicate(timeout=60)
    return process.returncode, said, time.monotonic() - start


@pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")
@pytest.mark.parametrize("engine", ["processes", pytest.param("dask", marks=pytest.mark.long)])
def test_an_interrupted_sweep_goes_on_to_the_same_file(tmp_path, engine):
    if engine == "dask":
        pytest.importorskip("distributed")
    code, said, _ = interrupted(tmp_path, engine, 500)
    path = tmp_path / "r.csv"
    assert code == 130
    (line,) = said.splitlines()
    assert line.startswith("interrupted: ")
    assert line.endswith('of 4800 networks are in "r.csv"; the same command goes on from there')
    kept = int(line.split()[1])
    assert 500 <= kept < 4800
    told = []
    sweep.run(LONG, path, workers=2, tell=lambda *done: told.append(done))
    assert told[0][0] in {kept, kept + 1}  # one may be on the disk, and not yet counted
    sweep.run(LONG, tmp_path / "s.csv", workers=2)
    assert path.read_bytes() == (tmp_path / "s.csv").read_bytes()


def test_an_interruption_without_a_file():
    def stop(done, _total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(sweep.Interrupted, match=r"^interrupted$"):
        sweep.run(SMALL, workers=1, tell=stop)


@pytest.mark.long  # Python 3.11's pool may itself wait for ever where a worker dies in a read
@pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")
def test_a_killed_worker_is_told(tmp_path):
    def kill(done, _total):
        own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
        for child in own.read_text().split() if done else ():
            with contextlib.suppress(OSError):
                if "spawn_main" in Path(f"/proc/{child}/cmdline").read_text():
                    os.kill(int(child), signal.SIGKILL)

    with pytest.raises(UnsupportedError, match="a worker process ended by itself"):
        sweep.run(LONG, tmp_path / "a.csv", workers=2, tell=kill)
    assert len((tmp_path / "a.csv").read_text().splitlines()) > 1


# --- Bad input ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"networks": 0}, '--networks: "0" is no number of networks'),
        ({"inputs": 0}, '--inputs: "0" is no number of inputs'),
        ({"depths": (2, 0)}, '--depths: "0" is none of the depths'),
        ({"widths": (-3,)}, '--widths: "-3" is none of the widths'),
        ({"seed": -1}, '"-1" is no seed'),
        ({"schemes": ("hee",)}, 'unknown initialisation "hee" (did you mean "he"?)'),
        ({"schemes": ()}, "there is no scheme"),
        ({"activations": ("tan",)}, 'unknown activation "tan" (did you mean "tanh"?)'),
        ({"networks": 10**6, "depths": (100,)}, "the sweep has"),
        ({"widths": (20_000,), "depths": (3,)}, "weights. Accepted: at most 50000000"),
        ({"layers": "6, layernorm, 5, 1"}, "depths are for lists of plain widths alone"),
        ({"layers": "2,3,4,1", "widths": ()}, "have no common width"),
    ],
)
def test_wrong_grids_are_told(change, message):
    with pytest.raises(SpecError) as caught:
        sweep.run(replace(GRID, **change))
    assert message in str(caught.value)


def test_all_problems_are_told_at_once():
    with pytest.raises(SpecError) as caught:
        sweep.run(replace(GRID, networks=0, depths=(0,), schemes=("hee",), activations=("tan",)))
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "dusk"}, 'unknown engine "dusk" (did you mean "dask"?)'),
        ({"workers": 0}, '--workers: "0" is no number of workers'),
        ({"scheduler": "a:1"}, "a scheduler is for the engine dask"),
    ],
)
def test_wrong_options_are_told(options, message):
    with pytest.raises(SpecError) as caught:
        sweep.run(SMALL, **options)
    assert message in str(caught.value)


def test_layers_as_they_are_need_no_depths():
    grid = sweep.Grid("4, layernorm, 3:tanh, residual(3:tanh, 3), 1", networks=2)
    (one,) = sweep.run(grid).summary()
    assert one.cell == sweep.Cell(0, 0, "", "xavier")
    assert len(one.measurement.spreads) == 4


def test_remedies_are_cells_of_their_own():
    """What cannot be applied is left out; what draws otherwise, or in batches, says so."""
    remedies = ("tanh_xavier", "batchnorm", "fixup", "shallower", "orthogonal")
    grid = replace(SMALL, depths=(1, 2), remedies=remedies, networks=2)
    found = {
        (one.cell.depth, one.cell.remedy): one.measurement for one in sweep.run(grid).summary()
    }
    assert {depth: [r for d, r in found if d == depth] for depth in (1, 2)} == {
        1: ["", "tanh_xavier", "batchnorm", "orthogonal"],
        2: ["", *remedies],
    }
    assert [(one.scheme, one.batch) for (depth, _), one in found.items() if depth == 2] == [
        ("he", 1),
        ("xavier", 1),
        ("he", 32),
        ("fixup", 1),
        ("he", 1),
        ("orthogonal", 1),
    ]
    assert [len(one.spreads) for (depth, _), one in found.items() if depth == 2][-2:] == [2, 3]


def test_an_unknown_remedy_is_told():
    with pytest.raises(SpecError, match=r'unknown remedy "layernor" \(did you mean "layernorm"'):
        sweep.run(replace(SMALL, remedies=("layernor",)))


def test_a_silent_scheduler_is_told(monkeypatch, tmp_path):
    """It takes connections and says nothing."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(UnsupportedError, match=f'no scheduler answers at "{address}"'):
            sweep.run(SMALL, tmp_path / "a.csv", engine="dask", scheduler=address)
    assert time.monotonic() - start < 20


def test_a_scheduler_that_is_not_there_is_told(monkeypatch, tmp_path):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    with pytest.raises(UnsupportedError, match=r'no scheduler answers at "127\.0\.0\.1:1"'):
        sweep.run(SMALL, tmp_path / "a.csv", engine="dask", scheduler="127.0.0.1:1")


def test_a_scheduler_without_workers_and_one_of_other_versions(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    options = {"processes": False, "threads_per_worker": 2, "dashboard_address": None}
    with distributed.LocalCluster(n_workers=0, silence_logs=50, **options) as found:
        address = found.scheduler_address
        with pytest.raises(UnsupportedError, match=f'the scheduler at "{address}" has no workers'):
            sweep.run(SMALL, engine="dask", scheduler=address)
        found.scale(1)
        expected = sweep.run(SMALL, engine="dask", scheduler=address).networks
        assert expected == sweep.run(SMALL, workers=1).networks
        told = iter([{"bpderive": "2", "numpy": "3"}] + [{"bpderive": "1", "numpy": "3"}] * 5)
        monkeypatch.setattr(cluster, "versions", lambda: next(told))
        with pytest.raises(UnsupportedError, match="has bpderive 1 with numpy 3, and here is bp"):
            sweep.run(SMALL, engine="dask", scheduler=address)
