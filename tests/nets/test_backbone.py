"""Features of frozen backbones, Neuroscope's own nets as backbones, and real weights."""

from __future__ import annotations

import copy
import io
import json
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from neuroscope import nets
from neuroscope.base.errors import ModelError, RecipeError
from neuroscope.nets.backbone import Backbone, Transfer, groups, linear_head, of_net, probe
from neuroscope.nets.features import extract, folded
from neuroscope.nets.normalisation import Normalisation
from neuroscope.nets.pretrained import from_record, open_backbone
from neuroscope.nets.weights import from_arrays, to_arrays

GREY = Normalisation(size=12, resize=12, squash=True, mean=(0.4,), std=(0.3,))
OPTIONS = {"channels": 1, "size": 12, "outputs": 5, "width": 4}


def _own(family: str = "residual") -> tuple[Backbone, nn.Module]:
    record = {"family": family, "options": OPTIONS}
    net = nets.build(record)
    for _ in range(3):  # statistics of batch norms that differ from the first ones
        net(torch.randn(16, 1, 12, 12) * 2 + 1)
    whole = copy.deepcopy(net).eval()
    return of_net(net.eval(), record, normalisation=GREY).eval(), whole


def _pictures(n: int = 37, c: int = 1, size: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, c), dtype=np.uint8)


@pytest.mark.parametrize("family", ["residual", "convolution"])
def test_an_own_net_is_a_backbone(family: str) -> None:
    backbone, whole = _own(family)
    x = probe(GREY)
    torch.testing.assert_close(whole.head[-1](backbone(x)), whole(x))
    assert backbone.width == whole.head[-1].in_features
    net = Transfer(backbone, linear_head(backbone, 2))
    held = [id(p) for group in groups(net) for module in group for p in module.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in net.parameters()}


@pytest.mark.parametrize("family", ["residual", "convolution"])
def test_an_own_backbone_comes_back_from_its_record(family: str) -> None:
    backbone, _ = _own(family)
    again = from_record(json.loads(json.dumps(backbone.to_json())))
    from_arrays(again, to_arrays(backbone))
    x = probe(GREY)
    assert torch.equal(again.eval()(x), backbone(x))
    assert again.origin == backbone.origin


def test_a_net_is_taken_apart_once() -> None:
    backbone, _ = _own()
    with pytest.raises(ModelError, match="does not end in a linear layer"):
        of_net(backbone.net, {"family": "residual"}, normalisation=GREY)


def test_extract_gives_the_features_and_leaves_the_backbone() -> None:
    backbone, pictures = _own()[0], _pictures()
    before, events = to_arrays(backbone), []
    backbone.train()
    seen = extract(backbone, pictures, monitor=events.append)
    assert backbone.training
    assert all(np.array_equal(a, b) for a, b in zip(before.values(), to_arrays(backbone).values(),
                                                    strict=True))  # fmt: skip
    with torch.inference_mode():
        wanted = backbone.eval()(GREY(torch.from_numpy(pictures))).numpy()
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, wanted, rtol=1e-3, atol=1e-5)
    assert [(event.done, event.total) for event in events] == [
        (8, 37),
        (16, 37),
        (24, 37),
        (32, 37),
        (37, 37),
    ]


def test_extract_of_chosen_rows_of_a_file(tmp_path) -> None:
    backbone, pictures = _own()[0], _pictures()
    kept = np.memmap(tmp_path / "pictures", np.uint8, "w+", shape=pictures.shape)
    kept[:] = pictures
    kept.flush()
    file = np.memmap(tmp_path / "pictures", np.uint8, "r", shape=pictures.shape)
    rows = np.array([30, 2, 2, 19])
    np.testing.assert_allclose(
        extract(backbone, file, rows=rows), extract(backbone, pictures)[rows], rtol=1e-4, atol=1e-6
    )
    assert extract(backbone, pictures, rows=[]).shape == (0, backbone.width)


def test_extract_in_bfloat16_is_near_and_another_precision_is_refused() -> None:
    backbone, pictures = _own()[0], _pictures()
    exact, near = extract(backbone, pictures), extract(backbone, pictures, precision="bfloat16")
    assert not np.array_equal(exact, near)
    assert np.linalg.norm(exact - near) < 0.05 * np.linalg.norm(exact)
    with pytest.raises(RecipeError, match="unknown precision 'float8'"):
        extract(backbone, pictures, precision="float8")


def test_folding_takes_the_norms_out_and_keeps_the_features() -> None:
    backbone, _ = _own()
    quick = folded(backbone)
    assert not [layer for layer in quick.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [layer for layer in backbone.modules() if isinstance(layer, nn.BatchNorm2d)]
    x = torch.randn(4, 1, 12, 12)
    torch.testing.assert_close(quick(x), backbone(x), rtol=1e-3, atol=1e-5)


class _Twisted(nn.Module):
    """Its norm stands after the convolution in the list and before it in the work."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)
        nn.init.constant_(self.norm.bias, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(self.norm(x).relu())


def test_folding_that_would_change_the_features_is_not_done() -> None:
    backbone, _ = _own()
    backbone.net.stages.add_module("odd", _Twisted())
    x = torch.randn(4, 1, 12, 12)
    assert torch.equal(folded(backbone)(x), backbone.eval()(x))


def test_the_head_is_drawn_from_its_seed() -> None:
    backbone, _ = _own()
    one, same, other = (linear_head(backbone, 3, dropout=0.5, seed=s) for s in (1, 1, 2))
    assert torch.equal(one[1].weight, same[1].weight)
    assert not torch.equal(one[1].weight, other[1].weight)
    assert one[0].p == 0.5
    with pytest.raises(RecipeError, match="outputs is 0"):
        linear_head(backbone, 0)


@pytest.mark.slow
def test_real_weights_on_real_photos(shared_weights, shared_data) -> None:
    """A linear model on frozen ImageNet features reaches 0.87 on 10 classes of clothes."""
    from PIL import Image
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    backbone = open_backbone(shared_weights / "mobilenet-v2-1.0-imagenet-224")
    assert backbone.origin.licence.startswith("Apache-2.0")
    assert (backbone.width, len(backbone.groups), backbone.origin.notes) == (1280, 17, ())
    with zipfile.ZipFile(shared_data / "clothing-photos" / "clothing_160.zip") as archive:
        names = [n for n in archive.namelist() if n.lower().endswith((".jpg", ".png"))]
        pictures = np.stack([_cropped(Image.open(io.BytesIO(archive.read(n)))) for n in names])
    labels = np.array([name.split("/")[-2] for name in names])
    test = np.array([name.startswith("test/") for name in names])
    features = extract(backbone, pictures)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    model.fit(features[~test], labels[~test])
    assert model.score(features[test], labels[test]) >= 0.87


def _cropped(picture) -> np.ndarray:
    picture = picture.convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], resample=2)
    left, top = ((side - 224) // 2 for side in picture.size)
    return np.asarray(picture.crop((left, top, left + 224, top + 224)))


def test_the_batch_norms_of_a_backbone_keep_their_statistics_and_learn_their_scales() -> None:
    record = {"family": "residual", "options": {"channels": 1, "size": 8, "outputs": 3, "width": 4}}
    normalisation = Normalisation(size=8, resize=8, squash=True, mean=(0.0,), std=(1.0,))
    backbone = of_net(nets.build(record), record, normalisation=normalisation)
    net = Transfer(backbone, linear_head(backbone, 3, dropout=0.5)).train()
    before = {name: value.clone() for name, value in backbone.named_buffers()}
    net(torch.randn(6, 1, 8, 8)).square().sum().backward()
    norms = [layer for layer in backbone.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms
    assert all(norm.weight.grad is not None for norm in norms)
    assert all(torch.equal(value, before[name]) for name, value in backbone.named_buffers())
    assert net.head.training
    assert not net.eval().head.training
