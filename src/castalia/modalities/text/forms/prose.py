"""Prose under rules: sentence by sentence, to a length, with what must not be said turned down before it is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from castalia.core.values import Language
from castalia.modalities.text.decode import UNFINISHED
from castalia.modalities.text.forms.english import dictionary
from castalia.modalities.text.forms.facts import FactSheet, keys_of, numbers_of, plain_words
from castalia.modalities.text.forms.openings import echoes

_NOISE = re.compile(r"[#*_`@|<>\[\]{}\\~=\t]|https?:|www|[.!?][^\W\d]|[。！？].")
_SENTENCE_END = {"en": re.compile(r"[.!?][\"”’)]*$"), "zh": re.compile(r"[。！？][”’」』）]*$")}
_ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|st|no|vs|jr|sr|prof|gen|inc|ltd|co|corp|[a-z]|[ap]\.m|e\.g|i\.e)\.$", re.IGNORECASE
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_CHATTER = re.compile(
    r"\b(?:as an ai|in conclusion|this (?:article|post|email|story|poem|text)|word count|note that)\b"
    r"|以上(?:就)?是|本文|字数|这是一[则篇条]|(?:这|那)是(?:一个)?[^，。]{0,12}(?:报道|新闻|文章)|^如何[^，。]{1,20}[：:]",
    re.IGNORECASE,
)
_SLIP = re.compile(r"([将的了在是把被从对与])\1|[一二三四五六七八九十]月\d")
"""Chinese that nobody writes: a small word twice, a month in characters before a day in figures."""
_OPENER = re.compile(r"([\u4e00-\u9fff]{2,4})，|([A-Z][a-z]+),")
"""First, finally and their like, which one text says once."""
_SMALL = frozenset(
    "the and you your that this with from are was were they their will can has have our or of to in for on by as at be "
    "if is it we an no so not but".split()
)
"""Words that run into their neighbours when a space is lost."""
_PATIENCE = 3
"""Sentences that may fail before the text is left as it is."""


def length_of(text: str, language: Language) -> int:
    """Words of an English text, characters (without punctuation and spaces) of a Chinese one."""
    if language == "zh":
        return len(_HAN.findall(text)) + len(re.findall(r"[A-Za-z0-9]+", text))
    return len(text.split())


@dataclass(frozen=True)
class ProseForm:
    """A `Form` whose units are sentences.

    Attributes:
        language: Of the text.
        target: Wanted length: words (English) or characters (Chinese).
        tolerance: Share by which the length may miss the target.
        facts: What may be stated; None leaves statements free.
        forbidden: Words that must not appear, in any case.
        avoid: Texts whose sentences must not come again (of other steps).
        paragraphs: Whether line breaks may come between sentences.
        under: Title or headings above the text, which it must not open with and stop.
        favoured: Words whose first appearance is rewarded when candidates are compared.
        about: The one statement that the text is about, among others that the brief makes; empty: all of them.
        grounded: Least share of its content words that a sentence takes from the facts; 0 only prefers those that take
            more, None does not ask.
        width: Candidates for each sentence.
    """

    language: Language
    target: int
    tolerance: float = 0.1
    facts: FactSheet | None = None
    forbidden: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    paragraphs: bool = True
    under: tuple[str, ...] = ()
    favoured: tuple[str, ...] = ()
    about: str = ""
    grounded: float | None = None
    width: int = 2

    def unit(self, index: int, so_far: str) -> Sentence | None:
        """See `Form.unit`."""
        low, high = self.target * (1 - self.tolerance), self.target * (1 + self.tolerance)
        # A margin on both sides: others count hyphens, figures and punctuation differently.
        have = length_of(so_far, self.language)
        left = int(high * 0.985) - have
        shortest = 4 if self.language == "en" else 8
        skipped = index - len(_sentences(so_far))
        if have >= max(low * 1.02, self.target * (1 - self.tolerance * 0.4)) or left < shortest or skipped >= _PATIENCE:
            return None
        return Sentence(self, so_far, left, may_end=have >= low * 1.02)


@dataclass(frozen=True)
class Sentence:
    """One sentence; a `Unit`."""

    form: ProseForm
    so_far: str
    left: int
    """Words or characters that still fit."""
    may_end: bool
    """Whether the text is long enough to end before this sentence."""
    tries: int = 4
    opening: str = ""
    closing: str = ""
    optional: bool = True

    @property
    def width(self) -> int:
        """See `Unit.width`."""
        return self.form.width

    @property
    def max_tokens(self) -> int:
        """See `Unit.max_tokens`."""
        return min(self.left, self.longest) * 2 + 12

    @property
    def longest(self) -> int:
        """Words or characters of the longest sentence that still reads well."""
        return 38 if self.form.language == "en" else 70

    def cursor(self) -> SentenceCursor:
        """See `Unit.cursor`."""
        return SentenceCursor(self)

    def accepts(self, text: str) -> bool:
        """See `Unit.accepts`."""
        body = text.strip()
        if not body:
            return self.may_end
        language = self.form.language
        whole = _SENTENCE_END[language].search(body) is not None
        if (
            not whole
            or length_of(body, language) < (4 if language == "en" else 6)
            or _CHATTER.search(body)
            or _SLIP.search(body)
        ):
            return False
        if (opener := _opener(body)) and opener in map(_opener, _sentences(self.so_far)):
            return False
        most_alike = 0.3 if self.form.facts is None else 0.5  # facts come in the same words, tales need not
        if any(_alike(body, other) > most_alike for other in self._known()) or (
            language == "en" and self._runs_words_together(body)
        ):
            return False
        facts, least = self.form.facts, self.form.grounded or 0
        return facts is None or (
            facts.holds(body)
            and (least == 0 or (facts.support(body) >= least and not facts.ranks(body) and not facts.invents(body)))
        )

    def rank(self, text: str) -> float:
        """See `Unit.rank`.

        Full sentences come before stumps and wanted words first; what says the same again, gives a number to
        another matter, or was cut short by its room comes last.
        """
        length = length_of(text, self.form.language)
        full = min(1.0, length / (14 if self.form.language == "en" else 24))
        plain, before = text.casefold(), self.so_far.casefold()
        named = sum(word.casefold() in plain and word.casefold() not in before for word in self.form.favoured)
        again = _shared_runs(text, self._known())
        score = 0.5 * full + 0.6 * named - again - (1.5 if length >= self.left else 0.0)
        if (facts := self.form.facts) is not None:
            score -= facts.strays(text)
            if self.form.grounded is not None:
                score += facts.support(text)
        if about := self.form.about:
            keys, numbers = keys_of(about), numbers_of(about)
            missing = numbers - numbers_of(self.so_far)
            score += len(keys & keys_of(text)) / max(len(keys), 1)
            score += len(numbers_of(text) & missing) - len(numbers_of(text) - numbers)
        return score

    def _runs_words_together(self, text: str) -> bool:
        """Whether two common words lack the space between them, as in "you" + "start"."""
        known = self.form.facts.words if self.form.facts else frozenset[str]()
        return any(
            word not in dictionary() and word not in plain_words() and word not in known and _is_two_words(word)
            for word in re.findall(r"\b[a-z]{5,}\b", text)
        )

    def _known(self) -> list[str]:
        """The sentences before this one, of other steps too."""
        return [each for text in (*self.form.avoid, self.so_far) for each in _sentences(text)]


@dataclass
class SentenceCursor:
    """A `Cursor` inside one sentence."""

    unit: Sentence
    text: str = ""
    _forbidden: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._forbidden = tuple(word.casefold() for word in self.unit.form.forbidden if word)

    @property
    def done(self) -> bool:
        """See `Cursor.done`."""
        if not _SENTENCE_END[self.unit.form.language].search(self.text):
            return False
        if self.unit.form.language == "zh":
            return _open_marks(self.text) <= 0
        return not _ABBREVIATION.search(self.text) and not self._may_be_decimal() and _open_marks(self.text) <= 0

    def admits(self, piece: str) -> bool:
        """See `Cursor.admits`."""
        if piece == "":
            return not self.text.strip() and self.unit.may_end
        if piece == UNFINISHED:
            return self._may_be_unfinished()
        # White space belongs before a word; after one it would hide the sentence's end.
        if _NOISE.search(piece) or (piece.strip() and piece != piece.rstrip()):
            return False
        if not self.text.strip():
            return self._may_start(piece)
        return "\n" not in piece and self._in_language(piece) and self._fits(piece) and self._allowed(piece)

    def advance(self, piece: str) -> None:
        """See `Cursor.advance`."""
        self.text += piece

    def fork(self) -> SentenceCursor:
        """See `Cursor.fork`."""
        return SentenceCursor(self.unit, self.text)

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:  # noqa: ARG002
        """See `Cursor.bonus`; nothing is favoured."""
        return None

    def suggestions(self) -> Sequence[str]:
        """See `Cursor.suggestions`: the rest of what was begun, an end, a joint."""
        facts = self.unit.form.facts
        begun = facts.continuations(self.text) if facts else []
        joints = ("。", "，") if self.unit.form.language == "zh" else (".", ",", " and", " the", " to")
        return (*begun, *(ending[:1] for ending in begun), *joints)

    # ------------------------------------------------------------ within

    def _may_start(self, piece: str) -> bool:
        so_far, form = self.unit.so_far + self.text, self.unit.form
        if not piece.strip():
            breaks = form.paragraphs and so_far.strip() and not so_far.endswith("\n")
            return bool(breaks) and piece in ("\n", "\n\n")
        if form.language == "zh":
            return bool(_HAN.match(piece) or piece[0] in "“「") and self._in_language(piece) and self._allowed(piece)
        apart = not so_far or so_far[-1] in "\n "
        if piece.startswith(" ") == apart:
            return False
        bare = piece.strip()
        first = bare[0]
        return (
            (first.isupper() or first in '“"')
            and "\n" not in piece
            and self._in_language(piece)
            and self._allowed(piece)
        )

    def _may_be_unfinished(self) -> bool:
        """Whether a character of several tokens may begin: any in Chinese, in English only the letters of a fact."""
        if not self.text.strip() or self.text[-1].isdigit():
            return False
        facts = self.unit.form.facts
        return self.unit.form.language == "zh" or (facts is not None and not facts.text.isascii())

    def _in_language(self, piece: str) -> bool:
        form = self.unit.form
        if form.language == "en":
            return not _HAN.search(piece) and all(ord(letter) < 0x2100 or letter == "€" for letter in piece)
        if not re.search(r"[A-Za-z]", piece):
            return True
        known = form.facts.text if form.facts else ""
        trailing = re.search(r"[A-Za-z]+$", self.text + piece)
        return trailing is not None and trailing[0].casefold() in known.casefold()

    def _fits(self, piece: str) -> bool:
        room = min(self.unit.left, self.unit.longest)
        return length_of(self.text + piece, self.unit.form.language) <= room

    def _allowed(self, piece: str) -> bool:
        whole = (self.text[-40:] + piece).casefold()
        if any(_contains(whole, word) for word in self._forbidden):
            return False
        if not self.unit.so_far.strip() and echoes(self.text, piece, self.unit.form.under):
            return False
        facts = self.unit.form.facts
        return facts is None or facts.admits(self.text, piece, start=not self.text.strip())

    def _may_be_decimal(self) -> bool:
        facts = self.unit.form.facts
        number = re.search(r"\d+\.$", self.text)
        return bool(facts and number and any(each.startswith(number[0]) for each in facts.numbers))


def _contains(text: str, word: str) -> bool:
    if _HAN.search(word):
        return word in text
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _is_two_words(word: str) -> bool:
    halves = ((word[:cut], word[cut:]) for cut in range(2, len(word) - 1))
    return any(
        (first in _SMALL and second in dictionary()) or (second in _SMALL and first in dictionary())
        for first, second in halves
    )


def _open_marks(text: str) -> int:
    """Quotation marks and brackets that are still open."""
    straight = text.count('"') % 2
    return straight + sum(text.count(mark) for mark in "“「『（(") - sum(text.count(mark) for mark in "”」』）)")


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?。！？])\s*", text) if part.strip()]


def _opener(sentence: str) -> str:
    found = _OPENER.match(sentence)
    return found[0] if found else ""


def _alike(one: str, other: str) -> float:
    """Share of the shorter sentence's runs of three that the other has too."""
    grams = [_grams(one), _grams(other)]
    return len(grams[0] & grams[1]) / max(min(len(gram) for gram in grams), 1)


def _grams(sentence: str) -> set[tuple[str, ...]]:
    units = _HAN.findall(sentence) or re.findall(r"\w+", sentence.casefold())
    size = min(3, len(units))
    return {tuple(units[start : start + size]) for start in range(len(units) - size + 1)} if units else set()


def _shared_runs(text: str, others: Sequence[str]) -> float:
    """Share of the text's runs of four words (Chinese: six characters) that other sentences have too."""
    runs = _runs(text)
    return len(runs & {run for other in others for run in _runs(other)}) / max(len(runs), 1)


def _runs(text: str) -> set[tuple[str, ...]]:
    units, size = (_HAN.findall(text), 6) if _HAN.search(text) else (re.findall(r"\w+", text.casefold()), 4)
    return {tuple(units[at : at + size]) for at in range(len(units) - size + 1)}
