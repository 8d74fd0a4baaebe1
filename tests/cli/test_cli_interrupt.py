"""Stopped and killed: the checkpoint is kept, and the run goes on to the same result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from cli_running import COMMAND, environment, run_process

from neuroscope.base.events import SearchTried
from neuroscope.runs import artefact
from neuroscope.runs.folder import RunFolder

RUNGS = ("--rungs", "majority,neuron,dense", "--epochs", "60", "--budget", "none", "--json")

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start a training and return once its first net is fitted and the next one goes on."""
    process = subprocess.Popen([*COMMAND, "train", *arguments], env=environment(), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("neuron:"):
            break
    time.sleep(0.15)
    return process


def same(first: dict, second: dict) -> None:
    """Check that two runs came to the same result, bit for bit."""
    for one, other in zip(first["rungs"], second["rungs"], strict=True):
        assert (one["name"], one["value"], one["interval"]) == (
            other["name"], other["value"], other["interval"])  # fmt: skip
    assert first["chosen"] == second["chosen"]
    assert first["test"] == second["test"]
    ours, theirs = (artefact.load(result["model"]).weights for result in (first, second))
    assert ours.keys() == theirs.keys()
    for name, weights in ours.items():
        np.testing.assert_array_equal(weights, theirs[name])


@pytest.mark.parametrize(
    "how", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)]
)
def test_a_stopped_run_goes_on_to_the_same_result(how):
    whole = run_process(["train", "spirals", *RUNGS]).json
    process = start("spirals", *RUNGS, "--name", "stopped")
    process.send_signal(how)
    out, err = process.communicate(timeout=60)
    (run,) = Path("runs").glob("*-stopped")
    assert (run / "checkpoint.safetensors").is_file()
    assert not (run / "result.json").exists(), "it was over before it could be stopped"
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in err
        assert f"neuroscope train --resume {run.name}" in err
        assert json.loads(out)["exit_code"] == 130
    else:
        assert process.returncode == -signal.SIGKILL
    status = run_process(["runs", "--json"]).json["runs"]
    assert {r["name"]: r["status"] for r in status}[run.name] == "interrupted"
    refused = run_process(["predict", run.name, "spirals"])
    assert refused.code == 2
    assert "--resume" in refused.complaint
    resumed = run_process(["train", "--resume", run.name, "--json"])
    assert resumed.code == 0, resumed.err
    same(whole, resumed.json)


def killed_among_recipes(*arguments: str) -> Path:
    """Kill a training when some of its dense recipes are tried and others are not."""
    process = subprocess.Popen([*COMMAND, "train", *arguments], env=environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    while process.poll() is None:
        for events in Path("runs").glob("*-killed/events.jsonl"):
            tried = [e for e in RunFolder(events.parent).events() if isinstance(e, SearchTried)]
            if any(event.rung == "dense" for event in tried):
                process.kill()
        time.sleep(0.01)
    assert process.returncode == -signal.SIGKILL, "it was over before it could be killed"
    return next(Path("runs").glob("*-killed"))


@pytest.mark.slow
def test_a_run_killed_among_several_recipes_goes_on_to_the_same_result():
    arguments = ("wine", "--rungs", "majority,neuron,dense", "--budget", "none")
    run = killed_among_recipes(*arguments, "--name", "killed")
    state, arrays = RunFolder(run).restore()
    fits = {name for name in arrays if name.startswith("dense.") and name.count(".") == 2}
    assert state["rungs"]["dense"]["status"] == ""
    resumed = run_process(["train", "--resume", run.name, "--json"])
    assert resumed.code == 0, resumed.err
    whole = run_process(["train", *arguments, "--json"]).json
    same(whole, resumed.json)
    done, _ = RunFolder(run).restore()
    recipes = len(done["rungs"]["dense"]["trials"])
    assert 5 <= len(fits) < 5 * recipes
    assert recipes > 1
    values = [[trial["value"] for trial in result["search"]] for result in (whole, resumed.json)]
    assert values[0] == values[1]


@pytest.mark.slow
def test_a_run_elsewhere_is_resumed_by_its_path(tmp_path):
    process = start("spirals", *RUNGS, "--out", str(tmp_path / "else where"), "--name", "far")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    (run,) = (tmp_path / "else where").glob("*-far")
    assert f"--resume '{run}'" in err
    assert run_process(["train", "--resume", str(run), "--json"]).code == 0


def test_ctrl_c_before_training_leaves_no_run():
    process = subprocess.Popen([*COMMAND, "train", "digits"], env=environment(), text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)  # the latter while Python itself starts
    assert not list(Path().glob("runs/*/model.neuroscope"))
    if process.returncode == 130:
        assert err.splitlines()[-1].startswith("neuroscope: interrupted")
