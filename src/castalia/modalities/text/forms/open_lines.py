"""Free lines: so many of them, none too long, each ended by the model itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.english_sets import BAD_ENDINGS
from castalia.modalities.text.forms.lines import words_of

_SHORTEST = 2
_RUN = 4
_RUN_HAN = 5
_UNWANTED = set("#*_`<>|[]{}=\\~^\t")
"""Markup that has no place in a poem."""


class OpenLines:
    """A `Form` of a number of free lines.

    Args:
        count: Number of lines.
        widest: Longest line, in characters.
        forbidden: Texts that may not be copied as a line.
        width: Candidates a line.
    """

    def __init__(self, count: int, widest: int, *, forbidden: Sequence[str] = (), width: int = 3) -> None:
        self._count = count
        self._widest = widest
        self._forbidden = tuple(_plain(text) for text in forbidden)
        self._width = width

    def unit(self, index: int, so_far: str) -> OpenUnit | None:
        """See `Form.unit`."""
        if index >= self._count:
            return None
        return OpenUnit(index == self._count - 1, self._widest, self._forbidden, so_far, self._width)


@dataclass(frozen=True)
class OpenUnit:
    """A `Unit` that is one free line, line break included unless it is the last."""

    last: bool
    widest: int
    forbidden: tuple[str, ...]
    so_far: str
    width: int = 3
    tries: int = 6
    max_tokens: int = 40
    opening: str = ""
    closing: str = ""
    optional: bool = False

    def cursor(self) -> OpenCursor:
        return OpenCursor(self)

    def accepts(self, text: str) -> bool:
        """A line of its own, ended, with something in it."""
        line = text.strip()
        ended = self.last or text.endswith("\n")
        return (
            ended and _SHORTEST <= len(line) <= self.widest and _plain(line) not in self.forbidden and self.is_new(line)
        )

    def rank(self, text: str) -> float:
        """Lines that begin like an earlier one rank lower."""
        start = _plain(text)[:6]
        return -0.5 * any(_plain(other).startswith(start) for other in self.so_far.splitlines() if start)

    def is_new(self, line: str) -> bool:
        """Whether the line is no earlier line and ends in no long run of words or characters of one."""
        return tuple(_parts(line)[-_run_of(line) :]) not in _runs(self.so_far) and _plain(line) not in _lines(
            self.so_far
        )


class OpenCursor:
    """A `Cursor` over one free line."""

    def __init__(self, unit: OpenUnit, text: str = "") -> None:
        self._unit = unit
        self._text = text

    @property
    def done(self) -> bool:
        return self._text.endswith("\n")

    def fork(self) -> OpenCursor:
        return OpenCursor(self._unit, self._text)

    def admits(self, piece: str) -> bool:
        whole = len(self._text.strip()) >= _SHORTEST and not _hangs(self._text)
        if piece == "":
            return self._unit.last and whole
        if _UNWANTED & set(piece) or "\n" in piece[:-1]:
            return False
        line = self._text + piece
        if piece.endswith("\n"):
            whole = len(line.strip()) >= _SHORTEST and not _hangs(line)
            return not self._unit.last and whole and self._unit.is_new(line)
        return len(line.strip()) <= self._unit.widest - 2 and (not _parts(piece) or self._unit.is_new(line))

    def advance(self, piece: str) -> None:
        self._text += piece

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """None: the model breaks its lines itself."""

    def suggestions(self) -> Sequence[str]:
        return ("\n", ".\n", ",\n", "。\n", "，\n", "")


def _hangs(line: str) -> bool:
    words = words_of(line)
    return bool(words) and words[-1] in BAD_ENDINGS and line.rstrip()[-1:].isalpha()


def _chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def _parts(text: str) -> list[str]:
    """Words, or in Chinese characters."""
    return list(_plain(text)) if _chinese(text) else words_of(text)


def _run_of(text: str) -> int:
    return _RUN_HAN if _chinese(text) else _RUN


@lru_cache(maxsize=64)
def _lines(text: str) -> frozenset[str]:
    return frozenset(map(_plain, text.splitlines()))


@lru_cache(maxsize=64)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    """All runs of the length that may not come twice."""
    size = _run_of(text)
    rows = [_parts(line) for line in text.splitlines()]
    return frozenset(tuple(row[at : at + size]) for row in rows for at in range(len(row) - size + 1))


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())
