"""Everything a fit needs to go on, as data: saved in one step as safetensors with a JSON header.

A checkpoint on disk is the old one or the new one, never half of one: it is written beside the
file, flushed to the device and renamed over it. Reading it runs no code.
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from neuroscope.base.errors import ModelError, StorageError

FORMAT = 1


@dataclass
class State:
    """Where a fit stands: plain numbers here, arrays of numbers in `tensors`."""

    identity: str = ""  # of the recipe, the rows and the first weights; see `identify`
    recipe: dict[str, Any] = field(default_factory=dict)  # that is followed, rate halved or not
    halvings: int = 0
    epoch: int = 0  # epochs that are finished
    step: int = 0  # steps of the fit
    epoch_step: int = 0  # steps of the epoch that has begun
    done: float = 0.0  # share of the fit that lies behind, where the budget fits the schedule
    seconds: float = 0.0
    loss_sum: float = 0.0  # of the epoch that has begun
    weight_sum: float = 0.0
    best_loss: float | None = None
    best_epoch: int = 0
    fitted: int | None = None  # steps that the time allows, once it is seen to be short
    told_of_budget: bool = False
    finished: str = ""  # why the fit ended; "" while it goes on
    mixing: dict[str, Any] = field(default_factory=dict)  # state of the generator of mixup
    history: list[dict[str, Any]] = field(default_factory=list)  # events of the finished epochs
    alerts: list[str] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The lowest loss on the watched rows so far; infinity before the first."""
        return math.inf if self.best_loss is None else self.best_loss

    def save(self, path: Path) -> None:
        """Write the state; StorageError when the disk does not take it."""
        record = {k: v for k, v in vars(self).items() if k != "tensors"}
        header = {"state": json.dumps(record | {"format": FORMAT}, allow_nan=False)}
        tensors = {name: _own(value) for name, value in self.tensors.items()}
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            save_file(tensors, draft, metadata=header)
            _flush(draft)
            draft.replace(path)
            _flush(path.parent)
        except (OSError, SafetensorError) as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            what = "the disk is full" if full else f"the checkpoint cannot be written: {error}"
            remedy = "free some space or choose another folder"
            raise StorageError(what, where=str(path), remedy=remedy) from error
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> State:
        """Read what `save` wrote; ModelError when the file is damaged or of a later version."""
        remedy = "delete it to begin again"
        try:
            with safe_open(path, framework="pt") as file:
                record = json.loads((file.metadata() or {})["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if record.pop("format") != FORMAT:
                raise ModelError("another version wrote this checkpoint", where=str(path),
                                 remedy=remedy)  # fmt: skip
            return cls(**record, tensors=tensors)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"the checkpoint cannot be read ({error})", where=str(path),
                             remedy=remedy) from error  # fmt: skip

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin with `prefix.`, without it."""
        start = f"{prefix}."
        return {
            name.removeprefix(start): value
            for name, value in self.tensors.items()
            if name.startswith(start)
        }


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under `prefix.name`."""
    return {f"{prefix}.{name}": value for name, value in tensors.items()}


def copied(net: nn.Module) -> dict[str, Tensor]:
    """Return a copy of a net's weights and statistics."""
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def identify(recipe: Mapping[str, Any], rows: int, start: Mapping[str, Tensor]) -> str:
    """Return what tells one fit from another: its choices, number of rows and first weights."""
    known = {name: value for name, value in recipe.items() if name != "reasons"}
    check = zlib.crc32(json.dumps([known, rows], sort_keys=True).encode())
    for name, value in start.items():
        numbers = value.cpu().contiguous().flatten().view(torch.uint8)
        check = zlib.crc32(numbers.numpy().data, zlib.crc32(name.encode(), check))
    return f"{check:08x}"


def _own(value: Tensor) -> Tensor:
    """Return the numbers in memory of their own: safetensors takes no shared and no views."""
    return value.detach().to("cpu", copy=True).contiguous()


def _flush(path: Path) -> None:
    """Flush a file or a folder to the device, so that it outlives a power cut."""
    if path.is_dir() and os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
