"""Random changes of a batch of pictures on the device: one function a name of the recipe.

Each takes float pictures (n, c, h, w) with values in [0, 1] and a generator on their device, and
changes every picture of the batch in its own way. What a picture shows must not depend on what is
changed: no flips for digits, no colours where the colour is the class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

Augmentation = Callable[[Tensor, torch.Generator], Tensor]

SHIFT = 0.125  # largest shift, as a share of height and width
TURN = 15.0  # largest turn, in degrees
ERASED = (0.02, 0.2)  # least and largest share of the area that is erased
LIGHT = 0.2  # largest change of brightness and contrast


def augmenter(names: Sequence[str]) -> Augmentation | None:
    """Return one function that applies the named augmentations in turn; None without any."""
    changes = [_CHANGES[name] for name in names]
    if not changes:
        return None

    def augment(pictures: Tensor, chance: torch.Generator) -> Tensor:
        for change in changes:
            pictures = change(pictures, chance)
        return pictures

    return augment


def _uniform(
    pictures: Tensor, chance: torch.Generator, low: float = 0.0, high: float = 1.0
) -> Tensor:
    """Draw one number a picture, shaped (n, 1, 1, 1)."""
    drawn = torch.rand(len(pictures), generator=chance, device=pictures.device)
    return (low + (high - low) * drawn).to(pictures.dtype)[:, None, None, None]


def flip(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Mirror half of the pictures left to right."""
    return torch.where(_uniform(pictures, chance) < 0.5, pictures.flip(3), pictures)


def flip_vertical(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Mirror half of the pictures top to bottom."""
    return torch.where(_uniform(pictures, chance) < 0.5, pictures.flip(2), pictures)


def shift(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Move each picture by up to SHIFT of its size, zeros coming in (a padded random crop)."""
    n, c, height, width = pictures.shape
    down, right = max(1, round(SHIFT * height)), max(1, round(SHIFT * width))
    padded = functional.pad(pictures, (right, right, down, down))
    device = pictures.device
    first_row = torch.randint(0, 2 * down + 1, (n, 1), generator=chance, device=device)
    first_column = torch.randint(0, 2 * right + 1, (n, 1), generator=chance, device=device)
    rows = first_row + torch.arange(height, device=device)
    columns = first_column + torch.arange(width, device=device)
    picture = torch.arange(n, device=device)[:, None, None, None]
    channel = torch.arange(c, device=device)[None, :, None, None]
    return padded[picture, channel, rows[:, None, :, None], columns[:, None, None, :]]


def rotate(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Turn each picture by up to TURN degrees about its centre, zeros coming in."""
    height, width = pictures.shape[2:]
    turn = _uniform(pictures, chance, -TURN, TURN).flatten() * (math.pi / 180)
    cosine, sine, zero = turn.cos(), turn.sin(), torch.zeros_like(turn)
    upper = torch.stack([cosine, -sine * (height / width), zero], 1)
    lower = torch.stack([sine * (width / height), cosine, zero], 1)
    grid = functional.affine_grid(
        torch.stack([upper, lower], 1), list(pictures.shape), align_corners=False
    )
    return functional.grid_sample(pictures, grid, align_corners=False)


def erase(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Put zeros in a rectangle of half of the pictures (random erasing, Zhong et al. 2020)."""
    height, width = pictures.shape[2:]
    share = _uniform(pictures, chance, *ERASED)
    stretch = (_uniform(pictures, chance, -1.2, 1.2) / 2).exp()  # height over width: 0.3 to 3.3
    tall, wide = (share.sqrt() * stretch).clamp(max=1), (share.sqrt() / stretch).clamp(max=1)
    top = _uniform(pictures, chance) * (1 - tall) * height
    left = _uniform(pictures, chance) * (1 - wide) * width
    y = torch.arange(height, device=pictures.device)[None, None, :, None]
    x = torch.arange(width, device=pictures.device)
    inside = (y >= top) & (y < top + tall * height) & (x >= left) & (x < left + wide * width)
    return pictures.masked_fill(inside & (_uniform(pictures, chance) < 0.5), 0)


def brightness(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Multiply each picture by 1 - LIGHT to 1 + LIGHT."""
    return (pictures * _uniform(pictures, chance, 1 - LIGHT, 1 + LIGHT)).clamp(0, 1)


def contrast(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Pull each picture to or from its mean by up to LIGHT."""
    mean = pictures.mean((1, 2, 3), keepdim=True)
    return (mean + (pictures - mean) * _uniform(pictures, chance, 1 - LIGHT, 1 + LIGHT)).clamp(0, 1)


_CHANGES: dict[str, Augmentation] = {
    "flip": flip,
    "flip_vertical": flip_vertical,
    "shift": shift,
    "rotate": rotate,
    "erase": erase,
    "brightness": brightness,
    "contrast": contrast,
}
