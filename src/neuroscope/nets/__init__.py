"""Torch modules, one family a file; they know shapes and know no data and no recipe.

A net family has

    build(*, channels, size, outputs, ..., seed=0) -> Staged    plain numbers in
    groups(net) -> list[list[Module]]    layers, lowest first, head last; each parameter once
    last_maps(net) -> Module             picture families: the layer whose maps Grad-CAM reads

A net takes normalised floats (n, channels, size, size) and gives logits (n, outputs). A family of
nets for sequences has instead

    build(*, channels, steps, outputs, ..., seed=0) -> Sequences
    inside(net, x, lengths) -> dict[str, Tensor]   states, gates or attention, step by step

and takes floats (n, t, channels) or tokens (n, t), with lengths (n,) or without. A family that
writes, token after token, has

    build(*, vocabulary, steps, ..., seed=0) -> Language
    read(net, tokens, memory) -> (logits, memory)    goes on from what it has read before

and gives logits (n, t, vocabulary) of tokens (n, t). A family of nets for sentence pairs has

    build(*, vocabulary, ..., seed=0) -> Pairs
    attention(net, source, lengths, given) -> Tensor   where each token of a sentence comes from

and gives the logits of each next token; `beam` writes sentences with one. The record of a net,
{"family": name, "options": arguments of build}, is JSON; with its weights it is the net.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from neuroscope.base.catalogue import Catalogue
from neuroscope.base.errors import RecipeError, did_you_mean

if TYPE_CHECKING:
    from neuroscope.nets._language import Language
    from neuroscope.nets._pairs import Pairs
    from neuroscope.nets._sequences import Sequences
    from neuroscope.nets._staged import Staged

_BESIDES = ("backbone", "beam", "features", "normalisation", "pretrained", "pretrained_pairs",
            "reader", "sampling", "weights")  # fmt: skip
catalogue = Catalogue("neuroscope.nets", "net family", besides=_BESIDES)


def build(record: Mapping[str, Any]) -> Staged | Sequences | Language | Pairs:
    """Build the net of a record; an unknown family is an InputError, an option a RecipeError."""
    family = catalogue.get(str(record["family"]))
    options = dict(record["options"])
    known = list(inspect.signature(family.build).parameters)
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known) or f"it has: {', '.join(known)}"
            raise RecipeError(f"the {record['family']} net has no option {name!r}", remedy=hint)
    return family.build(**options)
