"""Torch nets that write: trained on windows cut at random, judged with at least half a window.

A held-out text is read in windows that overlap by half, and of each but the first only the second
half counts: every token is guessed from at least half of what the net can look back on, as when it
writes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.events import EpochEnded, Event, Monitor, SampleProduced
from neuroscope.base.recipe import Recipe
from neuroscope.data.text.tokeniser import END, START
from neuroscope.tasks import _torch
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._writing.passages import Passages
from neuroscope.tasks._writing.posing import TextEncoder

if TYPE_CHECKING:
    from neuroscope.nets._language import Language

IGNORES = ("class_weight", "patience")  # of a recipe; held-out pieces may not choose the epoch
_AT_ONCE = 1 << 13  # tokens judged at a time
_SAMPLED = 240  # characters of a sample while training
_SAMPLE_SECONDS = 20.0  # between two samples; the first and the last epoch have one
_WATCHED = 40_000  # held-out tokens that are looked at after each epoch, about


@dataclass(frozen=True)
class NetWriter:
    """A net that writes; `record` builds the same net without weights."""

    net: Language
    record: Mapping[str, Any]
    encoder: TextEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(weight.numel() for weight in self.net.parameters())

    @property
    def steps(self) -> int:
        """Tokens of a window."""
        return int(self.record["options"]["steps"])

    def predict(self, x: Passages) -> np.ndarray:
        """Return the bits (n, 1) that each piece costs."""
        return x.bits(self._nats)

    def _nats(self, runs: list[np.ndarray]) -> np.ndarray:
        import torch  # noqa: PLC0415 - slow to import

        stream = torch.from_numpy(np.concatenate(runs).astype(np.int64))
        first, length, kept = _cut([len(run) - 1 for run in runs], self.steps)
        nats = np.empty(len(stream) - len(runs))
        place = np.cumsum(length - kept) - (length - kept)  # of each window's first that counts
        order = np.argsort(length, kind="stable")
        device = next(self.net.parameters()).device
        self.net.eval()
        with torch.inference_mode():
            for some in _alike(order, length):
                longest = int(length[some].max())
                steps = np.minimum(np.arange(longest + 1), length[some, None])
                window = stream[torch.from_numpy(first[some, None] + steps)].to(device)
                logits = self.net(window[:, :-1]).float().log_softmax(2)
                found = -logits.gather(2, window[:, 1:, None])[:, :, 0].cpu().double().numpy()
                for row, number in enumerate(some):
                    begin, end = kept[number], length[number]
                    nats[place[number] : place[number] + end - begin] = found[row, begin:end]
        return nats

    def reader(self) -> Any:
        """Return who writes by this net."""
        from neuroscope.nets.sampling import NetReader  # noqa: PLC0415 - imports torch

        return NetReader(self.net)

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        return {"net": dict(self.record)}, _torch.arrays_of(self.net)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> NetWriter:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    return _torch.rebuilt(record, arrays, lambda net: NetWriter(net, record["net"], None, None))  # type: ignore[arg-type]


def _cut(counts: list[int], steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return first token, length and tokens that do not count, of windows over all runs.

    `counts` are the tokens that each run asks for; the runs lie one after the other, each with one
    token more in front. In the order of the windows every token counts once.
    """
    half = max(steps // 2, 1)
    first, length, kept = [], [], []
    start = 0
    for count in counts:
        done = 0
        while done < count:
            begin = max(min(done - (steps - half), count - steps), 0) if done else 0
            end = min(begin + steps, count)
            first.append(start + begin)
            length.append(end - begin)
            kept.append(done - begin)
            done = end
        start += count + 1
    return tuple(np.array(found, np.int64) for found in (first, length, kept))  # type: ignore[return-value]


def _alike(order: np.ndarray, length: np.ndarray) -> list[np.ndarray]:
    """Return windows of about the same length together, `_AT_ONCE` tokens at a time."""
    found, start = [], 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and length[order[stop]] * (stop + 1 - start) <= _AT_ONCE:
            stop += 1
        found.append(order[start:stop])
        start = stop
    return found


def windows(x: Passages, steps: int, most: int = 0) -> Any:
    """Return windows of the pieces as the loop takes them; of `most` tokens, about."""
    from neuroscope.train.windows import Windows  # noqa: PLC0415 - imports torch

    runs = x.runs
    if most and sum(map(len, runs)) > most:
        share = most / sum(map(len, runs))
        runs = [runs[0][:most]] if len(runs) == 1 else runs[:: math.ceil(1 / share)]
    return Windows.of(runs, steps)


def context(training: Training, most: int) -> int:
    """Return how many tokens a window holds: as many as the longest document, up to `most`."""
    return min(max(len(run) - 1 for run in training.encoded()[1].runs), most)


def recipe_of(training: Training, net: str, record: Any, **changes: Any) -> Recipe:
    """Return the recipe of a net for these texts, with the precision that is fastest for it."""
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.train.precision import choose_precision, device_of  # noqa: PLC0415

    tokens = int(training.encoded()[1].owners.size)
    steps, per_step = changes.pop("steps"), changes.pop("per_step")
    rows = len(windows(training.encoded()[1], steps))
    longest = windows(training.encoded()[1], steps).longest
    batch = max(round(per_step / longest), 4)
    recipe = (
        Recipe(net=net, seed=training.problem.seed, loss="cross_entropy")
        .because(f"{tokens:,} characters of text", steps=steps)
        .because(f"{per_step:,} characters a step: {rows:,} windows", batch_size=batch)
        .because("weights shrink a little each step", optimizer="adamw", weight_decay=0.1)
        .because("the past fades within some hundred steps", beta2=0.99)
        .because("a short rise, then slowly down to nothing", schedule="cosine", warmup=0.05)
        .because("a step that would leap is cut short", clip_norm=1.0)
        .because("our choice for texts of this length", **changes)
    )
    built = nets.build(record(training, recipe)).to(device_of(recipe))
    sample = torch.zeros((batch, longest), dtype=torch.int64, device=device_of(recipe))
    return choose_precision(built, (sample,), recipe)


def fit(training: Training, recipe: Recipe, watch: Watch, record: dict[str, Any]) -> NetWriter:
    """Train a net by its recipe; held-out pieces are watched, and it writes now and then."""
    encoder, x = training.encoded(recipe)
    net: Any = _torch.built(record)
    steps, valid = int(record["options"]["steps"]), None
    if training.held is not None and watch.fold == 0:
        valid = windows(training.held_encoded(encoder), steps, _WATCHED)
    seen = replace(_torch.watching(training, watch), monitor=_sampling(net, encoder, watch),
                   predicted=_windows_predicted(training, steps))  # fmt: skip
    followed = _torch.trained(net, record, windows(x, steps), recipe, seen, valid=valid)
    return NetWriter(net.eval(), record, encoder, followed)


def _windows_predicted(training: Training, steps: int) -> int:
    """Return how many windows, half overlapping, are judged after the fit."""
    held = np.empty(0, np.int64) if training.held is None else training.held
    rows = np.concatenate([held, training.problem.split.test])
    return int(2 * training.problem.y[rows].sum() / steps)


def _sampling(net: Any, encoder: TextEncoder, watch: Watch) -> Monitor:
    """Let the net write a little after an epoch; what it draws has no say in its training."""
    tell = _torch.counting(watch)
    last = [-math.inf]

    def told(event: Event) -> None:
        tell(event)
        if not isinstance(event, EpochEnded) or watch.fold != 0:
            return
        now = time.monotonic()
        if event.epoch == event.epochs or now - last[0] >= _SAMPLE_SECONDS:
            tell(SampleProduced(rung=watch.rung, epoch=event.epoch,
                                text=sample(net, encoder, event.epoch)))  # fmt: skip
            last[0] = time.monotonic()

    return told


def sample(net: Any, encoder: TextEncoder, number: int) -> str:
    """Return what the net writes, one text, or a few short ones line by line."""
    from neuroscope.nets.sampling import NetReader, Sampling, write  # noqa: PLC0415

    tokeniser = encoder.tokeniser
    prompt = [START] if encoder.ends else tokeniser.encode_one(encoder.begin)
    tokens = write(
        NetReader(net), prompt, count=4 if encoder.ends else 1,
        length=_SAMPLED // 4 if encoder.ends else _SAMPLED, sampling=Sampling(0.8),
        chance=randomness.generator(number, "sample"), allowed=allowed(encoder),
        end=END if encoder.ends else None,
    )  # fmt: skip
    rows = np.stack(list(tokens), 1)
    return "\n".join(tokeniser.decode(row) for row in rows)


def allowed(encoder: TextEncoder) -> np.ndarray:
    """Return which tokens may be written: neither padding nor <unknown>, an end where texts end."""
    kinds = np.arange(len(encoder.tokeniser))
    return (kinds > END) | ((kinds == END) & encoder.ends)
