"""Checkpoints: a killed fit goes on to the very weights of an uninterrupted one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.making import net, picture_net, pictures, recipe, rows, scaled, theta

from neuroscope.base.errors import InputError, Interrupted, ModelError, StorageError
from neuroscope.base.events import CheckpointSaved, EpochEnded
from neuroscope.train.data import Data
from neuroscope.train.loop import Fitted, Watch, fit
from neuroscope.train.state import State

ROOT = Path(__file__).parents[2]


def dice(inputs, chance):
    """Turn uint8 into floats and add noise while learning."""
    pictures = inputs[0].float() / 255
    if chance is None:
        return (pictures,)
    return (pictures + 0.1 * torch.randn(pictures.shape, generator=chance),)


def long_fit(path: Path | None, monitor=lambda event: None, seconds: float = 0.0) -> np.ndarray:
    """Fit a net with everything that has a memory; returns the weights."""
    module = picture_net()
    module.append(torch.nn.Dropout(0.2))
    x, y = pictures(200)
    chosen = recipe(epochs=12, batch_size=8, average=0.95, mixup=0.3, schedule="cosine",
                    patience=50, accumulate=2, precision="bfloat16")  # fmt: skip
    watch = Watch(checkpoint=path, checkpoint_seconds=seconds, monitor=monitor, threads=1)
    fit(module, Data(x, y, prepare=dice), chosen, valid=Data(x[:40], y[:40], prepare=scaled),
        watch=watch)  # fmt: skip
    return theta(module)


SCRIPT = """
import sys, time
from pathlib import Path
from tests.train.test_state import long_fit

def slowly(event):
    print(event.kind, flush=True)
    time.sleep(0.02)

long_fit(Path(sys.argv[1]), slowly)
"""


@pytest.mark.parametrize("saves", [1, 4])
def test_a_killed_process_goes_on_bit_for_bit(tmp_path, saves) -> None:
    path = tmp_path / "fit.safetensors"
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    with subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], env=environment, text=True,
                          stdout=subprocess.PIPE) as process:  # fmt: skip
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen += line.strip() == "CheckpointSaved"
            if seen == saves:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert 0 < State.load(path).epoch < 12
    assert np.array_equal(long_fit(path), long_fit(None))


def test_a_stop_within_an_epoch_goes_on_bit_for_bit(tmp_path) -> None:
    path, stop = tmp_path / "fit.safetensors", threading.Event()
    data = rows(4000)

    def slowly(inputs, chance):
        if chance is not None and not path.exists():
            time.sleep(0.005)
            stop.set()
        return inputs

    chosen = recipe(batch_size=8, epochs=2, optimizer="momentum")
    whole, halted = net(dropout=0.3), net(dropout=0.3)
    fit(whole, data, chosen, watch=Watch(threads=1))
    with pytest.raises(Interrupted):
        fit(halted, replace(data, prepare=slowly), chosen,
            watch=Watch(checkpoint=path, stop=stop, threads=1))  # fmt: skip
    assert State.load(path).epoch == 0
    assert 0 < State.load(path).epoch_step < 500
    again = net(dropout=0.3)
    result = fit(again, data, chosen, watch=Watch(checkpoint=path, threads=1))
    assert np.array_equal(theta(again), theta(whole))
    assert len(result.epochs) == 2


def test_a_finished_fit_is_only_read_again(tmp_path) -> None:
    path = tmp_path / "fit.safetensors"
    first, again, told = net(), net(), []

    def run(module, monitor=lambda event: None) -> Fitted:
        return fit(module, rows(), recipe(), valid=rows(seed=3),
                   watch=Watch(checkpoint=path, monitor=monitor))  # fmt: skip

    before = run(first)
    assert run(again, told.append) == before
    assert np.array_equal(theta(first), theta(again))
    assert not told


def test_checkpoints_are_kept_as_often_as_asked(tmp_path) -> None:
    counts = []
    for seconds in (0.0, 1000.0):
        told: list = []
        watch = Watch(checkpoint=tmp_path / f"{seconds}", checkpoint_seconds=seconds,
                      monitor=told.append)  # fmt: skip
        fit(net(), rows(), recipe(), watch=watch)
        counts.append(sum(isinstance(event, CheckpointSaved) for event in told))
        assert sum(isinstance(event, EpochEnded) for event in told) == 4
    assert counts == [4, 1]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("other", ["recipe", "rows", "net"])
def test_a_checkpoint_of_another_fit_is_refused(tmp_path, other) -> None:
    watch = Watch(checkpoint=tmp_path / "fit.safetensors")
    fit(net(), rows(), recipe(), watch=watch)
    with pytest.raises(InputError, match=r"fit\.safetensors.*another recipe, other rows or"):
        fit(net(seed=int(other == "net")), rows(90 if other == "rows" else 96),
            recipe(epochs=9 if other == "recipe" else 4), watch=watch)  # fmt: skip


@pytest.mark.parametrize("damage", [lambda data: data[:-40], lambda data: b"{}" + data[20:]])
def test_a_damaged_checkpoint_is_named(tmp_path, damage) -> None:
    path = tmp_path / "fit.safetensors"
    fit(net(), rows(), recipe(), watch=Watch(checkpoint=path))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ModelError, match=r"fit\.safetensors.*cannot be read"):
        fit(net(), rows(), recipe(), watch=Watch(checkpoint=path))


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one(tmp_path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        State(tensors={"a": torch.ones(2)}).save(tmp_path / "nowhere" / "fit.safetensors")


def test_tied_weights_and_other_layouts_survive(tmp_path) -> None:
    tied = torch.arange(8.0).reshape(2, 4)
    state = State(step=3, tensors={"net.a": tied, "net.b": tied, "best.c": tied.T,
                                   "net.d": torch.tensor(5)})  # fmt: skip
    state.save(tmp_path / "s")
    again = State.load(tmp_path / "s")
    assert again.step == 3
    assert torch.equal(again.part("net")["b"], tied)
    assert torch.equal(again.part("best")["c"], tied.T)
    assert again.part("net")["d"] == 5
