"""The sections of the page, in their order: each turns a story into what the template shows.

A section of which the run knows nothing is None and not shown.
"""

from __future__ import annotations

from typing import Any

from neuroscope.base.events import EpochEnded, GradientFlow
from neuroscope.base.nouns import called
from neuroscope.judge.metrics import METRICS
from neuroscope.report import words
from neuroscope.report.charts import curves
from neuroscope.report.charts.ladder import ladder as draw_ladder
from neuroscope.report.figures import amount, count, duration, interval, is_number, plain, score
from neuroscope.report.story import Story, as_dict

Section = dict[str, Any] | None
_MOST_FITS = 12  # drawn of one rung; a search may have made many
_MOST_METRICS = 4  # figures in the decision; the rest are in a table below it


def decision(story: Story) -> dict[str, Any]:
    """The verdict, the headline, and what the test rows said."""
    tone, badge, meaning = words.VERDICTS.get(story.text("verdict"), ("", "", ""))
    if story.status in words.UNFINISHED:
        tone, badge, meaning = words.UNFINISHED[story.status]
    headline = story.text("headline") or story.text("why")
    positive = story.positive
    sentences = [words.naming(plain(said), positive) for said in story.list("sentences")]
    why = story.text("why")
    rows = story.dict("rows")
    figures = _test_figures(story)
    return {
        "tone": tone or "none",
        "badge": badge,
        "meaning": meaning,
        "headline": headline or badge or "No decision yet",
        "why": why if why != headline and why not in sentences else "",
        "sentences": [s for s in sentences if s != headline],
        "message": story.message if story.status in ("failed", "interrupted") else "",
        "figures": figures[:_MOST_METRICS],
        "more_figures": figures[_MOST_METRICS:],
        "test_rows": count(rows.get("test")) if is_number(rows.get("test")) else "",
        "warnings": list(dict.fromkeys(plain(warning) for warning in story.list("warnings"))),
    }


def _test_figures(story: Story) -> list[dict[str, Any]]:
    """The scores of the test rows, the deciding metric first."""
    test, about, positive = story.dict("test"), story.dict("metrics"), story.positive
    spans = as_dict(test.get("interval"))
    deciding = story.dict("metric")
    main = str(deciding.get("name") or "")
    names = sorted((n for n, v in test.items() if is_number(v)), key=lambda n: n != main)
    figures = []
    for name in names:
        known = as_dict(about.get(name)) or (deciding if name == main else {})
        span = interval(spans.get(name))
        said = amount if name in METRICS and METRICS[name].in_target_units else score
        figures.append(
            {
                "name": name,
                "title": str(known.get("title") or words.title_of(name)),
                "term": words.term_of(name),
                "value": said(test[name]),
                "interval": f"{said(span[0])} to {said(span[1])}" if span else "",
                "meaning": words.naming(
                    str(known.get("meaning") or _definition(story, name, test[name])), positive
                ),
                "main": name == main,
            }
        )
    return figures


def _definition(story: Story, metric: str, value: float) -> str:
    """Return what a score means; of several classes none is positive."""
    known, term = METRICS.get(metric), words.term_of(metric)
    if known is not None and known.meaning_of_many and story.text("kind") == "multiclass":
        return called(known.words(value, ""), story.noun)
    return called(words.GLOSSARY[term][1], story.noun) if term else ""


def ladder(story: Story) -> Section:
    """All answers on one scale, what they cost, and their other scores."""
    rungs = story.records("rungs")
    if not rungs:
        return None
    metric = story.dict("metric")
    name = str(metric.get("name") or rungs[0].get("metric") or "score")
    upwards = metric.get("greater_is_better") is not False
    chosen, titles = story.text("chosen"), story.titles()
    others = list(dict.fromkeys(n for r in rungs for n in _scores(r) if n != name))
    longest = max((r["seconds"] for r in rungs if is_number(r.get("seconds"))), default=0)
    rows = [_rung_row(r, chosen, titles, longest) for r in rungs]
    return {
        "chart": draw_ladder(rungs, chosen, upwards),
        "metric": str(metric.get("title") or words.title_of(name)),
        "term": words.term_of(name),
        "upwards": upwards,
        "rows": rows,
        "noted": any(row["note"] for row in rows),
        "others": [{"title": words.title_of(o), "term": words.term_of(o)} for o in others],
        "scores": [[score(_scores(r).get(o)) for o in others] for r in rungs],
        "cost": _cost(rungs, chosen, titles),
        "folds": count(story.dict("rows").get("folds")),
    }


def _scores(rung: dict[str, Any]) -> dict[str, Any]:
    return as_dict(rung.get("scores"))


def _rung_row(rung: dict, chosen: str, titles: dict[str, str], longest: float) -> dict[str, Any]:
    name, span, seconds = (
        str(rung.get("name", "")),
        interval(rung.get("interval")),
        rung.get("seconds"),
    )
    ran = is_number(rung.get("value"))
    return {
        "title": titles.get(name, name),
        "chosen": bool(chosen) and name == chosen,
        "yardstick": bool(rung.get("yardstick")),
        "value": score(rung.get("value")),
        "interval": f"{score(span[0])} to {score(span[1])}" if span else "",
        "seconds": duration(seconds if ran else None),
        "share": round(100 * seconds / longest, 1) if longest and ran and is_number(seconds) else 0,
        "parameters": count(rung.get("parameters") if ran else None),
        "ran": ran,
        "note": str(rung.get("note") or _unusual(rung) or ""),
    }


def _unusual(rung: dict[str, Any]) -> Any:
    if rung.get("status") != "done":
        return rung.get("status")
    return "cut short by the time budget" if rung.get("cut") else None


def _cost(rungs: list[dict], chosen: str, titles: dict[str, str]) -> str:
    """Compare the time of the chosen rung with that of the slowest one."""
    timed = {str(r.get("name")): r["seconds"] for r in rungs if is_number(r.get("seconds"))}
    if chosen not in timed or len(timed) < 2:
        return ""
    slowest = max(timed, key=lambda name: timed[name])
    mine = titles.get(chosen, chosen)
    if slowest == chosen:
        return (
            f"The chosen answer, {mine}, also took the longest to train: {duration(timed[chosen])}."
        )
    times = timed[slowest] / max(timed[chosen], 1e-9)
    said = f"{mine[:1].upper()}{mine[1:]} took {duration(timed[chosen])} to train"
    return f"{said}; {titles.get(slowest, slowest)} took {times:,.1f} times as long."


def training(story: Story) -> Section:
    """Loss by epoch and gradient by layer for each rung that reports them."""
    epochs, flows = story.of_rungs(EpochEnded), story.of_rungs(GradientFlow)
    titles = story.titles()
    nets = [
        _net(titles.get(rung, rung.replace("_", " ")), epochs.get(rung, []), flows.get(rung, []))
        for rung in dict.fromkeys([*epochs, *flows])
        if rung in flows or any(event.epochs > 1 for event in epochs[rung])  # else solved at once
    ]
    nets = [net for net in nets if net["loss_rows"] or net["flow_rows"]]
    return {"nets": nets, "closed_form": _closed_form(story)} if nets else None


def _closed_form(story: Story) -> Section:
    """The linear neuron's best weights, solved for at once, beside those of descent."""
    block = story.dict("closed_form")
    r2 = as_dict(block.get("r2"))
    if not all(is_number(r2.get(name)) for name in ("descent", "closed_form")):
        return None
    return {
        "sentence": str(block.get("sentence") or ""),
        "rows": [["descent", _fine(r2["descent"])], ["closed form", _fine(r2["closed_form"])]],
        "held_out": count(block.get("rows")),
    }


def _fine(r2: float) -> str:
    """Return R² with a decimal more than elsewhere: the two are often nearly the same."""
    return f"{r2:.4f}"


def _net(title: str, epochs: list[EpochEnded], flows: list[GradientFlow]) -> dict[str, Any]:
    every, layers = curves.fits(epochs), curves.by_layer(flows)
    fits = every[-_MOST_FITS:]
    tone, said = words.reading_of_gradients(layers)
    return {
        "title": title,
        "loss": curves.losses(fits, title),
        "has_valid": any(event.valid_loss is not None for fit in fits for event in fit),
        "drawn": _drawn(fits, len(every)),
        "loss_words": words.reading_of_losses(fits),
        "loss_rows": [_fit_row(number, fit) for number, fit in enumerate(fits, start=1)],
        "flow": curves.gradients(layers, title),
        "flow_tone": tone,
        "flow_words": said,
        "flow_rows": [
            [number, score(layer[0][1]), score(layer[-1][1])]
            for number, layer in enumerate(layers, start=1)
            if layer
        ],
        "layers": len(layers),
    }


def _drawn(fits: list[list[EpochEnded]], every: int) -> str:
    """Say how many fits are drawn, and as what; "" for a single one."""
    if every == 1:
        return ""
    which = f"The last {len(fits)} of {every:,}" if every > len(fits) else f"{len(fits)}"
    dots = sum(len(fit) == 1 for fit in fits)
    return f"{which} fits are drawn, one line each{', those of one epoch as dots' * (dots > 0)}."


def _fit_row(number: int, fit: list[EpochEnded]) -> list[str]:
    valid = [(e.valid_loss, e.epoch) for e in fit if e.valid_loss is not None]
    best = min(valid, default=None)
    return [
        str(number),
        count(fit[-1].epoch),
        score(fit[0].train_loss),
        score(fit[-1].train_loss),
        score(best[0]) if best else plain(None),
        count(best[1]) if best else plain(None),
        duration(fit[-1].seconds),
    ]
