"""How far back a net remembers, held against sums worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neuroscope import nets
from neuroscope.base.errors import InputError
from neuroscope.explain.memory import Memory, memory, states
from neuroscope.nets import recurrent, transformer

LENGTHS = torch.tensor([12, 5, 8])


class Leaky(nn.Module):
    """y_t = 0.5 y_t-1 + x_t, so that the gradient k steps back is 0.5^k; two outputs, y and 3 y."""

    def __init__(self, every_step: bool) -> None:
        super().__init__()
        self.every_step = every_step

    def forward(self, x, lengths=None):
        state, found = torch.zeros(len(x)), []
        for t in range(x.shape[1]):
            state = 0.5 * state + x[:, t, 0]
            found.append(torch.stack([state, 3 * state], 1))
        steps = torch.stack(found, 1)
        if self.every_step:
            return steps
        last = torch.full((len(x),), x.shape[1]) if lengths is None else lengths
        return steps[torch.arange(len(x)), last - 1]


@pytest.mark.parametrize("every_step", [False, True])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_a_leaky_sum_forgets_by_halves(every_step: bool, lengths) -> None:
    x = torch.randn(3, 12, 2)
    halves = 0.5 ** np.arange(12)
    one = memory(Leaky(every_step), x, lengths, output=1)
    both = memory(Leaky(every_step), x, lengths)
    np.testing.assert_allclose(one.gradient, 3 * halves, rtol=1e-6)
    np.testing.assert_allclose(both.gradient, 10**0.5 * halves, rtol=1e-6)
    if lengths is not None:
        assert one.sequences.tolist() == [3] * 5 + [2] * 3 + [1] * 4
    assert one.reach() == 6  # 0.5^6 = 0.016
    assert one.reach(0.3) == 1


def test_a_gap_on_the_way_does_not_end_the_reach() -> None:
    assert Memory(np.array([1.0, 0.0, 0.02]), np.array([2, 2, 1])).reach() == 2


@pytest.mark.parametrize("options", [{"cell": "rnn"}, {"cell": "lstm"}, {"cell": "gru"}, None])
@pytest.mark.parametrize("training", [False, True])
def test_it_is_the_jacobian_and_leaves_the_net_as_it_was(options, training: bool) -> None:
    shape = {"channels": 3, "steps": 12, "outputs": 2, "width": 8, "dropout": 0.3}
    family = "transformer" if options is None else "recurrent"
    net = nets.build({"family": family, "options": shape | (options or {})}).train(training)
    x = torch.randn(3, 12, 3)
    next(net.parameters()).requires_grad_(False)
    found = memory(net, x, LENGTHS)
    assert net.training is training
    assert [p.requires_grad for p in net.parameters()].count(False) == 1
    assert all(p.grad is None for p in net.parameters())
    net.eval()
    jacobian = torch.autograd.functional.jacobian(lambda one: net(one, LENGTHS), x)
    norms = torch.stack([jacobian[i, :, i].norm(dim=(0, 2)) for i in range(3)]).numpy()
    wanted = [
        np.mean([norms[i, n - 1 - k] for i, n in enumerate(LENGTHS.tolist()) if k < n])
        for k in range(12)
    ]
    np.testing.assert_allclose(found.gradient, wanted, rtol=1e-4, atol=1e-9)


def test_tokens_are_looked_at_through_their_embedding() -> None:
    net = recurrent.build(channels=4, steps=9, outputs=2, width=5, vocabulary=6)
    tokens = torch.randint(0, 6, (3, 12), generator=torch.Generator().manual_seed(0))
    found = memory(net, tokens, LENGTHS, reader=net.reader)
    numbers = recurrent.build(channels=4, steps=9, outputs=2, width=5)
    numbers.load_state_dict({k: v for k, v in net.state_dict().items() if "reader" not in k})
    same = memory(numbers, net.reader(tokens).detach(), LENGTHS)
    np.testing.assert_allclose(found.gradient, same.gradient, rtol=1e-5)
    with pytest.raises(InputError, match="tokens have no gradient"):
        memory(net, tokens, LENGTHS)
    with pytest.raises(InputError, match="no part of the net"):
        memory(net, tokens, LENGTHS, reader=numbers.reader)
    with pytest.raises(InputError, match="output 2 of 2"):
        memory(net, tokens, LENGTHS, reader=net.reader, output=2)


def test_a_plain_recurrent_net_forgets_what_an_lstm_keeps() -> None:
    shape = {"channels": 2, "steps": 60, "outputs": 1, "width": 32}
    x = torch.randn(8, 60, 2, generator=torch.Generator().manual_seed(0))
    kept = {}
    for cell in ("rnn", "lstm"):
        found = memory(recurrent.build(cell=cell, **shape), x)
        kept[cell] = found.gradient[30] / found.gradient[0]
    assert kept["lstm"] > 10 * kept["rnn"]


def test_states_are_those_of_one_sequence_without_dropout() -> None:
    x = torch.randn(1, 12, 3)
    shape = {"channels": 3, "steps": 12, "outputs": 2, "width": 8, "dropout": 0.5}
    net = transformer.build(**shape).train()
    found = states(net, transformer.inside, x, torch.tensor([7]))
    assert net.training
    assert found["layer1.attention"].shape == (4, 7, 7)
    assert found["layer2.hidden"].shape == (7, 8)
    np.testing.assert_array_equal(
        found["layer2.hidden"], states(net, transformer.inside, x[:, :7])["layer2.hidden"]
    )
    with pytest.raises(InputError, match="2 sequences given"):
        states(net, transformer.inside, x.expand(2, -1, -1))
