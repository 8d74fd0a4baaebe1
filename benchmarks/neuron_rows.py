"""A logistic neuron, one row at a time: 7,000 rows of 40 numbers, 20 epochs, microseconds a row.

Same rows, float32, learning rate 0.01, no penalty, a new order each epoch. An epoch of ours is what
the estimator does: shuffle, learn each row, and the mean loss of the epoch.
Goal: at least 4 times as fast as scikit-learn's SGDClassifier.

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import numpy as np
from measuring import Contender, Work, compare

ROWS, FEATURES, EPOCHS, RATE = 7_000, 40, 20, 0.01
rng = np.random.default_rng(0)
X = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
Y = (X @ rng.normal(size=FEATURES) + rng.logistic(size=ROWS) > 0).astype(np.float32)


def log_loss(weights: np.ndarray, bias: float) -> float:
    """Return the mean log loss of a neuron on all rows, in float64."""
    z = X.astype(np.float64) @ np.asarray(weights, np.float64).ravel() + float(bias)
    return float(np.mean(np.logaddexp(0, z) - Y * z))


def neuroscope() -> Work:
    """Learn with the compiled loops of the core."""
    from neuroscope.neuron.step import shuffle
    from neuroscope.neuron.units import LOGISTIC, learn_rows, mean_cost

    ones, met, order = np.ones(ROWS, np.float32), np.empty(ROWS, np.float32), np.arange(ROWS)

    def work(epochs: int = EPOCHS) -> float:
        theta, state = np.zeros(FEATURES + 1, np.float32), np.zeros(1, np.uint64)
        for _ in range(epochs):
            shuffle(order, state)
            learn_rows(LOGISTIC, theta, X, Y, ones, order, RATE, 0.0, met)
            mean_cost(LOGISTIC, met, Y, ones)
        return log_loss(theta[:-1], theta[-1])

    work(1)
    return work


def estimator() -> Work:
    """Fit our estimator, with all its checks."""
    from neuroscope import LogisticNeuron

    def work() -> float:
        model = LogisticNeuron(epochs=EPOCHS, learning_rate=RATE, random_state=0).fit(X, Y)
        return log_loss(model.coef_, model.intercept_[0])

    work()
    return work


def scikit_learn() -> Work:
    """Fit SGDClassifier with a constant learning rate."""
    from sklearn.linear_model import SGDClassifier

    def work() -> float:
        model = SGDClassifier(loss="log_loss", penalty=None, learning_rate="constant", eta0=RATE,
                              max_iter=EPOCHS, tol=None, random_state=0).fit(X, Y)  # fmt: skip
        return log_loss(model.coef_, model.intercept_[0])

    work()
    return work


def jax_scan() -> Work:
    """Scan over the rows in one jitted call an epoch."""
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(X), jnp.asarray(Y)

    def learn(theta, row):
        weights, bias = theta
        step = RATE * (jax.nn.sigmoid(x[row] @ weights + bias) - y[row])
        return (weights - step * x[row], bias - step), None

    @jax.jit
    def epoch(theta, key):
        return jax.lax.scan(learn, theta, jax.random.permutation(key, ROWS), unroll=4)[0]

    def work(epochs: int = EPOCHS) -> float:
        theta, key = (jnp.zeros(FEATURES), jnp.float32(0)), jax.random.key(0)
        for number in range(epochs):
            theta = epoch(theta, jax.random.fold_in(key, number))
        return log_loss(*map(np.asarray, theta))

    work(1)
    return work


def torch_rows() -> Work:
    """Take one row a step with torch.optim.SGD; one epoch only, for it is slow."""
    import torch

    x, y = torch.from_numpy(X), torch.from_numpy(Y)

    def work() -> float:
        torch.manual_seed(0)
        neuron = torch.nn.Linear(FEATURES, 1)
        optimizer = torch.optim.SGD(neuron.parameters(), lr=RATE)
        loss_of = torch.nn.BCEWithLogitsLoss()
        for row in torch.randperm(ROWS).tolist():
            optimizer.zero_grad()
            loss_of(neuron(x[row])[0], y[row]).backward()
            optimizer.step()
        return log_loss(neuron.weight.detach().numpy(), neuron.bias.item())

    return work


if __name__ == "__main__":
    rows = ROWS * EPOCHS
    compare(
        "A logistic neuron learning one row at a time, 7,000 x 40, 20 epochs: microseconds a row",
        {
            "neuroscope, core": Contender(neuroscope, rows),
            "neuroscope, LogisticNeuron": Contender(estimator, rows),
            "scikit-learn SGDClassifier": Contender(scikit_learn, rows, goal=4),
            "JAX, jitted scan": Contender(jax_scan, rows),
            "torch (1 epoch)": Contender(torch_rows, ROWS),
        },
        unit="us",
        reached="log loss",
    )
