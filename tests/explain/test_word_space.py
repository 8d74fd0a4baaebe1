"""Nearest words, analogies and the map, against plain NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from neuroscope.explain import word_space
from neuroscope.explain.word_space import complete, flat_map, nearest, unit_rows


def test_nearest_words_are_those_of_the_largest_cosine(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 7)).astype(np.float32)
    unit = unit_rows(vectors)
    for at_once in (1, 1 << 26):  # query by query, and all at once
        monkeypatch.setattr(word_space, "_AT_ONCE", at_once)
        found, cosines = nearest(unit, vectors[:9], 4, [[i, 30] for i in range(9)])
        for i in range(9):
            cosine = vectors @ vectors[i] / np.linalg.norm(vectors, axis=1)
            cosine /= np.linalg.norm(vectors[i])
            cosine[[i, 30]] = -2
            expected = np.argsort(-cosine)[:4]
            assert found[i].tolist() == expected.tolist()
            np.testing.assert_allclose(cosines[i], cosine[expected], rtol=1e-5)


def test_more_neighbours_than_words() -> None:
    unit = unit_rows(np.eye(3, dtype=np.float32))
    found, _ = nearest(unit, unit[:1], 10, [[0]])
    assert sorted(found[0].tolist()) == [1, 2]


def test_a_vector_of_zeros_is_near_nothing() -> None:
    unit = unit_rows(np.array([[1, 0], [0, 0], [2, 1]], np.float32))
    found, cosines = nearest(unit, unit[:1], 2, [[0]])
    assert found[0].tolist() == [2, 1]
    assert cosines[0, 1] == 0


def test_an_analogy_leaves_its_own_words_out() -> None:
    gender, royal = np.array([0, 0, 1.0]), np.array([0, 1.0, 0])
    person = np.array([1.0, 0, 0])
    words = np.array([person - gender, person + gender, person - gender + royal,
                      person + gender + royal, -person], np.float32)  # fmt: skip
    found, _ = complete(unit_rows(words), np.array([[0, 2, 1], [1, 3, 0]]))
    assert found[:, 0].tolist() == [3, 2]  # man is to king as woman is to queen, and back


@pytest.mark.parametrize("shape", [(1, 3), (2, 4), (12, 5), (4, 1)])
def test_a_map_is_the_same_again_and_tells_what_it_shows(shape) -> None:
    vectors = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    first, again = (flat_map(vectors, np.arange(shape[0])) for _ in range(2))
    np.testing.assert_array_equal(first.places, again.places)
    assert first.places.shape == (shape[0], 2)
    assert 0 <= sum(first.shares) <= 1 + 1e-9


def test_a_map_keeps_the_directions_of_largest_variance() -> None:
    vectors = np.random.default_rng(2).normal(size=(40, 6)).astype(np.float32)
    flat = flat_map(vectors, np.arange(40))
    rows = unit_rows(vectors).astype(float)
    values = np.linalg.eigvalsh(np.cov(rows.T))[::-1]
    np.testing.assert_allclose(flat.places.var(axis=0, ddof=1), values[:2], rtol=1e-5)
    np.testing.assert_allclose(flat.shares, values[:2] / values.sum(), rtol=1e-5)
