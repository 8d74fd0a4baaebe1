"""Sizes of tiny pretrained nets of several classes of `transformers`."""

from __future__ import annotations

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
