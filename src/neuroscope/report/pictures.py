"""The sections of a picture run: mistakes with the evidence for them, each rung's, the net inside.

They are fed by the block "pictures" of the result and the arrays beside it in the run folder.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neuroscope.report import images
from neuroscope.report.figures import count, duration, interval, is_number, percent, plain, score
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_TILE_COLUMNS = 16
_SMALL = 100  # pixels of a side below which a picture is shown enlarged, pixel by pixel


def _records(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in entries(value) if isinstance(entry, dict)]


def mistakes(story: Story) -> Section:
    """The test pictures that were named wrongly with the most certainty, and what spoke for it."""
    known = _records(story.dict("pictures").get("mistakes"))
    if not known:
        return None
    shown = [_shown(story, entry) for entry in known]
    return {"pictures": shown, "heated": any(one["heat"] for one in shown)}


def _shown(story: Story, entry: dict[str, Any]) -> dict[str, Any]:
    row = entry.get("row")
    thumb, heat = _array(story, f"picture.{row}", 3), _array(story, f"heat.{row}", 2)
    veil = None if thumb is None or heat is None else images.veiled(thumb, heat)
    return {
        "name": plain(entry.get("name")),
        "truth": plain(entry.get("truth")),
        "predicted": plain(entry.get("predicted")),
        "probability": percent(entry["probability"]) if is_number(entry.get("probability")) else "",
        "picture": "" if thumb is None else images.inline(thumb),
        "heat": "" if veil is None else images.inline(veil),
        "small": thumb is not None and max(thumb.shape) < _SMALL,
    }


def rungs(story: Story) -> Section:
    """What each rung gets wrong and the next one right."""
    known = _records(story.dict("pictures").get("rungs"))
    steps = [
        {
            "title": plain(entry.get("title")),
            "next": plain(entry.get("next_title")),
            "words": _step(entry),
            "pictures": [_shown(story, one) for one in _records(entry.get("pictures"))],
        }
        for entry in known
        if entry.get("rung") != "majority"  # a guess is wrong on all classes but one
    ]
    return {"steps": steps} if steps else None


def _step(entry: dict[str, Any]) -> str:
    mended, spoiled = entry.get("mended"), entry.get("spoiled")
    title, after = plain(entry.get("title")), plain(entry.get("next_title"))
    return (
        f"Of {count(entry.get('rows'))} held-out pictures {title} names "
        f"{count(entry.get('wrong'))} wrongly. {after[:1].upper()}{after[1:]} names "
        f"{count(mended)} of them rightly, and gets {count(spoiled)} others wrong instead."
    )


def transfer(story: Story) -> Section:
    """Was transfer worth it: from scratch, frozen, fine-tuned, on the same rows, with seconds."""
    block = as_dict(story.dict("pictures").get("transfer"))
    known = _records(block.get("rungs"))
    if not known:
        return None
    metric = story.dict("metric")
    return {
        "sentences": [
            *(plain(sentence) for sentence in entries(block.get("sentences"))),
            *_cut(story, {entry.get("name") for entry in known}),
        ],
        "metric": str(metric.get("title") or metric.get("name") or "score"),
        "rows": [_worth(entry) for entry in known],
    }


def _cut(story: Story, names: set[Any]) -> list[str]:
    """Say so where a rung of the comparison had too little time: it may be better than it looks."""
    rungs = [r for r in story.records("rungs") if r.get("cut") and r.get("name") in names]
    if not rungs:
        return []
    titles = " and ".join(plain(rung.get("title")) for rung in rungs)
    were = "was" if len(rungs) == 1 else "were"
    return [
        f"{titles[:1].upper()}{titles[1:]} {were} cut short by the time budget: with a longer "
        "--budget the difference may be another."
    ]


def _worth(entry: dict[str, Any]) -> list[str]:
    span, gap = interval(entry.get("interval")), interval(entry.get("gain_interval"))
    gain = entry.get("gain")
    return [
        plain(entry.get("title")),
        score(entry.get("value")),
        f"{score(span[0])} to {score(span[1])}" if span else plain(None),
        f"{gain:+.3f}" if is_number(gain) else plain(None),
        f"{gap[0]:+.3f} to {gap[1]:+.3f}" if gap else plain(None),
        duration(entry.get("seconds")),
    ]


def inside(story: Story) -> Section:
    """What the net has learned: templates of the neuron, filters, feature maps of an example."""
    block = story.dict("pictures")
    parts = {
        "templates": _templates(story, as_dict(block.get("templates"))),
        "filters": _filters(story, as_dict(block.get("filters"))),
        "maps": _maps(story, as_dict(block.get("maps"))),
    }
    return parts if any(parts.values()) else None


def _templates(story: Story, block: dict[str, Any]) -> Section:
    weights = _array(story, "templates", 4)
    names = [plain(name) for name in entries(block.get("classes"))]
    if weights is None or not names:
        return None
    drawn = [images.inline(images.signed(one)) for one in weights[: len(names)]]
    return {
        "pictures": [{"name": n, "picture": p} for n, p in zip(names, drawn, strict=False)],
        "colour": weights.shape[-1] == 3,
        "again": bool(block.get("fitted_again")),
    }


def _filters(story: Story, block: dict[str, Any]) -> Section:
    filters = _array(story, "filters", 4)
    if filters is None:
        return None
    drawn = np.stack([images.signed(one) for one in filters])
    columns = min(_TILE_COLUMNS, len(drawn))
    tile = images.tiled(drawn, columns)
    return {
        "picture": images.inline(tile),
        "count": count(len(drawn)),
        "side": plain(block.get("side")),
        "width": min(tile.shape[1] * max(round(36 / filters.shape[2]), 1), 960),
        "colour": filters.shape[-1] == 3,
    }


def _maps(story: Story, block: dict[str, Any]) -> Section:
    picture = _array(story, "maps.picture", 3)
    blocks = []
    for number, entry in enumerate(_records(block.get("blocks")), start=1):
        maps = _array(story, f"maps.{number}", 3)
        if maps is not None:
            drawn = [images.inline(images.coloured(one)) for one in maps]
            about = (
                f"{count(entry.get('shown'))} of {count(entry.get('total'))} maps of "
                f"{plain(entry.get('side'))} x {plain(entry.get('side'))}"
            )
            blocks.append({"name": plain(entry.get("name")), "about": about, "pictures": drawn})
    if picture is None or not blocks:
        return None
    return {
        "picture": images.inline(picture),
        "name": plain(block.get("name")),
        "predicted": plain(block.get("predicted")),
        "probability": percent(block.get("probability")),
        "blocks": blocks,
    }


def suspects(story: Story) -> Section:
    """The labels that a net which had not seen the picture doubts."""
    known = _records(story.dict("pictures").get("suspects"))
    return {"pictures": [_shown(story, entry) for entry in known]} if known else None


def _array(story: Story, name: str, dimensions: int) -> np.ndarray | None:
    """Return an array of the run's pictures; None when it is not there or of another shape."""
    array = story.arrays.get(name)
    if array is None or array.ndim != dimensions or array.dtype != np.uint8 or not array.size:
        return None
    stack = name.startswith("maps.") and name != "maps.picture"
    if dimensions > 2 and not stack and array.shape[-1] not in (1, 3):
        return None
    return array if math.prod(array.shape) < 1 << 24 else None
