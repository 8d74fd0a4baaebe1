"""What each block of a net makes of one picture: its strongest maps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from neuroscope.base.errors import InputError
from neuroscope.explain._evaluation import evaluating


@dataclass(frozen=True)
class BlockMaps:
    """The strongest maps of one block for one picture."""

    block: str
    channels: np.ndarray  # (k,) which maps of the block, strongest first
    maps: np.ndarray  # (k, h, w) float32 in [0, 1], 1 is the largest value of these maps
    total: int  # maps the block has


def feature_maps(
    net: nn.Module,
    blocks: Mapping[str, nn.Module],
    x: Tensor,  # (1, c, h, w) one normalised picture
    *,
    most: int = 8,
) -> list[BlockMaps]:
    """Return the `most` maps of largest mean absolute value of each block, in order of depth.

    Blocks whose output is no stack of maps (n, k, h, w) are left out. Negative values are shown
    as 0, as behind a ReLU. More than one picture is an InputError.
    """
    if len(x) != 1:
        raise InputError(f"{len(x)} pictures given", remedy="give one picture, (1, c, h, w)")
    seen: dict[str, Tensor] = {}
    hooks = [
        block.register_forward_hook(lambda _block, _given, out, name=name: seen.update({name: out}))
        for name, block in blocks.items()
    ]
    try:
        with evaluating(net), torch.inference_mode():
            net(x)
    finally:
        for hook in hooks:
            hook.remove()
    stacks = {name: out for name, out in seen.items() if _is_stack(out)}
    return [_strongest(name, out[0].float().cpu(), most) for name, out in stacks.items()]


def _is_stack(out: object) -> bool:
    return isinstance(out, Tensor) and out.ndim == 4


def _strongest(block: str, maps: Tensor, most: int) -> BlockMaps:
    strength = maps.abs().mean((1, 2))
    order = torch.argsort(strength, descending=True, stable=True)[:most]
    shown = maps[order].clamp(min=0)
    highest = shown.max()
    shown = shown / highest if highest > 0 else shown
    return BlockMaps(block, order.numpy(), shown.numpy(), len(maps))
