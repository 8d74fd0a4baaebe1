"""NumPy arrays that are pictures: which are, and how they become 8-bit grey or colour."""

from __future__ import annotations

import numpy as np

SMALLEST_SIDE = 4  # pixels; below, an array of three axes is rather a short series
CHANNELS = (1, 3, 4)


def as_pictures(x: np.ndarray) -> tuple[np.ndarray, str] | None:
    """Return x as uint8 pictures (n, h, w) or (n, h, w, c), and a note; None when it is none.

    Pictures are uint8 of any content, other integers from 0 to 255, whole floats from 0 to 255,
    or floats from 0 to 1 (times 255). Channels stand last, or first and are moved.
    """
    if x.ndim not in (3, 4) or not len(x) or x.dtype.kind not in "uif":
        return None
    notes = []
    if x.ndim == 4 and x.shape[3] not in CHANNELS:
        if x.shape[1] not in CHANNELS:
            return None
        x = np.moveaxis(x, 1, 3)
        notes.append("channels moved from the second axis to the last")
    if min(x.shape[1:3]) < SMALLEST_SIDE:
        return None
    pixels = _as_bytes(x)
    if pixels is None:
        return None
    if pixels is not x and x.dtype != np.uint8:
        low, high = float(x.min()), float(x.max())
        notes.append(f"pixels of type {x.dtype} from {low:g} to {high:g} read as 0 to 255")
    if pixels.ndim == 4 and pixels.shape[3] == 1:
        pixels = pixels[..., 0]
    return np.ascontiguousarray(pixels), "; ".join(notes)


def _as_bytes(x: np.ndarray) -> np.ndarray | None:
    if x.dtype == np.uint8:
        return x
    low, high = x.min(), x.max()
    if not (low >= 0 and high <= 255):  # NaN compares as neither
        return None
    if x.dtype.kind == "f" and high <= 1:
        return np.rint(x * x.dtype.type(255)).astype(np.uint8)
    whole = x.astype(np.uint8)
    return whole if x.dtype.kind in "ui" or np.array_equal(whole, x) else None
