"""conv32-pool-conv64-pool-dense128-10 on 28 x 28 pictures, Adam, batch 64: seconds an epoch.

6,400 pictures in the shape of Fashion-MNIST. Goals: a bfloat16 channels_last loop written by hand
is not faster than ours by more than 5 %; Keras is 2.5 times (torch backend) and 3 times (JAX
backend) slower, with its defaults. KERAS_BACKEND says which of the two takes part; the other needs
a second run.

Random pictures, or those of NEUROSCOPE_FASHION_MNIST, a folder with the published
train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz. Who waits for threads spins shortly
(GOMP_SPINCOUNT=1000, the choice of the package), in all contenders alike. NEUROSCOPE_DEVICE=cuda
compares ours with the loop by hand on a GPU.

Measured figures, with machine, versions and spread: docs/log.md, "The torch loop".
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "1000")
os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
from measuring import Contender, Reached, Work, compare

ROWS, BATCH, CLASSES, RATE = 6_400, 64, 10, 1e-3
DEVICE = os.environ.get("NEUROSCOPE_DEVICE", "cpu")
KERAS_GOALS = {"torch": 2.5, "jax": 3.0}


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, 1, 28, 28) uint8 and class codes (n,)."""
    folder = os.environ.get("NEUROSCOPE_FASHION_MNIST")
    if folder:
        with gzip.open(Path(folder) / "train-images-idx3-ubyte.gz") as file:
            x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:ROWS]
        with gzip.open(Path(folder) / "train-labels-idx1-ubyte.gz") as file:
            return x.copy(), np.frombuffer(file.read(), np.uint8, offset=8)[:ROWS].astype(np.int64)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (ROWS, 1, 28, 28), dtype=np.uint8)
    return x, x[:, 0, 14].astype(np.int64).sum(1) % CLASSES


X, Y = pictures()


def torch_net():
    """Return the net with fresh weights."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, CLASSES),
    )  # fmt: skip


def ours(precision: str) -> Work:
    """Fit with the loop of the package, events and signals included."""
    from neuroscope.base.recipe import Recipe
    from neuroscope.train.data import Data
    from neuroscope.train.loop import fit

    def scaled(inputs, _):
        return (inputs[0].float().mul_(1 / 255),)

    data = Data(X, Y, prepare=scaled)
    recipe = Recipe(loss="cross_entropy", batch_size=BATCH, epochs=1, learning_rate=RATE,
                    precision=precision, device=DEVICE)  # fmt: skip

    def work() -> Reached:
        return fit(torch_net(), data, recipe).epochs[-1].train_loss

    work()
    return work


def by_hand(bfloat16: bool) -> Work:
    """Write the loop out: a permutation, slices, autocast, fused Adam, channels_last."""
    import torch
    from torch.nn.functional import cross_entropy

    x, y = (torch.from_numpy(part).to(DEVICE) for part in (X, Y))

    def work() -> Reached:
        net = torch_net().to(DEVICE, memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
        total = torch.zeros((), device=DEVICE)
        for rows in torch.randperm(len(x), device=DEVICE).split(BATCH):
            batch = x[rows].float().mul_(1 / 255).contiguous(memory_format=torch.channels_last)
            with torch.autocast(DEVICE, torch.bfloat16, enabled=bfloat16):
                loss = cross_entropy(net(batch), y[rows])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            total += loss.detach()
        return float(total) * BATCH / len(x)

    work()
    return work


def skorch_fit() -> Work:
    """Fit skorch's NeuralNetClassifier, without its own validation."""
    import torch
    from skorch import NeuralNetClassifier

    x = X.astype(np.float32) / 255

    def work() -> Reached:
        model = NeuralNetClassifier(torch_net(), criterion=torch.nn.CrossEntropyLoss,
                                    optimizer=torch.optim.Adam, lr=RATE, max_epochs=1,
                                    batch_size=BATCH, train_split=None, verbose=0,
                                    iterator_train__shuffle=True)  # fmt: skip
        return float(model.fit(x, Y).history[-1]["train_loss"])

    work()
    return work


def keras_fit() -> Work:
    """Compile and fit a Keras Sequential with its defaults."""
    import keras
    from keras import layers

    net = keras.Sequential([
        keras.Input((28, 28, 1)), layers.Rescaling(1 / 255),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(CLASSES),
    ])  # fmt: skip
    net.compile(keras.optimizers.Adam(RATE), keras.losses.SparseCategoricalCrossentropy(True))
    start, x = net.get_weights(), X.transpose(0, 2, 3, 1)
    net.fit(x, Y, batch_size=BATCH, epochs=1, verbose=0)

    def work() -> Reached:  # compiling anew would count against Keras, so the weights are set back
        net.set_weights(start)
        return float(net.fit(x, Y, batch_size=BATCH, epochs=1, verbose=0).history["loss"][-1])

    return work


if __name__ == "__main__":
    backend = os.environ["KERAS_BACKEND"]
    compare(
        "conv32-conv64-dense128, Adam, batch 64, 6,400 pictures of 28 x 28: seconds an epoch",
        {
            "neuroscope, bfloat16": Contender(lambda: ours("bfloat16")),
            "by hand, bfloat16": Contender(lambda: by_hand(True), goal=0.95),
            "neuroscope, float32": Contender(lambda: ours("float32")),
            "by hand, float32": Contender(lambda: by_hand(False)),
            "skorch": Contender(skorch_fit),
            f"Keras ({backend})": Contender(keras_fit, goal=KERAS_GOALS.get(backend)),
        },
        unit="s",
        reached="training loss",
    )
