"""Texts on their way to a learner: cut into words once for all rungs, then bags or tokens."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.sparse import SparseRows
from neuroscope.data.series.encoder import SequenceRows
from neuroscope.data.table import Table
from neuroscope.data.text.bag import Bag
from neuroscope.data.text.column import text_columns, texts
from neuroscope.data.text.tokeniser import Tokeniser
from neuroscope.data.text.words import Words, spaced
from neuroscope.tasks._learning import Problem

MOST_TOKENS = 256  # that a net reads one by one
MOST_WORDS = 20_000  # of a net's vocabulary


@dataclass(frozen=True)
class Encoded:
    """What a learner reads of some rows, and what was noted on the way."""

    x: Any
    notes: tuple[str, ...] = ()


class Store:
    """The texts of one table, and their words, cut once for all rungs."""

    def __init__(self, table: Table, columns: tuple[str, ...]) -> None:
        self.table, self.columns = table, columns
        self._lock = threading.Lock()
        self._texts: list[str] | None = None
        self._words: Words | None = None
        self._reading = threading.Lock()
        self._features: dict[str, np.ndarray] = {}

    @classmethod
    def of(cls, problem: Problem) -> Store:
        """Return the store that all rungs of a problem share."""
        if "texts" not in problem.shared:
            problem.shared["texts"] = cls(problem.table, text_columns(problem.schema))
        return problem.shared["texts"]

    @property
    def texts(self) -> list[str]:
        """The text of each row of the table."""
        with self._lock:
            if self._texts is None:
                self._texts = texts(self.table, self.columns)[0]
            return self._texts

    @property
    def words(self) -> Words:
        """The words of each row of the table."""
        whole = self.texts
        with self._lock:
            if self._words is None:
                self._words = Words.of(whole)
            return self._words

    def features(self, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return what a net makes of all texts (n, d), computed once for each name."""
        with self._reading:
            if name not in self._features:
                self._features[name] = make()
            return self._features[name]

    def some(self, rows: np.ndarray) -> list[str]:
        """Return the texts of some rows."""
        whole = self.texts
        return [whole[row] for row in rows]


def given_texts(
    table: Table, columns: tuple[str, ...], rows: np.ndarray | None, store: Store | None
) -> tuple[list[str], tuple[str, ...]]:
    """Return the texts of some rows, and what to say of them; those of a store are read once."""
    if store is not None and table is store.table:
        return store.texts if rows is None else store.some(rows), ()
    found, notes = texts(table, columns, rows)
    return found, tuple(notes)


@dataclass(frozen=True, eq=False)
class BagEncoder:
    """Texts as bags of words, for the neuron core."""

    columns: tuple[str, ...]
    bag: Bag
    store: Store | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each column of x, empty where terms are hashed."""
        return self.bag.terms

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x, sparse rows (n, terms)."""
        if self.store is not None and table is self.store.table:
            words = self.store.words
            return Encoded(self.bag.transform(words if rows is None else words.some(rows)))
        found, notes = texts(table, self.columns, rows)
        return Encoded(self.bag.transform(Words.of(found)), tuple(notes))

    def terms_of(self, table: Table) -> dict[int, str]:
        """Return the terms that the texts hold, by their columns of x."""
        return self.bag.terms_of(Words.of(texts(table, self.columns)[0]))

    def encode(self, given: list[str]) -> SparseRows:
        """Return the rows of texts that stand in no table."""
        return self.bag.transform(Words.of(given))

    def to_json(self) -> dict[str, Any]:
        """Return all but the arrays, which `arrays` gives."""
        return {"kind": "bag", "columns": list(self.columns), "bag": self.bag.to_json()}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights of the terms."""
        return self.bag.arrays()


@dataclass(frozen=True, eq=False)
class TokenEncoder:
    """Texts as tokens, one after the other, for torch nets.

    Tokens are words and runs of signs; of scripts without blanks between words, single signs.
    """

    columns: tuple[str, ...]
    tokeniser: Tokeniser
    steps: int
    store: Store | None = field(default=None, repr=False)

    @classmethod
    def fit(cls, store: Store, rows: np.ndarray, steps: int = 0) -> TokenEncoder:
        """Learn the words of the training texts, and how many of them nearly all texts have."""
        given = [spaced(text) for text in store.some(rows)]
        tokeniser = Tokeniser.train("word", given, MOST_WORDS, lowercase=True, seen=2)
        if not steps:
            lengths = [len(tokens) for tokens in tokeniser.encode(given)]
            usual = float(np.quantile(lengths, 0.98)) if lengths else 1
            steps = int(min(max(8 * math.ceil(usual / 8), 8), MOST_TOKENS))
        return cls(store.columns, tokeniser, steps, store)

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return x, tokens (n, steps) with their lengths; a longer text is cut at its end."""
        given, notes = given_texts(table, self.columns, rows, self.store)
        return Encoded(self.encode(given), notes)

    def encode(self, given: list[str]) -> SequenceRows:
        """Return the tokens of texts that stand in no table."""
        most = 40 * self.steps  # characters: longer words than these are hard to find
        cut = self.tokeniser.encode([spaced(text[:most]) for text in given])
        lengths = np.array([min(len(tokens), self.steps) for tokens in cut], np.int64)
        x = np.zeros((len(cut), self.steps), np.int32)
        for place, tokens in enumerate(cut):
            x[place, : lengths[place]] = tokens[: self.steps]
        return SequenceRows(x, lengths)

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object; `read_encoder` gives an equal one back."""
        return {"kind": "tokens", "columns": list(self.columns), "steps": self.steps,
                "tokeniser": self.tokeniser.to_json()}  # fmt: skip


def read_encoder(record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    """Build the encoder of a text model; ModelError when its parts do not fit."""
    kind = record.get("kind")
    try:
        if kind in ("subwords", "read"):
            from neuroscope.tasks._texts.readers import ReadEncoder, SubwordEncoder  # noqa: PLC0415

            if kind == "read":
                return ReadEncoder.read(record, arrays)
            return SubwordEncoder.from_json(record)
        columns = tuple(record["columns"])
        if kind == "bag":
            return BagEncoder(columns, Bag.read(record["bag"], arrays))
        if kind == "tokens":
            tokeniser = Tokeniser.from_json(record["tokeniser"])
            return TokenEncoder(columns, tokeniser, int(record["steps"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"the model's encoder cannot be read: {error!r}") from error
    raise ModelError(f"the model's encoder is of an unknown kind {kind!r}")
