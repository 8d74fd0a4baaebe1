"""tiny-shakespeare with nanoGPT's setting for processors: seconds and validation loss.

    python benchmarks/shakespeare.py /path/to/tiny_shakespeare.txt.gz [--runs 1]

Four layers, four heads, width 128, 64 characters of context, batches of 12, 2,000 steps of AdamW
(rate 0.004 in place of nanoGPT's 0.001, warmed up over 100 steps, a cosine down to 0, betas 0.9 and
0.99, decay 0.1, gradients bounded to 1), no dropout; the first 90 % are trained on, the last 10 %
watched. Goals: validation
loss (nats a character) at most 1.90, where nanoGPT's read-me says 1.88; and faster than the same
net in a plain loop in float32, in the same run.

The contenders start from the same weights. The plain loop is nanoGPT's: random windows stacked one
by one, torch's own AdamW. All losses are of the whole last tenth, in windows edge to edge, float32.

Measured figures, with machine, versions and spread: docs/log.md, "Text making".
"""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import argparse
import gzip
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import Contender, Reached, Work, compare
from torch import Tensor, nn
from torch.nn import functional

STEPS, BATCH, CONTEXT, RATE, WARM, DECAY, BETA2 = 2_000, 12, 64, 4e-3, 100, 0.1, 0.99
EPOCHS = 8
SHAPE = {"steps": CONTEXT, "width": 128, "layers": 4, "heads": 4}


def characters(path: Path) -> tuple[np.ndarray, int]:
    """Return the text as numbers of its characters, and how many kinds there are."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    points = np.frombuffer(raw.decode("utf-8").encode("utf-32-le"), np.uint32)
    kinds, numbers = np.unique(points, return_inverse=True)
    return numbers, len(kinds)


def build(vocabulary: int, seed: int = 0) -> nn.Module:
    """Return the net, with the same first weights for all contenders."""
    from neuroscope import nets

    options = SHAPE | {"vocabulary": vocabulary, "seed": seed}
    return nets.build({"family": "gpt", "options": options})


@torch.inference_mode()
def judged(net: nn.Module, text: np.ndarray) -> float:
    """Return the mean loss in nats over the last tenth, in float32."""
    from neuroscope.train.windows import Windows

    rows = Windows.of([text[int(0.9 * len(text)) :]], CONTEXT)
    total = 0.0
    net.eval()
    for batch in rows.batches(64, None):
        inputs, targets, _ = rows.take(batch)
        each = functional.cross_entropy(net(*inputs).flatten(0, 1), targets.flatten(),
                                        reduction="sum", ignore_index=-100)  # fmt: skip
        total += float(each)
    return total / rows.answers


def ours(text: np.ndarray, vocabulary: int, precision: str) -> Work:
    """Fit with the net and the loop of the package, events and signals included."""
    from neuroscope.base.recipe import Recipe
    from neuroscope.train.loop import fit
    from neuroscope.train.precision import choose_precision
    from neuroscope.train.windows import Windows

    rows = Windows.of([text[: int(0.9 * len(text))]], CONTEXT, rows=STEPS * BATCH // EPOCHS)
    recipe = Recipe(loss="cross_entropy", optimizer="adamw", learning_rate=RATE, beta2=BETA2,
                    weight_decay=DECAY, schedule="cosine", warmup=WARM / STEPS, clip_norm=1.0,
                    batch_size=BATCH, epochs=EPOCHS, device="cpu")  # fmt: skip

    def work() -> Reached:
        net, chosen = build(vocabulary), recipe
        if precision == "auto":
            sample = torch.zeros((BATCH, CONTEXT), dtype=torch.int64)
            chosen = choose_precision(net, (sample,), recipe)
        fit(net, rows, chosen)
        return lambda: judged(net, text)

    return work


def plain(text: np.ndarray, vocabulary: int, *, bfloat16: bool = False) -> Work:
    """Write the loop out, as nanoGPT's is."""
    train = torch.from_numpy(text[: int(0.9 * len(text))])

    def batch() -> tuple[Tensor, Tensor]:
        starts = torch.randint(len(train) - CONTEXT, (BATCH,))
        return (torch.stack([train[i : i + CONTEXT] for i in starts]),
                torch.stack([train[i + 1 : i + 1 + CONTEXT] for i in starts]))  # fmt: skip

    def rate(step: int) -> float:
        if step < WARM:
            return RATE * (step + 1) / WARM
        return RATE / 2 * (1 + math.cos(math.pi * step / STEPS))

    def work() -> Reached:
        torch.manual_seed(0)
        net: Any = build(vocabulary).train()
        groups: list[list[nn.Parameter]] = [[], []]
        for parameter in net.parameters():
            groups[parameter.ndim < 2].append(parameter)
        optimizer = torch.optim.AdamW(
            [{"params": groups[0], "weight_decay": DECAY},
             {"params": groups[1], "weight_decay": 0.0}], lr=RATE, betas=(0.9, BETA2),
        )  # fmt: skip
        for step in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
            x, y = batch()
            with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                logits = net(x)
                loss = functional.cross_entropy(logits.flatten(0, 1), y.flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
        return lambda: judged(net, text)

    return work


def main() -> None:
    """Compare on the text that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=False)
    parser.add_argument("text", type=Path)
    given, rest = parser.parse_known_args()
    sys.argv[1:] = rest
    text, kinds = characters(given.text)
    compare(
        "nanoGPT's setting for processors, 2,000 steps on tiny-shakespeare",
        {
            "neuroscope, precision by its rule": Contender(lambda: ours(text, kinds, "auto")),
            "plain loop, float32": Contender(lambda: plain(text, kinds), goal=1.0),
            "neuroscope, float32": Contender(lambda: ours(text, kinds, "float32")),
            "plain loop, bfloat16": Contender(lambda: plain(text, kinds, bfloat16=True)),
        },
        unit="s",
        reached="validation loss (goal 1.90)",
        runs=1,
    )


if __name__ == "__main__":
    main()
