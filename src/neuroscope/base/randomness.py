"""Randomness as an argument: one seed makes named, independent generators."""

from __future__ import annotations

import zlib

import numpy as np


def sequence(seed: int, *names: str | int) -> np.random.SeedSequence:
    """Return the seed sequence of (`seed`, names): the same on every machine and version."""
    key = [zlib.crc32(str(name).encode()) for name in names]
    return np.random.SeedSequence(seed, spawn_key=key)


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return an independent generator, e.g. `generator(0, "init", 2)`."""
    return np.random.Generator(np.random.PCG64(sequence(seed, *names)))


def integer(seed: int, *names: str | int) -> int:
    """Return an integer below 2**31 for libraries that take one seed."""
    return int(sequence(seed, *names).generate_state(1)[0] >> 1)
