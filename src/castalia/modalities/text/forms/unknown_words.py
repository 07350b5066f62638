"""How a word that the dictionary lacks probably sounds: as most words sound that end in the same letters.

Learned by analogy (the longest shared ending decides; compare Yvon 1996, pronunciation by analogy); figures on
held-out words are in docs/decisions.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from castalia.modalities.text.forms.english import dictionary, spelled_syllables

_NEIGHBOURS = 24
_LONGEST = 8


@dataclass(frozen=True)
class Guess:
    """The likely sound of a word."""

    syllables: int
    stress: str
    """A digit a syllable, as in `Word.stress`."""
    rhyme: str
    """Phonemes from the last stressed vowel on."""


class Analogy:
    """Words by their endings.

    Args:
        spoken: Pronunciations by word, lower case.
    """

    def __init__(self, spoken: Mapping[str, Sequence[str]]) -> None:
        self._spoken = spoken
        self._turned = sorted(word[::-1] for word in spoken)

    def guess(self, word: str) -> Guess:
        """The vote of the words with the longest common ending whose spelling has as many syllables."""
        low = word.lower().replace("’", "'").strip("'")
        spelled = spelled_syllables(low)
        near = self._neighbours(low[::-1])
        extra = Counter(len(stresses(self._spoken[other][0])) - spelled_syllables(other) for other in near)
        count = max(1, spelled + (extra.most_common(1)[0][0] if extra else 0))
        alike = [other for other in near if len(stresses(self._spoken[other][0])) == count]
        patterns = Counter(stresses(self._spoken[other][0]) for other in alike)
        tails = Counter(rhyme_of(self._spoken[other][0]) for other in alike or near)
        stress = patterns.most_common(1)[0][0] if patterns else ("1" + "0" * (count - 1))
        return Guess(count, stress, tails.most_common(1)[0][0] if tails else "")

    def _neighbours(self, turned: str) -> list[str]:
        """Words that share the longest ending, at least a few of them."""
        for length in range(min(len(turned), _LONGEST), 0, -1):
            ending = turned[:length]
            start = bisect_left(self._turned, ending)
            stop = bisect_left(self._turned, ending + "\x7f")
            if stop - start >= 3 or (length <= 2 and stop > start):
                step = max(1, (stop - start) // _NEIGHBOURS)
                return [found[::-1] for found in self._turned[start:stop:step] if found != turned][:_NEIGHBOURS]
        return []


def guess(word: str) -> Guess:
    """The likely sound of a word, by analogy with the shipped dictionary."""
    return _shipped().guess(word)


def stresses(sound: str) -> str:
    """The stress digits of an ARPABET pronunciation."""
    return "".join(letter for letter in sound if letter.isdigit())


def rhyme_of(sound: str) -> str:
    """Phonemes from the last stressed vowel on (any vowel where none is), stress digits dropped."""
    phones = sound.split()
    vowels = [index for index, phone in enumerate(phones) if phone[-1].isdigit()]
    stressed = [index for index in vowels if phones[index][-1] in "12"]
    start = (stressed or vowels or [0])[-1]
    return " ".join(phone.rstrip("012") for phone in phones[start:])


@cache
def _shipped() -> Analogy:
    return Analogy(dictionary())
