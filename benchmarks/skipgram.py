"""Word vectors by skip-gram with negative sampling: words a second, ours beside gensim's.

    NEUROSCOPE_TEST_DATA=... python benchmarks/skipgram.py [--runs 3] [--repeats 3] [--threads 2]

The corpus is tiny-shakespeare, the AG News articles and the English side of Multi30k, in small
letters, repeated. Same sentences, vocabulary (words seen 5 times or more), width 100, window 5,
5 noise words, subsampling at 1e-3, rate 0.025 falling to 0.0001, one epoch. Goal: at least 0.8 of
gensim's words a second, training alone, with one thread and with all cores.

gensim trains in its two ways, from lists of words and from a file (`corpus_file`, which needs no
Python per sentence); the faster of the two counts. Words a second are raw words, those that
subsampling passes over included. `reached` is the share of judged triples that the vectors order
rightly, as a check that speed was not bought: a word's true neighbour beside a random word.
The peer comes with `pip install gensim` in an environment of its own; without it ours runs alone.

Measured figures, with machine, versions and spread: docs/log.md, "Word vectors".
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib.metadata
import os
import re
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measuring import machine, versions

from neuroscope.neuron import skipgram

GOAL = 0.8
RARE = 5
WORD = re.compile(r"\w+(?:['’]\w+)*")


class Case(NamedTuple):
    """The corpus in the forms that the contenders read."""

    sentences: list[list[str]]
    file: str
    words: list[str]
    counts: np.ndarray
    corpus: skipgram.Corpus


def _lines(folder: Path) -> list[str]:
    with gzip.open(folder / "tiny-shakespeare/tiny_shakespeare.txt.gz", "rt") as file:
        lines = file.read().splitlines()
    with gzip.open(folder / "ag-news/ag_news_7600.csv.gz", "rt") as file:
        lines += [f"{row['title']} {row['description']}" for row in csv.DictReader(file)]
    with gzip.open(folder / "multi30k-en-de/train.csv.gz", "rt") as file:
        lines += [row["en"] for row in csv.DictReader(file)]
    return lines


def build(repeats: int, place: str) -> Case:
    """Read the texts and number their words, the most frequent first."""
    lines = _lines(Path(os.environ["NEUROSCOPE_TEST_DATA"]))
    found = Counter(word for line in lines for word in WORD.findall(line.lower()))
    words = [word for word, n in found.most_common() if n * repeats >= RARE]
    known = {word: number for number, word in enumerate(words)}
    once = [[w for w in WORD.findall(line.lower()) if w in known] for line in lines]
    sentences = [sentence for sentence in once if sentence] * repeats
    file = Path(place, "corpus.txt")
    file.write_text("\n".join(" ".join(sentence) for sentence in sentences), encoding="utf-8")
    tokens = np.array([known[w] for sentence in sentences for w in sentence], np.int32)
    starts = np.concatenate([[0], np.cumsum([len(s) for s in sentences])]).astype(np.int64)
    return Case(sentences, str(file), words, np.bincount(tokens), skipgram.Corpus(tokens, starts))


def ours(case: Case, threads: int) -> tuple[float, np.ndarray]:
    """Train one epoch; returns its seconds and the vectors."""
    chosen = skipgram.Settings(epochs=1)
    tables = skipgram.Tables.start(len(case.words), chosen)
    began = time.perf_counter()
    list(skipgram.train_words(case.corpus, case.counts, chosen, tables, threads=threads))
    return time.perf_counter() - began, tables.inputs


def peer(case: Case, threads: int, from_file: bool) -> tuple[float, np.ndarray]:
    """Train gensim's Word2Vec for one epoch; building its vocabulary is not timed."""
    from gensim.models import Word2Vec

    model: Any = Word2Vec(
        vector_size=100, window=5, negative=5, sg=1, sample=1e-3, alpha=0.025, min_alpha=1e-4,
        min_count=1, workers=threads, seed=0,
    )  # fmt: skip
    source: Any = {"corpus_file": case.file} if from_file else {"corpus_iterable": case.sentences}
    model.build_vocab(**source)
    amounts = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
    began = time.perf_counter()
    model.train(**source, **amounts, epochs=1, report_delay=1e9)
    seconds = time.perf_counter() - began
    return seconds, model.wv.vectors[[model.wv.key_to_index[word] for word in case.words]]


def agreement(case: Case, vectors: np.ndarray) -> float:
    """Return how often a word is nearer to its right neighbour than to a random word."""
    rng, tokens = np.random.default_rng(0), case.corpus.tokens
    at = rng.integers(0, tokens.size - 1, 200_000)
    strange = tokens[rng.integers(0, tokens.size, at.size)]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    word = unit[tokens[at]]
    true, other = (unit[tokens[at + 1]] * word).sum(1), (unit[strange] * word).sum(1)
    return float((true > other).mean())


def main() -> None:
    """Time ours and gensim by turns, with one thread and with several."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        case = build(asked.repeats, place)
        try:
            gensim = f"gensim {importlib.metadata.version('gensim')}"
        except importlib.metadata.PackageNotFoundError:
            gensim = ""
        print(f"{machine()}\n{versions()}, {gensim or 'no gensim'}")
        print(f"{case.corpus.tokens.size:,} words, {len(case.words):,} different; "
              f"{asked.runs} runs each, by turns\n")  # fmt: skip
        ours(case, 1)  # compiles
        for threads in sorted({1, asked.threads}):
            _compared(case, threads, asked.runs, bool(gensim))


def _compared(case: Case, threads: int, runs: int, with_peer: bool) -> None:
    ways = {"neuroscope": lambda: ours(case, threads)}
    if with_peer:
        ways["gensim, lists"] = lambda: peer(case, threads, False)
        ways["gensim, file"] = lambda: peer(case, threads, True)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    reached: dict[str, float] = {}
    for _ in range(runs):
        for name, work in ways.items():
            seconds, vectors = work()
            rates[name].append(case.corpus.tokens.size / seconds)
            reached[name] = agreement(case, vectors)
    print(f"{threads} thread{'s' * (threads > 1)}{'words a second':>40}{'spread':>28}  reached")
    medians = {name: statistics.median(each) for name, each in rates.items()}
    for name, each in rates.items():
        spread = f"{min(each):,.0f} .. {max(each):,.0f}"
        print(f"  {name:24}{medians[name]:>23,.0f}{spread:>28}  {reached[name]:.4f}")
    if with_peer:
        ratio = medians["neuroscope"] / max(medians["gensim, lists"], medians["gensim, file"])
        print(f"  ours over the faster: {ratio:.2f}, goal {GOAL:g} "
              f"{'met' if ratio >= GOAL else 'MISSED'}\n")  # fmt: skip


if __name__ == "__main__":
    main()
