"""Text by counting: how often each token followed the tokens before it in the training text.

    P_k(w | c) = max(n(c w) - D, 0) / n(c) + D m(c) / n(c) P_k-1(w | c without its first token)

Interpolated Kneser-Ney (Kneser and Ney 1995; Chen and Goodman 1999, eq. 21): m(c) kinds of tokens
followed c; below the longest context n counts in how many different contexts a sequence stood, not
how often. D = n1 / (n1 + 2 n2) of the sequences seen once and twice. With contexts of no token it
is the share of each token. A sequence is known by a hash of 64 bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import WarningRaised
from neuroscope.data.text.tokeniser import PAD, START
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._writing.passages import Passages
from neuroscope.tasks._writing.posing import TextEncoder

MOST = 5_000_000  # tokens that are counted; of more, the first: a count takes 20 bytes
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # odd, and its powers differ in all bits
_ONE = np.uint64(1)
_AT_ONCE = 1 << 20  # tokens judged at a time


@dataclass(frozen=True)
class Order:
    """What was counted of sequences of k tokens; keys sorted."""

    keys: np.ndarray  # (s,) uint64 of each sequence
    counts: np.ndarray  # (s,) float32
    contexts: np.ndarray  # (c,) uint64 of the first k - 1 tokens
    totals: np.ndarray  # (c,) float32 sum of the counts of the sequences that begin so
    kinds: np.ndarray  # (c,) float32 how many there are
    discount: float

    def mixed(self, contexts: np.ndarray, keys: np.ndarray, below: np.ndarray) -> np.ndarray:
        """Return P_k from P_k-1 (`below`), for the context and the sequence of each entry."""
        at, known = _found(self.contexts, contexts)
        here, seen = _found(self.keys, keys)
        count = np.where(seen, self.counts[here], 0.0).astype(np.float64)
        total = self.totals[at].astype(np.float64)
        share = np.maximum(count - self.discount, 0) + self.discount * self.kinds[at] * below
        return np.where(known, share / total, below)


@dataclass(frozen=True)
class Counter:
    """Counts of sequences of up to `len(orders)` tokens."""

    orders: tuple[Order, ...]
    vocabulary: int
    encoder: TextEncoder | None = None
    recipe: None = None

    @property
    def parameters(self) -> int:
        """Number of counts that are kept."""
        return sum(len(order.keys) for order in self.orders)

    def predict(self, x: Passages) -> np.ndarray:
        """Return the bits (n, 1) that each piece costs."""
        return x.bits(self._nats)

    def _nats(self, runs: list[np.ndarray]) -> np.ndarray:
        stream, asked = _stream(runs, len(self.orders))
        found = []
        for first in range(0, len(asked), _AT_ONCE):
            at = asked[first : first + _AT_ONCE]
            hashes = [np.zeros(len(at), np.uint64)]
            for back in range(1, len(self.orders)):  # of the `back` tokens before each
                hashes.append(_hash(stream[at[:, None] + np.arange(-back, 0)]))
            found.append(self._chances(hashes, stream[at].astype(np.uint64)))
        return -np.log(np.concatenate(found))

    def _chances(self, contexts: list[np.ndarray], token: np.ndarray) -> np.ndarray:
        """Return P(token | the context of each length), all of one shape."""
        p = np.full(token.shape, 1.0 / (self.vocabulary - 2))  # neither padding nor <start> comes
        for order, context in zip(self.orders, contexts, strict=True):
            p = order.mixed(context, context * _FACTOR + token + _ONE, p)
        return p

    def logits(self, tokens: np.ndarray) -> np.ndarray:
        """Return ln P (n, vocabulary) of what follows the tokens (n, t)."""
        most = len(self.orders) - 1
        padded = np.pad(tokens, ((0, 0), (most, 0)), constant_values=START)
        words = np.arange(self.vocabulary, dtype=np.uint64)[None, :]
        contexts = [np.zeros((len(tokens), 1), np.uint64)]
        contexts += [_hash(padded[:, -back:])[:, None] for back in range(1, most + 1)]
        shape = np.broadcast_shapes(contexts[0].shape, words.shape)
        p = self._chances([np.broadcast_to(c, shape) for c in contexts],
                          np.broadcast_to(words, shape))  # fmt: skip
        p[:, [PAD, START]] = 1e-300
        return np.log(p)

    def reader(self) -> CountReader:
        """Return who writes by these counts."""
        return CountReader(self)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the learner as JSON and arrays; hashes as signed numbers of the same bits."""
        arrays: dict[str, np.ndarray] = {}
        for k, order in enumerate(self.orders, 1):
            hashes = {"keys": order.keys.view(np.int64), "contexts": order.contexts.view(np.int64)}
            rest = {"counts": order.counts, "totals": order.totals, "kinds": order.kinds}
            arrays |= {f"order{k}.{name}": a for name, a in (hashes | rest).items()}
        discounts = [order.discount for order in self.orders]
        return {"discounts": discounts, "vocabulary": self.vocabulary}, arrays


class CountReader:
    """Remembers the last tokens, as many as are counted with."""

    room: int | None = None

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self._last = np.empty((0, 0), np.int64)

    def forget(self) -> None:
        """Begin anew."""
        self._last = np.empty((0, 0), np.int64)

    def read(self, tokens: np.ndarray) -> np.ndarray:
        """Return the logits of what follows the tokens (n, t) and those before."""
        known = self._last if len(self._last) else tokens[:, :0]
        self._last = np.concatenate([known, tokens], 1)[:, -max(len(self.counter.orders) - 1, 1) :]
        return self.counter.logits(self._last)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Counter:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    try:
        orders = []
        for k, discount in enumerate(record["discounts"], 1):
            part = {name: arrays[f"order{k}.{name}"]
                    for name in ("keys", "counts", "contexts", "totals", "kinds")}  # fmt: skip
            part |= {name: part[name].view(np.uint64) for name in ("keys", "contexts")}
            if (
                len(part["keys"]) != len(part["counts"])
                or not len(part["keys"])
                or len({len(part[name]) for name in ("contexts", "totals", "kinds")}) != 1
            ):
                raise ModelError("the model's counts do not fit together",
                                 remedy="use another copy")  # fmt: skip
            orders.append(Order(**part, discount=float(discount)))
        return Counter(tuple(orders), int(record["vocabulary"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's counts cannot be read: {error!r}") from error


def fit(training: Training, order: int, watch: Watch) -> Counter:
    """Count sequences of up to `order` tokens in the training pieces, and say so of a part."""
    encoder, x = training.encoded()
    if x.owners.size > MOST:
        watch.tell(WarningRaised(message=f"only the first {MOST:,} characters are counted",
                                 rung=watch.rung))  # fmt: skip
    return count(x.runs, order, encoder)


def count(runs: list[np.ndarray], order: int, encoder: TextEncoder) -> Counter:
    """Count sequences of up to `order` tokens in runs that begin with <start>."""
    stream, asked = _stream(runs, order)
    asked = asked[:MOST]
    orders: list[Order] = []
    hashes = _hashes(stream, asked, order)
    places = np.arange(len(asked))
    for k in range(order, 0, -1):
        keys, first, times = np.unique(hashes[k][places], return_index=True, return_counts=True)
        places = places[first]  # one place of each sequence: below, contexts are counted
        contexts = (hashes[k][places] - stream[asked[places]].astype(np.uint64) - _ONE) * _INVERSE
        counted = times.astype(np.float32)
        known, owner = np.unique(contexts, return_inverse=True)
        once, twice = int((times == 1).sum()), int((times == 2).sum())
        discount = once / (once + 2 * twice) if once else 0.5
        totals = np.bincount(owner, counted).astype(np.float32)
        kinds = np.bincount(owner).astype(np.float32)
        orders.append(Order(keys, counted, known, totals, kinds, min(discount, 0.95)))
    return Counter(tuple(reversed(orders)), len(encoder.tokeniser), encoder)


_INVERSE = np.uint64(pow(int(_FACTOR), -1, 1 << 64))  # undoes the product with _FACTOR


def _stream(runs: list[np.ndarray], order: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all runs in one row, each behind enough <start>s, and the places of other tokens."""
    before = np.full(max(order - 2, 0), START, np.int32)
    stream = np.concatenate([part for run in runs for part in (before, run)])
    return stream, np.flatnonzero(stream != START)


def _hashes(stream: np.ndarray, asked: np.ndarray, order: int) -> dict[int, np.ndarray]:
    """Return the hash of the last 1 to `order` tokens at each place that is asked for."""
    last = stream[: asked[-1] + 1].astype(np.uint64) + _ONE
    found, whole = {1: last[asked]}, last
    for k in range(2, order + 1):
        whole = np.concatenate([whole[:1], whole[:-1] * _FACTOR + last[1:]])
        found[k] = whole[asked]
    return found


def _hash(tokens: np.ndarray) -> np.ndarray:
    """Return the hash (n,) uint64 of sequences of tokens (n, k)."""
    found = np.zeros(len(tokens), np.uint64)
    for column in tokens.T.astype(np.uint64):
        found = found * _FACTOR + column + _ONE
    return found


def _found(known: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each key is among the sorted ones, and whether it is there."""
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return at, known[at] == asked
