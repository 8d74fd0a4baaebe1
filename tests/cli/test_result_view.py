"""The result, the ladder, the runs and the audit as a person meets them on a terminal."""

from __future__ import annotations

import pytest
from rich.console import Console

from neuroscope.cli.views import look as look_view
from neuroscope.cli.views import result as result_view
from neuroscope.cli.views import runs as runs_view
from neuroscope.cli.views.blocks import texts as texts_block
from neuroscope.cli.views.words import shown
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.look import look
from neuroscope.verbs.train import TrainOptions, train

WHY = "skipped: the time budget is used, and this line is far longer than the table has room for"


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    out = str(tmp_path_factory.mktemp("runs"))
    return train("diabetes", options=TrainOptions(rungs=("majority", "neuron"), out=out))


def printed(view, found, width: int = 80) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        view.show(found, console)
    return capture.get()


def flat(text: str) -> str:
    return " ".join(text.split())


def rung(result: dict, **changes) -> dict:
    return result["rungs"][1] | {"name": "deep", "title": "a deep tabular net"} | changes


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_skipped_rung_shows_why_and_nothing_else(told, width) -> None:
    skipped = rung(told, value=None, interval=None, parameters=0, seconds=0.0, status=WHY)
    text = printed(result_view, told | {"rungs": [*told["rungs"], skipped]}, width)
    line = next(line for line in text.splitlines() if "a deep tabular net" in line)
    assert line.split() == ["a", "deep", "tabular", "net", "skipped"]
    assert f"a deep tabular net: {WHY}" in flat(text)
    assert "…" not in text


def test_a_rung_that_was_cut_short_is_marked_below_the_ladder(told) -> None:
    assert "cut short" not in printed(result_view, told)
    text = flat(printed(result_view, told | {"rungs": [*told["rungs"], rung(told, cut=True)]}))
    assert "a deep tabular net: cut short by the time budget; a longer --budget may" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_ends_of_an_interval_are_written_where_there_is_room(told, width) -> None:
    low, high = told["rungs"][1]["interval"]
    text = printed(result_view, told, width)
    ends = f"{shown(low)} .. {shown(high)}"
    assert (ends in text) == (width == 120)
    ladder = [line for line in text.splitlines() if "●" in line]
    assert ladder
    assert all(len(line.rstrip()) <= width for line in ladder)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
@pytest.mark.parametrize("title", ["bits per character", "neighbours found", "accuracy"])
@pytest.mark.parametrize("name", ["a GRU", "counted sequences of six characters"])
def test_no_number_and_no_header_of_the_ladder_is_cut(told, width, title, name) -> None:
    """A column for which there is no room is left out, not cut."""
    slow = rung(told, title=name, seconds=114.0, parameters=1_841_568)
    metric = told["metric"] | {"title": title}
    changed = told | {"rungs": [*told["rungs"], slow], "metric": metric}
    text = printed(result_view, changed, width).partition("The ladder")[2].partition("Verdict")[0]
    assert "…" not in text
    heads = text[: text.index("guessing")] if "guessing" in text else text
    assert set(title.split()) <= set(heads.split())
    begins = " ".join(name.split()[:4])  # of a long one the rest is on the next line
    assert set(name.split()) <= set(text.split())
    line = next(line for line in text.splitlines() if begins in line)
    assert shown(slow["value"]) in line
    for header, cell in (("time", "1 min 54 s"), ("parameters", "1,841,568")):
        assert (header in text) == (cell in line)
    assert "1 min 54 s" in line or width < 80


def test_the_three_columns_that_matter_most_are_named(told) -> None:
    text = flat(printed(result_view, told))
    first, second = (entry["column"] for entry in told["importance"][:2])
    assert "What it looks at (how much worse R² is when one column is shuffled)" in text
    assert text.index(first) < text.index(second)
    assert "other columns in the report" in text


def test_where_no_column_is_clear_the_weights_speak(told) -> None:
    unclear = [entry | {"interval": [-0.1, 0.2]} for entry in told["importance"]]
    text = flat(printed(result_view, told | {"importance": unclear}))
    assert "no column alone makes a difference that chance does not explain" in text
    weightiest = told["weights"]["features"][0]
    assert f"{weightiest['feature']} {weightiest['effects'][0]:+.3g}" in text
    without = flat(printed(result_view, told | {"importance": unclear, "weights": None}))
    assert "largest weights" not in without
    assert "What it looks at" not in printed(result_view, told | {"importance": []})


@pytest.mark.parametrize("width", [60, 80])
def test_the_class_and_count_of_an_example_stand_beside_a_long_text(width) -> None:
    about = {"words": (1, 9, 90), "columns": ["text"], "languages": {"English": 1.0}, "texts": 1234,
             "vocabulary": 5, "once": 1, "examples": [
                 {"label": "Business", "count": 1234, "text": "profits slide " * 40}]}  # fmt: skip
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        texts_block.show(about, console)
    (line,) = (line for line in capture.get().splitlines() if "Business" in line)
    assert line.split()[:3] == ["Business", "1,234", "profits"]
    assert line.rstrip().endswith("…")


def run(name: str, **changes) -> dict:
    return {"name": name, "status": "finished", "note": "", "target": "progression",
            "chosen": "neuron", "metric": "r2", "value": 0.458} | changes  # fmt: skip


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_name_of_a_run_is_never_broken(width) -> None:
    name = "20261121-004304-a-run-with-a-very-long-name-for-what-it-is-2"
    text = printed(runs_view, {"folder": "runs", "runs": [run(name), run("b")]}, width)
    assert name in text
    assert "R² 0.458" in flat(text)
    assert "progression" in text


def test_a_damaged_run_says_what_is_wrong_in_either_form() -> None:
    broken = run("c", status="damaged", note="run.json is cut", metric="", value=None)
    for width in (30, 120):
        text = flat(printed(runs_view, {"folder": "runs", "runs": [broken]}, width))
        assert "damaged: run.json is cut" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (DataOptions(target="species"), "target species, as asked: one of several classes (3 diff"),
        (DataOptions(), "target species, the usual target of this data set: one of several"),
        (DataOptions(target="petal_width_cm"), "as asked: a number (22 different decimal numbers"),
    ],
)
def test_look_names_its_target_in_one_sentence(options, said) -> None:
    text = flat(printed(look_view, look("iris", options), 100))
    assert said in text
    assert "):" not in text[: text.index("Columns")]


@pytest.mark.parametrize(
    ("value", "said"), [(1880, "1880"), (9999.4, "9999"), (12345.6, "12,346"), (48.0, "48")]
)
def test_a_year_reads_as_a_year(value, said) -> None:
    assert shown(value, in_target_units=True) == said
