"""Short texts, one a line, each within a hard limit and ended at a natural place: headlines, fields, subjects."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from castalia.core.values import Language
from castalia.modalities.text.decode import UNFINISHED
from castalia.modalities.text.forms.facts import FactSheet, plain_words
from castalia.modalities.text.forms.openings import echoes

Count = Callable[[str], int]
"""How a platform counts a text."""

_NOISE = re.compile(r"[\n\r\t•#*_`|<>\[\]{}\\~=\"“”「」『』]|https?:|www")
_HAN = re.compile(r"[\u3400-\u9fff]")
_STRAY = re.compile(r"(?:^|\s)['’](?:s|t|re|ll|ve|d|m)\b", re.IGNORECASE)
_FULL = 0.55
"""Share of the limit from which the end of a line is favoured."""
_URGE = 5.0
"""Most nats by which it is."""
_DANGLING = frozenset(
    "a an the and or but nor so of in on at to for from by with without into onto over under about as is are was were "
    "be been being am has have had do does did will would can could shall should may might must if when while than "
    "that which who whose this these those your our their his her its my every each no not very more most one "
    "where how why what whether because until since unless after before between during via per it's you're we're "
    "i we they he she it you even just also only such both all any some amp "
    "don doesn didn isn aren wasn weren won couldn wouldn shouldn hasn haven "
    "let lets make get find discover enjoy experience choose "
    "like including plus using near offering featuring providing".split()
)
_CUT = re.compile(r"^[^,]*,\s*\w+$|\b(?:a|an|the|your|our) [^\W\d_]+-[^\W\d_]+$", re.IGNORECASE)
"""Lines that stop too early: "Family hotel by the lake, open"; "Hotel Seeblick offers a family-friendly"."""
_HAN_DANGLING = tuple("的地得和与及或在从对把被为是有让使将向给以而且但并就都也还更最很不这那其之")
_TWICE = re.compile(r"(.{4,})[\s,;:.!?，；：。！？、]*\1[.!?。！？]?$")
"""A line that ends with the same words twice."""


@dataclass(frozen=True)
class LimitForm:
    """A `Form` whose units are lines.

    Attributes:
        language: Of the text.
        limit: Most units of `count` for each line.
        lines: How many lines.
        needed: Lines without which the draft is not complete; None needs all. Those beyond are left out where the
            model has nothing new to say.
        count: How the length is counted.
        facts: What may be stated; None leaves it free.
        forbidden: Words that must not appear.
        avoid: Texts that must not come again, not even nearly; the lines before are always among them.
        under: Lines above, which a line must not open with and stop.
        favoured: Words whose first appearance is rewarded when candidates are compared.
        marks: Whether a line ends with a full stop (a description) or without (a headline).
        exclaim: Whether an exclamation mark may stand in it.
        width: Candidates side by side.
        fewest: Least words (English) or characters (Chinese).
    """

    language: Language
    limit: int
    lines: int = 1
    needed: int | None = None
    count: Count = len
    facts: FactSheet | None = None
    forbidden: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    favoured: tuple[str, ...] = ()
    marks: bool = False
    exclaim: bool = False
    width: int = 4
    fewest: int = 2

    def unit(self, index: int, so_far: str) -> Line | None:
        """See `Form.unit`."""
        return Line(self, tuple(so_far.split("\n")), last=index == self.lines - 1) if index < self.lines else None


@dataclass(frozen=True)
class Line:
    """One text; a `Unit`."""

    form: LimitForm
    before: tuple[str, ...] = ()
    last: bool = True
    opening: str = ""
    closing: str = ""

    @property
    def optional(self) -> bool:
        """See `Unit.optional`."""
        return self.form.needed is not None and sum(map(bool, self.before)) >= self.form.needed

    @property
    def tries(self) -> int:
        """See `Unit.tries`."""
        return 2 if self.optional else 5

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
        return LineCursor(self.form, last=self.last)

    def accepts(self, text: str) -> bool:
        """See `Unit.accepts`."""
        form, body = self.form, text.strip()
        if not _whole(body, form) or form.count(body) > form.limit or (not self.last and not text.endswith("\n")):
            return False
        if any(_near(body, other) for other in (*form.avoid, *self.before) if other) or _TWICE.search(body):
            return False
        facts = form.facts
        return facts is None or (
            facts.complete(body.rstrip(".!?。！？")) and facts.holds(body) and not facts.invents(body)
        )

    def rank(self, text: str) -> float:
        """See `Unit.rank`: wanted words that are still missing, a beginning of its own, a little for using the room.

        What keeps to the words of the brief comes before what adds to them; a number given to another matter is last.
        """
        plain, before = text.casefold(), "\n".join(self.before).casefold()
        named = sum(word.casefold() in plain and word.casefold() not in before for word in self.form.favoured)
        facts = self.form.facts
        true = facts.support(text) - facts.strays(text) if facts else 0
        begins_alike = any(_first(text) == _first(other) for other in self.before if other)
        return 0.6 * named + 0.5 * min(1.0, self.form.count(text.strip()) / self.form.limit) - 0.6 * begins_alike + true


class LineCursor:
    """A `Cursor` over one text, which ends with a line break, the last one where the model ends."""

    def __init__(self, form: LimitForm, text: str = "", *, last: bool = True) -> None:
        self._form = form
        self._text = text
        self._last = last

    @property
    def done(self) -> bool:
        """See `Cursor.done`."""
        return self._text.endswith("\n")

    def admits(self, piece: str) -> bool:
        """See `Cursor.admits`."""
        form = self._form
        if piece == UNFINISHED:
            return False
        if piece == "" or piece.endswith("\n"):
            body = piece.rstrip("\n ")
            text = (self._text + body).strip()
            ends = self._last if piece == "" else not self._last
            return ends and (not body or self.admits(body)) and _whole(text, form) and self._said(text)
        whole = self._text + piece
        if _NOISE.search(piece) or form.count(whole.strip()) > form.limit or "  " in whole:
            return False
        if (
            not whole.strip()
            or (piece.isspace() and piece != " ")
            or not self._punctuated(piece)
            or not self._in_language(piece)
        ):
            return False
        if (banned := _any_of(form.forbidden)) and banned.search(whole[-60:]):
            return False
        if echoes(self._text, piece, form.under) or (
            not self._text.strip() and not _may_start(piece.strip(), form.language)
        ):
            return False
        if form.language == "en" and (_STRAY.search(whole) or re.search(r"[.!?] +[a-z]", whole)):
            return False
        return form.facts is None or form.facts.admits(self._text, piece, start=not self._text.strip())

    def advance(self, piece: str) -> None:
        """See `Cursor.advance`."""
        self._text += piece

    def fork(self) -> LineCursor:
        """See `Cursor.fork`."""
        return LineCursor(self._form, self._text, last=self._last)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """See `Cursor.bonus`: the fuller the line, the likelier its end, so that few run into the limit."""
        form = self._form
        used = form.count(self._text.strip()) / form.limit
        if used < _FULL or not any(piece == "" or piece.endswith("\n") for piece in pieces):
            return None
        push = _URGE * (used - _FULL) / (1 - _FULL)
        return np.asarray([push * (piece == "" or piece.endswith("\n")) for piece in pieces], np.float32)

    def suggestions(self) -> Sequence[str]:
        """See `Cursor.suggestions`."""
        ends = ("。", "。\n") if self._form.language == "zh" else (".", ".\n")
        return (*ends, "\n") if self._form.marks else ("\n",)

    def _said(self, text: str) -> bool:
        return self._form.facts is None or self._form.facts.complete(text)

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
    if _CUT.search(bare):
        return False
    words = re.findall(r"[\w'’%$€£&-]+", bare)
    last = words[-1].casefold() if words else ""
    end = last.rpartition("-")[2]
    half = "-" in last and len(end) < 3  # "family-fa"; "fa" alone is a word
    known = (
        not end.isalpha() or (end in plain_words() and not half) or (form.facts is not None and end in form.facts.words)
    )
    return len(words) >= form.fewest and known and last not in _DANGLING and bare[-1:] not in ",:;-–—&/("


def _may_start(piece: str, language: Language) -> bool:
    return (piece[0].isalnum() or piece[0] in "$€£¥“") and not (language == "en" and piece[0].islower())


@lru_cache(maxsize=64)
def _any_of(words: tuple[str, ...]) -> re.Pattern[str] | None:
    """A pattern that finds any of the words, Latin ones only whole."""
    each = [re.escape(w) if _HAN.search(w) else rf"(?<![\w#]){re.escape(w)}(?!\w)" for w in words if w]
    return re.compile("|".join(each), re.IGNORECASE) if each else None


def _near(one: str, other: str) -> bool:
    """Whether two short texts share most of their words (Chinese: pairs of characters)."""
    first, second = (_units(text) for text in (one, other))
    return len(first & second) / max(len(first | second), 1) > 0.6


def _first(text: str) -> str:
    return text.strip()[:2] if _HAN.search(text) else text.split(maxsplit=1)[0].casefold().rstrip(",")


def _units(text: str) -> set[str]:
    han = "".join(_HAN.findall(text))
    return {han[at : at + 2] for at in range(len(han) - 1)} or set(re.findall(r"\w+", text.casefold()))
