"""A call of a tool, or free talk: the first character tells which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.json_schema import JsonCursor, JsonForm, JsonText
from castalia.modalities.text.forms.talk import Sentence, SentenceCursor, TalkForm


@dataclass(frozen=True)
class CallForm:
    """A `Form`: a text that begins with a brace is the call, any other is talk.

    Attributes:
        call: Of the call.
        talk: Of the rest.
    """

    call: JsonForm
    talk: TalkForm

    def unit(self, index: int, so_far: str) -> Opening | Sentence | None:
        """See `Form.unit`."""
        if so_far.startswith("{"):
            return None
        sentence = self.talk.unit(index, so_far)
        return sentence if so_far or sentence is None else Opening(self, sentence, self.call.most)


@dataclass(frozen=True)
class Opening:
    """The call, or the first sentence; a `Unit`."""

    form: CallForm
    sentence: Sentence
    max_tokens: int
    width: int = 1
    tries: int = 3
    opening: str = ""
    closing: str = ""
    optional: bool = True

    def cursor(self) -> OpeningCursor:
        """See `Unit.cursor`."""
        return OpeningCursor(JsonText(self.form.call.grammar, self.max_tokens).cursor(), self.sentence.cursor())

    def accepts(self, text: str) -> bool:
        """See `Unit.accepts`."""
        if text.startswith("{"):
            grammar = self.form.call.grammar
            return grammar.whole(grammar.after(grammar.start, text))
        return self.sentence.accepts(text)

    def rank(self, text: str) -> float:  # noqa: ARG002
        """See `Unit.rank`."""
        return 0.0


@dataclass
class OpeningCursor:
    """A `Cursor` inside it."""

    call: JsonCursor
    sentence: SentenceCursor
    text: str = ""

    @property
    def done(self) -> bool:
        """See `Cursor.done`."""
        return bool(self.text) and self._chosen(self.text).done

    def admits(self, piece: str) -> bool:
        """See `Cursor.admits`."""
        if not self.text and piece.isspace():
            return False
        return self._chosen(self.text or piece).admits(piece)

    def advance(self, piece: str) -> None:
        """See `Cursor.advance`."""
        self.text += piece
        self._chosen(self.text).advance(piece)

    def fork(self) -> OpeningCursor:
        """See `Cursor.fork`."""
        return OpeningCursor(self.call.fork(), self.sentence.fork(), self.text)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:  # noqa: ARG002
        """See `Cursor.bonus`."""
        return None

    def suggestions(self) -> Sequence[str]:
        """See `Cursor.suggestions`."""
        return self.call.suggestions() if self.text.startswith("{") else ()

    def _chosen(self, text: str) -> JsonCursor | SentenceCursor:
        return self.call if text.startswith("{") else self.sentence
