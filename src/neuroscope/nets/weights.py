"""Weights of a net as named NumPy arrays, and back; what does not fit is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from neuroscope.base.errors import ModelError


def to_arrays(net: nn.Module) -> dict[str, np.ndarray]:
    """Return copies of all parameters and buffers by name, as safetensors keeps them."""
    state = net.state_dict()
    return {name: tensor.detach().cpu().numpy().copy() for name, tensor in state.items()}


def from_arrays(net: nn.Module, arrays: Mapping[str, np.ndarray]) -> None:
    """Put `arrays` into the net; missing, extra or misshapen ones are a ModelError."""
    own = net.state_dict()
    missing = [name for name in own if name not in arrays]
    extra = [name for name in arrays if name not in own]
    wrong = [
        f"{name} {tuple(arrays[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in arrays and arrays[name].shape != own[name].shape
    ]
    faults = {"missing": missing, "not of this net": extra, "of another shape": wrong}
    if any(faults.values()):
        said = "; ".join(f"{what}: {listed(names)}" for what, names in faults.items() if names)
        raise ModelError(f"the weights do not fit the net ({said})", remedy="train it again")
    net.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in arrays.items()})


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
