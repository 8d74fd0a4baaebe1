"""The choice of a rung: each verdict on simulated ladders, and the words it is told in."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroscope.base.errors import InputError, WorkError
from neuroscope.judge.choice import Choice, RungScore, _amount, choose
from neuroscope.judge.intervals import Difference, Resampling, paired_difference
from neuroscope.judge.metrics import METRICS

ROWS = 2000
TITLES = {
    "majority": ("the majority class", 0, False),
    "neuron": ("a single neuron", 1, False),
    "dense": ("two hidden layers", 2, False),
    "deep": ("a deep tabular net", 3, False),
    "trees": ("gradient-boosted trees", 9, True),
}


@pytest.fixture
def world():
    """Truth (two classes) and a maker of predictions; noise is shared, so models correlate."""
    random = np.random.default_rng(7)
    y = random.integers(0, 2, ROWS)
    noise = random.normal(size=ROWS)

    def predictions(strength: float, own: float = 0.05) -> np.ndarray:
        logit = strength * (2 * y - 1) + noise + own * random.normal(size=ROWS)
        score = 1 / (1 + np.exp(-logit)) if strength is not None else np.full(ROWS, 0.5)
        return np.column_stack([1 - score, score])

    return y, predictions


def rung(name: str, predictions: np.ndarray | None, **more) -> RungScore:
    title, order, yardstick = TITLES[name]
    return RungScore(name, title, order, predictions, yardstick, **more)


GUESS = np.full((ROWS, 2), 0.5)


def test_a_single_neuron_is_enough(world) -> None:
    y, predict = world
    neuron, dense = predict(0.7, own=0.3), predict(0.705, own=0.3)
    rungs = [rung("majority", GUESS), rung("neuron", neuron), rung("dense", dense)]
    gap = paired_difference("roc_auc", y, dense, neuron)
    assert 0 < gap.value <= gap.standard_error  # what the simulation is meant to be
    found = choose(rungs, "roc_auc", y)
    assert (found.chosen, found.best, found.verdict) == ("neuron", "dense", "simplest")
    assert re.fullmatch(
        r"A single neuron reaches 0\.8\d\d AUC; two hidden layers add 0\.000\d \(± 0\.003\d\), "
        r"which is within noise: use the single neuron\.",
        found.headline,
    )
    assert found.differences["dense"] == gap


def test_the_simpler_rung_wins_outright(world) -> None:
    y, predict = world
    rungs = [rung("neuron", predict(0.9)), rung("dense", predict(0.7)), rung("majority", GUESS)]
    found = choose(rungs, "roc_auc", y)
    assert (found.chosen, found.best, found.verdict) == ("neuron", "neuron", "simplest")
    assert "two hidden layers do no better: use the single neuron." in found.headline


def test_a_deeper_network_pays_for_itself(world) -> None:
    y, predict = world
    rungs = [
        rung("majority", GUESS),
        rung("neuron", predict(0.5)),
        rung("dense", predict(1.0)),
        rung("deep", predict(1.0, own=0.3)),
    ]
    found = choose(rungs, "accuracy", y)
    assert (found.chosen, found.verdict, found.usable) == ("dense", "deeper", True)
    assert found.headline.endswith(
        "better than a single neuron, more than chance explains: use two hidden layers."
    )
    assert any(s.startswith("A deep tabular net reaches") and "worse" in s for s in found.sentences)


def test_nothing_beats_guessing(world) -> None:
    y, predict = world
    rungs = [
        rung("majority", GUESS),
        rung("neuron", predict(0.0)),
        rung("dense", predict(0.0, own=2.0)),
        rung("trees", predict(0.0, own=3.0)),
    ]
    found = choose(rungs, "roc_auc", y)
    assert (found.chosen, found.verdict, found.usable) == ("majority", "guessing", False)
    assert found.headline.startswith("Nothing beats guessing: ")
    assert found.headline.endswith("do not use a model on these columns.")


def test_only_the_yardstick_beats_guessing(world) -> None:
    y, predict = world
    flat = [rung("majority", GUESS), rung("neuron", predict(0.0)), rung("trees", predict(0.8))]
    found = choose(flat, "roc_auc", y)
    assert (found.chosen, found.verdict, found.usable) == ("majority", "yardstick", False)
    assert found.yardstick_better
    assert found.headline.startswith("No network beats guessing here, but gradient-boosted trees")


def test_trees_alone_above_guessing_because_no_network_finished(world) -> None:
    y, predict = world
    rungs = [rung("majority", GUESS), rung("neuron", None, status="failed: diverged")]
    found = choose([*rungs, rung("trees", predict(0.8))], "roc_auc", y)
    assert (found.chosen, found.verdict, found.usable) == ("majority", "yardstick", False)
    assert found.why.startswith("No network finished, but gradient-boosted trees beat guessing (")


def test_better_trees_are_named_and_not_chosen(world) -> None:
    y, predict = world
    rungs = [rung("majority", GUESS), rung("neuron", predict(0.6)), rung("trees", predict(0.9))]
    found = choose(rungs, "roc_auc", y)
    assert (found.chosen, found.best, found.yardstick_better) == ("neuron", "neuron", True)
    advice = next(s for s in found.sentences if s.endswith("better here: consider them."))
    assert found.why == f"{found.headline} {advice}"
    assert found.headline.endswith("use the single neuron.")
    worse = choose([*rungs[:2], rung("trees", predict(0.4))], "roc_auc", y)
    assert not worse.yardstick_better
    assert worse.why == worse.headline
    assert any("the single neuron holds against" in s for s in worse.sentences)


@pytest.mark.parametrize(("title", "reach"), [
    ("the frequencies of characters", "reach"), ("word embeddings and a dense layer", "reach"),
    ("counts of neighbours", "reach"), ("a network with gates", "reaches"),
    ("the majority class", "reaches"), ("one neuron on a bag of words", "reaches"),
    ("gradient-boosted trees", "reach"), ("transfer learning (frozen)", "reaches"),
])  # fmt: skip
def test_verbs_go_with_their_titles(title, reach, world) -> None:
    y, predict = world
    alone = choose([RungScore("x", title, 1, predict(0.7))], "roc_auc", y)
    assert f" {reach} " in alone.headline


def test_one_rung_alone_is_reported_as_such(world) -> None:
    y, predict = world
    alone = choose([rung("neuron", predict(0.7))], "roc_auc", y)
    assert (alone.chosen, alone.verdict, alone.compared) == ("neuron", "only", False)
    assert "no other rung was asked for, so whether that is good cannot be told" in alone.headline
    failed = rung("dense", None, status="failed: diverged")
    left = choose([rung("neuron", predict(0.7)), failed], "roc_auc", y)
    assert "no other rung finished, so whether" in left.headline
    above = choose([rung("majority", GUESS), rung("neuron", predict(0.7))], "roc_auc", y)
    assert (above.verdict, above.compared) == ("only", True)
    assert above.headline.endswith("better than the majority class: use the single neuron.")
    guess = choose([rung("majority", GUESS)], "accuracy", y)
    assert (guess.chosen, guess.verdict) == ("majority", "only")


def test_a_rung_that_did_not_finish_is_said_and_not_compared(world) -> None:
    y, predict = world
    rungs = [
        rung("neuron", predict(0.7), parameters=31),
        rung("dense", None, status="skipped: budget used"),
    ]
    found = choose(rungs, "roc_auc", y)
    assert "Two hidden layers did not finish: skipped: budget used." in found.sentences
    assert list(found.intervals) == ["neuron"]
    assert "(31 parameters)" in found.sentences[0]


def test_a_verdict_over_guessing_alone_names_the_deeper_rung_that_is_missing(world) -> None:
    y, predict = world
    rungs = [
        rung("majority", GUESS),
        rung("neuron", predict(0.7)),
        rung("dense", None, status="skipped: budget used"),
    ]
    found = choose(rungs, "accuracy", y)
    assert found.headline.endswith(
        "use the single neuron; two hidden layers did not finish and may do better."
    )


def test_numbers_where_less_is_better() -> None:
    random = np.random.default_rng(3)
    y = 100 * random.normal(size=ROWS)
    noise = random.normal(size=ROWS)
    rungs = [
        rung("majority", np.full(ROWS, y.mean())),
        rung("neuron", y + 60 * noise),
        rung("dense", y + 40 * noise),
    ]
    found = choose(rungs, "rmse", y)
    assert (found.chosen, found.best, found.verdict) == ("dense", "dense", "deeper")
    lower = choose([*rungs[:2], rung("dense", y + 59.9 * noise[::-1])], "rmse", y)
    assert (lower.chosen, lower.verdict) == ("neuron", "simplest")
    assert "two hidden layers lower it by" in lower.headline
    assert found.differences["neuron"].value > 0 > found.differences["neuron"].gain


def test_the_plan_weights_groups_and_folds_reach_the_comparison(world) -> None:
    y, predict = world
    rungs = [rung("neuron", predict(0.7)), rung("dense", predict(0.72, own=0.4))]
    plain = choose(rungs, "roc_auc", y)
    few = choose(rungs, "roc_auc", y, Resampling(resamples=100))
    assert "100 resamples" in few.sentences[-1]
    grouped = choose(rungs, "roc_auc", y, groups=np.arange(ROWS) // 100)
    weighted = choose(rungs, "roc_auc", y, weights=1.0 + (np.arange(ROWS) % 2))
    folded = choose(rungs, "roc_auc", y, folds=np.arange(ROWS) % 5)
    assert folded.intervals["neuron"].value != plain.intervals["neuron"].value
    assert grouped.intervals["neuron"].low != plain.intervals["neuron"].low
    assert weighted.intervals["neuron"].value != plain.intervals["neuron"].value


@given(
    seed=st.integers(0, 10**6),
    strengths=st.lists(st.sampled_from([0.0, 0.1, 0.5, 0.55, 1.0]), min_size=3, max_size=3),
    metric=st.sampled_from(["roc_auc", "accuracy", "log_loss"]),
)
@settings(max_examples=40, deadline=None)
def test_the_chosen_rung_is_the_simplest_within_one_error(seed, strengths, metric) -> None:
    random = np.random.default_rng(seed)
    y = random.integers(0, 2, 200)
    rungs = [rung("majority", np.full((200, 2), 0.5))]
    for name, strength in zip(("neuron", "dense", "trees"), strengths, strict=True):
        score = 1 / (1 + np.exp(-strength * (2 * y - 1) - random.normal(size=200)))
        rungs.append(rung(name, np.column_stack([1 - score, score])))
    found = choose(rungs, metric, y, Resampling(resamples=100))
    by_name = {r.name: r for r in rungs}
    chosen, best = by_name[found.chosen], by_name[found.best]
    assert not chosen.yardstick
    assert not best.yardstick
    if found.usable:
        assert 0 < chosen.order <= best.order
        gap = paired_difference(
            metric, y, best.predictions, chosen.predictions, Resampling(resamples=100)
        )
        assert gap.gain <= gap.standard_error or not gap.clear or chosen is best
    else:
        assert found.verdict in ("guessing", "yardstick")
    assert "nan" not in " ".join([found.why, *found.sentences])


def test_a_choice_is_json(world) -> None:
    y, predict = world
    found: Choice = choose([rung("majority", GUESS), rung("neuron", predict(0.7))], "roc_auc", y)
    record = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert record["intervals"]["neuron"]["value"] == found.intervals["neuron"].value
    assert record["differences"]["majority"]["p_better"] == 0


def test_ladders_without_a_score_are_refused(world) -> None:
    y, _ = world
    with pytest.raises(WorkError, match="dense: failed: diverged"):
        choose([rung("trees", GUESS), rung("dense", None, status="failed: diverged")], "f1", y)
    with pytest.raises(WorkError, match="has no value on the 2000 held-out rows"):
        choose([rung("neuron", GUESS)], "roc_auc", np.zeros(ROWS, int))
    with pytest.raises(InputError, match="two rungs of one name"):
        choose([rung("neuron", GUESS)] * 2, "roc_auc", y)


def test_a_rung_that_may_be_guessing_is_not_chosen_for_being_simple() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 400)

    def scored(strength: float) -> np.ndarray:
        score = 1 / (1 + np.exp(-strength * (2 * y - 1) - random.normal(size=400)))
        return np.column_stack([1 - score, score])

    rungs = [rung("majority", np.full((400, 2), 0.5)), rung("neuron", scored(0.02)),
             rung("dense", scored(1.0))]  # fmt: skip
    assert choose(rungs, "roc_auc", y).chosen == "dense"


def test_differences_of_cross_validated_models_are_widened() -> None:
    random = np.random.default_rng(0)
    y = random.integers(0, 2, 300)
    a, b = (np.column_stack([1 - s, s]) for s in random.uniform(size=(2, 300)))
    plain = paired_difference("log_loss", y, a, b)
    crossed = paired_difference("log_loss", y, a, b, folds=np.arange(300) % 5)
    assert crossed.standard_error == pytest.approx(1.5 * plain.standard_error, rel=0.05)
    assert crossed.value == pytest.approx(plain.value, rel=0.02)


def test_a_rung_that_the_budget_cut_short_is_not_beaten_in_a_fair_race(world) -> None:
    y, predict = world
    dense, trees = rung("dense", predict(0.4), cut=True), rung("trees", predict(0.5), cut=True)
    rungs = [rung("majority", GUESS), rung("neuron", predict(0.7)), dense, trees]
    found = choose(rungs, "roc_auc", y)
    assert found.headline.endswith(
        "two hidden layers (cut short by the time budget) do no better, which a longer --budget "
        "may change: use the single neuron."
    )
    said = " ".join(found.sentences)
    assert "Gradient-boosted trees (cut short by the time budget) reach" in said
    assert "a longer --budget makes this a fair comparison" in said
    assert "holds against" not in said
    assert said.count("a longer --budget") == 2  # once a rung
    assert "On rows held out from learning: of 100 random pairs" in said
    guess = choose([rung("majority", GUESS), rung("dense", predict(0.0), cut=True)], "roc_auc", y)
    assert guess.headline.endswith("no training came to its end: try again with a longer --budget.")


def test_trees_that_win_although_they_were_cut_short_are_to_be_considered(world) -> None:
    y, predict = world
    rungs = [rung("neuron", predict(0.3)), rung("trees", predict(0.9), cut=True)]
    assert "do better here: consider them" in choose(rungs, "roc_auc", y).why


@pytest.mark.parametrize(
    ("size", "error", "said"),
    [
        (0.0123, 0.0046, "0.012 (± 0.005)"),
        (0.0012, 0.0003, "0.0012 (± 0.0003)"),  # was "0.001 (± 0.000)"
        (0.0003, 0.0041, "0.0003 (± 0.0041)"),
        (0.00004, 0.002, "0.00004 (± 0.00200)"),
        (0.0021, 0.000001, "0.002 (± less than 0.001)"),
        (0.000002, 0.0000001, "less than 0.001"),
        (0.02, 0.0, "0.020 (± 0.000)"),
        (-0.02, 0.004, "0.020 (± 0.004)"),
    ],
)
def test_a_difference_is_never_written_as_nothing(size, error, said) -> None:
    gap = Difference(size, size - error, size + error, error, 0.5)
    assert _amount(METRICS["roc_auc"], gap) == said
