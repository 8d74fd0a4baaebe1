"""After a climb of translations: sentences side by side, the worst, and where words look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.judge import _translations as packing
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._translation import nets, scoring
from neuroscope.tasks._translation.sentences import Sentences

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome

_SHOWN, _WORST, _LOOKED_AT = 10, 10, 3
_SHORT = (4, 14)  # words of a sentence whose attention can be drawn
_PEEKED = 200  # sentences that the worst are found among


def translation_view(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    """Return the block "translation" of a result, about the test pairs."""
    assert learner.encoder is not None
    x: Sentences = learner.encoder.transform(end.problem.table, tested.rows).x
    rows = scoring.translated_rows(len(x), _PEEKED)
    some = x.some(rows)
    written = learner.write(some.source)  # pyright: ignore[reportAttributeAccessIssue]
    numbers, bits = tested.rows[rows] + 1, tested.p[rows, 0]
    each = packing.chrf_of(scoring.counts(written, some.references)[1])
    told = [
        {"row": int(numbers[i]), "source": some.source[i], "output": written[i],
         "reference": some.references[i], "chrf": float(each[i]),
         "bits": float(bits[i] / (len(some.references[i]) + 1))}
        for i in range(len(rows))
    ]  # fmt: skip
    evenly = scoring.translated_rows(len(told), _SHOWN)
    order = np.lexsort((-bits, each))
    wrong = [at for at in order if told[at]["output"] != told[at]["reference"]]
    return {
        "source": end.problem.schema.features[0].name, "target": end.problem.codec.column,
        "beam": nets.BEAM, "length_penalty": nets.LENGTH_PENALTY,
        "translated": len(scoring.translated_rows(len(x))),
        "signatures": scoring.signatures(),
        "rungs": _rungs(end),
        "examples": [told[at] for at in evenly],
        "worst": [told[at] for at in wrong[:_WORST]],
        "attention": _attention(learner, told),
    }  # fmt: skip


def _rungs(end: Conclusion) -> list[dict[str, Any]]:
    """Return BLEU, chrF and exact ones of each rung on the held-out pairs, with intervals."""
    from neuroscope.judge.intervals import bootstrap  # noqa: PLC0415

    climb, found = end.climb, []
    held = climb.problem.y[climb.held_out]
    for rung in climb.rungs:
        run = climb.runs[rung.__name__.rpartition(".")[2]]
        if run.status != "done":
            continue
        record: dict[str, Any] = {"name": run.name, "title": rung.TITLE}
        for name in ("bleu", "chrf", "exact_match"):
            one = bootstrap(name, held, climb.predictions(run), climb.resampling)
            record[name] = [one.value, one.low, one.high]
        found.append(record)
    return found


def _attention(learner: Learner, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return where a few written sentences look, token by token; nothing where a rung does not."""
    if not hasattr(learner, "attention"):
        return []
    low, high = _SHORT
    fits = [one for one in told if low <= len(one["source"].split()) <= high and one["output"]]
    found = []
    for one in (fits or told)[:_LOOKED_AT]:
        read, said, weights = learner.attention(one["source"], one["output"])  # pyright: ignore[reportAttributeAccessIssue]
        if len(read) and len(said) <= 60 and len(read) <= 60:
            found.append({"source": read, "output": said,
                          "weights": np.round(weights, 3).tolist()})  # fmt: skip
    return found
