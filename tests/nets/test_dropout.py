"""Dropout with few draws: the share is met, the rest is scaled, and a seed repeats."""

from __future__ import annotations

import pytest
import torch

from neuroscope.nets._dropout import Dropout


@pytest.mark.parametrize("p", [0.001, 0.1, 0.5, 0.999])
def test_the_share_is_met_and_the_mean_stays(p) -> None:
    x = torch.ones(1000, 1003)
    torch.manual_seed(0)
    y = Dropout(p)(x)
    share = float((y == 0).float().mean())
    assert abs(share - p) < 5 * (p * (1 - p) / x.numel()) ** 0.5 + 1 / 65_536
    assert y[y != 0].unique().numel() == 1
    assert abs(float(y.double().mean()) - 1) < 0.05


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(1)
    dropped = (Dropout(0.3)(torch.ones(400_000)) == 0).double()
    for apart in (1, 2, 3, 4, 5):
        both = float((dropped[:-apart] * dropped[apart:]).mean())
        assert abs(both - 0.09) < 0.003


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_gradients_pass_where_units_stay(kind) -> None:
    x = torch.randn(3, 5, 7, dtype=kind, requires_grad=True)
    torch.manual_seed(2)
    y = Dropout(0.4)(x)
    y.sum().backward()
    assert y.dtype == kind and x.grad is not None
    assert torch.equal(x.grad == 0, y == 0)
    assert torch.allclose((x * x.grad).float(), y.float())


def test_a_seed_repeats_and_predicting_drops_nothing() -> None:
    layer, x = Dropout(0.5), torch.ones(50)
    torch.manual_seed(3)
    first = layer(x)
    torch.manual_seed(3)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
    assert layer.eval()(x) is x
    assert Dropout(0.0)(x) is x
