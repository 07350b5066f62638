"""JSON by a schema: a form whose text can be nothing else, and which steers to its end when tokens run out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.json_grammar import END, Digits, Grammar, Letters, Stack, Word


@dataclass(frozen=True)
class JsonForm:
    """A `Form` of one unit: the whole text.

    Attributes:
        grammar: Of its schema.
        most: Tokens, within which it becomes whole where its shortest text does.
    """

    grammar: Grammar
    most: int

    def unit(self, index: int, so_far: str) -> JsonText | None:  # noqa: ARG002
        """See `Form.unit`."""
        return None if index else JsonText(self.grammar, self.most)


@dataclass(frozen=True)
class JsonText:
    """The text; a `Unit`."""

    grammar: Grammar
    max_tokens: int
    width: int = 1
    tries: int = 2
    opening: str = ""
    closing: str = ""
    optional: bool = False

    def cursor(self) -> JsonCursor:
        """See `Unit.cursor`."""
        return JsonCursor(self.grammar, self.max_tokens - max(2, self.max_tokens // 8))

    def accepts(self, text: str) -> bool:
        """See `Unit.accepts`."""
        return self.grammar.whole(self.grammar.after(self.grammar.start, text))

    def rank(self, text: str) -> float:  # noqa: ARG002
        """See `Unit.rank`."""
        return 0.0


@dataclass
class JsonCursor:
    """A `Cursor` inside it."""

    grammar: Grammar
    left: int
    """Tokens, some kept back because those to the end are known about only."""
    states: frozenset[Stack] = field(default_factory=frozenset[Stack])

    def __post_init__(self) -> None:
        self.states = self.states or self.grammar.start

    @property
    def done(self) -> bool:
        """See `Cursor.done`: nothing may come any more."""
        return self.states == frozenset({(END,)})

    def admits(self, piece: str) -> bool:
        """See `Cursor.admits`."""
        if not piece:
            return self.grammar.whole(self.states)
        left = self.grammar.left(self.grammar.after(self.states, piece))
        return left <= self.left - _tokens(piece) or left < self.grammar.left(self.states)

    def advance(self, piece: str) -> None:
        """See `Cursor.advance`."""
        self.states = self.grammar.after(self.states, piece)
        self.left -= _tokens(piece)

    def fork(self) -> JsonCursor:
        """See `Cursor.fork`."""
        return JsonCursor(self.grammar, self.left, self.states)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:  # noqa: ARG002
        """See `Cursor.bonus`."""
        return None

    def suggestions(self) -> Sequence[str]:
        """See `Cursor.suggestions`: words that may come, each as a whole and by its first character."""
        tops = [stack[-1] for stack in self.states]
        words = {top.text for top in tops if isinstance(top, Word)}
        letters = {'"', "a"} if any(isinstance(top, Letters) for top in tops) else set[str]()
        digits = set("-0123456789") if any(isinstance(top, Digits) for top in tops) else set[str]()
        return sorted(words | {word[0] for word in words} | letters | digits)


def _tokens(piece: str) -> int:
    """Tokens that a piece took at most: a character of several bytes may come in as many."""
    return 1 if piece.isascii() else len(piece.encode())
