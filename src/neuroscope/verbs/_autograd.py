"""The step of a trace taken once more by PyTorch: the other side of the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import optim
from torch.nn import functional

from neuroscope.neuron.trace import LayerTrace, Trace


def pairs(trace: Trace) -> Iterator[tuple[str, Any, torch.Tensor]]:
    """Yield (name, ours, PyTorch's) for each table of numbers."""
    weights = [_leaf(layer.weights) for layer in trace.layers]
    biases = [_leaf(layer.bias) for layer in trace.layers]
    sums, outputs = [], [torch.tensor(trace.layers[0].inputs)]
    for layer, w, b in zip(trace.layers, weights, biases, strict=True):
        sums.append(outputs[-1] @ w + b)
        outputs.append(_activation(layer.activation, sums[-1]))
    at_z = trace.layers[-1].dloss_da is None
    answered = sums[-1] if at_z else outputs[-1]
    loss = _loss(trace, sums[-1], answered)
    kept = [*sums, *outputs[1:]]
    for tensor in kept:
        if tensor.requires_grad:
            tensor.retain_grad()
    loss.backward()
    yield "loss", trace.loss, loss
    for i, layer in enumerate(trace.layers):
        place = f"layer {layer.number}"
        yield f"z, {place}", layer.z, sums[i]
        yield f"a, {place}", layer.a, outputs[i + 1]
        yield f"dloss/dz, {place}", layer.dloss_dz, _grad(sums[i])
        if layer.dloss_da is not None and not _saturated(trace, layer):
            yield f"dloss/da, {place}", layer.dloss_da, _dloss_da(trace, outputs, i)
        yield f"dloss/dw, {place}", layer.dloss_dw, _grad(weights[i])
        yield f"dloss/db, {place}", layer.dloss_db, _grad(biases[i])
    rate = trace.learning_rate
    for layer, w, b in zip(trace.layers, weights, biases, strict=True):
        place = f"layer {layer.number}"
        yield f"new weights, {place}", layer.new_weights, w - rate * _grad(w)
        yield f"new bias, {place}", layer.new_bias, b - rate * _grad(b)
    _step(trace, weights, biases)
    for layer, w, b in zip(trace.layers, weights, biases, strict=True):
        place = f"layer {layer.number}"
        yield f"weights after {trace.optimizer}, {place}", layer.optimizer_weights, w
        yield f"bias after {trace.optimizer}, {place}", layer.optimizer_bias, b


def _leaf(values: np.ndarray) -> torch.Tensor:
    return torch.tensor(values, requires_grad=True)


def _grad(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.new_zeros(tensor.shape) if tensor.grad is None else tensor.grad


def _saturated(trace: Trace, layer: LayerTrace) -> bool:
    """Say whether dloss/da has no finite value: a log loss at an output of exactly 0 or 1."""
    logarithmic = trace.loss_name in ("binary_cross_entropy", "cross_entropy")
    last = layer.number == len(trace.layers)
    return last and logarithmic and bool(((layer.a < 1e-12) | (layer.a > 1 - 1e-12)).any())


def _dloss_da(trace: Trace, outputs: list[torch.Tensor], i: int) -> torch.Tensor:
    """Return dloss/da of layer i; log losses, written from z above, are taken from a here."""
    if i < len(trace.layers) - 1:
        return _grad(outputs[i + 1])
    a, y = outputs[i + 1].detach().requires_grad_(), torch.tensor(trace.target)
    if trace.loss_name == "binary_cross_entropy":
        loss = functional.binary_cross_entropy(a, y, reduction="sum")
    elif trace.loss_name == "cross_entropy":
        loss = -(y * torch.log(a)).sum()
    else:
        loss = _loss(trace, a, a)
    loss.backward()
    return _grad(a)


def _activation(name: str, z: torch.Tensor) -> torch.Tensor:
    return {
        "identity": z.clone,
        "threshold": lambda: (z >= 0).to(z.dtype),
        "sign": lambda: torch.where(z >= 0, 1.0, -1.0).to(z.dtype),
        "sigmoid": lambda: torch.sigmoid(z),
        "tanh": lambda: torch.tanh(z),
        "relu": lambda: torch.relu(z),
        "leaky_relu": lambda: functional.leaky_relu(z, 0.01),
        "gelu": lambda: functional.gelu(z, approximate="tanh"),
        "selu": lambda: functional.selu(z),
        "mish": lambda: functional.mish(z),
        "softmax": lambda: torch.softmax(z, dim=0),
    }[name]()


def _loss(trace: Trace, z: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    y = torch.tensor(trace.target)
    return {
        "perceptron": lambda: torch.clamp(-y * a, min=0.0),
        "mean_squared_error": lambda: 0.5 * (a - y) ** 2,
        "huber": lambda: functional.huber_loss(a, y, reduction="none", delta=trace.huber_delta),
        "binary_cross_entropy": lambda: functional.binary_cross_entropy_with_logits(
            z, y, reduction="none"
        ),
        "cross_entropy": lambda: -y * torch.log_softmax(z, dim=0),
    }[trace.loss_name]().sum()


def _step(trace: Trace, weights: list[torch.Tensor], biases: list[torch.Tensor]) -> None:
    """Let torch.optim take the optimizer's first step, penalties and clipping included."""
    for w in weights:
        w.grad = _grad(w) + trace.l1 * torch.sign(w.detach()) + trace.l2 * w.detach()
    if trace.clip_norm > 0:
        leaves = [*weights, *biases]
        length = float(torch.cat([_grad(leaf).ravel() for leaf in leaves]).norm())
        for leaf in leaves:
            leaf.grad = _grad(leaf) * min(1.0, trace.clip_norm / max(length, 1e-30))
    groups = [
        {"params": weights, "weight_decay": trace.weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    _peer(trace, groups).step()


def _peer(trace: Trace, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    rate, rule = trace.learning_rate, trace.rule
    betas = rule.get("beta1", 0.9), rule.get("beta2", 0.999)
    eps, momentum = rule.get("epsilon", 1e-8), rule.get("momentum", 0.0)
    return {
        "sgd": lambda: optim.SGD(groups, rate),
        "momentum": lambda: optim.SGD(groups, rate, momentum=momentum),
        "nesterov": lambda: optim.SGD(groups, rate, momentum=momentum, nesterov=True),
        "adagrad": lambda: optim.Adagrad(groups, rate, eps=eps),
        "rmsprop": lambda: optim.RMSprop(groups, rate, alpha=betas[1], eps=eps),
        "adam": lambda: optim.Adam(groups, rate, betas=betas, eps=eps),
        "adamw": lambda: optim.AdamW(groups, rate, betas=betas, eps=eps),
    }[trace.optimizer]()
