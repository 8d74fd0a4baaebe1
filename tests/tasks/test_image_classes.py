"""Contract of the picture rungs: each learns, packs into plain arrays and comes back the same."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.shapes import shapes
from tests.tasks.posing import drawn, fitted, posed

from neuroscope.base.errors import Interrupted, MissingExtraError, ModelError, RecipeError
from neuroscope.base.events import EpochEnded
from neuroscope.base.recipe import DEEP_ONLY, Recipe
from neuroscope.data.sources import read
from neuroscope.data.table import Table
from neuroscope.judge.metrics import METRICS
from neuroscope.runs import artefact
from neuroscope.runs.card import Card
from neuroscope.tasks import _model, climbable, image_classes, ladder, rung_name
from neuroscope.tasks._learning import Problem, Training, Watch, predict
from neuroscope.tasks._pictures import backbones, defaults
from neuroscope.tasks._pictures.encoders import FlatEncoder, Store, read_encoder
from neuroscope.tasks.image_classes import RUNGS
from neuroscope.tasks.rungs.image_classes import transfer
from neuroscope.train import loop
from neuroscope.verbs._request import check_given

KINDS = ("binary", "multiclass", "regression")
TRANSFER = ("transfer", "fine_tuning")
ALL = tuple(RUNGS.names())


@pytest.fixture(scope="module")
def backbone(pretrained: Callable[[str], Path]) -> str:
    """The folder of a tiny random ConvNeXt.

    Not the ResNet: oneDNN writes past its buffers in the backward pass of 1x1 convolutions of
    stride 2 whose channels are no multiple of 16, as only nets of this size have them.
    """
    return str(pretrained("convnext"))


def made(kind: str, name: str, backbone: str, each: int = 40) -> Problem:
    """Pose drawings for a rung."""
    return posed(drawn(kind, each), backbone=backbone if name in TRANSFER else "")


def test_the_ladder_is_in_order() -> None:
    names = [rung_name(rung) for rung in ladder(image_classes)]
    assert names == ["majority", "neuron", "dense", "convolution", "residual", *TRANSFER]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ALL)
def test_a_rung_learns_packs_and_comes_back_the_same(name, kind, backbone) -> None:
    problem = made(kind, name, backbone)
    train, valid = problem.split.folds[0]
    rung = RUNGS.get(name)
    learner = fitted(rung, problem.training(train))
    answer = predict(problem, learner, valid)
    assert answer.shape == (
        (len(valid),) if kind == "regression" else (len(valid), problem.classes)
    )
    if kind != "regression":
        assert np.allclose(answer.sum(axis=1), 1, atol=1e-6)
    metric = METRICS["r2" if kind == "regression" else "accuracy"]
    if name != "majority" and (name, kind) != ("fine_tuning", "regression"):
        # A random net's features are nearly constant, so small changes below upset its one number.
        assert metric(problem.y[valid], answer) > 0.55
    arrays, parts = _model.pack(problem, learner, temperature=1.0, threshold=0.5)
    parts = json.loads(json.dumps(parts))
    again = rung.unpack(parts["learner"], arrays)
    assert again.parameters == learner.parameters > 0
    if name == "majority":
        assert "encoder" not in parts
        return
    same = read(drawn(kind, 40))  # other pictures in memory, so nothing decoded is taken over
    found = again.predict(_behind(again, read_encoder(parts["encoder"], arrays), same, valid))
    assert np.allclose(found, learner.predict(learner.encoder.transform(problem.table, valid).x),
                       atol=1e-5)  # fmt: skip


def _behind(learner, encoder, table, rows):
    """Return the rows for a learner that was unpacked; a torch net reads through its encoder."""
    if hasattr(learner, "net"):
        object.__setattr__(learner, "encoder", encoder)
    return encoder.transform(table, rows).x


@pytest.mark.parametrize("name", ALL)
def test_a_saved_model_answers_as_its_learner(name, backbone, tmp_path) -> None:
    problem = made("multiclass", name, backbone)
    rows = np.arange(problem.table.rows)
    learner = fitted(RUNGS.get(name), problem.training(problem.split.development))
    arrays, parts = _model.pack(problem, learner, temperature=1.0, threshold=0.5)
    card = Card(task="image_classes", target="y", learner=name, schema=problem.schema.to_json(),
                metrics={}, rows={}, data_fingerprint="", versions={})  # fmt: skip
    artefact.save(tmp_path / "m.neuroscope", card, arrays, parts)
    model = image_classes.load(artefact.load(tmp_path / "m.neuroscope"))
    assert np.allclose(
        model.predict_proba(problem.table), predict(problem, learner, rows), atol=1e-5
    )
    assert set(model.predict(problem.table)) <= set(problem.codec.classes)


@pytest.mark.parametrize("name", ALL)
def test_row_weights_change_what_is_learned(name, backbone) -> None:
    problem = made("binary", name, backbone, each=20)
    y = problem.y.copy()
    y[::3] = 1 - y[::3]  # a third is labelled wrongly, so that weights decide
    problem = replace(problem, y=y)
    tilted = replace(problem, weights=np.where(y == 1, 20.0, 1.0), shared={})
    said = []
    for one in (problem, tilted):
        learner = fitted(RUNGS.get(name), one.training(one.split.development))
        said.append(predict(one, learner, one.split.development)[:, 1].mean())
    assert said[1] > said[0] + 0.05


@pytest.mark.parametrize("name", [name for name in ALL if name != "majority"])
def test_the_seed_decides_the_weights(name, backbone) -> None:
    problem = made("multiclass", name, backbone, each=10)
    training = problem.training(problem.split.development)

    def weights(seed: int) -> np.ndarray:
        _, arrays = fitted(RUNGS.get(name), training, seed=seed, epochs=2).pack()
        return np.concatenate([arrays[key].ravel() for key in sorted(arrays)])

    assert np.array_equal(weights(1), weights(1))
    assert not np.array_equal(weights(1), weights(2))


@pytest.mark.parametrize("name", [name for name in ALL if name != "majority"])
def test_a_fit_is_cut_to_its_seconds_and_says_so(name, backbone) -> None:
    problem = made("multiclass", name, backbone)
    told = []
    watch = Watch(name, monitor=told.append, seconds=0.4)
    training = problem.training(problem.split.development)
    learner = fitted(RUNGS.get(name), training, watch, epochs=50_000)
    assert learner.recipe.epochs < 50_000
    assert "time budget" in learner.recipe.reasons["epochs"]
    assert any("longer --budget" in event.text for event in told if event.kind == "WarningRaised")


@pytest.mark.parametrize("name", ALL)
def test_a_class_that_no_training_row_has_keeps_its_place(name, backbone) -> None:
    problem = posed(shapes(4, 20), backbone=backbone if name in TRANSFER else "")
    train = np.flatnonzero(problem.y != 1)
    learner = fitted(RUNGS.get(name), problem.training(train))
    answer = predict(problem, learner, train)
    assert answer.shape == (len(train), 4)
    assert answer[:, 1].mean() < 0.2


@pytest.mark.parametrize("name", [name for name in ALL if name != "majority"])
def test_many_classes(name, backbone) -> None:
    """40 classes told by how bright a picture is, four of each."""
    levels = np.repeat(np.arange(40), 4)
    rng = np.random.default_rng(0)
    pictures = (6 * levels[:, None, None] + rng.integers(0, 3, (160, 8, 8))).astype(np.uint8)
    names = [f"level {level}" for level in levels]
    problem = posed((pictures, names), backbone=backbone if name in TRANSFER else "")
    rows = np.arange(160)
    answer = predict(problem, fitted(RUNGS.get(name), problem.training(rows), epochs=3), rows)
    assert answer.shape == (160, 40)
    assert np.isfinite(answer).all()
    assert np.allclose(answer.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", ["neuron", "convolution", "fine_tuning"])
def test_a_fit_is_watched_on_held_out_rows_and_stops_when_asked(name, backbone) -> None:
    problem = made("multiclass", name, backbone, each=10)
    training = problem.training(*problem.split.folds[0])
    told: list = []
    fitted(RUNGS.get(name), training, Watch(name, monitor=told.append, trial=1, trials=2), epochs=3)
    epochs = [event for event in told if isinstance(event, EpochEnded)]
    assert len(epochs) == 3
    assert {(e.rung, e.trial, e.trials) for e in epochs} == {(name, 1, 2)}
    assert all(event.valid_loss is not None for event in epochs)
    stopped = Watch(name)
    stopped.stop.set()
    with pytest.raises(Interrupted):
        fitted(RUNGS.get(name), training, stopped, epochs=3)


def test_a_net_that_is_watched_learns_what_it_learns_alone() -> None:
    problem = made("multiclass", "convolution", "", each=10)
    train, held = problem.split.folds[0]
    watched, alone = (
        fitted(RUNGS.get("convolution"), problem.training(train, rows), epochs=2).pack()[1]
        for rows in (held, None)
    )
    assert all(np.array_equal(watched[name], alone[name]) for name in alone)


@pytest.mark.parametrize("name", ["convolution", "fine_tuning"])
def test_rows_that_judge_do_not_say_when_to_stop(name, backbone, monkeypatch) -> None:
    """With patience the best epoch stays, so its rows are training rows that nothing learns."""
    problem = made("multiclass", name, backbone, each=20)
    training = problem.training(*problem.split.folds[0])
    fits, heads, fit, head = [], [], loop.fit, transfer.fit

    def watched(net, data, recipe, *, valid, **rest):
        fits.append((data.rows, valid.rows))
        return fit(net, data, recipe, valid=valid, **rest)

    def headed(part, *rest):
        heads.append(part.rows)
        return head(part, *rest)

    monkeypatch.setattr(loop, "fit", watched)
    monkeypatch.setattr("neuroscope.train.finetune.fit", watched)
    monkeypatch.setattr(transfer, "fit", headed)
    for fold in (0, 1):
        fitted(RUNGS.get(name), training, Watch(name, fold), epochs=2, patience=1)
    assert len(fits) == 2
    for learned, seen in fits:
        assert 0 < len(seen) < len(learned)
        assert sorted([*learned, *seen]) == sorted(training.rows)
    assert all(np.array_equal(rows, fits[0][0]) for rows in heads)


@pytest.mark.parametrize("name", ["convolution", "residual"])
def test_options_of_a_recipe_reach_the_net(name) -> None:
    problem = made("multiclass", name, "", each=10)
    training = problem.training(problem.split.development)
    plain = fitted(RUNGS.get(name), training, epochs=1)
    wider = fitted(RUNGS.get(name), training, epochs=1, width=12)
    assert wider.parameters != plain.parameters
    assert fitted(RUNGS.get(name), training, epochs=1, image_size=8).encoder.size == 8
    rested = fitted(RUNGS.get(name), training, epochs=1, dropout=0.5)
    assert "Dropout" in str(rested.net)
    assert "Dropout" not in str(plain.net)
    still = fitted(RUNGS.get(name), training, epochs=1, augment=())
    assert not np.array_equal(
        predict(problem, still, problem.split.test), predict(problem, plain, problem.split.test)
    )


@pytest.mark.parametrize("name", ["neuron", "dense"])
def test_many_pictures_are_made_smaller_where_each_pixel_is_a_number(name, monkeypatch) -> None:
    problem = posed(shapes(3, 20, channels=3))
    training, rung = problem.training(problem.split.development), RUNGS.get(name)
    plain = rung.recipes(training)[0]
    assert training.encoded(plain)[1].nbytes == 4 * 3 * 16**2 * len(training.rows)
    monkeypatch.setattr(defaults, "FLAT_BYTES", 4 * 3 * 10**2 * problem.table.rows)
    recipe = rung.recipes(training)[0]
    assert recipe.image_size == 10
    assert "60 larger pictures would not fit" in recipe.reasons["image_size"]
    assert training.encoded(recipe)[1].nbytes <= defaults.FLAT_BYTES
    (deep,) = RUNGS.get("convolution").recipes(training)
    assert deep.image_size == 16  # its pictures stay on disk, as bytes


def test_a_net_of_the_core_answers_new_pictures_block_by_block(monkeypatch) -> None:
    problem = posed(shapes(3, 10))
    training = problem.training(problem.split.development)
    learner = fitted(RUNGS.get("neuron"), training)
    kept: Any = SimpleNamespace(parts={})
    model = _model.Model(kept, problem.schema, problem.codec, learner, learner.encoder, 1.0, 0.5)
    fresh = read(shapes(3, 7, seed=5))
    whole = model.predict_proba(fresh)
    seen: list[int] = []
    transform = FlatEncoder.transform

    def counted(self: FlatEncoder, table: Table, rows: np.ndarray | None = None) -> Any:
        seen.append(table.rows if rows is None else len(rows))
        return transform(self, table, rows)

    monkeypatch.setattr(FlatEncoder, "transform", counted)
    assert np.array_equal(replace(model, block=8).predict_proba(fresh), whole)
    assert seen == [8, 8, 5]


def test_recipes_state_a_reason_for_each_choice(backbone) -> None:
    for channels in (1, 3):
        problem = posed(shapes(3, 10, channels=channels), backbone=backbone)
        training = problem.training(problem.split.development)
        for rung in ladder(image_classes):
            for recipe in rung.recipes(training):
                plain = Recipe(net=recipe.net, seed=recipe.seed).to_json()
                changed = {n for n, value in recipe.to_json().items() if value != plain[n]}
                assert changed - {"reasons"} <= set(recipe.reasons), rung.TITLE
                assert Recipe.from_json(recipe.to_json()) == recipe
                assert recipe.net == rung_name(rung)
                check_given(recipe, [recipe], rung, "recipe.json")


def test_a_fit_in_float64_answers_as_any_other() -> None:
    problem = made("multiclass", "convolution", "", each=10)
    training = problem.training(*problem.split.folds[0])
    fine, plain = (
        training.predict_held(fitted(RUNGS.get("convolution"), training, epochs=1, precision=name))
        for name in ("float64", "float32")
    )
    assert np.allclose(fine, plain, atol=0.05)


def test_grey_pictures_are_not_mirrored_and_colour_ones_are() -> None:
    grey, colour = (posed(shapes(3, 10, channels=channels)) for channels in (1, 3))
    for problem, flipped in ((grey, False), (colour, True)):
        (recipe,) = RUNGS.get("residual").recipes(problem.training(problem.split.development))
        assert ("flip" in recipe.augment) is flipped


@pytest.mark.parametrize(
    ("name", "change"),
    [("convolution", {"activation": "gelu"}), ("residual", {"hidden": (64,)}),
     ("fine_tuning", {"image_size": 8}), ("fine_tuning", {"width": 8})],
)  # fmt: skip
def test_a_net_of_pictures_refuses_choices_that_it_does_not_follow(name, change, backbone) -> None:
    problem = made("multiclass", name, backbone, each=10)
    rung, training = RUNGS.get(name), problem.training(problem.split.development)
    own = rung.recipes(training)
    check_given(own[0], own, rung, "r.json")
    with pytest.raises(RecipeError, match=rf"r\.json.*{next(iter(change))}.*does not follow"):
        check_given(replace(own[0], **change), own, rung, "r.json")


@pytest.mark.parametrize("name", ["neuron", "dense", "transfer"])
def test_the_core_follows_no_choice_of_the_deep_half_but_the_size(name, backbone) -> None:
    problem = made("binary", name, backbone, each=10)
    rung = RUNGS.get(name)
    (recipe, *_) = rung.recipes(problem.training(problem.split.development))
    for field in set(DEEP_ONLY) - {"image_size", "backbone"}:
        value = {"augment": ("flip",), "accumulate": 2, "layer_decay": 0.5}.get(field, 1)
        value = 0.5 if field in ("mixup", "cutmix", "average") else value
        with pytest.raises(RecipeError, match=field):
            check_given(replace(recipe, **{field: value}), [recipe], rung, "r")


# Backbones


def test_what_comes_before_a_fit_and_after_it_is_taken_from_its_time(monkeypatch, backbone) -> None:
    problem = made("multiclass", "fine_tuning", backbone)
    training = problem.folds[0]
    recipe = RUNGS.get("fine_tuning").recipes(training)[0]
    seen: list[loop.Watch] = []
    encode, stop = Training.encoded, RuntimeError("seen")

    def slowly(self: Training, recipe: Recipe | None = None) -> tuple[Any, Any]:
        time.sleep(0.3)
        return encode(self, recipe)

    def look(*_: Any, watch: loop.Watch, **__: Any) -> None:
        seen.append(watch)
        raise stop

    monkeypatch.setattr(Training, "encoded", slowly)
    monkeypatch.setattr("neuroscope.train.finetune.finetune", look)
    with pytest.raises(RuntimeError, match="seen"):
        RUNGS.get("fine_tuning").fit(training, recipe, Watch("fine_tuning", seconds=100.0))
    assert seen[0].seconds is not None
    assert seen[0].seconds < 100 - 2 * 0.3  # for the head, and for the pictures themselves
    assert training.held is not None
    assert seen[0].predicted == len(training.held) + len(problem.split.test)


@pytest.mark.parametrize("kind", KINDS)
def test_fine_tuning_begins_where_the_frozen_net_stands(kind, backbone) -> None:
    from neuroscope.tasks._torch import TorchLearner
    from neuroscope.tasks.rungs.image_classes import fine_tuning, transfer

    problem = posed(drawn(kind, 20), backbone=backbone)
    training = problem.training(problem.split.development)
    frozen = fitted(transfer, training)
    (recipe,) = fine_tuning.recipes(training)
    net, record = fine_tuning._net(training, recipe)
    fine_tuning.set_head(net, frozen, frozen.encoder)
    encoder, _ = training.encoded(recipe)
    start = TorchLearner(net, record, kind, encoder, recipe)
    rows = problem.split.test
    expected = predict(problem, frozen, rows)
    scale = np.ptp(expected) if kind == "regression" else 1.0
    assert np.allclose(predict(problem, start, rows), expected, atol=5e-3 * scale)


def test_fine_tuning_that_takes_no_steps_is_the_frozen_net(backbone) -> None:
    from neuroscope.tasks.rungs.image_classes import fine_tuning, transfer

    problem = posed(drawn("multiclass", 20), backbone=backbone)
    training = problem.training(problem.split.development)
    still = {"learning_rate": 1e-12, "weight_decay": 0.0, "unfreeze": 0, "epochs": 1}
    tuned = fitted(fine_tuning, training, **still, precision="float32")
    frozen = fitted(transfer, training)
    rows = problem.split.test
    assert np.allclose(predict(problem, tuned, rows), predict(problem, frozen, rows), atol=5e-3)


def test_fine_tuning_moves_the_upper_layers_and_leaves_the_shared_backbone_alone(backbone) -> None:
    from neuroscope.nets.weights import to_arrays
    from neuroscope.tasks.rungs.image_classes import fine_tuning

    problem = posed(drawn("multiclass", 10), backbone=backbone)
    before = to_arrays(backbones.open_backbone(backbone))
    tuned = fitted(fine_tuning, problem.training(problem.split.development), unfreeze=1)
    after, learned = to_arrays(backbones.open_backbone(backbone)), to_arrays(tuned.net.backbone)
    assert all(np.array_equal(before[name], after[name]) for name in before)
    moved = {name for name in before if not np.array_equal(before[name], learned[name])}
    assert moved
    assert all("embedder" not in name for name in moved)


def test_grey_pictures_are_read_by_a_colour_backbone(backbone) -> None:
    grey, names = shapes(3, 12)
    one = posed((grey, names), backbone=backbone)
    three = posed((np.repeat(grey, 3, axis=3), names), backbone=backbone)
    assert Store.of(one).channels == 1
    features = [
        p.training(p.split.development).encoded(Recipe(net="transfer", backbone=backbone))[1]
        for p in (one, three)
    ]
    assert np.allclose(*features, atol=1e-4)


@pytest.mark.parametrize("kind", ["vit", "mobilenet_v2"])
def test_other_backbones_are_climbed_too(kind, pretrained) -> None:
    problem = posed(drawn("binary", 16, channels=3), backbone=str(pretrained(kind)))
    training = problem.training(problem.split.development)
    for name in TRANSFER:
        answer = predict(problem, fitted(RUNGS.get(name), training, epochs=2), problem.split.test)
        assert np.isfinite(answer).all()


def test_without_a_backbone_the_rungs_are_left_out_with_what_to_do(monkeypatch) -> None:
    monkeypatch.setattr(backbones, "_cached", lambda: iter(()))
    rungs, said = climbable(ladder(image_classes), posed(drawn("binary", 10)))
    assert [rung_name(rung) for rung in rungs] == list(ALL_FROM_SCRATCH)
    assert len(said) == 1  # both for the same reason
    assert "(frozen) and transfer learning (fine-tuned) are left out" in said[0]
    assert "--backbone" in said[0]


ALL_FROM_SCRATCH = ("majority", "neuron", "dense", "convolution", "residual")


def test_without_the_extra_the_install_line_is_given(monkeypatch) -> None:
    def lacking(problem: Problem) -> str:
        raise MissingExtraError("transformers", extra="transfer")

    monkeypatch.setattr(backbones, "chosen", lacking)
    assert "neuroscope[transfer]" in backbones.missing(posed(drawn("binary", 10)))


def test_the_smallest_net_of_the_local_cache_is_taken(monkeypatch, tmp_path, pretrained) -> None:
    import shutil

    manager = pytest.importorskip("huggingface_hub.utils._cache_manager")
    for kind, name in (("resnet", "small"), ("convnext", "other")):
        place = tmp_path / f"models--someone--{name}"
        shutil.copytree(pretrained(kind), place / "snapshots" / "abc")
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text("abc")
    monkeypatch.setattr(manager, "HF_HUB_CACHE", str(tmp_path))
    sizes = {"resnet": "someone/small", "convnext": "someone/other"}
    least = min(sizes, key=lambda k: (pretrained(k) / "model.safetensors").stat().st_size)
    problem = posed(drawn("binary", 10))
    assert backbones.chosen(problem) == sizes[least]
    assert backbones.chosen(replace(problem, backbone="./mine")) == "./mine"
    (tmp_path / "models--someone--small/snapshots/abc/config.json").write_text("[]")
    (tmp_path / "models--someone--other/snapshots/abc/config.json").write_text("{")
    assert backbones.missing(problem)


def test_layers_that_are_not_there_are_refused() -> None:
    problem = made("binary", "residual", "", each=10)
    rung = RUNGS.get("residual")
    record, arrays = fitted(rung, problem.training(problem.split.development), epochs=1).pack()
    arrays.pop(next(name for name in arrays if name.endswith("weight")))
    with pytest.raises(ModelError):
        rung.unpack(record, arrays)
    with pytest.raises(ModelError, match="cannot be read"):
        rung.unpack({}, arrays)


def test_folds_cross_only_where_pictures_are_few_and_small() -> None:
    small, large = shapes(2, 20), (np.zeros((300, 96, 96), np.uint8), ["a", "b", "c"] * 100)
    large[0][:, :, :] = np.random.default_rng(0).integers(0, 256, (300, 1, 1))
    found = []
    for source in (small, large):
        table = read(source)
        found.append(image_classes.crossed(table, posed(table).schema))
    assert found == [True, False]
