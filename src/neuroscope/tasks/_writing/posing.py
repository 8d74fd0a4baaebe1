"""From a table to a problem whose rows are pieces of text, each to be guessed token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroscope.base import randomness
from neuroscope.base.errors import InputError, TargetError
from neuroscope.base.recipe import Recipe
from neuroscope.data.schema import Schema
from neuroscope.data.splits import Split
from neuroscope.data.table import Table
from neuroscope.data.target import TargetCodec
from neuroscope.data.text.tokeniser import Tokeniser
from neuroscope.tasks._learning import Problem, Training
from neuroscope.tasks._writing.passages import Passages

FEWEST_CHARACTERS = 1000  # of one text that is learned from and judged
FEWEST_DOCUMENTS = 30
_KEY = "writing"  # of what a problem's rungs share
_SIZES = (300, 2000)  # characters of a piece, at least and at most
_PIECES = 500  # that a text is cut into, about
_LONG = 500_000  # characters from which a twentieth is enough to choose by


@dataclass(frozen=True, eq=False)
class Texts:
    """Documents cut into the pieces that are the problem's rows.

    one   whether nothing ends, as a single text, which goes on; else each document begins and ends
    """

    pieces: list[str]
    document: np.ndarray  # (n,) which one a piece is of
    one: bool

    @classmethod
    def of(cls, problem: Problem) -> Texts:
        """Return what a problem of text making was posed with."""
        return problem.shared[_KEY]

    @classmethod
    def cut(cls, documents: Sequence[str]) -> Texts:
        """Cut a single text into pieces; of several, each is a piece."""
        if len(documents) != 1:
            return cls(list(documents), np.arange(len(documents)), one=False)
        text = documents[0]
        size = int(np.clip(len(text) / _PIECES, *_SIZES))
        pieces = [text[first : first + size] for first in range(0, len(text), size)]
        return cls(pieces, np.zeros(len(pieces), np.int64), one=True)

    @property
    def counts(self) -> np.ndarray:
        """Characters that each piece asks for, (n, 1); the end of a document is one."""
        lengths = np.array([len(piece) for piece in self.pieces], np.float64)
        return (lengths + (not self.one))[:, None]

    def passages(self, tokeniser: Tokeniser, rows: np.ndarray) -> Passages:
        """Return the tokens of some pieces."""
        tokens = tokeniser.encode([self.pieces[row] for row in rows])
        follows = np.zeros(len(rows), bool)
        follows[1:] = (np.diff(rows) == 1) & (np.diff(self.document[rows]) == 0)
        return Passages(tokens, ~follows, ends=not self.one)


@dataclass(frozen=True, eq=False)
class TextEncoder:
    """A tokeniser, and what a text begins with when nobody says how."""

    tokeniser: Tokeniser
    ends: bool  # whether texts end; else they go on until they are stopped
    begin: str = ""  # of a text that goes on
    texts: Texts | None = None  # whose rows it encodes, while it is trained

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Any:  # noqa: ARG002
        """Return the tokens of some pieces of the problem."""
        assert self.texts is not None
        assert rows is not None
        return _Encoded(self.texts.passages(self.tokeniser, rows))

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        return {"tokeniser": self.tokeniser.to_json(), "ends": self.ends, "begin": self.begin}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> TextEncoder:
        """Rebuild an encoder; raises ModelError where its tokeniser is damaged."""
        tokeniser = Tokeniser.from_json(record["tokeniser"])
        return cls(tokeniser, bool(record["ends"]), str(record["begin"]))


@dataclass(frozen=True)
class _Encoded:
    x: Passages
    notes: tuple[str, ...] = ()


class TextEncoding:
    """Tokens that are learned from the training pieces only."""

    def key(self, recipe: Recipe) -> tuple[Any, ...]:  # noqa: ARG002 - characters, whatever it says
        """Return what the encoder depends on."""
        return ()

    def fit(self, training: Training, recipe: Recipe) -> tuple[TextEncoder, Passages]:  # noqa: ARG002
        """Return the encoder, and the tokens of the training pieces."""
        texts = Texts.of(training.problem)
        tokeniser = Tokeniser.train("character", (texts.pieces[row] for row in training.rows))
        encoder = TextEncoder(tokeniser, not texts.one, _begin(tokeniser), texts)
        return encoder, texts.passages(tokeniser, training.rows)


def _begin(tokeniser: Tokeniser) -> str:
    """Return what a text goes on from without a prompt: a new line, else a space."""
    known = [sign for sign in ("\n", " ") if sign in tokeniser.tokens]
    return known[0] if known else tokeniser.tokens[-1]


def pose(
    encoding: TextEncoding, table: Table, schema: Schema, column: str, documents: Sequence[str], *,
    seed: int,
) -> Problem:  # fmt: skip
    """Return the problem of guessing each next token of the documents.

    Raises InputError where there is too little text, TargetError where it is one character only.
    """
    texts = Texts.cut(documents)
    _check(documents, texts)
    split = _in_order(texts) if texts.one else _at_random(documents, seed)
    codec = TargetCodec(kind="text", column=column)
    return Problem(table, schema, "text", codec, split, seed, encoding, texts.counts,
                   shared={_KEY: texts})  # fmt: skip


def _check(documents: Sequence[str], texts: Texts) -> None:
    if not any(document.strip() for document in documents):
        raise InputError("there is no text: all of it is blank", remedy="give some text")
    if texts.one and len(documents[0]) < FEWEST_CHARACTERS:
        raise InputError(
            f"{len(documents[0]):,} characters are too few to learn from and to judge",
            remedy=f"give {FEWEST_CHARACTERS:,} or more; some 100,000 are a good beginning",
        )
    if not texts.one and len(documents) < FEWEST_DOCUMENTS:
        raise InputError(
            f"{len(documents):,} documents are too few to learn from and to judge",
            remedy=f"give {FEWEST_DOCUMENTS} or more, or one text in a .txt file",
        )
    if len(set("".join(documents[:100_000]))) < 2:
        raise TargetError("the text is one and the same character throughout: there is nothing to "
                          "learn", remedy="give another text")  # fmt: skip


def _in_order(texts: Texts) -> Split:
    """Return the beginning to choose by, the last tenth to test, and what is between to learn from.

    So what is learned borders on both: a text is easier to guess where it goes on, and a model that
    is not fitted again must not lack the pages before the test.
    """
    rows = np.arange(len(texts.pieces))
    count, characters = len(rows), int(texts.counts.sum())
    tested = max(round(0.1 * count), 1)
    held = max(round((0.05 if characters > _LONG else 0.1) * count), 1)
    development, test = rows[: count - tested], rows[count - tested :]
    fold = development[held:], development[:held]
    reason = "one text: its last tenth tests, its beginning chooses the rung, the rest is learned"
    return Split(test, development, (fold,), "time", reason)


def _at_random(documents: Sequence[str], seed: int) -> Split:
    """Return parts such that the same document is never in two of them."""
    _, same = np.unique(np.array(documents, dtype=object), return_inverse=True)
    order = randomness.generator(seed, "split").permutation(int(same.max()) + 1)
    place = order[same] / len(order)
    test, held = np.flatnonzero(place >= 0.9), np.flatnonzero((place >= 0.8) & (place < 0.9))
    development = np.flatnonzero(place < 0.9)
    fold = np.flatnonzero(place < 0.8), held
    notes = ()
    if len(order) < len(documents):
        notes = (f"{len(documents) - len(order):,} documents repeat another one word for word; "
                 "those that are the same are in the same part",)  # fmt: skip
    reason = "documents at random: a tenth tests, a tenth chooses the rung"
    return Split(test, development, (fold,), "random", reason, notes)
