"""A folder of pretrained weights that a test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def own_copy(pretrained, tmp_path: Path) -> Path:
    """Return a ResNet's folder that the test may spoil."""
    return Path(shutil.copytree(pretrained("resnet"), tmp_path / "resnet"))
