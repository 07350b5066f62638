"""How a word that the dictionary lacks probably sounds: as most words sound that end in the same letters.

Learned by analogy (the longest shared ending decides; compare Yvon 1996, pronunciation by analogy); figures on
held-out words are in docs/decisions.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from castalia.modalities.text.forms.english import dictionary, spelled_syllables

_NEIGHBOURS = 24
_LONGEST = 8
_STEEP = 4.0
"""Factor by which a letter more in common weighs more."""


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
        """The vote of the words with a common ending, first on syllables, then on stress, then on rhyme."""
        low = word.lower().replace("’", "'").strip("'")
        near = self._neighbours(low[::-1])
        spelled = spelled_syllables(low)
        counts = _vote((len(stresses(sound)) - spelled_syllables(other), weight) for other, sound, weight in near)
        count = max(1, spelled + int(counts or 0))
        alike = [(sound, weight) for _, sound, weight in near if len(stresses(sound)) == count]
        stress = str(_vote((stresses(sound), weight) for sound, weight in alike) or "1" + "0" * (count - 1))
        tail = _vote((rhyme_of(sound), weight) for sound, weight in alike if stresses(sound) == stress)
        return Guess(count, stress, str(tail or _vote((rhyme_of(sound), weight) for _, sound, weight in near) or ""))

    def _neighbours(self, turned: str) -> list[tuple[str, str, float]]:
        """(word, first pronunciation, weight) of words with a common ending; longer endings weigh far more."""
        found: dict[str, float] = {}
        for length in range(min(len(turned), _LONGEST), 0, -1):
            start = bisect_left(self._turned, turned[:length])
            stop = bisect_left(self._turned, turned[:length] + "\x7f")
            step = max(1, (stop - start) // _NEIGHBOURS)
            for other in self._turned[start:stop:step]:
                if other != turned:
                    nearness = 1 / (1 + abs(len(other) - len(turned)))
                    found.setdefault(other[::-1], _STEEP**length * nearness)
        return [(other, self._spoken[other][0], weight) for other, weight in found.items()]


def _vote(ballots: Iterable[tuple[str | int, float]]) -> str | int | None:
    totals: dict[str | int, float] = {}
    for choice, weight in ballots:
        totals[choice] = totals.get(choice, 0.0) + weight
    return max(totals, key=lambda choice: totals[choice]) if totals else None


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
