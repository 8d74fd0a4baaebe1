"""A larger dense network: 784-512-512-10, ReLU, Adam, batches of 128: seconds an epoch.

60,000 drawn rows in the shape of MNIST. Here the arithmetic decides; batches are shared over cores.
Goals: at least 2 times as fast as scikit-learn's MLPClassifier, not slower than Keras (JAX).

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import dense_peers as peers
from measuring import Contender, compare

JOB = peers.Job.drawn(60_000, (784, 512, 512, 10), batch_size=128, epochs=1)

if __name__ == "__main__":
    compare(
        "Dense 784-512-512-10, ReLU, Adam, batch 128, 60,000 rows: seconds an epoch",
        {
            "neuroscope, core": Contender(lambda: peers.neuroscope(JOB)),
            "scikit-learn MLPClassifier": Contender(lambda: peers.scikit_learn(JOB), goal=2),
            "Keras (JAX)": Contender(lambda: peers.keras_fit(JOB), goal=1),
            "JAX, jitted scan": Contender(lambda: peers.jax_scan(JOB)),
            "torch, float32": Contender(lambda: peers.torch_loop(JOB)),
            "torch, bfloat16": Contender(lambda: peers.torch_loop(JOB, bfloat16=True)),
        },
        unit="s",
        reached="accuracy on the training rows",
        runs=3,
    )
