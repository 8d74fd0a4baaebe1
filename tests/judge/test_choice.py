"""The choice of a rung: each verdict on simulated ladders, and the words it is told in."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from neuroscope.base.errors import InputError, WorkError
from neuroscope.judge.choice import Choice, RungScore, choose
from neuroscope.judge.intervals import Resampling, paired_difference

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


def test_better_trees_are_named_and_not_chosen(world) -> None:
    y, predict = world
    rungs = [rung("majority", GUESS), rung("neuron", predict(0.6)), rung("trees", predict(0.9))]
    found = choose(rungs, "roc_auc", y)
    assert (found.chosen, found.best, found.yardstick_better) == ("neuron", "neuron", True)
    assert any(s.endswith("trees do better here: consider them.") for s in found.sentences)
    worse = choose([*rungs[:2], rung("trees", predict(0.4))], "roc_auc", y)
    assert not worse.yardstick_better
    assert any("the single neuron holds against" in s for s in worse.sentences)


def test_one_rung_alone_is_reported_as_such(world) -> None:
    y, predict = world
    alone = choose([rung("neuron", predict(0.7))], "roc_auc", y)
    assert (alone.chosen, alone.verdict) == ("neuron", "only")
    assert "nothing to choose from" in alone.headline
    above = choose([rung("majority", GUESS), rung("neuron", predict(0.7))], "roc_auc", y)
    assert above.verdict == "only"
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


def test_the_plan_weights_and_groups_reach_the_comparison(world) -> None:
    y, predict = world
    rungs = [rung("neuron", predict(0.7)), rung("dense", predict(0.72, own=0.4))]
    plain = choose(rungs, "roc_auc", y)
    few = choose(rungs, "roc_auc", y, Resampling(resamples=100))
    assert "100 resamples" in few.sentences[-1]
    grouped = choose(rungs, "roc_auc", y, groups=np.arange(ROWS) // 100)
    weighted = choose(rungs, "roc_auc", y, weights=1.0 + (np.arange(ROWS) % 2))
    assert grouped.intervals["neuron"].low != plain.intervals["neuron"].low
    assert weighted.intervals["neuron"].value != plain.intervals["neuron"].value


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
