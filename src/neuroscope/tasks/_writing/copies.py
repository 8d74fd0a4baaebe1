"""Whether what a model writes is new: what of it stands word for word in the training text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST = 20_000_000  # characters of a training text that are looked through, from its beginning
LONG = 40  # characters that two texts share by chance only where the phrase is a common one


@dataclass(frozen=True)
class Copies:
    """What of some texts stands in the training text."""

    texts: int
    copied: int  # texts, or stretches of LONG characters, that stand there
    whole: bool  # texts were compared as a whole
    longest: str = ""  # the longest stretch that stands there, of texts that go on

    @property
    def share(self) -> float:
        """Share that stands there."""
        return self.copied / max(self.texts, 1)

    @property
    def sentence(self) -> str:
        """The same in words."""
        percent = f"{100 * self.share:.0f} %"
        if self.whole:
            return (f"Of {self.texts:,} texts that it wrote {self.copied:,} ({percent}) stand word "
                    "for word in the training text.")  # fmt: skip
        found = f"; the longest has {len(self.longest):,} characters" if self.longest else ""
        return (f"{percent} of the stretches of {LONG} characters that it wrote stand word for "
                f"word in the training text{found}.")  # fmt: skip


def copies(written: Sequence[str], training: Sequence[str], *, whole: bool) -> Copies:
    """Compare what was written with the training text: as a whole, or stretch by stretch."""
    if whole:
        known = {text.strip() for text in training}
        return Copies(len(written), sum(text.strip() in known for text in written), whole=True)
    text = "".join(training)[:MOST]
    asked = copied = 0
    longest = ""
    for one in written:
        for first in range(0, max(len(one) - LONG + 1, 0), LONG // 4):
            asked += 1
            copied += one[first : first + LONG] in text
        longest = max(longest, _longest(one, text), key=len)
    return Copies(asked, copied, whole=False, longest=longest)


def _longest(one: str, text: str) -> str:
    """Return the longest stretch of `one` that stands in `text`."""
    best, first = "", 0
    while first + len(best) < len(one):
        if one[first : first + len(best) + 1] in text:
            best = one[first : first + len(best) + 1]
        else:
            first += 1
    return best
