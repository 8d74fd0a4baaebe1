"""A small dense network: 40-64-64-2, ReLU, Adam, batches of 32, 7,000 rows, milliseconds an epoch.

This is where overhead decides: an epoch is 219 steps of a third of a million multiplications each.
Goals: at least 8 times as fast as scikit-learn's MLPClassifier, not slower than a jitted JAX scan.

Measured figures, with machine, versions and spread: docs/log.md, "Speed of the core".
"""

from __future__ import annotations

import dense_peers as peers
from measuring import Contender, compare

EPOCHS = 10
JOB = peers.Job.drawn(7_000, (40, 64, 64, 2), batch_size=32, epochs=EPOCHS)

if __name__ == "__main__":
    compare(
        "Dense 40-64-64-2, ReLU, Adam, batch 32, 7,000 rows: milliseconds an epoch",
        {
            "neuroscope, core": Contender(lambda: peers.neuroscope(JOB), EPOCHS),
            "scikit-learn MLPClassifier": Contender(
                lambda: peers.scikit_learn(JOB), EPOCHS, goal=8
            ),
            "JAX, jitted scan": Contender(lambda: peers.jax_scan(JOB), EPOCHS, goal=1),
            "torch": Contender(lambda: peers.torch_loop(JOB), EPOCHS),
            "Keras (JAX)": Contender(lambda: peers.keras_fit(JOB), EPOCHS),
            "skorch": Contender(lambda: peers.skorch_fit(JOB), EPOCHS),
        },
        unit="ms",
        reached="accuracy on the training rows",
    )
