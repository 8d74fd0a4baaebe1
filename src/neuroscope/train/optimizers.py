"""The recipe's optimizer from torch, with the rates of layer groups and what decays.

Decay and penalties fall on weights, the parameters of two dimensions and more; biases and the
scales of norms go free. The fused kernels step all parameters in one call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from neuroscope.base.errors import choice_error
from neuroscope.base.recipe import OPTIMIZERS, Recipe
from neuroscope.train import _fused

Group = Sequence[nn.Module | nn.Parameter]


def trainable(net: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that learn, each once."""
    return [parameter for parameter in net.parameters() if parameter.requires_grad]


def make_optimizer(
    net: nn.Module, recipe: Recipe, groups: Sequence[Group] | None = None
) -> torch.optim.Optimizer:
    """Build the optimizer; each of its parameter groups holds its own `factor` on the rate.

    The rate of `groups` (lowest first, head last) shrinks by recipe.layer_decay from each to the
    one below it (Howard and Ruder 2018). Parameters outside all groups learn as the head does.
    """
    depth = _depths(groups or [])
    decay = recipe.weight_decay if recipe.optimizer == "adamw" else 0.0
    alike: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in trainable(net):
        factor = recipe.layer_decay ** depth.get(id(parameter), 0)
        alike.setdefault((factor, decay if parameter.ndim >= 2 else 0.0), []).append(parameter)
    parts = [
        {"params": parameters, "factor": factor, "weight_decay": shrink}
        for (factor, shrink), parameters in alike.items()
    ]
    return _build(parts, recipe)


def _build(parts: list[dict], recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.optimizer not in OPTIMIZERS:
        raise choice_error("optimizer of a deep net", recipe.optimizer, OPTIMIZERS)
    rate = recipe.learning_rate
    name, eps = recipe.optimizer, recipe.epsilon
    if name in ("adam", "adamw"):
        betas = (recipe.beta1, recipe.beta2)
        return torch.optim.AdamW(parts, rate, betas=betas, eps=eps, fused=True)
    if name == "adagrad":
        fused = all(p.device.type == "cpu" for part in parts for p in part["params"])
        return torch.optim.Adagrad(parts, rate, eps=eps, fused=fused)
    if name == "rmsprop":
        return torch.optim.RMSprop(parts, rate, alpha=recipe.beta2, eps=eps, foreach=True)
    momentum = 0.0 if name == "sgd" else recipe.momentum
    return torch.optim.SGD(parts, rate, momentum=momentum, nesterov=name == "nesterov" and
                           momentum > 0, fused=True)  # fmt: skip


def _depths(groups: Sequence[Group]) -> dict[int, int]:
    """Return how many groups each parameter lies below the head, by id."""
    found: dict[int, int] = {}
    for depth, group in enumerate(reversed(groups)):
        for part in group:
            for parameter in [part] if isinstance(part, nn.Parameter) else part.parameters():
                found.setdefault(id(parameter), depth)
    return found


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the rate of the head; the groups below follow by their factors."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["factor"]


class Penalty:
    """The slope of l1 * sum |w| + l2 / 2 * sum w^2, added to the gradients of the weights."""

    def __init__(self, parameters: Sequence[nn.Parameter], recipe: Recipe) -> None:
        self.weights = [parameter for parameter in parameters if parameter.ndim >= 2]
        self.l1, self.l2 = recipe.l1, recipe.l2

    @torch.no_grad()
    def add(self) -> None:
        """Add the penalties to the gradients; nothing is done where there are none."""
        if not (self.l1 or self.l2):
            return
        used = [weight for weight in self.weights if weight.grad is not None]
        slopes: list[Tensor] = [weight.grad for weight in used if weight.grad is not None]
        if self.l2:
            _fused.add(slopes, used, self.l2)
        if self.l1:
            _fused.add(slopes, _fused.signs(used), self.l1)


class Average:
    """The exponential moving average of a net's weights and statistics (Polyak and Juditsky 1992).

    a += (1 - decay) (w - a), the decay rising as (1 + t) / (10 + t) over the first steps t.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        state = net.state_dict()
        self.names = [name for name, value in state.items() if value.is_floating_point()]
        self.live = [state[name] for name in self.names]  # the net's own memory
        self.mean = [value.clone() for value in self.live]

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """Take in the weights after `step` (counted from 0)."""
        decay = min(self.decay, (1 + step) / (10 + step))
        _fused.move_towards(self.mean, self.live, 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the net's weights and their average."""
        for live, mean in zip(self.live, self.mean, strict=True):
            kept = live.clone()
            live.copy_(mean)
            mean.copy_(kept)


@contextmanager
def counting(average: Average | None) -> Iterator[None]:
    """Put the averaged weights, where there are some, into the net for a while."""
    if average is not None:
        average.swap()
    try:
        yield
    finally:
        if average is not None:
            average.swap()
