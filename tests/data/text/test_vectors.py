"""Files of word vectors: every form comes back the same, what is wrong is named with its place."""

from __future__ import annotations

import gzip
import io
import re
import zipfile

import numpy as np
import pytest

from neuroscope.base.errors import InputError, SourceError
from neuroscope.data.text import _vector_files
from neuroscope.data.text.vectors import WordVectors, embedding_of, read, write

WORDS = ("the", "of", "Übermut", "naïve", "日本", "new york", "'s", "42")


def some(words=WORDS, width=5, seed=0) -> WordVectors:
    rng = np.random.default_rng(seed)
    return WordVectors(tuple(words), rng.normal(size=(len(words), width)).astype(np.float32))


def glove(vectors: WordVectors) -> bytes:
    rows = zip(vectors.words, vectors.vectors, strict=True)
    return "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows).encode()


def written(vectors: WordVectors, ending: str) -> bytes:
    file = io.BytesIO()
    write(vectors, file, ending)
    return file.getvalue()


def same(found: WordVectors, expected: WordVectors) -> None:
    assert found.words == expected.words
    np.testing.assert_array_equal(found.vectors, expected.vectors)
    assert found.vectors.dtype == np.float32


def zipped(data: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda data: zipped(data, "in/v.txt")])
@pytest.mark.parametrize("form", ["GloVe text", "word2vec text", "word2vec binary"])
def test_each_form_comes_back_the_same(form, pack, tmp_path) -> None:
    words = [word for word in WORDS if form != "word2vec binary" or " " not in word]
    vectors = some(words)
    data = {"GloVe text": glove(vectors), "word2vec text": written(vectors, ".vec"),
            "word2vec binary": written(vectors, ".bin")}[form]  # fmt: skip
    path = tmp_path / "any-name"
    path.write_bytes(pack(data))
    found = read(path)
    same(found, vectors)
    assert (found.form, found.notes, found.width) == (form, (), 5)


def test_the_binary_of_word2vec_c_ends_each_vector_with_a_line_break(tmp_path) -> None:
    vectors = some(("a", "b"), 3)
    rows = zip(vectors.words, vectors.vectors, strict=True)
    data = b"2 3\n" + b"".join(w.encode() + b" " + v.tobytes() + b"\n" for w, v in rows)
    (tmp_path / "v.bin").write_bytes(data)
    same(read(tmp_path / "v.bin"), vectors)


def test_a_file_larger_than_what_is_read_at_once(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_vector_files, "CHUNK", 200)
    vectors = some([f"word{i}" for i in range(300)], 4)
    for name, data in (("t", glove(vectors)), ("b", written(vectors, ".bin"))):
        (tmp_path / name).write_bytes(data)
        seen = []
        same(read(tmp_path / name, monitor=seen.append), vectors)
        done = [event.done for event in seen]
        assert len(done) > 10
        assert done == sorted(done)
        assert done[-1] == seen[0].total == len(data)


def test_other_ways_to_write_text(tmp_path) -> None:
    """Windows line ends, blanks at the end, tabs, a byte order mark, an empty line, no last end."""
    path = tmp_path / "v.txt"
    path.write_bytes(b"\xef\xbb\xbfa 1 2 \r\nb\t3\t4\r\n\r\nc  5  6")
    same(read(path), WordVectors(("a", "b", "c"), np.array([[1, 2], [3, 4], [5, 6]], np.float32)))


def test_only_the_first_words_are_read_when_asked(tmp_path) -> None:
    vectors = some()
    for data in (glove(vectors), written(vectors, ".vec")):
        (tmp_path / "v").write_bytes(data)
        found = read(tmp_path / "v", limit=3)
        assert found.words == WORDS[:3]
        assert found.notes == ("the first 3 words were read, as asked",)
    with pytest.raises(InputError, match="limit of 0"):
        read(tmp_path / "v", limit=0)


def test_words_that_occur_twice_keep_their_first_vector_and_are_told(tmp_path) -> None:
    (tmp_path / "v.txt").write_text("a 1 2\nb 3 4\na 5 6\nb 7 8\n")
    found = read(tmp_path / "v.txt")
    assert found.words == ("a", "b")
    np.testing.assert_array_equal(found.vectors, [[1, 2], [3, 4]])
    assert found.notes == ("2 words occur again, as 'a' at 1 and 3; the first of each was kept",)


def test_words_that_are_no_utf8_are_kept_apart_and_told(tmp_path) -> None:
    (tmp_path / "v").write_bytes(b"ok 1 2\ncaf\xe9 3 4\ncaf\xe8 5 6\n")
    found = read(tmp_path / "v")
    assert found.words == ("ok", "caf\\xe9", "caf\\xe8")
    assert "2 words are not UTF-8" in found.notes[0]


BINARY = b"3 2\n" + b"".join(w + b" " + np.array([i, 1.5], "<f4").tobytes()
                             for i, w in enumerate((b"a", b"b", b"c")))  # fmt: skip


@pytest.mark.parametrize(("data", "said"), [
    (b"", "the file is empty"),
    (b"\n \n", "the file is empty"),
    (b"a 1 2\nb 3\nc 4 5\n", "line 2 has 1 numbers, the first has 2"),
    (b"a 1 2\nb 3 4 5\n", "line 2 has 3 numbers, the first has 2"),
    (b"a 1 2\nb\n", "line 2 has 0 numbers, the first has 2"),
    (b"2 2\na 1 2\nb 3\n", "line 3 has 1 numbers"),
    (b"a 1 2\nb x 4\n", "line 2 holds something else than 2 numbers"),
    (b"a 1 2\nb nan 4\n", "line 2, the word 'b', holds a number that is not finite"),
    (b"a 1 2\nb 1e60 4\n", "line 2, the word 'b', holds a number that is not finite"),
    (b"3 2\na 1 2\nb 3 4\n", "cut short: it holds 2 of its header's 3 words"),
    (b"5 0\na\n", "vectors of 0 numbers"),
    (b"It was the best of times\nit was the worst\n", "these are no word vectors: line 1 is 'It"),
    (b"name,age\nAda,36\n", "these are no word vectors: line 1 is 'name,age'"),
    (b"%PDF-1.7 ...", "this is a PDF document"),
    (b"\x00\x01\x02\x03", "these are no word vectors"),
    (BINARY[:-1], "cut short: it ends behind word 2 of 3"),
    (BINARY[:8], "cut short: it ends behind word 0 of 3"),
    (BINARY.replace(b"3 2\n", b"3 3\n") + BINARY[4:],
     "is no word: the file does not hold vectors of 3"),
    (BINARY.replace(np.float32(1.5).tobytes(), np.float32("inf").tobytes(), 1),
     "word 1, the word 'a', holds a number that is not finite"),
    (gzip.compress(glove(some()))[:-20], "the gzip file is cut short"),
    (zipped(b"a 1 2\n", "x.txt", "y.txt"), "the archive holds 2 files; unpack it and name one of"),
    (zipped(b"", ), "the archive holds 0 files"),
])  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(data, said, tmp_path) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=re.escape(said)) as raised:
        read(path)
    assert str(raised.value).startswith(str(path))


def test_a_longer_file_than_its_header_says_is_read_whole_and_told(tmp_path) -> None:
    (tmp_path / "v").write_text("1 2\na 1 2\nb 3 4\n")
    found = read(tmp_path / "v")
    assert found.words == ("a", "b")
    assert "its header says 1 words, it holds 2" in found.notes[0]


def test_a_line_without_an_end(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(_vector_files, "CHUNK", 1000)
    (tmp_path / "v").write_bytes(b"a 1 2\n" + b"9" * 5000)
    with pytest.raises(SourceError, match="line 2 is longer than"):
        read(tmp_path / "v")


def test_missing_file_and_folder(tmp_path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read(tmp_path / "none.txt")
    with pytest.raises(SourceError, match="is a folder"):
        read(tmp_path)


def test_finding_words() -> None:
    small = some(("king", "queen"))
    assert small.place("King") == 0
    with pytest.raises(InputError, match="'quen' is not among the 2 words; did you mean 'queen'"):
        small.place("quen")
    mixed = some(("Turkey", "turkey"))
    assert mixed.place("Turkey") == 0
    assert mixed.find("TURKEY") is None


def test_an_embedding_matrix_for_a_vocabulary() -> None:
    vectors = some(("the", "Paris", "is"), 50)
    known = ("<pad>", "<unknown>", "The", "Paris", "zzz")
    made = embedding_of(vectors, known, seed=1)
    assert made.found.tolist() == [False, False, True, True, False]
    np.testing.assert_array_equal(made.matrix[2:4], vectors.vectors[:2])
    assert (made.matrix[0] == 0).all()
    assert np.abs(made.matrix[4]).sum() > 0
    assert made.sentence == "2 of 5 words (40%) have a vector in the file"
    np.testing.assert_array_equal(made.matrix, embedding_of(vectors, known, seed=1).matrix)
    assert not np.array_equal(made.matrix[4], embedding_of(vectors, known, seed=2).matrix[4])
    with pytest.raises(InputError, match="none of the 2 words has a vector"):
        embedding_of(vectors, ("<pad>", "qqq"))
