"""What explains a picture: each against nets whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from neuroscope.base.errors import InputError
from neuroscope.explain.feature_maps import feature_maps
from neuroscope.explain.filters import first_filters
from neuroscope.explain.gradcam import gradcam


class Corners(nn.Module):
    """Class 0 is the light in the upper left quarter, class 1 that in the lower right."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(1, 2, 1, bias=False)
        self.switch = nn.Dropout(0.5)
        nn.init.ones_(self.maps.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.switch(self.maps(x))
        h, w = a.shape[2] // 2, a.shape[3] // 2
        return torch.stack([a[:, 0, :h, :w].sum((1, 2)), a[:, 1, h:, w:].sum((1, 2))], 1)


class Tokens(nn.Module):
    """The same on tokens (n, 1 + 16, 3) behind a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Linear(4, 3, bias=False)
        self.tokens = nn.Identity()
        nn.init.ones_(self.patches.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patches(nn.functional.unfold(x, 2, stride=2).transpose(1, 2))
        tokens = self.tokens(torch.cat([torch.ones_like(patches[:, :1]), patches], 1))[:, 1:]
        grid = tokens.unflatten(1, (4, 4))
        return torch.stack([grid[:, :2, :2].sum((1, 2, 3)), grid[:, 2:, 2:].sum((1, 2, 3))], 1)


def _lit(places: list[tuple[int, int]], size: int = 8) -> torch.Tensor:
    x = torch.zeros(len(places), 1, size, size)
    for row, (i, j) in enumerate(places):
        x[row, 0, i : i + 2, j : j + 2] = 1
    return x


def _brightest(heat: np.ndarray) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(heat.argmax(), heat.shape))


@pytest.mark.parametrize("frozen", [False, True])
def test_gradcam_lights_where_the_evidence_is(frozen: bool) -> None:
    net = Corners().requires_grad_(not frozen).train()
    net.switch.eval()
    heat = gradcam(net, net.maps, _lit([(0, 2), (6, 4)]), [0, 1])
    assert heat.shape == (2, 8, 8)
    assert heat.dtype == np.float32
    np.testing.assert_allclose(heat[0], _lit([(0, 2)])[0, 0], atol=1e-6)
    np.testing.assert_allclose(heat[1], _lit([(6, 4)])[0, 0], atol=1e-6)
    assert (net.training, net.switch.training) == (True, False)
    assert net.maps.weight.requires_grad is not frozen
    assert net.maps.weight.grad is None


def test_gradcam_equals_its_formula_with_gradients_by_finite_differences() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 3, 3, padding=1)
    head = nn.Sequential(nn.Tanh(), nn.Flatten(), nn.Linear(3 * 16, 2))
    net = nn.Sequential(layer, *head).double().eval()
    x = torch.randn(1, 1, 4, 4, dtype=torch.float64)
    with torch.no_grad():
        a = layer(x)
        slopes = torch.zeros_like(a)
        for place in np.ndindex(a.shape):
            step = torch.zeros_like(a)
            step[place] = 1e-5
            slopes[place] = (head(a + step) - head(a - step))[0, 1] / 2e-5
        wanted = (slopes.mean((2, 3), keepdim=True) * a).sum(1).clamp(min=0)[0]
    assert wanted.max() > 0
    np.testing.assert_allclose(
        gradcam(net, layer, x, [1])[0], wanted / wanted.max(), rtol=1e-4, atol=1e-6
    )


def test_gradcam_on_tokens_leaves_the_class_token_out() -> None:
    net = Tokens()
    heat = gradcam(net, net.tokens, _lit([(0, 2), (6, 6)]), np.array([0, 1]))
    assert _brightest(heat[0]) in [(0, 2), (0, 3), (1, 2), (1, 3), (0, 1)]
    assert heat[0, 4:].sum() == heat[0, :, 5:].sum() == 0
    assert heat[1, :5].sum() == heat[1, :, :5].sum() == 0
    assert heat[1, 7, 7] == 1


def test_gradcam_without_evidence_is_dark() -> None:
    net = Corners()
    nn.init.constant_(net.maps.weight, -1)  # light speaks against both classes
    assert not gradcam(net, net.maps, _lit([(0, 2), (6, 6)]), [0, 1]).any()


def test_gradcam_is_the_same_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    net, x = Corners(), torch.rand(5, 1, 8, 8)
    whole = gradcam(net, net.maps, x, [0, 1, 0, 1, 0])
    monkeypatch.setattr("neuroscope.explain.gradcam.BATCH", 2)
    np.testing.assert_array_equal(gradcam(net, net.maps, x, [0, 1, 0, 1, 0]), whole)


def test_gradcam_keeps_nothing_below_the_layer() -> None:
    below = nn.Conv2d(1, 1, 1)
    net = nn.Sequential(below, Corners())
    seen = []
    net[1].maps.register_forward_pre_hook(lambda _, given: seen.append(given[0].requires_grad))
    gradcam(net, net[1].maps, torch.rand(2, 1, 8, 8), [0, 1])
    assert seen
    assert not any(seen)


def test_gradcam_draws_up_to_the_picture() -> None:
    net = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4, 1))
    nn.init.ones_(net[2].weight)
    heat = gradcam(
        net, net[0], torch.cat([torch.ones(1, 1, 8, 4), torch.zeros(1, 1, 8, 4)], 3), [0]
    )
    assert heat.shape == (1, 8, 8)
    assert heat[0, 0, 0] == 1
    assert heat[0, 0, 7] == 0
    assert (np.diff(heat[0, 0]) <= 0).all()


def test_gradcam_says_what_does_not_fit() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    x = _lit([(0, 0)])
    with pytest.raises(InputError, match="1 pictures and 2 classes"):
        gradcam(net, net[1], x, [0, 1])
    with pytest.raises(InputError, match=r"shape \(1, 2\)"):
        gradcam(net, net[1], x, [0])
    with pytest.raises(InputError, match="no part of the net"):
        gradcam(net, nn.Linear(1, 1), x, [0])


def test_filters_strongest_first_scaled_by_themselves() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 2), nn.ReLU(), nn.Conv2d(4, 9, 1))
    with torch.no_grad():
        net[0].weight.copy_(
            torch.tensor([0.0, 3.0, -1.0, 2.0])[:, None, None, None].expand(4, 3, 2, 2)
        )
        net[0].weight[1, 0] = 1.5
    shown = first_filters(net)
    assert shown.shape == (4, 2, 2, 3)
    assert (shown[0, ..., 0] == 0.75).all()
    assert (shown[0, ..., 1:] == 1).all()
    assert (shown[1] == 1).all()  # 2, scaled by itself
    assert (shown[2] == 0).all()
    assert (shown[3] == 0.5).all()
    assert len(first_filters(net, most=2)) == 2
    np.testing.assert_array_equal(first_filters(net, most=2), shown[:2])


def test_filters_of_other_channels_are_averaged() -> None:
    net = nn.Conv2d(5, 2, 3)
    assert first_filters(net).shape == (2, 3, 3, 1)
    with pytest.raises(InputError, match="no convolution"):
        first_filters(nn.Linear(3, 3))


def test_feature_maps_are_the_strongest_of_each_block() -> None:
    first, second = nn.Conv2d(1, 3, 1), nn.Conv2d(3, 5, 2, stride=2)
    net = nn.Sequential(first, nn.Dropout(0.9), second, nn.Flatten(), nn.LazyLinear(2)).train()
    with torch.no_grad():
        first.weight.copy_(torch.tensor([1.0, 4.0, -8.0])[:, None, None, None])
        first.bias.zero_()
    x = torch.rand(1, 1, 6, 6)
    first.eval()
    seen = feature_maps(net, {"one": first, "flat": net[3], "two": second}, x, most=2)
    assert [block.block for block in seen] == ["one", "two"]
    assert seen[0].channels.tolist() == [2, 1]
    assert [block.total for block in seen] == [3, 5]
    assert seen[1].maps.shape == (2, 3, 3)
    assert not seen[0].maps[0].any()  # negative everywhere
    np.testing.assert_allclose(seen[0].maps[1], x[0, 0] / x.max(), rtol=1e-6)
    assert (net.training, net[1].training, first.training) == (True, True, False)


def test_feature_maps_want_one_picture() -> None:
    net = nn.Conv2d(1, 1, 1)
    with pytest.raises(InputError, match="2 pictures"):
        feature_maps(net, {"one": net}, torch.rand(2, 1, 4, 4))
