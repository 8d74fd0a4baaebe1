"""Small drawings of a few shapes: pictures that a net tells apart after seconds of training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("bar", "square", "stripe", "corner")


def draw(name: str, rng: np.random.Generator, size: int = 16, channels: int = 1) -> np.ndarray:
    """Return one drawing (size, size, channels) uint8, noisy, at a place of its own."""
    picture = np.full((size, size), rng.integers(0, 60), float)
    row, column = rng.integers(1, size - 7, 2)
    if name in ("bar", "corner"):
        picture[:, column : column + 3] = 200
    if name in ("stripe", "corner"):
        picture[row : row + 3, :] = 200
    if name == "square":
        picture[row : row + 6, column : column + 6] = 200
    picture = picture[..., None] * np.array([1.0, 0.8, 0.6])[:channels]
    return (picture + rng.normal(0, 12, picture.shape)).clip(0, 255).astype(np.uint8)


def shapes(
    classes: int = 3, each: int = 30, *, channels: int = 1, size: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return drawings (n, size, size, channels) and their names (n,), the classes by turns."""
    rng = np.random.default_rng(seed)
    names = np.array(NAMES[:classes] * each)
    return np.stack([draw(name, rng, size, channels) for name in names]), names


def write(root: str | Path, pictures: np.ndarray, names: np.ndarray) -> Path:
    """Write drawings as files, one folder a class."""
    for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        place = Path(root, str(name), f"{number:04}.png")
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(place)
    return Path(root)
