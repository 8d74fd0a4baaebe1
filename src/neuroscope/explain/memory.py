"""How far back a net of sequences remembers, and what it holds while it reads.

    memory_k = mean over sequences of |d y_T / d x_T-k|        k steps before the last one

In a plain recurrent network this gradient is a product of k Jacobians and fades, or blows up, with
their power (Bengio et al. 1994, "Learning long-term dependencies with gradient descent is
difficult"; Pascanu et al. 2013, 1211.5063). The sum an LSTM carries along, a GRU's blend and
attention's direct look are three cures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from neuroscope.base.errors import InputError
from neuroscope.explain._evaluation import evaluating

# inside(net, x, lengths): what the net makes step by step, by name, n sequences in front.
Inside = Callable[[nn.Module, Tensor, Tensor | None], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Memory:
    """The gradient of a net's last output with respect to what it read before."""

    gradient: np.ndarray  # (t,) float64; at k: of the input k steps before the last
    sequences: np.ndarray  # (t,) how many of them are long enough to have such an input

    def reach(self, share: float = 0.01) -> int:
        """Return how many steps back the gradient last is `share` of its largest value."""
        strong = np.flatnonzero(self.gradient >= share * self.gradient.max())
        return int(strong[-1])


def memory(
    net: nn.Module,
    x: Tensor,  # (n, t, channels) numbers, or (n, t) tokens
    lengths: Tensor | None = None,  # (n,) whole numbers, None when all steps count
    *,
    output: int | Sequence[int] | None = None,
    reader: nn.Module | None = None,
) -> Memory:
    """Return how strongly the net's answer hangs on each step, by its distance from the end.

    |.| is the Frobenius norm over the channels and over all outputs, or some `output`. Of a net
    that answers at each step, (n, t, k), the answer at the last step that counts is looked at. The
    gradient is with respect to `x`, or to what `reader` makes of it, (n, t, d): of tokens their
    embedding. The net is used as in evaluation and stays as it was.

    Raises InputError when there is no such output, or tokens come without a reader.
    """
    if reader is None and not x.is_floating_point():
        raise InputError("tokens have no gradient", remedy="give the layer that embeds them")
    ends = torch.full((len(x),), x.shape[1], device=x.device) if lengths is None else lengths
    with evaluating(net), _frozen(net), torch.backends.cudnn.flags(enabled=False):
        given, answers = _run(net, x, lengths, reader)
        last = answers if answers.ndim == 2 else _at_the_end(answers, ends)
        wanted = _outputs(last.shape[1], output)
        square = torch.zeros(given.shape[:2], dtype=torch.float64)
        for number in wanted:
            (slope,) = torch.autograd.grad(last[:, number].sum(), given, retain_graph=True)
            square += slope.cpu().double().square().sum(2)
    return _by_distance(square.sqrt().numpy(), ends.cpu().numpy())


def states(
    net: nn.Module,
    inside: Inside,
    x: Tensor,  # (1, t, channels) numbers, or (1, t) tokens: one sequence
    lengths: Tensor | None = None,  # (1,)
) -> dict[str, np.ndarray]:
    """Return what the net holds while it reads one sequence, by name.

    `inside` is the family's. States and gates are (t, k), attention is (heads, t, t). More than one
    sequence is an InputError. The net is used as in evaluation and stays as it was.
    """
    if len(x) != 1:
        raise InputError(f"{len(x)} sequences given", remedy="give one, (1, t, channels)")
    with evaluating(net), torch.inference_mode():
        found = inside(net, x, lengths)
    return {name: values[0].float().cpu().numpy() for name, values in found.items()}


@contextmanager
def _frozen(net: nn.Module) -> Iterator[None]:
    """Keep nothing in memory for the gradients of weights."""
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    net.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_()


def _run(
    net: nn.Module, x: Tensor, lengths: Tensor | None, reader: nn.Module | None
) -> tuple[Tensor, Tensor]:
    """Return what the gradient begins at (n, t, d), and the net's answers."""
    if reader is None:
        given = x.detach().clone().requires_grad_()
        return given, net(given, lengths)
    seen: list[Tensor] = []

    def begin(_reader: nn.Module, _given: object, out: Tensor) -> Tensor:
        seen.append(out.detach().requires_grad_())
        return seen[-1]

    hook = reader.register_forward_hook(begin)
    try:
        answers = net(x, lengths)
    finally:
        hook.remove()
    if not seen:
        raise InputError("the reader is no part of the net", remedy="choose a layer of this net")
    return seen[-1], answers


def _at_the_end(answers: Tensor, ends: Tensor) -> Tensor:
    """Return the answers (n, k) at the last step that counts."""
    return answers[torch.arange(len(answers), device=answers.device), ends - 1]


def _outputs(count: int, output: int | Sequence[int] | None) -> list[int]:
    if output is None:
        return list(range(count))
    wanted = [output] if isinstance(output, int) else list(output)
    for one in wanted:
        if not 0 <= one < count:
            raise InputError(f"output {one} of {count}", remedy=f"choose one from 0 to {count - 1}")
    return wanted


def _by_distance(norms: np.ndarray, ends: np.ndarray) -> Memory:
    """Average norms (n, t) over sequences that end at `ends` (n,), by the distance from there."""
    longest = int(ends.max())
    back = np.arange(longest)
    at = ends[:, None] - 1 - back
    there = at >= 0
    found = np.where(there, np.take_along_axis(norms, np.maximum(at, 0), axis=1), 0.0)
    count = there.sum(axis=0)
    return Memory(found.sum(axis=0) / count, count)
