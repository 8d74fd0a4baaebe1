"""Counting, the neuron of pairs, windows that judge, copies: the parts of text making."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from neuroscope import nets
from neuroscope.base.errors import InputError, ModelError, TargetError
from neuroscope.base.events import WarningRaised
from neuroscope.data.schema import infer_schema
from neuroscope.data.table import Origin, Table
from neuroscope.data.text.tokeniser import END, PAD, START, UNKNOWN, Tokeniser
from neuroscope.neuron.network import Network
from neuroscope.tasks._learning import Watch
from neuroscope.tasks._writing import counting, neuron
from neuroscope.tasks._writing.copies import copies
from neuroscope.tasks._writing.model import TextModel
from neuroscope.tasks._writing.nets import NetWriter, _cut
from neuroscope.tasks._writing.passages import Passages
from neuroscope.tasks._writing.posing import (
    TextEncoder,
    TextEncoding,
    Texts,
    _at_random,
    _check,
    _in_order,
    pose,
)

TEXT = "the cat sat on the mat and the rat sat on the cat. " * 30


def _encoder(text: str = TEXT, *, ends: bool = False) -> TextEncoder:
    return TextEncoder(Tokeniser.train("character", [text]), ends, " ")


def _passages(texts: list[str], encoder: TextEncoder, first: list[bool] | None = None) -> Passages:
    tokens = encoder.tokeniser.encode(texts)
    begins = np.array(first if first is not None else [True] * len(texts))
    return Passages(tokens, begins, encoder.ends)


def test_pieces_that_follow_each_other_are_read_in_one_go() -> None:
    encoder = _encoder()
    x = _passages(["the ", "cat", "mat"], encoder, [True, False, True])
    read = [encoder.tokeniser.decode(run) for run in x.runs]
    assert read == ["the cat", "mat"]
    assert [run[0] for run in x.runs] == [START, START]
    assert x.owners.tolist() == [0] * 4 + [1] * 3 + [2] * 3
    ending = _passages(["the ", "cat", "mat"], _encoder(ends=True), [True, False, True])
    assert [run[-1] for run in ending.runs] == [END, END]
    assert ending.owners.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_bits_go_to_the_piece_that_costs_them() -> None:
    x = _passages(["ab", "c"], _encoder("abc"), [True, False])
    found = x.bits(lambda runs: np.log(2) * np.arange(1, len(runs[0])))
    np.testing.assert_allclose(found, [[1 + 2], [3]])


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_counted_chances_sum_to_one_and_are_those_that_judge(order: int) -> None:
    encoder = _encoder()
    counter = counting.count(_passages([TEXT], encoder).runs, order, encoder)
    context = encoder.tokeniser.encode_one("on the")
    chances = np.exp(counter.logits(np.stack([context, context[::-1]])))
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    judged = counter.predict(_passages(["on the cat"], encoder))
    one_by_one = 0.0
    tokens = encoder.tokeniser.encode_one("on the cat")
    for at, token in enumerate(tokens):
        before = np.concatenate([[START], tokens[:at]])[None, :]
        one_by_one -= counter.logits(before)[0, token] / np.log(2)
    np.testing.assert_allclose(judged[0, 0], one_by_one, rtol=1e-6)


def test_longer_sequences_say_more_of_a_text_that_repeats_itself() -> None:
    encoder = _encoder()
    x = _passages([TEXT], encoder)
    bits = [counting.count(x.runs, k, encoder).predict(x)[0, 0] / len(TEXT) for k in (1, 2, 4, 6)]
    assert bits == sorted(bits, reverse=True)
    assert bits[0] > 3
    assert bits[-1] < 0.5


def test_counts_of_one_and_two_tokens_by_hand() -> None:
    """Kneser and Ney: below the top it counts in how many contexts a token stood."""
    encoder = _encoder("ab")
    counter = counting.count(_passages(["aab"], encoder).runs, 2, encoder)
    a, b = encoder.tokeniser.encode_one("ab")
    # Pairs: (start a), (a a), (a b), once each, so D2 = 1; a after two tokens, b after one.
    low = {a: (2 - 1 / 3) / 3 + 1 / 3 * 2 / 3 / 4, b: (1 - 1 / 3) / 3 + 1 / 3 * 2 / 3 / 4}
    d2 = 0.95  # at most
    found = np.exp(counter.logits(np.array([[a]])))[0]
    for token in (a, b):
        assert found[token] == pytest.approx((1 - d2) / 2 + d2 * 2 / 2 * low[token], rel=1e-4)


def test_counts_are_kept_and_come_back() -> None:
    encoder = _encoder()
    counter = counting.count(_passages([TEXT], encoder).runs, 4, encoder)
    record, arrays = counter.pack()
    again = counting.unpack(record, arrays)
    x = _passages(["the rat"], encoder)
    assert np.array_equal(again.predict(x), counter.predict(x))
    with pytest.raises(ModelError, match="counts"):
        counting.unpack(record, arrays | {"order2.counts": arrays["order2.counts"][:1]})
    with pytest.raises(ModelError, match="counts"):
        counting.unpack({}, arrays)


def test_what_was_never_read_is_unlikely_and_not_impossible() -> None:
    encoder = _encoder()
    counter = counting.count(_passages([TEXT], encoder).runs, 4, encoder)
    bits = counter.predict(_passages(["th\u00e9"], encoder))
    assert np.isfinite(bits).all()
    assert bits[0, 0] > 5


def test_the_neuron_comes_near_to_the_table_of_pairs() -> None:
    from neuroscope.base.recipe import Recipe
    from neuroscope.neuron import heads
    from neuroscope.neuron.descent import descend

    encoder = _encoder()
    rows = neuron.examples(_passages([TEXT], encoder).runs, len(encoder.tokeniser), np.dtype("f4"))
    recipe = Recipe(epochs=600, batch_size=len(rows.x), learning_rate=0.3, schedule="cosine",
                    loss="cross_entropy", init="zeros")  # fmt: skip
    network = heads.build("multiclass", rows.x.shape[1], rows.y.shape[1], recipe)
    for _ in descend(network, rows, recipe):
        pass
    kinds = rows.x.shape[1]
    theta = np.concatenate([np.log(rows.y).ravel(), np.zeros(kinds)]).astype(network.theta.dtype)
    best = Network((kinds, kinds), ("softmax",), "cross_entropy", theta).loss(rows)
    assert best <= network.loss(rows) < best + 0.01


def test_the_neuron_multiplies_nothing_and_keeps_to_its_time() -> None:
    signs = [chr(0x4E00 + number) for number in range(600)]
    text = "".join(np.random.default_rng(0).choice(signs, 20_000))
    table = Table(pa.table({"text": [text]}), Origin("signs"))
    problem = pose(TextEncoding(), table, infer_schema(table), "text", [text], seed=0)
    training, said = problem.folds[0], []
    (recipe,) = neuron.recipes(training)
    encoder, x = training.encoded()
    rows = neuron.examples(x.runs, len(encoder.tokeniser), np.dtype("f4"))
    assert rows.x.nbytes < 20 * 700  # a number a row, in place of 600
    np.testing.assert_array_equal(rows.x.dense(), np.eye(rows.x.width))
    began = time.monotonic()
    followed = neuron.fit(training, recipe, Watch(seconds=0.5, monitor=said.append)).recipe
    assert time.monotonic() - began < 20  # most of it is compiling, where nothing is kept yet
    assert followed is not None
    assert followed.epochs < recipe.epochs
    (warning,) = [event.text for event in said if isinstance(event, WarningRaised)]
    assert "the time budget" in warning
    whole = replace(recipe, epochs=2)
    assert neuron.fit(training, whole, Watch()).recipe == whole


@pytest.mark.parametrize("counts", [[1], [7], [8], [9], [30, 3, 8, 41]])
@pytest.mark.parametrize("steps", [1, 2, 8])
def test_windows_that_judge_count_every_token_once_after_half_a_window(counts, steps) -> None:
    first, length, kept = _cut(counts, steps)
    asked = [int(f) + place for f, n, k in zip(first, length, kept, strict=True)
             for place in range(k, n)]  # fmt: skip
    wanted, start = [], 0
    for count in counts:
        wanted += list(range(start, start + count))
        start += count + 1
    assert asked == wanted
    assert (length <= steps).all()
    begins = np.isin(first, np.cumsum([0, *(count + 1 for count in counts)]))
    assert (kept[~begins] >= steps // 2).all()


def test_a_net_is_judged_by_what_it_says_of_each_token() -> None:
    options = {"vocabulary": 12, "steps": 8, "width": 8, "heads": 2, "layers": 1, "seed": 3}
    record = {"family": "gpt", "options": options}
    writer = NetWriter(nets.build(record), record, None, None)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    runs = [np.r_[START, rng.integers(4, 12, n)] for n in (5, 30, 2)]
    found = writer._nats(runs)
    with torch.inference_mode():
        short = torch.from_numpy(runs[0])[None]
        nats = torch.nn.functional.cross_entropy(
            writer.net(short[:, :-1])[0], short[0, 1:], reduction="none"
        )
    np.testing.assert_allclose(found[:5], nats.numpy(), rtol=1e-5)
    assert np.isfinite(found).all()
    assert len(found) == 37


def test_one_text_is_cut_in_order_and_documents_at_random() -> None:
    texts = Texts.cut([TEXT * 20])
    assert texts.one
    assert "".join(texts.pieces) == TEXT * 20
    split = _in_order(texts)
    ((train, held),) = split.folds
    assert held.max() < train.min() <= train.max() < split.test.min()
    assert len(split.test) == round(0.1 * len(texts.pieces))
    documents = [f"name {n % 40}" for n in range(100)]
    split = _at_random(documents, seed=0)
    ((train, held),) = split.folds
    parts = [{documents[row] for row in rows} for rows in (train, held, split.test)]
    assert all(parts)
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]
    assert "60 documents repeat" in split.notes[0]


@pytest.mark.parametrize("ends", [False, True])
def test_ends_are_asked_for_where_the_model_has_learned_of_them(ends: bool) -> None:
    encoder = _encoder(ends=ends)
    counter = counting.count(_passages([TEXT], encoder).runs, 3, encoder)
    nothing: Any = None
    model = TextModel(nothing, nothing, nothing, counter, encoder)
    for documents in (["the cat sat", "on the "], ["the rat"]):
        characters, bits = model.bits(documents)
        assert characters[:, 0].tolist() == [len(document) + ends for document in documents]
        np.testing.assert_array_equal(bits, counter.predict(_passages(documents, encoder)))


@pytest.mark.parametrize(
    ("documents", "error", "words"),
    [
        (["  \n "], InputError, "all of it is blank"),
        (["too short"], InputError, "9 characters are too few"),
        (["anna", "otto"], InputError, "2 documents are too few"),
        (["a" * 5000], TargetError, "one and the same character"),
        (["a"] * 50, TargetError, "one and the same character"),
    ],
)
def test_texts_that_say_nothing(documents, error, words) -> None:
    with pytest.raises(error, match=words):
        _check(documents, Texts.cut(documents))


@pytest.mark.parametrize(
    "text",
    ["\U0001f600\U0001f44d\U0001f3fd ok", "שלום עולם", "e\u0301a\u0308 n\u0303", "日本語 テキスト"],
)
def test_any_script_comes_back(text: str) -> None:
    encoder = _encoder(text)
    assert encoder.tokeniser.decode(encoder.tokeniser.encode_one(text)) == text
    again = TextEncoder.from_json(encoder.to_json())
    assert again.tokeniser.decode(again.tokeniser.encode_one(text)) == text
    assert {PAD, UNKNOWN}.isdisjoint(again.tokeniser.encode_one(text).tolist())


def test_copies_of_documents_and_of_stretches() -> None:
    found = copies(["anna", "new", "otto"], ["anna", "otto", "max"], whole=True)
    assert (found.texts, found.copied) == (3, 2)
    assert "2 (67 %)" in found.sentence
    text = "".join(chr(97 + i * i % 23) for i in range(400))
    fresh = "0123456789" * 8
    found = copies([text[100:180] + fresh], [text], whole=False)
    assert found.longest == text[100:180]
    assert 0 < found.share < 1
    assert copies([fresh], [text], whole=False).share == 0
