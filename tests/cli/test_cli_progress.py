"""What is shown while a run goes on: shares of a bar from events, and a real terminal."""

from __future__ import annotations

import io
import os

import pytest
from cli_running import COMMAND, environment, points_csv
from rich.console import Console

from neuroscope.base import events
from neuroscope.cli._progress import Bar, Lines, _bars


@pytest.fixture
def bar():
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with _bars(console) as bars:
        yield Bar(bars)


def share(bar: Bar) -> float:
    """Return how far the newest bar has come."""
    return bar.bars.tasks[-1].completed


def epoch(fold: int, number: int, of: int, trials: int = 1) -> events.EpochEnded:
    return events.EpochEnded(rung="neuron", fold=fold, epoch=number, epochs=of, train_loss=1.0,
                             valid_loss=None, learning_rate=0.1, seconds=0.1,
                             trials=trials)  # fmt: skip


def test_a_bar_counts_epochs_of_all_folds_and_recipes(bar):
    bar(events.RunStarted(task="table", target="y", source="d", rows={"folds": 2}, seed=0))
    bar(events.RungStarted(rung="neuron", position=1, total=4))
    assert bar.bars.tasks[-1].description == "rung 2 of 4: neuron"
    bar(epoch(0, 1, 2))
    assert share(bar) == pytest.approx(0.25)
    bar(epoch(1, 2, 2))
    assert share(bar) == pytest.approx(0.75)
    bar(events.RungFinished(rung="neuron", metric="roc_auc", value=0.5, interval=(0.4, 0.6),
                            seconds=1.0, parameters=3, status="done"))  # fmt: skip
    assert share(bar) == 1
    assert "0.500 (0.400 to 0.600)" in bar.bars.tasks[-1].description
    bar(events.RungStarted(rung="dense", position=2, total=4))
    bar(epoch(0, 1, 2, trials=3))
    assert share(bar) == pytest.approx(1 / 12)
    for trial, done in ((0, 1 / 6), (1, 1 / 3)):
        bar(events.FoldFinished(rung="dense", fold=0, folds=2, metric="roc_auc", value=0.5,
                                seconds=1.0, trial=trial, trials=3))  # fmt: skip
        assert share(bar) == pytest.approx(done)


def test_a_bar_counts_the_search_before_the_only_fold(bar):
    bar(events.RunStarted(task="table", target="y", source="d", rows={"folds": 1}, seed=0))
    bar(events.RungStarted(rung="dense", position=2, total=4))
    bar(events.SearchTried(rung="dense", trial=1, trials=2, changes={}, metric="roc_auc",
                           value=0.5, seconds=1.0))  # fmt: skip
    assert share(bar) == pytest.approx(0.2)
    bar(epoch(0, 1, 2))
    assert share(bar) == pytest.approx(0.4 + 0.3)


def test_lines_tell_what_folds_say_alike_once():
    told = io.StringIO()
    lines = Lines(Console(file=told, width=200))
    for rounds in ("10", "20", "1,030"):
        lines(events.WarningRaised(rung="trees", message=f"{rounds} of 100 rounds"))
    lines(events.WarningRaised(rung="dense", message="10 of 100 rounds"))
    lines(events.WarningRaised(message="column 'x1' was dropped"))
    lines(events.WarningRaised(message="column 'x2' was dropped"))
    assert told.getvalue().splitlines() == [
        "note: trees: 10 of 100 rounds", "note: dense: 10 of 100 rounds",
        "note: column 'x1' was dropped", "note: column 'x2' was dropped"]  # fmt: skip


def test_a_step_of_unknown_length_has_a_bar_until_it_is_done(bar):
    bar(events.Progress(label="reading the data", done=0, total=1))
    assert bar.bars.tasks[-1].total is None
    bar(events.Progress(label="reading the data", done=1, total=1))
    assert bar.bars.tasks == []


def test_a_log_gets_a_line_for_each_rung_and_each_warning():
    console = Console(file=io.StringIO(), width=40)
    lines = Lines(console)
    lines(events.WarningRaised(message="the loss [diverged]", rung="dense"))
    lines(events.RungFinished(rung="dense", metric="r2", value=None, interval=None, seconds=1.0,
                              parameters=0, status="skipped: budget used"))  # fmt: skip
    lines(events.CheckpointSaved(path="x"))
    assert console.file.getvalue().splitlines() == [  # type: ignore[attr-defined]
        "note: dense: the loss [diverged]", "dense: skipped: budget used"]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_a_real_terminal_sees_the_time_that_is_left(tmp_path):
    pexpect = pytest.importorskip("pexpect")
    file = points_csv(tmp_path / "points.csv", rows=1500)
    arguments = ["train", str(file), "--rungs", "majority,neuron,dense", "--epochs", "30"]
    child = pexpect.spawn(COMMAND[0], [*COMMAND[1:], *arguments], env=environment(TERM="xterm"),
                          dimensions=(40, 80), timeout=120, encoding="utf-8")  # fmt: skip
    child.expect(r"rung 2 of 3: neuron")
    child.expect(r"\d+%")
    child.expect(r"left")
    child.expect(r"\d:\d\d:\d\d")
    child.expect("Verdict")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_a_step_of_many_parts_moves_its_bar_and_gives_it_back_to_the_rung(bar):
    bar(events.RungStarted(rung="convolution", position=3, total=5))
    for done in (256, 512):
        bar(events.Progress(label="decoding the pictures", done=done, total=1024))
        assert [task.description for task in bar.bars.tasks] == ["decoding the pictures"]
        assert share(bar) == done / 1024
    bar(events.Progress(label="decoding the pictures", done=1024, total=1024))
    assert [task.description for task in bar.bars.tasks] == ["rung 4 of 5: convolution"]
    bar(epoch(0, 1, 2))
    assert share(bar) == pytest.approx(0.5)
    bar(events.RungFinished(rung="convolution", metric="r2", value=None, interval=None,
                            seconds=1.0, parameters=0, status="done"))  # fmt: skip
    bar(events.Progress(label="writing the report", done=0, total=1))
    bar(events.Progress(label="writing the report", done=1, total=1))
    assert len(bar.bars.tasks) == 1  # the finished rung stays, and none is begun again
