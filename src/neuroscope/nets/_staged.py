"""What all families share: stages one after the other, then a head; weights from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from neuroscope.base.errors import RecipeError

COUNTS = (
    *("channels", "size", "outputs", "width", "blocks", "convolutions"),
    *("steps", "layers", "kernel", "heads", "patch", "stride", "feed_forward"),
)


class Staged(nn.Module):
    """A net of named stages and a head whose last layer gives the logits."""

    def __init__(self, stages: Mapping[str, nn.Module], head: nn.Sequential) -> None:
        super().__init__()
        self.stages = nn.Sequential()
        for name, stage in stages.items():
            self.stages.add_module(name, stage)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n, outputs) of `x` (n, channels, size, size)."""
        return self.head(self.stages(x))

    def features(self, x: Tensor) -> Tensor:
        """Return what the last layer reads, (n, d)."""
        x = self.stages(x)
        for layer in list(self.head)[:-1]:
            x = layer(x)
        return x


def groups(net: Staged) -> list[list[nn.Module]]:
    """Return the layer groups, lowest first, head last; a stage is a group."""
    return [[stage] for stage in net.stages] + [[net.head]]


def last_maps(net: Staged) -> nn.Module:
    """Return the last stage: its output (n, k, h, w) is what Grad-CAM reads."""
    return net.stages[-1]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw the first weights from `seed` and leave torch's own generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def he_normal(net: nn.Module) -> None:
    """Set the weights that feed a ReLU to N(0, 2 / fan-in), the logits' to 1 / fan-in, biases to 0.

    He et al. 2015, arXiv 1502.01852 (fan-in: the variance of the forward pass is kept).
    """
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        gain = "linear" if layer is layers[-1] else "relu"
        nn.init.kaiming_normal_(layer.weight, nonlinearity=gain)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def convolve(k_in: int, k_out: int, *, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution, batch norm (Ioffe and Szegedy 2015) and ReLU."""
    return nn.Sequential(
        nn.Conv2d(k_in, k_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(k_out),
        nn.ReLU(),  # not in place: what explains the net reads the maps before it
    )


def check(**numbers: float | tuple[int, ...]) -> None:
    """Refuse counts below 1 and a share outside [0, 1) with a RecipeError."""
    for name, value in numbers.items():
        if name in COUNTS and (type(value) is not int or value < 1):
            raise RecipeError(f"{name} is {value!r}", remedy="give a whole number of at least 1")
        if name == "hidden" and any(width < 1 for width in value):  # type: ignore[union-attr]
            raise RecipeError(f"hidden is {value!r}", remedy="give each layer at least 1 unit")
        if name in ("dropout", "word_dropout") and not 0 <= value < 1:  # type: ignore[operator]
            raise RecipeError(f"{name} is {value!r}", remedy="give a number from 0 to below 1")
