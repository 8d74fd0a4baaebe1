"""What a fit shows of itself: gradients, changes and dead units of each layer, once an epoch.

Steps carry no hooks. The last step of an epoch is watched with two fused calls over all parameters,
and dead units are counted in one forward pass of a few rows, by listening to torch's functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from neuroscope.train import _fused

PROBE_ROWS = 256  # rows on which a unit must fire at least once
_MAPS = (
    functional.linear,
    functional.conv1d,
    functional.conv2d,
    functional.conv3d,
    torch.conv1d,
    torch.conv2d,
    torch.conv3d,
)
_RECTIFIERS = (
    functional.relu,
    functional.relu6,
    functional.relu_,
    torch.relu,
    torch.relu_,
    Tensor.relu,
    Tensor.relu_,
)


@dataclass
class StepProbe:
    """Gradient norm and relative change of each layer in one step.

    A layer is a parameter of two dimensions or more; it is called by its module's name.
    """

    names: dict[int, str]  # id of the parameter -> name of its layer
    norms: list[Tensor] = field(default_factory=list)
    changes: list[Tensor] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    _kept: list[Tensor] = field(default_factory=list)
    _size: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, net: nn.Module) -> StepProbe:
        """Return a probe for the layers of a net that learn."""
        return cls({
            id(parameter): layer_name(name)
            for name, parameter in net.named_parameters()
            if parameter.ndim >= 2 and parameter.requires_grad
        })  # fmt: skip

    def _layers(self, parameters: Sequence[nn.Parameter]) -> list[nn.Parameter]:
        return [p for p in parameters if id(p) in self.names and p.grad is not None]

    @torch.no_grad()
    def before(self, parameters: Sequence[nn.Parameter]) -> None:
        """Note gradients and weights before the step."""
        layers = self._layers(parameters)
        if not layers:
            return
        self.layers = [self.names[id(parameter)] for parameter in layers]
        self.norms = _fused.norms([p.grad for p in layers if p.grad is not None])
        self._size = _fused.norms(layers)
        self._kept = [parameter.detach().clone() for parameter in layers]

    @torch.no_grad()
    def after(self, parameters: Sequence[nn.Parameter]) -> None:
        """Note how far the weights moved, as a share of their norm."""
        if not self.layers:
            return
        moved = _fused.distances(self._layers(parameters), self._kept)
        self.changes = [far / (size + 1e-12) for far, size in zip(moved, self._size, strict=True)]
        self._kept = []

    def read(self) -> tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]:
        """Return names, gradient norms and update-to-weight ratios; waits for the device."""
        if not self.layers:
            return (), (), ()
        both = torch.stack([*self.norms, *self.changes]).cpu().double().tolist()
        count = len(self.layers)
        return tuple(self.layers), tuple(both[:count]), tuple(both[count:])


def layer_name(parameter: str) -> str:
    """Return the name of the layer a parameter belongs to: "block.conv.weight" -> "block.conv"."""
    head, _, last = parameter.rpartition(".")
    return head if head and last == "weight" else parameter


class _Listener(TorchFunctionMode):
    """Hears which rectified units fire while a net runs."""

    def __init__(self, names: dict[int, str]) -> None:
        super().__init__()
        self.names, self.layer = names, ""
        self.channels = -1  # the axis of the units
        self.fired: dict[str, Tensor] = {}

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        answer = func(*args, **(kwargs or {}))
        if func in _MAPS and len(args) > 1:
            self.layer = self.names.get(id(args[1]), self.layer)
            self.channels = -1 if func is functional.linear else 1
        elif self.layer and (func in _RECTIFIERS or _cuts_at_zero(func, kwargs)):
            self._hear(answer)
        return answer

    def _hear(self, answer: Tensor) -> None:
        axis = self.channels % answer.ndim
        others = [i for i in range(answer.ndim) if i != axis]
        fired = (answer > 0).any(others) if others else answer > 0
        known = self.fired.get(self.layer)
        same = known is not None and known.shape == fired.shape
        self.fired[self.layer] = known | fired if known is not None and same else fired


def _cuts_at_zero(func: Callable, options: dict | None) -> bool:
    """Say whether a clipping function rectifies: nn.ReLU6 is called as a hardtanh from 0 to 6."""
    return func is functional.hardtanh and (options or {}).get("min_val") == 0


def dead_units(net: nn.Module, run: Callable[[], object]) -> dict[str, tuple[int, int]]:
    """Return (dead, all) units of each layer that is followed by a ReLU.

    `run` sends the probe's rows through the net. A unit is dead when it stays at zero in every row
    (and, of a feature map, in every place): no gradient reaches it (Lu et al. 2020).
    """
    names = {id(parameter): layer_name(name) for name, parameter in net.named_parameters()}
    with torch.no_grad(), _Listener(names) as listener:
        run()
    if not listener.fired:
        return {}
    alive = torch.stack([fired.sum() for fired in listener.fired.values()]).cpu().tolist()
    return {
        name: (fired.numel() - int(count), fired.numel())
        for (name, fired), count in zip(listener.fired.items(), alive, strict=True)
    }
