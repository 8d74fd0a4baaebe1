"""Pictures on their way to a learner: decoded once, cut, kept on disk, as JSON both ways."""

from __future__ import annotations

import gc
import json
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.shapes import shapes, write
from tests.tasks.posing import fitted, posed

from neuroscope.base.errors import ModelError, SchemaError
from neuroscope.base.recipe import Recipe
from neuroscope.data.images import store as files
from neuroscope.data.sources import read
from neuroscope.tasks._pictures import encoders
from neuroscope.tasks._pictures.backbones import open_backbone
from neuroscope.tasks._pictures.encoders import (
    FeatureEncoder,
    FlatEncoder,
    PictureEncoder,
    PictureRows,
    Store,
    read_encoder,
)
from neuroscope.tasks.image_classes import RUNGS


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes in bytes of the files that were decoded at full detail, one entry a picture."""
    seen: list[int] = []
    plain = files.decode

    def counted(data: bytes, *rest: Any) -> Any:
        seen.append(len(data))
        return plain(data, *rest)

    monkeypatch.setattr(files, "decode", counted)
    return seen


@pytest.fixture
def backbone(pretrained: Callable[[str], Path]) -> str:
    """The folder of a tiny random ResNet."""
    return str(pretrained("resnet"))


def test_all_rungs_and_folds_share_one_decoding(decoded) -> None:
    problem = posed(str(write("p", *shapes(2, 15))))
    assert Store.of(problem).channels == 1  # each file is looked at once for this
    decoded.clear()
    for train, held in problem.split.folds[:2]:
        training = problem.training(train, held)
        for name in ("neuron", "dense", "convolution"):
            training.predict_held(fitted(RUNGS.get(name), training, epochs=1))
    assert len(decoded) == 30
    training.encoded(Recipe(net="convolution", image_size=8))
    assert len(decoded) == 60  # another size is another set
    training.encoded(Recipe(net="residual", image_size=8))
    assert len(decoded) == 60


def test_one_decoded_set_at_a_time_stays_mapped(tmp_path: Path) -> None:
    """Pages of a mapped file count as memory; arrays that were given stay as they are."""
    root = str(write(tmp_path / "drawn", *shapes(2, 15)))
    store = Store.of(posed(root, scratch=tmp_path / "scratch"))
    small = weakref.ref(store.at(8, 1))
    wanted = np.array(small())
    assert store.at(8, 1) is small()
    assert store.at(16, 1) is store.at(16, 1)
    assert small() is None
    assert np.array_equal(store.at(8, 1), wanted)
    given = Store.of(posed(shapes(2, 15)))
    assert given.at(8, 1) is given.at(8, 1)
    kept = given.at(8, 1)
    given.at(12, 1)
    assert given.at(8, 1) is kept


def test_what_lies_in_the_scratch_folder_is_not_decoded_again(decoded, tmp_path) -> None:
    root, scratch = str(write("p", *shapes(2, 15))), tmp_path / "scratch"
    first = Store.of(posed(root, scratch=scratch)).at(16, 1)
    again = posed(root, scratch=scratch)
    assert Store.of(again).channels == 1
    decoded.clear()
    assert np.array_equal(Store.of(again).at(16, 1), first)
    assert decoded == []
    assert [place.suffix for place in scratch.iterdir()] == [".npy"]


def test_features_are_computed_once_and_kept(monkeypatch, tmp_path, backbone) -> None:
    from neuroscope.nets import features

    asked: list[int] = []
    plain = features.extract

    def counted(net, pictures, **options):
        asked.append(len(pictures))
        return plain(net, pictures, **options)

    monkeypatch.setattr(features, "extract", counted)
    root = str(write("p", *shapes(2, 15)))
    found = []
    for _ in range(2):  # the second as in a resumed run
        problem = posed(root, backbone=backbone, scratch=tmp_path / "scratch")
        for train, held in problem.split.folds[:2]:
            training = problem.training(train, held)
            learner = fitted(RUNGS.get("transfer"), training)
            found.append(training.predict_held(learner))
    assert asked == [30]
    assert np.array_equal(found[0], found[2])


def test_the_scaling_is_learned_from_the_training_rows_only(backbone) -> None:
    pictures, names = shapes(2, 15)
    bright = pictures.copy()
    problem = posed((pictures, names), backbone=backbone)
    test = problem.split.test
    bright[test] = 255 - bright[test]
    other = posed((bright, names), backbone=backbone)
    for recipe in (Recipe(net="neuron"), Recipe(net="convolution", image_size=16),
                   Recipe(net="transfer", backbone=backbone)):  # fmt: skip
        one, two = (
            p.training(problem.split.development).encoded(recipe)[0] for p in (problem, other)
        )
        assert one.to_json() == two.to_json()
        if isinstance(one, FeatureEncoder):
            assert np.array_equal(one.means, two.means)


# As JSON


@pytest.mark.parametrize("net", ["neuron", "dense", "convolution", "residual", "fine_tuning"])
@pytest.mark.parametrize("channels", [1, 3])
def test_encoders_as_json(net, channels, backbone) -> None:
    problem = posed(shapes(2, 12, channels=channels), backbone=backbone)
    recipe = Recipe(net=net, backbone=backbone if net == "fine_tuning" else "")
    encoder, x = problem.training(problem.split.development).encoded(recipe)
    assert isinstance(encoder, FlatEncoder if net in ("neuron", "dense") else PictureEncoder)
    again = read_encoder(json.loads(json.dumps(encoder.to_json())), {})
    assert again == encoder
    fresh = again.transform(read((Store.of(problem).at(16, channels), problem.y)))
    ours = encoder.transform(problem.table)
    assert np.array_equal(_numbers(fresh.x), _numbers(ours.x))
    assert len(x) == len(problem.split.development)


def _numbers(x: Any) -> np.ndarray:
    return np.concatenate(list(x.blocks(5))) if isinstance(x, PictureRows) else x


def test_a_feature_encoder_comes_back_with_its_weights(backbone) -> None:
    problem = posed(shapes(2, 12), backbone=backbone)
    recipe = Recipe(net="transfer", backbone=backbone)
    encoder, x = problem.training(problem.split.development).encoded(recipe)
    record, arrays = json.loads(json.dumps(encoder.to_json())), encoder.arrays()
    again = read_encoder(record, arrays)
    assert isinstance(again, FeatureEncoder)
    assert again.key == encoder.key
    assert again.backbone.origin == encoder.backbone.origin
    same = read(shapes(2, 12))
    found = again.transform(same, problem.split.development).x
    assert np.allclose(found, x, atol=1e-4)
    assert np.allclose(found.mean(axis=0), 0, atol=1e-3)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record, arrays: record.update(kind="sound"),
        lambda record, arrays: record.pop("backbone"),
        lambda record, arrays: record.update(pictures={"column": "image"}),
        lambda record, arrays: arrays.pop("features.means"),
        lambda record, arrays: arrays.pop(next(n for n in arrays if n.startswith("backbone."))),
    ],
)
def test_spoilt_encoders_are_refused(spoil, backbone) -> None:
    problem = posed(shapes(2, 12), backbone=backbone)
    recipe = Recipe(net="transfer", backbone=backbone)
    encoder = problem.training(problem.split.development).encoded(recipe)[0]
    record, arrays = encoder.to_json(), dict(encoder.arrays())
    spoil(record, arrays)
    with pytest.raises(ModelError):
        read_encoder(record, arrays)


# Sizes, channels and memory


def test_a_backbone_gets_the_middle_of_what_it_wants(backbone) -> None:
    problem = posed(shapes(2, 12, size=40), backbone=backbone)
    wanted = replace(open_backbone(backbone).normalisation, size=20, resize=30, squash=False)
    encoder = PictureEncoder.for_backbone(Store.of(problem), wanted)
    assert (encoder.size, encoder.resize, encoder.channels) == (20, 30, 1)
    whole = Store.of(problem).at(30, 1, "centre")
    x = encoder.transform(problem.table).x
    assert np.array_equal(_numbers(x), whole[:, 5:25, 5:25])
    assert np.shares_memory(x.array, whole)
    assert encoder.normalisation() == wanted


def test_a_grey_net_reads_colour_pictures_in_grey() -> None:
    problem = posed(shapes(2, 12, channels=3))
    training = problem.training(problem.split.development)
    wanted = training.encoded(Recipe(net="convolution", image_size=16))[0].normalisation()
    assert wanted.channels == 3
    grey = replace(wanted, mean=wanted.mean[:1], std=wanted.std[:1])
    x = PictureEncoder.for_backbone(Store.of(problem), grey).transform(problem.table).x
    assert x.array.shape[-1] == 1


def test_rows_are_taken_in_the_order_asked_for() -> None:
    problem = posed(shapes(2, 12))
    encoder = problem.training(problem.split.development).encoded(Recipe(net="convolution"))[0]
    rows = np.array([7, 0, 7])
    x = encoder.transform(problem.table, rows).x
    assert len(x) == 3
    assert np.array_equal(_numbers(x), Store.of(problem).at(16, 1)[rows])
    fresh = replace(encoder, store=None).transform(problem.table, rows).x
    assert np.array_equal(_numbers(fresh), _numbers(x))


def test_new_pictures_that_are_many_go_to_disk_while_they_are_needed(monkeypatch) -> None:
    problem = posed(shapes(2, 12))
    encoder = problem.training(problem.split.development).encoded(Recipe(net="convolution"))[0]
    new = read(write("new", *shapes(2, 3, size=20)))
    plain = _numbers(encoder.transform(new).x)
    monkeypatch.setattr(encoders, "_IN_MEMORY", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(Path.cwd()))
    x = encoder.transform(new).x
    assert len(list(Path.cwd().glob("neuroscope-*/*.npy"))) == 1
    assert np.array_equal(_numbers(x), plain)
    del x
    gc.collect()
    assert not list(Path.cwd().glob("neuroscope-*"))


def test_a_table_without_pictures_has_no_store() -> None:
    problem = posed(shapes(2, 12))
    bare = replace(problem, shared={}, schema=problem.schema.with_roles({"image": "ignore"}))
    with pytest.raises(SchemaError, match="no feature holds pictures"):
        Store.of(bare)
