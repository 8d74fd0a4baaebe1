"""What a running fit remembers besides weights: moments, averages, sums and random states."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from neuroscope.train.engine import Engine
from neuroscope.train.state import State, prefixed


def remember(engine: Engine, state: State) -> dict[str, Tensor]:
    """Return what the rest of a fit needs as tensors; numbers are written into `state`."""
    state.loss_sum, state.weight_sum = engine.read_sums()
    state.mixing = dict(engine.mixing.bit_generator.state)
    memory = prefixed("optimizer", _moments(engine.optimizer))
    if engine.average is not None:
        names = engine.average.names
        memory |= prefixed("average", dict(zip(names, engine.average.mean, strict=True)))
    memory |= {"chance.cpu": torch.get_rng_state(), "chance.own": engine.chance.get_state()}
    if engine.device.type == "cuda":
        memory["chance.cuda"] = torch.cuda.get_rng_state(engine.device)
    return memory


def recall(engine: Engine, state: State) -> None:
    """Put what `remember` returned back into an engine."""
    _give_moments(engine.optimizer, state.part("optimizer"))
    if engine.average is not None:
        kept = state.part("average")
        for name, mean in zip(engine.average.names, engine.average.mean, strict=True):
            mean.copy_(kept[name])
    torch.set_rng_state(state.tensors["chance.cpu"])
    engine.chance.set_state(state.tensors["chance.own"])
    if engine.device.type == "cuda":
        torch.cuda.set_rng_state(state.tensors["chance.cuda"], engine.device)
    engine.mixing.bit_generator.state = state.mixing
    engine.set_sums(state.loss_sum, state.weight_sum)


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return what the optimizer remembers, named `number of the parameter.name`."""
    return {
        f"{number}.{name}": value
        for number, entry in optimizer.state_dict()["state"].items()
        for name, value in entry.items()
        if isinstance(value, Tensor)
    }


def _give_moments(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimizer its memory back, in the layout of the parameters."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        parameter = parameters[int(number)]
        here = value
        if name != "step":
            here = torch.empty_like(parameter.detach(), dtype=value.dtype).copy_(value)
        elif optimizer.defaults.get("fused"):
            here = value.to(parameter.device)
        optimizer.state[parameter][name] = here
