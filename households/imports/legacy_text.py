"""Vietnamese of before Unicode: TCVN3 (ABC, the .VnTime fonts) and VNI, recognised by whole columns.

Both put Vietnamese letters where Western European ones stand, so a file of them looks like "NguyÔn V¨n An" (TCVN3)
or "Nguyeãn Vaên An" (VNI). Nothing is converted unless somebody who has seen a preview says so.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from viparse.normalize.tcvn3 import TCVN3
from viparse.normalize.vni import VNI

ENCODINGS = ("tcvn3", "vni")

_TCVN3 = str.maketrans(dict(TCVN3.pairs))
# What the library's table leaves out: it holds what its documents held. Fonts have ỵ as one character.
_VNI_LEFT_OUT = {"aú": "ẳ", "AÚ": "Ẳ", "î": "ỵ", "Î": "Ỵ"}
_VNI = dict(VNI.pairs) | _VNI_LEFT_OUT
# keyboards put a small mark behind a capital letter too: "Aùnh"
_VNI |= {pair[0] + pair[1].lower(): letter for pair, letter in _VNI.items() if len(pair) == 2 and pair.isupper()}
_VNI_LETTER = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))

# Letters that neither encoding has: whoever wrote one of these wrote Unicode.
_UNICODE_ONLY = re.compile("[\u0102\u0103\u0110\u0111\u0128\u0129\u0168\u0169\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]")
_WORD = re.compile(r"[^\s\d,.;:/()\[\]\"'|_-]+")
_SYLLABLE = re.compile(
    "(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdghklmnprstvxđ])?"
    "(?:iê[u]?|yê[u]?|uyê|ươ[iu]?|uô[i]?|oa[iyo]?|oă|oe[o]?|uâ[y]?|uê|uy[au]?|uơ|ưa|ưi|ưu|ia|iu|ua|ui|oi|ôi|ơi|eo|êu"
    "|ai|ao|au|ay|âu|ây|[aăâeêioôơuưy])"
    "(?:ng|nh|ch|[cmnpt])?"
)
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_ENOUGH_WORDS = 3


def to_unicode(text: str, encoding: str) -> str:
    """`text` with its TCVN3 or VNI letters in Unicode. Capitals of the TCVN3 capital fonts come out as small letters,
    for that is how they are stored."""
    if text.isascii():
        return text
    if encoding == "tcvn3":
        return text.translate(_TCVN3)
    return _VNI_LETTER.sub(_vni_letter, text)


def _vni_letter(found: re.Match) -> str:
    return _VNI[found[0]]


def is_unicode(text: str) -> bool:
    """Whether a letter of it proves that it was written in Unicode."""
    return _UNICODE_ONLY.search(text) is not None


def suspected(columns: Sequence[Sequence[str]]) -> str:
    """ "tcvn3", "vni", or "" where no column as a whole reads as Vietnamese only after conversion."""
    votes = dict.fromkeys(ENCODINGS, 0)
    for column in columns:
        # each word once with its number: thousands of rows have the same few
        words = Counter(
            word for cell in column if not cell.isascii() for word in _WORD.findall(cell) if not word.isascii()
        )
        if words.total() < _ENOUGH_WORDS:
            continue
        as_written = sum(count for word, count in words.items() if is_syllable(word))
        for encoding in ENCODINGS:
            converted = sum(count for word, count in words.items() if is_syllable(to_unicode(word, encoding)))
            if converted >= 0.8 * words.total() and as_written < 0.6 * converted:
                votes[encoding] += converted
    best = max(votes, key=votes.get)
    return best if votes[best] else ""


@lru_cache(maxsize=8192)
def is_syllable(word: str) -> bool:
    """Whether a Vietnamese word could be written so. By form alone: no list of words."""
    decomposed = unicodedata.normalize("NFD", word.lower())
    bare, tones = _TONES.subn("", decomposed)
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", bare)) is not None
