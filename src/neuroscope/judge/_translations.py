"""The arithmetic of translations: bits, BLEU, chrF and exact ones, from counts of each sentence.

The truth of n pairs is (n, 1): characters of the reference, its end counted as one. What a model
makes of them is packed, (n, 31):

    bits        -log2 p(reference | source), its end included
    translated  1 where the model wrote the sentence, so that the counts behind are known; else 0
    exact       1 where it wrote the reference, character for character
    bleu        10 counts: tokens written, tokens of the reference, and of 1- to 4-grams those that
                are found in it and those that there are
    chrf        18 counts: of 1- to 6-grams of characters those written, those of the reference and
                those in both

BLEU (Papineni et al. 2002) and chrF2 (Popović 2015) are scores of a whole set: they follow from the
sums of these counts, so that resampled rows are scored without counting again. Both, with their
rules for counts of 0, are as sacrebleu defines them (Post 2018), from 0 to 100.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neuroscope.base.errors import InputError
from neuroscope.judge._arithmetic import Evaluate, Prepare, ratio

BLEU_ORDER, CHRF_ORDER = 4, 6
BETA = 2.0  # recall counts so many times as much as precision in chrF
_BLEU = 3
_CHRF = _BLEU + 2 + 2 * BLEU_ORDER
WIDTH = _CHRF + 3 * CHRF_ORDER


def packed(
    bits: np.ndarray,  # (n,)
    translated: np.ndarray,  # (n,) bool
    exact: np.ndarray,  # (n,) bool
    bleu: np.ndarray,  # (n, 10)
    chrf: np.ndarray,  # (n, 18)
) -> np.ndarray:
    """Return predictions (n, 31); counts of rows that were not translated are left out."""
    counts = np.column_stack([exact, bleu, chrf]) * translated[:, None]
    return np.column_stack([bits, translated, counts]).astype(np.float64)


def check(title: str, y: np.ndarray, p: np.ndarray) -> None:
    """Refuse truths and predictions of other shapes than (n, 1) and (n, 31) (InputError)."""
    if y.ndim != 2 or y.shape[1] != 1 or p.shape != (len(y), WIDTH):
        raise InputError(
            f"{title} needs truths (n, 1) and predictions (n, {WIDTH}), got {y.shape} and {p.shape}"
        )


def bits_per_character(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
    """Bits of the references over their characters."""
    return lambda W: ratio(W @ p[:, 0], W @ y[:, 0])


def exact(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
    """Share of the translated sentences that equal their reference."""
    return lambda W: ratio(W @ p[:, 2], W @ p[:, 1])


def of_counts(score: Callable[[np.ndarray], np.ndarray], first: int, last: int) -> Prepare:
    """Return the metric that `score` computes of the summed counts in columns first to last."""

    def prepare(y: np.ndarray, p: np.ndarray, threshold: float) -> Evaluate:  # noqa: ARG001
        def evaluate(W: np.ndarray) -> np.ndarray:
            return np.where(W @ p[:, 1] > 0, score(W @ p[:, first:last]), np.nan)

        return evaluate

    return prepare


def bleu_of(counts: np.ndarray) -> np.ndarray:
    """Return BLEU (m,) of summed counts (m, 10).

    100 * min(1, exp(1 - reference / written)) * exp(mean_n log p_n), p_n the share of n-grams that
    are found. Where none is found, the first time 1/2 of one, then 1/4, ... ("exp" smoothing, of
    NIST's mteval); where there is not one unigram in common, 0; no n-grams of an order at all: 0.
    """
    written, reference = counts[:, 0], counts[:, 1]
    right, total = counts[:, 2 : 2 + BLEU_ORDER], counts[:, 2 + BLEU_ORDER :]
    none = (right == 0) & (total > 0)
    smoothed = np.where(none, 0.5 ** np.cumsum(none, axis=1), right)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(total > 0, smoothed / total, 0.0)
        short = np.where(written < reference, np.exp(1 - reference / written), 1.0)
        score = 100 * short * np.exp(np.log(shares).mean(axis=1))
    return np.where(right.any(axis=1) & (written > 0), score, 0.0)


def chrf_of(counts: np.ndarray) -> np.ndarray:
    """Return chrF2 (m,) of summed counts (m, 18).

    100 * (1 + 4) P R / (4 P + R), P and R the means of precision and recall over the orders that
    occur on both sides.
    """
    by_order = counts.reshape(len(counts), CHRF_ORDER, 3)
    written, reference, both = (by_order[:, :, place] for place in range(3))
    counted = (written > 0) & (reference > 0)
    orders = np.maximum(counted.sum(axis=1), 1)
    precision, recall = (
        np.divide(both, under, out=np.zeros_like(both), where=counted).sum(axis=1) / orders
        for under in (written, reference)
    )
    below = BETA**2 * precision + recall
    above = (1 + BETA**2) * precision * recall
    return 100 * np.divide(above, below, out=np.zeros_like(below), where=below > 0)


bleu = of_counts(bleu_of, _BLEU, _CHRF)
chrf = of_counts(chrf_of, _CHRF, WIDTH)
