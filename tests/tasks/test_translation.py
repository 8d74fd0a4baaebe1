"""Dictionaries, nets and pretrained nets that translate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save
from tests.tasks.following import followed
from tests.translating import pairs, table, tiny_marian

from neuroscope import nets
from neuroscope.base.errors import InputError, ModelError, RecipeError, SchemaError
from neuroscope.base.events import EpochEnded, Event
from neuroscope.base.recipe import Recipe
from neuroscope.data.text.tokeniser import Tokeniser
from neuroscope.judge.metrics import scores
from neuroscope.tasks import catalogue, translation
from neuroscope.tasks._learning import Problem, Watch, predict
from neuroscope.tasks._translation import dictionary
from neuroscope.tasks._translation.nets import bits_of, divided
from neuroscope.tasks._translation.posing import columns_of, paired, pose, schema_of
from neuroscope.tasks._translation.room import Room
from neuroscope.tasks._translation.sentences import LONGEST, PairEncoder, Sentences, Vocabulary
from neuroscope.tasks.rungs.translation import RUNGS


def _problem(n: int = 200, backbone: str = "", **sides: list[str]) -> Problem:
    source, target = pairs(n)
    rows = table(sides.get("source", source), sides.get("target", target))
    columns = columns_of(rows, None, ())
    rows = paired(rows, columns)
    schema = schema_of(rows, columns, split=None, group=None, drop=())
    return pose(translation.ENCODING, rows, schema, columns, seed=0, backbone=backbone)


def _copied(learner, rung: str):
    record, arrays = learner.pack()
    record = json.loads(json.dumps(record))
    encoder = PairEncoder.from_json(json.loads(json.dumps(learner.encoder.to_json())))
    return replace(RUNGS.get(rung).unpack(record, load(save(arrays))), encoder=encoder)


def test_the_ladder_is_the_folder() -> None:
    assert "translation" in catalogue.names()
    assert RUNGS.names() == ["dictionary", "gru", "pretrained", "transformer"]


def test_a_dictionary_learns_which_word_stands_for_which() -> None:
    problem = _problem()
    learner = RUNGS.get("dictionary").fit(problem.folds[0], None, Watch())
    assert learner.write(["Der alte Baum steht 7 Mal."]) == ["The old tree stands 7 times."]
    assert learner.write(["Ein blauer Baum"]) == ["A blauer tree"]  # a word never seen is copied
    assert learner.write(["", "?"]) == ["", "?"]
    test = problem.split.test
    found = scores("translation", problem.y[test], predict(problem, learner, test))
    assert found["bleu"] > 60
    assert 0.2 < found["reference_bits"] < 2.5
    copy = _copied(learner, "dictionary")
    x = learner.encoder.transform(problem.table, test).x
    np.testing.assert_allclose(copy.predict(x), learner.predict(x), rtol=1e-6)


def test_a_dictionary_gives_every_text_a_probability() -> None:
    problem = _problem()
    learner = RUNGS.get("dictionary").fit(problem.folds[0], None, Watch())
    likely, order, other, strange = (
        learner._bits("Der alte Baum steht 7 Mal.", text)
        for text in ("The old tree stands 7 times.", "7 times stands The tree old.",
                     "A new dog falls 3 times.", "☃ 漢字 \ud83d")
    )  # fmt: skip
    assert likely < min(order, other) < max(order, other) < strange < np.inf
    assert np.isfinite(learner._bits("", ""))


def test_one_round_of_expectation_maximisation_is_counting() -> None:
    links = dictionary._Links.of(
        [(["das", "Haus"], ["the", "house"]), (["das"], ["the"])],
        {"das": 1, "Haus": 2}, {"the": 0, "house": 1},
    )  # fmt: skip
    keys, chances = links.table(2, Watch())
    t = {(int(k) // 2, int(k) % 2): float(c) for k, c in zip(keys, chances, strict=True)}
    assert t[1, 0] > 0.9  # "das" is "the", because it is so where it stands alone
    assert t[2, 1] > t.get((2, 0), 0.0)
    for source in (0, 1, 2):
        assert sum(c for (s, _), c in t.items() if s == source) == pytest.approx(1, abs=1e-3)


def test_the_first_round_begins_with_all_words_as_likely() -> None:
    losses: list[float] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochEnded):
            losses.append(event.train_loss)

    learner = RUNGS.get("dictionary").fit(_problem().folds[0], None, Watch(monitor=listen))
    assert losses[0] == pytest.approx(np.log(len(learner.target)))
    assert losses == sorted(losses, reverse=True)
    assert len(losses) == dictionary.ROUNDS


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("zwei Leute", "two People"),  # known from the beginning of texts
        ("Leute", "People"),
        ("(Leute)", "(People)"),
        ("zwei-Leute", "two and People"),  # a word for a sign
        ("zwei  Leute !", "two  People!"),  # a sign's space is the target's
        ("neue Leute", "neue People"),
    ],
)
def test_words_keep_the_space_of_the_source(text: str, written: str) -> None:
    source = ("", "zwei", "Leute", "-", "!")
    target = (" it", "two", "People", " and", "!")
    keys = np.arange(5) * 6
    learner = dictionary.Dictionary(keys, np.ones(5, np.float32), source, target, np.ones(5), {}, 1)
    assert learner.write([text]) == [written]


def test_places_add_up_and_prefer_the_diagonal() -> None:
    for read, said in ((3, 5), (1, 1), (0, 2), (4, 0)):
        np.testing.assert_allclose(dictionary.places(read, said).sum(axis=0), 1.0)
    near = dictionary.places(3, 3)[1:]
    assert near.argmax(axis=0).tolist() == [0, 1, 2]


def test_words_joined_are_the_text() -> None:
    for text in ("Ein Hund, 12 Bälle!", "  a  b\tc\n", "l'été — ☃☃", ""):
        assert "".join(dictionary.words(text)) == text


@pytest.mark.parametrize("rung", ["gru", "transformer"])
def test_a_net_learns_comes_back_the_same_and_shows_where_it_looks(rung: str) -> None:
    problem = _problem(60)
    training = problem.folds[0]
    recipe = RUNGS.get(rung).recipes(training)[0]
    assert all(recipe.reasons.get(n) for n in ("batch_size", "epochs", "label_smoothing", "warmup"))
    small = replace(recipe, width=16, epochs=5, dropout=0.0, precision="float32")
    learner = RUNGS.get(rung).fit(training, small, Watch())
    x = learner.encoder.transform(problem.table, problem.split.test).x
    said = learner.predict(x)
    tokens = [len(t) + 1 for t in x.vocabulary.written(x.references)]
    assert said[:, 0].sum() < np.log2(len(learner.encoder.tokeniser)) * sum(tokens)
    copy = _copied(learner, rung)
    np.testing.assert_allclose(copy.predict(x), said, rtol=1e-4)
    texts = [*x.source[:5], "", x.source[0]]
    written = learner.write(texts)
    assert written == copy.write(texts)
    assert (written[5], written[0]) == ("", written[6])
    assert learner.write(texts[:3]) == written[:3]  # whoever else is in the batch
    assert len(learner.write(texts, beam=1)) == 7
    read, out, weights = learner.attention(x.source[0], "A dog")
    assert weights.shape == (len(out), len(read))
    assert ("".join(read), "".join(out)) == (x.source[0], "A dog")


def test_bits_are_what_the_net_says_token_by_token() -> None:
    import torch

    problem = _problem(60)
    recipe = Recipe(net="gru", loss="cross_entropy", width=8, epochs=1, batch_size=16)
    learner = RUNGS.get("gru").fit(problem.folds[0], recipe, Watch())
    x = learner.encoder.transform(problem.table, problem.split.test).x
    source, target = (side[0].astype(np.int64) for side in x.tokens)
    with torch.no_grad():
        logits = learner.net(torch.from_numpy(source[None]), torch.tensor([len(source)]),
                             torch.from_numpy(np.array([[2, *target]])))  # fmt: skip
    each = logits[0].log_softmax(1).gather(1, torch.tensor([[*target, 3]]).T)
    assert learner.predict(x)[0, 0] == pytest.approx(-float(each.sum()) / np.log(2), rel=1e-4)


def test_a_reference_that_is_cut_costs_as_much_a_character_as_others() -> None:
    random = np.random.default_rng(0)
    words = [f"w{i}" for i in range(300)]
    texts = [" ".join(random.choice(words, n)) for n in (20, 400, 1600)]
    cutter = Tokeniser.train("bpe", texts, 1000, seen=2, single_digits=True)
    shape = {"vocabulary": len(cutter), "width": 32, "layers": 1, "heads": 1, "seed": 0}
    net = nets.build({"family": "transformer_pairs", "options": shape})
    x = Sentences(("w1 w2",) * 3, tuple(texts), Vocabulary(cutter))
    assert len(x.tokens[1][2]) == LONGEST
    each = bits_of(net, x) / [len(text) for text in texts]
    assert each.max() < 1.3 * each.min()


def test_digits_stay_single_and_numbers_are_spelt_of_them() -> None:
    tokeniser = Tokeniser.train("bpe", ["call 1234 or 1234"] * 9, 300, single_digits=True)
    tokens = tokeniser.encode_one("call 1234")
    assert [tokeniser.decode([int(t)]) for t in tokens[-4:]] == ["1", "2", "3", "4"]
    assert tokeniser.decode(tokeniser.encode_one("x 98 7\n6 5")) == "x 98 7\n6 5"
    whole = Tokeniser.train("bpe", ["call 1234 or 1234"] * 9, 300)
    assert len(whole.encode_one("call 1234")) < len(tokens)


def test_pairs_that_are_too_long_are_not_learned_from_and_sources_are_cut() -> None:
    source, target = pairs(100)
    source[3] = "Hund " * 3000
    problem = _problem(source=source, target=target)
    training = problem.training(np.arange(100))
    x = training.encoded()[1]
    assert 3 not in x.learnable
    assert len(x.learnable) == 99
    assert max(len(one) for one in x.tokens[0]) == LONGEST
    assert len(divided(x, Recipe())[0]) == 99


class _Letters:
    """Each letter is a token."""

    def encode(self, texts):
        return [np.arange(len(text)) for text in texts]


@pytest.mark.parametrize(("pairs", "room"), [
    ([(n, n) for n in range(1, 40)], Room()),
    ([(n, 5 * n) for n in range(1, 40)], Room(5.05, 10)),
    ([*[(n, n) for n in range(1, 40)], (1, 60)], Room(2.0, 59)),
    ([(n, n) for n in range(1, 2_001)] + [(3, 200)], Room(2.0, 195)),
    ([(10, 10)] * 1_999 + [(10, 250)], Room()),  # one in 2,000 is an accident
    ([(300, 300)], Room()),
])  # fmt: skip
def test_what_is_written_has_the_room_that_training_pairs_need(pairs, room: Room) -> None:
    source, target = zip(*pairs, strict=True)
    texts = [tuple("x" * n for n in side) for side in (source, target)]
    learned = Room.learned(Sentences(*texts, Vocabulary(_Letters())))  # type: ignore[arg-type]
    assert learned == room
    assert Room.from_json(json.loads(json.dumps(room.to_json()))) == room
    with pytest.raises(ModelError, match="room"):
        Room.from_json({"ratio": 2})


def test_long_translations_of_short_texts_are_written_whole() -> None:
    source, target = [str(n % 10) for n in range(40)], ["one two three four " * 4] * 40
    training = _problem(source=source, target=target).training(np.arange(40))
    recipe = Recipe(net="gru", loss="cross_entropy", width=8, epochs=1, batch_size=16)
    learner = RUNGS.get("gru").fit(training, recipe, Watch())
    x = training.encoded()[1]
    for read, said in zip(*x.tokens, strict=True):
        assert learner.room.ratio * len(read) + learner.room.extra > len(said)
    record, arrays = learner.pack()
    assert RUNGS.get("gru").unpack(record, arrays).room == learner.room
    del record["room"]  # a model of before
    assert RUNGS.get("gru").unpack(record, arrays).room == Room()
    written, cut = replace(learner, room=Room(0.0, 1)).translated(["7", "", "8"])
    assert (len(written), cut) == (3, 2)


def test_a_part_of_many_pairs_says_when_to_stop() -> None:
    x = _problem(3000).training(np.arange(2000)).encoded()[1]
    data, valid = divided(x, Recipe(patience=3))
    assert valid is not None
    assert (len(data), len(valid)) == (1940, 60)
    assert divided(x, Recipe())[1] is None


def test_columns_are_named_or_the_last_ones_of_text() -> None:
    rows = table(["a"], ["b"])
    assert columns_of(rows, None, ()).target == "en"
    assert columns_of(rows, "de", ()).source == "en"
    with pytest.raises(SchemaError, match="two columns of text"):
        columns_of(rows, None, ("en",))
    with pytest.raises(SchemaError, match="'enn' not found"):
        columns_of(rows, "enn", ())


def test_sides_that_are_all_the_same_or_empty_are_refused() -> None:
    source, _ = pairs(50)
    with pytest.raises(InputError, match="the same in all 50 pairs"):
        _problem(source=source, target=source)
    with pytest.raises(InputError, match="no row has both sides"):
        _problem(source=source, target=[""] * 50)
    with pytest.raises(InputError, match="1 of 50 rows with a target"):
        _problem(source=source, target=["x", *[""] * 49])


def test_rows_with_an_empty_side_are_used_nowhere() -> None:
    source, target = pairs(60)
    source[5], target[9] = " ", ""
    split = _problem(source=source, target=target).split
    assert not {5, 9} & {*split.test.tolist(), *split.development.tolist()}


@pytest.fixture(scope="module")
def marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return tiny_marian(tmp_path_factory.mktemp("marian") / "tiny")


def test_a_pretrained_net_is_fine_tuned_and_comes_back_the_same(marian: Path) -> None:
    problem = _problem(60, backbone=str(marian))
    rung = RUNGS.get("pretrained")
    assert rung.missing(problem) == ""
    recipe = replace(rung.recipes(problem.folds[0])[0], epochs=2, learning_rate=1e-2)
    learner = rung.fit(problem.folds[0], recipe, Watch())
    test = problem.split.test
    x = learner.encoder.transform(problem.table, test).x
    said = learner.predict(x)
    fresh = rung.fit(problem.folds[0], replace(recipe, learning_rate=1e-12), Watch())
    assert said[:, 0].mean() < fresh.predict(x)[:, 0].mean()  # the net that was opened stays
    copy = _copied(learner, "pretrained")
    np.testing.assert_allclose(copy.predict(x), said, rtol=1e-4)
    assert copy.write(x.source) == learner.write(x.source)
    assert copy.room == learner.room
    read, out, weights = learner.attention(x.source[0], "A dog")
    assert weights.shape == (len(out), len(read))
    assert learner.net.origin.licence == "cc-by-4.0"


def test_a_pretrained_net_reads_as_transformers_does_whatever_the_padding(marian: Path) -> None:
    import torch
    import transformers

    from neuroscope.nets.pretrained_pairs import open_pairs

    net, _ = open_pairs(marian)
    plain = transformers.AutoModelForSeq2SeqLM.from_pretrained(str(marian)).eval()
    source, given = torch.tensor([[3, 4, 5, 0, 9, 9]]), torch.tensor([[net.tokens["start"], 7]])
    with torch.no_grad():
        wanted = plain(input_ids=source[:, :4], decoder_input_ids=given).logits
        memory = net.read(source, torch.tensor([4]))
        torch.testing.assert_close(net(source, torch.tensor([4]), given), wanted)
        state = net.begin(memory)
        for step in range(2):
            logits, state = net.step(given[:, step], memory, state)
            torch.testing.assert_close(logits, wanted[:, step])


SIZES = {
    "Marian": {"d_model": 16, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 32,
               "decoder_ffn_dim": 32, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
               "vocab_size": 40, "pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0,
               "max_position_embeddings": 32},
    "T5": {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2, "vocab_size": 40},
}  # fmt: skip
SIZES["Bart"] = SIZES["Marian"] | {"bos_token_id": 2, "forced_eos_token_id": 1}


@pytest.mark.parametrize("family", SIZES)
def test_keys_and_values_that_are_kept_give_the_logits_of_all_steps_at_once(family: str) -> None:
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    from neuroscope.nets._pairs import picked
    from neuroscope.nets.backbone import Origin
    from neuroscope.nets.pretrained_pairs import PretrainedPairs

    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(**SIZES[family])
    made = transformers.AutoModelForSeq2SeqLM.from_config(config)
    net = PretrainedPairs(made, {}, Origin(name=family)).eval()
    source, lengths = torch.randint(3, 40, (3, 6)), torch.tensor([6, 4, 2])
    given = torch.randint(3, 40, (3, 7))
    with torch.inference_mode():
        memory = net.read(source, lengths)
        at_once, state = net.write(given, memory), net.begin(memory)
        for step in range(7):
            if step == 4:  # a beam drops some rows, repeats others and puts them in another order
                rows = torch.tensor([2, 0, 0])
                memory, state, given = picked(memory, rows), picked(state, rows), given[rows]
                at_once = at_once[rows]
            logits, state = net.step(given[:, step], memory, state)
            torch.testing.assert_close(logits, at_once[:, step], rtol=1e-4, atol=1e-5)
    assert len(state) == 4 * 2
    assert {part.shape[2] for name, part in state.items() if "source" not in name} == {7}


def test_a_pretrained_net_writes_no_more_than_it_has_places_for(marian: Path) -> None:
    problem = _problem(40, backbone=str(marian))
    rung = RUNGS.get("pretrained")
    recipe = replace(rung.recipes(problem.folds[0])[0], epochs=1)
    learner = rung.fit(problem.folds[0], recipe, Watch())
    assert learner.net.longest == 40
    assert learner.vocabulary.longest == 39
    text = "Hund " * 500
    assert len(learner.vocabulary.read([text])[0]) == 39
    assert len(learner.write([text, "Ein Ball"])) == 2


def test_without_a_backbone_the_rung_says_what_to_give() -> None:
    assert "--backbone FOLDER" in RUNGS.get("pretrained").missing(_problem(40))


@pytest.mark.parametrize(("change", "said"), [
    (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer.json"),
    (lambda folder: (folder / "tokenizer.json").write_text("{}"), "tokenizer.json cannot be read"),
    (lambda folder: (folder / "model.safetensors").unlink(), "no weights here"),
    (lambda folder: _config(folder, is_encoder_decoder=False), "does not read one text"),
    (lambda folder: _config(folder, model_type="mbart"), "many languages"),
    (lambda folder: _config(folder, d_model=32), "another shape"),
])  # fmt: skip
def test_folders_that_cannot_be_used_say_why(
    change, said: str, marian: Path, tmp_path: Path
) -> None:
    import shutil

    folder = Path(shutil.copytree(marian, tmp_path / "own"))
    change(folder)
    problem = _problem(40, backbone=str(folder))
    with pytest.raises((ModelError, RecipeError), match=said):
        RUNGS.get("pretrained").missing(problem)
        RUNGS.get("pretrained").fit(problem.folds[0], Recipe(backbone=str(folder)), Watch())


def _config(folder: Path, **changes) -> None:
    record = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(record | changes))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gru", "transformer"])
def test_each_choice_of_a_recipe_is_followed_or_refused(name: str) -> None:
    problem = _problem(60)
    rung, training = RUNGS.get(name), problem.folds[0]
    recipe = replace(rung.recipes(training)[0], epochs=2, width=16, batch_size=8)
    x = training.encoded(recipe)[1]

    def said(changed: Recipe) -> np.ndarray:
        return bits_of(rung.fit(training, changed, Watch()).net, x)

    found = followed(rung, recipe, said)
    assert not found & {"hidden", "steps", "mixup", "vectors", "word_dropout", "class_weight"}
    assert found >= {"width", "dropout", "label_smoothing", "average", "seed"}
