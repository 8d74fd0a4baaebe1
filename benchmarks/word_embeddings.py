"""Words a second of the rung of word embeddings, while it learns.

    python benchmarks/word_embeddings.py [--texts 50000] [--words 40] [--runs 3]

Texts of words drawn by Zipf's law, four classes, vectors of 64 numbers for words and pairs of
words (each word is met twice, as itself and in its pair; it is counted once). Goal: 300,000 words a
second on two cores. The loops are compiled before the clock starts; one thread does all.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
from measuring import machine, versions

from neuroscope.base.recipe import Recipe
from neuroscope.data.text.bag import Bag
from neuroscope.data.text.words import Words
from neuroscope.neuron import heads
from neuroscope.neuron.descent import descend

GOAL = 300_000


def corpus(texts: int, words: int) -> Words:
    """Draw texts of `words` words each, the r-th of 30,000 with a chance of about 1 / r."""
    random = np.random.default_rng(0)
    chance = 1 / np.arange(1, 30_001)
    numbers = random.choice(30_000, texts * words, p=chance / chance.sum()).astype(np.int32)
    starts = np.arange(texts + 1, dtype=np.int64) * words
    return Words(starts, numbers, tuple(f"w{i}" for i in range(30_000)))


def main() -> None:
    """Time whole epochs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=50_000)
    parser.add_argument("--words", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{machine()}\n{versions()}\n{arguments.runs} epochs\n")
    texts = corpus(arguments.texts, arguments.words)
    bag = Bag.fit(texts, mean=True)
    x, y = bag.transform(texts), np.random.default_rng(1).integers(4, size=len(texts))
    recipe = Recipe(net="embeddings", hidden=(64,), activation="identity", loss="cross_entropy",
                    epochs=arguments.runs + 1, batch_size=64, dropout=0.3)  # fmt: skip
    network = heads.build("multiclass", x.width, 4, recipe)
    ends = [time.perf_counter()]
    for _ in descend(network, heads.examples("multiclass", x, y, 4, recipe), recipe):
        ends.append(time.perf_counter())
    seconds = np.diff(ends)[1:]  # the first epoch compiles
    speed = arguments.texts * arguments.words / statistics.median(seconds)
    print(f"  {x.width:,} terms, {len(x.values):,} of them met in an epoch\n"
          f"  {speed:,.0f} words a second (epochs of {', '.join(f'{s:.2f}' for s in seconds)} s);"
          f" goal {GOAL:,} {'met' if speed >= GOAL else 'MISSED'}")  # fmt: skip


if __name__ == "__main__":
    main()
