"""A torch net of sequences on a rung: built for their steps, trained by the loop of `train`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.data.series.encoder import SequenceRows, SeriesEncoder
from neuroscope.data.splits import TaskKind
from neuroscope.tasks._learning import Training, Watch
from neuroscope.tasks._pictures import part
from neuroscope.tasks._torch import checkpoint, counting, outputs

if TYPE_CHECKING:
    from torch import nn

_STEPS_AT_ONCE = 1 << 15  # predicted at a time
_WATCHED = 1000  # about so many held-out sequences are looked at after each epoch


@dataclass(frozen=True)
class SequenceLearner:
    """A net behind the encoder of its sequences; `record` builds the same net without weights."""

    net: nn.Module
    record: Mapping[str, Any]
    kind: TaskKind
    encoder: SeriesEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(weight.numel() for weight in self.net.parameters())

    def predict(self, x: SequenceRows) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,)."""
        import torch  # noqa: PLC0415 - slow to import

        self.net.eval()
        weight, found = next(self.net.parameters()), []
        size = max(_STEPS_AT_ONCE // max(x.x.shape[1], 1), 1)
        with torch.inference_mode():
            for first in range(0, len(x), size):
                some = slice(first, first + size)
                steps = torch.from_numpy(x.x[some]).to(weight)
                lengths = torch.from_numpy(x.lengths[some]).to(weight.device)
                logits = self.net(steps, lengths).double()
                answer = logits[:, 0] if self.kind == "regression" else logits.softmax(dim=1)
                found.append(answer.cpu().numpy())
        return np.concatenate(found) if found else np.empty((0, 1))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        from neuroscope.nets.weights import to_arrays  # noqa: PLC0415 - imports torch

        arrays = {f"net.{name}": values for name, values in to_arrays(self.net).items()}
        return {"net": dict(self.record), "kind": self.kind}, arrays


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> SequenceLearner:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.nets.weights import from_arrays  # noqa: PLC0415 - imports torch

    try:
        net = nets.build(record["net"])
        from_arrays(net, part(arrays, "net."))
        return SequenceLearner(net.eval(), record["net"], record["kind"], None, None)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's net cannot be read: {error!r}") from error


def shape(training: Training, recipe: Recipe) -> dict[str, Any]:
    """Return what every family's `build` wants to know of these sequences."""
    encoder, x = training.encoded(recipe)
    return {
        "channels": encoder.channels, "steps": x.x.shape[1],
        "outputs": outputs(training.problem), "dropout": recipe.dropout, "seed": recipe.seed,
    }  # fmt: skip


def fit(
    training: Training, recipe: Recipe, watch: Watch, record: Mapping[str, Any]
) -> SequenceLearner:
    """Train a net by its recipe on the training rows; held-out rows are watched, never used."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch

    encoder, x = training.encoded(recipe)
    net: nn.Module = nets.build(record)
    layers = nets.catalogue.get(record["family"]).groups(net)
    watched = None
    if training.held is not None and watch.fold == 0:
        every = max(len(training.held) // _WATCHED, 1)
        held = training.held_encoded(encoder)
        some = SequenceRows(held.x[::every], held.lengths[::every])
        watched = _rows(training, training.held[::every], some)
    kept = checkpoint(training, watch)
    seen = loop.Watch(rung=watch.rung, fold=watch.fold, monitor=counting(watch),
                      seconds=watch.seconds, stop=watch.stop, checkpoint=kept)  # fmt: skip
    fitted = loop.fit(net, _rows(training, training.rows, x), recipe, valid=watched,
                      groups=layers, watch=seen)  # fmt: skip
    for place in kept.parent.glob(f"{kept.stem}*") if kept is not None else ():
        place.unlink()
    return SequenceLearner(net.eval(), record, training.problem.kind, encoder, fitted.recipe)


def _rows(training: Training, rows: np.ndarray, x: SequenceRows) -> Any:
    """Return the sequences with their targets as the loop takes them; nothing is copied."""
    from neuroscope.train.data import Data  # noqa: PLC0415 - imports torch

    problem = training.problem
    y = problem.learnt(rows)
    targets = y.astype(np.float32)[:, None] if problem.kind == "regression" else y
    return Data((x.x, x.lengths), targets, problem.weights_of(rows))
