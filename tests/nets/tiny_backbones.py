"""Tiny pretrained nets of several classes of `transformers`, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import torch

TINY = {"hidden_sizes": [8, 8, 16, 24], "depths": [1, 1, 2, 1]}
TOKENS = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32}
CONFIGS = {
    "resnet": ("ResNetConfig", {"embedding_size": 8, "layer_type": "basic", **TINY}),
    "convnext": ("ConvNextConfig", TINY),
    "vit": ("ViTConfig", {**TOKENS, "intermediate_size": 32, "patch_size": 8}),
    "dinov2": ("Dinov2Config", {**TOKENS, "patch_size": 8}),
    "mobilenet_v2": ("MobileNetV2Config", {"depth_multiplier": 0.35, "image_size": 64}),
    "swin": (
        "SwinConfig",
        {"image_size": 32, "embed_dim": 8, "depths": [1, 1], "num_heads": [1, 2], "window_size": 4},
    ),
}
PROCESSOR = {
    "size": {"shortest_edge": 72}, "do_center_crop": True, "crop_size": {"height": 64, "width": 64},
    "image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.5], "rescale_factor": 1 / 255,
}  # fmt: skip


def write(kind: str, place: Path) -> Path:
    """Write a tiny pretrained classifier of a class, with random weights, into a new folder."""
    import transformers

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
