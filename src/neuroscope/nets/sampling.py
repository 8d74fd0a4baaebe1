"""How a net writes: it draws the next token, reads it, and draws again.

    temperature  divides the logits: below 1 the likely becomes likelier; 0 takes the likeliest
    top_k        only the k likeliest tokens may be drawn (Fan et al. 2018, 1805.04833)
    top_p        only the likeliest tokens that together have probability p (Holtzman et al. 2020,
                 1904.09751, "nucleus")

The chances are drawn in float64 on the processor from a generator of one seed, so that the same
seed writes the same text on one machine, whatever else runs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from neuroscope.base.errors import InputError
from neuroscope.nets._language import Language

_KEPT = 0.5  # of a full memory that is read again when it begins anew


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn."""

    temperature: float = 1.0  # 0 takes the likeliest
    top_k: int = 0  # 0: all
    top_p: float = 1.0  # (0, 1]; 1: all

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InputError(f"temperature is {self.temperature:g}",
                             remedy="give a number of 0 or more; 0.8 is usual")  # fmt: skip
        if self.top_k < 0:
            raise InputError(f"top-k is {self.top_k}", remedy="give 1 or more; 0 allows all")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top-p is {self.top_p:g}", remedy="give a number above 0, up to 1")

    def probabilities(
        self,
        logits: np.ndarray,  # (n, vocabulary)
        allowed: np.ndarray | None = None,  # (vocabulary,) bool
    ) -> np.ndarray:
        """Return the chances (n, vocabulary) of each token; each row sums to 1."""
        scores = logits.astype(np.float64)
        if allowed is not None:
            scores = np.where(allowed, scores, -np.inf)
        if self.temperature == 0:
            return np.eye(scores.shape[1])[scores.argmax(1)]
        scores = (scores - scores.max(1, keepdims=True)) / self.temperature
        order = np.argsort(-scores, axis=1, kind="stable")
        chances = np.exp(np.take_along_axis(scores, order, 1))
        if self.top_k:
            chances[:, self.top_k :] = 0.0
        chances /= chances.sum(1, keepdims=True)
        before = np.cumsum(chances, axis=1) - chances
        chances[before >= self.top_p] = 0.0  # the likeliest has nothing before it and stays
        found = np.empty_like(chances)
        np.put_along_axis(found, order, chances / chances.sum(1, keepdims=True), 1)
        return found


def draw(chances: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Return one token for each row of chances (n, vocabulary)."""
    sums = np.cumsum(chances, axis=1)
    at = chance.random((len(chances), 1)) * sums[:, -1:]
    return np.minimum((sums <= at).sum(1), _last_possible(chances))


def _last_possible(chances: np.ndarray) -> np.ndarray:
    """Return the last token of each row that has a chance: rounding must not go beyond it."""
    return chances.shape[1] - 1 - (chances[:, ::-1] > 0).argmax(1)


class Reader(Protocol):
    """What reads tokens and says what comes next; it remembers what it has read."""

    room: int | None  # tokens that it can remember; None is no limit

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Return the logits (n, vocabulary) of what follows `tokens` (n, t) and all before."""
        ...

    def forget(self) -> None:
        """Begin anew."""
        ...


class NetReader:
    """A net that reads on, in the precision of its weights."""

    def __init__(self, net: Language) -> None:
        self.net, self.room = net.eval(), net.room
        self._memory: object | None = None

    @torch.inference_mode()
    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Return the logits (n, vocabulary) after the last of `tokens` (n, t)."""
        device = next(self.net.parameters()).device
        given = torch.from_numpy(np.ascontiguousarray(tokens, np.int64)).to(device)
        logits, self._memory = self.net.read(given, self._memory)
        return logits[:, -1].float().cpu().numpy()

    def forget(self) -> None:
        """Begin anew."""
        self._memory = None


def write(
    reader: Reader,
    prompt: Sequence[int] | np.ndarray,
    *,
    count: int,
    length: int,
    sampling: Sampling,
    chance: np.random.Generator,
    allowed: np.ndarray | None = None,
    end: int | None = None,
) -> Iterator[np.ndarray]:
    """Yield the next token of `count` texts that go on from `prompt`, (count,) int64, each time.

    At most `length` times. A text that has drawn `end` draws nothing but `end` from then on, and
    when all have, it is over. The reader keeps what it has read; where its memory is full, it
    begins anew with the last half of it. `prompt` holds at least one token.
    """
    reader.forget()
    written = np.tile(np.asarray(prompt, np.int64), (count, 1))
    unread, held = written, 0
    over = np.zeros(count, bool)
    for _ in range(length):
        if reader.room is not None and held + unread.shape[1] > reader.room:
            reader.forget()
            unread, held = written[:, -max(int(_KEPT * reader.room), 1) :], 0
        logits = reader.read(unread)
        held += unread.shape[1]
        token = draw(sampling.probabilities(logits, allowed), chance)
        if end is not None:
            token = np.where(over, end, token)
            over |= token == end
        yield token
        if over.all():
            return
        unread = token[:, None]
        written = np.concatenate([written, unread], 1)
        if reader.room is not None:
            written = written[:, -reader.room :]
