"""One step of a torch net: gather, prepare, mix, forward, loss, backward, bound, update.

Nothing here waits for the device: sums of the loss stay there until the epoch is over.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from neuroscope.base import randomness
from neuroscope.base.recipe import Recipe
from neuroscope.train import _fused
from neuroscope.train.data import Batch, Rows
from neuroscope.train.evaluate import Forward, cost, weight_of
from neuroscope.train.losses import Loss
from neuroscope.train.mixing import mix
from neuroscope.train.optimizers import (
    Average,
    Group,
    Penalty,
    make_optimizer,
    set_rate,
    trainable,
)
from neuroscope.train.signals import StepProbe


class Engine:
    """A net, its optimizer and all that a step changes."""

    def __init__(
        self, net: nn.Module, rows: Rows, recipe: Recipe, loss: Loss, device: torch.device,
        groups: Sequence[Group] | None = None,
    ) -> None:  # fmt: skip
        self.net, self.rows, self.recipe, self.loss, self.device = net, rows, recipe, loss, device
        self.forward = Forward(net, recipe, device, rows.prepare)
        self.parameters = trainable(net)
        self.optimizer = make_optimizer(net, recipe, groups)
        self.penalty = Penalty(self.parameters, recipe)
        self.average = Average(net, recipe.average) if recipe.average else None
        self.mixes = recipe.mixup > 0 or recipe.cutmix > 0
        self.mixing = randomness.generator(recipe.seed, "mixing")
        self.chance = torch.Generator(device)
        self.chance.manual_seed(randomness.integer(recipe.seed, "augmentation"))
        kind = torch.float32 if device.type == "mps" else torch.float64
        self.loss_sum, self.weight_sum = torch.zeros(2, dtype=kind, device=device).unbind()
        self.plain_rows = 0  # rows of weight 1, counted without the device

    def learn(self) -> None:
        """Switch to training; parts that are frozen stay as in prediction, statistics included."""
        self.net.train()
        for module in self.net.modules():
            own = list(module.parameters())
            if own and not any(parameter.requires_grad for parameter in own):
                module.eval()

    def step(
        self, batches: Sequence[np.ndarray], rate: float, step: int, probe: StepProbe | None = None
    ) -> None:
        """Take one step on the rows of `batches`; `probe` notes gradients and changes."""
        set_rate(self.optimizer, rate)
        self._slopes(batches)
        if probe is not None:
            probe.before(self.parameters)
        self.penalty.add()
        if self.recipe.clip_norm:
            nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip_norm)
        self.optimizer.step()
        if probe is not None:
            probe.after(self.parameters)
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.follow(step)

    def _slopes(self, batches: Sequence[np.ndarray]) -> None:
        """Leave the gradient of the mean loss over all rows of `batches` in the parameters."""
        rows = sum(len(positions) for positions in batches)
        answers: Tensor | None = None
        for positions in batches:
            total, counts = self._cost(positions)
            if counts is None:
                (total / rows).backward()
            elif len(batches) == 1:
                (total / counts.sum().clamp_min(1)).backward()
            else:  # the answers of later batches are not known yet
                total.backward()
                answers = counts.sum() if answers is None else answers + counts.sum()
        if answers is not None:
            slopes = [p.grad for p in self.parameters if p.grad is not None]
            _fused.divide(slopes, answers.clamp_min(1))

    def _cost(self, positions: np.ndarray) -> tuple[Tensor, Tensor | None]:
        batch = self.rows.take(positions)
        inputs, share = self.forward.prepared(batch.inputs, self.chance), 1.0
        if self.mixes:
            inputs, share = mix(inputs, self.recipe, self.mixing)
        outputs = self.forward(inputs)
        total, counts = cost(self.loss, outputs, batch)
        if share < 1.0:
            weights = None if batch.weights is None else batch.weights.flip(0)
            other = Batch(batch.inputs, batch.targets.flip(0), weights)
            total = share * total + (1 - share) * cost(self.loss, outputs, other)[0]
        self._count(total, batch, counts)
        return total, counts

    def _count(self, total: Tensor, batch: Batch, counts: Tensor | None) -> None:
        self.loss_sum += total.detach()
        if counts is None and batch.weights is None:
            self.plain_rows += len(batch.targets)
        else:
            self.weight_sum += weight_of(batch, counts)

    def read_sums(self) -> tuple[float, float]:
        """Return the summed loss and weight of the epoch so far; waits for the device."""
        loss, weight = torch.stack([self.loss_sum, self.weight_sum]).tolist()
        return loss, weight + self.plain_rows

    def set_sums(self, loss: float, weight: float) -> None:
        """Begin an epoch with these sums: zeros, or those of an epoch that was interrupted."""
        self.loss_sum.fill_(loss)
        self.weight_sum.fill_(weight)
        self.plain_rows = 0
