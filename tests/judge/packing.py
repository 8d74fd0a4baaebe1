"""Truths and answers of kinds that pack them: any numbers of the right shape and order."""

from __future__ import annotations

import numpy as np

from neuroscope.judge import _forecasts, _translations


def of_kind(kind: str, random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the truth and the answers of `rows` rows of a kind whose answers are packed."""
    if kind == "forecast":
        truth = random.normal(size=(rows, 1))
        said = truth + 1 + random.uniform(size=(rows, 1))
        return _forecasts.packed(truth, np.ones(rows), np.ones(rows)), said
    counts = random.integers(5, 30, (rows, 1)).astype(float)
    if kind != "translation":
        return counts, counts * random.uniform(0.1, 0.9, (rows, 1))
    written = random.integers(8, 30, rows)
    bleu = np.column_stack([written, written + 1, *(written - n for n in (3, 4, 5, 6)),
                            *(written - n for n in range(4))])  # fmt: skip
    chrf = np.column_stack([part for n in range(6) for part in (written, written + 1, written - n)])
    exact, translated = random.random(rows) < 0.4, np.ones(rows, bool)
    bits = counts[:, 0] * random.uniform(1, 3, rows)
    return counts, _translations.packed(bits, translated, exact, bleu, chrf)
