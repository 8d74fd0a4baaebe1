"""Pretrained text nets on a rung: opened once, their features computed once for all rungs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import RecipeError
from neuroscope.base.events import Monitor, ignore
from neuroscope.data.series.encoder import SequenceRows
from neuroscope.data.table import Table
from neuroscope.data.text.column import texts
from neuroscope.tasks._learning import Problem
from neuroscope.tasks._pictures.backbones import stamp
from neuroscope.tasks._pictures.encoders import part
from neuroscope.tasks._texts.encoders import Encoded, Store, given_texts

if TYPE_CHECKING:
    from neuroscope.nets.reader import Reader

_CHARACTERS = 20  # a token, at most: what lies beyond `most` tokens of these is not cut


def open_reader(name: str) -> tuple[Reader, Mapping[str, Any]]:
    """Open a text net with its tokeniser; what was opened is kept while its files stay the same."""
    return _opened(name, stamp(Path(name).expanduser()))


@lru_cache(maxsize=2)
def _opened(name: str, known: Any) -> tuple[Reader, Mapping[str, Any]]:  # noqa: ARG001 - a key
    from neuroscope.nets.reader import open_reader as pretrained  # noqa: PLC0415 - imports torch

    return pretrained(name)


def missing(problem: Problem) -> str:
    """Return why no transfer is possible; "" when it is. A backbone that fails raises its error."""
    if not problem.backbone:
        return "no backbone is given: give one with --backbone NAME|FOLDER"
    open_reader(problem.backbone)
    return ""


def remarks(problem: Problem) -> tuple[str, ...]:
    """Return what a person should know of the backbone that will be used."""
    if not problem.backbone:
        return ()
    notes = open_reader(problem.backbone)[0].origin.notes
    return tuple(f"backbone {problem.backbone}: {note}" for note in notes)


def needed(problem: Problem) -> str:
    """Return the name of the backbone; a RecipeError when there is none."""
    if reason := missing(problem):
        raise RecipeError(reason)
    return problem.backbone


@dataclass(frozen=True, eq=False)
class SubwordEncoder:
    """Texts as the tokens that a pretrained net was trained on."""

    columns: tuple[str, ...]
    tokeniser: Mapping[str, Any]  # tokenizer.json
    most: int  # tokens of a text, the net's own marks among them
    pad: int
    store: Store | None = field(default=None, repr=False)

    @classmethod
    def of(cls, reader: Reader, tokeniser: Mapping[str, Any], store: Store) -> SubwordEncoder:
        """Return the encoder that a reader asks for."""
        return cls(store.columns, tokeniser, reader.record["most"], reader.record["pad"], store)

    @cached_property
    def _cutter(self) -> Any:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only where texts are

        cutter = Tokenizer.from_str(json.dumps(self.tokeniser))
        cutter.no_padding()
        cutter.enable_truncation(self.most)
        return cutter

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x, tokens (n, most) with their lengths; a longer text is cut at its end."""
        given, notes = given_texts(table, self.columns, rows, self.store)
        return Encoded(self.encode(given), notes)

    def encode(self, given: list[str]) -> SequenceRows:
        """Return the tokens of texts that stand in no table."""
        cut = self._cutter.encode_batch_fast([text[: _CHARACTERS * self.most] for text in given])
        longest = max((len(one.ids) for one in cut), default=1)
        x = np.full((len(cut), max(longest, 1)), self.pad, np.int32)
        for place, one in enumerate(cut):
            x[place, : len(one.ids)] = one.ids
        lengths = np.array([max(len(one.ids), 1) for one in cut], np.int64)
        return SequenceRows(x, lengths)

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object."""
        return {"kind": "subwords", "columns": list(self.columns), "most": self.most,
                "pad": self.pad, "tokeniser": dict(self.tokeniser)}  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> SubwordEncoder:
        """Build the encoder that `to_json` wrote."""
        return cls(tuple(record["columns"]), record["tokeniser"], int(record["most"]),
                   int(record["pad"]))  # fmt: skip


@dataclass(frozen=True, eq=False)
class ReadEncoder:
    """What a frozen text net makes of a text (n, d), scaled by the training rows."""

    subwords: SubwordEncoder
    backbone: Reader
    means: np.ndarray  # (d,)
    scales: np.ndarray  # (d,)

    @classmethod
    def fit(
        cls, store: Store, rows: np.ndarray, name: str, monitor: Monitor = ignore
    ) -> ReadEncoder:
        """Compute the features of the whole table once, and scale them by the training rows."""
        reader, tokeniser = open_reader(name)
        plain = cls(SubwordEncoder.of(reader, tokeniser, store), reader, np.zeros(0), np.ones(0))
        found = store.features(name, lambda: plain._read(store.texts, monitor))[rows]
        spread = found.std(axis=0)
        return replace(plain, means=found.mean(axis=0), scales=np.where(spread > 1e-6, spread, 1))

    def _read(self, given: list[str], monitor: Monitor = ignore) -> np.ndarray:
        from neuroscope.nets.reader import extract  # noqa: PLC0415 - imports torch

        found = self.subwords.encode(given)
        return extract(self.backbone, found.x, found.lengths, monitor)

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each column of x."""
        return tuple(f"feature {number}" for number in range(1, self.backbone.width + 1))

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x (n, d) float32."""
        store = self.subwords.store
        if store is not None and table is store.table:
            found = store.features(self.backbone.origin.name, lambda: self._read(store.texts))
            return Encoded(self._scaled(found if rows is None else found[rows]))
        given, notes = texts(table, self.subwords.columns, rows)
        return Encoded(self.encode(given), tuple(notes))

    def encode(self, given: list[str]) -> np.ndarray:
        """Return the features of texts that stand in no table."""
        return self._scaled(self._read(given))

    def _scaled(self, found: np.ndarray) -> np.ndarray:
        return ((found - self.means) / self.scales).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """Return all but the arrays, which `arrays` gives."""
        return {"kind": "read", "subwords": self.subwords.to_json(), "columns": [],
                "backbone": self.backbone.to_json()}  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the net's weights and the scaling, by name."""
        from neuroscope.nets.weights import to_arrays  # noqa: PLC0415 - imports torch

        weights = {f"backbone.{name}": a for name, a in to_arrays(self.backbone).items()}
        return weights | {"features.means": self.means, "features.scales": self.scales}

    @classmethod
    def read(cls, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ReadEncoder:
        """Build the encoder that `to_json` and `arrays` wrote."""
        from neuroscope.nets.reader import from_record  # noqa: PLC0415 - imports torch
        from neuroscope.nets.weights import from_arrays  # noqa: PLC0415 - imports torch

        reader = from_record(record["backbone"])
        from_arrays(reader, part(arrays, "backbone."))
        return cls(SubwordEncoder.from_json(record["subwords"]), reader.eval(),
                   arrays["features.means"], arrays["features.scales"])  # fmt: skip
