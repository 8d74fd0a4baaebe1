"""Windows of tokens: what an epoch draws, what it asks for, and that a fit goes on as it began."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.train.making import theta

from neuroscope import nets
from neuroscope.base.errors import InputError, Interrupted
from neuroscope.base.events import EpochEnded, Event
from neuroscope.base.recipe import Recipe
from neuroscope.train.loop import Watch, fit
from neuroscope.train.losses import IGNORED
from neuroscope.train.windows import Windows

TEXT = np.arange(100, 203)  # each token says where it stands
NAMES = [np.arange(first, first + length) for first, length in ((10, 3), (20, 6), (30, 2), (40, 9))]


def _chance(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _asked(rows: Windows, batches) -> list[int]:
    targets = [rows.take(batch).targets.flatten() for batch in batches]
    return [int(token) for token in torch.cat(targets) if token != IGNORED]


def test_windows_of_an_epoch_begin_anywhere() -> None:
    rows = Windows.of([TEXT], steps=10)
    batches = rows.batches(4, _chance())
    assert len(rows) == sum(map(len, batches)) == 11
    begins = {int(window[0]) for seed in range(50) for window in rows.batches(11, _chance(seed))[0]}
    assert begins > set(range(2, 10))
    batch = rows.take(np.array([[0, 10], [92, 102]]))
    assert batch.inputs[0].shape == batch.targets.shape == (2, 10)
    assert torch.equal(batch.inputs[0] + 1, batch.targets)


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 8, 10, 16, 51, 101, 102, 200])
def test_an_epoch_asks_for_every_token_once(steps: int) -> None:
    """The first one and the end as well, wherever the text is cut."""
    rows = Windows.of([TEXT, *NAMES], steps=steps)
    wanted = sorted(token for document in (TEXT, *NAMES) for token in document[1:])
    for seed in range(10):
        batches = rows.batches(3, _chance(seed))
        assert sorted(_asked(rows, batches)) == wanted
        assert sum(map(len, batches)) == len(rows)
        assert {len(batch) for batch in batches[:-1]} <= {3}


@pytest.mark.parametrize("length", range(11, 45))
def test_documents_a_little_longer_than_a_window_are_not_always_cut_alike(length: int) -> None:
    rows = Windows.of([np.arange(length + 1)], steps=10)
    cuts = {tuple(sorted(rows.batches(9, _chance(seed))[0][:, 0])) for seed in range(40)}
    assert len(cuts) > 1
    assert len(rows) <= 1 + np.ceil(length / 10)


def test_windows_of_a_part_of_a_pass_ask_for_every_token_alike_often() -> None:
    rows = Windows.of([TEXT], steps=10, rows=26)
    asked = [token for seed in range(400) for token in _asked(rows, rows.batches(4, _chance(seed)))]
    often = np.bincount(asked, minlength=203)[101:] / 400
    assert np.abs(often - 26 / 11).max() < 0.15


def test_another_epoch_draws_other_windows_and_a_seed_the_same() -> None:
    rows = Windows.of([TEXT, *NAMES], steps=5)
    one, same, other = (np.concatenate(rows.batches(3, _chance(seed))) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("steps", [1, 4, 5, 10, 200])
def test_held_out_every_token_is_asked_for_once(steps: int) -> None:
    rows = Windows.of([TEXT, *NAMES], steps=steps)
    asked = _asked(rows, rows.batches(3, None))
    assert asked == [*TEXT[1:], *(token for name in NAMES for token in name[1:])]
    assert rows.answers == len(asked)


def test_short_documents_are_rows_and_padding_asks_for_nothing() -> None:
    rows = Windows.of(NAMES, steps=16)
    assert len(rows) == 4
    assert rows.longest == 8
    batch = rows.take(np.concatenate(rows.batches(9, None)))
    assert batch.inputs[0].tolist()[:2] == [[10, 11, *[0] * 6], [20, 21, 22, 23, 24, 0, 0, 0]]
    assert batch.targets.tolist()[0] == [11, 12, *[IGNORED] * 6]
    asked = _asked(rows, rows.batches(2, _chance()))
    assert sorted(asked) == [token for name in NAMES for token in name[1:]]


def test_windows_keep_to_their_document() -> None:
    rows = Windows.of([TEXT, *NAMES], steps=4)
    for batch in rows.batches(7, _chance()):
        found = rows.take(batch)
        seen = found.targets != IGNORED
        assert torch.equal(found.inputs[0][seen] + 1, found.targets[seen])


@pytest.mark.parametrize("count", [3, 12, 30])
def test_rows_say_how_many_windows_an_epoch_draws(count: int) -> None:
    rows = Windows.of([TEXT, *NAMES], steps=20, rows=count)
    assert len(rows) == sum(map(len, rows.batches(5, _chance()))) == count


def test_nothing_to_learn_from() -> None:
    with pytest.raises(InputError, match="no text"):
        Windows.of([np.array([3]), np.array([], int)], steps=4)


def _fit(folder: Path | None = None, stop_after: int = 0) -> np.ndarray:
    options = {"vocabulary": 8, "steps": 8, "width": 8, "heads": 2, "layers": 1, "dropout": 0.1}
    net = nets.build({"family": "gpt", "options": options})
    rows = Windows.of([np.random.default_rng(0).integers(0, 8, 200)], steps=8)
    recipe = Recipe(loss="cross_entropy", optimizer="adamw", batch_size=4, epochs=4, device="cpu",
                    learning_rate=0.01)  # fmt: skip
    stop = threading.Event()

    def watch(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == stop_after:
            stop.set()

    checkpoint = folder / "checkpoint" if folder else None
    fit(net, rows, recipe, valid=rows, watch=Watch(monitor=watch, stop=stop, checkpoint=checkpoint))
    return theta(net)


def test_an_interrupted_fit_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    whole = _fit()
    with pytest.raises(Interrupted):
        _fit(tmp_path, stop_after=2)
    assert np.array_equal(_fit(tmp_path), whole)
