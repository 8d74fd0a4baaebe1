"""Embedding 64, LSTM 128, 64 tokens a sequence, batch 32, Adam: milliseconds a step.

3,200 sequences of 64 tokens out of 10,000, two classes, all of full length. Goals: a bfloat16 loop
written by hand is not faster than ours by more than 5 %; Keras is 2.2 times (JAX backend) and 4
times (torch backend) slower, with its defaults. KERAS_BACKEND says which of the two takes part; the
other needs a second run.

Ours starts with its own weights, orthogonal ones among them, and a run includes building the net,
as the loop by hand does. Who waits for threads spins shortly
(GOMP_SPINCOUNT=1000, the choice of the package), in all contenders alike. NEUROSCOPE_DEVICE=cuda
compares ours with the loop by hand on a GPU.

Measured figures, with machine, versions and spread: docs/log.md, "Nets of sequences".
"""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "1000")
os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
from measuring import Contender, Reached, Work, compare

STEPS_A_RUN, BATCH, TOKENS, VOCABULARY, CLASSES, RATE = 100, 32, 64, 10_000, 2, 1e-3
EMBEDDING, WIDTH = 64, 128
DEVICE = os.environ.get("NEUROSCOPE_DEVICE", "cpu")
KERAS_GOALS = {"torch": 4.0, "jax": 2.2}

X = np.random.default_rng(0).integers(0, VOCABULARY, (STEPS_A_RUN * BATCH, TOKENS))
Y = (X[:, -8:] < VOCABULARY // 8).any(1).astype(np.int64)  # one of some words near the end


def ours(precision: str, *, lengths: bool = False) -> Work:
    """Fit with the net and the loop of the package, events and signals included."""
    from neuroscope.base.recipe import Recipe
    from neuroscope.nets import build
    from neuroscope.train.data import Data
    from neuroscope.train.loop import fit

    options = {"channels": EMBEDDING, "steps": TOKENS, "outputs": CLASSES, "cell": "lstm",
               "width": WIDTH, "vocabulary": VOCABULARY}  # fmt: skip
    data = Data((X, np.full(len(X), TOKENS)) if lengths else X, Y)
    recipe = Recipe(loss="cross_entropy", batch_size=BATCH, epochs=1, learning_rate=RATE,
                    precision=precision, device=DEVICE)  # fmt: skip

    def work() -> Reached:
        net = build({"family": "recurrent", "options": options})
        return fit(net, data, recipe).epochs[-1].train_loss

    work()
    return work


def by_hand(bfloat16: bool) -> Work:
    """Write the loop out: a permutation, slices, autocast, fused Adam."""
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    x, y = (torch.from_numpy(part).to(DEVICE) for part in (X, Y))

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
            self.lstm = nn.LSTM(EMBEDDING, WIDTH, batch_first=True)
            self.head = nn.Linear(WIDTH, CLASSES)

        def forward(self, tokens):
            return self.head(self.lstm(self.embedding(tokens))[0][:, -1])

    def work() -> Reached:
        torch.manual_seed(0)
        net = Net().to(DEVICE)
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
        total = torch.zeros((), device=DEVICE)
        for rows in torch.randperm(len(x), device=DEVICE).split(BATCH):
            with torch.autocast(DEVICE, torch.bfloat16, enabled=bfloat16):
                loss = cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.detach()
        return float(total) * BATCH / len(x)

    work()
    return work


def keras_fit() -> Work:
    """Compile and fit a Keras Sequential with its defaults."""
    import keras
    from keras import layers

    net = keras.Sequential([
        keras.Input((TOKENS,), dtype="int32"), layers.Embedding(VOCABULARY, EMBEDDING),
        layers.LSTM(WIDTH), layers.Dense(CLASSES),
    ])  # fmt: skip
    net.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(True))
    start, x = net.get_weights(), X.astype(np.int32)
    net.fit(x, Y, batch_size=BATCH, epochs=1, verbose=0)

    def work() -> Reached:  # compiling anew would count against Keras, so the weights are set back
        net.set_weights(start)
        return float(net.fit(x, Y, batch_size=BATCH, epochs=1, verbose=0).history["loss"][-1])

    return work


if __name__ == "__main__":
    backend = os.environ["KERAS_BACKEND"]
    contenders = {
        "neuroscope, bfloat16": Contender(lambda: ours("bfloat16")),
        "by hand, bfloat16": Contender(lambda: by_hand(True), goal=0.95),
        "neuroscope, bfloat16, lengths": Contender(lambda: ours("bfloat16", lengths=True)),
        "neuroscope, float32": Contender(lambda: ours("float32")),
        "by hand, float32": Contender(lambda: by_hand(False)),
        f"Keras ({backend})": Contender(keras_fit, goal=KERAS_GOALS.get(backend)),
    }
    compare(
        "embedding 64, LSTM 128, 64 tokens, batch 32, Adam: milliseconds a step",
        {n: Contender(c.prepare, amount=STEPS_A_RUN, goal=c.goal) for n, c in contenders.items()},
        unit="ms",
        reached="training loss",
    )
