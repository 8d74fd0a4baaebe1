"""Words on a flat map: each where its vector lies on two principal components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from neuroscope.report.svg import tag

_WIDTH, _HEIGHT, _MARGIN = 860.0, 620.0, 40.0
_LETTER, _LINE = 6.6, 13.0  # room of a letter and of a line, page units
_RIGHT = 6.0  # from a dot to its word
_STYLE = (
    ".chart text{font:12px system-ui,sans-serif;fill:#333}.chart .asked{font-weight:600;"
    "fill:#1746a2}.chart circle{fill:#8a93a6}.chart circle.asked{fill:#1746a2}.chart .axis"
    "{stroke:#d5d9e2;fill:none}.chart .note{fill:#666}"
)

Box = tuple[float, float, float, float]  # left, top, right, bottom


def word_map(found: Mapping[str, Any], title: str, *, alone: bool = False) -> Markup | None:
    """Draw the words of a map; `alone` makes it a file of its own, with its style.

    `found` has "words", "places" (x, y), "asked" (bool) and "shares", the parts of the variance
    that the two directions show. A word for which there is no room is left to its dot, whose
    tooltip names it.
    """
    words: Sequence[str] = found["words"]
    if not words:
        return None
    places = _scaled(found["places"])
    asked = list(found.get("asked") or [False] * len(words))
    order = sorted(range(len(words)), key=lambda i: not asked[i])  # these get their room first
    taken: list[Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in places]
    parts = [_middle(places, found["places"])]
    for i in order:
        x, y = places[i]
        kind = "asked" if asked[i] else "word"
        dot = tag("circle", tag("title", words[i]), cx=x, cy=y, r=3.0 if asked[i] else 2.2,
                  class_=kind)  # fmt: skip
        parts += [dot, *_label(words[i], x, y, kind, taken)]
    first, second = found["shares"]
    told = (
        f"{first + second:.0%} of how these {len(words)} words differ is seen here "
        f"({first:.0%} across, {second:.0%} upwards)"
    )
    note = tag("text", told, x=_MARGIN, y=_HEIGHT - 10, class_="note")
    more: dict[str, Any] = {"xmlns": "http://www.w3.org/2000/svg"} if alone else {}
    return tag(
        "svg", tag("title", title), tag("desc", told), *([_sheet()] if alone else []), *parts,
        note, viewBox=f"0 0 {_WIDTH:g} {_HEIGHT:g}", role="img", aria_label=f"{title}. {told}",
        class_="chart words", **more,
    )  # fmt: skip


def _sheet() -> Markup:
    return tag("style", Markup(_STYLE))


def _scaled(places: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return places on the page, one scale for both directions, so that distances stay true."""
    xs, ys = [p[0] for p in places], [p[1] for p in places]
    across, up = max(xs) - min(xs), max(ys) - min(ys)
    room_x, room_y = _WIDTH - 2 * _MARGIN - 80, _HEIGHT - 2 * _MARGIN - 20  # a word at the right
    scale = min(room_x / across if across else 1e9, room_y / up if up else 1e9)
    scale = 0.0 if scale == 1e9 else scale
    left = _MARGIN + (room_x - scale * across) / 2
    low = _MARGIN + (room_y + scale * up) / 2
    return [(left + scale * (x - min(xs)), low - scale * (y - min(ys))) for x, y in places]


def _middle(placed: Sequence[tuple[float, float]], places: Sequence[Sequence[float]]) -> Markup:
    """Return a cross where the mean of the words lies."""
    x = sum(x for x, _ in placed) / len(places)
    y = sum(y for _, y in placed) / len(places)
    path = f"M{x:.1f} {_MARGIN:g}V{_HEIGHT - _MARGIN:g}M{_MARGIN:g} {y:.1f}H{_WIDTH - _MARGIN:g}"
    return tag("path", d=path, class_="axis")


def _label(word: str, x: float, y: float, kind: str, taken: list[Box]) -> list[Markup]:
    """Write a word where there is room: right, left, above or below its dot."""
    shown = word if len(word) <= 24 else f"{word[:23]}…"
    long = _LETTER * len(shown)
    for dx, dy, anchor, left in (
        (_RIGHT, 4.0, "start", x + _RIGHT),
        (-_RIGHT, 4.0, "end", x - _RIGHT - long),
        (0.0, -6.0, "middle", x - long / 2),
        (0.0, 15.0, "middle", x - long / 2),
    ):
        box = (left, y + dy - _LINE + 2, left + long, y + dy + 2)
        inside = box[0] > 0 and box[2] < _WIDTH and box[1] > 0 and box[3] < _HEIGHT - 24
        if inside and not any(_meet(box, other) for other in taken if not _around(other, x, y)):
            taken.append(box)
            return [tag("text", shown, x=x + dx, y=y + dy, text_anchor=anchor, class_=kind)]
    return []


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _around(box: Box, x: float, y: float) -> bool:
    """Say whether a box is that of the dot itself."""
    return box == (x - 3, y - 3, x + 3, y + 3)
