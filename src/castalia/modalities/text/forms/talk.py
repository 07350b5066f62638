"""Free talk, sentence by sentence: each is looked at before it is kept, and none is taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_END = re.compile(r"(?:[.!?…][\"”’)\]*]*\s|[。！？][”’」』）]*|\n)")
"""A sentence is over with its mark and the white space after it, or with the line."""


_WHOLE = re.compile(rf"\s*\S.*?{_END.pattern}", re.DOTALL)
_PATIENCE = 2
"""Sentences that may fail before the talk is left as it is."""


@dataclass(frozen=True)
class TalkForm:
    """A `Form` whose units are sentences or lines of any kind of text.

    Attributes:
        fits: Whether the whole text so far may be said.
        stop: The text ends with the first of these.
        begun: Characters that were there before: of a text that is gone on with.
    """

    fits: Callable[[str], bool]
    stop: tuple[str, ...] = ()
    begun: int = 0

    def unit(self, index: int, so_far: str) -> Sentence | None:
        """See `Form.unit`."""
        skipped = index - len(_WHOLE.findall(so_far))
        if skipped >= _PATIENCE or self.stopped(so_far):
            return None
        return Sentence(self, so_far)

    def stopped(self, text: str) -> bool:
        """Whether one of the stops was reached; white space before the first word is none."""
        said = text[self.begun :].lstrip()
        return any(mark in said for mark in self.stop)


@dataclass(frozen=True)
class Sentence:
    """One of them; a `Unit`."""

    form: TalkForm
    so_far: str
    max_tokens: int = 400
    width: int = 1
    tries: int = 3
    opening: str = ""
    closing: str = ""
    optional: bool = True

    def cursor(self) -> SentenceCursor:
        """See `Unit.cursor`."""
        return SentenceCursor(self)

    def accepts(self, text: str) -> bool:
        """See `Unit.accepts`."""
        return self.form.fits(self.so_far + text)

    def rank(self, text: str) -> float:  # noqa: ARG002
        """See `Unit.rank`."""
        return 0.0


@dataclass
class SentenceCursor:
    """A `Cursor` inside one sentence."""

    unit: Sentence
    text: str = ""

    @property
    def done(self) -> bool:
        """See `Cursor.done`."""
        return bool(_END.search(self.text.lstrip())) or self.unit.form.stopped(self.unit.so_far + self.text)

    def admits(self, piece: str) -> bool:
        """See `Cursor.admits`: not an end before anything was said."""
        return bool(piece or (self.unit.so_far + self.text)[self.unit.form.begun :].strip())

    def advance(self, piece: str) -> None:
        """See `Cursor.advance`."""
        self.text += piece

    def fork(self) -> SentenceCursor:
        """See `Cursor.fork`."""
        return SentenceCursor(self.unit, self.text)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:  # noqa: ARG002
        """See `Cursor.bonus`."""
        return None

    def suggestions(self) -> Sequence[str]:
        """See `Cursor.suggestions`."""
        return ()
