"""Free lines: so many of them, none too long, each ended by the model itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.english_sets import BAD_ENDINGS
from castalia.modalities.text.forms.lines import shares_run, words_of

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
            ended and _SHORTEST <= len(line) <= self.widest and _plain(line) not in self.forbidden and self._new(line)
        )

    def rank(self, text: str) -> float:
        """Lines that begin like an earlier one rank lower."""
        start = _plain(text)[:6]
        return -0.5 * any(_plain(other).startswith(start) for other in self.so_far.splitlines() if start)

    def _new(self, line: str) -> bool:
        """Whether no long run of words (in Chinese: of characters) stands in an earlier line, nor the whole line."""
        if _plain(line) in map(_plain, self.so_far.splitlines()):
            return False
        if line.isascii() or not any("\u4e00" <= letter <= "\u9fff" for letter in line):
            return not shares_run(words_of(line), [words_of(other) for other in self.so_far.splitlines()], _RUN)
        return not shares_run(list(_plain(line)), [list(_plain(o)) for o in self.so_far.splitlines()], _RUN_HAN)


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
            return not self._unit.last and len(line.strip()) >= _SHORTEST and not _hangs(line)
        return len(line.strip()) <= self._unit.widest - 2

    def advance(self, piece: str) -> None:
        self._text += piece

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """None: the model breaks its lines itself."""

    def suggestions(self) -> Sequence[str]:
        return ("\n", ".\n", ",\n", "。\n", "，\n", "")


def _hangs(line: str) -> bool:
    words = words_of(line)
    return bool(words) and words[-1] in BAD_ENDINGS and line.rstrip()[-1:].isalpha()


def _plain(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())
