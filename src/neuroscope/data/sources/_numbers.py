"""Numbers in English words: pairs whose translation is either right or wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from neuroscope.base import randomness

PAIRS, BELOW = 8000, 1_000_000
_SMALL = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    """Return a number from 0 to 999,999 in words: "four thousand two hundred seven"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = _TENS[number // 10 - 2], number % 10
        return f"{tens}-{_SMALL[ones]}" if ones else tens
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    over = f"{in_words(number // size)} {name}"
    return f"{over} {in_words(number % size)}" if number % size else over


def number_pairs() -> pa.Table:
    """Return 8,000 different numbers in words and in digits, each count of digits alike often.

    Of one or two digits there are a hundred; they are all there.
    """
    random, found = randomness.generator(0, "numbers"), list(range(100))
    for digits in range(3, 7):
        low, high = 10 ** (digits - 1), 10**digits
        left = PAIRS - len(found)
        count = min(left // (7 - digits), high - low)
        found += (low + random.choice(high - low, count, replace=False)).tolist()
    order = np.array(found)[random.permutation(len(found))]
    words = [in_words(int(number)) for number in order]
    return pa.table({"words": pa.array(words), "digits": pa.array([str(n) for n in order])})
