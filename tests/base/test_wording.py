"""Small words in messages."""

from __future__ import annotations

import pytest

from neuroscope.base.wording import counted


@pytest.mark.parametrize(("n", "noun", "said"), [
    (1, "row", "1 row"), (0, "row", "0 rows"), (2000, "class", "2,000 classes"),
    (2, "category", "2 categories"), (3, "day", "3 days"), (4, "key", "4 keys"),
    (2, "epoch", "2 epochs"),
])  # fmt: skip
def test_what_is_counted_has_its_plural(n: int, noun: str, said: str) -> None:
    assert counted(n, noun) == said
