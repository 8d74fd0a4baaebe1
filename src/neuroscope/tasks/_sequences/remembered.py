"""How far back the nets of a climb remember, and what they hold over one sequence; for the report.

It is looked at right after the fit on the first fold, where each net is at hand, and kept as a file
of the run's scratch folder until the report is written; so a resumed run has it as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.runs.disk import write_atomic
from neuroscope.tasks._learning import Problem, Training, Watch

if TYPE_CHECKING:
    from torch import Tensor, nn

_SEQUENCES = 48  # that the gradient is averaged over
_OUTPUTS = 3  # of a net, the first, the middle and the last one
_UNITS = 24  # whose states are drawn
_STEPS = 96  # that are drawn at most, the newest ones
_GATES = ("input_gate", "forget_gate", "output_gate", "reset_gate", "update_gate")


def look_inside(
    training: Training, watch: Watch, net: nn.Module, record: Mapping[str, Any],
    x: np.ndarray,  # (n, t, channels) sequences, the last one is drawn
    lengths: np.ndarray | None = None,
    *,
    step: float = 1,
) -> None:  # fmt: skip
    """Keep a net's memory and states for the report; nothing where nobody writes one.

    `step` is how many readings are read at once.
    """
    from neuroscope import nets  # noqa: PLC0415 - imports torch

    folder = training.problem.scratch
    if folder is None or watch.fold != 0 or not len(x) or "family" not in record:
        return
    if x.ndim != 3:  # tokens: a word is no number that a slope could be taken by
        return
    family = nets.catalogue.get(record["family"])
    if not hasattr(family, "inside"):
        return
    below = net.get_submodule("net") if "ahead" in record else net
    found = _looked(below, family.inside, x, lengths)
    place = _place(folder, watch.rung, watch.trial)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(place, json.dumps(found | {"step": step}).encode())


def remembered(problem: Problem, rung: str, trial: int) -> dict[str, Any] | None:
    """Return what was kept of a rung's net; None where there is nothing."""
    if problem.scratch is None:
        return None
    try:
        return json.loads(_place(problem.scratch, rung, trial).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _place(folder: Path, rung: str, trial: int) -> Path:
    return folder / f"memory-{rung}-{trial}.json"


def _looked(
    net: nn.Module, inside: Any, x: np.ndarray, lengths: np.ndarray | None
) -> dict[str, Any]:
    import torch  # noqa: PLC0415 - slow to import

    from neuroscope.explain.memory import memory, states  # noqa: PLC0415 - imports torch

    some = slice(-_SEQUENCES, None)
    given, ends = _tensor(x[some], net), None
    if lengths is not None:
        ends = torch.from_numpy(lengths[some]).to(given.device)
    with torch.inference_mode():
        count = net(given[-1:], None if ends is None else ends[-1:]).shape[1]
    outputs = sorted({0, count // 2, count - 1})[:_OUTPUTS]
    seen = memory(net, given, ends, output=outputs)
    last = None if ends is None else ends[-1:]
    held = states(net, inside, given[-1:], last)
    length = given.shape[1] if last is None else int(last[0])
    return {
        "gradient": seen.gradient.tolist(),
        "sequences": seen.sequences.tolist(),
        "reach": seen.reach(),
        "read": _numbers(given[-1, :length, 0].float().cpu().numpy()[-_STEPS:]),
        "states": _states(held, length),
    }


def _numbers(values: np.ndarray) -> list[float]:
    return np.round(values.astype(np.float64), 4).tolist()


def _tensor(x: np.ndarray, net: nn.Module) -> Tensor:
    import torch  # noqa: PLC0415 - slow to import

    return torch.from_numpy(np.ascontiguousarray(x)).to(next(net.parameters()))


def _states(held: Mapping[str, np.ndarray], length: int) -> dict[str, Any]:
    """Return of the last layer some units' states (k, t), the mean of each gate and attention."""
    layer = max((name.split(".")[0] for name in held if not name.startswith("pooling")), default="")
    mine = {name.partition(".")[2]: values for name, values in held.items()
            if name.startswith(f"{layer}.")}  # fmt: skip
    found: dict[str, Any] = {"gates": {}}
    if "hidden" in mine:
        hidden = mine["hidden"][:length][-_STEPS:]
        moving = np.argsort(-hidden.std(axis=0), kind="stable")[:_UNITS]
        most = max(float(np.abs(hidden).max()), 1e-9)
        found["hidden"] = _numbers(hidden[:, np.sort(moving)].T / most)
    for gate in _GATES:
        if gate in mine:
            found["gates"][gate] = _numbers(mine[gate][:length][-_STEPS:].mean(axis=1))
    if "attention" in mine:
        weights = mine["attention"].mean(axis=0)[:length, :length]
        found["attention"] = _numbers(weights.mean(axis=0)[-_STEPS:])
    return found
