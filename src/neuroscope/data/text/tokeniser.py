"""Texts cut into tokens, and tokens into texts again; JSON both ways.

    character    every character of the training texts (a code point) is a token; nothing is lost
    word         words, and runs of signs between them; a word seen too rarely is <unknown>
    wordpiece    words in pieces, so that rare ones are spelt out of known parts (Schuster and
                 Nakajima, 2012; as BERT does)
    bpe          byte-level byte-pair encoding (Sennrich et al., 2016; Radford et al., 2019):
                 every text comes back exactly, whatever its script

Four tokens have the same numbers in each: <pad> 0, <unknown> 1, <start> 2, <end> 3. They stand for
themselves only: a text that spells "<pad>" is cut like any other.

Not covered: languages written without spaces are not cut into words (take "character" or "bpe").
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroscope.base.errors import ModelError, RecipeError, choice_error

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = ("<pad>", "<unknown>", "<start>", "<end>")
PAD, UNKNOWN, START, END = range(len(SPECIAL))
KINDS = ("character", "word", "wordpiece", "bpe")

_SIZES = {"word": 30_000, "wordpiece": 16_000, "bpe": 16_000}
_SMALLEST = {"bpe": len(SPECIAL) + 256}  # every byte is a token
_TOGETHER = 1_000  # texts cut at once
_PIECE = 100_000  # characters of a long text cut at once: the cutter keeps ~100 bytes a token
_STRANGE = "\N{REPLACEMENT CHARACTER}"
_CLOSING = re.compile(r" ([.,;:!?%)\]}»”’…])")
_OPENING = re.compile(r"([(\[{«“]) ")


class Tokeniser:
    """Cuts texts into tokens, numbered from 0 to `len(tokeniser) - 1`."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        """Take what `to_json` gave; `train` makes a new one."""
        self.kind: str = record["kind"]
        self.lowercase: bool = bool(record.get("lowercase", False))
        self._record = dict(record)

    @classmethod
    def train(
        cls,
        kind: str,
        texts: Iterable[str],
        size: int | None = None,
        *,
        lowercase: bool = False,
        seen: int = 1,
        single_digits: bool = False,
    ) -> Tokeniser:
        """Learn the tokens of `texts`, at most `size` with the four special ones.

        With `single_digits` bpe cuts numbers into their digits, so that any number is spelt of ten
        tokens. Characters and words seen less than `seen` times are left out. The same texts give
        the same tokens. Raises RecipeError for an unknown kind or a size that cannot hold them.
        """
        if kind not in KINDS:
            raise choice_error("tokeniser", kind, KINDS)
        smallest = _SMALLEST.get(kind, len(SPECIAL) + 1)
        if size is not None and size < smallest:
            raise RecipeError(
                f"a vocabulary of {size:,} tokens is too small for the tokeniser {kind!r}",
                remedy=f"give {smallest:,} or more",
            )
        if kind == "character":
            own: Any = _characters(texts, size, seen, lowercase)
        else:
            own = _trained(kind, texts, size or _SIZES[kind], seen, lowercase, single_digits)
        return cls({"kind": kind, "lowercase": lowercase, "tokens": own})

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        return dict(self._record)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Tokeniser:
        """Rebuild a tokeniser; raises ModelError where `record` is none."""
        if record.get("kind") not in KINDS or "tokens" not in record:
            raise ModelError(
                "the tokeniser of the model cannot be read", remedy="train the model again"
            )
        tokeniser = cls(record)
        try:
            len(tokeniser)
        except Exception as error:  # `tokenizers` raises plain Exception
            raise ModelError(
                "the tokeniser of the model is damaged", remedy="train the model again"
            ) from error
        return tokeniser

    def __len__(self) -> int:
        """Return the number of tokens, with the four special ones."""
        return len(self.tokens)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Return how each token is written, by its number."""
        if self.kind == "character":
            return (*SPECIAL, *self._record["tokens"])
        known = self._cutter.get_vocab()
        return tuple(sorted(known, key=known.__getitem__))

    def encode(self, texts: Iterable[str]) -> list[np.ndarray]:
        """Return the tokens of each text, (length,) int32; no start, end or padding is added."""
        if self.kind == "character":
            return [self._by_character(text) for text in texts]
        found: list[np.ndarray] = []
        waiting = iter(texts)
        while some := list(islice(waiting, _TOGETHER)):
            found += self._cut(some)
        return found

    def encode_one(self, text: str) -> np.ndarray:
        """Return the tokens of one text, (length,) int32."""
        return self.encode([text])[0]

    def decode(self, tokens: Sequence[int] | np.ndarray) -> str:
        """Return the text of `tokens`, without padding, start and end.

        Exact for characters and bpe; words and pieces of words come back with single spaces, and
        in small letters where the tokeniser was trained so.
        """
        kept = [int(token) for token in tokens if token not in (PAD, START, END)]
        if self.kind == "character":
            written = (*SPECIAL[:UNKNOWN], _STRANGE, *SPECIAL[START:], *self._record["tokens"])
            return "".join(written[token] for token in kept)
        text = self._cutter.decode(kept, skip_special_tokens=False)
        if self.kind == "bpe":
            return text
        return _OPENING.sub(r"\1", _CLOSING.sub(r"\1", text))

    @cached_property
    def _cutter(self) -> Tokenizer:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only where texts are

        cutter = Tokenizer.from_str(json.dumps(self._record["tokens"]))
        cutter.encode_special_tokens = True  # a text that spells "<pad>" holds no padding
        return cutter

    @cached_property
    def _numbers(self) -> np.ndarray:
        """Return the token of each code point."""
        points = _code_points("".join(self._record["tokens"]))
        numbers = np.full(0x110000, UNKNOWN, np.int32)
        numbers[points] = np.arange(len(SPECIAL), len(SPECIAL) + len(points))
        return numbers

    def _by_character(self, text: str) -> np.ndarray:
        return self._numbers[_code_points(text.lower() if self.lowercase else text)]

    def _cut(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the tokens of some texts; long ones are cut piece by piece."""
        pieces = [list(_pieces(text)) for text in texts]
        flat = [_sound(piece) for of_one in pieces for piece in of_one]
        found: list[np.ndarray] = []
        for some in _within(flat, _TOGETHER * _PIECE // 100):
            cut = self._cutter.encode_batch_fast(some, add_special_tokens=False)
            found += [np.array(one.ids, np.int32) for one in cut]
        parts = iter(found)
        return [_joined(list(islice(parts, len(of_one)))) for of_one in pieces]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _within(texts: list[str], characters: int) -> Iterator[list[str]]:
    """Yield runs of texts that hold about `characters` together."""
    start = held = 0
    for place, text in enumerate(texts):
        held += len(text)
        if held >= characters:
            yield texts[start : place + 1]
            start, held = place + 1, 0
    if start < len(texts):
        yield texts[start:]


def _pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces that are cut before a lone space, where every tokeniser cuts too.

    A stretch without any such space is cut after `_PIECE` characters.
    """
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        place = text.rfind(" ", start + _PIECE // 2, end)
        while place > 0 and (text[place - 1].isspace() or text[place + 1].isspace()):
            place = text.rfind(" ", start + _PIECE // 2, place)
        end = place if place > start else end
        yield text[start:end]
        start = end
    yield text[start:]


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _sound(text: str) -> str:
    """Return a text that can be written as UTF-8: halves of characters are replaced."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")
    return text


def _characters(texts: Iterable[str], size: int | None, seen: int, lowercase: bool) -> list[str]:
    """Return the characters of texts in the order of their numbers; the rarest are left out."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text.lower() if lowercase else text)
    kept = sorted((c for c in counts if counts[c] >= seen), key=lambda c: (-counts[c], c))
    return sorted(kept[: None if size is None else size - len(SPECIAL)])


def _trained(
    kind: str, texts: Iterable[str], size: int, seen: int, lowercase: bool, single_digits: bool
) -> dict[str, Any]:
    """Return what `tokenizers` learns from texts, as it writes it down."""
    from tokenizers import Tokenizer, models, trainers  # noqa: PLC0415

    common: dict[str, Any] = {"vocab_size": size, "show_progress": False, "min_frequency": seen}
    unknown, first = SPECIAL[UNKNOWN], list(SPECIAL)
    if kind == "word":
        cutter = Tokenizer(models.WordLevel(unk_token=unknown))
        trainer: Any = trainers.WordLevelTrainer(**common, special_tokens=first)
    elif kind == "wordpiece":
        cutter = Tokenizer(models.WordPiece(unk_token=unknown))
        texts, own = _alphabet(texts, max(1, (size - len(SPECIAL)) // 4), lowercase)
        first += [*own, *(f"##{c}" for c in own)]
        trainer = trainers.WordPieceTrainer(**common, special_tokens=first, limit_alphabet=len(own))
    else:
        cutter = Tokenizer(models.BPE())
        trainer = trainers.BpeTrainer(**common, special_tokens=first, initial_alphabet=_bytes())
    _prepare(cutter, kind, lowercase, single_digits)
    pieces = chain.from_iterable(map(_pieces, texts))
    cutter.train_from_iterator(map(_sound, pieces), trainer)
    record = json.loads(cutter.to_str())
    record["added_tokens"] = record["added_tokens"][: len(SPECIAL)]
    return record


def _alphabet(texts: Iterable[str], most: int, lowercase: bool) -> tuple[list[str], list[str]]:
    """Return the texts, and the characters that words are spelt of when nothing else is known.

    They are numbered here: the trainer numbers them in an order that changes from run to run.
    """
    whole = list(texts)
    composed = (unicodedata.normalize("NFC", text) for text in whole)
    found = _characters(composed, most + len(SPECIAL), 1, lowercase)
    return whole, [c for c in found if not c.isspace() and not "\ud800" <= c <= "\udfff"]


def _bytes() -> list[str]:
    from tokenizers import pre_tokenizers  # noqa: PLC0415

    return pre_tokenizers.ByteLevel.alphabet()


def _prepare(cutter: Tokenizer, kind: str, lowercase: bool, single_digits: bool) -> None:
    """Say what is done to a text before it is cut, and when it is put together again."""
    from tokenizers import decoders, normalizers, pre_tokenizers  # noqa: PLC0415

    steps: list[Any] = [] if kind == "bpe" else [normalizers.NFC()]
    steps += [normalizers.Lowercase()] if lowercase else []
    if steps:
        cutter.normalizer = normalizers.Sequence(steps)  # pyright: ignore[reportAttributeAccessIssue]
    if kind == "bpe":
        digits = [pre_tokenizers.Digits(individual_digits=True)] * single_digits
        steps = [*digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]
        cutter.pre_tokenizer = pre_tokenizers.Sequence(steps)  # pyright: ignore[reportAttributeAccessIssue]
        cutter.decoder = decoders.ByteLevel()  # pyright: ignore[reportAttributeAccessIssue]
        return
    cutter.pre_tokenizer = pre_tokenizers.Whitespace()  # pyright: ignore[reportAttributeAccessIssue]
    if kind == "wordpiece":
        cutter.decoder = decoders.WordPiece(prefix="##", cleanup=False)  # pyright: ignore[reportAttributeAccessIssue]
