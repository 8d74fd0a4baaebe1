"""Every rung of every task climbs from the front door: nothing that is listed only works alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.translating import pairs, write_csv

from neuroscope import tasks
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs.train import train

pytestmark = pytest.mark.slow

SOURCES = {
    "table": "wine", "image_classes": "digits-images", "series_classes": "waves",
    "series_forecast": "visitors", "text_classes": "messages",
}  # fmt: skip
PRETRAINED = {"transfer", "fine_tuning", "pretrained"}  # wait for --backbone
ASKED = {"rnn"}  # climbed when they are named
MADE = ("text_making", "word_vectors", "translation")  # from files that are written here


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("made")
    path = folder / "tale.txt"
    lines = [f"the {size} {beast} ran over hill {n % 7} and met the {other}.\n"
             for n in range(60) for size in ("old", "young") for beast in ("fox", "hare")
             for other in ("owl", "crow")]  # fmt: skip
    path.write_text("".join(lines), encoding="utf-8")
    sentences = write_csv(folder / "pairs.csv", *pairs(150))
    return {"text_making": str(path), "word_vectors": str(path), "translation": sentences}


@pytest.mark.parametrize("task", [*SOURCES, *MADE])
def test_all_rungs_of_a_task_climb(task: str, made: dict[str, str], tmp_path: Path) -> None:
    options = TrainOptions(epochs=1, budget=None, out=str(tmp_path))
    result = train((SOURCES | made)[task], DataOptions(task=task), options)
    rungs = {rung["name"]: rung for rung in result["rungs"]}
    assert set(tasks.catalogue.get(task).RUNGS.names()) - set(rungs) <= PRETRAINED | ASKED
    for name, rung in rungs.items():
        assert rung["status"] == "done" or name in PRETRAINED, name


def test_no_task_is_left_out() -> None:
    assert {*SOURCES, *MADE} == set(tasks.catalogue.names())
