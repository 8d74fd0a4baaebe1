"""Judge word vectors on another text: are its neighbours told from noise?"""

from __future__ import annotations

from typing import Any

from neuroscope.base.errors import InputError, NeuroscopeError
from neuroscope.base.events import Monitor, Progress
from neuroscope.data.table import Table
from neuroscope.judge.intervals import Resampling, bootstrap
from neuroscope.judge.metrics import METRICS
from neuroscope.tasks._words.model import WordModel
from neuroscope.tasks._words.posing import corpus_of
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._word_vectors.prepare import text_column


def judge(model: WordModel, table: Table, *, seed: int, monitor: Monitor) -> dict[str, Any]:
    """Score the model on the passages of a text, of which only the words it knows count."""
    card = model.artefact.card
    try:
        known = card.target in table.names
        column = text_column(table, DataOptions(target=card.target if known else None))
        corpus = corpus_of([text for text in table.arrow.column(column).to_pylist() if text])
        questions = model.encoder.questions(corpus, seed)
        if not len(questions.row):
            raise InputError("no two words that the model knows stand together in this text",
                             remedy="give text of the same language")  # fmt: skip
    except NeuroscopeError as error:
        raise error.at(table.origin.text) from error
    y, p = questions.asked(), model.learner.predict(questions)
    metric = METRICS["neighbour_ranking"]
    found = bootstrap(metric, y, p, Resampling(seed=seed))
    value, tokens = metric(y, p), len(corpus.tokens)
    share = len(corpus.known(model.encoder.words).tokens) / max(tokens, 1)
    monitor(Progress(label="judging", done=3, total=3))
    return {
        "model": str(model.artefact.path), "source": table.origin.text, "target": column,
        "rung": card.learner, "kind": "words", "positive": "", "rows": len(y), "threshold": None,
        "metric": {"name": metric.name, "title": metric.title, "meaning": metric.words(value)},
        "scores": [{
            "name": metric.name, "title": metric.title, "value": value,
            "interval": [found.low, found.high], "greater_is_better": True,
            "in_target_units": False, "meaning": metric.words(value),
        }],
        "test_when_trained": dict(card.metrics),
        "warnings": [],
        "notes": [f"{share:.0%} of the {tokens:,} words of the text have a vector; texts that the "
                  "model was trained on flatter it, and are not known again"],
        "seen_in_training": None,
    }  # fmt: skip
