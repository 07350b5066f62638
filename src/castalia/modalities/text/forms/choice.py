"""One of several fixed phrases, chosen by the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ChoiceForm:
    """A `Form` of one unit that becomes one of the options, to the letter."""

    options: tuple[str, ...]

    def unit(self, index: int, so_far: str) -> _Choice | None:  # noqa: ARG002
        """See `Form.unit`."""
        return _Choice(self.options) if index == 0 else None


@dataclass(frozen=True)
class _Choice:
    options: tuple[str, ...]
    width: int = 1
    tries: int = 2
    opening: str = ""
    closing: str = ""
    optional: bool = False

    @property
    def max_tokens(self) -> int:
        return 2 * max(map(len, self.options)) + 2

    def cursor(self) -> _ChoiceCursor:
        return _ChoiceCursor(self.options)

    def accepts(self, text: str) -> bool:
        return text in self.options

    def rank(self, text: str) -> float:  # noqa: ARG002
        return 0.0


class _ChoiceCursor:
    def __init__(self, options: tuple[str, ...], text: str = "") -> None:
        self._options = options
        self._text = text

    @property
    def done(self) -> bool:
        """Done as soon as one option is whole and no longer one goes on from it."""
        return self._options.count(self._text) > 0 and not self._rest()

    def admits(self, piece: str) -> bool:
        if piece == "":
            return self._text in self._options
        return any(rest.startswith(piece) for rest in self._rest())

    def advance(self, piece: str) -> None:
        self._text += piece

    def fork(self) -> _ChoiceCursor:
        return _ChoiceCursor(self._options, self._text)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """None: the model alone chooses."""

    def suggestions(self) -> Sequence[str]:
        return [*self._rest(), *{rest[0] for rest in self._rest()}]

    def _rest(self) -> list[str]:
        size = len(self._text)
        return [option[size:] for option in self._options if option.startswith(self._text) and len(option) > size]
