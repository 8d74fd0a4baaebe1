"""The texts of a verb's answer, in words that fit the data: pictures are no rows."""

from __future__ import annotations

from typing import Any

from neuroscope.base.nouns import called_in, noun_of

_TEXTS = (
    "metric.meaning", "why", "headline", "sentences", "learning_curve.sentence",
    "threshold.sentence", "threshold.reason", "calibration.sentence", "detection.sentence",
    "cost.sentence", "split.reason", "split.notes", "recipe.reasons", "rungs.*.recipe.reasons",
    "scores.*.meaning", "groups.sentences", "findings.*.what", "findings.*.meaning",
    "findings.*.remedy", "dropped.*.reason", "target.reason", "blockers",
)  # fmt: skip


def fitting_words(answer: dict[str, Any], task: str) -> dict[str, Any]:
    """Return an answer that says what its rows are called ("noun"), and calls them so."""
    noun = noun_of(task)
    return called_in(answer, _TEXTS, noun) | {"noun": noun}
