"""The convolutional network as it is taught: convolve, pool, and again; then dense layers.

LeCun et al. 1998 (convolution, pooling, dense); Simonyan and Zisserman 2015, arXiv 1409.1556 (3x3
filters only, twice the filters each time the maps are halved).

Work and weights for 10 classes, a multiply-add as 2 floating-point operations, forward only:

    picture       options                                                      Mflop    weights
    1 x 28 x 28   blocks=2, batch_norm=False: conv32-pool-conv64-pool-dense128    8.5    421,642
    1 x 28 x 28   padding=0 besides                                               5.3    225,034
    3 x 32 x 32   defaults: 32, 64, 128 filters                                  21.2    357,034
    1 x 8 x 8     defaults: 32 filters                                            0.2     67,306
    3 x 224 x 224 defaults: 32 to 512 filters                                  1942.8  4,782,250
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from neuroscope.base.errors import RecipeError
from neuroscope.nets._dropout import Dropout
from neuroscope.nets._staged import Staged, check, groups, he_normal, last_maps, seeded

__all__ = ["build", "groups", "last_maps"]

SMALL, WIDEST = 7, 512  # pixels at which maps are small enough to flatten; most filters of a block


def build(  # noqa: PLR0913 - the options of one net, all by name
    *,
    channels: int,
    size: int,
    outputs: int,
    width: int = 32,
    blocks: int = 0,
    convolutions: int = 1,
    padding: int = 1,
    batch_norm: bool = True,
    hidden: Sequence[int] = (128,),
    hidden_norm: bool = False,
    dropout: float = 0.0,
    seed: int = 0,
) -> Staged:
    """Build `blocks` blocks of 3x3 convolutions, ReLU and 2x2 max-pooling, then dense layers.

    The first block has `width` filters, each further one twice as many (512 at most). `blocks` 0 is
    as many as bring the maps to 7 pixels or fewer. `padding` 1 keeps the size of the maps, 0 loses
    a pixel on each side. `hidden_norm` puts a batch norm before the ReLU of each dense layer: what
    it reads is nowhere negative and much alike in all pictures, so that without one many units fire
    for every picture or for none, and those for none stay dead. Maps that would vanish, or an
    option out of range, are a RecipeError.
    """
    hidden = tuple(hidden)
    counts = {"channels": channels, "size": size, "outputs": outputs, "width": width}
    check(**counts, convolutions=convolutions, hidden=hidden, dropout=dropout)
    if padding not in (0, 1):
        raise RecipeError(f"padding is {padding!r}", remedy="give 1 (same size) or 0 (valid)")
    shrink = 2 * convolutions * (1 - padding)
    sizes = _sizes(size, shrink, blocks)
    widths = [channels, *(min(width * 2**i, max(WIDEST, width)) for i in range(len(sizes)))]
    with seeded(seed):
        stages: dict[str, nn.Module] = {}
        for number, (k_in, k_out) in enumerate(pairwise(widths), 1):
            layers: list[nn.Module] = []
            for k in [k_in] + [k_out] * (convolutions - 1):
                layers += [nn.Conv2d(k, k_out, 3, padding=padding, bias=not batch_norm)]
                layers += [nn.BatchNorm2d(k_out)] * batch_norm + [nn.ReLU()]
            stages[f"block{number}"] = nn.Sequential(*layers, nn.MaxPool2d(2))
        dense = [widths[-1] * sizes[-1] ** 2, *hidden]
        net = Staged(stages, _head(dense, outputs, dropout, norm=hidden_norm))
        he_normal(net)
    return net


def _sizes(size: int, shrink: int, blocks: int) -> list[int]:
    """Return the side of the maps after each block."""
    sizes: list[int] = []
    while len(sizes) < blocks or (not blocks and (not sizes or size > SMALL)):
        size = (size - shrink) // 2
        if size < 1:
            raise RecipeError(
                f"block {len(sizes) + 1} leaves nothing of the picture",
                remedy="take fewer blocks, padding 1 or larger pictures",
            )
        sizes.append(size)
    return sizes


def _head(widths: list[int], outputs: int, dropout: float, *, norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Flatten()]
    for d, k in pairwise(widths):
        layers += [nn.Linear(d, k, bias=not norm)] + [nn.BatchNorm1d(k)] * norm + [nn.ReLU()]
    layers += [Dropout(dropout)] * (dropout > 0)
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))
