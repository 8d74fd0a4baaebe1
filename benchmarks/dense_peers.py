"""One dense ReLU network trained with Adam, in ours and in the peers, for the two dense claims.

Same rows, widths, batch size, learning rate 0.001 and no penalty; each epoch has a new order. Each
contender starts from fresh weights, in its library's usual draw, in every run.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass

import numpy as np
from measuring import Reached, Work

os.environ.setdefault("KERAS_BACKEND", "jax")
RATE = 1e-3


@dataclass(frozen=True)
class Job:
    """Rows (n, d) float32, class codes (n,), hidden widths, batch size, epochs a run."""

    x: np.ndarray
    y: np.ndarray
    hidden: tuple[int, ...]
    batch_size: int
    epochs: int

    @classmethod
    def drawn(cls, rows: int, widths: tuple[int, ...], batch_size: int, epochs: int) -> Job:
        """Draw rows whose class follows from a random two-layer net, with some noise."""
        rng = np.random.default_rng(0)
        x = rng.normal(size=(rows, widths[0])).astype(np.float32)
        inner = np.tanh(x @ rng.normal(size=(widths[0], 32)).astype(np.float32) / widths[0] ** 0.5)
        logits = inner @ rng.normal(size=(32, widths[-1])) + rng.normal(size=(rows, widths[-1])) / 2
        return cls(x, logits.argmax(1), widths[1:-1], batch_size, epochs)

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, hidden units of each layer, outputs."""
        return (self.x.shape[1], *self.hidden, int(self.y.max()) + 1)

    def accuracy(self, scores: np.ndarray) -> float:
        """Return the share of rows whose largest score is their class."""
        return float((np.asarray(scores).argmax(1) == self.y).mean())


def neuroscope(job: Job) -> Work:
    """Train with the compiled loops of the core."""
    from neuroscope.base.recipe import Recipe
    from neuroscope.neuron.descent import descend
    from neuroscope.neuron.heads import examples
    from neuroscope.neuron.network import Network

    recipe = Recipe(hidden=job.hidden, batch_size=job.batch_size, epochs=job.epochs,
                    learning_rate=RATE, loss="cross_entropy")  # fmt: skip
    rows = examples("multiclass", job.x, job.y, job.widths[-1], recipe)

    def work() -> Reached:
        network = Network.build(job.widths[0], job.widths[-1], recipe, output="softmax")
        for _ in descend(network, rows, recipe):
            pass
        return lambda: job.accuracy(network.predict(job.x))

    work()
    return work


def scikit_learn(job: Job) -> Work:
    """Fit MLPClassifier."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)  # it stops after the epochs, as asked

    def work() -> Reached:
        model = MLPClassifier(job.hidden, batch_size=job.batch_size, max_iter=job.epochs, alpha=0,
                              learning_rate_init=RATE, tol=0, random_state=0)  # fmt: skip
        model.fit(job.x, job.y)
        return lambda: job.accuracy(model.predict_proba(job.x))

    return work


def jax_scan(job: Job) -> Work:
    """Scan over the batches of an epoch in one jitted call, Adam written out."""
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(job.x), jnp.asarray(job.y)
    steps = len(job.x) // job.batch_size

    def scores(theta, rows):
        for weights, bias in theta[:-1]:
            rows = jax.nn.relu(rows @ weights + bias)
        return rows @ theta[-1][0] + theta[-1][1]

    def loss(theta, rows):
        each = jax.nn.log_softmax(scores(theta, x[rows]))
        return -jnp.take_along_axis(each, y[rows, None], 1).mean()

    def step(state, rows):
        theta, m, v, t = state
        g, t = jax.grad(loss)(theta, rows), t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        a, b = RATE / (1 - 0.9**t), 1 - 0.999**t
        theta = jax.tree.map(lambda w, m, v: w - a * m / (jnp.sqrt(v / b) + 1e-8), theta, m, v)
        return (theta, m, v, t), None

    @jax.jit
    def epoch(state, key):
        order = jax.random.permutation(key, len(job.x))[: steps * job.batch_size]
        return jax.lax.scan(step, state, order.reshape(steps, job.batch_size))[0]

    def work(epochs: int = job.epochs) -> Reached:
        rng, theta = np.random.default_rng(0), []
        for n_in, n_out in zip(job.widths, job.widths[1:], strict=False):
            draw = rng.normal(0, (2 / n_in) ** 0.5, (n_in, n_out))
            theta.append((jnp.asarray(draw, jnp.float32), jnp.zeros(n_out)))
        zeros = jax.tree.map(jnp.zeros_like, theta)
        state, key = (theta, zeros, zeros, jnp.float32(0)), jax.random.key(0)
        for number in range(epochs):
            state = epoch(state, jax.random.fold_in(key, number))
        jax.block_until_ready(state)
        return lambda: job.accuracy(np.asarray(scores(state[0], x)))

    work(1)
    return work


def torch_loop(job: Job, *, bfloat16: bool = False) -> Work:
    """Step through permuted rows of a tensor, without a DataLoader."""
    import torch

    x, y = torch.from_numpy(job.x), torch.from_numpy(job.y)

    def work() -> Reached:
        torch.manual_seed(0)
        net = _torch_net(job)
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
        loss_of = torch.nn.CrossEntropyLoss()
        for _ in range(job.epochs):
            for rows in torch.randperm(len(x)).split(job.batch_size):
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                    loss = loss_of(net(x[rows]), y[rows])
                loss.backward()
                optimizer.step()
        return lambda: job.accuracy(net(x).detach().numpy())

    return work


def _torch_net(job: Job):
    from torch import nn

    layers = []
    for n_in, n_out in zip(job.widths, job.widths[1:], strict=False):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def keras_fit(job: Job) -> Work:
    """Compile and fit a Keras Sequential on JAX."""
    import keras

    if keras.backend.backend() != "jax":
        raise ImportError(f"Keras runs on {keras.backend.backend()}, set KERAS_BACKEND=jax")
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(width, "relu") for width in job.hidden]
    net = keras.Sequential(
        [keras.Input(job.widths[:1]), *layers, keras.layers.Dense(job.widths[-1])]
    )
    net.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(True))
    start = net.get_weights()
    net.fit(job.x, job.y, batch_size=job.batch_size, epochs=1, verbose=0)

    def work() -> Reached:  # compiling anew would count against Keras, so the weights are set back
        net.set_weights(start)
        net.fit(job.x, job.y, batch_size=job.batch_size, epochs=job.epochs, verbose=0)
        return lambda: job.accuracy(net.predict(job.x, batch_size=2048, verbose=0))

    return work


def skorch_fit(job: Job) -> Work:
    """Fit skorch's NeuralNetClassifier, without its own validation."""
    import torch
    from skorch import NeuralNetClassifier

    def work() -> Reached:
        torch.manual_seed(0)
        model = NeuralNetClassifier(_torch_net(job), criterion=torch.nn.CrossEntropyLoss,
                                    optimizer=torch.optim.Adam, lr=RATE, max_epochs=job.epochs,
                                    batch_size=job.batch_size, train_split=None, verbose=0,
                                    iterator_train__shuffle=True)  # fmt: skip
        model.fit(job.x, job.y)
        return lambda: job.accuracy(model.predict_proba(job.x))

    return work
