"""The same arithmetic in PyTorch's words: what the core is held against."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch.nn import functional

from neuroscope.base.recipe import Recipe
from neuroscope.neuron.backprop import backprop
from neuroscope.neuron.forward import forward, make_workspace
from neuroscope.neuron.network import Network
from neuroscope.neuron.step import Examples

ACTIVATIONS = {
    "identity": lambda z: z,
    "threshold": lambda z: (z >= 0).to(z.dtype),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "gelu": lambda z: functional.gelu(z, approximate="tanh"),
    "selu": functional.selu,
    "mish": functional.mish,
    "softmax": lambda z: torch.softmax(z, dim=1),
}


def loss_of(name: str, z, a, y, w, huber_delta: float):
    """Return the mean over rows of weight times the sum over outputs."""
    each = {
        "perceptron": lambda: torch.relu(-y * a),
        "mean_squared_error": lambda: 0.5 * (a - y) ** 2,
        "huber": lambda: functional.huber_loss(a, y, reduction="none", delta=huber_delta),
        "binary_cross_entropy": lambda: functional.binary_cross_entropy_with_logits(
            z, y, reduction="none"
        ),
        "cross_entropy": lambda: -y * torch.log_softmax(z, dim=1),
    }[name]()
    return (w * each.sum(dim=1)).mean()


def loss_at(network: Network, theta, examples: Examples):
    """Return the loss of a network as a function of its weight vector, in float64."""
    tensor = lambda values: torch.tensor(np.asarray(values, np.float64))  # noqa: E731
    shape, a, z = network.shape, tensor(examples.x), None
    for layer, (n_in, n_out) in enumerate(itertools.pairwise(network.widths)):
        weights = theta[shape.weights_at[layer] :][: n_in * n_out].reshape(n_in, n_out)
        z = a @ weights + theta[shape.bias_at[layer] :][:n_out]
        a = ACTIVATIONS[network.activations[layer]](z)
    return loss_of(
        network.loss_name, z, a, tensor(examples.y), tensor(examples.w), network.huber_delta
    )


def autograd(network: Network, examples: Examples) -> np.ndarray:
    """Return the gradient of `loss_at`, in float64."""
    theta = torch.tensor(network.theta.astype(np.float64), requires_grad=True)
    loss_at(network, theta, examples).backward()
    return theta.grad.numpy()


def core_gradient(network: Network, examples: Examples, *, dropout: float = 0.0, chance: int = 0):
    """Return the core's own gradient of one batch."""
    shape, dtype = network.shape, network.theta.dtype
    work = make_workspace(shape, len(examples.x), dtype)
    gradient = np.full(network.theta.size, np.nan, dtype)
    forward(shape, network.theta, examples.x, work, dropout, chance)
    backprop(shape, network.theta, examples.x, examples.y, examples.w, work, gradient)
    return gradient


def targets_for(loss: str, rng: np.random.Generator, rows: int, outputs: int) -> np.ndarray:
    """Draw targets that the loss is defined on."""
    if loss == "cross_entropy":
        return np.eye(outputs)[rng.integers(outputs, size=rows)] * 0.9 + 0.1 / outputs
    if loss == "binary_cross_entropy":
        return rng.integers(0, 2, size=(rows, outputs)) * 0.95
    if loss == "perceptron":
        return rng.choice([-1.0, 1.0], size=(rows, outputs))
    return rng.normal(0, 1.5, size=(rows, outputs))


def random_case(
    rng: np.random.Generator,
    loss: str,
    output: str,
    hidden: str,
    *,
    depth: int,
    precision: str = "float64",
) -> tuple[Network, Examples]:
    """Draw a net with weights and biases and a batch; sizes cover all remainders of 4."""
    inputs, outputs, rows = (int(size) for size in rng.integers(1, 10, size=3))
    recipe = Recipe(
        hidden=tuple(rng.integers(1, 10, size=depth)),
        activation=hidden,
        loss=loss,
        huber_delta=0.7,
        precision=precision,
    )
    network = Network.build(inputs, outputs, recipe, output=output)
    network.theta[:] = rng.normal(0, 0.6, network.theta.size)
    x = rng.normal(size=(rows, inputs))
    y = targets_for(loss, rng, rows, outputs)
    return network, Examples.of(x, y, rng.uniform(0.2, 2, rows), np.dtype(precision))
