"""What the first layer looks for: its filters as small pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from neuroscope.base.errors import InputError


def first_filters(net: nn.Module, *, most: int = 64) -> np.ndarray:
    """Return the filters of the first convolution, (k, h, w, c) float32 in [0, 1] for showing.

    The `most` filters of largest norm, strongest first. A weight of 0 is 0.5, and each filter is
    scaled by its own largest weight, so that its shape is seen, not its strength. c is 3 (colour)
    or 1; a layer that reads another number of channels shows their mean. A net without a
    convolution is an InputError.
    """
    layers = [layer for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    if not layers:
        raise InputError("this net has no convolution", remedy="choose a convolutional net")
    weights = layers[0].weight.detach().float().cpu()
    if weights.shape[1] not in (1, 3):
        weights = weights.mean(1, keepdim=True)
    order = torch.argsort(weights.flatten(1).norm(dim=1), descending=True, stable=True)[:most]
    return _shown(weights[order].permute(0, 2, 3, 1).numpy())


def _shown(weights: np.ndarray) -> np.ndarray:
    largest = np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
    return 0.5 + 0.5 * weights / np.where(largest > 0, largest, 1)
