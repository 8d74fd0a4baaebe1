"""Arithmetic on many tensors in one call: torch's own multi-tensor kernels, with types.

Torch marks them as private because they may change; this is the only place that names them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

_torch = cast(Any, torch)


def norms(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the Euclidean norm of each tensor."""
    return list(_torch._foreach_norm(list(tensors)))


def distances(one: Sequence[Tensor], other: Sequence[Tensor]) -> list[Tensor]:
    """Return the Euclidean norm of each difference."""
    return norms(_torch._foreach_sub(list(one), list(other)))


def add(tensors: Sequence[Tensor], others: Sequence[Tensor], factor: float) -> None:
    """Add `factor` times the others, in place."""
    _torch._foreach_add_(list(tensors), list(others), alpha=factor)


def signs(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Return the sign of each number."""
    return list(_torch._foreach_sign(list(tensors)))


def divide(tensors: Sequence[Tensor], by: Tensor) -> None:
    """Divide all numbers by one, in place."""
    _torch._foreach_div_(list(tensors), by)


def move_towards(tensors: Sequence[Tensor], goals: Sequence[Tensor], share: float) -> None:
    """Move each number by `share` of the way to its goal, in place."""
    _torch._foreach_lerp_(list(tensors), list(goals), share)
