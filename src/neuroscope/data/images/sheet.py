"""A contact sheet: many pictures with a line of text below each, in one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from neuroscope.base.errors import InputError
from neuroscope.base.events import ignore
from neuroscope.data.images.column import IMAGE
from neuroscope.data.images.decode import UnreadableError
from neuroscope.data.images.store import Pictures, in_parallel
from neuroscope.data.table import Table

_GAP, _LINE, _TEXT = 8, 14, 11  # pixels: around a picture, a line of text, the text's height
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def contact_sheet(
    table: Table,
    rows: Sequence[int] | np.ndarray,
    captions: Sequence[str],
    path: str | Path,
    *,
    column: str = IMAGE,
    columns: int = 8,
    side: int = 128,
) -> Path:
    """Write the pictures of `rows` (from 0) with their captions (lines divided by newlines).

    `side` is the room of a picture in pixels, `columns` how many stand side by side. A picture
    that cannot be read shows as an empty frame with the reason. `path` ends in .png or .jpg.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise InputError(f"{str(path)!r} names no kind of picture", remedy="end it in .png or .jpg")
    if len(rows) != len(captions) or not len(rows):
        raise InputError(f"{len(rows)} pictures and {len(captions)} captions for a contact sheet")
    with Pictures(table, column) as pictures:

        def small(row: int) -> Image.Image | str:
            try:
                image = pictures.image(int(row), 2 * side)
            except UnreadableError as error:
                return str(error)
            factor = side / max(image.size)
            blown = Image.Resampling.NEAREST if factor > 1 else Image.Resampling.BILINEAR
            return ImageOps.contain(image, (side, side), blown)

        shown = [one for block in in_parallel(small, list(rows), ignore, "") for one in block]
    sheet = _drawn(shown, captions, min(columns, len(shown)), side)
    options = {"quality": 90} if _FORMATS[path.suffix.lower()] == "JPEG" else {"optimize": True}
    sheet.save(path, format=_FORMATS[path.suffix.lower()], **options)
    return path


def _drawn(
    shown: Sequence[Image.Image | str], captions: Sequence[str], columns: int, side: int
) -> Image.Image:
    texts = [caption.splitlines() or [""] for caption in captions]
    width = side + _GAP
    height = side + _GAP + _LINE * max(map(len, texts))
    sheet = Image.new(
        "RGB", (columns * width + _GAP, math.ceil(len(shown) / columns) * height + _GAP), "white"
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT)
    for place, (picture, lines) in enumerate(zip(shown, texts, strict=True)):
        x, y = _GAP + place % columns * width, _GAP + place // columns * height
        if isinstance(picture, str):
            draw.rectangle((x, y, x + side - 1, y + side - 1), outline="grey")
            draw.text((x + 4, y + 4), _cut(picture, font, side - 8), "grey", font)
        else:
            at = x + (side - picture.width) // 2, y + (side - picture.height) // 2
            sheet.paste(picture.convert("RGB"), at)
        for i, line in enumerate(lines):
            draw.text((x, y + side + i * _LINE), _cut(line, font, side), "black", font)
    return sheet


def _cut(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Return as much of a line as fits, with "…" where it is cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
