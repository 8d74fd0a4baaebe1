"""Folders of drawn shapes: small pictures that a net can tell apart, with some wrong labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps

SIDE = 20


def shape(kind: str, random: np.random.Generator) -> Image.Image:
    """Return a grey picture of a disc, a frame or stripes on noise, light or dark at random.

    Light and dark cancel out for a single neuron, which weighs pixel by pixel.
    """
    image = Image.fromarray(random.integers(0, 50, (SIDE, SIDE), dtype=np.uint8))
    draw = ImageDraw.Draw(image)
    x, y = (int(v) for v in random.integers(1, 7, 2))
    box = (x, y, x + 11, y + 11)
    if kind == "disc":
        draw.ellipse(box, fill=230)
    elif kind == "frame":
        draw.rectangle(box, outline=230, width=2)
    else:
        for line in range(y, y + 12, 4):
            draw.line((x, line, x + 11, line), fill=230)
    return image if random.random() < 0.5 else ImageOps.invert(image)


def folder(root: Path, kinds: tuple[str, ...] = ("disc", "frame", "stripes"), each: int = 40,
           wrong: int = 0, seed: int = 0) -> Path:  # fmt: skip
    """Write one subfolder a kind; the first `wrong` pictures of each show the next kind."""
    random = np.random.default_rng(seed)
    for place, kind in enumerate(kinds):
        (root / kind).mkdir(parents=True, exist_ok=True)
        for number in range(each):
            shown = kinds[(place + 1) % len(kinds)] if number < wrong else kind
            shape(shown, random).save(root / kind / f"{number:03}.png")
    return root


def damage(root: Path, kind: str = "disc") -> Path:
    """Put a file that cannot be read and one that is no picture into the folder."""
    (root / kind / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    (root / "notes.txt").write_text("nothing")
    return root
