"""One picture: every format and mode becomes upright 8-bit grey or colour; the rest is refused."""

from __future__ import annotations

import numpy as np
import pytest
from picture_making import encoded, pixels, png_header
from PIL import Image

from neuroscope.data.images.decode import (
    UnreadableError,
    decode,
    fit,
    header,
    quiet_pillow,
)

COLOUR = pixels(1)
GREY = pixels(1, channels=1)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_formats(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    image = decode(encoded(COLOUR, kind, **options))
    assert (image.mode, image.size) == ("RGB", (32, 24))
    off = np.abs(np.asarray(image).astype(int) - COLOUR).mean()
    assert off <= {"JPEG": 10, "GIF": 25}.get(kind, 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight(kind: str) -> None:
    image = decode(encoded(Image.fromarray(GREY.astype(np.uint16) * 257), kind))
    assert image.mode == "L"
    assert np.array_equal(np.asarray(image), GREY)


def test_floats_from_0_to_1_become_eight_bits_and_others_are_refused() -> None:
    right = Image.fromarray(GREY.astype(np.float32) / 255)
    assert np.array_equal(np.asarray(decode(encoded(right, "TIFF"))), GREY)
    with pytest.raises(UnreadableError, match=r"values from .* to .*; 8 or 16 bits"):
        decode(encoded(Image.fromarray(GREY.astype(np.float32) * 7), "TIFF"))


def test_transparent_lies_on_white() -> None:
    rgba = np.dstack([COLOUR, np.zeros(COLOUR.shape[:2], np.uint8)])
    rgba[:12, :, 3] = 255
    shown = np.asarray(decode(encoded(rgba)))
    assert np.array_equal(shown[:12], COLOUR[:12])
    assert (shown[12:] == 255).all()
    grey = np.dstack([GREY, np.zeros_like(GREY)])
    assert (np.asarray(decode(encoded(Image.fromarray(grey, "LA")))) == 255).all()


def test_palette_also_with_transparency() -> None:
    palette = Image.fromarray(COLOUR).quantize(8)
    image = decode(encoded(palette))
    assert image.mode == "RGB"
    assert np.array_equal(np.asarray(image), np.asarray(palette.convert("RGB")))
    shown = np.asarray(decode(encoded(palette, transparency=0)))
    assert (shown[np.asarray(palette) == 0] == 255).all()


def test_one_bit_and_cmyk() -> None:
    assert set(np.unique(np.asarray(decode(encoded(Image.fromarray(GREY).convert("1")))))) == {
        0,
        255,
    }
    ink = decode(encoded(Image.fromarray(COLOUR).convert("CMYK"), "TIFF"))
    assert ink.mode == "RGB"
    assert np.abs(np.asarray(ink).astype(int) - COLOUR).max() <= 1


def test_first_frame_of_an_animation() -> None:
    frames = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (10, 200)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (np.asarray(decode(data)) == 10).all()


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_exif_orientation(turn: int, kind: str) -> None:
    """What a camera wrote turned comes out upright."""
    upright = np.zeros((24, 32), np.uint8)
    upright[:8, :16] = 255  # bright at the top left
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: upright.T[::-1], 7: upright.T[::-1, ::-1], 8: upright.T[:, ::-1],
    }[turn]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = turn
    image = decode(encoded(np.ascontiguousarray(stored), kind, exif=exif))
    assert image.size == (32, 24)
    assert np.abs(np.asarray(image).astype(int) - upright).max() < 60


def test_a_damaged_exif_block_does_not_spoil_the_picture() -> None:
    data = encoded(COLOUR, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\0\1\2\3")
    with quiet_pillow():
        assert decode(data).size == (32, 24)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is no JPEG, PNG"),
        (b"hello, this is text", "is no JPEG, PNG"),
        (encoded(COLOUR)[:200], "is damaged"),
        (encoded(pixels(2, 200, 200), "JPEG")[:900], "is damaged"),
        (encoded(COLOUR, "GIF")[:60], "is damaged|damaged header"),
        (png_header(100_000, 10_000), r"refused: more than 89,478,485 pixels \(1,000,000,000\)"),
        (png_header(12_000, 8_000), "refused: more than 89,478,485 pixels"),
        (png_header(64, 64), "is damaged"),
    ],
)
def test_refused(data: bytes, reason: str) -> None:
    with quiet_pillow(), pytest.raises(UnreadableError, match=reason):
        decode(data)


def test_a_pixel_bomb_is_refused_by_its_header() -> None:
    with quiet_pillow(), pytest.raises(UnreadableError, match="1,000,000,000"):
        header(png_header(100_000, 10_000))


def test_other_formats_are_not_opened() -> None:
    with pytest.raises(UnreadableError, match="is no JPEG"):
        decode(encoded(COLOUR, "PPM"))
    with pytest.raises(UnreadableError, match="is no JPEG"):
        decode(encoded(COLOUR, "ICO", sizes=[(16, 16)]))


def test_jpeg_is_decoded_at_a_fraction_of_its_size() -> None:
    data = encoded(pixels(3, 640, 800), "JPEG")
    assert decode(data).size == (800, 640)
    assert decode(data, near=60).size == (100, 80)
    assert decode(data, near=60, mode="L").mode == "L"


def test_fit_squashes_or_takes_the_middle() -> None:
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 255
    assert (fit(Image.fromarray(wide), 20, 1, "centre") == 255).all()
    squashed = fit(Image.fromarray(wide), 20, 3, "squash")
    assert squashed.shape == (20, 20, 3)
    assert squashed[10, 10].tolist() == [255] * 3
    assert squashed[10, 1].tolist() == [0] * 3
