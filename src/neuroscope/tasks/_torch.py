"""A torch net on a rung: built for the pictures, trained by the loop of `train`, kept as arrays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.events import DeadUnits, EpochEnded, Event, GradientFlow, Monitor
from neuroscope.base.recipe import Recipe
from neuroscope.data.splits import TaskKind, inner_split
from neuroscope.tasks._learning import Problem, Training, Watch
from neuroscope.tasks._pictures.encoders import PictureEncoder, PictureRows, part

if TYPE_CHECKING:
    from torch import nn

    from neuroscope.train import loop
    from neuroscope.train.data import Rows

TypedLearner = TypeVar("TypedLearner")

_PIXELS_AT_ONCE = 1 << 18  # predicted at a time: 256 pictures of 32 x 32, 5 of 224 x 224
_ON_A_GPU = 64  # times as many
_WATCHED = 1000  # about so many held-out rows are looked at after each epoch
_STOPPING = 0.15  # of the training rows say when to stop, where a recipe has patience


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
            most = _PIXELS_AT_ONCE * (1 if device.type == "cpu" else _ON_A_GPU)
            for block in x.blocks(max(most // self.encoder.size**2, 4)):
                pixels = torch.from_numpy(np.ascontiguousarray(block)).to(device)
                logits = self.net(normalise(pixels)).cpu().double()  # Apple's GPUs have no double
                answer = logits[:, 0] if self.kind == "regression" else logits.softmax(dim=1)
                found.append(answer.numpy())
        return np.concatenate(found) if found else np.empty((0, 1))

    def pack(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return the net's record as JSON and its weights as arrays."""
        return {"net": dict(self.record), "kind": self.kind}, arrays_of(self.net)


def unpack(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> TorchLearner:
    """Rebuild the learner that `pack` wrote; ModelError when its parts do not fit together."""
    return rebuilt(
        record, arrays, lambda net: TorchLearner(net, record["net"], record["kind"], None, None)
    )


def on_processor(learner: TypedLearner) -> TypedLearner:
    """Return a learner whose net, if it has one, lies where a saved model is opened."""
    net: Any = getattr(learner, "net", None)
    if net is None or next(net.parameters()).device.type == "cpu":
        return learner
    moved: Any = replace(learner, net=copy.deepcopy(net).to("cpu"))  # type: ignore[type-var]
    return moved


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
    if "reader" in record:
        return _reading(record)
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


def _reading(record: Mapping[str, Any]) -> nn.Module:
    """Build a pretrained text net with a head from its record."""
    from neuroscope.nets.backbone import linear_head  # noqa: PLC0415 - imports torch
    from neuroscope.nets.reader import ReaderTransfer, from_record  # noqa: PLC0415 - imports torch

    reader = from_record(record["reader"])
    return ReaderTransfer(reader, linear_head(reader, **record["head"]))  # type: ignore[arg-type]


def outputs(problem: Problem) -> int:
    """Return how many numbers a net gives: one a class, or the number itself."""
    return 1 if problem.kind == "regression" else problem.classes


def fit(
    training: Training, recipe: Recipe, watch: Watch, net: nn.Module, record: Mapping[str, Any]
) -> TorchLearner:
    """Train a net by its recipe on the training rows; held-out rows are watched, never used.

    With `recipe.patience` the epochs are watched on a part of the training rows instead.
    """
    part = divided(training, recipe)
    return fit_part(part, recipe, watch, net, record, predicted=predicted(training))


def divided(training: Training, recipe: Recipe) -> Training:
    """Return the rows to learn from beside those that say when to stop; all without patience.

    The rows that a rung is judged on must not choose the epoch whose weights stay.
    """
    if not recipe.patience:
        return training
    problem = training.problem
    rest, held = inner_split(
        training.y, seed=recipe.seed, fraction=_STOPPING, stratify=problem.kind != "regression",
        groups=problem.groups_of(training.rows), times=problem.times_of(training.rows),
    )  # fmt: skip
    return training.some(rest, held)


def fit_part(
    training: Training, recipe: Recipe, watch: Watch, net: nn.Module, record: Mapping[str, Any],
    *, predicted: int,
) -> TorchLearner:  # fmt: skip
    """Train as `fit` does, on rows that are `divided`; so many are `predicted` afterwards."""
    encoder, x = training.encoded(recipe)
    rows, valid = _rows(training, x, encoder, recipe), None
    some = looked_at(training, watch, always=recipe.patience > 0)
    if some is not None:
        held = training.held_encoded(encoder)
        valid = _rows(training, replace(held, rows=held.rows[some]), encoder, recipe)
    seen = replace(watching(training, watch), predicted=predicted)
    followed = trained(net, record, rows, recipe, seen, valid=valid)
    net = net.float().eval()  # a fit in float64 is kept and used as any other
    return TorchLearner(net, record, training.problem.kind, encoder, followed)


def trained(
    net: nn.Module, record: Mapping[str, Any], rows: Rows, recipe: Recipe, watch: loop.Watch, *,
    valid: Rows | None = None,
) -> Recipe:  # fmt: skip
    """Train the net of `record` in place, whatever it reads; returns the recipe it followed.

    A backbone with a head is fine-tuned, any other net is trained as a whole. `valid` rows are
    watched, and end the fit where the recipe has patience.
    """
    from neuroscope.nets.backbone import Transfer, groups  # noqa: PLC0415 - imports torch
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch
    from neuroscope.train.finetune import finetune  # noqa: PLC0415 - imports torch

    if not isinstance(net, Transfer):
        found = layers(net, record)
        return loop.fit(net, rows, recipe, valid=valid, groups=found, watch=watch).recipe
    stages = finetune(net, rows, recipe, groups(net), valid=valid, watch=watch, ready=True)
    followed = replace(stages[-1].recipe, epochs=recipe.epochs, unfreeze=recipe.unfreeze)
    epochs = sum(stage.recipe.epochs for stage in stages)
    if epochs == recipe.epochs:
        return followed
    reason = f"{recipe.epochs} planned, stopped by the time budget"
    return followed.because(reason, epochs=epochs)


def watching(training: Training, watch: Watch, *, kept: bool = True) -> loop.Watch:
    """Return what the loop asks of a fit: who is told, its place in the run, and its seconds.

    They are those that encoding left, and the loop keeps the time of the predictions back that
    come after it. With `kept` its state is written down, so that a killed run goes on within it.
    """
    from neuroscope.train import loop  # noqa: PLC0415 - imports torch

    return loop.Watch(
        rung=watch.rung, fold=watch.fold, monitor=counting(watch), stop=watch.stop,
        seconds=watch.left, checkpoint=checkpoint(training, watch) if kept else None,
        predicted=predicted(training),
    )  # fmt: skip


def looked_at(training: Training, watch: Watch, *, always: bool = False) -> np.ndarray | None:
    """Return which held-out rows (positions) are looked at after each epoch, if any.

    Those of the first fold are, and `always` those that say when to stop.
    """
    if training.held is None or (watch.fold != 0 and not always):
        return None
    return np.arange(0, len(training.held), max(len(training.held) // _WATCHED, 1))


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

    @lru_cache(maxsize=4)  # bringing numbers onto a GPU waits for all that it has to do
    def colours(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        mean, std = torch.tensor([encoder.mean, encoder.std], device=device)[..., None, None]
        return mean, std

    def on_device(inputs: tuple[Any, ...], chance: Any) -> tuple[Any, ...]:
        (pixels,) = inputs
        if chance is not None and augment is not None:
            changed = augment((pixels / 255).permute(0, 3, 1, 2), chance)
            mean, std = colours(changed.device)
            return ((changed - mean) / std,)
        return (normalise(pixels),)

    return on_device
