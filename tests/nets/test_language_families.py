"""The contract of every family of nets that write, and the effect of each option."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from torch.nn import functional

from neuroscope import nets
from neuroscope.base.errors import InputError, RecipeError
from neuroscope.nets import gpt, lstm_writer, sampling
from neuroscope.nets._language import Language
from neuroscope.nets.sampling import Sampling
from neuroscope.nets.weights import from_arrays, to_arrays

FAMILIES = [name for name in nets.catalogue.names() if hasattr(nets.catalogue.get(name), "read")]
SMALL = {"gpt": {"width": 8, "heads": 2, "layers": 2}, "lstm_writer": {"width": 8}}
WAYS = [
    ("gpt", {}),
    ("gpt", {"positions": "rotary", "tied": False}),
    ("lstm_writer", {}),
    ("lstm_writer", {"layers": 2, "channels": 5}),
]
T, V = 12, 11  # tokens of a window, and kinds of tokens


def _record(family: str, options: dict | None = None, **more) -> dict:
    shape = {"vocabulary": V, "steps": T, "seed": 5}
    return {"family": family, "options": shape | SMALL[family] | (options or {}) | more}


def _net(family: str, options: dict | None = None, **more) -> Language:
    net = nets.build(_record(family, options, **more))
    assert isinstance(net, Language)
    with torch.no_grad():  # first weights are so small that faults would hide
        for parameter in net.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10)
    return net.eval()


def _tokens(n: int = 3, t: int = T, seed: int = 1) -> torch.Tensor:
    return torch.randint(V, (n, t), generator=torch.Generator().manual_seed(seed))


def test_families_are_the_files() -> None:
    assert FAMILIES == ["gpt", "lstm_writer"]
    assert {family for family, _ in WAYS} == set(FAMILIES)


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_builds_runs_forward_and_back(family: str, options: dict) -> None:
    net = nets.build(_record(family, options))
    logits = net(_tokens())
    functional.cross_entropy(logits.flatten(0, 1), _tokens(seed=2).flatten()).backward()
    assert logits.shape == (3, T, V)
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_saves_and_loads(family: str, options: dict) -> None:
    record = json.loads(json.dumps(_record(family, options)))
    other = nets.build(_record(family, options, seed=6)).eval()
    net = nets.build(record).eval()
    assert not torch.equal(net(_tokens()), other(_tokens()))
    from_arrays(other, load(save(to_arrays(net))))
    assert torch.equal(net(_tokens()), other(_tokens()))


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_learns_sixteen_windows_by_heart(family: str, options: dict) -> None:
    net = nets.build(_record(family, options, width=32))
    tokens = torch.arange(16)[:, None] * torch.arange(1, T + 2) ** 2 % V  # all rows begin alike
    steps = torch.optim.Adam(net.parameters(), 0.01)
    loss = torch.zeros(())
    for _ in range(150):
        logits = net(tokens[:, :-1])
        loss = functional.cross_entropy(logits[:, 2:].flatten(0, 1), tokens[:, 3:].flatten())
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert loss < 0.3  # a guess among the tokens costs 2.4


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_the_weights_and_nothing_else_moves(family: str) -> None:
    before = torch.get_rng_state()
    one, same = (to_arrays(nets.build(_record(family))) for _ in range(2))
    other = to_arrays(nets.build(_record(family, seed=6)))
    assert torch.equal(before, torch.get_rng_state())
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_groups_hold_each_parameter_once(family: str, options: dict) -> None:
    net = nets.build(_record(family, options))
    found = nets.catalogue.get(family).groups(net)
    held = [id(p) for group in found for module in group for p in module.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in net.parameters()}


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_sees_no_future(family: str, options: dict) -> None:
    net, tokens = _net(family, options), _tokens()
    changed = torch.cat([tokens[:, :5], _tokens(seed=8)[:, 5:]], 1)
    torch.testing.assert_close(net(tokens)[:, :5], net(changed)[:, :5])
    assert not torch.allclose(net(tokens)[:, 5:], net(changed)[:, 5:])


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_reading_on_gives_what_reading_all_at_once_gives(family: str, options: dict) -> None:
    net, tokens = _net(family, options), _tokens()
    whole = net(tokens)
    logits, memory = nets.catalogue.get(family).read(net, tokens[:, :4])
    parts = [logits]
    for first, last in ((4, 5), (5, 6), (6, 9), (9, 12)):
        logits, memory = net.read(tokens[:, first:last], memory)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_bfloat16_answers_nearly_the_same(family: str, options: dict) -> None:
    net = nets.build(_record(family, options))
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(_tokens())
    rough.float().sum().backward()
    exact = net(_tokens()).detach()
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.05 * float(exact.abs().max()))


def test_attention_written_out_equals_the_fused_kernel(monkeypatch) -> None:
    net, tokens = _net("gpt"), _tokens()
    written = net(tokens)
    monkeypatch.setattr(gpt, "WRITTEN_OUT", {})
    torch.testing.assert_close(net(tokens), written)


def test_positions_tell_the_order_of_tokens() -> None:
    tokens = torch.tensor([[1, 2, 3, 4]])
    for positions in gpt.POSITIONS:
        net = _net("gpt", positions=positions)
        assert not torch.allclose(net(tokens)[0, -1], net(tokens[:, [1, 0, 2, 3]])[0, -1])


def test_rotary_attention_depends_on_how_far_tokens_are_apart() -> None:
    waves = gpt._waves(20, 8)
    q, k = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(0))

    def score(i: int, j: int) -> float:
        one, other = gpt.turned(q, waves[:, i : i + 1]), gpt.turned(k, waves[:, j : j + 1])
        return float((one * other).sum())

    assert score(3, 1) == pytest.approx(score(14, 12), rel=1e-4)
    assert score(3, 1) != pytest.approx(score(3, 2), rel=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_dropout_is_off_when_predicting(family: str) -> None:
    net = nets.build(_record(family, dropout=0.5))
    assert not torch.equal(net(_tokens()), net(_tokens()))
    net.eval()
    assert torch.equal(net(_tokens()), net(_tokens()))


def test_tied_weights_are_one_matrix() -> None:
    assert nets.build(_record("gpt")).head is None
    untied = nets.build(_record("gpt", tied=False))
    more = sum(p.numel() for p in untied.parameters()) - sum(
        p.numel() for p in nets.build(_record("gpt")).parameters()
    )
    assert more == V * 8


@pytest.mark.parametrize(
    ("family", "options", "word"),
    [
        ("gpt", {"heads": 3}, "heads"),
        ("gpt", {"positions": "none"}, "positions"),
        ("gpt", {"positions": "rotary", "heads": 8}, "rotary"),
        ("gpt", {"vocabulary": 1}, "vocabulary"),
        ("lstm_writer", {"vocabulary": 1}, "vocabulary"),
        ("lstm_writer", {"dropout": 1.0}, "dropout"),
        ("lstm_writer", {"layers": 0}, "layers"),
    ],
)
def test_options_out_of_range(family: str, options: dict, word: str) -> None:
    with pytest.raises(RecipeError, match=word):
        nets.build(_record(family, options))


def test_more_tokens_than_there_is_room_for() -> None:
    net = _net("gpt")
    with pytest.raises(InputError, match="13 tokens are more than the 12"):
        net(_tokens(1, 13))
    _, memory = net.read(_tokens(1, 10))
    with pytest.raises(InputError, match="13 tokens"):
        net.read(_tokens(1, 3), memory)


def _written(net: Language, seed: int = 0, **more) -> np.ndarray:
    asked = {"count": 4, "length": 30, "sampling": Sampling()} | more
    tokens = sampling.write(
        sampling.NetReader(net), [1, 2], chance=np.random.default_rng(seed), **asked
    )
    return np.stack(list(tokens), 1)


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_writes_further_than_its_memory_and_the_same_for_a_seed(family: str, options: dict) -> None:
    net = _net(family, options)
    one = _written(net)
    assert one.shape == (4, 30)
    assert np.array_equal(one, _written(net))
    assert not np.array_equal(one, _written(net, seed=1))


def test_draws_as_often_as_the_net_says() -> None:
    net = _net("gpt")
    found = _written(net, count=20_000, length=1)[:, 0]
    said = net(torch.tensor([[1, 2]]))[0, -1].softmax(0).detach().numpy()
    np.testing.assert_allclose(np.bincount(found, minlength=V) / 20_000, said, atol=0.015)


def test_a_text_that_is_over_stays_over() -> None:
    found = _written(_net("gpt"), count=50, length=200, end=3)
    first = (found == 3).argmax(1)
    for row, at in zip(found, first, strict=True):
        assert 3 in row
        assert (row[at:] == 3).all()
    assert found.shape[1] == first.max() + 1  # nothing is written when all are over


def test_what_is_not_allowed_is_never_drawn() -> None:
    allowed = np.arange(V) > 3
    assert _written(_net("gpt"), count=50, allowed=allowed).min() > 3


CHANCES = np.log(np.array([[0.1, 0.4, 0.2, 0.3]]))


def test_temperature() -> None:
    np.testing.assert_allclose(Sampling().probabilities(CHANCES), np.exp(CHANCES))
    np.testing.assert_allclose(Sampling(temperature=0).probabilities(CHANCES), [[0, 1, 0, 0]])
    sharp = np.exp(CHANCES) ** 2
    found = Sampling(temperature=0.5).probabilities(CHANCES)
    np.testing.assert_allclose(found, sharp / sharp.sum())


def test_top_k_and_top_p() -> None:
    two = [[0, 4 / 7, 0, 3 / 7]]
    np.testing.assert_allclose(Sampling(top_k=2).probabilities(CHANCES), two)
    np.testing.assert_allclose(Sampling(top_p=0.6).probabilities(CHANCES), two)
    np.testing.assert_allclose(Sampling(top_p=0.1).probabilities(CHANCES), [[0, 1, 0, 0]])
    np.testing.assert_allclose(Sampling(top_k=9).probabilities(CHANCES), np.exp(CHANCES))


@pytest.mark.parametrize(
    "wrong", [{"temperature": -1}, {"temperature": np.nan}, {"top_k": -1}, {"top_p": 0.0},
              {"top_p": 1.5}],
)  # fmt: skip
def test_sampling_out_of_range(wrong: dict) -> None:
    with pytest.raises(InputError, match=next(iter(wrong)).replace("_", "-")):
        Sampling(**wrong)


def test_a_draw_never_takes_what_has_no_chance() -> None:
    class Last:
        def random(self, shape):
            return np.full(shape, np.nextafter(1, 0))

    chances = np.array([[0.1] * 10 + [0.0]])
    assert sampling.draw(chances, Last()) == [9]  # type: ignore[arg-type]


def test_the_state_of_the_lstm_is_carried() -> None:
    net = _net("lstm_writer")
    assert isinstance(net, lstm_writer.LstmWriter)
    _, memory = net.read(_tokens())
    last = _tokens(seed=4)[:, :1]
    assert not torch.allclose(net.read(last, memory)[0], net.read(last)[0])
