"""BLEU, chrF, exact ones and bits of translations: sacrebleu's figures, also of resampled rows."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu

from neuroscope.base.errors import InputError
from neuroscope.judge import _translations as packing
from neuroscope.judge.choice import RungScore, choose
from neuroscope.judge.intervals import bootstrap
from neuroscope.judge.metrics import METRICS, applicable, primary_metric, scores
from neuroscope.tasks._translation import scoring

WRITTEN = ["the cat sat on the mat .", "a dog", "nothing alike", "hello world foo bar baz", "", "x"]
REFERENCES = [
    "the cat sat on a mat .", "the dog ran", "ABC", "hello world foo bar qux", "is empty", "x",
]  # fmt: skip


def _packed(written: list[str], references: list[str]) -> np.ndarray:
    rows = np.arange(len(written))
    return scoring.packed(np.arange(len(written), dtype=float) + 1, rows, written, references)


def _truth(references: list[str]) -> np.ndarray:
    return np.array([[len(text) + 1.0] for text in references])


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4, 5], [0], [1], [2], [3], [4], [5], [2, 4], [1, 5]])
def test_scores_are_those_of_sacrebleu(rows: list[int]) -> None:
    written, references = [WRITTEN[r] for r in rows], [REFERENCES[r] for r in rows]
    found = scores("translation", _truth(references), _packed(written, references))
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(written, [references]).score)
    assert found["chrf"] == pytest.approx(sacrebleu.corpus_chrf(written, [references]).score)
    same = [w == r for w, r in zip(written, references, strict=True)]
    assert found["exact_match"] == pytest.approx(np.mean(same))


def test_resampled_rows_score_as_if_they_had_been_written_so_often() -> None:
    weights = np.array([2, 0, 1, 3, 1, 0])
    chosen = [row for row, times in enumerate(weights) for _ in range(times)]
    written, references = ([side[row] for row in chosen] for side in (WRITTEN, REFERENCES))
    y, p = _truth(REFERENCES), _packed(WRITTEN, REFERENCES)
    for name in ("bleu", "chrf", "exact_match", "reference_bits"):
        again = METRICS[name](_truth(references), _packed(written, references))
        if name == "reference_bits":
            again = float(weights @ p[:, 0] / (weights @ y[:, 0]))
        assert METRICS[name](y, p, weights.astype(float)) == pytest.approx(again)


def test_bits_are_of_all_rows_and_scores_of_those_that_were_translated() -> None:
    y = _truth(REFERENCES)
    p = scoring.packed(np.full(6, 12.0), np.array([0, 5]), [WRITTEN[0], WRITTEN[5]], REFERENCES)
    found = scores("translation", y, p)
    assert found["reference_bits"] == pytest.approx(72 / y.sum())
    assert found["exact_match"] == 0.5
    pair = [WRITTEN[0], WRITTEN[5]], [[REFERENCES[0], REFERENCES[5]]]
    assert found["bleu"] == pytest.approx(sacrebleu.corpus_bleu(*pair).score)
    none = scoring.packed(np.full(6, 12.0), np.array([], int), [], REFERENCES)
    assert np.isnan(scores("translation", y, none)["bleu"])


def test_intervals_and_choice_work_on_packed_predictions() -> None:
    random = np.random.default_rng(0)
    references = [" ".join(random.choice(list("abcdefg"), 6)) for _ in range(60)]
    spoiled = [text[:-2] + " z" if row % 2 else text for row, text in enumerate(references)]
    worse = [text[::-1] for text in references]
    y = _truth(references)
    good, bad = (
        scoring.packed(np.full(60, bits), np.arange(60), written, references)
        for bits, written in ((10.0, spoiled), (30.0, worse))
    )
    interval = bootstrap("bleu", y, good)
    assert interval.low < interval.value < interval.high
    rungs = [RungScore("dictionary", "a dictionary", 0, bad), RungScore("gru", "a GRU", 1, good)]
    assert choose(rungs, "reference_bits", y).chosen == "gru"


def test_kind_says_what_decides_and_what_is_told() -> None:
    assert primary_metric("translation", np.ones((3, 1)))[0] == "reference_bits"
    names = [metric.name for metric in applicable("translation")]
    assert names == ["reference_bits", "bleu", "chrf", "exact_match"]


@pytest.mark.parametrize("shape", [(3, packing.WIDTH - 1), (2, packing.WIDTH)])
def test_other_shapes_are_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="needs truths"):
        METRICS["bleu"](np.ones((3, 1)), np.zeros(shape))


def test_rows_that_are_translated_are_spread_evenly() -> None:
    assert scoring.translated_rows(5).tolist() == [0, 1, 2, 3, 4]
    found = scoring.translated_rows(5000)
    assert len(found) == scoring.MOST_TRANSLATED
    assert (found[0], found[-1]) == (0, 4999)


def test_signatures_say_how_scores_are_computed() -> None:
    found = scoring.signatures()
    assert "tok:13a" in found["bleu"]
    assert "nc:6" in found["chrf"]
