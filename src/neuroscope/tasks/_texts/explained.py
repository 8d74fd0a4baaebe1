"""Which words decide: exactly for the neuron, by leaving them out for deeper nets."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from neuroscope.data.text.words import spans
from neuroscope.explain.occlusion import effects
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._net import NetLearner
from neuroscope.tasks._texts.encoders import BagEncoder

_MOST_TERMS = 15  # of each class
_MOST_CHARACTERS = 1500  # of a text that is shown


def is_neuron(learner: Learner) -> bool:
    """Say whether a learner is one layer of neurons on a bag of words."""
    one = isinstance(learner, NetLearner) and len(learner.network.activations) == 1
    return one and isinstance(learner.encoder, BagEncoder)


def class_weights(learner: Learner, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return for each class the terms that speak for it most, with their weights.

    A weight is what a term of tf-idf 1 adds to the log-odds: of two classes those of the class, of
    several those against the mean class. Empty where terms are hashed, and for other learners.
    """
    if not is_neuron(learner):
        return []
    terms, weights = learner.encoder.bag.terms, _against_mean(learner)  # type: ignore[union-attr]
    if not terms or not classes:
        return []
    found = []
    for place, name in enumerate(classes):
        order = np.argsort(-weights[:, place], kind="stable")[:_MOST_TERMS]
        found.append({"class": str(name), "terms": [
            {"term": terms[i], "weight": float(weights[i, place])} for i in order
            if weights[i, place] > 0
        ]})  # fmt: skip
    return found


def marked(learner: Learner, text: str, of: int) -> list[dict[str, Any]]:
    """Return a text in pieces, each with what it adds to the answer `of`; 0 between words."""
    text = text[:_MOST_CHARACTERS]
    places = spans(text)
    if is_neuron(learner):
        found = _shares(learner, text, [word for _, _, word in places], of)
    else:
        found = effects(lambda texts: _answer(learner, texts), text,
                        [(first, last) for first, last, _ in places], of)  # fmt: skip
    pieces, at = [], 0
    for (first, last, _), effect in zip(places, found, strict=True):
        if first > at:
            pieces.append({"text": text[at:first], "effect": 0.0})
        pieces.append({"text": text[first:last], "effect": float(effect)})
        at = last
    if at < len(text):
        pieces.append({"text": text[at:], "effect": 0.0})
    return pieces


def _answer(learner: Learner, texts: list[str]) -> np.ndarray:
    return learner.predict(learner.encoder.encode(texts))  # type: ignore[union-attr]


def _against_mean(learner: Any) -> np.ndarray:
    """Return the weights of each term for each class (terms, classes)."""
    weights = learner.network.layer(0)[0].astype(np.float64)
    if weights.shape[1] == 1:
        return np.hstack([-weights, weights])
    return weights - weights.mean(axis=1, keepdims=True)


def _shares(learner: Any, text: str, words: list[str], of: int) -> np.ndarray:
    """Return what each word adds to the log-odds; a pair's share goes half to each of its words."""
    bag, weights = learner.encoder.bag, _against_mean(learner)[:, of]
    columns, numbers = learner.encoder.encode([text]).row(0)
    adds = dict(zip(columns.tolist(), (numbers * weights[columns]).tolist(), strict=True))
    places = [[bag.place(word)] for word in words]
    counts: dict[int, int] = {}
    parts = [(place[0], (i,)) for i, place in enumerate(places)]
    if bag.pairs:
        parts += [(bag.place(f"{one} {two}"), (i, i + 1))
                  for i, (one, two) in enumerate(pairwise(words))]  # fmt: skip
    for column, _ in parts:
        counts[column] = counts.get(column, 0) + 1
    found = np.zeros(len(words))
    for column, inside in parts:
        if column in adds:
            found[list(inside)] += adds[column] / counts[column] / len(inside)
    return found
