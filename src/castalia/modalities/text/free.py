"""The form of text without a form: one unit that ends where the model, a stop text or the length limit ends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class FreeForm:
    """A `Form` with a single unit.

    Args:
        max_tokens: Length limit.
        stop: The text ends after the first of these, which stays part of it.
    """

    def __init__(self, max_tokens: int, stop: tuple[str, ...] = ()) -> None:
        self._unit = _FreeUnit(max_tokens, stop)

    def unit(self, index: int, so_far: str) -> _FreeUnit | None:  # noqa: ARG002
        """See `Form.unit`."""
        return self._unit if index == 0 else None


@dataclass(frozen=True)
class _FreeUnit:
    max_tokens: int
    stop: tuple[str, ...]
    width: int = 1
    tries: int = 1
    opening: str = ""
    closing: str = ""
    optional: bool = False

    def cursor(self) -> _FreeCursor:
        return _FreeCursor(self.stop)

    def accepts(self, text: str) -> bool:  # noqa: ARG002
        return True

    def rank(self, text: str) -> float:  # noqa: ARG002
        return 0.0


class _FreeCursor:
    def __init__(self, stop: tuple[str, ...], text: str = "") -> None:
        self._stop = stop
        self._text = text

    @property
    def done(self) -> bool:
        return any(mark in self._text for mark in self._stop)

    def admits(self, piece: str) -> bool:  # noqa: ARG002
        return True

    def advance(self, piece: str) -> None:
        self._text += piece

    def fork(self) -> _FreeCursor:
        return _FreeCursor(self._stop, self._text)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:  # noqa: ARG002
        return None

    def suggestions(self) -> Sequence[str]:
        return ()
