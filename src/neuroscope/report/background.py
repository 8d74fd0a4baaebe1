"""The sections on where the result comes from: the data, the recipe, and how to get it again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from neuroscope.base.nouns import called
from neuroscope.base.wording import counted
from neuroscope.report.figures import count, duration, is_number, plain, score
from neuroscope.report.story import Story, as_dict, entries

Section = dict[str, Any] | None
_MOST_COLUMNS = 200  # shown of a schema
_FOLDED_FROM = 12  # rows of a table that is folded away
_MOST_EXAMPLES = 8
_SERIOUS = ("error", "critical", "serious", "high", "fatal", "blocking")
_NOTABLE = ("warning", "warn", "medium", "important")


def data(story: Story) -> Section:
    """What the audit found, what was left out and why, how the rows were divided, the columns."""
    findings = sorted((_finding(f) for f in story.records("findings")), key=lambda f: f["rank"])
    dropped = [[plain(d.get("column")), plain(d.get("reason"))] for d in story.records("dropped")]
    suspects, split, rows = story.list("suspect_labels"), story.dict("split"), story.dict("rows")
    schema = _schema(story)
    if not (findings or dropped or suspects or split or rows or schema):
        return None
    return {
        "source": story.text("source"),
        "rows": [
            (title, count(rows[name]))
            for name, title in _PARTS
            if is_number(rows.get(name)) and (name != "folds" or rows[name] > 1)
        ],
        "findings": findings,
        "audited": "findings" in story.result,
        "dropped": dropped,
        "suspects": _table(suspects),
        "split": {
            "method": plain(split.get("method")),
            "reason": str(split.get("reason") or "").rstrip("."),
            "notes": [plain(note) for note in _listed(split.get("notes"))],
        }
        if split
        else None,
        "schema": schema,
    }


_PARTS = (
    ("train", "to learn from"),
    ("valid", "to choose by"),
    ("test", "for the final test"),
    ("folds", "folds"),
)


def _finding(record: dict[str, Any]) -> dict[str, Any]:
    severity = str(record.get("severity") or "note")
    low = severity.lower()
    rank = 0 if low in _SERIOUS else 1 if low in _NOTABLE else 2
    examples = [plain(row) for row in _listed(record.get("rows"))[:_MOST_EXAMPLES]]
    names = [plain(name) for name in _listed(record.get("names"))[:_MOST_EXAMPLES]]
    column = record.get("column")
    return {
        "rank": rank,
        "tone": ("bad", "warn", "none")[rank],
        "severity": severity,
        "what": str(record.get("what") or str(record.get("code") or "finding").replace("_", " ")),
        "column": "" if column is None else plain(column),
        "count": count(record.get("count")) if is_number(record.get("count")) else "",
        "examples": ", ".join(names) or (f"rows {', '.join(examples)}" if examples else ""),
        "meaning": str(record.get("meaning") or ""),
        "remedy": str(record.get("remedy") or ""),
    }


def _schema(story: Story) -> Section:
    columns = [c for c in entries(story.dict("schema").get("columns")) if isinstance(c, dict)]
    if not columns:
        return None
    kinds = Counter(str(c.get("kind")) for c in columns if c.get("role") == "feature")
    named = ", ".join(f"{number:,} {kind}" for kind, number in kinds.most_common())
    features = sum(kinds.values())
    return {
        "summary": f"{features:,} of {len(columns):,} columns are looked at ({named})."
        if features
        else f"{counted(len(columns), 'column')}, and no feature.",
        "rows": [
            [
                plain(c.get("name")),
                plain(c.get("role")),
                plain(c.get("kind")),
                _storage(c.get("storage")),
                count(c.get("distinct")),
                count(c.get("missing")),
                plain(c.get("reason")),
            ]
            for c in columns[:_MOST_COLUMNS]
        ],
        "left_out": max(len(columns) - _MOST_COLUMNS, 0),
        "folded": len(columns) > _FOLDED_FROM,
    }


def _storage(kind: Any) -> str:
    """Return how a column is stored in a word that is no one library's."""
    known = plain(kind)
    if known.startswith("extension<arrow.fixed_shape_tensor"):
        return "pixels"
    texts = ("dictionary<values=string", "string", "large_string")
    return "text" if known.startswith(texts) else known


def _table(values: list[Any]) -> Section:
    """Return a table of records, whatever their fields, or of plain values."""
    if not values:
        return None
    records = [value if isinstance(value, dict) else {"row": value} for value in values]
    heads = list(dict.fromkeys(name for record in records for name in record))
    return {
        "heads": [str(head).replace("_", " ") for head in heads],
        "rows": [
            [score(v) if isinstance(v := record.get(head), float) else plain(v) for head in heads]
            for record in records[:_MOST_COLUMNS]
        ],
        "count": count(len(records)),
    }


def recipe(story: Story) -> Section:
    """The training choices: those made for these data with their reasons, then the others."""
    known = story.recipe
    reasons = as_dict(known.get("reasons"))
    choices = {name: value for name, value in known.items() if name != "reasons"}
    search = _search(story)
    if not choices and not search:
        return None
    rows = [
        [_words(n), plain(v), called(str(reasons.get(n) or ""), story.noun)]
        for n, v in choices.items()
    ]
    return {
        "reasoned": [row for row in rows if row[2]],
        "others": [row[:2] for row in rows if not row[2]],
        "search": search,
    }


def _search(story: Story) -> Section:
    tried = story.records("search")
    if not tried:
        return None
    values = [t["value"] for t in tried if is_number(t.get("value"))]
    upwards = story.dict("metric").get("greater_is_better") is not False
    best = (max if upwards else min)(values) if values else None
    rows = []
    for trial in tried:
        named = (f"{_words(n)} {plain(v)}" for n, v in as_dict(trial.get("changes")).items())
        rows.append(
            {
                "changes": ", ".join(named) or "as it stands",
                "value": score(trial.get("value")),
                "seconds": duration(trial.get("seconds")),
                "best": best is not None and trial.get("value") == best,
            }
        )
    return {"rows": rows, "folded": len(rows) > _FOLDED_FROM}


def _words(name: Any) -> str:
    return str(name).replace("_", " ")


def reproduce(story: Story) -> Section:
    """The command, the versions, the files and what the model's card says."""
    card = story.card
    versions = story.dict("versions") or dict(card.versions if card else {})
    files = [(n, story.text(n)) for n in ("model", "report") if story.text(n)]
    fingerprint = card.data_fingerprint if card else ""
    section = {
        "command": story.text("reproduce"),
        "seed": plain(story.result.get("seed")) if story.result.get("seed") is not None else "",
        "versions": [(plain(name), plain(version)) for name, version in versions.items()],
        "files": files,
        "fingerprint": fingerprint,
        "use": card.intended_use if card else "",
        "limits": list(card.limitations) if card else [],
        "licence": card.licence_notes if card else "",
        "card_note": story.card_note,
    }
    return section if any(section.values()) else None


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else entries(value)
