"""What a torch net is trained on: rows that are drawn in batches and gathered onto the device.

A set that fits lies on the device as tensors from the first batch on; a read-only or memory-mapped
array, which may be larger than the memory, is read batch by batch. Nothing is copied for a fold:
`rows` says which rows of the arrays belong to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from neuroscope.base.errors import InputError

Array = np.ndarray | Tensor
Inputs = tuple[Tensor, ...]
# prepare(inputs, chance): batched work on the device; chance is None where nothing is random.
Prepare = Callable[[Inputs, torch.Generator | None], Inputs]
# batcher(rows, batch size, generator): the positions of each batch; no generator: a fixed order.
Batcher = Callable[[int, int, np.random.Generator | None], Sequence[np.ndarray]]

_CPU = torch.device("cpu")
_FREE_SHARE = 0.5  # of an accelerator's free memory that the rows may take
_POOL = 20  # batches whose rows, drawn at random, are sorted by length together


class Batch(NamedTuple):
    """Rows side by side on the device: inputs, targets, row weights (n,) or None."""

    inputs: Inputs
    targets: Tensor
    weights: Tensor | None


class Rows(Protocol):
    """What the loop asks of a data set; `Data` is one, random windows of a text another."""

    @property
    def prepare(self) -> Prepare | None:
        """Batched work on the device between gathering and the net."""
        ...

    def __len__(self) -> int: ...

    def batches(self, size: int, chance: np.random.Generator | None) -> Sequence[np.ndarray]:
        """Return the positions of each batch of an epoch; without `chance` in a fixed order."""
        ...

    def take(self, positions: np.ndarray) -> Batch:
        """Return the rows at these positions."""
        ...

    def on(self, device: torch.device) -> Rows:
        """Return the same rows, lying on or gathered onto `device`."""
        ...


@dataclass(frozen=True)
class Data:
    """Rows with targets.

    inputs   one array (n, ...) or a tuple of them; numbers keep their type (uint8 stays uint8)
    targets  (n,) class indices, (n, k) numbers, or whatever the loss reads
    weights  (n,) how much each row counts, or None when all count alike
    rows     (m,) indices into the arrays, or None for all of them
    prepare  batched work on the device, as turning uint8 into floats, and augmentation
    batcher  which rows share a batch, as texts of like length; None shuffles and cuts
    """

    inputs: Array | tuple[Array, ...]
    targets: Array
    weights: Array | None = None
    rows: np.ndarray | None = None
    prepare: Prepare | None = None
    batcher: Batcher | None = None
    device: torch.device = _CPU

    def __post_init__(self) -> None:
        sizes = {len(array) for array in self._arrays}
        if len(sizes) != 1:
            lengths = ", ".join(str(len(array)) for array in self._arrays)
            raise InputError(f"inputs, targets and weights differ in rows: {lengths}")
        if not len(self):
            raise InputError("there are no rows to learn from")

    @property
    def _parts(self) -> tuple[Array, ...]:
        return self.inputs if isinstance(self.inputs, tuple) else (self.inputs,)

    @property
    def _arrays(self) -> tuple[Array, ...]:
        weights = () if self.weights is None else (self.weights,)
        return (*self._parts, self.targets, *weights)

    def __len__(self) -> int:
        return len(self.targets) if self.rows is None else len(self.rows)

    def some(self, rows: np.ndarray) -> Data:
        """Return these rows of the same arrays, by position; nothing is copied.

        A batcher knows the rows that it was made for, and is left out.
        """
        return replace(self, rows=rows if self.rows is None else self.rows[rows], batcher=None)

    def on(self, device: torch.device) -> Data:
        """Return the same rows for `device`, moved there where they fit."""
        arrays = [_tensor(array) for array in self._arrays]
        if device.type != "cpu" and _fits(arrays, device):
            arrays = [_moved(array, device) for array in arrays]
        count = len(self._parts)
        weights = None if self.weights is None else arrays[-1]
        return replace(self, inputs=tuple(arrays[:count]), targets=arrays[count], weights=weights,
                       device=device)  # fmt: skip

    def batches(self, size: int, chance: np.random.Generator | None) -> Sequence[np.ndarray]:
        """Return the positions of each batch of `size` rows; the last may be smaller.

        A last row alone joins the batch before it while learning: a norm finds no variance in one.
        """
        if self.batcher is not None:
            return self.batcher(len(self), size, chance)
        order = np.arange(len(self)) if chance is None else chance.permutation(len(self))
        return _cut(order, size, alone=chance is None)

    def take(self, positions: np.ndarray) -> Batch:
        """Gather rows onto the device."""
        rows = positions if self.rows is None else self.rows[positions]
        at = torch.from_numpy(np.ascontiguousarray(rows, np.int64))
        there = at if self.device.type == "cpu" else at.to(self.device, non_blocking=True)
        parts = tuple(_gather(part, rows, at, there) for part in self._parts)
        weights = None if self.weights is None else _gather(self.weights, rows, at, there)
        return Batch(parts, _gather(self.targets, rows, at, there), weights)


def alike(lengths: np.ndarray) -> Batcher:
    """Return a batcher that lets rows of like length share a batch: less of it is padding.

    Rows are drawn at random, sorted by length within pools of some batches, and the batches learned
    in random order: which rows meet changes from epoch to epoch. In a fixed order all are sorted.
    """

    def batches(rows: int, size: int, chance: np.random.Generator | None) -> Sequence[np.ndarray]:
        if chance is None:
            return _cut(np.argsort(lengths, kind="stable"), size, alone=True)
        order = chance.permutation(rows)
        order = order[np.lexsort((lengths[order], np.arange(rows) // (_POOL * size)))]
        found = _cut(order, size, alone=False)
        return [found[place] for place in chance.permutation(len(found))]

    return batches


def _cut(order: np.ndarray, size: int, *, alone: bool) -> list[np.ndarray]:
    """Return runs of `size` rows; a last row joins the run before it unless it may be `alone`."""
    batches = [order[first : first + size] for first in range(0, len(order), size)]
    if not alone and len(batches) > 1 and len(batches[-1]) == 1 < size:
        batches[-2:] = [np.concatenate(batches[-2:])]
    return batches


def _gather(array: Array, rows: np.ndarray, at: Tensor, there: Tensor) -> Tensor:
    """Return some rows on the device; a disk is read in the order of the file."""
    if isinstance(array, Tensor):
        if array.device == there.device:
            return array.index_select(0, there)
        return array.index_select(0, at).to(there.device, non_blocking=True)
    order = np.argsort(rows, kind="stable")
    found = np.empty((len(rows), *array.shape[1:]), array.dtype)
    found[order] = array[rows[order]]
    return torch.from_numpy(found).to(there.device, non_blocking=True)


def _tensor(array: Array) -> Array:
    """Return a tensor over the same memory, or the array itself where torch may not write."""
    if isinstance(array, Tensor | np.memmap) or not array.flags.writeable:
        return array
    return torch.from_numpy(np.ascontiguousarray(array))


def _fits(arrays: Sequence[Array], device: torch.device) -> bool:
    """Say whether the rows may lie on the accelerator; memory-mapped files stay on disk."""
    if any(isinstance(array, np.memmap) for array in arrays):
        return False
    size = sum(array.nbytes for array in arrays)
    if device.type == "cuda":
        return size < _FREE_SHARE * torch.cuda.mem_get_info(device)[0]
    free = torch.mps.recommended_max_memory() if device.type == "mps" else math.inf
    return size < _FREE_SHARE * free


def _moved(array: Array, device: torch.device) -> Tensor:
    """Return an array as a tensor on the device."""
    host = array if isinstance(array, Tensor) else torch.from_numpy(np.array(array))
    return host.to(device)
