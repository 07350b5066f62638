"""The mask's English lexicon: common words whose sound nobody disputes.

A word is let in when every pronunciation in the dictionary has the same number of syllables and a count by spelling
agrees; words that are counted in two ways (fire, hour, every, poem) are left out rather than argued about.
"""

from __future__ import annotations

import lzma
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from castalia.modalities.text.forms.english_sets import CONTRACTIONS, DOUBTFUL, FUNCTION

RHYMING_BAND = 35
"""Least common SCOWL size from which a line that opens a rhyme may take its last word."""


@dataclass(frozen=True, slots=True)
class Word:
    """How one word sounds."""

    text: str
    syllables: int
    stress: str
    """A digit a syllable: 1 primary, 2 secondary, 0 none; monosyllables too."""
    rhyme: str = ""
    """Phonemes from the last stressed vowel on; empty when it is disputed or does not fall on the last syllable."""
    onset: str = ""
    """Consonants before that vowel."""
    band: int = 0
    """SCOWL size, 10 the commonest; 0 for words of the brief."""

    @property
    def function(self) -> bool:
        """Whether it is a grammatical word, which neither ends a line nor counts as repeated."""
        return self.text in FUNCTION


class Lexicon:
    """Words in alphabetical order, with their sounds.

    Args:
        words: Words by their lower-case text.
        names: Words that are written with a capital inside a line too, by lower-case text.
    """

    def __init__(self, words: Mapping[str, Word], names: Collection[str] = ()) -> None:
        self._words = words
        self.names = frozenset(names) | {"i"}
        self.by_shape: dict[str, list[str]] = {}
        for text in sorted(words):
            self.by_shape.setdefault(words[text].stress, []).append(text)

    def get(self, text: str) -> Word | None:
        """The word, by its lower-case text with a straight apostrophe."""
        return self._words.get(text)

    def having(self, extra: Iterable[Word], names: Collection[str]) -> Lexicon:
        """This lexicon with words of a brief added."""
        added = {word.text: word for word in extra}
        return Lexicon({**self._words, **added}, names) if added or names else self

    def families(self) -> Mapping[str, tuple[str, ...]]:
        """Rhyme to the common words that end in it, for words that may close a line."""
        return _families(self)


def starting(words: list[str], prefix: str) -> Iterator[str]:
    """The words of a sorted list that begin with a prefix."""
    for index in range(bisect_left(words, prefix), len(words)):
        if not words[index].startswith(prefix):
            return
        yield words[index]


@cache
def lexicon() -> Lexicon:
    """The shipped lexicon, without any brief's words."""
    bands = _bands()
    found: dict[str, Word] = {}
    for text, spoken in dictionary().items():
        base = text.removesuffix("'s")
        band = bands.get(base, 0) if text not in CONTRACTIONS else 10
        if base != text and text not in CONTRACTIONS and (base in FUNCTION or len(base) == 1):
            continue
        if band and (word := word_of(text, spoken, band)):
            found[text] = word
    return Lexicon(found)


@cache
def dictionary() -> Mapping[str, tuple[str, ...]]:
    """Every pronunciation (ARPABET) of every word in the shipped pronouncing dictionary."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _lines("pronunciations.txt.xz"):
        text, *spoken = line.split("\t")
        found[text] = tuple(spoken)
    return found


def word_of(text: str, spoken: Collection[str], band: int) -> Word | None:
    """The word when its syllables are beyond dispute, else None."""
    patterns = {"".join(phone[-1] for phone in sound.split() if phone[-1].isdigit()) for sound in spoken}
    counts = {len(pattern) for pattern in patterns}
    if text in DOUBTFUL or len(counts) != 1 or counts != {spelled_syllables(text)}:
        return None
    count = counts.pop()
    if count > 1 and len({pattern.find("1") for pattern in patterns}) > 1:
        return None
    stress = "1" if count == 1 else min(patterns)
    sounds = {_rhyme(sound) for sound in spoken}
    rhyme, onset = sounds.pop() if len(sounds) == 1 else ("", "")
    return Word(text, count, stress, rhyme, onset, band)


def spelled_syllables(word: str) -> int:
    """Syllables by spelling alone: groups of vowels, less the silent e of -e, -ed and -es; at least 1."""
    word = word.replace("'", "")
    count = len(re.findall(r"[aeiouy]+", word))
    silent = (
        (re.search(r"[^aeiouy]e$", word) and not re.search(r"[^aeiouylr]le$", word))
        or (re.search(r"[^aeioutdy]ed$", word) and not re.search(r"[^aeiouyl]led$", word))
        or (re.search(r"[^aeiouysxzcg]es$", word) and not re.search(r"(?:sh|ch|[^aeiouylr]l)es$", word))
    )
    return max(count - bool(silent), 1)


def _rhyme(sound: str) -> tuple[str, str]:
    """(rhyme, onset) of a pronunciation whose last syllable has the primary stress, else two empty strings."""
    phones = sound.split()
    vowels = [index for index, phone in enumerate(phones) if phone[-1].isdigit()]
    last = vowels[-1]
    if len(vowels) > 1 and phones[last][-1] != "1":
        return "", ""
    start = vowels[-2] + 1 if len(vowels) > 1 else 0
    rhyme = " ".join([phones[last].rstrip("012"), *phones[last + 1 :]])
    return rhyme, " ".join(phones[start:last])


@cache
def _bands() -> Mapping[str, int]:
    found: dict[str, int] = {}
    for line in _lines("common.txt.xz"):
        band, words = line.split("\t")
        found.update(dict.fromkeys(words.split(), int(band)))
    return found


@lru_cache(maxsize=8)
def _families(lexicon: Lexicon) -> Mapping[str, tuple[str, ...]]:
    members: dict[str, list[str]] = {}
    for shape, texts in lexicon.by_shape.items():
        if shape[-1] != "1" or len(shape) > 3:
            continue
        for text in texts:
            word = lexicon.get(text)
            if word and word.rhyme and not word.function and word.band <= RHYMING_BAND and "'" not in text:
                members.setdefault(word.rhyme, []).append(text)
    return {rhyme: tuple(texts) for rhyme, texts in members.items()}


def different_onsets(lexicon: Lexicon, words: Iterable[str]) -> int:
    """How many words of a family truly rhyme with each other (same onset is the same sound)."""
    return len(Counter(word.onset for text in words if (word := lexicon.get(text))))


def _lines(name: str) -> list[str]:
    packed = files("castalia").joinpath("data", "english", name).read_bytes()
    return lzma.decompress(packed).decode().splitlines()
