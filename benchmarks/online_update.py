"""One online update: a logistic neuron of 40 inputs learns one row that just came in.

Microseconds an update, called from Python as a service would, a new row each time.
Goals: at most 1.5 us in the core and at least 4 times as fast as river; at most 30 us through the
estimator's `partial_fit`, with all its checks.

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import math

import numpy as np
from measuring import Contender, Work, compare

UPDATES, FEATURES, RATE = 20_000, 40, 0.01
rng = np.random.default_rng(0)
X = rng.normal(size=(UPDATES, FEATURES)).astype(np.float32)
Y = (X @ rng.normal(size=FEATURES) + rng.logistic(size=UPDATES) > 0).astype(np.float32)
LABELS = Y.tolist()
SLOW = 1_000  # updates of the contenders that take more than 50 us


def log_loss(weights: np.ndarray, bias: float) -> float:
    """Return the mean log loss on the first rows, in float64."""
    z = X[:SLOW].astype(np.float64) @ np.asarray(weights, np.float64).ravel() + float(bias)
    return float(np.mean(np.logaddexp(0, z) - Y[:SLOW] * z))


def core() -> Work:
    """Call the compiled `learn_row`."""
    from neuroscope.neuron.units import LOGISTIC, learn_row

    def work(updates: int = UPDATES) -> float:
        theta = np.zeros(FEATURES + 1, np.float32)
        for row in range(updates):
            learn_row(LOGISTIC, theta, X, row, LABELS[row], RATE, 0.0)
        return log_loss(theta[:-1], theta[-1])

    work(10)
    return work


def estimator() -> Work:
    """Call our estimator's `partial_fit` with one row."""
    from neuroscope import LogisticNeuron

    def work() -> float:
        model = LogisticNeuron(learning_rate=RATE)
        model.partial_fit(X[:1], Y[:1], classes=[0.0, 1.0])
        for row in range(1, UPDATES):
            model.partial_fit(X[row : row + 1], Y[row : row + 1])
        return log_loss(model.coef_, model.intercept_[0])

    return work


def numpy_line() -> Work:
    """Write the update as a line of NumPy."""

    def work() -> float:
        weights, bias = np.zeros(FEATURES, np.float32), 0.0
        for row in range(UPDATES):
            x = X[row]
            step = RATE * (1 / (1 + math.exp(-(float(weights @ x) + bias))) - LABELS[row])
            weights -= step * x
            bias -= step
        return log_loss(weights, bias)

    return work


def river() -> Work:
    """Call river's `learn_one` with a dict a row, made beforehand."""
    from river.linear_model import LogisticRegression
    from river.optim import SGD

    rows = [dict(enumerate(row)) for row in X.tolist()]
    labels = [label == 1 for label in LABELS]

    def work() -> float:
        model = LogisticRegression(optimizer=SGD(RATE), intercept_lr=RATE)
        for row, label in zip(rows, labels, strict=True):
            model.learn_one(row, label)
        return log_loss([model.weights[j] for j in range(FEATURES)], model.intercept)

    return work


def scikit_learn() -> Work:
    """Call SGDClassifier's `partial_fit` with one row."""
    from sklearn.linear_model import SGDClassifier

    def work() -> float:
        model = SGDClassifier(loss="log_loss", penalty=None, learning_rate="constant", eta0=RATE)
        for row in range(SLOW):
            model.partial_fit(X[row : row + 1], Y[row : row + 1], classes=[0.0, 1.0])
        return log_loss(model.coef_, model.intercept_[0])

    return work


def torch_step() -> Work:
    """Take a step of torch.optim.SGD."""
    import torch

    x, y = torch.from_numpy(X), torch.from_numpy(Y)

    def work() -> float:
        neuron = torch.nn.Linear(FEATURES, 1)
        torch.nn.init.zeros_(neuron.weight), torch.nn.init.zeros_(neuron.bias)
        optimizer = torch.optim.SGD(neuron.parameters(), lr=RATE)
        loss_of = torch.nn.BCEWithLogitsLoss()
        for row in range(SLOW):
            optimizer.zero_grad()
            loss_of(neuron(x[row])[0], y[row]).backward()
            optimizer.step()
        return log_loss(neuron.weight.detach().numpy(), neuron.bias.item())

    return work


if __name__ == "__main__":
    medians = compare(
        "One online update of a logistic neuron with 40 inputs, called from Python: microseconds",
        {
            "neuroscope, core": Contender(core, UPDATES),
            "neuroscope, partial_fit": Contender(estimator, UPDATES),
            "a line of NumPy": Contender(numpy_line, UPDATES),
            "river learn_one": Contender(river, UPDATES, goal=4),
            "scikit-learn partial_fit": Contender(scikit_learn, SLOW),
            "torch": Contender(torch_step, SLOW),
        },
        unit="us",
        reached="log loss",
    )
    for name, limit in (("neuroscope, core", 1.5), ("neuroscope, partial_fit", 30.0)):
        if name in medians:
            word = "within" if medians[name] <= limit else "ABOVE"
            print(f"{name}: {medians[name]:.2f} us, {word} the limit of {limit:g} us")
