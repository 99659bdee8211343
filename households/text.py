"""Vietnamese text: normal form, search key, sort key, the parts of a name (domain.md section 10)."""

import re
import unicodedata
from functools import lru_cache

LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
TONES = {"": 0, "\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
SHAPES = {"\u0306", "\u0302", "\u031b"}  # breve, circumflex, horn: they make another letter
# "hòa" and "hoà" are one word: the tone stands on the first or on the second of these vowels
TONE_PLACES = [
    (unicodedata.normalize("NFC", first + tone + second), unicodedata.normalize("NFC", first + second + tone))
    for first, second in ("oa", "oe", "uy")
    for tone in TONES
    if tone
]
_LETTER_RANK = {letter: chr(ord("A") + place) for place, letter in enumerate(LETTERS)}
_SPACES = re.compile(r"\s+")


def clean(text: str) -> str:
    """NFC, control characters out, runs of blanks as one blank."""
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
    return _SPACES.sub(" ", text).strip()


@lru_cache(maxsize=65536)
def search_key(text: str) -> str:
    """What a search compares: lower case, no marks, đ as d ("Nguyễn Văn Đức" -> "nguyen van duc")."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return _SPACES.sub(" ", bare.replace("đ", "d")).strip()


@lru_cache(maxsize=65536)
def marked_key(text: str) -> str:
    """What a search with marks compares: lower case, marks kept, one place for the tone ("Hoà", "HÒA" -> "hòa")."""
    key = _SPACES.sub(" ", unicodedata.normalize("NFC", text.lower())).strip()
    for early, late in TONE_PLACES:
        key = key.replace(late, early)
    return key


def spellings(word: str) -> list[str]:
    """The ways forms write one word: both places of the tone; capitals, as a name, small."""
    early = late = marked_key(word)
    for before, after in TONE_PLACES:
        late = late.replace(before, after)
    return list(dict.fromkeys(way(w) for w in (early, late) for way in (str.upper, str.capitalize, str.lower)))


@lru_cache(maxsize=65536)
def _word_key(word: str) -> tuple[str, str]:
    letters, tones = [], []
    for char in unicodedata.normalize("NFC", word.lower()):
        parts = unicodedata.normalize("NFD", char)
        tone = next((p for p in parts if p in TONES), "")
        shape = unicodedata.normalize("NFC", "".join(p for p in parts if p not in TONES))
        letters.append(_LETTER_RANK.get(shape, shape if shape < "A" else "~" + shape))
        tones.append(str(TONES[tone]))
    return "".join(letters), "".join(tones)


def sort_key(text: str) -> str:
    """A key whose byte order is the Vietnamese alphabet, and within equal letters the order of
    tones ngang, huyền, hỏi, ngã, sắc, nặng. Ordered under the collation "C"."""
    keys = [_word_key(word) for word in text.split()]
    return " ".join(k[0] for k in keys) + "!" + " ".join(k[1] for k in keys)


def person_sort_key(full_name: str) -> str:
    """People are listed by given name, then surname, then middle name."""
    surname, middle, given = split_name(full_name)
    return "!".join(sort_key(part) for part in (given, surname, middle))


def _fold_table() -> tuple[str, str]:
    written = (unicodedata.normalize("NFC", letter + tone) for letter in "aăâeêioôơuưy" for tone in TONES)
    marked = [letter for letter in written if not letter.isascii()] + ["đ"]
    bare = [search_key(letter) for letter in marked]
    capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "".join(marked).upper()
    signs = ",.;:/()"
    return capitals + "".join(marked) + signs, search_key(capitals) + "".join(bare) + " " * len(signs)


# For PostgreSQL's translate(): the search key of a Vietnamese text, whatever the collation of the database.
FOLD_FROM, FOLD_TO = _fold_table()


def split_name(full_name: str) -> tuple[str, str, str]:
    """(họ, chữ đệm, tên), as QCVN 109:2017 keeps them. One word alone is the given name."""
    words = full_name.split()
    if len(words) < 2:
        return "", "", full_name.strip()
    return words[0], " ".join(words[1:-1]), words[-1]


def name_keys(full_name: str) -> tuple[str, str]:
    """(search_key, person_sort_key) of a name in single blanks, put together from its parts: names are many, given names
    few, and so is what stands before them."""
    before, blank, given = full_name.rpartition(" ")
    found_given, sorted_given = _given_keys(given)
    if not blank:
        return found_given, f"{sorted_given}!!!!"
    found_before, sorted_before = _keys_before(before)
    return f"{found_before} {found_given}", f"{sorted_given}!{sorted_before}"


@lru_cache(maxsize=16384)
def _given_keys(given: str) -> tuple[str, str]:
    return search_key(given), sort_key(given)


@lru_cache(maxsize=16384)
def _keys_before(surname_and_middle: str) -> tuple[str, str]:
    surname, _, middle = surname_and_middle.partition(" ")
    return search_key(surname_and_middle), f"{sort_key(surname)}!{sort_key(middle)}"
