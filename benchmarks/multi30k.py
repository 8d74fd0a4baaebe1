"""Multi30k German to English: short picture captions, 29,000 pairs to learn from.

The published parts: train, val, and test 2016 of 1,000 captions; BLEU by sacrebleu (13a, mixed
case, detokenised), one reference. Published for nets trained on these pairs alone: 28.3 with an
attention GRU and 36.5 with a small Transformer, in the tokenised, lower-case BLEU of their papers.
Goals: BLEU at least 27 with the GRU, and at least 33 with the Transformer within 90 minutes on 2
cores.

Run with NEUROSCOPE_TEST_DATA naming the folder that holds multi30k-en-de. `gru` or `transformer`
climbs that rung above the dictionary, without either both; `--budget 20m` ends a rung early, and
`--epochs N` asks for fewer passes. Every epoch is printed.
Measured figures, with machine, versions and spread: docs/log.md, "Translation".
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import tempfile
import time
from pathlib import Path

from neuroscope.base.events import EpochEnded, Event, RungFinished, WarningRaised
from neuroscope.cli._options import seconds as seconds_of
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs.train import TrainOptions, train

PARTS = {"train": "train", "val": "valid", "test": "test"}
GOALS = {"gru": 27.0, "transformer": 33.0}


def with_parts(source: Path, place: Path) -> Path:
    """Write all pairs into one table with a column "split" that names their part."""
    with place.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["de", "en", "split"])
        for name, part in PARTS.items():
            with gzip.open(source / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as rows:
                writer.writerows([row["de"], row["en"], part] for row in csv.DictReader(rows))
    return place


def show(event: Event) -> None:
    """Print epochs, rungs and warnings as they come."""
    if isinstance(event, EpochEnded) and event.rung in GOALS:
        valid = "" if event.valid_loss is None else f", held pairs {event.valid_loss:.3f}"
        print(f"{event.rung} epoch {event.epoch} of {event.epochs}: loss {event.train_loss:.3f}"
              f"{valid} nats a token, {event.seconds:.0f} s", flush=True)  # fmt: skip
    elif isinstance(event, RungFinished):
        print(f"{event.rung}: {event.value} bits a character of val, {event.seconds:.0f} s, "
              f"{event.parameters:,} parameters, {event.status}", flush=True)  # fmt: skip
    elif isinstance(event, WarningRaised):
        print(f"! {event.text}", flush=True)


def option(name: str) -> str | None:
    """Return what stands behind an option on the command line."""
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None


def main() -> None:
    """Climb to each rung, and print its scores on the test of 2016."""
    folder = Path(os.environ["NEUROSCOPE_TEST_DATA"]) / "multi30k-en-de"
    budget, epochs = option("--budget"), option("--epochs")
    chosen = [name for name in GOALS if name in sys.argv] or list(GOALS)
    with tempfile.TemporaryDirectory() as made:
        source = with_parts(folder, Path(made) / "multi30k.csv")
        for rung in chosen:
            began = time.perf_counter()
            options = TrainOptions(
                rungs=("dictionary", rung), budget=seconds_of(budget) if budget else None,
                epochs=int(epochs) if epochs else None, out=made,
            )  # fmt: skip
            data = DataOptions(task="translation", target="en", split="split")
            result = train(source, data, options, monitor=show)
            took = time.perf_counter() - began
            for name in ("bleu", "chrf", "exact_match", "reference_bits"):
                low, high = result["test"]["interval"][name]
                print(f"{rung}: test 2016 {name} {result['test'][name]:.3f} ({low:.3f} .. "
                      f"{high:.3f})")  # fmt: skip
            for one in result["translation"]["rungs"]:
                print(f"  on val, {one['title']}: BLEU {one['bleu'][0]:.1f}, "
                      f"chrF {one['chrf'][0]:.1f}")  # fmt: skip
            print(f"{rung}: BLEU goal {GOALS[rung]}, {took / 60:.1f} minutes in all; "
                  f"{result['translation']['signatures']['bleu']}", flush=True)  # fmt: skip
            for one in result["translation"]["examples"][:5]:
                print(f"  {one['source']} -> {one['output']} [{one['reference']}]")


if __name__ == "__main__":
    main()
