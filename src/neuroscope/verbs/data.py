"""Data: the data sets that come with the installation, offline."""

from __future__ import annotations

import dataclasses
from typing import Any

from neuroscope.base.errors import InputError, did_you_mean
from neuroscope.data.sources import builtin
from neuroscope.verbs._save import save_table

_SHOWN = 5


def data(name: str | None = None, *, out: str | None = None) -> dict[str, Any]:
    """List the data sets, or describe one and show its first rows; `out` writes it to a file."""
    sets = {one.name: one for one in builtin.describe()}
    if name is None:
        return {"sets": [dataclasses.asdict(one) for one in sets.values()]}
    if name not in sets:
        hint = did_you_mean(name, sets)
        known = f"known: {', '.join(sets)}"
        raise InputError(f"no data set {name!r}", remedy=f"{hint} {known}" if hint else known)
    table = builtin.read(name)
    written = str(save_table(table.arrow, out)) if out else None
    return dataclasses.asdict(sets[name]) | {
        "names": table.names,
        "first_rows": table.arrow.slice(0, _SHOWN).to_pylist(),
        "out": written,
    }
