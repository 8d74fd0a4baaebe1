"""Whatever the data hold is shown as text and never becomes a part of the page."""

from __future__ import annotations

import json

import pytest
from report_reading import change, page_of
from report_samples import SAMPLES

from neuroscope.base import events
from neuroscope.report.page import write_report
from neuroscope.runs.folder import RunFolder

ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "</svg><svg onload=alert(1)>",
    "{{ 7919 * 7907 }}",
    "' onmouseover='alert(1)",
)


def poisoned(value, attack: str, key: str = ""):
    """Return a record with an attack in every text, key and label that comes from data."""
    fixed = {"verdict", "kind", "role", "severity"}
    if isinstance(value, dict):
        return {k: poisoned(inner, attack, k) for k, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, attack, key) for inner in value]
    return f"{value}{attack}" if isinstance(value, str) and key not in fixed else value


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_whatever_the_data_hold_is_text(tmp_path, kind, attack) -> None:
    folder = SAMPLES[kind](tmp_path)
    path = folder / "result.json"
    result = poisoned(json.loads(path.read_text()), attack)
    result["versions"][attack] = attack
    result["test"][attack] = 0.5
    result["rungs"][0]["scores"][attack] = 0.5
    result["suspect_labels"] = [{attack: attack}]
    result["recipe"][attack] = attack
    result["search"] = [{"changes": {attack: attack}, "value": 0.5, "seconds": 1}]
    path.write_text(json.dumps(result))
    (folder / "recipe.json").write_text(json.dumps(result["recipe"]))
    RunFolder(folder).monitor(events.WarningRaised(message=attack))
    RunFolder(folder).monitor(
        events.EpochEnded(
            rung=attack, fold=0, epoch=1, epochs=1, train_loss=1.0, valid_loss=1.0,
            learning_rate=0.1, seconds=1.0,
        )
    )  # fmt: skip
    page = page_of(folder)
    assert attack in " ".join(page.words)
    assert not {"script", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert len(page.all("style")) == 1
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
    assert str(7919 * 7907) not in page.text


def test_a_column_called_script_is_shown_as_text(churn) -> None:
    name = "<script>alert(1)</script>"
    columns = [{"name": name, "kind": "numeric", "role": "feature"}]
    change(churn, schema={"columns": columns}, dropped=[{"column": name, "reason": name}])
    source = write_report(churn).read_text()
    assert "<script" not in source
    assert source.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
