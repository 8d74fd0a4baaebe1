"""Rows are called what the data are."""

from __future__ import annotations

from neuroscope.base.nouns import called, called_in, noun_of


def test_pictures_are_called_pictures() -> None:
    assert noun_of("image_classes") == "picture"
    assert noun_of("table") == noun_of("") == "row"
    assert called("Of 100 rows, a row of 7 is", "picture") == "Of 100 pictures, a picture of 7 is"
    assert called("on these columns", "picture") == "on these pictures"


def test_what_is_no_row_of_data_stays() -> None:
    said = "see row 7 and rows 8 to 9; arrows, growing"
    assert called(said, "picture") == said
    assert called("2 rows", "row") == "2 rows"


def test_only_the_texts_at_the_paths_change() -> None:
    record = {"a": {"b": "rows", "c": "rows"}, "list": [{"d": "rows"}, {}], "all": ["rows", 1]}
    found = called_in(record, ("a.b", "list.*.d", "all", "absent.e"), "picture")
    assert found == {"a": {"b": "pictures", "c": "rows"}, "list": [{"d": "pictures"}, {}],
                     "all": ["pictures", 1]}  # fmt: skip
    assert record["a"]["b"] == "rows"
