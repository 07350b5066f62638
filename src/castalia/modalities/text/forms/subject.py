"""What a brief brings to a poem: words worth naming, and names and rarer words that the lexicon does not know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from castalia.modalities.text.forms.english import Lexicon, Word, dictionary, lexicon, spelled_syllables, word_of
from castalia.modalities.text.forms.english_sets import FUNCTION
from castalia.modalities.text.forms.unknown_words import guess

_MOST_NAMES = 24
_NOT_SUBJECTS = frozenset(
    "poem haiku limerick sonnet verse write writing please about make one lines line rhyme".split()
)


@dataclass(frozen=True)
class Subject:
    """A brief, as a form needs it."""

    favoured: tuple[str, ...]
    """Content words of the brief that the lexicon has, in lower case."""
    words: Lexicon
    """The lexicon, with the brief's names and rarer words."""


@lru_cache(maxsize=8)
def subject(brief: str, keywords: tuple[str, ...] = ()) -> Subject:
    """Read a brief.

    Args:
        brief: The user's words; only the first thousand characters are looked at.
        keywords: Words that the user wants to see.
    """
    text = f"{' '.join(keywords)} {brief[:1000]}".replace("’", "'")
    found = re.findall(r"[A-Za-z]+(?:'[a-z]+)?", text)
    known = lexicon()
    names: dict[str, Word] = {}
    rare: dict[str, Word] = {}
    for written in found:
        low = written.lower().removesuffix("'s")
        capital = written[0].isupper() and (len(written) == 1 or written[1:].islower())
        unknown = low not in FUNCTION and known.get(low) is None and len(low) > 1
        if unknown and (capital or low in dictionary()) and len(names) + len(rare) < _MOST_NAMES:
            word = _sounded(low)
            if word:
                (names if capital else rare)[low] = word
    favoured = dict.fromkeys(
        low
        for written in found
        if (low := written.lower()) not in FUNCTION | _NOT_SUBJECTS
        and (low in names or low in rare or known.get(low))
        and len(low) > 2
    )
    return Subject(tuple(favoured), known.having([*names.values(), *rare.values()], names))


def _sounded(name: str) -> Word | None:
    """A name with its sound, when the dictionary or two ways of counting agree on it."""
    spoken = dictionary().get(name)
    if spoken:
        return word_of(name, spoken, 0)
    guessed = guess(name)
    if guessed.syllables != spelled_syllables(name):
        return None
    return Word(name, guessed.syllables, guessed.stress)
