"""Word vectors by skip-gram with negative sampling: a word is known by the words around it.

Each word w of the vocabulary has two vectors: v, its place in the inputs, which is the word vector
that is kept, and u, its place in the outputs, by which it is predicted as a neighbour of others.
For a word and one neighbour, with K noise words drawn beside it, the loss is that of 1 + K
logistic neurons

    C = -log s(v . u_0) - sum_k log s(-v . u_k)        s(z) = 1 / (1 + e**-z)

where u_0 belongs to the neighbour (y = 1) and the u_k to the noise words (y = 0), so that

    dC/du_k = (s(v . u_k) - y_k) v        dC/dv = sum_k (s(v . u_k) - y_k) u_k

and each is changed by -rate times its slope, pair after pair (Mikolov et al. 2013, "Distributed
representations of words and phrases and their compositionality"; spelt out by Rong 2014). From the
same paper and the program published with it (word2vec.c) come

    frequent words are passed over: of a word with share f of the corpus, sqrt(t/f) + t/f are kept
    noise words are drawn in proportion to count**0.75
    how far the neighbours reach is drawn anew for each word, from 1 to the window
    the rate falls linearly over all words of all epochs

Several threads change the tables at once and take no locks ("Hogwild", Recht et al. 2011): they
seldom meet on a row, and where they do one change may be lost. What each of them draws does not
depend on the others, but the order of their changes does; bit for bit the same vectors come from
one thread only.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import NamedTuple

import numpy as np

from neuroscope.base import collector, randomness, settings
from neuroscope.base.errors import DivergedError, InputError
from neuroscope.base.types import Floats1D, Floats2D, Integers1D
from neuroscope.neuron._compile import compiled, compiled_into_caller
from neuroscope.neuron.activations import sigmoid
from neuroscope.neuron.losses import BINARY_CROSS_ENTROPY, loss_of
from neuroscope.neuron.step import draw

NOISE_POWER = 0.75  # of the counts, in the draw of noise words
LONGEST = 10_000  # words; a longer sentence is read in pieces
BLOCK = 10_000  # words that a thread takes at once, all at one rate
MEASURED = 16  # the loss is measured at one word in so many: logarithms take time
ALONE_WORDS = 20_000_000  # words in all, below which one thread is the default


class Corpus(NamedTuple):
    """Sentences of words by number: sentence i is tokens[starts[i] : starts[i + 1]]."""

    tokens: Integers1D  # (n,) int32
    starts: Integers1D  # (sentences + 1,) int64


class Noise(NamedTuple):
    """Noise words in two look-ups, whatever the vocabulary's size (Walker 1977, "alias")."""

    threshold: np.ndarray  # (V,) uint32: the share of a place that is its own, in 2**-32
    alias: Integers1D  # (V,) int32: the word that has the rest of the place


class Plan(NamedTuple):
    """What the compiled loop needs besides the words and the tables."""

    window: int
    negatives: int
    keep: Floats1D  # (V,) float32: the chance that an occurrence of a word is kept
    noise: Noise


@dataclass(frozen=True)
class Settings:
    """The choices of a training; the defaults are those of word2vec.c for skip-gram."""

    width: int = 100  # numbers of a word vector
    window: int = 5  # words to either side, at most
    negatives: int = 5  # noise words a neighbour
    epochs: int = 5
    learning_rate: float = 0.025
    last_rate: float = 1e-4
    subsample: float = 1e-3  # t; 0 keeps every word
    seed: int = 0


@dataclass(frozen=True)
class Pass:
    """The report of one epoch."""

    epoch: int  # counted from 1
    loss: float  # C, mean over the measured pairs of a word and a neighbour
    learning_rate: float  # where it stands
    words: int  # read, of which subsampling kept some
    seconds: float  # since the training began


class Tables:
    """The inputs and the outputs, each (V, width); `inputs` are the word vectors."""

    def __init__(self, inputs: Floats2D, outputs: Floats2D) -> None:
        """Take the two tables as they are."""
        self.inputs, self.outputs = inputs, outputs

    @classmethod
    def start(cls, words: int, chosen: Settings, dtype: type = np.float32) -> Tables:
        """Return inputs drawn evenly from +-1/(2 width), and outputs of 0, as word2vec.c does."""
        drawn = randomness.generator(chosen.seed, "init").random((words, chosen.width))
        inputs = ((drawn - 0.5) / chosen.width).astype(dtype)
        return cls(inputs, np.zeros_like(inputs))


def threads_for(words: int) -> int:
    """Return how many threads should train on so many words in all epochs.

    One where that takes a minute or less, since its vectors come again bit for bit.
    """
    return 1 if words < ALONE_WORDS else settings.cores()


def train_words(
    corpus: Corpus,
    counts: Integers1D,  # (V,) how often each word occurs
    chosen: Settings,
    tables: Tables,  # changed
    *,
    threads: int | None = None,
) -> Iterator[Pass]:
    """Train the tables in place, yielding a report after each epoch.

    `threads` None is `threads_for`. Raises InputError where there is nothing to learn from, and
    DivergedError when the loss stops being finite.
    """
    corpus = _pieces(corpus)
    _check(corpus, counts, chosen)
    plan = plan_of(counts, chosen)
    blocks = _blocks(corpus)
    threads = threads or threads_for(corpus.tokens.size * chosen.epochs)
    threads = min(threads, len(blocks) - 1)
    began = time.perf_counter()
    with ThreadPoolExecutor(max(threads - 1, 1)) as pool:
        for epoch in range(chosen.epochs):
            with collector.at_rest(when=epoch == 0):  # compiled code is loaded or made
                loss, pairs = _epoch(corpus, plan, chosen, tables, blocks, epoch, threads, pool)
            mean = loss / max(pairs, 1)
            if not math.isfinite(mean):
                raise DivergedError(
                    f"the loss stopped being finite in epoch {epoch + 1}",
                    remedy=f"lower the learning rate (it is {chosen.learning_rate:g})",
                )
            rate = rate_after(chosen, (epoch + 1) / chosen.epochs)
            yield Pass(epoch + 1, mean, rate, corpus.tokens.size, time.perf_counter() - began)


def rate_after(chosen: Settings, done: float) -> float:
    """Return the learning rate when the share `done` of all words has been read."""
    return max(chosen.learning_rate * (1 - done), min(chosen.last_rate, chosen.learning_rate))


def plan_of(counts: Integers1D, chosen: Settings) -> Plan:
    """Work out how often each word is kept, and how noise words are drawn."""
    shares = counts / max(counts.sum(), 1)
    keep = np.ones(counts.size, np.float32)
    if chosen.subsample > 0:
        ratio = chosen.subsample / np.maximum(shares, 1e-30)
        keep = np.minimum(np.sqrt(ratio) + ratio, 1).astype(np.float32)
    return Plan(chosen.window, chosen.negatives, keep, noise_of(counts))


def noise_of(counts: Integers1D) -> Noise:
    """Set up the draw of words in proportion to count**0.75.

    Every place of the table has the same weight; a word that needs less than that lets one that
    needs more have the rest (Vose 1991).
    """
    weights = np.asarray(counts, np.float64) ** NOISE_POWER
    share = weights * (weights.size / weights.sum())
    alias = np.arange(weights.size, dtype=np.int32)
    small = [int(i) for i in np.flatnonzero(share < 1)]
    large = [int(i) for i in np.flatnonzero(share >= 1)]
    own = share.copy()
    while small and large:
        poor, rich = small.pop(), large[-1]
        alias[poor] = rich
        own[rich] -= 1 - own[poor]
        if own[rich] < 1:
            small.append(large.pop())
    own[[*small, *large]] = 1  # what is left differs from 1 by rounding only
    threshold = np.minimum(own * 2.0**32, 2.0**32 - 1).astype(np.uint32)
    return Noise(threshold, alias)


def _check(corpus: Corpus, counts: Integers1D, chosen: Settings) -> None:
    if counts.size < 2:
        raise InputError(
            f"a vocabulary of {counts.size} has no words to tell apart", remedy="give more text"
        )
    lengths = np.diff(corpus.starts)
    if lengths.size == 0 or lengths.max() < 2:
        raise InputError("no sentence has two words", remedy="give more text")
    low = [name for name in ("width", "window", "negatives", "epochs") if getattr(chosen, name) < 1]
    if low:
        raise InputError(f"{low[0]} is {getattr(chosen, low[0])}", remedy="it must be 1 or more")


def _pieces(corpus: Corpus) -> Corpus:
    """Cut sentences of more than LONGEST words."""
    lengths = np.diff(corpus.starts)
    if not (lengths > LONGEST).any():
        return corpus
    cuts = [
        np.arange(first + LONGEST, last, LONGEST)
        for first, last in zip(corpus.starts[:-1], corpus.starts[1:], strict=True)
        if last - first > LONGEST
    ]
    return corpus._replace(starts=np.union1d(corpus.starts, np.concatenate(cuts)))


def _blocks(corpus: Corpus) -> Integers1D:
    """Return the sentences at which blocks of about BLOCK words begin, and the end."""
    marks = np.arange(0, corpus.tokens.size, BLOCK)
    begins = np.searchsorted(corpus.starts, marks)
    return np.unique(np.append(begins, corpus.starts.size - 1))


def _epoch(
    corpus: Corpus, plan: Plan, chosen: Settings, tables: Tables, blocks: Integers1D, epoch: int,
    threads: int, pool: ThreadPoolExecutor,
) -> tuple[float, int]:  # fmt: skip
    """Let the threads take block after block; returns the sum of the loss and its pairs."""
    turns, stop = itertools.count(), Event()
    chances = randomness.sequence(chosen.seed, "words", epoch).generate_state(
        len(blocks), np.uint64
    )

    def work() -> tuple[float, int]:
        loss, pairs = 0.0, 0
        while (turn := next(turns)) < len(blocks) - 1 and not stop.is_set():
            done = (epoch + turn / (len(blocks) - 1)) / chosen.epochs
            rate = tables.inputs.dtype.type(rate_after(chosen, done))
            more, count = learn_block(
                corpus, blocks[turn], blocks[turn + 1], plan, rate, chances[turn : turn + 1],
                tables.inputs, tables.outputs,
            )  # fmt: skip
            loss, pairs = loss + more, pairs + count
        return loss, pairs

    others = [pool.submit(work) for _ in range(threads - 1)]
    try:
        results = [work(), *(other.result() for other in others)]
    finally:
        stop.set()  # where this thread was interrupted the others end, too
    return sum(loss for loss, _ in results), sum(pairs for _, pairs in results)


@compiled
def learn_block(
    corpus: Corpus,
    first: int,  # the first of the sentences
    last: int,  # the one behind the last
    plan: Plan,
    rate: float,
    chance: np.ndarray,  # (1,) uint64, changed: random state
    inputs: Floats2D,  # (V, width)  changed
    outputs: Floats2D,  # (V, width)  changed
) -> tuple[float, int]:
    """Learn from some sentences; returns the sum of the measured losses and how many they are."""
    loss, pairs = 0.0, 0
    kept = np.empty(LONGEST, np.int32)
    slope, targets = np.empty_like(inputs[0]), np.empty(plan.negatives + 1, np.int32)
    for sentence in range(first, last):
        n = thin(corpus.tokens, corpus.starts[sentence], corpus.starts[sentence + 1], plan.keep,
                  chance, kept)  # fmt: skip
        for i in range(n):
            reach = 1 + below(draw(chance), plan.window)
            measured = i % MEASURED == 0
            for j in range(max(i - reach, 0), min(i + reach + 1, n)):
                if j == i:
                    continue
                targets[0] = kept[j]
                count = add_noise(plan.noise, chance, targets)
                loss += learn_pair(inputs[kept[i]], targets[:count], rate, measured, outputs, slope)
                pairs += measured
    return loss, pairs


@compiled
def learn_pair(
    v: Floats1D,  # (width,)  changed: the word's row of the inputs
    targets: Integers1D,  # (1 + K,) the neighbour, then the noise words
    rate: float,
    measured: bool,  # whether the loss is wanted
    outputs: Floats2D,  # (V, width)  changed
    slope: Floats1D,  # (width,)  written: dC/dv
) -> float:
    """Change a word and its targets by -rate times their slopes; returns C, or 0 unmeasured."""
    loss, zero = 0.0, v.dtype.type(0)
    slope[:] = 0
    for k in range(targets.size):
        u, y = outputs[targets[k]], v.dtype.type(k == 0)
        z = zero
        for i in range(v.size):
            z += v[i] * u[i]
        a, _ = sigmoid(z)
        if measured:
            loss += loss_of(BINARY_CROSS_ENTROPY, 0.0, z, a, y)
        error = a - y  # dC/dz
        step = rate * error
        for i in range(v.size):
            before = u[i]
            slope[i] += error * before
            u[i] = before - step * v[i]
    for i in range(v.size):
        v[i] -= rate * slope[i]
    return loss


@compiled_into_caller
def add_noise(
    noise: Noise,
    chance: np.ndarray,  # (1,) uint64, changed
    targets: Integers1D,  # (1 + K,)  written behind the first
) -> int:
    """Draw K noise words; returns how many targets there are without the neighbour's likes."""
    count = 1
    for _ in range(targets.size - 1):
        bits = draw(chance)
        place = below(bits, noise.alias.size)
        if (bits & np.uint64(0xFFFFFFFF)) >= noise.threshold[place]:
            place = noise.alias[place]
        if place != targets[0]:
            targets[count] = place
            count += 1
    return count


@compiled_into_caller
def below(bits: np.uint64, n: int) -> np.int64:
    """Return a number from 0 to n - 1 made of the upper 32 random bits (Lemire 2019)."""
    return np.int64((bits >> np.uint64(32)) * np.uint64(n) >> np.uint64(32))


@compiled
def thin(
    tokens: Integers1D, first: int, last: int, keep: Floats1D, chance: np.ndarray,
    kept: Integers1D,  # (LONGEST,)  written
) -> int:  # fmt: skip
    """Keep each word of a sentence with its chance; returns how many are kept."""
    n = 0
    for at in range(first, last):
        word = tokens[at]
        if keep[word] >= 1 or (draw(chance) >> np.uint64(40)) * 2.0**-24 < keep[word]:
            kept[n] = word
            n += 1
    return n
