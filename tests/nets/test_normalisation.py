"""What a preprocessor file asks for, as sizes for the decoder and numbers for the device."""

from __future__ import annotations

import pytest
import torch

from neuroscope.base.errors import ModelError
from neuroscope.nets.normalisation import IMAGENET_MEAN, Normalisation, of_processor

SQUARE = {"height": 64, "width": 64}


@pytest.mark.parametrize(
    ("processor", "wanted"),
    [
        ({}, (224, 224, True)),
        ({"size": 96}, (96, 96, True)),
        ({"size": SQUARE}, (64, 64, True)),
        ({"size": {"shortest_edge": 72}, "do_center_crop": True, "crop_size": SQUARE},
         (64, 72, False)),
        ({"size": {"shortest_edge": 72}, "do_center_crop": False, "crop_size": SQUARE},
         (72, 72, False)),
        ({"size": 72, "do_center_crop": True, "crop_size": 64}, (64, 72, False)),
        ({"size": SQUARE, "do_center_crop": True, "crop_size": SQUARE}, (64, 64, True)),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, (224, 256, False)),
        ({"size": 224, "crop_pct": 0.875}, (224, 256, False)),  # microsoft/resnet-18
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, (384, 384, True)),
    ],
)  # fmt: skip
def test_sizes(processor: dict, wanted: tuple[int, int, bool]) -> None:
    shown = of_processor(processor, 224)
    assert (shown.size, shown.resize, shown.squash) == wanted


@pytest.mark.parametrize(
    ("processor", "black", "white"),
    [
        ({"image_mean": [0.5] * 3, "image_std": [0.25] * 3}, -2.0, 2.0),
        ({"image_mean": 0.5, "image_std": 0.5}, -1.0, 1.0),
        ({"do_normalize": False}, 0.0, 1.0),
        ({"do_normalize": False, "rescale_factor": 1 / 127.5, "rescale_offset": True}, -1.0, 1.0),
        ({"do_rescale": False, "image_mean": [127.5] * 3, "image_std": [127.5] * 3}, -1.0, 1.0),
    ],
)
def test_colours(processor: dict, black: float, white: float) -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 2, 1).expand(1, 1, 2, 3)
    x = of_processor(processor, 224)(pixels)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x, torch.tensor([black, white]).expand(1, 3, 1, 2))


def test_channels_last_and_grey_repeated() -> None:
    shown = of_processor({}, 4)
    assert shown.mean == pytest.approx(IMAGENET_MEAN)
    grey = torch.randint(0, 256, (2, 4, 4, 1), dtype=torch.uint8)
    x = shown(grey)
    assert x.shape == (2, 3, 4, 4)
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x, shown(grey.expand(2, 4, 4, 3)))
    one = Normalisation(size=4, resize=4, squash=True, mean=(0.5,), std=(0.5,))
    assert one.channels == 1
    assert one(grey).shape == (2, 1, 4, 4)
    with pytest.raises(ModelError, match="3 channels and the net reads 1"):
        one(grey.expand(2, 4, 4, 3))


def test_json_both_ways() -> None:
    shown = of_processor({"size": {"shortest_edge": 72}, "crop_size": 64}, 64)
    assert Normalisation.from_json(shown.to_json()) == shown


@pytest.mark.parametrize("size", [{"height": 64, "width": 32}, {"longest_edge": 64}])
def test_what_is_not_square_is_refused(size: dict) -> None:
    with pytest.raises(ModelError, match="asks for pictures of"):
        of_processor({"size": size}, 224)
