"""The style serves light, dark, narrow and paper, and every text can be read."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STYLE = (resources.files("neuroscope.report") / "templates" / "style.css").read_text("utf-8")
THEMES = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[:2]


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2) of "#rrggbb" or "#rgb"."""
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        *[(text, ground) for text in ("ink", "muted") for ground in ("paper", "card", "soft")],
        *[(text, "card") for text in ("blue", "orange", "good", "warn", "bad")],
        *[(tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "blue")],
        ("muted", "blue-soft"), ("ink", "blue-soft"),
    ],
)  # fmt: skip
def test_every_text_stands_out_from_its_ground(theme, text, ground) -> None:
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", THEMES[theme]))
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_light_dark_narrow_and_paper_are_all_served() -> None:
    for rule in ("prefers-color-scheme: dark", "max-width: 720px", "@media print"):
        assert rule in STYLE
    light, dark = (set(re.findall(r"--([a-z-]+):", theme)) for theme in THEMES)
    assert light == dark
    used = set(re.findall(r"var\(--([a-z-]+)\)", STYLE)) - {"depth", "strength"}
    assert used <= light


def test_on_a_phone_the_name_of_a_rung_keeps_room_beside_a_long_note() -> None:
    narrow = STYLE.partition("max-width: 720px")[2].partition("@media")[0]
    assert re.search(r"\.track, \.scale { grid-template-columns: minmax\(\d+em, 1fr\) auto", narrow)
