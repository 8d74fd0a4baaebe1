"""From how many operations on does bfloat16 beat float32 on this processor, for which layers?

Training steps of nets of growing size, forward, backward and AdamW, in both precisions by turns,
pictures in channels_last. Behind the thresholds `PAYS_FROM` of neuroscope/train/precision.py; the
clock has its say here and never in a fit. NEUROSCOPE_DEVICE=cuda asks the same of a GPU, with
larger nets besides; behind PAYS_ON_CUDA.

Measured figures, with machine, versions and spread: docs/log.md, "The torch loop".
"""

from __future__ import annotations

import os

os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from measuring import machine, versions
from torch import Tensor, nn

from neuroscope import nets
from neuroscope.train.precision import PAYS_FROM, PAYS_ON_CUDA, forward_flops, kind_of

SYMBOLS = 100
DEVICE = os.environ.get("NEUROSCOPE_DEVICE", "cpu")


class Recurrent(nn.Module):
    """Embedding, LSTM, linear."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, width)
        self.lstm = nn.LSTM(width, hidden, batch_first=True)
        self.head = nn.Linear(hidden, SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, t, SYMBOLS)."""
        return self.head(self.lstm(self.embedding(x))[0])


class Attentive(nn.Module):
    """Embedding, encoder layers of four heads, linear."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, batch_first=True)
        self.embedding = nn.Embedding(SYMBOLS, width)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (n, t, SYMBOLS)."""
        return self.head(self.encoder(self.embedding(x)))


def convolutional(width: int) -> nn.Module:
    """Return two convolutions with pooling and a linear head, for 28 x 28 pictures."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, 10),
    )  # fmt: skip


def dense(inputs: int, hidden: int) -> nn.Module:
    """Return two hidden layers and a linear head."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden),
                         nn.ReLU(), nn.Linear(hidden, 10))  # fmt: skip


def writing(width: int, layers: int, steps: int) -> nn.Module:
    """Return the package's own Transformer that writes: attention is written out."""
    options = {"vocabulary": SYMBOLS, "steps": steps, "width": width, "layers": layers}
    return nets.build({"family": "gpt", "options": options})


Case = tuple[str, Callable[[], nn.Module], tuple[int, ...]]
CASES: list[Case] = [
    *((f"convolution {w}, batch {b}", lambda w=w: convolutional(w), (b, 1, 28, 28))
      for w, b in ((4, 16), (8, 16), (8, 64), (16, 64), (32, 64), (32, 256))),
    *((f"dense {d}-{h}, batch {b}", lambda d=d, h=h: dense(d, h), (b, d))
      for d, h, b in ((64, 64, 64), (256, 256, 64), (512, 256, 64), (784, 512, 64),
                      (784, 512, 256))),
    *((f"LSTM {e}-{h}, {t} steps, batch {b}", lambda e=e, h=h: Recurrent(e, h), (b, t))
      for e, h, t, b in ((16, 32, 16, 32), (64, 64, 64, 16), (64, 128, 64, 32),
                         (128, 192, 64, 32), (128, 256, 64, 32))),
    *((f"attention {d} x {n}, {t} steps, batch {b}", lambda d=d, n=n: Attentive(d, n), (b, t))
      for d, n, t, b in ((64, 2, 64, 12), (64, 2, 64, 32), (128, 2, 64, 12), (128, 4, 64, 12),
                         (128, 4, 64, 32), (256, 4, 64, 16))),
    *((f"writing {d} x {n}, {t} steps, batch {b}", lambda d=d, n=n, t=t: writing(d, n, t), (b, t))
      for d, n, t, b in ((32, 2, 16, 8), (32, 2, 32, 16), (64, 2, 32, 16), (64, 4, 64, 16),
                         (128, 4, 64, 12))),
]  # fmt: skip
LARGER: list[Case] = [
    *((f"convolution {w}, batch {b}", lambda w=w: convolutional(w), (b, 1, 28, 28))
      for w, b in ((64, 256), (64, 1024), (128, 1024))),
    *((f"dense {d}-{h}, batch {b}", lambda d=d, h=h: dense(d, h), (b, d))
      for d, h, b in ((784, 2048, 256), (784, 2048, 1024), (2048, 4096, 1024))),
    *((f"LSTM {e}-{h}, {t} steps, batch {b}", lambda e=e, h=h: Recurrent(e, h), (b, t))
      for e, h, t, b in ((256, 512, 64, 64), (512, 1024, 64, 128))),
    *((f"attention {d} x {n}, {t} steps, batch {b}", lambda d=d, n=n: Attentive(d, n), (b, t))
      for d, n, t, b in ((256, 4, 64, 128), (512, 4, 128, 64), (768, 6, 256, 64))),
]  # fmt: skip


def waited() -> float:
    """Return the time: of the processor, or when the GPU has done what was asked."""
    if DEVICE == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def stepper(net: nn.Module, x: Tensor, bfloat16: bool) -> Callable[[], None]:
    """Return a function that takes one training step."""
    optimizer = torch.optim.AdamW(net.parameters(), fused=True)

    def step() -> None:
        with torch.autocast(DEVICE, torch.bfloat16, enabled=bfloat16):
            outputs = net(x)
        outputs.float().square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    step()
    return step


def measured(case: Case, seconds: float) -> tuple[str, float, float]:
    """Return the kind, the forward operations of a batch, and float32 time over bfloat16 time.

    Processor time, so that other work on the machine counts less; of a GPU, the time it took.
    """
    _, build, shape = case
    torch.manual_seed(0)
    whole = len(shape) == 2 and not isinstance(build(), nn.Sequential)
    x = (torch.randint(0, SYMBOLS, shape) if whole else torch.rand(shape)).to(DEVICE)
    nets = [build().to(DEVICE), build().to(DEVICE)]
    if x.ndim == 4:
        nets = [net.to(memory_format=torch.channels_last) for net in nets]
        x = x.contiguous(memory_format=torch.channels_last)
    steps = [stepper(net, x, bfloat16) for net, bfloat16 in zip(nets, (False, True), strict=True)]
    times: list[list[float]] = [[], []]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for step, spent in zip(steps, times, strict=True):
            began, turn, count = waited(), time.perf_counter() + 0.03, 0
            while not count or time.perf_counter() < turn:
                step()
                count += 1
            spent.append((waited() - began) / count)
    ratio = statistics.median(times[0]) / statistics.median(times[1])
    return kind_of(nets[0]), forward_flops(nets[0], (x,)), ratio


def main() -> None:
    """Print each net's ratio beside what the rule would choose."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="time for each net")
    seconds = parser.parse_args().seconds
    print(f"{machine()}\n{versions()}\n")
    print(f"{'':38}{'operations':>12}{'float32/bfloat16':>18}  rule")
    if DEVICE == "cuda":
        torch.backends.cudnn.allow_tf32 = False  # float32 is float32, as in a fit
        print(torch.cuda.get_device_name())
    for case in CASES + (LARGER if DEVICE == "cuda" else []):
        kind, flops, ratio = measured(case, seconds)
        pays = PAYS_FROM if DEVICE == "cpu" else PAYS_ON_CUDA
        rule = "bfloat16" if flops >= pays[kind] else "float32"
        print(f"{case[0]:38}{flops / 1e6:>10,.0f} M{ratio:>18.2f}  {rule}", flush=True)


if __name__ == "__main__":
    main()
