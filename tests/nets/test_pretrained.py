"""Backbones of `transformers`: opened whole or refused by name, and the same after saving."""

from __future__ import annotations

import builtins
import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.nets.tiny_backbones import CONFIGS
from torch import nn
from torch.nn import functional

from neuroscope.base.errors import MissingExtraError, ModelError
from neuroscope.explain.gradcam import gradcam
from neuroscope.nets.backbone import Transfer, groups, last_maps, linear_head, probe
from neuroscope.nets.pretrained import from_record, open_backbone
from neuroscope.nets.weights import from_arrays, to_arrays

transformers = pytest.importorskip("transformers")
POOLING = {"vit": "class token", "dinov2": "class token"}


@pytest.mark.parametrize("kind", CONFIGS)
def test_features_are_those_of_the_class(kind: str, pretrained) -> None:
    backbone = open_backbone(pretrained(kind))
    theirs = transformers.AutoModelForImageClassification.from_pretrained(pretrained(kind)).eval()
    x = probe(backbone.normalisation).repeat(2, 1, 1, 1)
    seen = theirs.base_model(pixel_values=x)
    wanted = seen.last_hidden_state[:, 0] if kind in POOLING else seen.pooler_output.flatten(1)
    assert backbone.pooling == POOLING.get(kind, "pooler_output")
    assert backbone.width == wanted.shape[1]
    torch.testing.assert_close(backbone(x), wanted)


@pytest.mark.parametrize("kind", CONFIGS)
def test_transfer_trains_groups_and_explains(kind: str, pretrained) -> None:
    backbone = open_backbone(pretrained(kind))
    net = Transfer(backbone, linear_head(backbone, 3, dropout=0.2, seed=1))
    held = [id(p) for group in groups(net) for module in group for p in module.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in net.parameters()}
    assert groups(net)[-1] == [net.head]
    assert len(groups(net)) >= 4
    x = probe(backbone.normalisation).repeat(2, 1, 1, 1)
    functional.cross_entropy(net.train()(x), torch.tensor([0, 2])).backward()
    assert net.head[1].weight.grad.any()
    assert any(p.grad is not None and p.grad.any() for m in groups(net)[0] for p in m.parameters())
    heat = gradcam(net.requires_grad_(False), last_maps(net), x, [0, 1])
    assert heat.shape == (2, *x.shape[2:])
    assert heat.min() >= 0
    if kind != "mobilenet_v2":  # its random weights fade to nothing; see the test on real ones
        assert heat.max() == 1


@pytest.mark.parametrize("kind", CONFIGS)
def test_record_and_weights_give_the_same_backbone(kind: str, pretrained) -> None:
    backbone = open_backbone(pretrained(kind))
    again = from_record(json.loads(json.dumps(backbone.to_json())))
    from_arrays(again, to_arrays(backbone))
    x = probe(backbone.normalisation)
    torch.testing.assert_close(again(x), backbone(x))
    assert again.to_json() == backbone.to_json()
    assert again.origin == backbone.origin
    assert [len(g) for g in again.groups] == [len(g) for g in backbone.groups]


def test_origin_and_normalisation_are_read(pretrained) -> None:
    folder = pretrained("resnet")
    backbone = open_backbone(str(folder))
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert backbone.origin.name == str(folder)
    assert backbone.origin.licence == "apache-2.0"
    assert backbone.origin.sha256 == {"model.safetensors": digest}
    assert backbone.origin.notes == ()
    shown = backbone.normalisation
    assert (shown.size, shown.resize, shown.squash) == (64, 72, False)
    assert shown.mean == (0.5, 0.4, 0.3)


def test_mobilenet_gets_torch_momentum(pretrained) -> None:
    backbone = open_backbone(pretrained("mobilenet_v2"))
    norms = [layer for layer in backbone.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert {layer.momentum for layer in norms} == {0.1}


def test_nothing_is_printed(pretrained, capfd: pytest.CaptureFixture[str]) -> None:
    open_backbone(pretrained("resnet"))
    assert capfd.readouterr() == ("", "")


def test_a_missing_tensor_is_named(own_copy) -> None:
    weights = load_file(own_copy / "model.safetensors")
    gone = next(name for name in weights if "encoder.stages.2" in name and "convolution" in name)
    del weights[gone]
    save_file(weights, own_copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"lack 1 tensor of.*encoder\.stages\.2.*convolution"):
        open_backbone(own_copy)


def test_a_tensor_of_another_shape_is_named(own_copy) -> None:
    weights = load_file(own_copy / "model.safetensors")
    name = next(name for name in weights if "encoder.stages.2" in name and "convolution" in name)
    weights[name] = torch.zeros(3, 3, 1, 1)
    save_file(weights, own_copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match=r"another shape for 1 tensor of.*stages\.2.*convolution"):
        open_backbone(own_copy)


def test_extra_tensors_are_noted_and_the_old_classifier_is_not(own_copy) -> None:
    weights = load_file(own_copy / "model.safetensors")
    assert any(name.startswith("classifier") for name in weights)
    save_file(
        weights | {"neck.odd": torch.zeros(2)}, own_copy / "model.safetensors", {"format": "pt"}
    )
    assert open_backbone(own_copy).origin.notes == (
        "1 tensor in the file that nothing uses: neck.odd",
    )


def test_without_a_processor_file_the_guess_is_said(own_copy) -> None:
    (own_copy / "preprocessor_config.json").unlink()
    backbone = open_backbone(own_copy)
    assert "ImageNet's colours" in backbone.origin.notes[0]
    assert backbone.normalisation.size == 224
    assert backbone.normalisation.mean == (0.485, 0.456, 0.406)


def test_a_pickle_is_refused_also_when_transformers_would_read_it(own_copy) -> None:
    weights = load_file(own_copy / "model.safetensors")
    (own_copy / "model.safetensors").unlink()
    torch.save(weights, own_copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin, a format that can run code"):
        open_backbone(own_copy)


def test_sharded_weights_are_opened_and_a_lost_part_is_named(own_copy) -> None:
    whole = open_backbone(own_copy)
    weights = load_file(own_copy / "model.safetensors")
    names = list(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for file, part in parts.items():
        save_file({name: weights[name] for name in part}, own_copy / file, {"format": "pt"})
    places = {name: file for file, part in parts.items() for name in part}
    index = own_copy / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": places}))
    (own_copy / "model.safetensors").unlink()
    split = open_backbone(own_copy)
    x = probe(whole.normalisation)
    torch.testing.assert_close(split(x), whole(x))
    assert sorted(split.origin.sha256) == ["a.safetensors", "b.safetensors"]
    (own_copy / "b.safetensors").unlink()
    with pytest.raises(ModelError, match=r"missing: b\.safetensors"):
        open_backbone(own_copy)
    index.write_text(json.dumps({"weight_map": {"w": "../b.safetensors"}}))
    with pytest.raises(ModelError, match="out of the folder"):
        open_backbone(own_copy)


def _spoil(folder, name: str, text: str | None) -> None:
    (folder / name).unlink() if text is None else (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config.json", None, "there is no config.json"),
        ("config.json", "{", "config.json is not JSON"),
        ("config.json", "[1]", "not one JSON object"),
        ("config.json", '{"model_type": "nothing-known"}', "cannot open this net"),
        ("model.safetensors", None, "no weights here"),
        ("model.safetensors", "cut", "cannot open this net"),
        ("preprocessor_config.json", '{"size": {"height": 3, "width": 4}}', "asks for pictures of"),
    ],
)
def test_spoilt_folders_are_refused(own_copy, name: str, text: str | None, said: str) -> None:
    _spoil(own_copy, name, text)
    with pytest.raises(ModelError, match=said) as caught:
        open_backbone(own_copy)
    assert str(own_copy) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_code_of_a_folder_does_not_run(own_copy, tmp_path) -> None:
    config = json.loads((own_copy / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.C", "AutoModel": "mine.M"}}
    (own_copy / "config.json").write_text(json.dumps(config))
    (own_copy / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(ModelError, match="cannot open this net"):
        open_backbone(own_copy)
    assert not (tmp_path / "ran").exists()


def test_a_net_of_text_is_refused(tmp_path) -> None:
    config = transformers.BertConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        vocab_size=20,
    )  # fmt: skip
    transformers.AutoModel.from_config(config).save_pretrained(tmp_path / "bert")
    with pytest.raises(ModelError, match="does not turn pictures into features"):
        open_backbone(tmp_path / "bert")


def test_offline_a_name_says_what_to_download(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="not in the local cache") as caught:
        open_backbone("microsoft/resnet-18")
    said = str(caught.value)
    assert "https://huggingface.co/microsoft/resnet-18" in said
    assert "config.json, model.safetensors and preprocessor_config.json" in said


def test_a_cached_name_is_opened_offline(monkeypatch: pytest.MonkeyPatch, tmp_path, pretrained):
    from huggingface_hub import constants

    hub = tmp_path / "models--someone--net"
    shutil.copytree(pretrained("resnet"), hub / "snapshots" / "abc")
    (hub / "refs").mkdir()
    (hub / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    backbone = open_backbone("someone/net")
    assert backbone.origin.name == "someone/net"
    assert backbone.origin.licence == "apache-2.0"
    assert backbone.normalisation.mean == (0.5, 0.4, 0.3)


@pytest.mark.parametrize("sharded", [False, True])
def test_the_hub_is_asked_for_numbers_and_text_only(monkeypatch, pretrained, sharded) -> None:
    """A stand-in for the hub: nothing is cached, each file comes when it is asked for."""
    folder, asked = pretrained("resnet"), []
    index = folder / "model.safetensors.index.json"

    def fake(name, file, *, local_files_only, **_):
        asked.append((file, local_files_only))
        if local_files_only or (sharded and file == "model.safetensors"):
            return None
        if file == index.name:
            place = folder / index.name
            place.write_text(json.dumps({"weight_map": {"a": "model.safetensors"}}))
            return str(place)
        return str(folder / file)

    monkeypatch.setattr("transformers.utils.hub.cached_file", fake)
    try:
        assert open_backbone("someone/net").width == 24
    finally:
        index.unlink(missing_ok=True)
    fetched = [file for file, local in asked if not local]
    wanted = ["config.json", "model.safetensors", "preprocessor_config.json", "README.md"]
    shards = [index.name, "model.safetensors"] if sharded else []
    assert fetched == [*wanted[:2], *shards, *wanted[2:]]


@pytest.mark.parametrize(
    "name", ["no/such/folder/here", "a b", "~/nowhere/at/all/x", "./nowhere", "../nowhere"]
)
def test_a_path_that_is_not_there_is_refused_without_asking_the_hub(name: str) -> None:
    with pytest.raises(ModelError, match="no folder of a pretrained net"):
        open_backbone(name)


def test_without_transformers_the_install_line_is_given(monkeypatch, pretrained) -> None:
    folder, real = pretrained("resnet"), builtins.__import__

    def missing(name, *rest, **more):
        if name.split(".")[0] == "transformers":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'neuroscope\[transfer\]'"):
        open_backbone(folder)
