"""After a climb of text making: what each rung writes, and whether that is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.events import Progress
from neuroscope.data.text.tokeniser import END, START
from neuroscope.tasks._learning import Learner
from neuroscope.tasks._writing.copies import copies
from neuroscope.tasks._writing.nets import allowed
from neuroscope.tasks._writing.posing import Texts
from neuroscope.verbs._writing.prepare import about

if TYPE_CHECKING:
    from neuroscope.verbs._climb.conclude import Conclusion

_LENGTH = 600  # characters of a text that goes on
_TEXTS = {True: 4, False: 200}  # that are written for the check: of one text, of documents
_SHOWN = {True: 2, False: 24}
_TEMPERATURE = 0.8


def writing_view(end: Conclusion, learner: Learner) -> dict[str, Any]:
    """Return the block "writing" of a result: samples of the chosen rung, checked for copies."""
    problem = end.problem
    texts = Texts.of(problem)
    end.climb.monitor(Progress(label="writing some text", done=0, total=1))
    written = samples(learner, _TEXTS[texts.one])
    learned = [texts.pieces[row] for row in problem.split.development]
    found = copies(written, learned, whole=not texts.one)
    known = set(learned)
    new = written if texts.one else [text for text in written if text not in known]
    held = {texts.pieces[row] for row in problem.split.test}
    unknown = _unknown(end, learner)
    end.climb.monitor(Progress(label="writing some text", done=1, total=1))
    return {
        "one": texts.one,
        "temperature": _TEMPERATURE,
        "samples": list(dict.fromkeys(new or written))[: _SHOWN[texts.one]],
        "copies": {"texts": found.texts, "copied": found.copied, "share": found.share,
                   "longest": found.longest, "sentence": found.sentence},
        "unseen": sum(text in held for text in set(new)) if not texts.one else None,
        "unknown": unknown,
        "about": about([texts.pieces[row] for row in problem.split.development]),
    }  # fmt: skip


def samples(learner: Learner, count: int) -> list[str]:
    """Return texts that a learner writes without a prompt."""
    from neuroscope.nets.sampling import Sampling, write  # noqa: PLC0415 - imports torch

    encoder: Any = learner.encoder
    tokeniser, ends = encoder.tokeniser, encoder.ends
    reader: Any = learner.reader()  # type: ignore[attr-defined]
    tokens = write(
        reader, [START] if ends else tokeniser.encode_one(encoder.begin), count=count,
        length=_LENGTH, sampling=Sampling(_TEMPERATURE), chance=randomness.generator(0, "samples"),
        allowed=allowed(encoder), end=END if ends else None,
    )  # fmt: skip
    rows = np.stack(list(tokens), 1)
    return [tokeniser.decode(row) for row in rows]


def _unknown(end: Conclusion, learner: Learner) -> str:
    """Say which characters of the test pieces never stood in the training text."""
    encoder: Any = learner.encoder
    texts = Texts.of(end.problem)
    seen = set(encoder.tokeniser.tokens)
    new = {sign for row in end.problem.split.test for sign in texts.pieces[row]} - seen
    if not new:
        return ""
    shown = " ".join(sorted(new)[:10])
    return (f"{len(new)} kinds of characters of the test text never stood in the training text "
            f"({shown}); the model can only be surprised by them.")  # fmt: skip
