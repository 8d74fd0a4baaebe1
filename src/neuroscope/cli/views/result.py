"""The result of a run as a product manager reads it: data, ladder, verdict, test, what next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from neuroscope.base.nouns import ROW, called
from neuroscope.base.wording import counted
from neuroscope.cli.views.ladder import ladder, remarks
from neuroscope.cli.views.words import (
    KINDS,
    bullets,
    duration,
    heading,
    paragraph,
    shown,
    spread,
)
from neuroscope.report.words import naming

_TOP = 3  # columns told of what the model looks at


def show(result: Mapping[str, Any], console: Console) -> None:
    """Print a result."""
    _data(result, console)
    heading(console, "The ladder (on rows held out from training)")
    console.print(ladder(result, console))
    yardstick = [
        rung["title"] for rung in result["rungs"] if rung["yardstick"] and rung["value"] is not None
    ]
    for remark in remarks(result):
        paragraph(console, Text(remark, style="dim"))
    if yardstick:
        said = f"{', '.join(yardstick)}: the yardstick, shown for comparison"
        paragraph(console, Text(said, style="dim"))
    _verdict(result, console)
    _test(result, console)
    _looks(result, console)
    _where(result, console)


def _data(result: Mapping[str, Any], console: Console) -> None:
    rows = result["rows"]
    console.print()
    title = Text.assemble((result["source"], "bold"), ": predict ", (result["target"], "bold"),
                          f", {KINDS.get(result['kind'], result['kind'])}")  # fmt: skip
    if result.get("positive"):
        why = result["positive_reason"]
        other = "" if "by the user" in why else "; else name it with --positive"
        title.append(f" (looking for {result['positive']!r}: {why}{other})")
    console.print(title)
    folds = f", in {rows['folds']} folds" if rows["folds"] > 1 else ""
    noun = result.get("noun", ROW)
    paragraph(
        console,
        f"{counted(rows['train'] + rows['valid'], noun)} to learn from and to "
        f"compare on{folds}; {counted(rows['test'], noun)} put aside for one last test",
    )
    if result["origin"]:
        paragraph(console, Text("; ".join(result["origin"]), style="dim"))
    serious = [f for f in result["findings"] if f["severity"] == "serious"]
    said = {f"{f['what']}; {f['meaning']}; {f['remedy']}" for f in serious}
    said |= {f"column {d['column']!r} was dropped: {d['reason']}" for d in result["dropped"]}
    others = [w for w in result["warnings"] if w not in said | set(result["split"]["notes"])]
    bullets(console, [_finding(f) for f in serious], "!", "bold red")
    bullets(console, [f"dropped {d['column']!r}: {d['reason']}" for d in result["dropped"]],
            "-", "yellow")  # fmt: skip
    bullets(console, others, "!", "yellow")
    more = sum(f["severity"] == "notice" for f in result["findings"])
    if more:
        paragraph(console, Text(f"{counted(more, 'more finding')} in the report", style="dim"))


def _finding(finding: Mapping[str, Any]) -> Text:
    return Text.assemble((finding["what"], "bold"), f"; {finding['meaning']}; {finding['remedy']}")


def _verdict(result: Mapping[str, Any], console: Console) -> None:
    heading(console, "Verdict")
    style = "bold green" if result["usable"] else "bold red"
    headline = result["headline"]
    rest = result["why"].removeprefix(headline).strip()
    paragraph(console, Text(headline, style=style))
    if rest:
        paragraph(console, Text(rest, style="yellow"))
    curve = result.get("learning_curve") or {}
    if curve.get("sentence"):
        paragraph(console, curve["sentence"])
    decision = result.get("threshold") or {}
    if decision.get("sentence"):
        named = repr(result["positive"]) if result.get("positive") else ""
        said = naming(decision["sentence"], named)
        paragraph(console, called(said, result.get("noun", ROW)))


def _test(result: Mapping[str, Any], console: Console) -> None:
    metric, test = result["metric"], result["test"]
    rows = counted(result["rows"]["test"], result.get("noun", ROW))
    heading(console, f"Test ({rows} that no rung had seen, opened once)")
    figure = f"{metric['title']} {shown(test[metric['name']])}"
    line = Text.assemble((figure, "bold"),
                         f", 95 % interval {spread(test['interval'][metric['name']])}. "
                         f"{metric['meaning']}")  # fmt: skip
    paragraph(console, line)
    _translated(result, console)
    decided = result.get("detection")
    if decided and result.get("threshold", {}).get("sentence"):  # it was asked for
        paragraph(console, decided["sentence"])
    if result.get("cost"):
        paragraph(console, result["cost"]["sentence"])
    if result["kind"] == "regression" and "mae" in test:
        miss = shown(test["mae"], in_target_units=True)
        between = spread(test["interval"]["mae"], in_target_units=True)
        paragraph(console, f"It misses by {miss} on average (95 % interval {between}), in units "
                  f"of {result['target']!r}.")  # fmt: skip


def _translated(result: Mapping[str, Any], console: Console) -> None:
    """Print BLEU, chrF and exact ones of translations, and some of them."""
    block, test = result.get("translation"), result["test"]
    if not block:
        return
    between = test["interval"]
    said = [f"{title} {test[name]:.1f} ({between[name][0]:.1f} to {between[name][1]:.1f})"
            for name, title in (("bleu", "BLEU"), ("chrf", "chrF"))]  # fmt: skip
    low, high = (100 * end for end in between["exact_match"])
    said.append(f"{100 * test['exact_match']:.1f} % exact ({low:.1f} to {high:.1f})")
    paragraph(console, Text(", ".join(said), style="bold"))
    bullets(console, [f"{one['source']} -> {one['output']}" for one in block["examples"][:_TOP]],
            "·", "dim")  # fmt: skip


def _looks(result: Mapping[str, Any], console: Console) -> None:
    """Print the columns whose loss is more than chance, the three that matter most."""
    known = result.get("importance") or []
    if not known:
        return
    clear = [entry for entry in known if entry["drop"] > 0 and _above_zero(entry["interval"])]
    title = result["metric"]["title"]
    done = "has the course of another moment" if result.get("forecast") else "is shuffled"
    heading(console, f"What it looks at (how much worse {title} is when one column {done})")
    table = Table.grid(padding=(0, 2))
    for entry in clear[:_TOP]:
        table.add_row(Text(f"  {entry['column']}", style="bold"), Text(shown(entry["drop"])),
                      Text(spread(entry["interval"])))  # fmt: skip
    if table.row_count:
        console.print(table)
    others = len(known) - len(clear[:_TOP])
    if not clear:
        paragraph(console, "no column alone makes a difference that chance does not explain; "
                  "others stand in for it" + _largest_weights(result.get("weights")))  # fmt: skip
    elif others:
        paragraph(console, Text(f"{counted(others, 'other column')} in the report", style="dim"))


def _largest_weights(block: Mapping[str, Any] | None) -> str:
    """Return the features that weigh most in a single neuron with one output."""
    if not block or len(block["outputs"]) > 1:
        return ""
    named = [f"{f['feature']} {f['effects'][0]:+.3g}" for f in block["features"][:_TOP]]
    unit = "units" if block["unit"] == "target" else "log-odds"
    unit += f" of {block['outputs'][0]!r} a standard deviation"
    return f". Its largest weights, in {unit}: {', '.join(named)}"


def _above_zero(interval: Sequence[float | None]) -> bool:
    return interval[0] is not None and interval[0] > 0


def _where(result: Mapping[str, Any], console: Console) -> None:
    heading(console, f"Kept ({duration(result['seconds'])} in all)")
    for label, path in (("model", result["model"]), ("report", result["report"])):
        console.print(Text(f"  {label:7}{path}"), soft_wrap=True)
    heading(console, "Next")
    name = result["name"]
    kind = "FOLDER" if result.get("noun", ROW) == "picture" else ".csv"
    new, labelled = (f"{word}_{kind}" if kind == "FOLDER" else f"{word}{kind}"
                     for word in ("NEW", "LABELLED"))  # fmt: skip
    if result["kind"] == "forecast":
        new = labelled = "HISTORY.csv"
    steps = [
        f"neuroscope predict {name} {new} -o predictions.csv",
        f"neuroscope judge {name} {labelled}",
        f"neuroscope runs {name}",
    ]
    if result["kind"] == "text":
        steps[:2] = [f"neuroscope generate {name}", f"neuroscope judge {name} OTHER.txt"]
    if result["kind"] == "words":
        steps[0] = f"neuroscope words {name} --near WORD"
        steps[1] = f"neuroscope judge {name} OTHER.txt"
    for step in steps:
        console.print(Text(f"  {step}", style="cyan"), soft_wrap=True)
