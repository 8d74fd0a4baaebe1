"""Pictures made by hand: files of every kind, damaged ones, and folders of classes."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image


def pixels(seed: int, height: int = 24, width: int = 32, channels: int = 3) -> np.ndarray:
    """Return a smooth random picture that no other seed resembles."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (6, 8, channels), dtype=np.uint8)
    image = Image.fromarray(coarse if channels > 1 else coarse[..., 0])
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def encoded(picture: np.ndarray | Image.Image, kind: str = "PNG", **options) -> bytes:
    """Return the bytes of a picture file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def save(path: str | Path, seed: int, kind: str = "PNG", **shape: int) -> Path:
    """Write one picture, folders and all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encoded(pixels(seed, **shape), kind))
    return path


def folder(root: str | Path, classes: tuple[str, ...] = ("cat", "dog"), each: int = 12) -> Path:
    """Write a folder with one subfolder a class."""
    for i, name in enumerate(classes):
        for j in range(each):
            save(Path(root, name, f"{j:02}.png"), 1000 * i + j)
    return Path(root)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that states a size and holds next to nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    about = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", about) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts
