"""A backbone turns pictures into features; with a new head it is a net for the user's classes.

Yosinski et al. 2014, arXiv 1411.1792 (transferable features); Donahue et al. 2014, arXiv 1310.1531
(a linear model on frozen features). Whatever has layer groups, maps and features can be one: the
picture nets of `transformers` (`pretrained.py`) and Neuroscope's own nets (`of_net`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from neuroscope.base.errors import ModelError
from neuroscope.nets import _staged as staged
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._staged import Staged
from neuroscope.nets.normalisation import Normalisation


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a backbone comes from, as the model card says it."""

    name: str  # the name on the hub, or the folder
    licence: str = ""  # as its README states it; "" is not stated
    sha256: Mapping[str, str] = field(default_factory=dict)  # of each weight file
    notes: tuple[str, ...] = ()  # what a person should know, in plain words


class Backbone(nn.Module):
    """A net without its head: `forward` gives the pooled features (n, d).

    `groups` are its layers, lowest first; `maps` is the layer that Grad-CAM reads; `pooling` says
    how the features come about; `to_json` is what `pretrained.from_record` builds the same
    architecture from, without any file of the origin.
    """

    def __init__(
        self,
        net: nn.Module,
        *,
        groups: list[list[nn.Module]],
        maps: nn.Module,
        pooling: str,
        width: int,
        normalisation: Normalisation,
        record: Mapping[str, Any],
        origin: Origin,
    ) -> None:
        super().__init__()
        self.net = net
        # lists, not attributes that hold modules: these layers are parts of `net` already
        self._places = {"groups": groups, "maps": [maps]}
        self.pooling, self.width, self.normalisation = pooling, width, normalisation
        self.record, self.origin = dict(record), origin

    @property
    def groups(self) -> list[list[nn.Module]]:
        """The layer groups, lowest first."""
        return self._places["groups"]

    @property
    def maps(self) -> nn.Module:
        """The layer whose output (n, k, h, w) or tokens (n, t, k) Grad-CAM reads."""
        return self._places["maps"][0]

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (n, d) of normalised pictures (n, c, h, w)."""
        return pool(self.net, x, self.pooling)

    def to_json(self) -> dict[str, Any]:
        """Return all but the weights; `pretrained.from_record` builds it again."""
        return {
            "net": self.record,
            "normalisation": self.normalisation.to_json(),
            "origin": asdict(self.origin),
        }


class Transfer(nn.Module):
    """A backbone and a new head: normalised pictures (n, c, h, w) to logits (n, outputs).

    The backbone's batch norms keep the statistics they came with, also while their scales learn:
    the head has learned on the features that these give, and a batch of some photographs has others
    (five epochs of MobileNetV2's upper layers on 999 photos: 0.82 of 186 others, otherwise 0.75).
    """

    def __init__(self, backbone: Backbone, head: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def train(self, mode: bool = True) -> Self:
        """Switch all to training or prediction, but the backbone's batch norms."""
        super().train(mode)
        for layer in self.backbone.modules():
            if isinstance(layer, _BatchNorm):
                layer.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits (n, outputs)."""
        return self.head(self.backbone(x))


def groups(net: Transfer) -> list[list[nn.Module]]:
    """Return the layer groups of the backbone, lowest first, then the head."""
    return [*net.backbone.groups, [net.head]]


def last_maps(net: Transfer) -> nn.Module:
    """Return the layer of the backbone that Grad-CAM reads."""
    return net.backbone.maps


def linear_head(
    backbone: Backbone, outputs: int, *, dropout: float = 0.0, seed: int = 0
) -> nn.Sequential:
    """Return a new head: dropout, then one layer of `outputs` logits."""
    staged.check(outputs=outputs, dropout=dropout)
    with staged.seeded(seed):
        head = nn.Sequential(Dropout(dropout), nn.Linear(backbone.width, outputs))
        staged.he_normal(head)
    return head


def of_net(net: Staged, record: Mapping[str, Any], *, normalisation: Normalisation) -> Backbone:
    """Take the last layer off a trained picture net of a Neuroscope family: a backbone remains.

    `record` is the net's own record, {"family", "options"}; `normalisation` is what it was trained
    with. The features are what its last layer reads.
    """
    last = net.head[-1]
    if not isinstance(last, nn.Linear):
        raise ModelError("this net does not end in a linear layer", remedy="take another backbone")
    net.head[-1] = nn.Identity()
    before = [layer for layer in net.head if any(True for _ in layer.parameters())]
    return Backbone(
        net,
        groups=[[stage] for stage in net.stages] + ([before] if before else []),
        maps=staged.last_maps(net),
        pooling="what the last layer reads",
        width=last.in_features,
        normalisation=normalisation,
        record=dict(record),
        origin=Origin(name=f"neuroscope {record['family']}"),
    )


def pool(net: nn.Module, x: Tensor, pooling: str) -> Tensor:
    """Return the features (n, d) that `pooling` names."""
    if isinstance(net, Staged):
        return net(x)
    seen = net(pixel_values=x)
    if pooling == "class token":
        return seen.last_hidden_state[:, 0]
    if pooling == "pooler_output":
        return seen.pooler_output.flatten(1)
    hidden = seen.last_hidden_state
    return hidden.mean((-2, -1)) if hidden.ndim == 4 else hidden.mean(1)


def probe(normalisation: Normalisation) -> Tensor:
    """Return one fixed picture (1, c, h, w) to look at shapes with."""
    shape = (1, normalisation.channels, normalisation.size, normalisation.size)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
