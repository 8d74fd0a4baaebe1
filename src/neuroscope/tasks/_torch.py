"""A torch net on a rung: built for the pictures, trained by the loop of `train`, kept as arrays."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import DeadUnits, EpochEnded, Event, GradientFlow, Monitor
from neuroscope.base.recipe import Recipe
from neuroscope.data.splits import TaskKind
from neuroscope.tasks._learning import Problem, Training, Watch
from neuroscope.tasks._pictures import PictureEncoder, PictureRows, part

if TYPE_CHECKING:
    from torch import nn

TypedLearner = TypeVar("TypedLearner")

_PIXELS_AT_ONCE = 1 << 18  # predicted at a time: 256 pictures of 32 x 32, 5 of 224 x 224
_WATCHED = 1000  # about so many held-out pictures are looked at after each epoch


@dataclass(frozen=True)
class TorchLearner:
    """A net behind the encoder of its pictures; `record` builds the same net without weights."""

    net: nn.Module
    record: Mapping[str, Any]
    kind: TaskKind
    encoder: PictureEncoder | None
    recipe: Recipe | None

    @property
    def parameters(self) -> int:
        """Number of weights and biases."""
        return sum(weight.numel() for weight in self.net.parameters())

    def predict(self, x: PictureRows) -> np.ndarray:
        """Return probabilities (n, k), or standardised numbers (n,)."""
        import torch  # noqa: PLC0415 - slow to import

        assert self.encoder is not None
        normalise, found = self.encoder.normalisation(), []
        self.net.eval()
        device = next(self.net.parameters()).device
        with torch.inference_mode():
            for block in x.blocks(max(_PIXELS_AT_ONCE // self.encoder.size**2, 4)):
                pixels = torch.from_numpy(np.ascontiguousarray(block)).to(device)
                logits = self.net(normalise(pixels)).double()
                answer = logits[:, 0] if self.kind == "regression" else logits.softmax(dim=1)
                found.append(answer.cpu().numpy())
        return np.concatenate(found) if found else np.empty((0, 1))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        return {"net": dict(self.record), "kind": self.kind}, arrays_of(self.net)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> TorchLearner:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    return rebuilt(
        record, arrays, lambda net: TorchLearner(net, record["net"], record["kind"], None, None)
    )


def arrays_of(net: nn.Module) -> dict[str, np.ndarray]:
    """Return a net's weights under the names that `rebuilt` reads."""
    from neuroscope.nets.weights import to_arrays  # noqa: PLC0415 - imports torch

    return {f"net.{name}": values for name, values in to_arrays(net).items()}


def rebuilt(
    record: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    learner: Callable[[nn.Module], TypedLearner],
) -> TypedLearner:
    """Return the learner that `learner` makes of the kept net; ModelError where a part is amiss."""
    from neuroscope.nets.weights import from_arrays  # noqa: PLC0415 - imports torch

    try:
        net = built(record["net"])
        from_arrays(net, part(arrays, "net."))
        return learner(net.eval())
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's net cannot be read: {error!r}") from error


def built(record: Mapping[str, Any]) -> nn.Module:
    """Build a net of a family, or a backbone with a head, from its record."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch

    if "ahead" in record:
        from neuroscope.nets.ahead import KnownAhead  # noqa: PLC0415 - imports torch

        return KnownAhead(nets.build(record), **record["ahead"])
    if "backbone" not in record:
        return nets.build(record)
    from neuroscope.nets.backbone import Transfer, linear_head  # noqa: PLC0415 - imports torch
    from neuroscope.nets.pretrained import from_record  # noqa: PLC0415 - imports torch

    backbone = from_record(record["backbone"])
    return Transfer(backbone, linear_head(backbone, **record["head"]))


def layers(net: nn.Module, record: Mapping[str, Any]) -> list[list[nn.Module]]:
    """Return the layer groups of a built net, lowest first."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch

    family = nets.catalogue.get(record["family"])
    if "ahead" in record:
        below, steps = net.get_submodule("net"), net.get_submodule("steps")
        return [*family.groups(below), [steps]]
    return family.groups(net)


def outputs(problem: Problem) -> int:
    """Return how many numbers a net gives: one a class, or the number itself."""
    return 1 if problem.kind == "regression" else problem.classes


def fit(
    training: Training, recipe: Recipe, watch: Watch, net: nn.Module, record: Mapping[str, Any]
) -> TorchLearner:
    """Train a net by its recipe on the training rows; held-out rows are watched, never used."""
    from neuroscope import nets  # noqa: PLC0415 - imports torch
    from neuroscope.nets.backbone import Transfer, groups  # noqa: PLC0415 - imports torch
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch
    from neuroscope.train.finetune import finetune  # noqa: PLC0415 - imports torch

    began = time.monotonic()
    encoder, x = training.encoded(recipe)
    layers = groups(net) if isinstance(net, Transfer) else nets.catalogue.get(
        record["family"]
    ).groups(net)  # fmt: skip
    rows = _rows(training, x, encoder, recipe)
    watched = None
    if training.held is not None and watch.fold == 0:
        held = training.held_encoded(encoder)
        some = replace(held, rows=held.rows[:: max(len(held) // _WATCHED, 1)])
        watched = _rows(training, some, encoder, recipe)
    seconds = None if watch.seconds is None else watch.seconds - (time.monotonic() - began)
    seen = loop.Watch(
        rung=watch.rung, fold=watch.fold, monitor=counting(watch), stop=watch.stop,
        seconds=None if seconds is None else max(seconds, 0.0),
        checkpoint=checkpoint(training, watch),
        predicted=predicted(training),
    )  # fmt: skip
    if isinstance(net, Transfer):
        stages = finetune(net, rows, recipe, layers, valid=watched, watch=seen, ready=True)
        followed = replace(stages[-1].recipe, epochs=recipe.epochs, unfreeze=recipe.unfreeze)
        epochs = sum(stage.recipe.epochs for stage in stages)
        if epochs < recipe.epochs:
            reason = f"{recipe.epochs} planned, stopped by the time budget"
            followed = followed.because(reason, epochs=epochs)
    else:
        followed = loop.fit(net, rows, recipe, valid=watched, groups=layers, watch=seen).recipe
    return TorchLearner(net.eval(), record, training.problem.kind, encoder, followed)


def predicted(training: Training) -> int:
    """Return how many rows are predicted after a fit: those held out, and those of the test."""
    held = 0 if training.held is None else len(training.held)
    return held + len(training.problem.split.test)


def checkpoint(training: Training, watch: Watch) -> Path | None:
    """Return where a fit keeps its state, so that a killed run goes on in the middle of it.

    The state of a finished fit stays until the rung's next one begins: by then its predictions are
    kept, and a run that was killed in between only reads it again.
    """
    scratch = training.problem.scratch
    if scratch is None or not watch.rung:
        return None
    scratch.mkdir(parents=True, exist_ok=True)
    name = f"fit-{watch.rung}-{watch.trial}-{watch.fold}-{len(training.rows)}"
    for place in scratch.glob(f"fit-{watch.rung}-*.safetensors"):
        if not place.name.startswith(f"{name}.") and not place.name.startswith(f"{name}-stage"):
            place.unlink()
    return scratch / f"{name}.safetensors"


def counting(watch: Watch) -> Monitor:
    """Say with each event of a fit which of the rung's recipes it is about."""

    def tell(event: Event) -> None:
        if isinstance(event, EpochEnded):
            event = replace(event, trial=watch.trial, trials=watch.trials)
        elif isinstance(event, GradientFlow | DeadUnits):
            event = replace(event, trial=watch.trial)
        watch.tell(event)

    return tell


def _rows(training: Training, x: PictureRows, encoder: PictureEncoder, recipe: Recipe) -> Any:
    """Return the pictures with their targets as the loop takes them; nothing is copied."""
    from neuroscope.train.data import Data  # noqa: PLC0415 - imports torch

    problem = training.problem
    targets = np.zeros(problem.table.rows, np.float32 if problem.kind == "regression" else np.int64)
    targets[x.rows] = problem.learnt(x.rows)
    if problem.kind == "regression":
        targets = targets[:, None]
    return Data(x.array, targets, problem.weights, x.rows, prepare(encoder, recipe))


def prepare(encoder: PictureEncoder, recipe: Recipe) -> Any:
    """Return what happens to a batch on the device: augmented in training, then normalised."""
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope.train.augment import augmenter  # noqa: PLC0415 - imports torch

    normalise, augment = encoder.normalisation(), augmenter(recipe.augment)

    def on_device(inputs: tuple[Any, ...], chance: Any) -> tuple[Any, ...]:
        (pixels,) = inputs
        if chance is not None and augment is not None:
            changed = augment((pixels / 255).permute(0, 3, 1, 2), chance)
            mean = torch.tensor(encoder.mean).view(-1, 1, 1).to(changed.device)
            std = torch.tensor(encoder.std).view(-1, 1, 1).to(changed.device)
            return ((changed - mean) / std,)
        return (normalise(pixels),)

    return on_device
