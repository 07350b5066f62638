"""One line of regulated Chinese verse, character by character."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.tones import LEVEL, Tones
from castalia.modalities.text.forms.verse_counts import Row, VerseCounts

_NUMBERS = frozenset("一二三四五六七八九十百千万两双半")
_RUN = 4
"""Characters in a row that may not be taken from the brief's examples."""
_SUGGESTED = 80

_COUNT = 0.6
"""Weight of the count model against the language model while sampling."""
_USUAL = -5.5
"""What a character of verse costs on the average, nats: so that a piece of two is weighed like two pieces."""
_STOCK = 0.5
"""Weight against characters that come in any poem (moon, wind, autumn): the share of the maximum mutual information
objective of Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models", eq. 9."""
_VERSE = 0.4
"""Weight of how verse-like and how unlike stock a line is when candidates are compared: more than that, and the line
that any poem could have wins."""
_NEAR = 1.5
"""Nats for a character that keeps company with the imagery like no other."""
_IMAGE = 1.2
"""Nats for a character of the imagery that has not been used."""
_OPPOSITE = 0.6
"""Weight of what usually stands opposite the character above."""
_LEAST_PARALLEL = 0.6
"""Mean information (nats a place) from which a couplet counts as parallel; two thirds of Tang couplets have it."""


@dataclass(frozen=True, eq=False)
class LineRules:
    """What one line must be, and what it should be like."""

    counts: VerseCounts
    tones: Tones
    patterns: frozenset[str]
    """Tone patterns, `P` and `Z`, that the line may have."""
    length: int
    rhymes: frozenset[str]
    """Characters that may come last where the pattern ends level."""
    used: frozenset[str]
    """Characters of the poem so far; none comes again."""
    imagery: str
    near: Row
    """How much each character keeps company with the imagery."""
    upper: str = ""
    """The line above, where this one has to be parallel to it."""


@dataclass(frozen=True, eq=False)
class VerseLineUnit:
    """A `Unit` that is one line; comma or full stop is its closing."""

    rules: LineRules
    known: Callable[[str], bool]
    forbidden: Sequence[str]
    width: int
    closing: str
    tries: int = 4
    max_tokens: int = 10
    opening: str = ""
    optional: bool = False

    def cursor(self) -> VerseLineCursor:
        return VerseLineCursor(self.rules)

    def accepts(self, text: str) -> bool:
        """Whole, nobody's line, not taken from an example, and parallel where that is asked."""
        if len(text) != self.rules.length or self.known(text):
            return False
        runs = {text[index : index + _RUN] for index in range(len(text) - _RUN + 1)}
        if any(run in other for run in runs for other in self.forbidden):
            return False
        upper = self.rules.upper
        return not upper or self.rules.counts.parallel(upper, text) >= _LEAST_PARALLEL

    def rank(self, text: str) -> float:
        """Verse-like lines that name the imagery rank higher; heaps of numbers lower."""
        rules = self.rules
        images = sum(letter in rules.imagery for letter in text)
        company = float(np.mean([rules.near[rules.counts.number[letter]] for letter in text]))
        stock = [rules.counts.alone(rules.length - at)[rules.counts.number[letter]] for at, letter in enumerate(text)]
        score = _VERSE * (rules.counts.mean(text) - float(np.mean(stock))) + 1.5 * company + 0.25 * min(images, 3)
        score -= 0.4 * max(sum(letter in _NUMBERS for letter in text) - 1, 0)
        if rules.upper:
            score += 0.5 * rules.counts.parallel(rules.upper, text)
        return score


@dataclass
class VerseLineCursor:
    """A `Cursor` over one line.

    A character that may be read in either tone is admitted only where the rest of the line can be the same under both
    readings: the cursor keeps the tone patterns of the rest that all readings so far have in common.
    """

    rules: LineRules
    text: str = ""
    rest: frozenset[str] = field(default_factory=frozenset[str])
    _rows: dict[str, Row] = field(default_factory=dict[str, Row])

    def __post_init__(self) -> None:
        if not self.text:
            self.rest = self.rules.patterns

    @property
    def done(self) -> bool:
        return len(self.text) == self.rules.length

    def fork(self) -> VerseLineCursor:
        return VerseLineCursor(self.rules, self.text, self.rest)

    def admits(self, piece: str) -> bool:
        return self._after(piece) is not None

    def advance(self, piece: str) -> None:
        after = self._after(piece)
        if after is None:
            raise ValueError(piece)
        self.text, self.rest = after

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32]:
        """Verse, the imagery and the line above, against what a usual character costs."""
        return np.fromiter((self._bonus(piece) for piece in pieces), np.float32, len(pieces))

    def suggestions(self) -> Sequence[str]:
        row = self._weights(self.text)
        best = (self.rules.counts.vocabulary[index] for index in np.argsort(-row, kind="stable"))
        found: list[str] = []
        for letter in best:
            if self.admits(letter):
                found.append(letter)
                if len(found) == _SUGGESTED:
                    break
        return found

    def _after(self, piece: str) -> tuple[str, frozenset[str]] | None:
        text, rest = self.text, self.rest
        if not piece or len(text) + len(piece) > self.rules.length:
            return None
        for letter in piece:
            rest = self._step(text, rest, letter)
            if not rest:
                return None
            text += letter
        return text, rest

    def _step(self, text: str, rest: frozenset[str], letter: str) -> frozenset[str]:
        """Patterns of what is left after a letter; empty when it may not stand here."""
        readings = self.rules.tones.tones.get(letter)
        if readings is None or letter in self.rules.used or (letter in text and not self._doubles(text, letter)):
            return frozenset()
        common = frozenset(pattern[1:] for pattern in rest)
        for tone in readings:
            common &= {pattern[1:] for pattern in rest if pattern[0] == tone}
        if len(text) + 1 < self.rules.length:
            return common
        certain = letter in self.rules.rhymes if readings == LEVEL else len(readings) == 1
        return common if certain else frozenset()

    def _doubles(self, text: str, letter: str) -> bool:
        """Whether the letter doubles the one before it within a foot, as verse does (悠悠)."""
        back = self.rules.length - len(text)
        return (
            text[-1] == letter
            and text.count(letter) == 1
            and back in (1, 2, 4, 6)
            and not any(one == two for one, two in pairwise(text))
            and self.rules.counts.is_word(letter * 2)
        )

    def _bonus(self, piece: str) -> float:
        text, total = self.text, 0.0
        for letter in piece:
            total += float(self._weights(text)[self.rules.counts.number[letter]])
            text += letter
        return total

    def _weights(self, text: str) -> Row:
        row = self._rows.get(text)
        if row is None:
            row = self._rows[text] = self._weighed(text)
        return row

    def _weighed(self, text: str) -> Row:
        rules = self.rules
        back = rules.length - len(text)
        row = _COUNT * (rules.counts.following(text[-2:], back) - _USUAL) + _NEAR * rules.near
        row = row - _STOCK * (rules.counts.alone(back) - _USUAL)
        if rules.upper:
            row = row + _OPPOSITE * rules.counts.opposite(rules.upper[len(text)])
        images = [rules.counts.number[letter] for letter in rules.imagery if letter in rules.counts.number]
        row[images] += _IMAGE
        return row.astype(np.float32)
