"""The count model of Tang and Song regulated verse: how likely a character is, given its place and the two before it.

Three tables (by place, by one and by two characters before, each by kind of place) are mixed by absolute discounting
(Ney, Essen and Kneser 1994). Places are counted from the line's end, since a line of seven is one of five with a foot
before it. Two sets of vectors say what stands opposite what in parallel couplets, and what stands together in poems.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float32]
"""One figure for each character of the vocabulary, shape (vocabulary,)."""

_DISCOUNT = 0.75

_WORD = 5
"""Occurrences from which two characters in one foot are a word."""


class _Rows:
    """Sparse rows: context → characters and counts."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]], prefix: str) -> None:
        self._contexts: NDArray[np.int32] = arrays[f"{prefix}_contexts"]
        self._starts: NDArray[np.int32] = arrays[f"{prefix}_starts"]
        self._characters: NDArray[np.uint16] = arrays[f"{prefix}_characters"]
        self._counts: NDArray[np.uint16] = arrays[f"{prefix}_counts"]
        self._totals: NDArray[np.uint32] = arrays[f"{prefix}_totals"]

    def mixed(self, context: int, lower: NDArray[np.float64]) -> NDArray[np.float64]:
        """The row's own share, and the lower table for what the row leaves over."""
        place = self._place(context)
        if place is None:
            return lower
        begin, end = self._starts[place], self._starts[place + 1]
        own = (self._counts[begin:end] - _DISCOUNT) / float(self._totals[place])
        row = lower * (1 - own.sum())
        row[self._characters[begin:end]] += own
        return row

    def most(self, context: int) -> int:
        """The count of what follows a context most often; 0 for one that is not in the table."""
        place = self._place(context)
        return 0 if place is None else int(self._counts[self._starts[place] : self._starts[place + 1]].max())

    def has(self, context: int, character: int) -> int:
        """How often a character follows a context; 0 below the table's smallest count."""
        place = self._place(context)
        if place is None:
            return 0
        begin, end = self._starts[place], self._starts[place + 1]
        found = int(begin + np.searchsorted(self._characters[begin:end], character))
        return int(self._counts[found]) if found < end and self._characters[found] == character else 0

    def _place(self, context: int) -> int | None:
        place = int(np.searchsorted(self._contexts, context))
        return place if place < len(self._contexts) and self._contexts[place] == context else None


class VerseCounts:
    """The model; take the shipped one from `verse_counts()`."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self.vocabulary = str(arrays["vocabulary"])
        self.number = {character: index for index, character in enumerate(self.vocabulary)}
        single = arrays["single"].astype(np.float64) + 0.5
        self._single = single / single.sum(1, keepdims=True)
        self._pairs = _Rows(arrays, "pair")
        self._triples = _Rows(arrays, "triple")
        self._upper = arrays["upper"].astype(np.float32) * arrays["upper_scale"]
        self._lower = arrays["lower"].astype(np.float32) * arrays["lower_scale"]
        field = arrays["field"].astype(np.float32)
        self._field = field / np.maximum(np.linalg.norm(field, axis=1, keepdims=True), 1)
        self.following = lru_cache(maxsize=4096)(self._following)

    def _following(self, before: str, back: int) -> Row:
        """Log-probabilities (nats) of the next character.

        Args:
            before: The line so far.
            back: Its place from the end; the last character of a line is 1, the first of a line of seven is 7.
        """
        size = len(self.vocabulary)
        row = self._single[back]
        ids = [self.number.get(character, -1) for character in before[-2:]]
        if ids and ids[-1] >= 0:
            row = self._pairs.mixed(_pair_class(back) * size + ids[-1], row)
            if len(ids) == 2 and ids[0] >= 0:
                row = self._triples.mixed((_triple_class(back) * size + ids[0]) * size + ids[1], row)
        return np.log(row).astype(np.float32)

    def alone(self, back: int) -> Row:
        """Log-probabilities (nats) of each character at a place from the end, whatever stands before it."""
        return np.log(self._single[back]).astype(np.float32)

    def mean(self, line: str) -> float:
        """Mean log-probability of a line's characters, nats; unknown ones count as one in a hundred thousand."""
        values = [
            float(self.following(line[:index][-2:], len(line) - index)[self.number[character]])
            if character in self.number
            else -11.5
            for index, character in enumerate(line)
        ]
        return sum(values) / max(len(values), 1)

    def is_word(self, text: str) -> bool:
        """Whether two characters stand together in one foot of the corpus."""
        one, two = (self.number.get(character, -1) for character in text)
        return one >= 0 and two >= 0 and self._pairs.has(one, two) >= _WORD

    def starts_word(self, character: str) -> bool:
        """Whether some word of two characters begins with it."""
        return character in self.number and self._pairs.most(self.number[character]) >= _WORD

    def opposite(self, upper: str) -> Row:
        """How much likelier than chance (nats) each character is below this one in a couplet."""
        index = self.number.get(upper)
        return self._opposite(index) if index is not None else np.zeros(len(self.vocabulary), np.float32)

    @cache  # noqa: B019  (one model lives as long as the process)
    def _opposite(self, index: int) -> Row:
        return self._lower @ self._upper[index]

    def parallel(self, upper: str, lower: str) -> float:
        """Mean of `opposite` over the places of a couplet, nats; the same character twice counts −2."""
        values = [
            -2.0 if a == b else float(self.opposite(a)[self.number[b]]) if b in self.number else 0.0
            for a, b in zip(upper, lower, strict=True)
        ]
        return sum(values) / max(len(values), 1)

    def near(self, words: Iterable[str]) -> Row:
        """How much each character keeps company with these words, in [−1, 1]; zeros when none is known."""
        ids = [self.number[character] for word in words for character in word if character in self.number]
        if not ids:
            return np.zeros(len(self.vocabulary), np.float32)
        middle = self._field[ids].sum(0)
        return self._field @ (middle / max(float(np.linalg.norm(middle)), 1e-9))


@cache
def verse_counts() -> VerseCounts:
    """The shipped model."""
    with (files("castalia") / "data" / "chinese" / "verse_counts.npz").open("rb") as stream:
        return VerseCounts(dict(np.load(stream, allow_pickle=False)))


def _pair_class(back: int) -> int:
    """0 inside a foot of two, 1 in the last three characters, 2 between feet."""
    return 1 if back <= 2 else 0 if back in (4, 6) else 2


def _triple_class(back: int) -> int:
    """0 the last character, 1 the last but one, 2 the first of a foot, 3 the second of a foot."""
    return back - 1 if back <= 2 else 2 if back in (3, 5) else 3
