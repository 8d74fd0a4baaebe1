"""Words on a flat map: each where its vector lies on two principal components."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from neuroscope.report.svg import tag

_WIDTH, _HIGHEST, _MARGIN = 860.0, 780.0, 40.0
_LETTER, _LINE = 6.6, 13.0  # room of a letter and of a line, page units
_SIDE = 50.0  # kept free at the left and the right for words
_FOOT = 20.0  # for the note
_NEAR, _FAR = 6.0, (16.0, 26.0, 38.0)  # from a dot to its word: beside it, else led to by a line
_TURNS = 12  # directions in which a word is led away
_STYLE = (
    ".chart text{font:12px system-ui,sans-serif;fill:#333}.chart .asked{font-weight:600;"
    "fill:#1746a2}.chart circle{fill:#8a93a6}.chart circle.asked{fill:#1746a2}"
    ".chart .axis,.chart .lead{stroke:#d5d9e2;fill:none}.chart .note{fill:#666}"
)

Box = tuple[float, float, float, float]  # left, top, right, bottom


def word_map(found: Mapping[str, Any], title: str, *, alone: bool = False) -> Markup | None:
    """Draw the words of a map; `alone` makes it a file of its own, with its style.

    `found` has "words", "places" (x, y), "asked" (bool) and "shares", the parts of the variance
    that the two directions show. A word for which there is no room beside its dot is led away
    from it by a line; one for which there is none nearby is left to the dot, whose tooltip names
    it.
    """
    words: Sequence[str] = found["words"]
    if not words:
        return None
    places, height = _scaled(found["places"])
    asked = list(found.get("asked") or [False] * len(words))
    order = sorted(range(len(words)), key=lambda i: not asked[i])  # these get their room first
    taken: list[Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in places]
    page = _WIDTH, height - _FOOT
    parts = [_middle(places, height)]
    for i in order:
        x, y = places[i]
        kind = "asked" if asked[i] else "word"
        dot = tag("circle", tag("title", words[i]), cx=x, cy=y, r=3.0 if asked[i] else 2.2,
                  class_=kind)  # fmt: skip
        parts += [dot, *_label(words[i], (x, y), kind, taken, page)]
    first, second = found["shares"]
    told = (
        f"{first + second:.0%} of how these {len(words)} words differ is seen here "
        f"({first:.0%} across, {second:.0%} upwards)"
    )
    note = tag("text", told, x=_MARGIN, y=height - 10, class_="note")
    more: dict[str, Any] = {"xmlns": "http://www.w3.org/2000/svg"} if alone else {}
    return tag(
        "svg", tag("title", title), tag("desc", told), *([_sheet()] if alone else []), *parts,
        note, viewBox=f"0 0 {_WIDTH:g} {height:.0f}", role="img", aria_label=f"{title}. {told}",
        class_="chart words", **more,
    )  # fmt: skip


def _sheet() -> Markup:
    return tag("style", Markup(_STYLE))


def _scaled(places: Sequence[Sequence[float]]) -> tuple[list[tuple[float, float]], float]:
    """Return places on the page and its height, which is what the words need at full width.

    One scale for both directions, so that distances stay true.
    """
    xs, ys = [p[0] for p in places], [p[1] for p in places]
    across, up = max(xs) - min(xs), max(ys) - min(ys)
    room_x, room_y = _WIDTH - 2 * (_MARGIN + _SIDE), _HIGHEST - 2 * _MARGIN - _FOOT
    scale = min(room_x / across if across else 1e9, room_y / up if up else 1e9)
    scale = 0.0 if scale == 1e9 else scale
    left = (_WIDTH - scale * across) / 2
    low = _MARGIN + scale * up
    placed = [(left + scale * (x - min(xs)), low - scale * (y - min(ys))) for x, y in places]
    return placed, low + _MARGIN + _FOOT


def _middle(placed: Sequence[tuple[float, float]], height: float) -> Markup:
    """Return a cross where the mean of the words lies."""
    x = sum(x for x, _ in placed) / len(placed)
    y = sum(y for _, y in placed) / len(placed)
    low = height - _FOOT - _MARGIN / 2
    path = f"M{x:.1f} {_MARGIN / 2:g}V{low:.1f}M{_MARGIN:g} {y:.1f}H{_WIDTH - _MARGIN:g}"
    return tag("path", d=path, class_="axis")


def _label(
    word: str, dot: tuple[float, float], kind: str, taken: list[Box], page: tuple[float, float]
) -> list[Markup]:
    """Write a word where there is room: beside its dot, else further away with a line to it."""
    shown = word if len(word) <= 24 else f"{word[:23]}…"
    long, (x, y) = _LETTER * len(shown), dot
    for dx, dy, anchor, led in _spots():
        left = x + dx - long * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        box = (left, y + dy - _LINE + 2, left + long, y + dy + 2)
        inside = box[0] > 0 and box[2] < page[0] and box[1] > 0 and box[3] < page[1]
        if inside and not any(_meet(box, other) for other in taken if not _around(other, x, y)):
            taken.append(box)
            text = tag("text", shown, x=x + dx, y=y + dy, text_anchor=anchor, class_=kind)
            end = f"{x + dx:.1f} {y + dy - 4:.1f}"
            line = [tag("path", d=f"M{x:.1f} {y:.1f}L{end}", class_="lead")] if led else []
            return [*line, text]
    return []


def _spots() -> Iterator[tuple[float, float, str, bool]]:
    """Yield where a word may stand from its dot, the best first: x, y, anchor, is led there."""
    yield _NEAR, 4.0, "start", False
    yield -_NEAR, 4.0, "end", False
    yield 0.0, -_NEAR, "middle", False
    yield 0.0, 15.0, "middle", False
    for far in _FAR:
        for turn in range(_TURNS):
            angle = 2 * math.pi * turn / _TURNS
            right, down = math.cos(angle), math.sin(angle)
            anchor = "middle" if abs(right) < 0.1 else "start" if right > 0 else "end"
            yield far * right, far * down + 4, anchor, True


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _around(box: Box, x: float, y: float) -> bool:
    """Say whether a box is that of the dot itself."""
    return box == (x - 3, y - 3, x + 3, y + 3)
