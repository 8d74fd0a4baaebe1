"""Skip-gram: its slopes against two oracles, its draws against their shares, and what it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neuroscope.base.errors import DivergedError, InputError
from neuroscope.neuron import skipgram
from neuroscope.neuron._compile import compiled
from neuroscope.neuron.skipgram import Corpus, Settings, Tables, train_words

SMALL = Settings(width=8, window=2, negatives=3, epochs=3, subsample=0, seed=1)


def loss_by_hand(v, outputs, targets):
    z = outputs[targets] @ v
    sign = np.where(np.arange(len(targets)) == 0, -1.0, 1.0)
    return float(np.log1p(np.exp(sign * z)).sum())


@pytest.mark.parametrize("learn", [skipgram.learn_pair, skipgram.learn_pair.py_func])
@pytest.mark.parametrize(("width", "negatives"), [(1, 1), (7, 2), (16, 5), (33, 9)])
def test_slopes_meet_finite_differences_and_torch(learn, width, negatives) -> None:
    rng = np.random.default_rng(width)
    v, outputs = rng.normal(size=width), rng.normal(size=(12, width))
    targets = rng.permutation(12)[: negatives + 1].astype(np.int32)
    v_torch = torch.tensor(v, requires_grad=True)
    u_torch = torch.tensor(outputs, requires_grad=True)
    z = u_torch[torch.tensor(targets, dtype=torch.long)] @ v_torch
    loss = -torch.nn.functional.logsigmoid(z[0]) - torch.nn.functional.logsigmoid(-z[1:]).sum()
    loss.backward()

    step, eps = 1e-3, 1e-6
    new_v, new_outputs = v.copy(), outputs.copy()
    found = learn(new_v, targets, step, True, new_outputs, np.empty(width))

    assert v_torch.grad is not None
    assert u_torch.grad is not None
    assert found == pytest.approx(loss.item(), rel=1e-12)
    assert found == pytest.approx(loss_by_hand(v, outputs, targets), rel=1e-12)
    dv, du = (v - new_v) / step, (outputs - new_outputs) / step
    np.testing.assert_allclose(dv, v_torch.grad.numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(du, u_torch.grad.numpy(), rtol=1e-9, atol=1e-11)
    for i in range(width):
        near = eps * np.eye(width)[i]
        more, less = (loss_by_hand(v + s * near, outputs, targets) for s in (1, -1))
        assert dv[i] == pytest.approx((more - less) / (2 * eps), rel=1e-6, abs=1e-8)
    row = targets[-1]
    for i in range(width):
        near = np.zeros_like(outputs)
        near[row, i] = eps
        more, less = (loss_by_hand(v, outputs + s * near, targets) for s in (1, -1))
        assert du[row, i] == pytest.approx((more - less) / (2 * eps), rel=1e-6, abs=1e-8)


def test_a_pair_that_is_not_measured_learns_the_same() -> None:
    rng = np.random.default_rng(0)
    v, outputs = rng.normal(size=5).astype(np.float32), rng.normal(size=(4, 5)).astype(np.float32)
    targets, learned = np.array([2, 0, 3], np.int32), []
    for measured in (True, False):
        one, all_ = v.copy(), outputs.copy()
        loss = skipgram.learn_pair(one, targets, np.float32(0.1), measured, all_, np.empty_like(v))
        assert (loss > 0) is measured
        learned.append(np.concatenate([one, all_.ravel()]))
    np.testing.assert_array_equal(*learned)


@compiled
def drawn(noise, chance, times, out):
    targets = np.empty(2, np.int32)
    for _ in range(times):
        targets[0] = -1
        skipgram.add_noise(noise, chance, targets)
        out[targets[1]] += 1


def test_noise_words_come_in_proportion_to_count_to_the_three_quarters() -> None:
    counts = np.array([10_000, 1_000, 300, 17, 1])
    out = np.zeros(5, np.int64)
    drawn(skipgram.noise_of(counts), np.array([7], np.uint64), 400_000, out)
    shares = counts**0.75 / (counts**0.75).sum()
    assert np.abs(out / out.sum() - shares).max() < 4 * np.sqrt(0.25 / 400_000)


def test_a_noise_word_is_never_the_neighbour() -> None:
    rng = np.array([3], np.uint64)
    noise = skipgram.noise_of(np.array([1, 1]))
    counts = set()
    for _ in range(50):
        targets = np.zeros(6, np.int32)
        n = _noise_once(noise, rng, targets)
        assert (targets[1:n] == 1).all()
        counts.add(n)
    assert len(counts) > 1


@compiled
def _noise_once(noise, chance, targets):
    return skipgram.add_noise(noise, chance, targets)


def test_frequent_words_are_passed_over_as_the_formula_says() -> None:
    counts = np.array([100_000, 1_000, 10])
    keep = skipgram.plan_of(counts, Settings(subsample=1e-3)).keep
    shares = counts / counts.sum()
    expected = np.minimum(np.sqrt(1e-3 / shares) + 1e-3 / shares, 1)
    np.testing.assert_allclose(keep, expected, rtol=1e-6)
    tokens, kept = np.zeros(skipgram.LONGEST, np.int32), np.empty(skipgram.LONGEST, np.int32)
    n = skipgram.thin(tokens, 0, tokens.size, keep, np.array([5], np.uint64), kept)
    assert n / tokens.size == pytest.approx(expected[0], abs=0.01)
    assert (skipgram.plan_of(counts, Settings(subsample=0)).keep == 1).all()


def two_worlds(sentences=600, seed=0):
    """Words 0-9 stand only beside each other, so do words 10-19."""
    rng = np.random.default_rng(seed)
    world = rng.integers(0, 2, sentences)
    tokens = (rng.integers(0, 10, (sentences, 8)) + 10 * world[:, None]).astype(np.int32).ravel()
    return Corpus(tokens, np.arange(0, tokens.size + 1, 8)), np.bincount(tokens, minlength=20)


def trained(corpus, counts, chosen=SMALL, threads=1, dtype=np.float32):
    tables = Tables.start(len(counts), chosen, dtype)
    return tables, list(train_words(corpus, counts, chosen, tables, threads=threads))


@pytest.mark.parametrize("threads", [1, 3])
def test_words_of_one_world_come_to_lie_together(threads) -> None:
    corpus, counts = two_worlds(4_000)
    chosen = Settings(width=8, window=2, epochs=6, subsample=0, learning_rate=0.05)
    tables, passes = trained(corpus, counts, chosen, threads)
    unit = tables.inputs / np.linalg.norm(tables.inputs, axis=1, keepdims=True)
    cosine = unit @ unit.T
    assert cosine[:10, :10].mean() > cosine[:10, 10:].mean() + 0.5
    assert passes[-1].loss < passes[0].loss
    assert [one.epoch for one in passes] == [1, 2, 3, 4, 5, 6]
    assert passes[-1].learning_rate == chosen.last_rate


def test_the_same_seed_gives_the_same_vectors_and_another_one_others() -> None:
    corpus, counts = two_worlds()
    first, _ = trained(corpus, counts)
    again, _ = trained(corpus, counts)
    other, _ = trained(corpus, counts, Settings(**{**SMALL.__dict__, "seed": 2}))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.outputs, again.outputs)
    assert not np.array_equal(first.inputs, other.inputs)


@pytest.mark.parametrize("change", [
    {"width": 9}, {"window": 4}, {"negatives": 6}, {"epochs": 2}, {"learning_rate": 0.1},
    {"subsample": 1e-2}, {"last_rate": 0.01},
])  # fmt: skip
def test_every_choice_has_an_effect(change) -> None:
    corpus, counts = two_worlds(200)
    first, _ = trained(corpus, counts)
    other, _ = trained(corpus, counts, Settings(**{**SMALL.__dict__, **change}))
    assert not np.array_equal(first.inputs, other.inputs)


def test_sentences_keep_to_themselves() -> None:
    """Of two words that never share a sentence, neither learns of the other."""
    tokens = np.array([0, 1, 2, 3] * 500, np.int32)
    apart = Corpus(tokens, np.arange(0, tokens.size + 1, 2))
    chosen = Settings(width=6, window=5, epochs=30, subsample=0, negatives=2, learning_rate=0.05)
    tables, _ = trained(apart, np.bincount(tokens), chosen)
    score = tables.inputs @ tables.outputs.T
    assert score[0].argmax() == 1
    assert score[2].argmax() == 3


def test_a_sentence_of_any_length_is_read() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 50, 3 * skipgram.LONGEST + 5).astype(np.int32)
    corpus = Corpus(tokens, np.array([0, 3, tokens.size]))
    _, passes = trained(corpus, np.bincount(tokens))
    assert passes[0].words == tokens.size
    assert np.isfinite(passes[-1].loss)


def test_the_rate_falls_linearly_to_its_end() -> None:
    rates = [skipgram.rate_after(Settings(), done) for done in (0, 0.5, 0.999, 1)]
    assert rates == pytest.approx([0.025, 0.0125, 1e-4, 1e-4])


def test_one_thread_until_the_work_is_long() -> None:
    assert skipgram.threads_for(100_000) == 1
    assert skipgram.threads_for(10**9) == skipgram.settings.cores()


def test_nothing_to_learn_is_refused() -> None:
    tokens = np.zeros(4, np.int32)
    with pytest.raises(InputError, match="a vocabulary of 1"):
        trained(Corpus(tokens, np.array([0, 4])), np.array([4]))
    with pytest.raises(InputError, match="no sentence has two words"):
        trained(Corpus(np.array([0, 1], np.int32), np.array([0, 1, 2])), np.array([1, 1]))
    corpus, counts = two_worlds(10)
    with pytest.raises(InputError, match="window is 0; it must be 1 or more"):
        trained(corpus, counts, Settings(window=0))


def test_a_rate_that_blows_up_is_told() -> None:
    corpus, counts = two_worlds(200)
    with pytest.raises(DivergedError, match="lower the learning rate"):
        trained(corpus, counts, Settings(width=8, learning_rate=1e30, epochs=2))
