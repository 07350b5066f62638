"""Regulated Chinese verse (近体诗): 绝句 and 律诗 of five or seven characters, tone by tone.

A text of this form begins with a line of imagery, two-character words that verse knows, chosen for the brief; the
poem follows, a line at a time, and draws on that imagery. Tone patterns, adhesion between couplets (粘对) and rhyme
follow from what has been written, so that the first line is free to be any of the four kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from castalia.modalities.text.forms.imagery import OPENING, ImageryUnit
from castalia.modalities.text.forms.line_zh import LineRules, VerseLineUnit
from castalia.modalities.text.forms.tones import LEVEL, System, tones
from castalia.modalities.text.forms.verse_counts import VerseCounts, verse_counts

Length = Literal[5, 7]

_KINDS = {
    "a": ("ZZPPZ", "PZPPZ"),
    "b": ("PPPZZ", "ZPPZZ"),
    "A": ("ZZZPP", "PZZPP"),
    "B": ("PPZZP", "PPPZP", "ZPPZP"),
}
"""Lines of five by kind (a and b end oblique, A and B level): places one and three are free, but never 孤平 (B with an
oblique first place needs a level third one), 三平尾 or 三仄尾."""

_PARALLEL = (3, 5)
"""Index of the lower lines of a 律诗's two parallel couplets."""


class RegulatedForm:
    """A `Form`: a line of imagery, then four or eight lines of five or seven characters.

    Args:
        lines: 4 (绝句) or 8 (律诗).
        length: Characters a line, 5 or 7.
        system: The rhyme book.
        about: The brief and its key words, whose characters draw their like.
        forbidden: Texts from which no run of four characters is taken.
        known: Whether a line is one of somebody's poem; such a line is written anew.
        width: Candidates a line.
    """

    def __init__(
        self,
        lines: Literal[4, 8],
        length: Length,
        *,
        system: System = "pingshui",
        about: str = "",
        forbidden: Sequence[str] = (),
        known: Callable[[str], bool] = lambda _: False,
        width: int = 6,
    ) -> None:
        self._lines = lines
        self._length = length
        self._system: System = system
        self._about = about
        self._forbidden = tuple(forbidden)
        self._known = known
        self._width = width

    def unit(self, index: int, so_far: str) -> ImageryUnit | VerseLineUnit | None:
        """See `Form.unit`; unit 0 is the imagery."""
        counts = verse_counts()
        if index == 0:
            return ImageryUnit(counts, self._about)
        if index > self._lines:
            return None
        imagery, *verse = (_han(line.removeprefix(OPENING)) for line in so_far.split("\n") if line)
        rules = self._rules(counts, verse, imagery)
        return VerseLineUnit(
            rules=rules,
            tries=3,
            width=self._width,
            closing="，\n" if index % 2 else "。" if index == self._lines else "。\n",
            known=self._known,
            forbidden=self._forbidden,
        )

    def _rules(self, counts: VerseCounts, verse: Sequence[str], imagery: str) -> LineRules:
        book = tones(self._system, frozenset(counts.vocabulary))
        at = len(verse)
        ends = {line[-1] for line in verse}
        groups = {book.rhymes[end] for end in ends if book.tones[end] == LEVEL}
        rhymes = book.rhyming(next(iter(groups))) if groups else frozenset(book.rhymes)
        parallel = self._lines == 8 and at in _PARALLEL
        return LineRules(
            counts=counts,
            tones=book,
            patterns=frozenset(self._patterns(at, [book.tones[line[-4]] for line in verse])),
            length=self._length,
            rhymes=rhymes,
            used=frozenset("".join(verse)),
            imagery=imagery,
            near=counts.near([imagery]),
            upper=verse[-1] if parallel else "",
        )

    def _patterns(self, at: int, heights: Sequence[str]) -> list[str]:
        """Tone patterns of line `at`, given the tones of the last but three characters of the lines before it."""
        if at == 0:
            kinds = "abAB"
        elif at % 2:  # 对: the opposite of the line above, and rhymed
            kinds = "A" if heights[-1] == LEVEL else "B"
        else:  # 粘: like the line above, and not rhymed
            kinds = "b" if heights[-1] == LEVEL else "a"
        tails = [(kind, tail) for kind in kinds for tail in _KINDS[kind]]
        if self._length == 5:
            return [tail for _, tail in tails]
        return [first + ("P" if kind in "aA" else "Z") + tail for kind, tail in tails for first in "PZ"]


def poem(text: str) -> str:
    """The poem without its line of imagery."""
    return "\n".join(line for line in text.split("\n")[1:] if line)


def _han(line: str) -> str:
    return "".join(letter for letter in line if "\u4e00" <= letter <= "\u9fff")
