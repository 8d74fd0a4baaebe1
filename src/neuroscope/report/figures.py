"""Numbers as a person reads them: short, with units, and a dash for what is not known."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

NONE = "–"
_APART_FROM = 10_000  # thousands stand apart from here on, so that a year reads as one


def is_number(value: Any) -> TypeGuard[float]:
    """Say whether `value` is a finite number (true and false are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def score(value: Any) -> str:
    """Return a score: three decimals near 1, no more digits than matter beyond."""
    if not is_number(value):
        return NONE
    size = abs(value)
    if value == 0 or 0.0005 <= size < 100:
        return f"{value:.3f}"
    if 100 <= size < 1e9:
        if size < 1000:
            return f"{value:.1f}"
        return f"{value:.0f}" if size < _APART_FROM else f"{value:,.0f}"
    return f"{value:.3g}"


def amount(value: Any) -> str:
    """Return a number in units of the target: four digits, whole from 1000 on."""
    return score(value) if not is_number(value) or abs(value) >= 1000 else f"{value:.4g}"


def percent(share: Any) -> str:
    """Return a share of 1 as percent, without rounding a little to nothing or a lot to all."""
    if not is_number(share):
        return NONE
    hundred = 100 * share
    if 99.95 <= hundred < 100:
        return "over 99.9 %"
    return f"{hundred:.0f} %" if 1 <= hundred <= 99 or hundred in (0, 100) else f"{hundred:.1f} %"


def count(value: Any) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,.0f}" if is_number(value) else NONE


def duration(seconds: Any) -> str:
    """Return a time span in its natural unit."""
    if not is_number(seconds):
        return NONE
    if seconds < 0.95:
        return f"{max(1000 * seconds, 1):.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def short(value: float) -> str:
    """Return the label of an axis tick."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6 or size < 1e-3:
        mantissa, exponent = f"{value:.1e}".split("e")
        mantissa = mantissa.removesuffix(".0")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        return f"10{power}" if mantissa == "1" else f"{mantissa}·10{power}"
    return f"{value:.10g}" if size < _APART_FROM else f"{value:,.10g}"


def plain(value: Any) -> str:
    """Return any setting as text: lists joined, true and false as yes and no."""
    if value is None or value == "":
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return ", ".join(plain(entry) for entry in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(entry)}" for name, entry in value.items()) or "none"
    return str(value)


def sentence(words: Any) -> str:
    """Return words with a capital at the start and a stop at the end; nothing stays nothing."""
    text = str(words or "").strip()
    return (
        text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") * bool(text)
    )


def interval(pair: Any) -> tuple[float, float] | None:
    """Return (low, high) of `[low, high]` or `{"low", "high"}`, or None when either is unknown."""
    if isinstance(pair, dict):
        pair = [pair.get("low"), pair.get("high")]
    if isinstance(pair, list | tuple) and len(pair) == 2 and all(is_number(end) for end in pair):
        return float(pair[0]), float(pair[1])
    return None
