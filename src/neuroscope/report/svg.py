"""Charts as inline SVG: an element builder, axes with round ticks, and a frame to draw in.

Colours are classes, not values, so that one style sheet serves light, dark and paper. Every text
and attribute is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from neuroscope.report.figures import short

Point = tuple[float, float]
_CHARACTER = 8.0  # width of a digit in the widest font, in page units
_SAME = 1e-6  # values that differ by less, relative to their size, are one value
_MOST_POINTS = 160  # of one line; more than the eye sees on a chart of this size


def tag(name: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element; `class_` is written class, and `_` in other attributes is `-`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def _text(value: Any) -> Any:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


@dataclass(frozen=True)
class Axis:
    """The span of values of one direction; `log` needs a span above 0."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def over(cls, values: Iterable[float], *, log: bool = False, margin: float = 0.06) -> Axis:
        """Return an axis that holds all values with a margin; the span is never empty."""
        values = list(values) or [0.0, 1.0]
        low, high = min(values), max(values)
        if log:
            low, high = math.log10(low), math.log10(high)
        pad = (high - low) * margin
        if high - low <= _SAME * max(abs(low), abs(high)):
            pad = 0.1 * abs(high) or 0.1
        low, high = low - pad, high + pad
        return cls(10**low, 10**high, True) if log else cls(low, high)

    def at(self, value: float) -> float:
        """Return where `value` lies, 0 at `low` and 1 at `high`; clipped to the axis."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(max(value, 1e-300))
        return min(max((value - low) / (high - low), 0.0), 1.0)

    def ticks(self, wanted: int = 5) -> list[float]:
        """Return about `wanted` round values inside the axis."""
        if self.log:
            low, high = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            if high - low >= 1:
                step = max(1, math.ceil((high - low + 1) / (wanted + 1)))
                return [10.0**power for power in range(low, high + 1, step)]
        rough = (self.high - self.low) / wanted
        power = 10 ** math.floor(math.log10(rough))
        step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough), 10 * power)
        first = math.ceil(self.low / step - 1e-9)
        values = [float(f"{i * step:.12g}") for i in range(first, first + 4 * wanted)]
        return [value for value in values if value <= self.high + 1e-9 * (self.high - self.low)]


@dataclass
class Frame:
    """A chart with two axes; draw from back to front, then `render` it."""

    x: Axis
    y: Axis
    x_label: str
    y_label: str
    width: float = 420
    height: float = 260
    right: float = 14
    top: float = 26
    bottom: float = 42
    x_ticks: Sequence[float] | None = None
    parts: list[Markup] = field(default_factory=list)
    left: float = field(init=False)

    def __post_init__(self) -> None:
        longest = max((len(short(value)) for value in self.y.ticks()), default=1)
        self.left = 18 + _CHARACTER * longest

    def place(self, x: float, y: float) -> Point:
        """Return the place of a value on the page."""
        across = self.left + self.x.at(x) * (self.width - self.left - self.right)
        down = self.height - self.bottom - self.y.at(y) * (self.height - self.top - self.bottom)
        return across, down

    def line(self, points: Sequence[Point], class_: str, style: str | None = None) -> None:
        """Draw a line through the points."""
        if len(points) == 1:
            self.dots(points, f"dot {class_}")
            return
        placed = [self.place(*point) for point in thinned(points)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        self.parts.append(tag("path", d=path, class_=f"line {class_}", style=style))

    def dots(self, points: Iterable[Point], class_: str, radius: float = 3.0) -> None:
        """Draw a dot at each point."""
        for point in points:
            x, y = self.place(*point)
            self.parts.append(tag("circle", cx=x, cy=y, r=float(radius), class_=class_))

    def cloud(self, points: Iterable[Point], class_: str) -> None:
        """Draw many dots as one light element."""
        places = (self.place(*point) for point in points)
        path = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in places)
        self.parts.append(tag("path", d=path, class_=class_))

    def whisker(self, x: float, low: float, high: float, class_: str) -> None:
        """Draw a vertical interval at `x`."""
        (across, top), (_, end) = self.place(x, high), self.place(x, low)
        path = (
            f"M{across:.1f} {top:.1f}V{end:.1f}M{across - 4:.1f} {top:.1f}h8m-8 {end - top:.1f}h8"
        )
        self.parts.append(tag("path", d=path, class_=class_))

    def label(self, x: float, y: float, text: str, class_: str = "note", anchor: str = "start",
              shift: Point = (0, 0)) -> None:  # fmt: skip
        """Write a text at a value, moved by `shift` page units."""
        across, down = self.place(x, y)
        place = {"x": across + shift[0], "y": down + shift[1], "text_anchor": anchor}
        self.parts.append(tag("text", text, **place, class_=class_))

    def render(self, title: str, description: str) -> Markup:
        """Return the chart; `title` and `description` are what a screen reader says."""
        return tag(
            "svg",
            tag("title", title),
            tag("desc", description),
            *self._axes(),
            *self.parts,
            viewBox=f"0 0 {self.width:g} {self.height:g}",
            role="img",
            aria_label=f"{title}. {description}",
            class_="chart",
        )

    def _axes(self) -> Iterable[Markup]:
        right, floor = self.width - self.right, self.height - self.bottom
        for value in self.y.ticks():
            _, y = self.place(self.x.low, value)
            yield tag("path", d=f"M{self.left:g} {y:.1f}H{right:g}", class_="grid")
            yield tag("text", short(value), x=self.left - 7, y=y + 4, text_anchor="end")
        for value in self.x_ticks or self.x.ticks():
            x, _ = self.place(value, self.y.low)
            yield tag("path", d=f"M{x:.1f} {floor:g}v4", class_="axis")
            inside = min(x, self.width - _CHARACTER * len(short(value)) / 2)  # not cut off
            yield tag("text", short(value), x=inside, y=floor + 17, text_anchor="middle")
        yield tag("path", d=f"M{self.left:g} {floor:g}H{right:g}", class_="axis")
        yield tag("text", self.y_label, x=4.0, y=14.0, class_="axis-name")
        yield tag(
            "text", self.x_label, x=right, y=floor + 35, text_anchor="end", class_="axis-name"
        )


def thinned(points: Sequence[Point], most: int = _MOST_POINTS) -> Sequence[Point]:
    """Return at most about `most` points, evenly taken, with the first, the last and the lowest."""
    if len(points) <= most:
        return points
    step = len(points) / most
    kept = {int(i * step) for i in range(most)} | {len(points) - 1}
    kept.add(min(range(len(points)), key=lambda i: points[i][1]))
    return [points[i] for i in sorted(kept)]
