"""The contract of every net family for pictures and rows, and the effect of each option."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from torch import nn
from torch.nn import functional

from neuroscope import nets
from neuroscope.base.errors import InputError, ModelError, RecipeError
from neuroscope.nets import convolution, dense, residual
from neuroscope.nets._staged import Staged
from neuroscope.nets.weights import from_arrays, to_arrays

# What families for sequences, those that write, and those for sentence pairs have instead.
OTHERS = ("inside", "read", "attention")
FAMILIES = [name for name in nets.catalogue.names()
            if not any(hasattr(nets.catalogue.get(name), other) for other in OTHERS)]  # fmt: skip
PICTURE_FAMILIES = [name for name in FAMILIES if hasattr(nets.catalogue.get(name), "last_maps")]
SMALL = {"dense": {"hidden": [8]}, "convolution": {"width": 4}, "residual": {"width": 4}}


def _record(family: str, channels: int, size: int, outputs: int = 3, **options) -> dict:
    shape = {"channels": channels, "size": size, "outputs": outputs, "seed": 5}
    return {"family": family, "options": shape | SMALL.get(family, {}) | options}


def _pictures(channels: int, size: int, n: int = 4) -> torch.Tensor:
    return torch.randn(n, channels, size, size, generator=torch.Generator().manual_seed(1))


def test_families_are_the_files() -> None:
    assert FAMILIES == ["convolution", "dense", "residual"]
    assert PICTURE_FAMILIES == ["convolution", "residual"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("channels", "size"), [(1, 8), (1, 28), (3, 13), (3, 33), (1, 67), (3, 2)])
def test_builds_runs_forward_and_back(family: str, channels: int, size: int) -> None:
    net = nets.build(_record(family, channels, size))
    logits = net(_pictures(channels, size))
    functional.cross_entropy(logits, torch.tensor([0, 1, 2, 0])).backward()
    assert logits.shape == (4, 3)
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("family", FAMILIES)
def test_saves_and_loads(family: str) -> None:
    record = json.loads(json.dumps(_record(family, 3, 13)))
    net, other = (
        nets.build(record),
        nets.build(record | {"options": record["options"] | {"seed": 6}}),
    )
    net(_pictures(3, 13))  # moves the statistics of batch norms
    from_arrays(other, load(save(to_arrays(net))))
    x = _pictures(3, 13)
    assert torch.equal(net.eval()(x), other.eval()(x))


@pytest.mark.parametrize("family", FAMILIES)
def test_overfits_sixteen_rows(family: str) -> None:
    net = nets.build(_record(family, 1, 12))
    x, y = _pictures(1, 12, 16), torch.arange(16) % 3
    steps = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(80):
        loss = functional.cross_entropy(net(x), y)
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert loss < 0.1
    assert (net(x).argmax(1) == y).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_decides_the_weights_and_nothing_else_moves(family: str) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    one, same = (to_arrays(nets.build(_record(family, 1, 9))) for _ in range(2))
    other = to_arrays(nets.build(_record(family, 1, 9) | {"options": {"seed": 6} | {
        k: v for k, v in _record(family, 1, 9)["options"].items() if k != "seed"}}))  # fmt: skip
    assert torch.equal(before, torch.get_rng_state())
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("family", FAMILIES)
def test_groups_hold_each_parameter_once(family: str) -> None:
    net = nets.build(_record(family, 3, 33))
    groups = nets.catalogue.get(family).groups(net)
    held = [id(p) for group in groups for module in group for p in module.parameters()]
    assert len(held) == len(set(held))
    assert set(held) == {id(p) for p in net.parameters()}
    assert groups[-1] == [net.head]


@pytest.mark.parametrize("family", PICTURE_FAMILIES)
def test_last_maps_are_maps(family: str) -> None:
    net, shapes = nets.build(_record(family, 1, 28)), []
    layer = nets.catalogue.get(family).last_maps(net)
    layer.register_forward_hook(lambda _layer, _given, out: shapes.append(out.shape))
    net(_pictures(1, 28))
    assert len(shapes[0]) == 4
    assert 4 <= shapes[0][2] <= 7


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_what_the_last_layer_reads(family: str) -> None:
    net = nets.build(_record(family, 1, 9)).eval()
    x = _pictures(1, 9)
    torch.testing.assert_close(net.head[-1](net.features(x)), net(x))


def test_the_benchmark_net_is_conv32_pool_conv64_pool_dense128() -> None:
    net = convolution.build(channels=1, size=28, outputs=10, blocks=2, batch_norm=False)
    layers = [m for m in net.modules() if not list(m.children()) and not isinstance(m, nn.ReLU)]
    kinds = [type(layer).__name__ for layer in layers]
    assert kinds == ["Conv2d", "MaxPool2d", "Conv2d", "MaxPool2d", "Flatten", "Linear", "Linear"]
    assert [tuple(p.shape) for p in net.parameters() if p.ndim > 1] == [
        (32, 1, 3, 3), (64, 32, 3, 3), (128, 64 * 7 * 7), (10, 128)]  # fmt: skip
    valid = convolution.build(
        channels=1, size=28, outputs=10, blocks=2, batch_norm=False, padding=0
    )
    assert sum(p.numel() for p in valid.parameters()) == 225_034  # as Keras counts its default


def _count(net: Staged, kind: type) -> int:
    return sum(isinstance(layer, kind) for layer in net.modules())


def test_options_of_the_convolutional_net() -> None:
    plain = {"channels": 1, "size": 28, "outputs": 3, "width": 4}
    assert _count(convolution.build(**plain), nn.MaxPool2d) == 2
    assert _count(convolution.build(**plain, blocks=3), nn.MaxPool2d) == 3
    assert _count(convolution.build(**plain, convolutions=2), nn.Conv2d) == 4
    assert _count(convolution.build(**plain), nn.BatchNorm2d) == 2
    assert _count(convolution.build(**plain, batch_norm=False), nn.BatchNorm2d) == 0
    assert _count(convolution.build(**plain, hidden=()), nn.Linear) == 1
    assert _count(convolution.build(**plain, hidden=(5, 6)), nn.Linear) == 3
    assert convolution.build(**plain).stages[1][0].out_channels == 8
    assert _count(convolution.build(**plain, hidden=(5, 6), hidden_norm=True), nn.BatchNorm1d) == 2
    assert _count(convolution.build(**plain), nn.BatchNorm1d) == 0


def test_a_norm_before_the_dense_units_leaves_none_dead() -> None:
    """What they read is positive and much alike: a unit fires for all rows or for none."""
    x = 0.2 * _pictures(1, 28, 64) + _pictures(1, 28, 1)
    dead = []
    for hidden_norm in (False, True):
        net = convolution.build(channels=1, size=28, outputs=3, width=8, hidden_norm=hidden_norm)
        fired = net.train().features(x) > 0
        dead.append(int((~fired.any(0)).sum()))
    assert dead[0] > 20
    assert dead[1] == 0


def test_options_of_the_residual_net() -> None:
    plain = {"channels": 1, "size": 28, "outputs": 3, "width": 4}
    one, two = residual.build(**plain), residual.build(**plain, blocks=2)
    assert _count(two, residual.Residual) == 2 * _count(one, residual.Residual) == 4
    assert one.head[-1].in_features == 16
    assert len(residual.build(**plain | {"size": 64}).stages) == 5
    assert _count(residual.build(**plain | {"size": 128}).stages[0], nn.Conv2d) == 2


@pytest.mark.parametrize("build", [dense.build, convolution.build, residual.build])
def test_dropout_works_in_training_only(build) -> None:
    net, x = build(channels=1, size=8, outputs=3, dropout=0.5), _pictures(1, 8)
    net(x)
    assert not torch.equal(net(x), net(x))
    assert torch.equal(net.eval()(x), net(x))


def test_a_residual_block_starts_as_a_pass() -> None:
    block = residual.build(channels=1, size=14, outputs=3, width=4).stages[1][1]
    x = torch.rand(2, 8, 7, 7)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_start_as_he_says(family: str) -> None:
    net = nets.build(_record(family, 3, 16, outputs=40))
    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        fan_in = layer.weight[0].numel()
        wanted = (1 if layer is layers[-1] else 2) / fan_in
        off = 4 * (2 / layer.weight.numel()) ** 0.5  # four standard errors of a variance
        assert layer.weight.pow(2).mean().item() == pytest.approx(wanted, rel=off)
        assert layer.bias is None or not layer.bias.any()


def test_the_dense_net_equals_its_formula() -> None:
    net = dense.build(channels=5, size=1, outputs=2, hidden=(4,), seed=1)
    x = torch.randn(6, 5, 1, 1)
    w1, b1, w2, b2 = (p.detach() for p in net.parameters())
    torch.testing.assert_close(net(x), (x.flatten(1) @ w1.T + b1).clamp(min=0) @ w2.T + b2)


@pytest.mark.parametrize(
    ("family", "options", "said"),
    [
        ("convolution", {"width": 0}, "width is 0"),
        ("convolution", {"padding": 2}, "padding is 2"),
        ("convolution", {"blocks": 5}, "block 4 leaves nothing"),
        ("convolution", {"widht": 3}, "did you mean 'width'?"),
        ("residual", {"blocks": 0}, "blocks is 0"),
        ("residual", {"dropout": 1.0}, "dropout is 1.0"),
        ("dense", {"hidden": [4, 0]}, "at least 1 unit"),
        ("dense", {"outputs": True}, "outputs is True"),
    ],
)
def test_bad_options_are_refused(family: str, options: dict, said: str) -> None:
    with pytest.raises(RecipeError, match=said.replace("?", r"\?")):
        nets.build(_record(family, 1, 12, **options))


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match="did you mean 'residual'"):
        nets.build({"family": "residul", "options": {}})


def test_weights_that_do_not_fit_are_named() -> None:
    net = nets.build(_record("dense", 1, 4))
    arrays = to_arrays(net)
    name = "stages.hidden1.0.weight"
    for changed, said in [
        ({k: v for k, v in arrays.items() if k != name}, f"missing: {name}"),
        (arrays | {"more": np.zeros(1)}, "not of this net: more"),
        (arrays | {name: np.zeros((2, 2), np.float32)}, r"\(2, 2\) instead of \(8, 16\)"),
    ]:
        with pytest.raises(ModelError, match=said):
            from_arrays(net, changed)
