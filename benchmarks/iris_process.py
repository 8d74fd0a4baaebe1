"""The whole process "fit iris, print the accuracy", from the start of Python to its end.

Each contender is a script of its own, run in a fresh Python: imports, data, 100 epochs of a dense
network with 16 hidden units, the accuracy. Ours is run once before, so that it finds its compiled
core. Goal: at most 1.5 s.

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import os
import subprocess
import sys

from measuring import Contender, Work, compare

LIMIT = 1.5
DATA = """
from sklearn.datasets import load_iris
x, y = load_iris(return_X_y=True)
x = ((x - x.mean(0)) / x.std(0)).astype("float32")
"""
OURS = """
from neuroscope import DenseClassifier
model = DenseClassifier(hidden=(16,), epochs=100, learning_rate=0.01, random_state=0)
print(model.fit(x, y).score(x, y))
"""
SCIKIT_LEARN = """
import warnings
from sklearn.neural_network import MLPClassifier
warnings.simplefilter("ignore")
model = MLPClassifier((16,), batch_size=32, max_iter=100, learning_rate_init=0.01, random_state=0)
print(model.fit(x, y).score(x, y))
"""
TORCH = """
import torch
torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
loss_of, x, y = torch.nn.CrossEntropyLoss(), torch.from_numpy(x), torch.from_numpy(y)
for _ in range(100):
    for rows in torch.randperm(150).split(32):
        optimizer.zero_grad()
        loss_of(net(x[rows]), y[rows]).backward()
        optimizer.step()
print((net(x).argmax(1) == y).float().mean().item())
"""
KERAS = """
import keras
keras.utils.set_random_seed(0)
layers = [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(3, "softmax")]
net = keras.Sequential(layers)
net.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
net.fit(x, y, batch_size=32, epochs=100, verbose=0)
print(net.evaluate(x, y, verbose=0)[1])
"""


def process(script: str, **environment: str) -> Work:
    """Return the work of running a script in a Python of its own."""

    def work() -> float:
        done = subprocess.run(
            [sys.executable, "-c", DATA + script], env=os.environ | environment, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        if "ModuleNotFoundError" in done.stderr:
            raise ImportError(done.stderr.strip().rpartition("\n")[2])
        if done.returncode:
            raise RuntimeError(done.stderr)
        return float(done.stdout)

    work()
    return work


if __name__ == "__main__":
    medians = compare(
        "Whole process: fit iris, print the accuracy: seconds",
        {
            "neuroscope, DenseClassifier": Contender(lambda: process(OURS)),
            "scikit-learn MLPClassifier": Contender(lambda: process(SCIKIT_LEARN)),
            "torch": Contender(lambda: process(TORCH)),
            "Keras (JAX)": Contender(lambda: process(KERAS, KERAS_BACKEND="jax")),
            "Keras (torch)": Contender(lambda: process(KERAS, KERAS_BACKEND="torch")),
        },
        unit="s",
        reached="accuracy on the training rows",
    )
    ours = medians["neuroscope, DenseClassifier"]
    print(f"ours: {ours:.2f} s, {'within' if ours <= LIMIT else 'ABOVE'} the limit of {LIMIT:g} s")
