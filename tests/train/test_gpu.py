"""What a GPU computes, against the processor; without one these tests are skipped."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.making import net, picture_net, pictures, recipe, rows, scaled, theta

from neuroscope import nets
from neuroscope.base.errors import Interrupted
from neuroscope.train import precision
from neuroscope.train.data import Data
from neuroscope.train.engine import Engine
from neuroscope.train.evaluate import outputs
from neuroscope.train.loop import Watch, fit
from neuroscope.train.losses import loss_of
from neuroscope.verbs._prepare import DataOptions
from neuroscope.verbs._request import TrainOptions
from neuroscope.verbs.predict import predict
from neuroscope.verbs.train import train

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

SEQUENCES = np.random.default_rng(0).integers(0, 20, (96, 12))
LENGTHS = np.random.default_rng(1).integers(3, 13, 96)
CLIMBS = [  # a set that ships, and the only rung
    ("digits-images", "convolution"), ("adding", "lstm"), ("visitors", "transformer"),
    ("messages", "transformer"), ("numbers", "gru"), ("numbers", "transformer"),
]  # fmt: skip


def _net(family: str) -> torch.nn.Module:
    shared = {"channels": 8, "steps": 12, "outputs": 3, "width": 16, "vocabulary": 20}
    return nets.build({"family": family, "options": shared})


def _fitted(module: torch.nn.Module, data: Data, **changes):
    return fit(module, data, recipe(precision="float32", **changes))


@pytest.mark.parametrize("family", ["dense", "pictures", "recurrent", "transformer", "temporal"])
def test_a_gpu_learns_what_the_processor_learns(family: str) -> None:
    """The same weights, rows and order, no dropout: float32 without TF32 differs by rounding.

    Plain descent, for Adam makes a whole step of a slope that is nothing but rounding.
    """
    if family == "dense":
        data, make = rows(), net
    elif family == "pictures":
        data, make = Data(*pictures(), prepare=scaled), picture_net
    else:
        data = Data((SEQUENCES, LENGTHS), SEQUENCES[:, 0] % 3)
        make = lambda: _net(family)  # noqa: E731
    there, here = make(), make()
    there.load_state_dict(here.state_dict())
    losses = [
        [
            event.train_loss
            for event in _fitted(
                module, data, device=device, epochs=3, optimizer="sgd", learning_rate=0.1
            ).epochs
        ]
        for module, device in ((here, "cpu"), (there, "cuda"))
    ]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
    assert next(there.parameters()).device.type == "cuda"
    assert np.allclose(theta(there.cpu()), theta(here), atol=5e-3)


def test_bfloat16_on_a_gpu_comes_close_to_float32() -> None:
    data = Data(*pictures(240), prepare=scaled)
    found = [
        fit(picture_net(), data, recipe(precision=kind, device="cuda", epochs=8)).epochs[-1]
        for kind in ("float32", "bfloat16")
    ]
    assert found[1].train_loss == pytest.approx(found[0].train_loss, rel=0.1, abs=0.02)


def test_autocast_pays_on_a_gpu_only_for_nets_with_enough_arithmetic() -> None:
    large = torch.nn.Sequential(torch.nn.Linear(1024, 8192), torch.nn.Linear(8192, 1024)).cuda()
    for module, width, wanted in ((net().cuda(), 6, "float32"), (large, 1024, "bfloat16")):
        batch = torch.zeros(1024, width, device="cuda")
        assert (
            precision.choose_precision(module, (batch,), recipe(device="cuda")).precision == wanted
        )


def test_a_fit_on_a_gpu_is_taken_up_where_it_was_stopped(tmp_path: Path) -> None:
    """Dropout draws from the GPU's own generator, whose state is kept too."""
    options = {"device": "cuda", "epochs": 6, "precision": "float32", "average": 0.9}
    whole = net(dropout=0.3)
    fit(whole, rows(400), recipe(**options))
    stop, seen = threading.Event(), []

    def halt(event) -> None:
        seen.append(event)
        if len(seen) == 3:
            stop.set()

    place = tmp_path / "fit.safetensors"
    with pytest.raises(Interrupted):
        fit(net(dropout=0.3), rows(400), recipe(**options),
            watch=Watch(stop=stop, monitor=halt, checkpoint=place))  # fmt: skip
    again = net(dropout=0.3)
    fit(again, rows(400), recipe(**options), watch=Watch(checkpoint=place))
    assert np.allclose(theta(again.cpu()), theta(whole.cpu()), atol=1e-5)


def test_nothing_waits_for_the_device_within_an_epoch() -> None:
    """A step that read a value back would cost its whole latency: torch can forbid it."""
    data = rows(3200)
    module = net()
    chosen, device = recipe(device="cuda", clip_norm=1.0, average=0.9), torch.device("cuda")
    fit(module, data, chosen)
    engine = Engine(module, data.on(device), chosen, loss_of(chosen), device)
    engine.learn()
    batches = data.batches(32, np.random.default_rng(0))
    engine.step([batches[0]], 0.01, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it calls itself a prototype
        torch.cuda.set_sync_debug_mode("error")
    try:
        for number, batch in enumerate(batches[1:20]):
            engine.step([batch], 0.01, number + 1)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_outputs_of_a_gpu_are_those_of_the_processor() -> None:
    module, data = net(), rows(200)
    chosen = recipe(precision="float32")
    here = outputs(module, data, chosen)
    there = outputs(module, data, recipe(precision="float32", device="cuda"))
    assert np.allclose(here, there, atol=1e-4)


@pytest.mark.parametrize(("source", "rung"), CLIMBS)
def test_a_climb_on_a_gpu_leaves_a_model_that_the_processor_opens(
    source: str, rung: str, tmp_path: Path
) -> None:
    """The run itself opens its model again and compares; so does the prediction."""
    options = TrainOptions(rungs=(rung,), epochs=1, device="cuda", out=str(tmp_path))
    result = train(source, DataOptions(), options)
    assert result["chosen"] == rung
    assert predict(result["model"], source)["table"].num_rows
