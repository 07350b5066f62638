"""Verse in metre and rhyme: each line has a beat, and lines with the same letter of the scheme rhyme truly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from castalia.modalities.text.forms.english import Lexicon, different_onsets, lexicon
from castalia.modalities.text.forms.english_sets import FUNCTION
from castalia.modalities.text.forms.lines import LineRules, stem, words_of
from castalia.modalities.text.forms.syllabic import LineUnit

IAMBIC_PENTAMETER = ("wswswswsws",)
ANAPAESTIC_TRIMETER = ("wswwswws", "wwswwswws")
ANAPAESTIC_DIMETER = ("wswws", "wwswws")

_RICH = 8
"""Words of different sound that a rhyme must offer before a line may open it."""
_OPENING_BAND = 20
"""Least common SCOWL size of a word that opens a rhyme."""


@dataclass(frozen=True)
class LineShape:
    """What the form wants of one line."""

    patterns: tuple[str, ...]
    letter: str
    """Its letter in the rhyme scheme."""


class MetricalForm:
    """A `Form` of metrical, rhymed lines.

    Args:
        shapes: One a line.
        strict: Keep clitics off strong places (for strongly rhythmical verse).
        varied: Lines before each one whose first word may not come first again.
        forbidden: Texts from which no run of four words is taken.
        favoured: Words of the brief that gain weight until they have been used.
        words: The lexicon; the shipped one unless the brief brings words of its own.
        width: Candidates a line.
    """

    def __init__(
        self,
        shapes: Sequence[LineShape],
        *,
        strict: bool = False,
        varied: int = 3,
        forbidden: Sequence[str] = (),
        favoured: Sequence[str] = (),
        words: Lexicon | None = None,
        width: int = 6,
    ) -> None:
        self._shapes = tuple(shapes)
        self._strict = strict
        self._varied = varied
        self._forbidden = tuple(tuple(words_of(text)) for text in forbidden)
        self._favoured = frozenset(favoured)
        self._words = words
        self._width = width

    def unit(self, index: int, so_far: str) -> LineUnit | None:
        """See `Form.unit`."""
        if index >= len(self._shapes):
            return None
        shape = self._shapes[index]
        words = self._words or lexicon()
        lines = [words_of(line) for line in so_far.splitlines()][:index]
        ends = [(earlier.letter, line[-1]) for earlier, line in zip(self._shapes, lines, strict=False) if line]
        written = tuple(word for line in lines for word in line)
        used = frozenset(stem(word) for word in written if word not in FUNCTION)
        rules = LineRules(
            patterns=shape.patterns,
            endings=frozenset(text for text in rhyme_words(words, shape.letter, ends) if stem(text) not in used),
            used=used,
            starts=frozenset(line[0] for line in lines[max(index - self._varied, 0) :] if line),
            last=index == len(self._shapes) - 1,
            strict=self._strict,
            favoured=self._favoured,
            favour=0.5,
        )
        return LineUnit(words, rules, (*self._forbidden, written), self._width)


def rhyme_words(words: Lexicon, letter: str, ends: Sequence[tuple[str, str]]) -> Sequence[str]:
    """Words that may end a line.

    Args:
        words: The lexicon.
        letter: The line's letter in the scheme.
        ends: (letter, last word) of the lines before it.
    """
    partners = [word for own, end in ends if own == letter and (word := words.get(end))]
    families = words.families()
    if partners:
        taken = {word.onset for word in partners}
        family = families.get(partners[0].rhyme, ())
        return [text for text in family if (word := words.get(text)) and word.onset not in taken]
    heard = {word.rhyme for _, end in ends if (word := words.get(end))}
    return [text for rhyme, family in _rich(words).items() if rhyme not in heard for text in family]


@lru_cache(maxsize=8)
def _rich(words: Lexicon) -> dict[str, tuple[str, ...]]:
    """Common words of the rhymes that offer enough of them."""
    plain = {
        rhyme: tuple(text for text in family if (word := words.get(text)) and word.band <= _OPENING_BAND)
        for rhyme, family in words.families().items()
    }
    return {rhyme: family for rhyme, family in plain.items() if different_onsets(words, family) >= _RICH}
