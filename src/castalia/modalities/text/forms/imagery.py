"""The imagery of a poem: a line of two-character words that classical verse knows, chosen for the brief."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.verse_counts import Row, VerseCounts

OPENING = "意象："
"""What the line begins with."""

_WORDS = 6
_BETWEEN = "、"
_NEAR = 2.0
"""Nats for a character that keeps company with the brief's own characters like no other."""


@dataclass(frozen=True, eq=False)
class ImageryUnit:
    """A `Unit` of six words with 、 between them.

    Args:
        counts: The count model, which says what is a word of verse.
        about: The brief; Chinese characters in it draw their like, words in other languages are left to the model.
    """

    counts: VerseCounts
    about: str
    width: int = 4
    tries: int = 2
    max_tokens: int = 30
    opening: str = OPENING
    closing: str = "\n"
    optional: bool = False

    def cursor(self) -> ImageryCursor:
        return ImageryCursor(self.counts, self.counts.near([self.about]), frozenset(self.about))

    def accepts(self, text: str) -> bool:
        return text.count(_BETWEEN) == _WORDS - 1

    def rank(self, text: str) -> float:
        """Words near the brief rank higher, its own words highest."""
        near = self.counts.near([self.about])
        letters = [letter for letter in text if letter != _BETWEEN]
        company = float(np.mean([near[self.counts.number[letter]] for letter in letters]))
        return 2 * company + 0.3 * sum(word in self.about for word in text.split(_BETWEEN))


@dataclass
class ImageryCursor:
    """A `Cursor` over the line of words."""

    counts: VerseCounts
    near: Row
    own: frozenset[str]
    text: str = field(default="")

    @property
    def done(self) -> bool:
        return len(self.text) == 3 * _WORDS - 1

    def fork(self) -> ImageryCursor:
        return ImageryCursor(self.counts, self.near, self.own, self.text)

    def admits(self, piece: str) -> bool:
        text = self.text
        if not piece or len(text) + len(piece) > 3 * _WORDS - 1:
            return False
        for letter in piece:
            if not self._follows(text, letter):
                return False
            text += letter
        return True

    def advance(self, piece: str) -> None:
        self.text += piece

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32]:
        number = self.counts.number
        return np.fromiter(
            (_NEAR * sum(self.near[number[c]] for c in piece if c in number) for piece in pieces), np.float32
        )

    def suggestions(self) -> Sequence[str]:
        if len(self.text) % 3 == 2:
            return (_BETWEEN,)
        order = np.argsort(-self.near, kind="stable")
        return [letter for index in order if self.admits(letter := self.counts.vocabulary[index])][:80]

    def _follows(self, text: str, letter: str) -> bool:
        place = len(text) % 3
        if place == 2:
            return letter == _BETWEEN
        if letter not in self.counts.number or letter in text:
            return False
        return self.counts.starts_word(letter) if place == 0 else self.counts.is_word(text[-1] + letter)
