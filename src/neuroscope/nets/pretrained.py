"""Pretrained picture nets of `transformers`, opened as backbones: a folder, or a name on the hub.

Weights are safetensors only and no code from the folder runs. What the file lacks or has too much
is named. Needs the extra `transfer`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn

from neuroscope.base.errors import MissingExtraError, ModelError
from neuroscope.nets import _folder, build
from neuroscope.nets._staged import Staged
from neuroscope.nets.backbone import Backbone, Origin, of_net, pool, probe
from neuroscope.nets.normalisation import Normalisation, of_processor
from neuroscope.nets.weights import listed

HEADS = ("classifier", "fc", "head", "cls_classifier", "distillation_classifier", "score")
UNUSED = ("pooler.", "mask_token")  # tensors that the features never pass through
MOMENTUM, DEFAULT_SIZE = 0.1, 224


def open_backbone(name: str | Path) -> Backbone:
    """Open any picture net of `transformers` from a local folder or, by name, from the hub.

    A pickle, a missing tensor, a net that reads no pictures or a hub out of reach is a ModelError;
    without the package `transformers` it is a MissingExtraError. Tensors that the file has too many
    are named in `origin.notes`, those of the old classifier excepted.
    """
    transformers_package()
    folder = _folder.find(name)
    config = _folder.read_json(folder, _folder.CONFIG)
    files = _folder.weight_files(folder)
    try:
        net, notes = load(folder)
        normalisation, more = _normalisation(folder, config)
        origin = Origin(
            name=str(name),
            licence=_folder.licence(folder),
            sha256={path.name: _folder.sha256(path) for path in files},
            notes=(*notes, *more),
        )
        return _backbone(net, normalisation, origin)
    except ModelError as error:
        if not error.where:
            error.at(str(name))
        raise


def from_record(record: Mapping[str, Any]) -> Backbone:
    """Build the backbone of `Backbone.to_json`, its weights still to be put in (`from_arrays`)."""
    normalisation = Normalisation.from_json(record["normalisation"])
    origin = Origin(**{**record["origin"], "notes": tuple(record["origin"]["notes"])})
    if "family" in record["net"]:
        net = build(record["net"])
        if not isinstance(net, Staged):
            raise ModelError("this net reads sequences, not pictures", remedy="take another one")
        made = of_net(net, record["net"], normalisation=normalisation)
        made.origin = origin
        return made
    transformers = transformers_package()
    config = transformers.AutoConfig.for_model(**record["net"]["config"])
    net = transformers.AutoModel.from_config(config, trust_remote_code=False)
    if record["net"]["pooling"] == "class token" and hasattr(net, "pooler"):
        net.register_module("pooler", None)
    return _backbone(net, normalisation, origin)


def transformers_package() -> Any:
    """Return the package; without it a MissingExtraError."""
    try:
        import transformers  # noqa: PLC0415 - an optional package, and a slow import
    except ImportError as error:
        raise MissingExtraError("transformers", "transfer") from error
    return transformers


def load(folder: Path) -> tuple[nn.Module, list[str]]:
    """Return the net with the weights of the folder, and notes on tensors that are not used."""
    auto = transformers_package().AutoModel
    try:
        with _quiet():
            net, report = auto.from_pretrained(
                str(folder),
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # it reports them, and they are refused below
            )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ModelError(
            f"transformers cannot open this net ({reason})",
            remedy="take a net that transformers holds itself, with whole weight files",
        ) from error
    _refuse(report)
    if any(name.startswith("pooler.") for name in report["missing_keys"]):
        net.register_module("pooler", None)  # made up, not trained; the features do without it
    extra = sorted(n for n in report["unexpected_keys"] if n.split(".")[0] not in HEADS)
    note = f"{_tensors(extra)} in the file that nothing uses: {listed(extra)}"
    return net, [note] if extra else []


def _refuse(report: Mapping[str, Any]) -> None:
    """Refuse weights that lack a tensor of the backbone or have one of another shape."""
    missing = [n for n in report["missing_keys"] if not any(part in n for part in UNUSED)]
    wrong = [entry[0] for entry in report["mismatched_keys"]]
    for fault, names in {"lack": sorted(missing), "have another shape for": sorted(wrong)}.items():
        if names:
            raise ModelError(
                f"the weights {fault} {_tensors(names)} of the net: {listed(names)}",
                remedy="download the folder again; config.json and weights must belong together",
            )


def _tensors(names: Sequence[str]) -> str:
    return f"{len(names)} tensor{'s' * (len(names) != 1)}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the loader's table and bar off the screen; what matters in it is checked here."""
    from transformers.utils import logging  # noqa: PLC0415 - optional package

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _normalisation(folder: Path, config: Mapping[str, Any]) -> tuple[Normalisation, list[str]]:
    """Return what the net reads, and a note where the folder does not say it."""
    size = config.get("image_size")
    size = size if isinstance(size, int) else DEFAULT_SIZE
    if (folder / _folder.PROCESSOR).is_file():
        return of_processor(_folder.read_json(folder, _folder.PROCESSOR), size), []
    note = f"there is no {_folder.PROCESSOR}: pictures of {size} pixels and ImageNet's colours"
    return of_processor({}, size), [f"{note} are taken"]


def _backbone(net: nn.Module, normalisation: Normalisation, origin: Origin) -> Backbone:
    net.eval()
    _mend(net)
    seen, fired = _look(net, normalisation)
    pooling = _pooling(net, seen)
    layers = layer_groups(net)
    if pooling != "pooler_output" and isinstance(getattr(net, "pooler", None), nn.Module):
        net.register_module("pooler", None)
        layers = layer_groups(net)
    with torch.inference_mode():
        width = pool(net, probe(normalisation), pooling).shape[1]
    config = json.loads(net.config.to_json_string(use_diff=False))  # type: ignore[union-attr]
    return Backbone(
        net,
        groups=layers,
        maps=_maps(pooling, seen.last_hidden_state.shape, fired, layers[-1]),
        pooling=pooling,
        width=width,
        normalisation=normalisation,
        record={"config": config, "pooling": pooling},
        origin=origin,
    ).eval()


def _mend(net: nn.Module) -> None:
    """Give batch norms torch's usual momentum where the class has TensorFlow's.

    MobileNetV2 hands TensorFlow's 0.997 (weight of the old statistics) to torch, where it is the
    weight of the new: each batch would overwrite what was learned on ImageNet.
    """
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d) and (layer.momentum or 0) > 0.5:
            layer.momentum = MOMENTUM


def _look(net: nn.Module, normalisation: Normalisation) -> tuple[Any, list[tuple[str, nn.Module]]]:
    """Return the output for one picture, and the layers with an output of that very shape."""
    shapes: list[tuple[str, nn.Module, torch.Size]] = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, _, out, name=name: (
                shapes.append((name, layer, out.shape)) if isinstance(out, torch.Tensor) else None
            )
        )
        for name, layer in net.named_modules()
    ]
    try:
        with torch.inference_mode():
            seen = net(pixel_values=probe(normalisation))
        hidden = seen.last_hidden_state.shape
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(
            "this net does not turn pictures into features",
            remedy="take a picture net, such as ResNet, ConvNeXt, ViT, DINOv2 or MobileNetV2",
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    return seen, [(name, layer) for name, layer, shape in shapes if shape == hidden]


def _pooling(net: nn.Module, seen: Any) -> str:
    """Return how this class makes features: its class token, its own pooling, or the mean."""
    tokens = any(name.endswith("cls_token") for name, _ in net.named_parameters())
    if tokens and seen.last_hidden_state.ndim == 3:
        return "class token"  # what ViT and DINOv2 were trained to classify from
    return "pooler_output" if getattr(seen, "pooler_output", None) is not None else "mean"


def layer_groups(net: nn.Module) -> list[list[nn.Module]]:
    """Return what comes before the trunk (its longest outer list of blocks), each block, the rest.

    What comes after the trunk, such as a last norm, belongs to the last block.
    """
    lists = [(n, m) for n, m in net.named_modules() if isinstance(m, nn.ModuleList) and len(m) > 1]
    if not lists:
        return [[net]]
    path, trunk = min(lists, key=lambda entry: entry[0].count("."))
    before, after, here = list[nn.Module](), list[nn.Module](), net
    for step in path.split("."):
        names = list(here._modules)
        place = names.index(step)
        before += [m for m in list(here._modules.values())[:place] if m is not None]
        after = [m for m in list(here._modules.values())[place + 1 :] if m is not None] + after
        here = here._modules[step] or here
    layers = [[block] for block in trunk]
    layers[-1] += [m for m in after if any(True for _ in m.parameters())]
    layers = [before, *layers] if any(True for m in before for _ in m.parameters()) else layers
    held = {p for layer in layers for m in layer for p in m.parameters()}
    return layers if held >= set(net.parameters()) else [[net]]


def _maps(
    pooling: str, shape: torch.Size, fired: list[tuple[str, nn.Module]], last: list[nn.Module]
) -> nn.Module:
    """Return the layer that Grad-CAM reads: the last that gives the maps or tokens before pooling.

    The class token alone leaves the last block, so its patches have no say after it: there the norm
    before its attention is read (Gildenblat 2021, pytorch-grad-cam's advice for ViT).
    """
    if pooling == "class token":
        norms = [layer for layer in last[0].modules() if isinstance(layer, nn.LayerNorm)]
        if norms and math.prod(shape) > 1:
            return norms[0]
    return [layer for name, layer in fired if not name.startswith("pooler")][-1]
