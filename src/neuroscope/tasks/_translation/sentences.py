"""Sentence pairs out of a table, and the tokens that nets read and write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from neuroscope.base.errors import ModelError
from neuroscope.base.recipe import Recipe
from neuroscope.data.columns import cells, label
from neuroscope.data.table import Table
from neuroscope.data.text.tokeniser import END, PAD, START, UNKNOWN, Tokeniser

if TYPE_CHECKING:
    from neuroscope.tasks._learning import Training
    from neuroscope.train.pairs import PairRows

LONGEST = 256  # tokens of a side; longer pairs are not learned from, longer sources are cut
MOST_CHARACTERS = 10_000  # of a text that is looked at; no sentence is that long
LEARNED_FROM = 200_000  # pairs that the tokens are learned from, at most
_SIZE, _SMALL_SIZE = 8000, 4000  # tokens, for many and for few pairs
_MANY = 10_000  # pairs


class Cutter(Protocol):
    """What cuts texts into tokens and joins tokens to texts: `Tokeniser`, or a pretrained one."""

    def encode(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the tokens of each text, without start and end."""
        ...

    def decode(self, tokens: Sequence[int] | np.ndarray) -> str:
        """Return the text of tokens."""
        ...


@dataclass(frozen=True)
class Vocabulary:
    """How a net's sentences are cut, and the tokens that are no words."""

    cutter: Cutter
    start: int = START
    end: int = END
    padding: int = PAD
    never: tuple[int, ...] = (PAD, UNKNOWN, START)  # tokens that no sentence holds
    source_end: bool = False  # whether the end is told of what is read, too
    longest: int = LONGEST  # tokens of a side; more are cut

    def read(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the tokens of texts that are read, each cut to the longest."""
        if not self.source_end:
            return [tokens[: self.longest] for tokens in self.cutter.encode(texts)]
        return [np.append(tokens[: self.longest - 1], np.int32(self.end)) if len(tokens) else tokens
                for tokens in self.cutter.encode(texts)]  # fmt: skip

    def written(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the tokens of texts that are written, each cut to the longest."""
        return [tokens[: self.longest] for tokens in self.cutter.encode(texts)]


def texts_of(table: Table, column: str, rows: np.ndarray | None = None) -> list[str]:
    """Return a column as texts without outer white space, "" where missing, cut where endless."""
    values = cells(table, column, rows).values.to_pylist()
    return [label(value).strip()[:MOST_CHARACTERS] for value in values]


@dataclass(frozen=True)
class Sentences:
    """Texts to be translated, with their references where these are known, and the tokens."""

    source: tuple[str, ...]
    target: tuple[str, ...] | None
    vocabulary: Vocabulary

    def __len__(self) -> int:
        return len(self.source)

    @property
    def nbytes(self) -> int:
        """Bytes of the texts, about."""
        return sum(map(len, self.source)) + sum(map(len, self.target or ()))

    @property
    def references(self) -> tuple[str, ...]:
        """The texts that were to be written."""
        assert self.target is not None, "these sentences have no references"
        return self.target

    def some(self, rows: np.ndarray) -> Sentences:
        """Return some of the sentences, by position."""
        target = None if self.target is None else tuple(self.target[row] for row in rows)
        return replace(self, source=tuple(self.source[row] for row in rows), target=target)

    @cached_property
    def tokens(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Tokens of both sides, each cut to the longest."""
        return self.vocabulary.read(self.source), self.vocabulary.written(self.references)

    @cached_property
    def stretch(self) -> np.ndarray:
        """Tokens of each reference over those that are kept of it, (n,): 1 unless it is cut."""
        kept = np.array([len(tokens) for tokens in self.tokens[1]], np.float64)
        found = np.ones(len(kept))
        cut = np.flatnonzero(kept >= self.vocabulary.longest)
        whole = self.vocabulary.cutter.encode([self.references[row] for row in cut])
        found[cut] = [len(tokens) for tokens in whole] / kept[cut]
        return found

    def rows(self) -> PairRows:
        """Return the pairs as the loop learns from them."""
        from neuroscope.train.pairs import PairRows, Ragged  # noqa: PLC0415 - imports torch

        source, target = self.tokens
        said = self.vocabulary
        return PairRows(Ragged.of(source), Ragged.of(target), said.start, said.end, said.padding)

    @cached_property
    def learnable(self) -> np.ndarray:
        """Positions of the pairs that are not too long to learn from."""
        source, target = self.tokens
        most = self.vocabulary.longest
        return np.flatnonzero(
            [len(a) < most and len(b) < most for a, b in zip(source, target, strict=True)]
        )


@dataclass(frozen=True)
class Encoded:
    """Sentences of some rows, and what is to be said of them."""

    x: Sentences
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PairEncoder:
    """Which column is read, which is written, and how both are cut into tokens."""

    source: str
    target: str
    tokeniser: Tokeniser = field(repr=False)

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens of nets that are trained from scratch."""
        return Vocabulary(self.tokeniser)

    def transform(self, table: Table, rows: np.ndarray | None = None) -> Encoded:
        """Return the sentences of a table, with their references where it has the column."""
        source = texts_of(table, self.source, rows)
        known = self.target in table.names
        target = tuple(texts_of(table, self.target, rows)) if known else None
        return Encoded(Sentences(tuple(source), target, self.vocabulary), _notes(source))

    def to_json(self) -> dict[str, Any]:
        """Return the encoder as a JSON object."""
        return {"source": self.source, "target": self.target,
                "tokeniser": self.tokeniser.to_json()}  # fmt: skip

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> PairEncoder:
        """Build the encoder that `to_json` wrote; ModelError for anything else."""
        try:
            return cls(str(record["source"]), str(record["target"]),
                       Tokeniser.from_json(record["tokeniser"]))  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"the model's encoder cannot be read: {error!r}") from error


def _notes(source: Sequence[str]) -> tuple[str, ...]:
    cut = sum(len(text) >= MOST_CHARACTERS for text in source)
    one = "1 text is" if cut == 1 else f"{cut:,} texts are"
    return (f"{one} read up to {MOST_CHARACTERS:,} characters only",) if cut else ()


class PairEncoding:
    """Tokens shared by both languages, learned from the training pairs; digits stay single.

    One vocabulary lets a net copy names and numbers (Sennrich et al. 2016, 3.2); a number cut into
    its digits is copied digit by digit, whatever its length.
    """

    def key(self, recipe: Recipe) -> tuple[Any, ...]:  # noqa: ARG002 - all rungs share it
        """Return what the encoder depends on: nothing in a recipe."""
        return ()

    def fit(self, training: Training, recipe: Recipe) -> tuple[PairEncoder, Sentences]:  # noqa: ARG002
        """Learn the tokens of the training pairs, and return these pairs."""
        schema, table = training.problem.schema, training.problem.table
        assert schema.target is not None
        source, target = schema.features[0].name, schema.target.name
        texts = [texts_of(table, name, training.rows) for name in (source, target)]
        many = len(texts[0]) >= _MANY
        read = (side[:LEARNED_FROM] for side in texts)
        tokeniser = Tokeniser.train(
            "bpe", (text for side in read for text in side), _SIZE if many else _SMALL_SIZE,
            seen=3 if many else 2, single_digits=True,
        )  # fmt: skip
        encoder = PairEncoder(source, target, tokeniser)
        return encoder, Sentences(tuple(texts[0]), tuple(texts[1]), encoder.vocabulary)
