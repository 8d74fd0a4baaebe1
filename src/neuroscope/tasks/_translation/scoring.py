"""What a translated sentence counts in BLEU and chrF, by sacrebleu, and the packed predictions."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from neuroscope.judge import _translations as packing

MOST_TRANSLATED = 1000  # sentences of a set that are written; the bits are those of all


@cache
def _metrics() -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415 - only where there are translations
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415

    logging.getLogger("sacrebleu").setLevel(logging.ERROR)  # it remarks on tokenised text
    return BLEU(), CHRF()


def signatures() -> dict[str, str]:
    """Return how sacrebleu writes down what it computes, as published scores quote it."""
    found = {}
    for name, metric in zip(("bleu", "chrf"), _metrics(), strict=True):
        metric.corpus_score(["a"], [["a"]])  # the signature is known once it has scored
        found[name] = str(metric.get_signature())
    return found


def counts(written: Sequence[str], references: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the counts of BLEU (n, 10) and of chrF (n, 18) of each sentence."""
    if not len(written):
        return np.zeros((0, 10)), np.zeros((0, 18))
    said: Any = [list(references)]
    bleu, chrf = (
        np.array(metric._extract_corpus_statistics(list(written), said), float)
        for metric in _metrics()
    )
    return bleu, chrf


def packed(
    bits: np.ndarray, rows: np.ndarray, written: Sequence[str], references: Sequence[str]
) -> np.ndarray:
    """Return predictions (n, 31) of n pairs of which `rows` (positions) were translated."""
    n = len(bits)
    wanted = [references[int(row)] for row in rows]
    bleu, chrf = counts(written, wanted)
    whole = np.zeros((n, 1 + bleu.shape[1] + chrf.shape[1]))
    same = np.array([a == b for a, b in zip(written, wanted, strict=True)], bool)
    whole[rows] = np.column_stack([same, bleu, chrf]) if len(rows) else 0.0
    translated = np.zeros(n, bool)
    translated[rows] = True
    return packing.packed(bits, translated, whole[:, 0], whole[:, 1:11], whole[:, 11:])


def translated_rows(n: int, most: int = MOST_TRANSLATED) -> np.ndarray:
    """Return which of n pairs are translated to be scored: all, or evenly spread ones."""
    return np.arange(n) if n <= most else np.unique(np.linspace(0, n - 1, most).astype(np.int64))
