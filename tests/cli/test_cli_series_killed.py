"""Nets over time that were killed go on to the same weights."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from cli_running import COMMAND, environment, run_process

from neuroscope.runs import artefact

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
]
FORECAST = ("visitors", "--rungs", "last,dense,gru", "--epochs", "12")
SEQUENCES = ("waves", "--rungs", "majority,gru,lstm", "--epochs", "4")


def killed(*arguments: str, behind: str) -> Path:
    """Kill a training while the net after the rung `behind` is fitted; return its run."""
    process = subprocess.Popen([*COMMAND, "train", *arguments, "--name", "killed"],
                               env=environment(), text=True, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(f"{behind}:"):
            break
    time.sleep(0.5)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, "it was over before it could be killed"
    (run,) = Path("runs").glob("*-killed")
    assert not (run / "result.json").exists()
    return run


@pytest.mark.parametrize(
    ("arguments", "behind"), [(FORECAST, "dense"), (SEQUENCES, "gru")],
    ids=["forecast", "sequences"],
)  # fmt: skip
def test_a_killed_run_of_series_goes_on_to_the_same_weights(arguments, behind) -> None:
    arguments = (*arguments, "--budget", "none", "--json")
    run = killed(*arguments, behind=behind)
    resumed = run_process(["train", "--resume", run.name, "--json"])
    assert resumed.code == 0, resumed.err
    whole = run_process(["train", *arguments]).json
    mine = resumed.json
    assert [rung["value"] for rung in mine["rungs"]] == [rung["value"] for rung in whole["rungs"]]
    assert (mine["chosen"], mine["test"]) == (whole["chosen"], whole["test"])
    assert [net["gradient"] for net in mine["memory"]["nets"]] == [
        net["gradient"] for net in whole["memory"]["nets"]
    ]
    ours, theirs = (artefact.load(result["model"]).weights for result in (mine, whole))
    for name, weights in theirs.items():
        np.testing.assert_array_equal(ours[name], weights)
