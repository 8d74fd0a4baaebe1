"""How far back nets remember: the gradient of the answer, by distance, side by side.

The adding problem (Hochreiter and Schmidhuber 1997): of a row of numbers two are marked, and the
answer is their sum. Who has no memory answers 1 and errs by 0.167 (mean squared). A number says how
much the answer moves with a step so many steps ago, next to the largest such number of the net. The
careless RNN begins with small random weights, the other recurrent nets with orthogonal ones.

Run it: python examples/long_memory.py [--train], which takes minutes
"""

from __future__ import annotations

import sys

import torch

from neuroscope.base.recipe import Recipe
from neuroscope.data.memory_tasks import adding
from neuroscope.explain.memory import memory
from neuroscope.nets import build
from neuroscope.train.data import Data
from neuroscope.train.evaluate import outputs
from neuroscope.train.loop import fit

NETS = {
    "careless RNN": ("recurrent", {"cell": "rnn"}),
    "RNN": ("recurrent", {"cell": "rnn"}),
    "GRU": ("recurrent", {"cell": "gru"}),
    "LSTM": ("recurrent", {"cell": "lstm"}),
    "Transformer": ("transformer", {"heads": 2, "pooling": "last"}),
}
RECIPE = Recipe(loss="mean_squared_error", batch_size=64, epochs=12, learning_rate=5e-3,
                schedule="one_cycle", clip_norm=1.0, device="cpu")  # fmt: skip


def main(steps: int, *, train: bool) -> None:
    """Show each net's gradient on sums over `steps` steps, of first weights or trained ones."""
    (x, y), (held, wanted) = adding(6_000, steps), adding(500, steps, seed=1)
    torch.manual_seed(0)
    found = {}
    for name, (family, options) in NETS.items():
        shape = {"channels": 2, "steps": steps, "outputs": 1, "width": 32}
        net = build({"family": family, "options": shape | options})
        if name == "careless RNN":
            net.body.layers[0].onward.reset_parameters()  # torch's own: uniform, too small
        if train:
            fit(net, Data(x, y), RECIPE)
            answers = outputs(net, Data(held, wanted), RECIPE)[:, 0]
            print(f"{name} errs by {((answers - wanted) ** 2).mean():.4f}")
        found[name] = memory(net, torch.from_numpy(held[:100]))
    print(f"{'steps ago':12}" + "".join(f"{name:>14}" for name in NETS))
    for k in range(0, steps, steps // 10):
        parts = (one.gradient[k] / one.gradient.max() for one in found.values())
        print(f"{k:9}   " + "".join(f"{part:14.5f}" for part in parts))
    print("reach       " + "".join(f"{one.reach():14}" for one in found.values()))


if __name__ == "__main__":
    main(40, train=True) if "--train" in sys.argv else main(100, train=False)
