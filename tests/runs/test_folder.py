"""The run folder keeps what it was given, through kills, full disks and half-written lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from neuroscope.base import events
from neuroscope.base.errors import InputError, Interrupted, StorageError
from neuroscope.runs import disk
from neuroscope.runs.folder import RunFolder

SOURCE = str(Path(__file__).parents[2] / "src")
posix_only = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")


def epoch(number: int, loss: float = 0.5) -> events.EpochEnded:
    return events.EpochEnded(
        rung="neuron", fold=0, epoch=number, epochs=9, train_loss=loss, valid_loss=None,
        learning_rate=0.1, seconds=0.0,
    )  # fmt: skip


def python(program: str, *arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        env=os.environ | {"PYTHONPATH": SOURCE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_runs_that_start_in_the_same_second_get_folders_of_their_own(tmp_path) -> None:
    runs = [RunFolder.create(tmp_path / "deep" / "runs", "iris") for _ in range(12)]
    assert len({run.path for run in runs}) == 12
    assert all(run.path.is_dir() and "iris" in run.name for run in runs)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("data/houses.parquet", "data-houses.parquet"),
        ("../../etc", "etc"),
        ("sqlite:///a.db?table=x y", "sqlite-a.db-table-x-y"),
        ("größe", "größe"),
        ("///", "run"),
        ("x" * 500, "x" * 80),
    ],
)
def test_any_name_becomes_one_safe_folder_name(tmp_path, name, folder) -> None:
    run = RunFolder.create(tmp_path, name)
    assert run.path.parent == tmp_path
    assert run.name.split("-", 2)[2] == folder
    assert run.read_json("run.json")["name"] == name


def test_a_run_is_opened_by_name_and_by_path(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    assert RunFolder.open(run.name, tmp_path).path == run.path
    assert RunFolder.open(run.path, tmp_path / "elsewhere").path == run.path


def test_an_unknown_run_is_answered_with_the_nearest_name(tmp_path) -> None:
    with pytest.raises(InputError, match="there are no runs yet"):
        RunFolder.open("iris", tmp_path)
    run = RunFolder.create(tmp_path, "iris")
    for asked in ("iris", run.name[:-1]):
        with pytest.raises(InputError, match=f"did you mean '{run.name}'"):
            RunFolder.open(asked, tmp_path)
    with pytest.raises(InputError, match=f"the newest run is '{run.name}'"):
        RunFolder.open("zzz", tmp_path)


def test_a_folder_that_no_run_wrote_is_not_opened(tmp_path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match="no run 'photos'"):
        RunFolder.open("photos", tmp_path)


def test_events_come_back_as_they_were_and_are_seen_at_once(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    flow = events.GradientFlow(rung="dense", fold=0, epoch=1, norms=(1.0, 0.5))
    for count, event in enumerate([epoch(1), flow, epoch(2)], start=1):
        run.monitor(event)
        assert len(list(RunFolder(run.path).events())) == count
    assert list(run.events()) == [epoch(1), flow, epoch(2)]


def test_numpy_numbers_and_endless_losses_are_taken(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    run.monitor(epoch(np.int64(3), np.float32(0.25)))
    run.monitor(epoch(4, float("inf")))
    assert [event.train_loss for event in run.events()] == [0.25, None]
    assert [event.epoch for event in run.events()] == [3, 4]


def test_half_written_and_foreign_lines_are_passed_over_and_writing_goes_on(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    run.monitor(epoch(1))
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'\xff\n[1]\n{"kind": "EpochEnded"}\n{"kind": "Later"}\n{"kind": "EpochEn')
    assert list(run.events()) == [epoch(1)]
    again = RunFolder(run.path)
    again.monitor(epoch(2))
    again.monitor(epoch(3))
    assert list(run.events()) == [epoch(1), epoch(2), epoch(3)]


def test_records_come_back_with_plain_numbers(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    record = {"a": np.float32(0.5), "b": np.arange(2), "c": (1, float("nan")), "d": tmp_path}
    run.write_json("result.json", record)
    assert run.read_json("result.json") == {
        "a": 0.5, "b": [0, 1], "c": [1, None], "d": str(tmp_path),
    }  # fmt: skip


@pytest.mark.parametrize("content", ["", '{"a": 1', "[1]", "\x00"])
def test_a_damaged_record_is_named(tmp_path, content) -> None:
    run = RunFolder.create(tmp_path, "iris")
    (run.path / "result.json").write_text(content)
    with pytest.raises(InputError, match=r"result\.json: the record is damaged"):
        run.read_json("result.json")
    with pytest.raises(InputError, match="no such record"):
        run.read_json("other.json")


def test_a_checkpoint_gives_state_and_arrays_back_bit_for_bit(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    state = {"step": 7, "best": float("inf"), "generator": {"state": 2**127}, "text": "größe"}
    rows = np.arange(12.0).reshape(3, 4)
    arrays = {
        "transposed": rows.T, "every_other": rows[:, ::2], "scalar": np.float32(3),
        "integers": np.arange(3, dtype=np.int64), "empty": np.zeros((0, 4), np.float32),
        "nan": np.array([np.nan, -0.0]), "mask": np.array([True, False]),
    }  # fmt: skip
    run.checkpoint(state, arrays)
    run.checkpoint({"step": 8}, {}, name="search")
    restored_state, restored = run.restore()
    assert restored_state == state
    assert run.restore("search") == ({"step": 8}, {})
    for name, array in arrays.items():
        assert restored[name].dtype == array.dtype
        assert restored[name].shape == array.shape
        assert restored[name].tobytes() == array.tobytes()


def test_no_checkpoint_and_a_cut_one_are_said_in_one_line(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    with pytest.raises(InputError, match="the run has no checkpoint"):
        run.restore()
    path = run.checkpoint({"step": 1}, {"w": np.ones(100)})
    whole = path.read_bytes()
    for length in (0, 5, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="the checkpoint is damaged"):
            run.restore()


KILLED = """
import sys
from pathlib import Path
import numpy as np
from neuroscope.runs.folder import RunFolder
with RunFolder(Path(sys.argv[1])) as run:
    for step in range(10**6):
        run.checkpoint({"step": step}, {"w": np.full(200_000, step)})
        if step == 2:
            print("ready", flush=True)
"""


@posix_only
def test_kill_9_at_any_moment_leaves_a_whole_checkpoint(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    for delay in (0.0, 0.003, 0.007, 0.011, 0.02):
        worker = python(KILLED, str(run.path))
        assert worker.stdout.readline() == "ready\n"
        assert run.status == "running"
        with pytest.raises(InputError, match="worked on by another process"), run:
            pass
        time.sleep(delay)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        state, arrays = run.restore()
        assert state["step"] >= 2
        assert (arrays["w"] == state["step"]).all()
        assert run.status == "interrupted"
    with run:
        assert disk.drafts(run.path) == []


def test_status_tells_how_a_run_ended(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    assert run.status == "interrupted"
    with run:
        assert run.status == "running"
        assert RunFolder(run.path).status == "running"
    assert run.status == "finished"
    for error, status in [
        (Interrupted("stopped"), "interrupted"),
        (KeyboardInterrupt(), "interrupted"),
        (ValueError("loss is odd"), "failed"),
    ]:
        with pytest.raises(type(error)), run:
            raise error
        assert run.status == status
        assert run.read_json("run.json")["message"] == str(error)


def test_a_run_without_a_lock_is_finished_when_its_events_say_so(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    run.monitor(events.RunFinished(chosen="neuron", why="enough", seconds=1.0))
    assert run.status == "finished"


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from neuroscope.base.errors import StorageError
from neuroscope.runs.folder import RunFolder
run = RunFolder(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    run.checkpoint({"step": 2}, {"w": np.full(50_000, 2)})
except StorageError as error:
    print(error)
"""


@posix_only
def test_a_write_that_hits_the_limit_of_the_system_keeps_the_previous_checkpoint(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    run.checkpoint({"step": 1}, {"w": np.full(50_000, 1)})
    said, trouble = python(FULL, str(run.path)).communicate()
    assert trouble == ""
    assert "larger than this system allows; choose a folder on another disk" in said
    assert said.count("\n") == 1
    state, arrays = run.restore()
    assert (state, set(arrays["w"])) == ({"step": 1}, {1})
    assert disk.drafts(run.path) == []


@pytest.fixture
def small_disk(tmp_path):
    """Mount a real file system of 1 MB, or skip where that is not allowed."""
    mount_point = tmp_path / "disk"
    mount_point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(mount_point)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small file system is not allowed here")
    yield mount_point
    subprocess.run(["umount", str(mount_point)], check=True)


def test_a_full_disk_is_said_in_one_line_and_keeps_the_previous_checkpoint(small_disk) -> None:
    run = RunFolder.create(small_disk, "iris")
    run.checkpoint({"step": 1}, {"w": np.full(50_000, 1)})
    with pytest.raises(StorageError, match="the disk is full; free some space") as caught:
        run.checkpoint({"step": 2}, {"w": np.full(200_000, 2)})
    assert "checkpoint.safetensors" in str(caught.value)
    assert caught.value.exit_code == 1
    with pytest.raises(StorageError, match=r"events\.jsonl: the disk is full"):
        for number in range(10**6):
            run.monitor(epoch(number))
    assert run.restore()[0] == {"step": 1}
    assert all(isinstance(event, events.EpochEnded) for event in run.events())
    run.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_event_that_does_not_fit_the_disk_is_an_error_not_a_loss(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    (run.path / "events.jsonl").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="the disk is full"):
        run.monitor(epoch(1))


@posix_only
@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("EACCES", "no permission"),
        ("EROFS", "read-only"),
        ("EDQUOT", "quota"),
        ("EIO", "cannot be"),
    ],
)
def test_each_refusal_of_the_system_has_its_words(tmp_path, number, said) -> None:
    import errno

    code = getattr(errno, number)
    with pytest.raises(StorageError, match=said), disk.storing(tmp_path):
        raise OSError(code, os.strerror(code))


@posix_only
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission(tmp_path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="no permission to write here"):
            RunFolder.create(tmp_path / "runs", "iris")
    finally:
        tmp_path.chmod(0o700)


def test_a_file_in_the_place_of_the_runs_folder(tmp_path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        RunFolder.create(tmp_path / "runs", "iris")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        RunFolder.create(tmp_path / "runs" / "deeper", "iris")


def test_files_get_the_usual_permissions(tmp_path) -> None:
    plain = tmp_path / "plain"
    plain.write_text("")
    disk.write_atomic(tmp_path / "written", b"")
    assert (tmp_path / "written").stat().st_mode == plain.stat().st_mode


def test_a_write_that_is_interrupted_leaves_no_draft(tmp_path, monkeypatch) -> None:
    path = tmp_path / "a.json"
    disk.write_atomic(path, b"old")

    def stop(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        disk.write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert json.dumps(sorted(p.name for p in tmp_path.iterdir())) == '["a.json"]'
