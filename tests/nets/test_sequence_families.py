"""The contract of every family of nets for sequences, and the effect of each option."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from torch import nn
from torch.nn import functional

from neuroscope import nets
from neuroscope.base.errors import InputError, ModelError, RecipeError
from neuroscope.nets import recurrent, temporal, transformer
from neuroscope.nets._sequences import POOLINGS, Sequences
from neuroscope.nets.normalisation import Normalisation
from neuroscope.nets.pretrained import from_record
from neuroscope.nets.weights import from_arrays, to_arrays

FAMILIES = [name for name in nets.catalogue.names() if hasattr(nets.catalogue.get(name), "inside")]
SMALL = {
    "recurrent": {"width": 8},
    "temporal": {"width": 8, "blocks": 2},
    "transformer": {"width": 8, "heads": 2, "layers": 1},
}
# Every family, in each of the ways in which it can read.
WAYS = [
    *(("recurrent", {"cell": cell}) for cell in recurrent.CELLS),
    *(("recurrent", {"cell": cell, "both_ways": True, "layers": 2}) for cell in recurrent.CELLS),
    ("temporal", {}),
    ("temporal", {"causal": False}),
    ("transformer", {}),
    ("transformer", {"causal": True}),
    ("transformer", {"patch": 3, "stride": 2, "positions": "learned"}),
]
CAUSAL = [(f, o) for f, o in WAYS if f != "transformer" or o.get("causal")]
CAUSAL = [(f, o) for f, o in CAUSAL if o.get("causal", True) and not o.get("both_ways")]
T = 9  # steps of the longest sequence


def _record(family: str, options: dict | None = None, **more) -> dict:
    shape = {"channels": 3, "steps": T, "outputs": 4, "seed": 5}
    return {"family": family, "options": shape | SMALL[family] | (options or {}) | more}


def _net(family: str, options: dict | None = None, **more) -> Sequences:
    net = nets.build(_record(family, options, **more))
    assert isinstance(net, Sequences)
    with torch.no_grad():  # what starts at 0 could hide a fault
        for parameter in net.parameters():
            if not parameter.any():
                parameter.normal_(std=0.3, generator=_chance(2))
    return net


def _chance(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _rows(n: int = 5, t: int = T, seed: int = 1) -> torch.Tensor:
    return torch.randn(n, t, 3, generator=_chance(seed))


LENGTHS = torch.tensor([9, 1, 4, 6, 2])


def _spoiled(x: torch.Tensor, lengths: torch.Tensor, *, steps: int) -> torch.Tensor:
    """Return the same sequences in rows of `steps` steps, with nonsense behind each end."""
    wide = torch.full((len(x), steps, x.shape[2]), torch.nan)
    for row, length in enumerate(lengths):
        wide[row, :length] = x[row, :length]
        wide[row, length::2] = 1e6
    return wide


def _slopes(net: nn.Module, answers: torch.Tensor) -> list[torch.Tensor]:
    weights = torch.randn(answers.shape, generator=_chance(3), dtype=answers.dtype)
    return list(torch.autograd.grad((answers * weights).sum(), list(net.parameters())))


def test_families_are_the_files() -> None:
    assert FAMILIES == ["recurrent", "temporal", "transformer"]


@pytest.mark.parametrize(("family", "options"), WAYS)
@pytest.mark.parametrize("pooling", ["last", "mean", "attention"])
def test_builds_runs_forward_and_back(family: str, options: dict, pooling: str) -> None:
    net = nets.build(_record(family, options, pooling=pooling))
    logits = net(_rows(), LENGTHS)
    functional.cross_entropy(logits, torch.tensor([0, 1, 2, 3, 0])).backward()
    assert logits.shape == (5, 4)
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("family", FAMILIES)
def test_saves_and_loads(family: str) -> None:
    record = json.loads(json.dumps(_record(family, pooling="attention")))
    other = nets.build(_record(family, pooling="attention", seed=6)).eval()
    net = nets.build(record).eval()
    assert not torch.equal(net(_rows()), other(_rows()))
    from_arrays(other, load(save(to_arrays(net))))
    assert torch.equal(net(_rows()), other(_rows()))


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_overfits_sixteen_rows(family: str, options: dict) -> None:
    net = nets.build(_record(family, options))
    x, y = _rows(16), torch.arange(16) % 4
    lengths = torch.arange(16) % 5 + 5
    steps = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(120):
        loss = functional.cross_entropy(net(x, lengths), y)
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert loss < 0.1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_the_weights_and_nothing_else_moves(family: str) -> None:
    before = torch.get_rng_state()
    one, same = (to_arrays(nets.build(_record(family))) for _ in range(2))
    other = to_arrays(nets.build(_record(family, seed=6)))
    assert torch.equal(before, torch.get_rng_state())
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(("family", "options"), [*WAYS, ("recurrent", {"vocabulary": 7})])
@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_groups_hold_each_parameter_once(family: str, options: dict, pooling: str) -> None:
    net = nets.build(_record(family, options, pooling=pooling))
    found = nets.catalogue.get(family).groups(net)
    held = [id(p) for group in found for module in group for p in module.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in net.parameters()}
    assert found[-1] == [net.head]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_features_are_what_the_last_layer_reads(family: str, pooling: str) -> None:
    net = _net(family, pooling=pooling).eval()
    torch.testing.assert_close(net.head[-1](net.features(_rows(), LENGTHS)), net(_rows(), LENGTHS))


@pytest.mark.parametrize(
    ("family", "options", "pooling"),
    [
        (family, options, pooling)
        for family, options in WAYS
        for pooling in POOLINGS
        if not (pooling == "steps" and "patch" in options)
    ],
)
def test_padding_changes_no_output_and_no_gradient(family, options, pooling) -> None:
    net = _net(family, options | {"steps": 16}, pooling=pooling).double()
    x = _rows().double()
    alone = [net(x[i : i + 1, :length])[0] for i, length in enumerate(LENGTHS)]
    padded = net(_spoiled(x, LENGTHS, steps=14).double(), LENGTHS)
    if pooling == "steps":
        assert padded.shape == (5, 14, 4)
        empty = net.head[-1].bias.expand(14, 4)
        alone = [torch.cat([one, empty[len(one) :]]) for one in alone]
    torch.testing.assert_close(padded, torch.stack(alone))
    for one, same in zip(_slopes(net, torch.stack(alone)), _slopes(net, padded), strict=True):
        torch.testing.assert_close(one, same)


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_the_order_of_the_batch_changes_nothing(family: str, options: dict) -> None:
    net, order = _net(family, options), torch.tensor([3, 0, 4, 1, 2])
    shuffled = net(_rows()[order], LENGTHS[order])
    torch.testing.assert_close(shuffled, net(_rows(), LENGTHS)[order])


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_bfloat16_answers_nearly_the_same(family: str, options: dict) -> None:
    net = _net(family, options)
    with torch.autocast("cpu", torch.bfloat16):
        rough = net(_rows(), LENGTHS)
    rough.float().sum().backward()
    exact = net(_rows(), LENGTHS).detach()
    assert rough.dtype == torch.bfloat16
    assert not torch.equal(rough.float(), exact)
    torch.testing.assert_close(rough.float(), exact, rtol=0, atol=0.05 * float(exact.abs().max()))


@pytest.mark.parametrize(("family", "options"), CAUSAL)
def test_a_causal_net_does_not_look_ahead(family: str, options: dict) -> None:
    net, x = _net(family, options, pooling="steps"), _rows()
    changed = torch.cat([x[:, :4], 9 * _rows(seed=8)[:, 4:]], 1)
    torch.testing.assert_close(net(x)[:, :4], net(changed)[:, :4])
    assert not torch.allclose(net(x)[:, 4:], net(changed)[:, 4:])


@pytest.mark.parametrize(
    ("family", "options"),
    [("recurrent", {"both_ways": True}), ("temporal", {"causal": False}), ("transformer", {})],
)
def test_the_others_do(family: str, options: dict) -> None:
    net, x = _net(family, options, pooling="steps"), _rows()
    changed = torch.cat([x[:, :4], 9 * _rows(seed=8)[:, 4:]], 1)
    assert not torch.allclose(net(x)[:, 3], net(changed)[:, 3])


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_no_lengths_are_full_lengths_and_an_empty_sequence_is_a_zero(family, options) -> None:
    net, x = _net(family, options), _rows(2)
    torch.testing.assert_close(net(x), net(x, torch.tensor([T, T + 5])))
    torch.testing.assert_close(net(x, torch.tensor([T, 0]))[1:], net(torch.zeros(1, 1, 3)))


@pytest.mark.parametrize(("family", "options"), WAYS)
def test_tokens_take_the_place_of_numbers(family: str, options: dict) -> None:
    net = _net(family, options, vocabulary=7)
    tokens = torch.randint(0, 7, (5, T), generator=_chance(4))
    same = net.body
    numbers = Sequences(nn.Identity(), same, net.pooling, net.head)
    embedded = net.reader(tokens)
    torch.testing.assert_close(net(tokens, LENGTHS), numbers(embedded, LENGTHS))
    assert net.reader.weight.shape == (7, 3)  # type: ignore[union-attr]
    over = torch.arange(T) >= LENGTHS[:, None]
    torch.testing.assert_close(net(tokens, LENGTHS), net(tokens.masked_fill(over, 6), LENGTHS))


def test_an_embedding_as_wide_as_the_transformer_needs_no_other_map() -> None:
    assert _net("transformer", channels=8, vocabulary=7).body.tokens is None
    assert _net("transformer", channels=8).body.tokens is not None


@pytest.mark.parametrize(
    ("family", "options"), [("recurrent", {"layers": 2}), ("temporal", {}), ("transformer", {})]
)
def test_dropout_works_in_training_only(family: str, options: dict) -> None:
    net, x = _net(family, options, dropout=0.5), _rows()
    assert not torch.equal(net(x), net(x))
    bare = Sequences(net.reader, net.body, net.pooling, nn.Sequential(net.head[-1]))
    assert not torch.equal(bare(x), bare(x))  # inside the body too, not only before the head
    assert torch.equal(net.eval()(x), net(x))


@pytest.mark.parametrize("cell", recurrent.CELLS)
def test_recurrent_weights_start_orthogonal_and_gates_keep(cell: str) -> None:
    net = recurrent.build(channels=3, steps=T, outputs=2, cell=cell, width=6, both_ways=True)
    for layer in net.modules():
        if isinstance(layer, nn.RNNBase):
            for u in layer.weight_hh_l0.split(6):
                torch.testing.assert_close(u @ u.T, torch.eye(6))
            bias = (layer.bias_ih_l0 + layer.bias_hh_l0).split(6)
            assert [b.mean().item() for b in bias] == {
                "rnn": [0], "gru": [0, 1, 0], "lstm": [0, 1, 0, 0]}[cell]  # fmt: skip


def test_options_of_the_recurrent_net() -> None:
    one, two = _net("recurrent"), _net("recurrent", layers=2, both_ways=True)
    assert [type(m) for m in one.modules() if isinstance(m, nn.RNNBase)] == [nn.LSTM]
    assert sum(isinstance(m, nn.RNNBase) for m in two.modules()) == 4
    assert (one.head[-1].in_features, two.head[-1].in_features) == (8, 16)
    assert isinstance(_net("recurrent", cell="gru").body.layers[0].onward, nn.GRU)


def test_both_ways_equals_torchs_own_bidirectional_layers() -> None:
    net = _net("recurrent", both_ways=True)
    peer = nn.LSTM(3, 8, batch_first=True, bidirectional=True)
    layer = net.body.layers[0]
    ours = {f"{k}{tail}": v for half, tail in ((layer.onward, ""), (layer.back, "_reverse"))
            for k, v in half.state_dict().items()}  # fmt: skip
    peer.load_state_dict(ours)
    packed = nn.utils.rnn.pack_padded_sequence(
        _rows(), LENGTHS, batch_first=True, enforce_sorted=False
    )
    answers, (last, _) = peer(packed)
    unpacked, _ = nn.utils.rnn.pad_packed_sequence(answers, batch_first=True)
    kept = (torch.arange(T) < LENGTHS[:, None])[:, :, None]
    torch.testing.assert_close(net.body(_rows(), LENGTHS)[0] * kept, unpacked)
    torch.testing.assert_close(net.features(_rows(), LENGTHS), torch.cat([*last], 1))


@pytest.mark.parametrize("both_ways", [False, True])
def test_gates_and_cells_make_the_states(both_ways: bool) -> None:
    x = _rows()
    lstm = _net("recurrent", both_ways=both_ways, layers=2)
    found = recurrent.inside(lstm, x, LENGTHS)
    prefixes = ["layer1.", "layer2."] + ["layer1.backward.", "layer2.backward."] * both_ways
    assert len(found) == 5 * len(prefixes)
    for prefix in prefixes:
        made = found[prefix + "output_gate"] * found[prefix + "cell"].tanh()
        torch.testing.assert_close(made, found[prefix + "hidden"])
    last = torch.cat([found[p + "hidden"] for p in prefixes if p.startswith("layer2")], 2)
    kept = (torch.arange(T) < LENGTHS[:, None])[:, :, None]
    torch.testing.assert_close(last * kept, lstm.body(x, LENGTHS)[0] * kept)
    gru = _net("recurrent", cell="gru")
    found = recurrent.inside(gru, x)
    layer = gru.body.layers[0].onward
    state = torch.zeros(5, 8)
    for t in range(T):
        new, old = x[:, t] @ layer.weight_ih_l0.T + layer.bias_ih_l0, (
            state @ layer.weight_hh_l0.T + layer.bias_hh_l0)  # fmt: skip
        n = (new[:, 16:] + found["layer1.reset_gate"][:, t] * old[:, 16:]).tanh()
        z = found["layer1.update_gate"][:, t]
        state = (1 - z) * n + z * state
        torch.testing.assert_close(state, found["layer1.hidden"][:, t])


def test_options_of_the_temporal_net() -> None:
    x = torch.zeros(1, 60, 3)
    for blocks, kernel in ((1, 3), (2, 3), (2, 2), (3, 5)):
        net = _net("temporal", blocks=blocks, kernel=kernel, pooling="steps")
        moved = x.clone().requires_grad_()
        net.double()(moved.double())[0, -1].sum().backward()
        seen = int((moved.grad[0].abs().sum(1) > 0).nonzero()[0])
        assert 60 - seen == temporal.reach(blocks, kernel)
    assert len(_net("temporal", blocks=0, steps=29).body.blocks) == 3  # sees 29
    assert len(_net("temporal", blocks=0, steps=30).body.blocks) == 4
    assert _net("temporal").pooling.how == "last"
    assert _net("temporal", causal=False).pooling.how == "mean"


def test_a_temporal_block_starts_as_a_pass() -> None:
    block, x = temporal.build(channels=3, steps=T, outputs=2).body.blocks[1], torch.rand(2, 64, T)
    assert torch.equal(block(x, None), x)


@pytest.mark.parametrize("causal", [False, True])
def test_the_shown_attention_is_the_fused_one(causal: bool) -> None:
    net = _net("transformer", causal=causal, layers=2).eval()
    fused = net.body(_rows(), LENGTHS)[0]
    found = transformer.inside(net, _rows(), LENGTHS)
    kept = (torch.arange(T) < LENGTHS[:, None])[:, :, None]
    shown = net.body.norm(found["layer2.hidden"])
    torch.testing.assert_close(shown * kept, fused * kept)
    weights = found["layer1.attention"]
    assert weights.shape == (5, 2, T, T)
    torch.testing.assert_close(weights.sum(-1), torch.ones(5, 2, T))
    if causal:
        assert not weights.triu(1).any()
    else:
        assert not weights[1, :, :, 1:].any()  # of a sequence of one step only that is seen


def test_options_of_the_transformer() -> None:
    net = _net("transformer", layers=3, feed_forward=5)
    assert len(net.body.blocks) == 3
    assert net.body.blocks[0].mlp[0].out_features == 5
    assert _net("transformer").body.blocks[0].mlp[0].out_features == 32
    x = _rows(1, 10)
    for patch, stride, count in ((1, 0, 10), (4, 0, 3), (4, 2, 4), (16, 8, 1), (3, 3, 4)):
        net = _net("transformer", patch=patch, stride=stride, steps=10, pooling="mean")
        assert net.body(x, None)[0].shape[1] == count == net.body(x, torch.tensor([10]))[1]
    assert _net("transformer", causal=True).pooling.how == "last"
    assert _net("transformer").pooling.how == "mean"
    four = {heads: _net("transformer", heads=heads) for heads in (1, 4)}
    found = {heads: transformer.inside(net, x)["layer1.attention"] for heads, net in four.items()}
    assert (found[1].shape[1], found[4].shape[1]) == (1, 4)


def test_positions_tell_steps_apart() -> None:
    x = _rows(2)
    turned = x.flip(1)
    for positions in transformer.POSITIONS:
        net = _net("transformer", positions=positions)
        assert not torch.allclose(net(x), net(turned), atol=1e-4)
        net.body.positions = nn.Identity()
        torch.testing.assert_close(net(x), net(turned))
    waves = transformer.sinusoids(50, 6)
    assert waves[0].tolist() == [0, 1] * 3
    assert waves[7, 2].item() == pytest.approx(math.sin(7 / 10000 ** (2 / 6)), rel=1e-5)
    assert waves[7, 3].item() == pytest.approx(math.cos(7 / 10000 ** (2 / 6)), rel=1e-5)
    longer = _net("transformer")(_rows(2, 4 * T))
    assert torch.isfinite(longer).all()
    with pytest.raises(InputError, match="fills 10 positions, the net has learnt 9"):
        _net("transformer", positions="learned")(_rows(2, 10))


def test_waves_of_positions_are_as_high_as_asked() -> None:
    x = torch.zeros(1, 2 * T, 8)  # longer than was asked for
    for amplitude in (1.0, 0.1):
        place = _net("transformer", amplitude=amplitude).body.positions
        torch.testing.assert_close(place(x)[0], amplitude * transformer.sinusoids(2 * T, 8))
    with pytest.raises(RecipeError, match="amplitude is 0"):
        _net("transformer", amplitude=0)


@pytest.mark.parametrize("family", FAMILIES)
def test_half_of_the_words_are_hidden_while_learning(family: str) -> None:
    net = _net(family, vocabulary=50, channels=6, word_dropout=0.5)
    words = torch.randint(1, 50, (40, T), generator=_chance(1))
    net.train()
    torch.manual_seed(4)
    read = net.reader(words)
    hidden = (read == 0).all(2)
    assert 0.4 < hidden.float().mean() < 0.6
    torch.testing.assert_close(read[~hidden], net.reader.weight[words][~hidden])
    assert 0.05 < net.reader.weight.std() < 0.2
    torch.testing.assert_close(net.eval().reader(words), net.reader.weight[words])
    assert _net(family, vocabulary=50).train().reader(words).all()


def test_poolings_are_what_they_say() -> None:
    x, every = _rows(), torch.arange(5)
    net = _net("recurrent")
    h = net.body(x, LENGTHS)[0]
    torch.testing.assert_close(net.features(x, LENGTHS), h[every, LENGTHS - 1])
    net = _net("recurrent", pooling="mean")
    means = torch.stack([h[i, :length].mean(0) for i, length in enumerate(LENGTHS)])
    torch.testing.assert_close(net.features(x, LENGTHS), means)
    net = _net("recurrent", pooling="attention")
    weights = net.inside(x, LENGTHS)["pooling.attention"]
    torch.testing.assert_close(weights.sum(1), torch.ones(5))
    assert not weights[1, 1:].any()
    torch.testing.assert_close(net.features(x, LENGTHS), (weights[:, :, None] * h).sum(1))


@pytest.mark.parametrize(
    ("family", "options", "said"),
    [
        ("recurrent", {"cell": "lstn"}, "unknown cell 'lstn'"),
        ("recurrent", {"layers": 0}, "layers is 0"),
        ("recurrent", {"pooling": "first"}, "unknown pooling 'first'"),
        ("recurrent", {"vocabulary": -1}, "vocabulary is -1"),
        ("recurrent", {"word_dropout": 0.5}, "reads no words"),
        ("temporal", {"vocabulary": 9, "word_dropout": 1.0}, "word_dropout is 1.0"),
        ("recurrent", {"dropout": 1.0}, "dropout is 1.0"),
        ("recurrent", {"steps": 0}, "steps is 0"),
        ("temporal", {"kernel": 0}, "kernel is 0"),
        ("temporal", {"kernel": 4, "causal": False}, "kernel is 4"),
        ("temporal", {"blocks": -1}, "blocks is -1"),
        ("transformer", {"heads": 3}, "3 heads do not divide the width 8"),
        ("transformer", {"patch": 2, "stride": 3}, "stride 3 leaves out steps"),
        ("transformer", {"patch": 2, "pooling": "steps"}, "an answer a step"),
        ("transformer", {"positions": "none"}, "unknown positions 'none'"),
        ("transformer", {"feed_forward": -2}, "feed_forward is -2"),
    ],
)
def test_bad_options_are_refused(family: str, options: dict, said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        nets.build(_record(family, options))


def test_a_net_of_sequences_is_no_backbone_for_pictures() -> None:
    normalisation = Normalisation(size=8, resize=8, squash=False, mean=(0.5,), std=(0.5,)).to_json()
    origin = {"name": "", "notes": []}
    record = {"net": _record("recurrent"), "normalisation": normalisation, "origin": origin}
    with pytest.raises(ModelError, match="reads sequences, not pictures"):
        from_record(record)
