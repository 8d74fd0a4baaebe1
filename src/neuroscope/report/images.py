"""Arrays as pictures inside the page: PNG or JPEG as data URIs, evidence as a warm veil."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

_JPEG_FROM = 64 * 64  # pixels from which a photo is kept as JPEG
_QUALITY = 82
_VEIL = np.array([[20, 20, 60], [120, 30, 110], [220, 70, 50], [255, 170, 30], [255, 250, 180]],
                 np.float64)  # no evidence to strongest evidence, dark to light  # fmt: skip
_OPAQUE = 0.65  # of the veil where the evidence is strongest


def inline(pixels: np.ndarray) -> str:
    """Return pixels (h, w), (h, w, 1) or (h, w, 3) uint8 as a data URI."""
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
    image, file = Image.fromarray(np.ascontiguousarray(pixels)), io.BytesIO()
    large = image.width * image.height >= _JPEG_FROM
    if large:
        image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    else:
        image.save(file, "PNG", optimize=True)
    kind = "jpeg" if large else "png"
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def veiled(pixels: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Return the picture (h, w, 3) in grey under a veil that is warm where `heat` (i, j) is high.

    The heat is drawn up to the picture's size, or the picture to the heat's where that is larger.
    """
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    if max(heat.shape) > max(image.size):
        image = image.resize(heat.shape[::-1], Image.Resampling.NEAREST)
    grey = np.asarray(image.convert("L"), np.float64)[..., None]
    drawn = Image.fromarray(heat).resize(image.size, Image.Resampling.BILINEAR)
    strength = np.asarray(drawn, np.float64) / 255
    stops = np.linspace(0, 1, len(_VEIL))
    colour = np.stack([np.interp(strength, stops, _VEIL[:, c]) for c in range(3)], axis=-1)
    share = _OPAQUE * np.clip(0.35 + strength, 0, 1)[..., None]
    return np.rint((1 - share) * grey + share * colour).astype(np.uint8)


def coloured(maps: np.ndarray) -> np.ndarray:
    """Return a map (h, w) uint8 in the colours of the veil, (h, w, 3)."""
    stops = np.linspace(0, 255, len(_VEIL))
    whole = [np.interp(maps.astype(np.float64), stops, _VEIL[:, c]) for c in range(3)]
    return np.rint(np.stack(whole, axis=-1)).astype(np.uint8)


def signed(weights: np.ndarray) -> np.ndarray:
    """Return weights (h, w, c) of 256 levels, 128 none, as (h, w, 3): orange for, blue against.

    Weights of three channels are shown as colours around grey.
    """
    if weights.shape[-1] == 3:
        return weights
    level = (weights[..., 0].astype(np.float64) - 127.5) / 127.5
    towards = np.where(level[..., None] > 0, [180.0, 83.0, 10.0], [27.0, 95.0, 193.0])
    share = np.abs(level)[..., None]
    return np.rint((1 - share) * 248 + share * towards).astype(np.uint8)


def tiled(pictures: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """Return pictures (k, h, w, 3) side by side as one (H, W, 3), grey lines between them."""
    k, h, w, _ = pictures.shape
    lines = -(-k // columns)
    whole = np.full((lines * (h + gap) + gap, columns * (w + gap) + gap, 3), 160, np.uint8)
    for place, picture in enumerate(pictures):
        top, left = (gap + n * (side + gap) for n, side in zip(divmod(place, columns), (h, w),
                                                               strict=True))  # fmt: skip
        whole[top : top + h, left : left + w] = picture
    return whole
