"""The report says what the run folder holds, in order, in one safe file, whatever is missing."""

from __future__ import annotations

import copy
import json
import re

import numpy as np
import pytest
from report_reading import Page, change, page_of
from report_samples import SAMPLES, multiclass, regression

from neuroscope.base import events
from neuroscope.base.errors import InputError, Interrupted, StorageError
from neuroscope.judge.confusion import confusion
from neuroscope.report.page import write_report
from neuroscope.runs.folder import RunFolder

# ------------------------------------------------------------------------------ the whole page


def test_the_report_lies_in_the_run_folder_and_is_one_light_file(sample) -> None:
    path = write_report(sample)
    assert path == sample / "report.html"
    assert path.stat().st_size < 150_000
    assert not list(sample.glob(".*.tmp"))


def test_the_page_asks_for_nothing_and_runs_nothing(sample) -> None:
    page = page_of(sample)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {t for t, _ in page.tags}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        assert all(attributes.get(name, "#").startswith("#") for name in ("href", "src"))
    policy = page.all("meta")[1]
    assert policy["http-equiv"] == "Content-Security-Policy"
    assert "default-src 'none'" in policy["content"]
    source = (sample / "report.html").read_text()
    assert not re.search(r"https?://|url\(|@import", source)


def test_the_page_is_well_formed_and_its_links_lead_somewhere(sample) -> None:
    page = page_of(sample)
    ids = page.ids()
    assert len(ids) == len(set(ids))
    targets = [link["href"].removeprefix("#") for link in page.all("a")]
    assert targets
    assert set(targets) <= set(ids)
    labels = [s["aria-labelledby"] for s in page.all("section")]
    assert set(labels) <= set(ids)


def test_every_chart_has_words_for_a_screen_reader(sample) -> None:
    page = page_of(sample)
    charts = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert len(charts) >= 6
    assert all(svg["aria-label"].strip() for svg in charts)
    assert len(page.all("table")) >= 4
    assert page.all("html")[0]["lang"] == "en"


def test_the_decision_comes_first_and_the_means_last(churn) -> None:
    ids = [name for name in page_of(churn).ids() if not name.startswith(("h-", "term-"))]
    assert ids == [
        "decision", "ladder", "training", "mistakes", "probabilities", "importance", "rows",
        "data", "recipe", "reproduce", "glossary",
    ]  # fmt: skip


def test_numbers_are_never_shown_raw(sample) -> None:
    text = page_of(sample).text
    assert not re.search(r"\bNone\b|\bnan\b|\binf\b|\bTrue\b|\bFalse\b|\{\{|\d\.\d{7}", text)


# ------------------------------------------------------------------------------ what it says


def test_a_churn_run_reads_as_it_went(churn) -> None:
    text = page_of(churn).text
    for said in (
        "Use it",
        "A single neuron reaches AUC 0.845; a dense network adds 0.002, within noise",
        "How good it is on 1,409 test rows it had never seen",
        "0.842 most likely 0.819 to 0.863",
        "the model ranks 84 the right way round",
        "11 rows have an empty TotalCharges",
        "in 5 folds",
        "skipped: budget used",
        "took 1.4 s to train; a dense network took 13.1 times as long",
        "Validation loss turned upwards while training loss went on falling",
        "80 % of the rows are named correctly",
        "176 of 374 rows that are “Yes” are called “No”",
        "off by 1.8 percentage points",
        "Say yes from a probability of 0.230 on",
        "84 % of the positive rows are found",
        "Mean cost a row: 0.512, against 0.698 at a threshold of 0.5.",
        "A missed churner costs five times a needless call.",
        "One column makes no difference",
        "more rows would bring little",
        "customerID is different in every row",
        "e.g. rows 488, 753, 936",
        "an identifier: 7,043 different values",
        "3 of 5 columns are looked at (2 numeric, 1 categorical)",
        "learning rate 0.02 the best of 6 tried",
        "neuroscope train telco-churn.csv --target Churn --seed 0",
        "Rows from another time or place were not tried.",
        "sha256:3f5a",
        "numpy 2.4.0",
    ):
        assert said in text, said
    assert text.index("customerID is different") < text.index("22 rows occur twice")


def test_a_digits_run_reads_from_the_judges_own_records(tmp_path) -> None:
    text = page_of(multiclass(tmp_path)).text
    assert "Of 100 rows the model names 98 correctly." in text
    assert "3 of 34 rows that are “8” are called “1”" in text
    assert "The stated probabilities are off by 1.1 points on average." in text
    assert "77 8 1 91 %" in text
    assert "The audit found nothing that stands in the way." in text


def test_a_housing_run_reads_in_the_targets_own_units(tmp_path) -> None:
    folder = regression(tmp_path)
    page = page_of(folder)
    for said in (
        "Consider trees", "52,911 most likely 51,200 to 54,800", "further left is better",
        "Half of the rows are missed by less than 21,030.", "Each dot is a row (500 rows)",
        "also took the longest to train: 31.0 s", "batch size 128 20,640 rows",
        "40,000 to 120,000 1,000 98,000 99,500 -20,000 to 23,000",
    ):  # fmt: skip
        assert said in page.text, said
    worst = json.loads((folder / "result.json").read_text())["residuals"]["worst"][0]
    miss = worst["actual"] - worst["predicted"]
    assert f"{worst['row']} {worst['actual']:,.0f} {worst['predicted']:,.0f} " in page.text
    assert f"{'+' if miss > 0 else ''}{miss:,.0f}" in page.text


@pytest.mark.parametrize(
    ("verdict", "badge"),
    [("use", "Use it"), ("consider_trees", "Consider trees"), ("do_not_use", "Do not use it")],
)
def test_each_verdict_has_its_badge(churn, verdict, badge) -> None:
    change(churn, verdict=verdict)
    assert page_of(churn).text.count(badge) == 1


def test_the_ladder_marks_the_chosen_rung_and_draws_the_yardstick(churn) -> None:
    source = write_report(churn).read_text()
    assert source.count('class="track chosen"') == 1
    assert source.count('class="mark yardstick"') == 1
    assert source.count('class="yardstick-line"') == 5  # one piece in each row of the ladder
    assert 'aria-label="a single neuron: 0.845, interval 0.834 to 0.856"' in source
    assert "◂ far off the scale" in source


def test_of_several_classes_no_score_speaks_of_positive_rows(tmp_path) -> None:
    run = multiclass(tmp_path / "runs")
    change(run, test={"accuracy": 0.98, "roc_auc": 0.93, "pr_auc": 0.8, "interval": {}})
    figures = page_of(run).text.partition("had never seen")[2].partition("Why")[0]
    assert "a row of one class and a row of another" in figures
    assert "positive" not in figures


def test_only_words_that_are_used_are_explained(churn) -> None:
    assert "term-roc_auc" in page_of(churn).ids()
    assert "term-rmse" not in page_of(churn).ids()


def test_wide_matrices_and_schemas_are_folded_and_cut(churn) -> None:
    size = 30
    names = [f"class {i}" for i in range(size)]
    columns = [{"name": f"c{i}", "kind": "numeric", "role": "feature"} for i in range(5000)]
    matrix = [[5 if i == j else 0 for j in range(size)] for i in range(size)]
    change(churn, confusion={"labels": names, "matrix": matrix}, schema={"columns": columns})
    page = page_of(churn)
    assert "The 30 × 30 confusion matrix" in page.text
    assert "4,800 more columns are in the model's card." in page.text
    assert "c199" in page.text
    assert "c200" not in page.text


def test_a_part_of_a_matrix_says_that_it_is_one(churn) -> None:
    k = 45
    y = np.arange(10 * k) % k
    said = np.where(np.arange(10 * k) % 4 == 0, (y + 1) % k, y)
    names = [f"kind {i}" for i in range(k)]
    change(churn, confusion=confusion(y, np.eye(k)[said], names).to_json())
    text = page_of(churn).text
    assert "There are 45 classes: shown are the 30 that are mixed up most." in text
    assert "The 30 × 30 confusion matrix" in text
    assert "75 % of the rows are named correctly" in text


def test_long_runs_stay_light(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "long")
    for epoch in range(1, 5001):
        run.monitor(
            events.EpochEnded(
                rung="dense", fold=0, epoch=epoch, epochs=5000, train_loss=1 / epoch,
                valid_loss=1 / epoch + (0.001 if epoch != 3333 else -0.0001), learning_rate=0.1,
                seconds=1.0,
            )
        )  # fmt: skip
    page = page_of(run.path)
    assert (run.path / "report.html").stat().st_size < 40_000
    assert "3,333" in page.text


# ------------------------------------------------------------------------------ what is missing


BLOCKS = (
    "name", "created", "task", "kind", "target", "source", "seed", "versions", "rows", "metric",
    "rungs", "chosen", "headline", "why", "sentences", "verdict", "test", "model", "report",
    "warnings", "findings", "dropped", "schema", "split", "recipe", "search", "confusion",
    "mistakes", "calibration", "threshold", "learning_curve", "importance", "suspect_labels",
    "reproduce",
)  # fmt: skip


@pytest.mark.parametrize("block", BLOCKS)
def test_the_report_works_without_a_block(churn, block) -> None:
    result = change(churn, **{block: None})
    assert block not in result
    assert "A single neuron" in page_of(churn).text


def test_the_report_works_from_the_events_alone(churn) -> None:
    for name in ("result.json", "recipe.json", "model.neuroscope"):
        (churn / name).unlink()
    text = page_of(churn).text
    assert "Predicting “Churn” from telco-churn.csv" in text
    assert "neuron chosen 0.845" in text
    assert "A dense network is no better than chance explains." in text
    assert "trees 0.836" in text


def test_the_report_works_on_an_empty_run(tmp_path) -> None:
    run = RunFolder.create(tmp_path, "iris")
    text = page_of(run.path).text
    assert "iris" in text
    assert "Interrupted" in text


@pytest.mark.parametrize(
    ("error", "badge"),
    [(Interrupted("stopped by you"), "Interrupted"), (ValueError("odd"), "Failed")],
)
def test_an_unfinished_run_says_so_and_why(tmp_path, error, badge) -> None:
    with pytest.raises(type(error)), RunFolder.create(tmp_path, "iris") as run:
        run.monitor(events.WarningRaised(message="the loss is odd"))
        raise error
    text = page_of(run.path).text
    assert badge in text
    assert str(error) in text
    assert "the loss is odd" in text


def leaves(value, path=()):
    """Yield the path of every value in a record, the containers as well."""
    children = value.items() if isinstance(value, dict) else enumerate(value[:2])
    for key, inner in children:
        yield (*path, key)
        if isinstance(inner, dict | list):
            yield from leaves(inner, (*path, key))


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_the_report_works_with_any_value_unknown(tmp_path, kind) -> None:
    """A number that is not finite becomes null on disk: null may stand anywhere."""
    folder = SAMPLES[kind](tmp_path)
    (folder / "events.jsonl").unlink()
    (folder / "model.neuroscope").unlink()
    path = folder / "result.json"
    whole = json.loads(path.read_text())
    places = list(leaves(whole))
    assert len(places) > 100
    for place in places:
        record = copy.deepcopy(whole)
        inner = record
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = None
        path.write_text(json.dumps(record))
        Page(write_report(folder).read_text())


def test_a_damaged_record_is_named(churn) -> None:
    (churn / "result.json").write_text('{"rungs": [')
    with pytest.raises(InputError, match=r"result\.json: the record is damaged"):
        write_report(churn)


def test_a_damaged_model_is_reported_not_fatal(churn) -> None:
    model = churn / "model.neuroscope"
    model.write_bytes(model.read_bytes()[:200])
    text = page_of(churn).text
    assert "The model file cannot be used" in text
    assert "cut or damaged" in text


def test_a_folder_that_is_no_run_gets_no_report(tmp_path) -> None:
    with pytest.raises(InputError, match="not a run folder"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_keeps_the_previous_report(churn, monkeypatch) -> None:
    import os

    before = write_report(churn).read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    change(churn, headline="another")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="the disk is full"):
        write_report(churn)
    assert (churn / "report.html").read_bytes() == before


def learned(folder, *fits: int, validated: bool = True) -> RunFolder:
    """Return a run of one net: for each fit, how many of its 3 epochs it came to."""
    run = RunFolder.create(folder, "search")
    for reached in fits:
        for epoch in range(1, reached + 1):
            run.monitor(
                events.EpochEnded(
                    rung="dense", fold=0, epoch=epoch, epochs=3, train_loss=1 / epoch,
                    valid_loss=1 / epoch if validated else None, learning_rate=0.1, seconds=1.0,
                )
            )  # fmt: skip
    return run


def test_of_many_fits_only_the_last_are_drawn(tmp_path) -> None:
    run = learned(tmp_path, *[3] * 40)
    page = page_of(run.path)
    assert "The last 12 of 40 fits are drawn" in page.text
    assert sum(svg.get("class") == "line train faint" for svg in page.all("path")) == 12


def test_a_net_of_one_epoch_has_its_numbers_and_no_chart(tmp_path) -> None:
    page = page_of(learned(tmp_path, 1, 1).path)
    section = page.text.partition("How it learned")[2]
    assert "one epoch only, so there is no curve to draw" in section
    assert "Lowest validation loss" in section
    assert "fits are drawn" not in section
    assert not [svg for svg in page.all("svg") if svg.get("class") == "chart"]


def test_fits_of_one_epoch_beside_longer_ones_are_told_as_dots(tmp_path) -> None:
    page = page_of(learned(tmp_path, 1, 3).path)
    assert "2 fits are drawn, one line each, those of one epoch as dots." in page.text


def test_without_validation_loss_the_legend_is_silent_about_it(tmp_path) -> None:
    legends = [
        [span.get("class") for span in page_of(learned(tmp_path / name, 3, validated=seen).path)
         .all("span") if str(span.get("class")).startswith("key ")]
        for name, seen in (("with", True), ("without", False))
    ]  # fmt: skip
    assert legends == [["key train", "key valid", "key best"], ["key train"]]


def test_words_read_from_the_right_keep_their_numbers_to_the_right(churn) -> None:
    word = "\u05e9\u05dc\u05d5\u05dd"
    change(
        churn,
        texts={"rung": "neuron", "weights": [{"class": word, "terms": [
            {"term": word, "weight": 1.1}]}]},
        word_space={"tokens": 9, "words": 2, "left_out": 0, "least": 1, "near": [
            {"word": word, "nearest": [{"word": word, "cosine": 0.5}]}]},
    )  # fmt: skip
    source = write_report(churn).read_text()
    assert f"<bdi>{word}</bdi> +1.1" in source
    assert f"<bdi>{word}</bdi> 0.50" in source


def test_word_vectors_with_markup_in_a_word_are_escaped(churn) -> None:
    near = [{"word": "<b>", "nearest": [{"word": "<script>", "cosine": 0.5}]}]
    change(churn, word_space={"tokens": 9, "words": 2, "left_out": 0, "least": 1, "near": near})
    source = write_report(churn).read_text()
    assert "<script>" not in source
    assert "&lt;script&gt;" in source
