"""Where each written token looks: a grid, a column a token read, a row a token written."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from neuroscope.report.figures import is_number
from neuroscope.report.svg import tag

_CELL, _LETTER, _LEAST = 22.0, 7.4, 0.02  # page units; the weight below which nothing is drawn
_END, _SPACE = "(end)", "␣"


def attention(
    read: Sequence[str], said: Sequence[str], weights: Sequence[Sequence[float]]
) -> Markup:
    """Draw the weights (tokens written, tokens read); an empty last token is the end."""
    left = 14 + _LETTER * max(len(_written(token)) for token in said)
    top = 14 + 0.8 * _LETTER * max(len(_written(token)) for token in read)
    width, height = left + _CELL * len(read) + 40, top + _CELL * len(said) + 8
    parts = []
    for place, token in enumerate(read):
        x, y = left + _CELL * (place + 0.6), top - 6
        parts.append(tag("text", _written(token), x=x, y=y, class_="note",
                         transform=f"rotate(-50 {x:.1f} {y:.1f})"))  # fmt: skip
    for row, token in enumerate(said):
        middle = top + _CELL * (row + 0.65)
        parts.append(tag("text", _written(token), x=left - 6, y=middle, text_anchor="end",
                         class_="note"))  # fmt: skip
        for place, weight in enumerate(weights[row][: len(read)]):
            if not is_number(weight) or weight < _LEAST:
                continue
            parts.append(tag(
                "rect", tag("title", f"{_written(token)} ← {_written(read[place])}: {weight:.2f}"),
                x=left + _CELL * place + 1, y=top + _CELL * row + 1, width=_CELL - 2,
                height=_CELL - 2, rx=3.0, class_="weight",
                style=f"opacity:{min(max(float(weight), 0.0), 1.0):.2f}",
            ))  # fmt: skip
    sentence = "".join(said)
    title = f"Attention while writing “{sentence.strip()}”"
    return tag(
        "svg", tag("title", title), tag("desc", "The darker a square, the more the token of its "
                                        "row was made from that of its column"),
        *parts, viewBox=f"0 0 {width:.0f} {height:.0f}", role="img", aria_label=title,
        class_="chart attention", style=f"max-width:{width:.0f}px",
    )  # fmt: skip


def _written(token: str) -> str:
    if not token:
        return _END
    return token.strip() or _SPACE
