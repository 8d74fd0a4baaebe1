"""Which language a text is in, as far as its script and its commonest words tell.

A guess for the audit, no more: scripts that one language mostly has are told by their letters,
languages in Latin letters by words such as "the", "und", "les". Short texts and other languages
stay untold.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

from neuroscope.data.text.words import words

UNTOLD = "not told"
_FEWEST = 6  # words below which nothing is told
_SHARE = 0.12  # of the words that must be a language's commonest ones
_SCRIPTS = {
    "CYRILLIC": "in Cyrillic letters", "GREEK": "Greek", "ARABIC": "in Arabic letters",
    "HEBREW": "Hebrew", "DEVANAGARI": "in Devanagari", "HANGUL": "Korean", "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese", "CJK": "Chinese", "THAI": "Thai",
}  # fmt: skip
_COMMON = {
    "English": "the of and to in is that it for on with as was are be this have not you at by from",
    "German": "der die und das nicht ist ein eine zu den mit von sich auf für im dem es auch ich",
    "French": "le la les des et est une que dans pour qui sur pas au il plus ce avec du sont",
    "Spanish": "el los las que una por con para del se su al lo como más pero y es está muy",
    "Italian": "il di che è per una non gli con della sono del più anche nel alla ma si le questo",
    "Portuguese": "o os as que uma não com para do da em um é por mais dos na ao se como",
    "Dutch": "de het een en van ik te dat niet op is zijn met voor er aan om ook maar wordt",
}
_WORDS = {name: frozenset(text.split()) for name, text in _COMMON.items()}


def language(text: str) -> str:
    """Return the language of a text in English, or UNTOLD."""
    found = words(text[:2000])
    script = _script(text[:400])
    if script:
        return script
    if len(found) < _FEWEST:
        return UNTOLD
    counts = {name: sum(word in known for word in found) for name, known in _WORDS.items()}
    best, second = sorted(counts, key=lambda name: -counts[name])[:2]
    sure = counts[best] >= _SHARE * len(found) and counts[best] > 1.2 * counts[second]
    return best if sure else UNTOLD


def languages(texts: Sequence[str]) -> dict[str, float]:
    """Return the share of texts in each language, the commonest first."""
    counts = Counter(language(text) for text in texts)
    return {name: count / max(len(texts), 1) for name, count in counts.most_common()}


def _script(text: str) -> str:
    """Return what the script of most letters is; "" for Latin ones and for none."""
    names = [unicodedata.name(letter, "").split(" ")[0] for letter in text if letter.isalpha()]
    if not names:
        return ""
    counts = Counter(name.split("-")[0] for name in names)
    if counts["HIRAGANA"] + counts["KATAKANA"] > 0.1 * len(names):
        return _SCRIPTS["HIRAGANA"]
    name, count = counts.most_common(1)[0]
    return _SCRIPTS.get(name, "") if count > 0.5 * len(names) else ""
