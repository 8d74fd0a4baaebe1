"""Batches of sentence pairs: like lengths together, tokens alike, and each pair once an epoch."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.base.errors import InputError
from neuroscope.train.losses import IGNORED
from neuroscope.train.pairs import PairRows, Ragged

START, END = 2, 3


def _rows(n: int = 300, seed: int = 0) -> PairRows:
    random = np.random.default_rng(seed)
    source = [random.integers(4, 50, random.integers(1, 40)) for _ in range(n)]
    target = [random.integers(4, 50, max(1, len(one) + int(random.integers(-2, 3))))
              for one in source]  # fmt: skip
    return PairRows(Ragged.of(source), Ragged.of(target), START, END)


def test_each_pair_is_drawn_once_and_batches_hold_about_as_many_tokens() -> None:
    rows = _rows()
    for chance in (None, np.random.default_rng(3)):
        batches = rows.batches(16, chance)
        assert sorted(np.concatenate(batches).tolist()) == list(range(300))
        tokens = [len(b) * rows.tokens[b].max() for b in batches]
        assert max(tokens) <= 1.35 * 16 * rows.tokens.mean()
    padded = sum(len(b) * rows.tokens[b].max() for b in rows.batches(16, np.random.default_rng(1)))
    assert padded < 1.4 * rows.tokens.sum()


def test_epochs_differ_and_have_the_same_number_of_batches() -> None:
    rows = _rows()
    one, two = (rows.batches(16, np.random.default_rng(seed)) for seed in (1, 2))
    same = rows.batches(16, np.random.default_rng(1))
    assert len(one) == len(two)
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert {tuple(sorted(b)) for b in one} != {tuple(sorted(b)) for b in two}


def test_a_batch_holds_start_end_and_padding_in_their_places() -> None:
    rows = PairRows(Ragged.of([np.array([5, 6, 7]), np.array([8])]),
                    Ragged.of([np.array([9]), np.array([10, 11])]), START, END)  # fmt: skip
    (source, lengths, given), targets, weights = rows.take(np.array([1, 0]))
    assert source.tolist() == [[8, 0, 0], [5, 6, 7]]
    assert lengths.tolist() == [1, 3]
    assert given.tolist() == [[START, 10, 11], [START, 9, 0]]
    assert targets.tolist() == [[10, 11, END], [9, END, IGNORED]]
    assert weights is None


def test_padding_and_an_end_of_0_do_not_hide_tokens() -> None:
    rows = PairRows(Ragged.of([np.array([5])]), Ragged.of([np.array([6, 7])]), 1, 0, padding=1)
    (_, _, given), targets, _ = rows.take(np.array([0]))
    assert given.tolist() == [[1, 6, 7]]
    assert targets.tolist() == [[6, 7, 0]]


def test_empty_sequences_lie_beside_others_and_alone() -> None:
    none = np.empty(0, np.int32)
    rows = PairRows(Ragged.of([none, np.array([5])]), Ragged.of([np.array([6]), none]), START, END)
    assert rows.take(np.array([0])).inputs[0].shape == (1, 1)
    assert rows.take(np.array([1, 0])).targets.tolist() == [[END, IGNORED], [6, END]]
    assert len(rows.some(np.array([1]))) == 1


def test_sides_of_different_number_and_no_pairs_are_refused() -> None:
    one, two = Ragged.of([np.array([5])]), Ragged.of([np.array([5])] * 2)
    with pytest.raises(InputError, match="1 sources and 2 targets"):
        PairRows(one, two, START, END)
    with pytest.raises(InputError, match="no pairs"):
        PairRows(Ragged.of([]), Ragged.of([]), START, END)


def test_a_batch_of_one_pair_longer_than_all_others_is_possible() -> None:
    source = [np.full(2, 5)] * 20 + [np.full(500, 5)]
    rows = PairRows(Ragged.of(source), Ragged.of(source), START, END)
    batches = rows.batches(4, np.random.default_rng(0))
    assert sorted(np.concatenate(batches).tolist()) == list(range(21))
    assert [20] in [b.tolist() for b in batches]
