"""Verse that counts syllables: so many a line, every line ending on a word that can bear it (haiku: 5-7-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from castalia.modalities.text.forms.english import Lexicon, lexicon
from castalia.modalities.text.forms.english_sets import FUNCTION
from castalia.modalities.text.forms.lines import LineCursor, LineRules, shares_run, stem, words_of

_RUN = 4
"""Words in a row that may not be taken from the brief or an example."""


class SyllabicForm:
    """A `Form` of lines with fixed numbers of syllables.

    Args:
        counts: Syllables of each line.
        forbidden: Texts (the brief, the prompt's examples) from which no run of four words is taken.
        favoured: Words of the brief that gain weight until they have been used.
        words: The lexicon; the shipped one unless the brief brings words of its own.
        width: Candidates a line.
    """

    def __init__(
        self,
        counts: Sequence[int],
        *,
        forbidden: Sequence[str] = (),
        favoured: Sequence[str] = (),
        words: Lexicon | None = None,
        width: int = 6,
    ) -> None:
        self._counts = tuple(counts)
        self._forbidden = tuple(tuple(words_of(text)) for text in forbidden)
        self._favoured = frozenset(favoured)
        self._words = words
        self._width = width

    def unit(self, index: int, so_far: str) -> LineUnit | None:
        """See `Form.unit`."""
        if index >= len(self._counts):
            return None
        written = tuple(words_of(so_far))
        rules = LineRules(
            patterns=("x" * self._counts[index],),
            used=frozenset(stem(word) for word in written if word not in FUNCTION),
            last=index == len(self._counts) - 1,
            favoured=self._favoured,
        )
        return LineUnit(self._words or lexicon(), rules, (*self._forbidden, written), self._width)


@dataclass(frozen=True)
class LineUnit:
    """A `Unit` that is one line, its line break included unless it is the last."""

    lexicon: Lexicon
    rules: LineRules
    forbidden: tuple[Sequence[str], ...]
    width: int = 6
    tries: int = 3
    max_tokens: int = 32
    opening: str = ""
    closing: str = ""
    optional: bool = False

    def cursor(self) -> LineCursor:
        return LineCursor(self.lexicon, self.rules)

    def accepts(self, text: str) -> bool:
        """Whole, and not taken from the brief, an example or an earlier line."""
        cursor = self.cursor()
        whole = text.rstrip("\n")
        if not cursor.admits(whole):
            return False
        cursor.advance(whole)
        ended = cursor.admits("") if self.rules.last else cursor.admits("\n")
        return ended and not shares_run(words_of(text), self.forbidden, _RUN)

    def rank(self, text: str) -> float:
        """Lines that name something of the brief rank higher; many small words rank lower."""
        words = words_of(text)
        named = sum(word in self.rules.favoured and stem(word) not in self.rules.used for word in words)
        return 0.3 * min(named, 1) - 0.4 * sum(word in FUNCTION for word in words) / max(len(words), 1)
