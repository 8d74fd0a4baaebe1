"""A forecast that knows something of the steps to come: holidays, prices, the weekday.

    out_h = y_h + w . relu(W [e_h, f_h] + b) + v . f_h

The net below gives for each step h a forecast y_h and `extra` numbers e_h; one small net, the same
for all steps, joins them with the columns f_h that are known ahead (the temporal decoder of Das et
al. 2023, 2304.08424, "TiDE").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neuroscope.nets._staged import seeded

_UNITS = 32


class KnownAhead(nn.Module):
    """A net whose outputs (n, h (1 + extra)) are joined with what is known of each step."""

    def __init__(self, net: nn.Module, *, columns: int, extra: int, seed: int = 0) -> None:
        super().__init__()
        self.net, self.extra = net, extra
        with seeded(seed):
            hidden = nn.Linear(extra + columns, _UNITS)
            out, direct = nn.Linear(_UNITS, 1), nn.Linear(columns, 1, bias=False)
            for layer in (hidden, out):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
            nn.init.zeros_(direct.weight)
        self.steps = nn.ModuleDict({"hidden": hidden, "out": out, "direct": direct})

    def forward(self, x: Tensor, coming: Tensor) -> Tensor:
        """Return the forecasts (n, h) of what the net reads and of columns (n, h, columns)."""
        said = self.net(x).unflatten(1, (coming.shape[1], 1 + self.extra))
        joined = torch.cat([said[..., 1:], coming], dim=2)
        hidden = self.steps["hidden"](joined).relu()
        more = self.steps["out"](hidden) + self.steps["direct"](coming)
        return said[..., 0] + more[..., 0]
