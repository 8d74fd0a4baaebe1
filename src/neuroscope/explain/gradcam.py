"""Grad-CAM: where in a picture a net sees the evidence for a class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from neuroscope.base.errors import InputError
from neuroscope.explain._evaluation import evaluating

BATCH = 8  # pictures explained at once: more are slower, their maps leave the caches


def gradcam(
    net: nn.Module,
    layer: nn.Module,
    x: Tensor,  # (n, c, h, w) normalised, as the net takes it
    classes: Sequence[int] | np.ndarray,  # (n,) the output explained in each picture
) -> np.ndarray:
    """Return heat maps (n, h, w) float32 in [0, 1]; 1 is the strongest evidence of that picture.

    heat = relu(sum_k mean_ij(d logit / d a_k) a_k) on the maps a (n, k, i, j) of `layer`, drawn up
    to the picture's size (Selvaraju et al. 2017, arXiv 1610.02391). A layer of tokens (n, t, k), as
    in ViT, has gradient times token summed over k instead, so that each patch keeps its gradient
    (Draelos and Carin 2020, arXiv 2011.08891); leading class tokens are left out. A picture without
    evidence for the class is 0 everywhere. The net is used as in evaluation and stays as it was.
    """
    wanted = torch.as_tensor(np.asarray(classes), dtype=torch.long, device=x.device)
    if wanted.shape != x.shape[:1]:
        raise InputError(f"{len(x)} pictures and {wanted.numel()} classes", remedy="give one each")
    with evaluating(net), _gradients_from(layer, net):
        pieces = zip(x.split(BATCH), wanted.split(BATCH), strict=True)
        heat = torch.cat([_heat(net, layer, part, chosen) for part, chosen in pieces])
    heat = functional.interpolate(heat, x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    highest = heat.amax((1, 2), keepdim=True)
    return (heat / highest.where(highest > 0, torch.ones_like(highest))).cpu().numpy()


@contextmanager
def _gradients_from(layer: nn.Module, net: nn.Module) -> Iterator[None]:
    """Let gradients begin at the output of `layer`; nothing below it is kept in memory for them."""
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    hook = layer.register_forward_hook(_begin)
    net.requires_grad_(False)
    try:
        yield
    finally:
        hook.remove()
        for parameter in trained:
            parameter.requires_grad_()


def _begin(_layer: nn.Module, _given: object, out: object) -> object:
    return out.detach().requires_grad_() if isinstance(out, Tensor) else out


def _heat(net: nn.Module, layer: nn.Module, x: Tensor, classes: Tensor) -> Tensor:
    """Return the evidence (n, 1, i, j), at least 0, at the resolution of the layer."""
    from captum.attr import LayerGradCam, LayerGradientXActivation  # noqa: PLC0415 - 0.4 s

    shape = _shape(net, layer, x[:1])
    if len(shape) == 4:
        evidence = cast(Tensor, LayerGradCam(net, layer).attribute(x, target=classes))
    elif len(shape) == 3:
        side = math.isqrt(shape[1])
        tokens = cast(Tensor, LayerGradientXActivation(net, layer).attribute(x, target=classes))
        evidence = tokens[:, shape[1] - side * side :].sum(-1).unflatten(1, (1, side, side))
    else:
        raise InputError(
            f"the layer gives values of shape {tuple(shape)}",
            remedy="choose a layer of maps (n, k, h, w) or tokens (n, t, k)",
        )
    return functional.relu(evidence.detach().float())


def _shape(net: nn.Module, layer: nn.Module, x: Tensor) -> torch.Size:
    seen: list[torch.Size] = []
    hook = layer.register_forward_hook(
        lambda _layer, _given, out: seen.append(getattr(out, "shape", torch.Size()))
    )
    with torch.no_grad():
        net(x)
    hook.remove()
    if not seen:
        raise InputError("the layer is no part of the net", remedy="choose a layer of this net")
    return seen[-1]
