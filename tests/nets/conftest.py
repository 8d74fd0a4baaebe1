"""Tiny pretrained nets of several classes, made on the spot with random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tiny_backbones import CONFIGS, PROCESSOR


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the folder of a tiny pretrained classifier of a class."""
    transformers = pytest.importorskip("transformers")
    root = tmp_path_factory.mktemp("pretrained")

    def folder(kind: str) -> Path:
        place = root / kind
        if not place.is_dir():
            name, options = CONFIGS[kind]
            config = getattr(transformers, name)(**options)
            with torch.random.fork_rng():
                torch.manual_seed(0)
                net = transformers.AutoModelForImageClassification.from_config(config)
            net.save_pretrained(place)
            size = options.get("image_size", 64)
            processor = {**PROCESSOR, "crop_size": {"height": size, "width": size}}
            (place / "preprocessor_config.json").write_text(json.dumps(processor))
            (place / "README.md").write_text("---\nlicense: apache-2.0\ntags: [vision]\n---\n")
        return place

    return folder


@pytest.fixture
def own_copy(pretrained, tmp_path: Path) -> Path:
    """Return a ResNet's folder that the test may spoil."""
    return Path(shutil.copytree(pretrained("resnet"), tmp_path / "resnet"))
