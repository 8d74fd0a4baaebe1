"""How decoded pictures become what a net reads: sizes for the decoder, numbers for the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from neuroscope.base.errors import ModelError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """x = (pixel / 255 - mean) / std, on pictures of `size` x `size` pixels.

    The decoder brings the shorter side to `resize` pixels and cuts the middle `size` x `size` out;
    with `squash` it brings both sides to `size`, whatever the proportions.
    """

    size: int
    resize: int
    squash: bool
    mean: tuple[float, ...]  # one number a channel, in parts of white
    std: tuple[float, ...]

    @property
    def channels(self) -> int:
        """The channels the net reads: 1 for grey, 3 for colour."""
        return len(self.mean)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return floats (n, channels, h, w), channels last in memory, of uint8 (n, h, w, c).

        Grey pictures (c = 1) are repeated for a net that reads colour.
        """
        given, wanted = pixels.shape[-1], self.channels
        if given not in (1, wanted):
            raise ModelError(
                f"the pictures have {given} channels and the net reads {wanted}",
                remedy="decode the pictures with the channels of the net",
            )
        factor, shift = _line(self.mean, self.std, pixels.device)
        x = pixels * factor - shift  # also repeats the grey channel
        return x.permute(0, 3, 1, 2)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object; `from_json` gives an equal value back."""
        return asdict(self) | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Normalisation:
        """Build the value that `to_json` gave."""
        return cls(**{**record, "mean": tuple(record["mean"]), "std": tuple(record["std"])})


@lru_cache(maxsize=32)
@torch.inference_mode(mode=False)
def _line(
    mean: tuple[float, ...], std: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return what a pixel is multiplied by and what is taken off then, each (c,).

    They are kept, because bringing numbers onto a GPU waits for all that it has to do.
    """
    scale = 1 / torch.tensor(std, device=device)
    return scale / 255, torch.tensor(mean, device=device) * scale


def of_processor(processor: Mapping[str, Any], fallback_size: int) -> Normalisation:
    """Return what a `preprocessor_config.json` of transformers asks for.

    Sides that differ, or a size it does not state as a number, are a ModelError.
    """
    size, resize, squash = _sides(processor, fallback_size)
    factor = processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 1.0
    mean, std = (0.0,) * 3, (1.0,) * 3
    if processor.get("do_normalize", True):
        mean = _three(processor.get("image_mean") or IMAGENET_MEAN)
        std = _three(processor.get("image_std") or IMAGENET_STD)
    if processor.get("rescale_offset", False):
        mean = tuple(m + 1 for m in mean)  # the class rescales to [-1, 1] before the mean
    unit = 255 * factor  # the class divides pixels by 1 / factor, we by 255
    mean, std = tuple(m / unit for m in mean), tuple(s / unit for s in std)
    return Normalisation(size=size, resize=resize, squash=squash, mean=mean, std=std)


def _sides(processor: Mapping[str, Any], fallback: int) -> tuple[int, int, bool]:
    """Return (size, resize, squash)."""
    asked = processor.get("size") or fallback
    fraction = processor.get("crop_pct")
    short = asked.get("shortest_edge") if isinstance(asked, Mapping) else None
    if fraction and isinstance(asked, int):
        short = asked  # older files of the ConvNeXt processor, which ResNet uses too
    if short and fraction:  # it does not crop larger pictures
        return (short, round(short / fraction), False) if short < 384 else (short, short, True)
    crop = processor.get("crop_size") if processor.get("do_center_crop") else None
    if crop:
        size = _square(crop)
        return size, max(short or _square(asked), size), not short and _square(asked) <= size
    return (short, short, False) if short else (_square(asked), _square(asked), True)


def _square(sides: int | Mapping[str, int]) -> int:
    """Return the side of a square given as a number or as {"height", "width"}."""
    if isinstance(sides, int):
        return sides
    height, width = sides.get("height"), sides.get("width")
    if not isinstance(height, int) or height != width:
        raise ModelError(
            f"preprocessor_config.json asks for pictures of {dict(sides)}",
            remedy="take a backbone that reads square pictures",
        )
    return height


def _three(values: float | Sequence[float]) -> tuple[float, ...]:
    return tuple(values) if isinstance(values, Sequence) else (float(values),) * 3
