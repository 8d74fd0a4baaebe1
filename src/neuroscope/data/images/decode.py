"""One picture: from the bytes of a file to 8-bit pixels, upright, grey or red-green-blue.

A file is read by its content, never by its ending. Of a picture with several frames the first
counts, what is transparent lies on white, 16 bits become 8.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from neuroscope.base.wording import counted
from neuroscope.data.images.column import HEAD_BYTES, looks_like_picture

Crop = Literal["squash", "centre"]

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MOST_PIXELS = 89_478_485  # a quarter of a GiB as red-green-blue; Pillow's own limit
_ORIENTATION = 0x0112  # the EXIF tag (CIPA DC-008)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


class UnreadableError(Exception):
    """A picture cannot be used; the text says why, as the end of "it …"."""


@contextmanager
def quiet_pillow() -> Iterator[None]:
    """Keep Pillow's remarks on odd files off the terminal; entered before threads start."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def header(data: bytes) -> Image.Image:
    """Return the picture with nothing but its header read; UnreadableError when it is refused."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableError(_too_large(_pixels_in(str(error)))) from error
    except UnidentifiedImageError as error:
        if looks_like_picture(data[:HEAD_BYTES]):
            raise UnreadableError("starts like a picture and has a damaged header") from error
        raise UnreadableError("is no JPEG, PNG, WebP, BMP, GIF or TIFF picture") from error
    except Exception as error:  # each decoder has errors of its own for a damaged header
        raise UnreadableError(f"has a damaged header ({_first_line(error)})") from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UnreadableError(_too_large(f"{width:,} x {height:,}"))
    return image


def _pixels_in(said: str) -> str:
    """Return the size that Pillow names; the limit beside it is the half or the double of ours."""
    found = re.search(r"\d+", said)
    return f"{int(found[0]):,}" if found else "far more"


def _too_large(size: str) -> str:
    return f"is refused: more than {MOST_PIXELS:,} pixels ({size})"


def decode(data: bytes, near: int | None = None, mode: str | None = None) -> Image.Image:
    """Return the upright picture in mode "L" or "RGB"; UnreadableError when it cannot be.

    With `near` a JPEG is decoded at a fraction of its size whose sides are both at least `near`
    pixels; with `mode` "L" without its colours.
    """
    return loaded(header(data), near, mode)[0]


def loaded(
    image: Image.Image, near: int | None = None, mode: str | None = None
) -> tuple[Image.Image, int]:
    """Return the decoded picture of a `header`, upright, and the EXIF orientation it had."""
    try:
        if near is not None:
            image.draft(mode, (near, near))
        image.load()
        turn = orientation(image)
        image = eight_bit(image)
        return (image.transpose(_TURNS[turn]) if turn in _TURNS else image), turn
    except UnreadableError:
        raise
    except Exception as error:  # decoders raise nearly anything on damaged data
        raise UnreadableError(f"is damaged ({_first_line(error)})") from error


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 (upright) when the tag is absent or damaged."""
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a damaged EXIF block does not spoil the picture
        return 1
    return value if value in _TURNS else 1


def eight_bit(image: Image.Image) -> Image.Image:
    """Return a loaded picture of any mode in mode "L" or "RGB"."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_grey_levels(np.asarray(image)))
    if image.has_transparency_data:
        grey = image.mode in ("LA", "La", "L")
        above = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, above).convert("L" if grey else "RGB")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _grey_levels(values: np.ndarray) -> np.ndarray:
    """Return 16-bit integers, or floats from 0 to 1, as uint8; one scale for all pictures."""
    low, high = values.min(initial=0), values.max(initial=0)
    top = 1.0 if values.dtype.kind == "f" else 65535
    if not (low >= 0 and high <= top):
        raise UnreadableError(f"has values from {low} to {high}; 8 or 16 bits are read")
    return np.rint(values * (255.0 / top)).astype(np.uint8)


def fit(image: Image.Image, size: int, channels: int, crop: Crop) -> np.ndarray:
    """Return (size, size, channels) uint8: resized with antialiasing (bilinear).

    "squash" takes the whole picture and changes its proportions; "centre" keeps them and takes
    the largest square in the middle.
    """
    mode = "L" if channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if crop == "centre":
        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    elif image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=3.0)
    return np.asarray(image).reshape(size, size, channels)


def channels_shown(image: Image.Image) -> int:
    """Return 1 when the picture is grey, also when it is stored as colours, else 3."""
    if image.mode == "L":
        return 1
    pixels = np.asarray(image)
    same = (pixels[..., 0] == pixels[..., 1]).all() and (pixels[..., 1] == pixels[..., 2]).all()
    return 1 if same else 3


def _first_line(error: Exception) -> str:
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= 100 else counted(len(said), "character") + " of complaint"
