"""Pretrained text nets of `transformers`, opened as readers: a folder, or a name on the hub.

A reader turns tokens into features: the mean of its last layer over the tokens of a text, as
sentence encoders do (Reimers and Gurevych 2019, arXiv 1908.10084). Weights are safetensors only,
the tokeniser is the folder's tokenizer.json, and no code from the folder runs. Needs the extra
`transfer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroscope.base.errors import ModelError
from neuroscope.base.events import Event, Progress
from neuroscope.nets import _folder, pretrained
from neuroscope.nets._sequences import counting
from neuroscope.nets.backbone import Origin, Transfer

MOST_TOKENS = 256  # read of a text, if the net has so many positions
BATCH = 32  # texts of like length that are read together


class Reader(nn.Module):
    """A net without its head: `forward` gives the mean of the last layer over a text's tokens."""

    def __init__(self, net: nn.Module, record: Mapping[str, Any], origin: Origin) -> None:
        super().__init__()
        self.net, self.record, self.origin = net, dict(record), origin
        self.width = int(record["width"])
        self._groups = [pretrained.layer_groups(net)]  # in a list: they are parts of `net` already

    @property
    def groups(self) -> list[list[nn.Module]]:
        """The layer groups, lowest first."""
        return self._groups[0]

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the features (n, d) of tokens (n, t), of which `lengths` (n,) count."""
        longest = int(lengths.max())
        mask = counting(lengths, longest)
        seen = self.net(input_ids=x[:, :longest].long(), attention_mask=mask.long())
        hidden = seen.last_hidden_state * mask[:, :, None]
        return hidden.sum(1) / lengths.clamp_min(1)[:, None]

    def to_json(self) -> dict[str, Any]:
        """Return all but the weights; `from_record` builds it again."""
        return {"net": self.record, "origin": asdict(self.origin)}


class ReaderTransfer(Transfer):
    """A reader and a new head: tokens with their lengths to logits."""

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:  # type: ignore[override]
        """Return the logits (n, outputs)."""
        return self.head(self.backbone(x, lengths))


def open_reader(name: str | Path) -> tuple[Reader, dict[str, Any]]:
    """Open a text net of `transformers` with its tokeniser, as JSON, from a folder or the hub.

    A pickle, a missing tensor or tokeniser, or a net that reads no texts is a ModelError.
    """
    folder = _folder.find(name, (_folder.TOKENIZER,))
    config = _folder.read_json(folder, _folder.CONFIG)
    files = _folder.weight_files(folder)
    tokeniser = _folder.read_json(folder, _folder.TOKENIZER)
    try:
        net, notes = pretrained.load(folder)
        origin = Origin(name=str(name), licence=_folder.licence(folder), notes=tuple(notes),
                        sha256={path.name: _folder.sha256(path) for path in files})  # fmt: skip
        record = {
            "config": json.loads(net.config.to_json_string(use_diff=False)),  # type: ignore[union-attr]
            "most": _most(config), "pad": int(config.get("pad_token_id") or 0),
            "width": _width(net, len(_vocabulary(tokeniser)), int(config.get("vocab_size") or 0)),
        }  # fmt: skip
        return Reader(net, record, origin).eval(), tokeniser
    except ModelError as error:
        raise (error if error.where else error.at(str(name))) from None


def from_record(record: Mapping[str, Any]) -> Reader:
    """Build the reader of `Reader.to_json`, its weights still to be put in (`from_arrays`)."""
    transformers = pretrained.transformers_package()
    config = transformers.AutoConfig.for_model(**record["net"]["config"])
    net = transformers.AutoModel.from_config(config, trust_remote_code=False)
    if hasattr(net, "pooler"):
        net.register_module("pooler", None)
    origin = Origin(**{**record["origin"], "notes": tuple(record["origin"]["notes"])})
    return Reader(net, record["net"], origin).eval()


def extract(
    reader: Reader, x: np.ndarray, lengths: np.ndarray,
    monitor: Callable[[Event], None] | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the features (n, d) of tokens (n, t); texts of like length are read together."""
    found = np.zeros((len(x), reader.width), np.float32)
    order = np.argsort(lengths, kind="stable")
    with torch.inference_mode():
        for first in range(0, len(x), BATCH):
            some = order[first : first + BATCH]
            tokens = torch.from_numpy(np.ascontiguousarray(x[some]))
            found[some] = reader(tokens, torch.from_numpy(lengths[some])).float().numpy()
            if monitor is not None:
                done = min(first + BATCH, len(x))
                monitor(Progress(label="features", done=done, total=len(x)))
    return found


def _vocabulary(tokeniser: Mapping[str, Any]) -> dict[str, int]:
    from tokenizers import Tokenizer  # noqa: PLC0415

    try:
        return Tokenizer.from_str(json.dumps(tokeniser)).get_vocab()
    except Exception as error:  # `tokenizers` raises plain Exception
        raise ModelError(f"{_folder.TOKENIZER} cannot be read ({error})") from error


def _most(config: Mapping[str, Any]) -> int:
    positions = config.get("max_position_embeddings") or config.get("n_positions") or MOST_TOKENS
    return max(min(int(positions) - 2, MOST_TOKENS), 2)  # RoBERTa counts its positions from 2


def _width(net: nn.Module, tokens: int, known: int) -> int:
    """Return how many features the net gives; ModelError for one that reads no texts."""
    if hasattr(net, "pooler"):
        net.register_module("pooler", None)
    try:
        ones = torch.ones(1, 2, dtype=torch.long)
        with torch.inference_mode():
            width = net.eval()(input_ids=ones, attention_mask=ones).last_hidden_state.shape[2]
    except (TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(
            "this net does not turn texts into features",
            remedy="take a text net, such as BERT, DistilBERT, RoBERTa or MiniLM",
        ) from error
    if known and tokens > known:
        raise ModelError(
            f"the tokeniser has {tokens:,} tokens, the net knows {known:,}",
            remedy="download the folder again; tokenizer.json and weights must belong together",
        )
    return int(width)
