"""The cross-entropy of tokens against torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.train.making import recipe
from torch import nn
from torch.nn import functional

from neuroscope.train._tokens import _LARGE, IGNORED, tokens_cross_entropy
from neuroscope.train.data import Data
from neuroscope.train.loop import fit


def case(rows: int = 300, tokens: int = _LARGE + 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits, some of them far out, and targets, some of which do not count."""
    chance = torch.Generator().manual_seed(0)
    logits = 5 * torch.randn(rows, tokens, generator=chance, dtype=torch.float64)
    logits[3, 5] = 900.0
    logits[4] = -900.0
    targets = torch.randint(0, tokens, (rows,), generator=chance)
    targets[::7] = IGNORED
    return logits, targets


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_losses_and_slopes_are_those_of_torch(smoothing: float) -> None:
    logits, targets = case()
    weights = torch.linspace(0.1, 2, len(targets), dtype=torch.float64)
    found, slopes = [], []
    for loss in (
        lambda z: tokens_cross_entropy(z, targets, smoothing),
        lambda z: functional.cross_entropy(z, targets, reduction="none", ignore_index=IGNORED,
                                           label_smoothing=smoothing),
    ):  # fmt: skip
        z = logits.clone().requires_grad_()
        each = loss(z)
        (each * weights).sum().backward()
        found.append(each.detach())
        slopes.append(z.grad)
    assert torch.allclose(*found, rtol=1e-12, atol=1e-12)
    assert torch.allclose(*slopes, rtol=1e-9, atol=1e-12)
    assert not found[0][::7].any()


def test_slopes_agree_with_differences() -> None:
    logits, targets = (part[10:12] for part in case())
    z = logits.clone().requires_grad_()
    tokens_cross_entropy(z, targets % 5, 0.1).sum().backward()
    for place in (0, 4, 77):
        off = torch.zeros_like(logits)
        off[1, place] = 1e-5
        up, down = (tokens_cross_entropy(logits + sign * off, targets % 5, 0.1).sum()
                    for sign in (1, -1))  # fmt: skip
        assert float((up - down) / 2e-5) == pytest.approx(float(z.grad[1, place]), abs=1e-7)


def test_bfloat16_logits_lose_only_their_own_rounding() -> None:
    logits, targets = case()
    narrow = logits[10:].bfloat16().requires_grad_()
    each = tokens_cross_entropy(narrow, targets[10:], 0.1)
    exact = functional.cross_entropy(narrow.detach().double(), targets[10:], reduction="none",
                                     ignore_index=IGNORED, label_smoothing=0.1)  # fmt: skip
    assert each.dtype is torch.float32
    assert torch.allclose(each.double(), exact, rtol=1e-5)
    each.sum().backward()
    assert narrow.grad.dtype is torch.bfloat16
    assert float(narrow.grad.float().sum(1).abs().max()) < 0.02  # slopes of a row sum to 0


def test_rows_that_all_do_not_count_give_nothing() -> None:
    z = torch.randn(5, _LARGE).requires_grad_()
    tokens_cross_entropy(z, torch.full((5,), IGNORED), 0.1).sum().backward()
    assert not z.grad.any()


def test_a_small_vocabulary_is_left_to_torch() -> None:
    z, targets = torch.randn(9, 4), torch.arange(9) % 4
    assert torch.equal(tokens_cross_entropy(z, targets, 0.0),
                       functional.cross_entropy(z, targets, reduction="none"))  # fmt: skip


class Words(nn.Module):
    """A table of embeddings that says which word comes next."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table, self.head = nn.Embedding(_LARGE, 16), nn.Linear(16, _LARGE)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.head(self.table(tokens))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_net_of_many_words_learns(precision: str) -> None:
    tokens = np.random.default_rng(0).integers(0, 40, (64, 8))
    data = Data(tokens, tokens[:, ::-1].copy() // 2)
    chosen = recipe(precision=precision, epochs=6, learning_rate=0.05)
    losses = [event.train_loss for event in fit(Words(), data, chosen).epochs]
    assert losses[0] > 4
    assert losses[-1] < 3.2
