"""Augmentation, mixing and losses: each does what its name says to each row."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.train.making import picture_net, pictures, recipe, theta
from torch.nn import functional

from neuroscope.base.errors import RecipeError
from neuroscope.base.recipe import AUGMENTATIONS
from neuroscope.train.augment import ERASED, augmenter
from neuroscope.train.data import Data, alike
from neuroscope.train.loop import fit
from neuroscope.train.losses import loss_of
from neuroscope.train.mixing import mix


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(count: int = 40, size: tuple[int, int] = (16, 24)) -> torch.Tensor:
    return torch.rand(count, 3, *size, generator=chance(7))


def changed(name: str, x: torch.Tensor) -> torch.Tensor:
    augment = augmenter((name,))
    assert augment is not None
    return augment(x, chance())


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_augmentation_changes_pictures_and_repeats(name) -> None:
    x = drawn()
    before, first = x.clone(), changed(name, x)
    assert torch.equal(first, changed(name, x))
    assert torch.equal(x, before)
    assert first.shape == x.shape
    assert 0 <= float(first.min()) <= float(first.max()) <= 1 + 1e-6
    moved = (first != x).flatten(1).any(1)
    assert 0.25 < float(moved.float().mean()) <= 1
    assert augmenter(()) is None


@pytest.mark.parametrize(("name", "axis"), [("flip", 3), ("flip_vertical", 2)])
def test_flips_mirror_whole_pictures(name, axis) -> None:
    x = drawn()
    for before, after in zip(x, changed(name, x), strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(axis - 1))


def test_shifts_move_by_up_to_an_eighth_and_bring_in_zeros() -> None:
    x = drawn(60)
    offsets = set()
    for before, after in zip(x, changed("shift", x), strict=True):
        padded = functional.pad(before, (3, 3, 2, 2))
        found = [
            (down, right)
            for down in range(5)
            for right in range(7)
            if torch.equal(padded[:, down : 16 + down, right : 24 + right], after)
        ]
        assert len(found) == 1
        offsets.update(found)
    assert len(offsets) > 15


def test_turns_keep_the_centre_and_the_shape_of_things() -> None:
    x = torch.zeros(30, 1, 33, 49)
    x[:, :, 16, 24] = 1
    x[:, :, 16, 40] = 1  # 16 pixels to the right
    turned = changed("rotate", x)
    assert float(turned[:, 0, 16, 24].min()) > 0.9
    rest = turned.clone()
    rest[:, :, 10:23, 18:31] = 0
    y, across = torch.meshgrid(torch.arange(33.0), torch.arange(49.0), indexing="ij")
    mass = rest.sum((1, 2, 3))
    far = torch.stack([(rest[:, 0] * (axis - at)).sum((1, 2)) / mass
                       for axis, at in ((y, 16), (across, 24))])  # fmt: skip
    assert far.norm(dim=0).numpy() == pytest.approx(16, abs=0.3)  # turned, not stretched
    angles = torch.rad2deg(torch.atan2(far[0], far[1])).abs()
    assert 5 < float(angles.max()) < 16


def test_erasing_puts_zeros_in_a_rectangle() -> None:
    x = drawn(200) + 0.1
    gone = changed("erase", x / 2) == 0
    assert torch.equal(gone.all(1), gone.any(1))
    share = gone[:, 0].flatten(1).float().mean(1)
    hit = share > 0
    assert 0.35 < float(hit.float().mean()) < 0.65
    assert float(share.max()) < 1.3 * ERASED[1]
    for one in gone[hit][:, 0]:
        y, across = one.nonzero(as_tuple=True)
        assert (y.max() - y.min() + 1) * (across.max() - across.min() + 1) == len(y)


def test_augmentation_happens_while_learning_only() -> None:
    calls: list[bool] = []

    def prepare(inputs, generator):
        calls.append(generator is not None)
        return (inputs[0].float() / 255,)

    x, y = pictures(48)
    data = Data(x, y, prepare=prepare)
    fit(picture_net(), data, recipe(epochs=1), valid=data)
    assert calls[:3] == [True] * 3
    assert not any(calls[3:])


def test_mixup_blends_rows_and_their_losses() -> None:
    rng = np.random.default_rng(0)
    x = torch.arange(8.0).reshape(4, 2)
    shares = []
    for _ in range(200):
        (mixed,), share = mix((x,), recipe(mixup=0.4), rng)
        assert torch.allclose(mixed, share * x + (1 - share) * x.flip(0), atol=1e-5)
        shares.append(share)
    assert np.mean(shares) == pytest.approx(0.5, abs=0.1)
    assert np.var(shares) == pytest.approx(0.25 / (2 * 0.4 + 1), rel=0.25)  # Beta(0.4, 0.4)


def test_cutmix_pastes_a_rectangle_of_the_partner() -> None:
    rng = np.random.default_rng(0)
    x = torch.stack([torch.zeros(1, 10, 12), torch.ones(1, 10, 12)])
    for _ in range(50):
        (mixed,), share = mix((x,), recipe(cutmix=1.0), rng)
        assert float(mixed[0].mean()) == pytest.approx(1 - share, abs=1e-6)
        assert torch.equal(mixed[0], 1 - mixed[1])


def test_with_both_alphas_each_gets_its_turn() -> None:
    rng = np.random.default_rng(0)
    x = torch.stack([torch.zeros(1, 10, 12), torch.ones(1, 10, 12)])
    pasted = [bool(((mix((x,), recipe(cutmix=1.0, mixup=1.0), rng)[0][0] % 1) == 0).all())
              for _ in range(100)]  # fmt: skip
    assert 30 < sum(pasted) < 70


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_mixing_changes_what_a_net_learns(name) -> None:
    x, y = pictures()
    prepared = x.astype(np.float32) / 255
    found = []
    for alpha in (0.0, 1.0):
        module = picture_net()
        fit(module, Data(prepared, y), recipe(**{name: alpha}))
        found.append(theta(module))
    assert np.abs(found[0] - found[1]).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "inputs", "said"),
    [("mixup", torch.ones(2, 3, dtype=torch.int64), "codes"),
     ("cutmix", torch.ones(2, 3), "pictures")],
)  # fmt: skip
def test_mixing_what_cannot_be_mixed_is_refused(name, inputs, said) -> None:
    with pytest.raises(RecipeError, match=f"{said}.*set {name} to 0"):
        mix((inputs,), recipe(**{name: 0.5}), np.random.default_rng(0))


LOGITS, CODES = torch.randn(6, 4, generator=chance()), torch.tensor([0, 1, 2, 3, 0, 1])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_reads_codes_and_probabilities(smoothing) -> None:
    loss = loss_of(recipe(label_smoothing=smoothing))
    logs = LOGITS.log_softmax(1)
    wanted = (1 - smoothing) * functional.one_hot(CODES, 4) + smoothing / 4
    for targets in (CODES, functional.one_hot(CODES, 4).float()):
        assert torch.allclose(loss(LOGITS, targets), -(wanted * logs).sum(1), atol=1e-6)
    plain = loss_of(recipe(label_smoothing=smoothing), smooth=False)
    assert torch.allclose(plain(LOGITS, CODES), -logs[range(6), CODES], atol=1e-6)


def test_token_losses_count_answers_and_pass_over_padding() -> None:
    logits, codes = LOGITS.reshape(2, 3, 4), CODES.reshape(2, 3).clone()
    codes[1, 2] = -100
    total, counts = loss_of(recipe())(logits, codes)
    each = -LOGITS.log_softmax(1)[range(6), CODES].reshape(2, 3)
    assert counts.tolist() == [3, 2]
    assert torch.allclose(total, torch.stack([each[0].sum(), each[1, :2].sum()]), atol=1e-6)


def test_the_other_losses_sum_over_outputs_with_the_half_included() -> None:
    y = torch.randn(6, 4, generator=chance(3))
    squared = loss_of(recipe(loss="mean_squared_error"))
    assert torch.allclose(squared(LOGITS, y), ((LOGITS - y) ** 2 / 2).sum(1))
    assert torch.allclose(squared(LOGITS[:, :1], y[:, 0]), (LOGITS[:, 0] - y[:, 0]) ** 2 / 2)
    huber = loss_of(recipe(loss="huber", huber_delta=0.3))
    error = (LOGITS - y).abs()
    wanted = torch.where(error < 0.3, error**2 / 2, 0.3 * (error - 0.15)).sum(1)
    assert torch.allclose(huber(LOGITS, y), wanted, atol=1e-6)
    binary = loss_of(recipe(loss="binary_cross_entropy", label_smoothing=0.1))
    soft = 0.9 * (CODES > 1).double() + 0.05
    p = LOGITS[:, :1].double().sigmoid()[:, 0]
    wanted = -(soft * p.log() + (1 - soft) * (1 - p).log())
    assert torch.allclose(binary(LOGITS[:, :1], CODES > 1).double(), wanted, atol=1e-6)


def test_the_perceptrons_loss_is_left_to_the_neuron() -> None:
    with pytest.raises(RecipeError, match="for single neurons"):
        loss_of(recipe(loss="perceptron"))


def test_rows_of_like_length_share_a_batch_and_each_is_met_once() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 2001)
    data = Data(np.zeros((2001, 1)), np.zeros(2001), batcher=alike(lengths))
    epochs = [data.batches(20, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    for batches in epochs:
        assert sorted(np.concatenate(batches)) == list(range(2001))
        assert {len(batch) for batch in batches} == {20, 21}  # the last row joins others
        padded = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
        assert padded < 1.1 * lengths.sum()
    first, same, other = (np.concatenate(batches).tolist() for batches in epochs)
    assert first == same != other
    means = [lengths[batch].mean() for batch in epochs[0]]
    assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.2  # not short ones first
    fixed = np.concatenate(data.batches(20, None))
    assert (np.diff(lengths[fixed]) >= 0).all()
    assert data.some(np.arange(30)).batcher is None  # it knows the rows it was made for
