"""Pretrained text nets: opened from a folder, frozen, fine-tuned, kept without their folder."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.nets import tiny_readers
from tests.tasks.text_making import posed, texts_of

from neuroscope.base.errors import ModelError
from neuroscope.data.table import Origin, Table
from neuroscope.nets.reader import extract, open_reader
from neuroscope.nets.weights import to_arrays
from neuroscope.tasks import _model, climbable, text_classes
from neuroscope.tasks._learning import Watch, predict
from neuroscope.tasks._pictures.backbones import licence, origin_of
from neuroscope.tasks._texts.encoders import read_encoder
from neuroscope.tasks._texts.explained import marked

pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def table() -> Table:
    return texts_of(each=30)


@pytest.fixture(scope="module")
def folder(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = table.arrow.column("text").to_pylist()
    return tiny_readers.write("bert", tmp_path_factory.mktemp("bert"), texts)


@pytest.mark.parametrize("kind", tiny_readers.CONFIGS)
def test_a_reader_is_blind_to_padding_and_to_its_batch(kind: str, tmp_path: Path) -> None:
    reader, _ = open_reader(tiny_readers.write(kind, tmp_path / kind, ["a b c d e f"]))
    x = np.array([[2, 5, 6, 3, 0, 0], [2, 4, 5, 6, 7, 3], [2, 8, 3, 9, 9, 9]], np.int32)
    lengths = np.array([4, 6, 3])
    found = extract(reader, x, lengths)
    assert found.shape == (3, 16)
    for row, length in enumerate(lengths):
        alone = extract(reader, x[row : row + 1, :length], lengths[row : row + 1])
        assert np.allclose(found[row], alone[0], atol=1e-5)
    held = {id(p) for group in reader.groups for part in group for p in part.parameters()}
    assert held == {id(p) for p in reader.parameters()}


def test_frozen_features_and_a_neuron(table: Table, folder: Path) -> None:
    problem = posed(table, backbone=str(folder))
    rung, training = text_classes.RUNGS.get("transfer"), problem.folds[0]
    learner = rung.fit(training, rung.recipes(training)[0], Watch("transfer"))
    p = predict(problem, learner, training.held)
    assert (p.argmax(axis=1) == problem.y[training.held]).mean() >= 0.5
    assert "licence apache-2.0" in licence(origin_of(learner))
    again = _kept(rung, problem, learner)
    some = Table(table.arrow.slice(0, 10), Origin("again"))
    assert np.allclose(again.predict(again.encoder.transform(some).x),
                       predict(problem, learner, np.arange(10)), atol=1e-5)  # fmt: skip
    assert np.isfinite(again.predict(again.encoder.encode(["", "goal", "👍 " * 500]))).all()
    assert any(piece["effect"] for piece in marked(learner, "the goal of the team", 0))


def test_fine_tuning_moves_the_upper_layers_only(table: Table, folder: Path) -> None:
    problem = posed(table, backbone=str(folder))
    rung, training = text_classes.RUNGS.get("fine_tuning"), problem.folds[0]
    recipe = replace(rung.recipes(training)[0], epochs=2, unfreeze=1, learning_rate=5e-3)
    learner = rung.fit(training, recipe, Watch("fine_tuning"))
    before = to_arrays(open_reader(folder)[0])
    after = to_arrays(learner.net.backbone)
    moved = {name for name in before if not np.array_equal(before[name], after[name])}
    assert moved
    assert all("layer.1." in name for name in moved)
    assert learner.recipe.backbone == str(folder)
    again = _kept(rung, problem, learner)
    some = Table(table.arrow.slice(0, 10), Origin("again"))
    assert np.allclose(again.predict(again.encoder.transform(some).x),
                       predict(problem, learner, np.arange(10)), atol=1e-5)  # fmt: skip


def _kept(rung, problem, learner):
    arrays, parts = _model.pack(problem, learner, temperature=1.0, threshold=0.5)
    encoder = read_encoder(parts["encoder"], arrays)
    return replace(rung.unpack(parts["learner"], arrays), encoder=encoder)


def test_without_a_backbone_the_rungs_are_left_out(table: Table) -> None:
    rungs = [text_classes.RUNGS.get(name) for name in ("neuron", "transfer", "fine_tuning")]
    kept, reasons = climbable(rungs, posed(table))
    assert [rung.ORDER for rung in kept] == [1]
    assert "give one with --backbone NAME|FOLDER" in reasons[0]


def test_what_is_no_text_net_is_refused(folder: Path, tmp_path: Path) -> None:
    bare = Path(shutil.copytree(folder, tmp_path / "bare"))
    (bare / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"there is no tokenizer.json"):
        open_reader(bare)
    (bare / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"tokenizer.json cannot be read"):
        open_reader(bare)
    from tests.nets import tiny_backbones

    pictures = tiny_backbones.write("resnet", tmp_path / "resnet")
    shutil.copy(folder / "tokenizer.json", pictures)
    with pytest.raises(ModelError, match="does not turn texts into features"):
        open_reader(pictures)
    few = tiny_readers.write("bert", tmp_path / "few", ["a b c"], size=20)
    shutil.copy(folder / "tokenizer.json", few)
    with pytest.raises(ModelError, match=r"the tokeniser has .* tokens, the net knows 20"):
        open_reader(few)


def test_the_net_is_as_it_was_after_reading(folder: Path) -> None:
    reader, _ = open_reader(folder)
    before = to_arrays(reader)
    extract(reader, np.ones((3, 4), np.int32), np.full(3, 4))
    assert not reader.training
    assert all(torch.equal(torch.from_numpy(a), torch.from_numpy(before[name]))
               for name, a in to_arrays(reader).items())  # fmt: skip
