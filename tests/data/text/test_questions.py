"""Files of analogies."""

from __future__ import annotations

import gzip

import pytest

from neuroscope.base.errors import SourceError
from neuroscope.data.text.questions import Question, read_questions

TEXT = ": family\nboy girl he she\n\n: gram8-plural\ncat cats dog dogs\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_categories_and_questions(pack, tmp_path) -> None:
    (tmp_path / "q").write_bytes(pack(TEXT.encode()))
    assert read_questions(tmp_path / "q") == [
        Question("family", ("boy", "girl", "he", "she")),
        Question("gram8-plural", ("cat", "cats", "dog", "dogs")),
    ]


@pytest.mark.parametrize(("data", "said"), [
    (b": a\nx y z\n", "line 2 has 3 words, not four"),
    (b": a\n", "there is no question in it"),
    (b"a b c d\n\xff\xfe x y z\n", "byte 8 is no UTF-8"),
    (b"", "the file is empty"),
])  # fmt: skip
def test_what_is_wrong_is_said(data, said, tmp_path) -> None:
    (tmp_path / "q").write_bytes(data)
    with pytest.raises(SourceError, match=said):
        read_questions(tmp_path / "q")
