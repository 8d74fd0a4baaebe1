"""What a run on texts shows: the words that decided, rung by rung, mistakes, doubtful labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.events import Progress
from neuroscope.base.wording import counted, percent
from neuroscope.data.audit import Finding
from neuroscope.data.audit.labels import doubted
from neuroscope.tasks._learning import Learner, Watch
from neuroscope.tasks._texts.encoders import Store
from neuroscope.tasks._texts.explained import class_weights, is_neuron, marked
from neuroscope.verbs._climb.trials import FAILURES

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion, Outcome

_MISTAKES = 12
_SUSPECTS = 12
_MOST_CLASSES = 6  # of which a text is shown with the words that decided
_EXAMPLE = 90  # characters of a text in a sentence


def views(end: Conclusion, learner: Learner, tested: Outcome) -> dict[str, Any]:
    """Return {"texts": block} for classes of texts, else nothing."""
    problem, rung = end.problem, end.choice.chosen
    if problem.kind == "regression" or rung == "majority":
        return {}
    end.climb.monitor(Progress(label="marking the words that decided", done=0, total=1))
    neuron = learner if is_neuron(learner) else _neuron(end)
    readers = {rung: learner} | ({"neuron": neuron} if neuron is not None else {})
    titles = {name: _title(end, name) for name in readers}
    decided = _decided(tested)
    block = {
        "rung": rung,
        "title": titles[rung],
        "weights": [] if neuron is None else class_weights(neuron, problem.codec.classes),
        "weights_of": "" if neuron is None else titles["neuron"],
        "examples": _examples(end, readers, titles, tested, decided),
        "mistakes": _mistakes(end, learner, tested, decided),
        "suspects": _suspects(end),
    }
    end.climb.monitor(Progress(label="marking the words that decided", done=1, total=1))
    return {"texts": {name: part for name, part in block.items() if part}}


def suspect_labels(end: Conclusion) -> tuple[Finding, ...]:
    """Return the finding on labels that the chosen rung doubts, of texts it had not seen."""
    problem = end.problem
    if problem.kind == "regression" or end.choice.chosen == "majority":
        return ()
    held, worst = end.climb.held_out, doubted(end.held_y, end.held)
    if not len(worst):
        return ()
    classes, texts = problem.codec.classes, Store.of(problem).texts
    said = [
        f"row {held[i] + 1} ({_short(texts[held[i]])!r}) is labelled"
        f" {classes[end.held_y[i]]!r}, reads like {classes[end.held[i].argmax()]!r}"
        for i in worst[:2]
    ]
    share = len(worst) / len(held)
    return (Finding(
        code="suspect-labels",
        severity="notice" if share > 0.01 else "info",
        column=problem.codec.column,
        count=len(worst),
        rows=tuple(int(held[i]) + 1 for i in worst[:5]),
        what=f"doubtful labels: {counted(len(worst), 'text')} of {len(held):,}, {percent(share)}:"
        f" {'; '.join(said)}",
        meaning="a model that has not seen these texts is sure of another class; some are wrong"
        " labels, some are rare true cases",
        remedy="read the texts named, the most doubtful first, and correct what is wrong",
    ),)  # fmt: skip


def _title(end: Conclusion, name: str) -> str:
    return end.climb.task.RUNGS.get(name).TITLE


def _neuron(end: Conclusion) -> Learner | None:
    """Return the neuron, fitted once more as it was: its weights can be read."""
    run = end.climb.runs.get("neuron")
    if run is None or run.status != "done" or run.recipe is None:
        return None
    training = end.problem.training(end.problem.split.development)
    seconds = end.climb.budget.left(0.3)
    try:
        watch = Watch("neuron", -2, seconds=seconds, stop=end.climb.stop)
        return end.climb.task.RUNGS.get("neuron").fit(training, run.recipe, watch)
    except FAILURES:
        return None


def _decided(tested: Outcome) -> np.ndarray:
    if tested.p.shape[1] == 2:
        return (tested.p[:, 1] >= tested.threshold).astype(np.int64)
    return tested.p.argmax(axis=1)


def _examples(
    end: Conclusion, readers: dict[str, Learner], titles: dict[str, str], tested: Outcome,
    decided: np.ndarray,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return of each class the test text in the middle of those named rightly, with marks."""
    found = []
    for place in range(min(len(end.problem.codec.classes), _MOST_CLASSES)):
        right = np.flatnonzero((decided == place) & (tested.y == place))
        if not len(right):
            continue
        order = right[np.argsort(tested.p[right, place], kind="stable")]
        at = int(order[len(order) // 2])
        entry = _entry(end, tested, at, place)
        text = Store.of(end.problem).texts[int(tested.rows[at])]
        entry["marks"] = [
            {"rung": name, "title": titles[name], "pieces": marked(one, text, place)}
            for name, one in readers.items()
        ]
        found.append(entry)
    return found


def _mistakes(
    end: Conclusion, learner: Learner, tested: Outcome, decided: np.ndarray
) -> list[dict[str, Any]]:
    """Return the mistakes on the test texts, the most confident first."""
    wrong = np.flatnonzero(decided != tested.y)
    sure = tested.p[wrong, decided[wrong]]
    found = []
    for at in wrong[np.argsort(-sure, kind="stable")[:_MISTAKES]]:
        entry = _entry(end, tested, int(at), int(decided[at]))
        text = Store.of(end.problem).texts[int(tested.rows[at])]
        found.append(entry | {"pieces": marked(learner, text, int(decided[at]))})
    return found


def _entry(end: Conclusion, tested: Outcome, at: int, said: int) -> dict[str, Any]:
    classes = end.problem.codec.classes
    return {
        "row": int(tested.rows[at]) + 1,
        "truth": str(classes[int(tested.y[at])]),
        "predicted": str(classes[said]),
        "probability": float(tested.p[at, said]),
    }


def _suspects(end: Conclusion) -> list[dict[str, Any]]:
    """Return the labels that the chosen rung doubts most, of texts it had not seen."""
    classes, texts = end.problem.codec.classes, Store.of(end.problem).texts
    held, p = end.climb.held_out, end.held
    return [
        {"row": int(held[i]) + 1, "truth": str(classes[end.held_y[i]]),
         "predicted": str(classes[p[i].argmax()]), "probability": float(p[i].max()),
         "text": texts[held[i]][:400]}
        for i in doubted(end.held_y, p)[:_SUSPECTS]
    ]  # fmt: skip


def _short(text: str) -> str:
    text = " ".join(text[: 2 * _EXAMPLE].split())
    return text if len(text) <= _EXAMPLE else f"{text[:_EXAMPLE]}…"
