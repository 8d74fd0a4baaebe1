"""Delimited text: what is sniffed, what is repaired and noted, what is refused and where."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pytest

from neuroscope.base.errors import SchemaError, SourceError
from neuroscope.data.sources import read
from neuroscope.data.table import Table


def written(name: str, text: str | bytes, encoding: str = "utf-8") -> str:
    data = text if isinstance(text, bytes) else text.encode(encoding)
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return name


def values(table: Table) -> dict[str, list]:
    return table.arrow.to_pydict()


@pytest.mark.parametrize(
    ("delimiter", "noted"),
    [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.txt", "A.TSV"])
def test_delimiter_is_sniffed(name: str, delimiter: str, noted: str) -> None:
    rows = [["word", "n"], ["a b", "1"], ["c", "2"], ["d", "-3"]]
    table = read(written(name, "\n".join(delimiter.join(row) for row in rows)))
    assert values(table) == {"word": ["a b", "c", "d"], "n": [1, 2, -3]}
    assert f"delimiter {noted}" in table.origin.notes
    assert table.origin.files == (name,)


@pytest.mark.parametrize(
    ("encoding", "noted"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_encoding_is_sniffed(name: str, encoding: str, noted: str) -> None:
    table = read(written(name, "Straße,n\nMüller,1\nPeña,2\n", encoding))
    assert values(table) == {"Straße": ["Müller", "Peña"], "n": [1, 2]}
    assert f"encoding {noted}" in table.origin.notes


def test_bytes_without_a_meaning_in_cp1252_are_latin_1() -> None:
    table = read(written("a.csv", b"w,n\n\xe9\x81x,1\n"))
    assert values(table)["w"] == ["\xe9\x81x"]
    assert "encoding latin-1" in table.origin.notes


def test_an_encoding_that_shows_late_is_found_and_noted() -> None:
    late = b"w,n\n" + b"plain,1\n" * 60_000 + "Müller,2\n".encode("cp1252")
    table = read(written("a.csv", late))
    assert table.arrow.column("w")[60_000].as_py() == "Müller"
    assert any("not UTF-8 throughout; read as cp1252" in note for note in table.origin.notes)


def test_mixed_line_ends_are_read() -> None:
    table = read(written("a.csv", b"a,b\r\n1,2\n3,4\r\n"))
    assert values(table) == {"a": [1, 3], "b": [2, 4]}
    assert any("line ends" in note for note in table.origin.notes)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    assert values(read(written("a.csv", end.join(["a,b", "1,2", "3,4"])))) == {
        "a": [1, 3],
        "b": [2, 4],
    }


def test_quotes_hold_delimiters_quotes_and_newlines() -> None:
    table = read(written("a.csv", 'w,n\n"a, ""b""\nc",1\nd,2\n'))
    assert values(table) == {"w": ['a, "b"\nc', "d"], "n": [1, 2]}


def test_single_quotes() -> None:
    table = read(written("a.csv", "'w';'v'\n'a; b';'c'\n'd';'e'\n"))
    assert values(table) == {"w": ["a; b", "d"], "v": ["c", "e"]}
    assert "quote '" in table.origin.notes


def test_the_line_sep_of_excel_is_obeyed() -> None:
    table = read(written("a.csv", "sep=|\na|b\n1,5|2\n2,5|3\n"))
    assert values(table) == {"a": [1.5, 2.5], "b": [2, 3]}


@pytest.mark.parametrize("before", ["\n\n", "# measured in May\n", "\n# one\n#two\n\n"])
def test_blank_lines_and_comments_before_the_header(before: str) -> None:
    table = read(written("a.csv", before + "a,b\n1,2\n\n3,4\n\n"))
    assert values(table) == {"a": [1, 3], "b": [2, 4]}
    assert f"header in line {before.count(chr(10)) + 1}" in table.origin.notes


def test_columns_parted_by_blanks() -> None:
    table = read(written("a.dat", "1.5 2.5 u\n2.5 3.5 v\n"))
    assert values(table)["column_3"] == ["u", "v"]
    assert "delimiter blank" in table.origin.notes


def test_names_that_differ_by_case_only() -> None:
    table = read(written("a.csv", "a,A\n1,2\n3,4\n"))
    assert values(table) == {"a": [1, 3], "A_2": [2, 4]}
    assert any("by case only" in note for note in table.origin.notes)


def test_a_file_without_header_gets_numbered_columns() -> None:
    table = read(written("iris.data", "5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,2.2,virginica\n"))
    assert table.names == ["column_1", "column_2", "column_3"]
    assert table.rows == 3
    assert "no header" in table.origin.notes


def test_years_as_names_are_a_header() -> None:
    table = read(written("a.csv", "country,2019,2020\nA,1,2\nB,3,4\n"))
    assert table.names == ["country", "2019", "2020"]


def test_a_list_of_words_has_no_header() -> None:
    table = read(written("names.txt", "emma\nolivia\nava\n"))
    assert values(table) == {"text": ["emma", "olivia", "ava"]}


def test_one_column_with_header() -> None:
    assert values(read(written("a.csv", "n\n1\n2\n"))) == {"n": [1, 2]}


def test_numbers_keep_their_type() -> None:
    table = read(written("a.csv", "i,f,b,big\n1,1.0,true,1e3\n2,2.5,FALSE,2e3\n"))
    assert [str(kind) for kind in table.arrow.schema.types] == ["int64", "double", "bool", "double"]
    assert values(table)["b"] == [True, False]


def test_integers_stay_exact() -> None:
    table = read(written("a.csv", f"n,m\n{10**17 + 1},1\n{2**53 + 1},2\n"))
    assert values(table)["n"] == [10**17 + 1, 2**53 + 1]


def test_numbers_beyond_integers_are_floats() -> None:
    table = read(written("a.csv", "n,m\n1e30,1\n2,2\n"))
    assert values(table) == {"n": [1e30, 2.0], "m": [1, 2]}


def test_infinity_stays_a_float() -> None:
    table = read(written("a.csv", "x,y\n1.5,1\ninf,2\n-inf,3\n"))
    assert values(table)["x"] == [1.5, float("inf"), float("-inf")]


@pytest.mark.parametrize("marker", ["NA", "N/A", "NaN", "null", "?", " ", "#N/A"])
def test_missing_markers_become_missing_and_are_counted(marker: str) -> None:
    table = read(written("a.csv", f'n,w\n1,a\n"{marker}","{marker}"\n3,b\n'))
    assert values(table) == {"n": [1, None, 3], "w": ["a", None, "b"]}
    shown = "blank" if marker == " " else repr(marker)
    assert f"column 'n': 1 values ({shown}) read as missing" in table.origin.notes


def test_empty_cells_are_missing_without_ado() -> None:
    table = read(written("a.csv", 'n,w\n1,""\n,b\n'))
    assert values(table) == {"n": [1, None], "w": [None, "b"]}
    assert not any("missing" in note for note in table.origin.notes)


def test_decimal_commas_and_thousands_are_read_and_noted() -> None:
    table = read(written("a.csv", 'de;us\n"1.234,5";"1,234.5"\n2,25;"12,345"\n7;8\n'))
    assert values(table) == {"de": [1234.5, 2.25, 7.0], "us": [1234.5, 12345.0, 8.0]}
    assert "column 'de': commas read as decimal points" in table.origin.notes
    assert "column 'us': commas read as thousands separators" in table.origin.notes


@pytest.mark.parametrize(
    ("cells", "numbers", "note"),
    [
        (
            ["€1,234.50", "€0.99"],
            [1234.5, 0.99],
            "€ taken off; commas read as thousands separators",
        ),
        (["1.234,50 €", "-7 €"], [1234.5, -7.0], "€ taken off; commas read as decimal points"),
        (["€1.234", "€950"], [1234.0, 950.0], "€ taken off; points read as thousands separators"),
        (["$5", "-$7.25"], [5.0, -7.25], "$ taken off"),
        (["12.345%", "3 %"], [12.345, 3.0], "% taken off"),
        (["CHF 1'234.50", "CHF 5"], [1234.5, 5.0], "CHF taken off"),
        (["1\u202f234,5", "12,5"], [1234.5, 12.5], "commas read as decimal points"),
        (["1'234", "7"], [1234.0, 7.0], "gaps between digits closed"),
        (["1,234.5", "-0.5"], [1234.5, -0.5], "commas read as thousands separators"),
    ],
)
def test_amounts_are_read_as_numbers_and_what_was_taken_off_is_noted(
    cells: list[str], numbers: list[float], note: str
) -> None:
    table = read(written("a.csv", "a;k\n" + "".join(f"{cell};x\n" for cell in cells)))
    assert values(table)["a"] == numbers
    assert f"column 'a': {note}" in table.origin.notes


@pytest.mark.parametrize(
    "cells",
    [["€5", "$5"], ["€5", "unknown"], ["1,2,3", "4,5"], ["10.0.0.1", "10.0.0.2"], ["5€6", "1€"]],
)
def test_what_is_no_column_of_amounts_stays_words(cells: list[str]) -> None:
    table = read(written("a.csv", "a;k\n" + "".join(f"{cell};x\n" for cell in cells)))
    assert values(table)["a"] == cells


def test_dates_are_read() -> None:
    rows = "iso,de,us,month,long\n2024-01-31,31.01.2024,01/31/2024,2024-01,31 Jan 2024\n"
    rows += "2024-02-01,01.02.2024,02/01/2024,2024-02,1 Feb 2024\n"
    table = read(written("a.csv", rows))
    days = {name: [str(day)[:10] for day in column] for name, column in values(table).items()}
    assert days["iso"] == days["de"] == days["us"] == days["long"] == ["2024-01-31", "2024-02-01"]
    assert days["month"] == ["2024-01-01", "2024-02-01"]
    assert all(pa.types.is_temporal(kind) for kind in table.arrow.schema.types)
    assert any("'de': read as dates written %d.%m.%Y" in note for note in table.origin.notes)


def test_a_date_that_can_be_read_two_ways_is_flagged() -> None:
    table = read(written("a.csv", "d,n\n01/02/2024,1\n03/04/2024,2\n"))
    assert any("day first would fit as well" in note for note in table.origin.notes)


def test_a_column_with_one_wrong_date_stays_text() -> None:
    table = read(written("a.csv", "d,n\n2024-01-31,1\n2024-02-99,2\n"))
    assert values(table)["d"] == ["2024-01-31", "2024-02-99"]


def test_leading_zeros_and_long_digits_are_kept() -> None:
    table = read(written("a.csv", "zip,long\n01234,12345678901234567890\n98765,1\n"))
    assert values(table) == {"zip": ["01234", "98765"], "long": ["12345678901234567890", "1"]}
    assert any("'zip': 1 codes" in note for note in table.origin.notes)


def test_words_among_numbers_are_named_with_row() -> None:
    rows = [str(i) for i in range(50)]
    rows[17] = rows[30] = "unknown"
    table = read(written("a.csv", "n\n" + "\n".join(rows)))
    assert values(table)["n"] == rows
    (note,) = [note for note in table.origin.notes if "'n'" in note]
    assert "2 of 50 values are words" in note
    assert "'unknown' in data row 18" in note


def test_blanks_around_words_are_taken_off() -> None:
    table = read(written("a.csv", "w,n\n a,1\nb ,2\na, 3\n"))
    assert values(table) == {"w": ["a", "b", "a"], "n": [1, 2, 3]}
    assert "column 'w': blanks around 2 values taken off" in table.origin.notes


def test_names_are_cleaned_and_noted() -> None:
    table = read(written("a.csv", " a ,b,\n1,2,3\n4,5,6\n"))
    assert table.names == ["a", "b", "column_3"]
    assert any("column 3 has no name" in note for note in table.origin.notes)
    assert any("blanks taken out of the name 'a'" in note for note in table.origin.notes)


def test_repetitive_text_is_dictionary_encoded() -> None:
    text = "w,id\n" + "".join(f"{'red' if i % 2 else 'blue'},k{i}\n" for i in range(100))
    kinds = read(written("a.csv", text)).arrow.schema.types
    assert pa.types.is_dictionary(kinds[0])
    assert pa.types.is_string(kinds[1])


def test_a_glob_reads_all_files_with_columns_in_any_order() -> None:
    written("p1.csv", "a,b\n1,x\n")
    written("p2.csv", "b;a\ny;2.5\n")
    written("p.csv.gz", "b,a\nz,3\n")
    table = read("p?.csv")
    assert values(table) == {"a": [1.0, 2.5], "b": ["x", "y"]}
    assert table.origin.files == ("p1.csv", "p2.csv")
    assert values(read("p*.csv.gz")) == {"b": ["z"], "a": [3]}


def test_a_glob_with_other_columns_names_the_file() -> None:
    written("p1.csv", "a,b\n1,x\n")
    written("p2.csv", "a,c\n1,x\n")
    with pytest.raises(SchemaError, match=r"p2\.csv: .*p1\.csv: it lacks b and has c as well"):
        read("p*.csv")


def test_a_glob_types_its_files_together() -> None:
    written("p1.csv", "a,b\n1,x\n2,y\n")
    written("p2.csv", "a,b\nhigh,x\n")
    assert values(read("p*.csv"))["a"] == ["1", "2", "high"]


def refused(name: str, text: str | bytes, *words: str, error: type = SourceError) -> None:
    written(name, text)
    with pytest.raises(error) as caught:
        read(name)
    line = str(caught.value)
    assert "\n" not in line
    for word in (name, *words):
        assert word in line, line


@pytest.mark.parametrize("name", ["bad.csv", "bad.csv.gz"])
def test_ragged_line_is_named(name: str) -> None:
    refused(name, "a,b\n1,2\n3,4,5\n6,7\n", f"{name}, line 3", "expected 2 columns", "received 3")


def test_short_line_is_named() -> None:
    refused("bad.csv", "a,b,c\n1,2,3\n3,4\n6,7,8\n", "line 3", "expected 3", "received 2")


def test_ragged_line_after_a_quoted_newline_has_the_line_of_the_file() -> None:
    refused("bad.csv", 'a,b\n"x\ny",2\n3\n6,7\n', "line 4", "received 1")


def test_ragged_line_far_down_is_named() -> None:
    text = "a,b\n" + "1,2\n" * 400_000 + "1,2,3\n"
    refused("bad.csv", text, "line 400002")


def test_empty_file() -> None:
    refused("bad.csv", b"", "empty")
    Path("blank.csv").write_text("\n\n  \n")
    with pytest.raises(SourceError, match="blank lines only"):
        read("blank.csv")


def test_empty_gzip() -> None:
    refused("bad.csv.gz", b"", "blank lines only")


def test_header_only() -> None:
    refused("bad.csv", "a,b\n", "a header and no rows")


def test_duplicate_headers() -> None:
    text = "a,b,a,c,b\n1,2,3,4,5\n"
    refused("bad.csv", text, "line 1", "'a' in columns 1 and 3", "'b' in columns 2 and 5",
            error=SchemaError)  # fmt: skip


def test_nul_bytes() -> None:
    refused("bad.csv", b"a,b\n1,2\n3,\x004\n", "line 3", "NUL")


def test_nul_bytes_far_down() -> None:
    refused("bad.csv", b"a,b\n" + b"1,2\n" * 100_000 + b"x\x00y,4\n", "column 'a'", "NUL")


def test_binary_garbage() -> None:
    noise = bytes(range(1, 256)) * 40
    refused("bad.csv", noise, "binary data")


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"PK\x03\x04xl/workbook", "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel"),
        (b"<!DOCTYPE html><html><body>login</body>", "HTML"),
        (b"\n <HTML>", "HTML"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b"%PDF-1.7", "PDF"),
        (b"PAR1....PAR1", "Parquet"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x89PNG\r\n", "picture"),
        (b"\x28\xb5\x2f\xfd..", "zstd"),
    ],
)
def test_another_kind_of_file_renamed_is_recognised(start: bytes, what: str) -> None:
    refused("bad.csv", start, what)


@pytest.mark.parametrize("cut", [0.5, 0.99])
def test_truncated_gzip(cut: float) -> None:
    text = "a,b\n" + "".join(f"{i},{i * 7919 % 1000}\n" for i in range(200_000))
    whole = gzip.compress(text.encode())
    Path("cut.csv.gz").write_bytes(whole[: int(len(whole) * cut)])
    with pytest.raises(SourceError, match=r"cut\.csv\.gz: the gzip file is cut short"):
        read("cut.csv.gz")


def test_damaged_gzip() -> None:
    text = "a,b\n" + "".join(f"{i},{i * 7919 % 1000}\n" for i in range(200_000))
    whole = bytearray(gzip.compress(text.encode()))
    whole[len(whole) // 2 : len(whole) // 2 + 100] = b"\x00\xff" * 50
    Path("bad.csv.gz").write_bytes(whole)
    with pytest.raises(SourceError, match=r"bad\.csv\.gz"):
        read("bad.csv.gz")


def test_a_gzip_bomb_is_refused_without_unpacking_it() -> None:
    with gzip.open("bomb.csv.gz", "wb") as out:
        out.write(b"a,b\n1,")
        for _ in range(64):
            out.write(b"9" * (1 << 20))
    with pytest.raises(SourceError, match=r"bomb\.csv\.gz: .*Maximum line size"):
        read("bomb.csv.gz")


def test_unterminated_quote() -> None:
    refused("bad.csv", 'a,b\n1,"x\n2,3\n', "unterminated quote")


def test_missing_file_suggests_the_near_name() -> None:
    written("customers.csv", "a\n1\n")
    with pytest.raises(SourceError, match=r"custmers\.csv: no such file; did you mean 'customers"):
        read("custmers.csv")
    with pytest.raises(SourceError, match="there is no folder"):
        read("nowhere/a.csv")


def test_folder_and_unknown_endings() -> None:
    Path("folder").mkdir()
    Path("folder.csv").mkdir()
    written("a.docx", "x")
    with pytest.raises(SourceError, match="is a folder"):
        read("folder")
    with pytest.raises(SourceError, match="is a folder"):
        read("folder.csv")
    with pytest.raises(SourceError, match=r"\.docx is not a known kind of file; known: .*Parquet"):
        read("a.docx")
    with pytest.raises(SourceError, match="no file matches"):
        read("none*.csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_the_right_to_read() -> None:
    Path(written("a.csv", "a\n1\n")).chmod(0)
    with pytest.raises(SourceError, match="may not be read"):
        read("a.csv")


def test_a_file_without_the_right_to_read_as_the_system_says_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    written("a.csv", "a\n1\n")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"a\.csv: this file may not be read by you"):
        read("a.csv")


def test_sql_over_a_file() -> None:
    table = read(
        written("a.csv", "a,w\n1,x\n2,y\n3,y\n"),
        sql="SELECT w, sum(a) s FROM data GROUP BY w ORDER BY w",
    )
    assert values(table) == {"w": ["x", "y"], "s": [1.0, 5.0]}
    assert table.origin.sql.startswith("SELECT w")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nope FROM data", "nope"),
        ("SELEC a FROM data", "cannot be read"),
        ("DROP TABLE data", r"would change something \(DROP\)"),
        ("COPY (SELECT 1) TO 'out.csv'", r"would change something \(COPY\)"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT * FROM data WHERE a > 9", "no rows"),
    ],
)
def test_bad_sql(sql: str, message: str) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read(written("a.csv", "a,w\n1,x\n"), sql=sql)
    assert "\n" not in str(caught.value)
    assert not Path("out.csv").exists()


def test_sql_may_end_in_a_comment() -> None:
    assert values(read(written("a.csv", "a,w\n1,x\n"), sql="SELECT a FROM data -- all")) == {
        "a": [1]
    }


def test_names_with_quotes_survive() -> None:
    table = read(written('it\'s "here".csv', "a\"b,c'd\n1,2\n"))
    assert table.rows == 1
    assert "c'd" in table.names


def test_real_tables(shared_data: Path) -> None:
    churn = read(shared_data / "telco-churn" / "telco_churn.csv.gz")
    assert (churn.rows, len(churn.names)) == (7043, 21)
    assert churn.arrow.column("TotalCharges").null_count == 11
    income = read(shared_data / "adult-income" / "adult.csv.gz")
    assert "column 'workclass': 2,799 values ('?') read as missing" in income.origin.notes


def test_what_is_noted_of_all_files_stands_once(tmp_path: Path) -> None:
    (tmp_path / "p1.csv").write_text("a,b\n1,2\n3,4\n")
    (tmp_path / "p2.csv").write_text("a;b\n5;6\n7;8\n")
    notes = read(str(tmp_path / "p*.csv")).origin.notes
    assert notes.count("encoding utf-8") == 1
    assert "p1.csv: delimiter comma" in notes
    assert not any("encoding" in note and ".csv" in note for note in notes)
