"""Runs are listed whatever state they are in, compared honestly and deleted with care."""

from __future__ import annotations

import json

import pytest

from neuroscope.base import events
from neuroscope.base.errors import InputError
from neuroscope.base.recipe import Recipe
from neuroscope.runs.folder import RunFolder
from neuroscope.runs.listing import compare, delete, list_runs


def rung(name: str, value: float) -> dict:
    return {
        "name": name, "metric": "roc_auc", "value": value, "interval": [value - 0.1, value + 0.1],
    }  # fmt: skip


def finished(root, name: str, recipe: Recipe, **changes) -> RunFolder:
    result = {
        "task": "table", "target": "Churn", "source": "churn.csv", "seed": 0,
        "rows": {"train": 80, "test": 20}, "metric": {"name": "roc_auc"},
        "rungs": [rung("neuron", 0.84), rung("dense", 0.85)], "chosen": "neuron",
        "test": {"roc_auc": 0.83, "interval": {"roc_auc": [0.8, 0.86]}},
    }  # fmt: skip
    with RunFolder.create(root, name) as run:
        run.write_json("result.json", result | changes)
        run.write_json("recipe.json", recipe.to_json())
    return run


def test_no_folder_and_an_empty_folder_list_nothing(tmp_path) -> None:
    assert list_runs(tmp_path / "nowhere") == []
    assert list_runs(tmp_path) == []


def test_runs_are_listed_oldest_first_with_what_came_out(tmp_path) -> None:
    runs = [finished(tmp_path, name, Recipe()) for name in ("b", "a")]
    listed = list_runs(tmp_path)
    assert [summary.path for summary in listed] == [run.path for run in runs]
    first = listed[0]
    assert (first.status, first.task, first.target, first.source) == (
        "finished", "table", "Churn", "churn.csv",
    )  # fmt: skip
    assert (first.chosen, first.metric, first.value, first.rungs) == ("neuron", "roc_auc", 0.84, 2)


def test_a_run_that_goes_on_is_listed_from_its_events(tmp_path) -> None:
    with RunFolder.create(tmp_path, "iris") as run:
        run.monitor(
            events.RunStarted(task="table", target="y", source="iris", rows={"train": 1}, seed=0)
        )
        run.monitor(
            events.RungFinished(
                rung="majority", metric="accuracy", value=0.3, interval=None, seconds=0.1,
                parameters=0, status="done",
            )
        )  # fmt: skip
        (summary,) = list_runs(tmp_path)
    assert (summary.status, summary.source, summary.target) == ("running", "iris", "y")
    assert (summary.metric, summary.value, summary.rungs) == ("accuracy", 0.3, 1)


def test_a_failed_run_says_why(tmp_path) -> None:
    with pytest.raises(ValueError), RunFolder.create(tmp_path, "iris"):
        raise ValueError("no luck")
    (summary,) = list_runs(tmp_path)
    assert (summary.status, summary.note) == ("failed", "no luck")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", "{"),
        ("run.json", None),
        ("result.json", '{"rungs": [1]}'),
        ("result.json", '{"rungs"'),
        ("result.json", '{"rungs": 5}'),
        ("result.json", '{"rungs": [{}]}'),
    ],
)
def test_damaged_runs_are_listed_as_such_beside_whole_ones(tmp_path, name, content) -> None:
    whole, damaged = (finished(tmp_path, run, Recipe()) for run in "ab")
    (damaged.path / name).unlink()
    if content is not None:
        (damaged.path / name).write_text(content)
    (tmp_path / "stray.txt").write_text("")
    listed = {summary.path: summary for summary in list_runs(tmp_path)}
    assert set(listed) == {whole.path, damaged.path}
    assert listed[whole.path].status == "finished"
    assert listed[damaged.path].status == "damaged"
    assert listed[damaged.path].note


def test_compare_shows_the_choices_that_differ_and_all_scores(tmp_path) -> None:
    base = Recipe(hidden=(64,), learning_rate=0.01).because("small table", batch_size=16)
    one = finished(tmp_path, "one", base)
    wider = Recipe(hidden=(64, 64), learning_rate=0.01, batch_size=16)
    two = finished(tmp_path, "two", wider, rungs=[rung("neuron", 0.86)], test={"brier": 0.1})
    table = compare([one, two])
    rows = {(row.section, row.label): row.values for row in table.rows}
    assert table.names == (one.name, two.name)
    assert rows == {
        ("recipe", "hidden"): ([64], [64, 64]),
        ("score", "neuron"): (0.84, 0.86),
        ("score", "dense"): (0.85, None),
        ("test", "roc_auc"): (0.83, None),
        ("test", "brier"): (None, 0.1),
    }
    assert table.notes == ()
    scores = [row for row in table.rows if row.section == "score"]
    assert scores[0].intervals == ((0.74, 0.94), (0.76, 0.96))
    assert scores[1].intervals[1] is None
    assert json.loads(json.dumps(table.to_json()))["rows"][0]["label"] == "hidden"


def test_compare_warns_when_scores_are_not_of_the_same_rows(tmp_path) -> None:
    one = finished(tmp_path, "one", Recipe())
    two = finished(tmp_path, "two", Recipe(), seed=1, rows={"train": 70, "test": 30})
    table = compare([one, two])
    assert len(table.notes) == 2
    assert "the runs differ in seed" in table.notes[0]
    assert "the runs differ in rows" in table.notes[1]
    settings = {row.label: row.values for row in table.rows if row.section == "setting"}
    assert settings == {"seed": (0, 1), "rows.train": (80, 70), "rows.test": (20, 30)}


def test_compare_needs_results(tmp_path) -> None:
    with pytest.raises(InputError, match="the run has no result yet"):
        compare([RunFolder.create(tmp_path, "iris")])
    lost = finished(tmp_path, "lost", Recipe())
    (lost.path / "result.json").unlink()
    with pytest.raises(InputError, match=r"finished, but its result\.json is missing") as caught:
        compare([lost])
    assert f"--resume {lost.name}" in caught.value.remedy
    assert compare([]).rows == ()


def test_delete_removes_a_run_and_refuses_the_rest(tmp_path) -> None:
    run = finished(tmp_path, "a", Recipe())
    with pytest.raises(InputError, match="still going on"), run:
        delete(run)
    delete(run)
    assert list_runs(tmp_path) == []
    (tmp_path / "photos").mkdir()
    with pytest.raises(InputError, match="not a run folder"):
        delete(RunFolder(tmp_path / "photos"))
    assert (tmp_path / "photos").exists()


def test_delete_removes_a_damaged_run_but_not_what_a_link_points_to(tmp_path) -> None:
    run = finished(tmp_path / "runs", "a", Recipe())
    link = tmp_path / "link"
    link.symlink_to(run.path)
    with pytest.raises(InputError, match="not a run folder"):
        delete(RunFolder(link))
    (run.path / "run.json").write_text("{")
    delete(run)
    assert not run.path.exists()
