"""Arrays as safetensors bytes: names, dtypes, shapes and numbers, and no code."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save


def pack(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> bytes:
    """Return arrays and text metadata as one safetensors file."""
    # safetensors writes the memory as it lies, so a transposed view would come back scrambled
    in_order = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return save(in_order, metadata=dict(metadata or {}))


def unpack(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the (arrays, metadata) of a safetensors file; anything else is a ValueError."""
    try:
        arrays = load(data)
        length = int.from_bytes(data[:8], "little")  # the header: its length, then its JSON
        metadata = json.loads(data[8 : 8 + length]).get("__metadata__", {})
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a whole safetensors file ({error})") from error
    return arrays, metadata
