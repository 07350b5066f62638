"""One short text within a hard limit, ended at a natural place: headlines, advert fields, subject lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.values import Language
from castalia.modalities.text.decode import UNFINISHED
from castalia.modalities.text.forms.facts import FactSheet

Count = Callable[[str], int]
"""How a platform counts a text."""

_NOISE = re.compile(r"[\n\r\t#*_`|<>\[\]{}\\~=\"“”「」『』]|https?:|www\.")
_HAN = re.compile(r"[\u3400-\u9fff]")
_DANGLING = frozenset(
    "a an the and or but nor so of in on at to for from by with without into onto over under about as is are was were "
    "be been being am has have had do does did will would can could shall should may might must if when while than "
    "that which who whose this these those your our their his her its my every each no not very more most one "
    "where how why what whether because until since unless after before between during via per it's you're we're "
    "i we they he she it you amp let lets make get find discover enjoy experience choose".split()
)
_HAN_DANGLING = tuple("的地得和与及或在从对把被为是有让使将向给以而且但并就都也还更最很不这那其之")


@dataclass(frozen=True)
class LimitForm:
    """A `Form` of a single unit.

    Attributes:
        language: Of the text.
        limit: Most units of `count`.
        count: How the length is counted.
        facts: What may be stated; None leaves it free.
        forbidden: Words that must not appear.
        avoid: Texts that must not come again, not even nearly.
        favoured: Words whose appearance is rewarded when candidates are compared.
        marks: Whether the text ends with a full stop (a description) or without (a headline).
        width: Candidates side by side.
        fewest: Least words (English) or characters (Chinese).
    """

    language: Language
    limit: int
    count: Count = len
    facts: FactSheet | None = None
    forbidden: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    favoured: tuple[str, ...] = ()
    marks: bool = False
    exclaim: bool = False
    width: int = 5
    fewest: int = 2

    def unit(self, index: int, so_far: str) -> Line | None:  # noqa: ARG002
        """See `Form.unit`."""
        return Line(self) if index == 0 else None


@dataclass(frozen=True)
class Line:
    """The one text; a `Unit`."""

    form: LimitForm
    tries: int = 5
    opening: str = ""
    closing: str = ""
    optional: bool = False

    @property
    def width(self) -> int:
        """See `Unit.width`."""
        return self.form.width

    @property
    def max_tokens(self) -> int:
        """See `Unit.max_tokens`."""
        return self.form.limit + 8

    def cursor(self) -> LineCursor:
        """See `Unit.cursor`."""
        return LineCursor(self.form)

    def accepts(self, text: str) -> bool:
        """See `Unit.accepts`."""
        form, body = self.form, text.strip()
        if not _whole(body, form) or form.count(body) > form.limit:
            return False
        if any(_near(body, other) for other in form.avoid if other):
            return False
        return form.facts is None or form.facts.holds(body)

    def rank(self, text: str) -> float:
        """See `Unit.rank`; wanted words count, and so does using the room, a little."""
        plain = text.casefold()
        named = sum(word.casefold() in plain for word in self.form.favoured)
        return 0.6 * named + 0.5 * min(1.0, self.form.count(text) / self.form.limit)


class LineCursor:
    """A `Cursor` over the one text."""

    def __init__(self, form: LimitForm, text: str = "") -> None:
        self._form = form
        self._text = text

    @property
    def done(self) -> bool:
        """See `Cursor.done`."""
        return self._form.marks and re.search(r"[.!?。！？]$", self._text) is not None and not self._number_open()

    def admits(self, piece: str) -> bool:
        """See `Cursor.admits`."""
        form = self._form
        if piece == "":
            text = self._text.strip()
            return not form.marks and _whole(text, form) and (form.facts is None or form.facts.complete(text))
        if piece == UNFINISHED:
            return False
        whole = self._text + piece
        if _NOISE.search(piece) or form.count(whole.strip()) > form.limit or "  " in whole:
            return False
        if not whole.strip() or not self._punctuated(piece) or not self._in_language(piece):
            return False
        lowered = whole.casefold()
        if any(_contains(lowered, word) for word in form.forbidden):
            return False
        if not self._text.strip() and form.language == "en" and piece.strip()[0].islower():
            return False
        return form.facts is None or form.facts.admits(self._text, piece, start=not self._text.strip())

    def advance(self, piece: str) -> None:
        """See `Cursor.advance`."""
        self._text += piece

    def fork(self) -> LineCursor:
        """See `Cursor.fork`."""
        return LineCursor(self._form, self._text)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:  # noqa: ARG002
        """See `Cursor.bonus`; nothing is favoured token by token."""
        return None

    def suggestions(self) -> Sequence[str]:
        """See `Cursor.suggestions`."""
        return (".", "。", "!") if self._form.marks else ()

    def _punctuated(self, piece: str) -> bool:
        form = self._form
        if not form.exclaim and re.search(r"[!！]", piece):
            return False
        if form.marks:
            if re.search(r"[.!?。！？]", piece) and not self._number_open():
                return _whole(self._text.strip(), form, ended=False)
            return not piece.strip().startswith((";", "；"))
        return not re.search(r"[.。;；…]", piece) or (piece == "." and self._number_open())

    def _number_open(self) -> bool:
        """Whether the point at hand may belong to a number of the brief."""
        facts = self._form.facts
        number = re.search(r"\d+\.?$", self._text)
        return bool(facts and number and any(each.startswith(number[0].rstrip(".") + ".") for each in facts.numbers))

    def _in_language(self, piece: str) -> bool:
        if self._form.language == "en":
            return not _HAN.search(piece)
        letters = re.search(r"[A-Za-z]+$", self._text + piece)
        if not re.search(r"[A-Za-z]", piece) or letters is None:
            return not re.search(r"[A-Za-z]", piece)
        return self._form.facts is not None and letters[0].casefold() in self._form.facts.text.casefold()


def _whole(text: str, form: LimitForm, *, ended: bool = True) -> bool:
    """Whether the text may stand like this: long enough, not hanging, brackets closed."""
    if form.marks and ended and not re.search(r"[.!?。！？]$", text):
        return False
    bare = text.rstrip(".!?。！？ ")
    if bare.count("(") != bare.count(")") or bare.count("（") != bare.count("）"):
        return False
    if form.language == "zh":
        return len(_HAN.findall(bare)) >= form.fewest * 2 and not bare.endswith((*_HAN_DANGLING, "，", "、", "：", "-"))
    words = re.findall(r"[\w'’%$€£&-]+", bare)
    last = words[-1].casefold() if words else ""
    return len(words) >= form.fewest and last not in _DANGLING and bare[-1:] not in ",:;-–—&/("


def _contains(text: str, word: str) -> bool:
    plain = word.casefold()
    if _HAN.search(plain):
        return plain in text
    return re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", text) is not None


def _near(one: str, other: str) -> bool:
    """Whether two short texts share most of their words or begin alike."""
    first, second = ([*_HAN.findall(text)] or re.findall(r"\w+", text.casefold()) for text in (one, other))
    shared = len(set(first) & set(second)) / max(min(len(set(first)), len(set(second))), 1)
    return shared > 0.65 or (len(first) > 2 and first[:3] == second[:3])
