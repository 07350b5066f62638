"""A line of text as it is sung: English by the pronouncing dictionary, Chinese a character a syllable, also mixed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.lyrics import Line, Syllable
from castalia.modalities.text.forms.english import dictionary, lexicon
from castalia.modalities.text.forms.english_sets import CLITICS, DOUBTFUL, FUNCTION
from castalia.modalities.text.forms.unknown_words import guess
from castalia.modalities.text.syllables.spelling import break_word, vowel_groups

MOST_SYLLABLES = 14
"""Of one line that is sung in one breath; a longer one is divided."""
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
_TOKEN = re.compile(
    rf"[{_HAN}]|(?:(?![{_HAN}])[^\W\d_]|['’](?=[^\W\d_])|(?<=[^\W\d_])['’])+|\d+(?:[.,:]\d+)*|\s+|[^\w\s]|_"
)
_WEAK_HAN = frozenset("的地得了着过吗呢吧啊呀们么")
_OPENING = frozenset('“‘"(（「『《【[¡¿')
_HIDDEN = frozenset("*#>|~^`\\=+<{}@-–—_/")
"""Marks that are not printed under notes."""


class _Reading(NamedTuple):
    stresses: tuple[int, ...]
    vowels: tuple[str, ...] = ()


def unsingable(text: str) -> str:
    """The first stretch of a text that this module cannot sing (digits, other scripts); empty where all can be."""
    for found in _TOKEN.finditer(text):
        piece = found[0]
        letters = [letter for letter in piece if letter.isalnum() and not re.match(f"[{_HAN}]", letter)]
        if any(not unicodedata.name(letter, "").startswith("LATIN") for letter in letters):
            return piece
    return ""


def sung(text: str, wanted: int | None = None) -> Line:
    """The syllables of one line.

    Args:
        text: The line; marks go with the syllable that they stand at.
        wanted: Syllables that the line should have where words can be read in several ways (`ev-ery`, `ev-er-y`).

    Raises:
        UsageError: it has digits, or letters that are neither Latin nor Chinese.
    """
    if strange := unsingable(text):
        raise UsageError(
            say("{strange!r} cannot be sung.", "无法演唱 {strange!r}。", strange=strange),
            hint=say("Write it out in words, English or Chinese.", "请写成文字（中文或英文）。"),
        )
    pieces = _TOKEN.findall(text)
    words = [(place, _readings(piece)) for place, piece in enumerate(pieces) if _is_word(piece)]
    chosen = _chosen([readings for _, readings in words], wanted)
    made: list[Syllable] = []
    stresses = _chinese_stresses([piece if _is_han(piece) else "" for piece in pieces])
    reading = dict(zip((place for place, _ in words), chosen, strict=True))
    before = ""
    for place, piece in enumerate(pieces):
        if _is_han(piece):
            made.append(Syllable(before + piece, stresses[place]))
            before = ""
        elif place in reading:
            made += _broken(before, piece, reading[place])
            before = ""
        elif piece.isspace() or not piece.strip():
            continue
        elif piece in _OPENING or (piece in "'’" and _begins(pieces, place)):
            before += piece
        elif (
            made
            and piece in "-‐‑"
            and place + 1 < len(pieces)
            and _is_word(pieces[place + 1])
            and _is_word(pieces[place - 1])
        ):
            made[-1] = made[-1]._replace(text=made[-1].text + "-")
        elif made and piece not in _HIDDEN:
            made[-1] = made[-1]._replace(text=made[-1].text + piece)
    return tuple(made)


def sung_phrases(text: str, most: int = MOST_SYLLABLES) -> list[str]:
    """A line as one text or, where it has more syllables than a breath holds, as several, cut at marks or words."""
    words = [found[0] for found in re.finditer(rf"[{_HAN}][^\w\s]*|[^\s{_HAN}]+", text)]
    sizes = [len(sung(word)) for word in words]
    total = sum(sizes)
    if total <= most:
        return [text] if text.strip() else []
    wanted = total / -(-total // most)
    best, at, cost = 0, 0, float("inf")
    for index, word in enumerate(words[:-1], 1):
        at += sizes[index - 1]
        mark = 0 if word[-1] in ",;:.!?，；：。！？、—" else 2 if words[index].lower() in FUNCTION else 4
        mark += 3 * (word.lower() in FUNCTION)
        each = abs(at - wanted) + mark + (100 if at > most else 0)
        if each < cost:
            best, cost = index, each
    gap = "" if re.match(f"[{_HAN}]", text.strip()[:1] or " ") else " "
    if not best:
        return [text]
    return [gap.join(words[:best]), *sung_phrases(gap.join(words[best:]), most)]


def _is_word(piece: str) -> bool:
    return any(letter.isalpha() for letter in piece) and not _is_han(piece)


def _is_han(piece: str) -> bool:
    return bool(re.fullmatch(f"[{_HAN}]", piece))


def _begins(pieces: Sequence[str], place: int) -> bool:
    return place + 1 < len(pieces) and not pieces[place + 1].isspace() and (place == 0 or pieces[place - 1].isspace())


def _broken(before: str, word: str, reading: _Reading) -> list[Syllable]:
    pieces = break_word(word, len(reading.stresses), reading.vowels, _common)
    stresses = [*reading.stresses, *[0] * len(pieces)]
    return [
        Syllable(before * (number == 0) + piece + "-" * (number + 1 < len(pieces)), stresses[number])
        for number, piece in enumerate(pieces)
    ]


def _common(word: str) -> bool:
    return lexicon().get(word) is not None


@lru_cache(maxsize=4096)
def _readings(word: str) -> tuple[_Reading, ...]:
    """The ways in which a word may be sung, the usual first: of words like `every` and `fire` the shortest."""
    plain = unicodedata.normalize("NFKD", word.lower().replace("’", "'"))
    low = "".join(letter for letter in plain if not unicodedata.combining(letter)).strip("'")
    spoken = dictionary().get(low, ())
    if not spoken and low.endswith("'s"):
        spoken = dictionary().get(low[:-2], ())
        if spoken and spoken[0].split()[-1] in ("S", "Z", "SH", "ZH", "CH", "JH"):
            spoken = tuple(f"{sound} IH0 Z" for sound in spoken)
    made: dict[int, _Reading] = {}
    for sound in spoken:
        vowels = tuple(phone for phone in sound.split() if phone[-1].isdigit())
        if vowels:
            made.setdefault(len(vowels), _Reading(_stresses(low, vowels), vowels))
    elided = low in DOUBTFUL or low.startswith("every")
    return tuple(made[count] for count in (sorted(made) if elided else made)) or (_guessed(low),)


def _stresses(word: str, vowels: Sequence[str]) -> tuple[int, ...]:
    if len(vowels) == 1:
        return (0 if word in CLITICS else 1 if word in FUNCTION else 2,)
    digits = [vowel[-1] for vowel in vowels]
    return tuple({"1": 3, "2": 1}.get(digit, 0) for digit in digits)


def _guessed(word: str) -> _Reading:
    """A word that the dictionary lacks; what an apostrophe leaves out is no syllable (`ev'ry`, `heav'n`, `o'er`)."""
    if "'" in word:
        count = max(
            1, len(vowel_groups(word.replace("'", " "))) - (bool(re.search(r"[^aeiouy']e$", word)) and len(word) > 4)
        )
        count = 1 if word in ("o'er", "e'er", "ne'er", "e'en", "ta'en") else count
        return _Reading((2,) if count == 1 else (3, *[0] * (count - 1)))
    found = guess(word)
    stresses = tuple({"1": 3, "2": 1}.get(digit, 0) for digit in found.stress)
    return _Reading((2,) if len(stresses) == 1 else stresses)


def _chosen(words: Sequence[Sequence[_Reading]], wanted: int | None) -> list[_Reading]:
    """A reading for each word, so that the line has as many syllables as wanted where that is possible."""
    chosen = [readings[0] for readings in words]
    for place, readings in enumerate(words):
        lacking = 0 if wanted is None else wanted - sum(len(each.stresses) for each in chosen)
        for other in readings if lacking else ():
            gained = len(other.stresses) - len(chosen[place].stresses)
            if gained and gained * lacking > 0 and abs(gained) <= abs(lacking):
                chosen[place] = other
                break
    return chosen


def _chinese_stresses(letters: Sequence[str]) -> list[int]:
    """Feet of two, the odd place strong, three at a line's end strong-weak-strong; particles are weak."""
    made = [0] * len(letters)
    run = 0
    for place, letter in enumerate(letters):
        if letter:
            made[place] = 0 if letter in _WEAK_HAN else 2 if run % 2 == 0 else 1
            run += 1
        else:
            run = 0
    return made
