"""Two text files side by side: lines that belong together, and those that do not."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from neuroscope.base.errors import SourceError
from neuroscope.data.sources import CATALOGUE, aligned, read
from neuroscope.data.sources._numbers import in_words


def _write(folder: Path, **texts: str | bytes) -> None:
    for name, text in texts.items():
        content = text.encode() if isinstance(text, str) else text
        (folder / f"{name}.txt").write_bytes(content)


def test_lines_go_together_and_files_name_the_columns(tmp_path: Path) -> None:
    _write(tmp_path, de="Ein, Hund\r\n\nZwei\u2028Hunde\n", en="a dog\n  \ntwo dogs")
    table = read("de.txt,en.txt")
    assert table.names == ["de", "en"]
    assert table.arrow["de"].to_pylist() == ["Ein, Hund", None, "Zwei\u2028Hunde"]
    assert table.arrow["en"].to_pylist() == ["a dog", None, "two dogs"]
    assert table.origin.files == ("de.txt", "en.txt")


def test_gzip_byte_order_marks_and_endings_that_name_languages(tmp_path: Path) -> None:
    (tmp_path / "train.de.gz").write_bytes(gzip.compress("\ufeffja\nnein\n".encode()))
    (tmp_path / "train.en").write_text("yes\nno\n")
    table = read("train.de.gz,train.en")
    assert table.names == ["de", "en"]
    assert table.arrow["de"].to_pylist() == ["ja", "nein"]


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "text.txt").write_text("one\n")
    assert read("a/text.txt,b/text.txt").names == ["source", "target"]


def test_files_that_are_not_aligned_are_refused_with_both_counts(tmp_path: Path) -> None:
    _write(tmp_path, de="eins\nzwei\ndrei\n", en="one\ntwo\n")
    with pytest.raises(SourceError, match=r"de\.txt has 3 lines, en\.txt 2"):
        read("de.txt,en.txt")


def test_another_encoding_is_refused_with_file_offset_and_line(tmp_path: Path) -> None:
    _write(tmp_path, de="gut\nschön\n".encode("latin-1"), en="good\nnice\n")
    with pytest.raises(SourceError, match=r"byte 0xf6 at offset 7, line 2") as caught:
        read("de.txt,en.txt")
    assert caught.value.where == "de.txt"


def test_a_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    _write(tmp_path, en="one\n", none="")
    with pytest.raises(SourceError, match="no such file"):
        read("de.txt,en.txt")
    with pytest.raises(SourceError, match="empty"):
        read("none.txt,en.txt")


@pytest.mark.parametrize("source", ["de.txt,en.txt", "de.txt, en.txt", "numbers"])
def test_one_kind_of_source_accepts_each(source: str, tmp_path: Path) -> None:
    _write(tmp_path, de="x\n", en="y\n")
    assert sum(module.accepts(source) for module in CATALOGUE) == 1


@pytest.mark.parametrize("source", [
    "a.csv,b.csv", "select a, b from x", "de.txt", "de.txt,en.txt,fr.txt", "sqlite:///a,b", ",",
    "one, two.csv",
])  # fmt: skip
def test_other_sources_are_no_pairs_of_files(source: str, tmp_path: Path) -> None:
    _write(tmp_path, de="x\n", en="y\n")
    assert not aligned.accepts(source)


def test_a_file_whose_name_holds_a_comma_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a,b.txt").write_text("x;y\n1;2\n")
    assert not aligned.accepts("a,b.txt")


def test_lines_of_one_file_are_texts_whatever_they_hold(tmp_path: Path) -> None:
    _write(tmp_path, de='Ein "Mann", der; liest\n\nok\n')
    table = aligned.read_lines("de.txt")
    assert table.arrow["text"].to_pylist() == ['Ein "Mann", der; liest', None, "ok"]


@pytest.mark.parametrize(("number", "words"), [
    (0, "zero"), (7, "seven"), (13, "thirteen"), (20, "twenty"), (85, "eighty-five"),
    (100, "one hundred"), (412, "four hundred twelve"), (1000, "one thousand"),
    (70_031, "seventy thousand thirty-one"),
    (999_999, "nine hundred ninety-nine thousand nine hundred ninety-nine"),
])  # fmt: skip
def test_numbers_in_words(number: int, words: str) -> None:
    assert in_words(number) == words


def test_numbers_are_pairs_of_which_none_occurs_twice() -> None:
    table = read("numbers")
    words, digits = (table.arrow[name].to_pylist() for name in ("words", "digits"))
    assert len(set(digits)) == len(digits) == table.rows == 8000
    assert all(in_words(int(d)) == w for w, d in zip(words, digits, strict=True))
    assert {len(d) for d in digits} == {1, 2, 3, 4, 5, 6}
