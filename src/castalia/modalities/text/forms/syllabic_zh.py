"""Chinese verse that counts characters: so many a line, without tones or rhyme (俳句: 5-7-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_UNFINISHED = "\ufffd"
_RUN = 4
_COMMAS = "，、；"
_ENDS = "。！？"
_HANGING = frozenset("的地得和与在把被从向对于是了着跟而但或")
"""Characters that leave a line hanging when they stand last."""
_MAY_END = frozenset("了着")


class HanForm:
    """A `Form` of lines with fixed numbers of characters.

    Args:
        counts: Characters of each line.
        forbidden: Texts from which no run of four characters is taken.
        width: Candidates a line.
    """

    def __init__(self, counts: Sequence[int], *, forbidden: Sequence[str] = (), width: int = 6) -> None:
        self._counts = tuple(counts)
        self._forbidden = tuple(forbidden)
        self._width = width

    def unit(self, index: int, so_far: str) -> HanUnit | None:
        """See `Form.unit`."""
        if index >= len(self._counts):
            return None
        last = index == len(self._counts) - 1
        return HanUnit(self._counts[index], last, so_far, self._forbidden, self._width)


@dataclass(frozen=True)
class HanUnit:
    """A `Unit` that is one line of so many characters."""

    count: int
    last: bool
    so_far: str
    forbidden: tuple[str, ...]
    width: int = 6
    tries: int = 3
    max_tokens: int = 24
    opening: str = ""
    closing: str = ""
    optional: bool = False

    def cursor(self) -> HanCursor:
        return HanCursor(self.count, last=self.last, so_far=self.so_far)

    def accepts(self, text: str) -> bool:
        """Whole, and nothing of it taken from the brief or an example."""
        line = "".join(filter(_is_han, text))
        if len(line) != self.count or (not self.last and not text.endswith("\n")):
            return False
        runs = {line[index : index + _RUN] for index in range(len(line) - _RUN + 1)}
        earlier = self.so_far.splitlines()
        return not any(run in other for run in runs for other in (*self.forbidden, *earlier))

    def rank(self, text: str) -> float:
        """Lines with fewer characters of earlier lines rank higher."""
        line = "".join(filter(_is_han, text))
        return -0.3 * sum(letter in self.so_far for letter in line)


class HanCursor:
    """A `Cursor` over one line of Chinese characters."""

    def __init__(self, count: int, *, last: bool, so_far: str, text: str = "") -> None:
        self._count = count
        self._last = last
        self._so_far = so_far
        self._text = text

    @property
    def done(self) -> bool:
        return self._text.endswith("\n")

    @property
    def _written(self) -> str:
        return "".join(filter(_is_han, self._text))

    def fork(self) -> HanCursor:
        return HanCursor(self._count, last=self._last, so_far=self._so_far, text=self._text)

    def admits(self, piece: str) -> bool:
        room = self._count - len(self._written)
        if piece == "":
            return self._last and self._may_stop(self._text)
        if piece == _UNFINISHED:
            return room > 0
        text = self._text
        for letter in piece:
            if not self._follows(text, letter):
                return False
            text += letter
        return True

    def advance(self, piece: str) -> None:
        self._text += piece

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """Characters of the poem so far lose weight, so that lines differ."""
        seen = self._so_far
        return np.fromiter((-0.6 * any(c in seen for c in piece if _is_han(c)) for piece in pieces), np.float32)

    def suggestions(self) -> Sequence[str]:
        return ("\n", "，\n", "。\n", "。", "")

    def _follows(self, text: str, letter: str) -> bool:
        han = [c for c in text if _is_han(c)]
        if _is_han(letter):
            full = len(han) >= self._count
            hangs = len(han) == self._count - 1 and letter in _HANGING - _MAY_END
            return not full and not hangs and (not text or _is_han(text[-1]))
        if letter == "\n":
            return not self._last and self._may_stop(text)
        return letter in (_ENDS if self._last else _COMMAS + _ENDS) and len(han) == self._count and _is_han(text[-1])

    def _may_stop(self, text: str) -> bool:
        return sum(map(_is_han, text)) == self._count and not text.endswith("\n")


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or "\U00020000" <= letter <= "\U0003ffff"
