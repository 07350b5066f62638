"""Rules for words that are sung: all of them, in order, with their stress on strong beats, a breath after each line.

What is to be sung stands in the work's field `sung`, a text a line. The rules read the pronouncing dictionary and count
beats themselves and share nothing with what placed the words. A word of several pronunciations passes with one of them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple, cast

from castalia.core.language import say
from castalia.core.score import QUARTER, Note, Score
from castalia.core.values import Draft, Finding
from castalia.quality.music import place
from castalia.quality.verse_en import pronunciations, syllables

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


class SungWord(NamedTuple):
    """One word, and the notes that it is sung on."""

    text: str
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class SungRule:
    """Every line is sung whole, once and in order, each word in as many syllables as it has."""

    part: int = 0
    name: str = "sung"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for the whole text, and one for each word in another number of syllables."""
        lines, words = wanted_lines(draft), _words(draft, self.part)
        wanted, found = _letters(" ".join(lines)), _letters("".join(word.text for word in words))
        same = len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(wanted, found, strict=False))))
        ok = bool(wanted) and wanted == found
        findings = [
            Finding(
                rule=self.name,
                ok=ok,
                found=say("all words", "全部歌词") if ok else f"…{found[max(same - 10, 0) : same + 10]}…",
                wanted=say("the lyrics, in order", "歌词，依次")
                if ok
                else f"…{wanted[max(same - 10, 0) : same + 10]}…",
                hint=say("Give each syllable one note.", "请为每个音节配一个音。"),
            )
        ]
        for word in words:
            counts = syllables(word.text)
            if len(word.notes) not in counts and not _unknown(word.text):
                findings.append(
                    Finding(
                        rule=self.name,
                        ok=False,
                        place=word.text,
                        found=str(len(word.notes)),
                        wanted="/".join(map(str, sorted(counts))),
                        hint=say("Divide the word into its syllables.", "请按音节分配该词。"),
                    )
                )
        return findings


@dataclass(frozen=True)
class BareNotesRule:
    """Every note of the voice has a syllable, unless a slur carries one over it: at most so many in a row."""

    longest: int = 3
    part: int = 0
    name: str = "bare-notes"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score, notes = draft.content.score, _notes(draft, self.part)
        runs = [[*run] for bare, run in itertools.groupby(notes, key=lambda note: not note.lyric) if bare]
        wrong = next((run for run in runs if len(run) > self.longest or run[0] is notes[0]), None)
        return [
            Finding(
                rule=self.name,
                ok=bool(notes) and wrong is None,
                place=place(score, wrong[0].start, (self.part,)) if score and wrong else "",
                found=str(sum(map(len, runs))),
                wanted=say("a syllable for every note", "每个音都有歌词"),
                hint=say("Give the note a syllable.", "请为该音配上歌词。"),
            )
        ]


@dataclass(frozen=True)
class WordStressRule:
    """The stressed syllable of a longer word begins on a stronger beat than its unstressed neighbours.

    Counted are neighbours of the main stress that have no stress at all, in English words that the dictionary knows.

    Args:
        share: Least share of them in the whole work; a single line below it is noted.
    """

    share: float = 0.85
    part: int = 0
    name: str = "word-stress"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for the work, and one for each line below the share."""
        score = draft.content.score
        good = total = 0
        findings: list[Finding] = []
        for number, (text, words) in enumerate(sung_lines(draft, self.part), 1):
            pairs = [pair for word in words for pair in stress_pairs(score, word)] if score else []
            good, total = good + sum(pairs), total + len(pairs)
            if pairs and sum(pairs) < self.share * len(pairs):
                findings.append(
                    Finding(
                        rule=self.name,
                        ok=False,
                        place=say("line {n}", "第 {n} 行", n=number),
                        found=f"{sum(pairs)}/{len(pairs)}: {text}",
                        wanted=f"≥ {self.share:.0%}",
                        severity="note",
                    )
                )
        found = Finding(
            rule=self.name,
            ok=not total or good >= self.share * total,
            found=f"{good}/{total}",
            wanted=say(
                "≥ {share:.0%} stressed syllables on stronger beats", "重音在强拍 ≥ {share:.0%}", share=self.share
            ),
            hint=say("Move stressed syllables to strong beats.", "请把重读音节放在强拍上。"),
        )
        return [found, *findings]


@dataclass(frozen=True)
class UnbrokenWordRule:
    """No rest comes within a word."""

    part: int = 0
    name: str = "broken-word"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each broken word, or one that there is none."""
        score = draft.content.score
        broken = [
            Finding(
                rule=self.name,
                ok=False,
                place=place(score, word.notes[0].start, (self.part,)) if score else "",
                found=word.text,
                wanted=say("a word without rests", "词中无休止"),
                hint=say("Sing the word in one breath.", "请一口气唱完该词。"),
            )
            for word in _words(draft, self.part)
            if any(one.start + one.length < other.start for one, other in itertools.pairwise(word.notes))
        ]
        return broken or [Finding(rule=self.name, ok=True, found="0", wanted="0")]


@dataclass(frozen=True)
class BreathRule:
    """Each line ends with a note that is held, or a rest: there is time to breathe.

    From the last syllable's beginning to the next line there is a beat (in compound metres two thirds of one) or more,
    and no less than the middle of what the line's other syllables have, or two beats where that is more.
    """

    part: int = 0
    name: str = "breath"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each line."""
        score = draft.content.score
        lines = [words for _, words in sung_lines(draft, self.part) if words]
        findings: list[Finding] = []
        for number, words in enumerate(lines):
            starts = [note.start for word in words for note in word.notes]
            end = words[-1].notes[-1].start + words[-1].notes[-1].length
            after = lines[number + 1][0].notes[0].start if number + 1 < len(lines) else end
            room = max(after, end) - starts[-1]
            usual = median([b - a for a, b in itertools.pairwise(starts)] or [0])
            least = max(_beat(score), min(usual, 2 * _beat(score)))
            findings.append(
                Finding(
                    rule=self.name,
                    ok=room >= least,
                    place=say("line {n}", "第 {n} 行", n=number + 1),
                    found=say("{n:.3g} quarters", "{n:.3g} 个四分音符", n=room / QUARTER),
                    wanted=say("≥ {n:.3g} quarters", "≥ {n:.3g} 个四分音符", n=least / QUARTER),
                    hint=say("Hold the line's last syllable.", "请延长该行的末字。"),
                )
            )
        return findings


def wanted_lines(draft: Draft) -> list[str]:
    """The lines that are to be sung, as the work names them."""
    found = draft.content.fields.get("sung", ())
    return [str(line) for line in cast("Sequence[object]", found)]


def sung_lines(draft: Draft, part: int = 0) -> list[tuple[str, list[SungWord]]]:
    """Each line that is to be sung with the words that the voice sings for it."""
    words = iter(_words(draft, part))
    made: list[tuple[str, list[SungWord]]] = []
    for line in wanted_lines(draft):
        wanted, taken, found = len(_letters(line)), list[SungWord](), 0
        while found < wanted and (word := next(words, None)):
            taken.append(word)
            found += len(_letters(word.text))
        made.append((line, taken))
    return made


def stress_pairs(score: Score, word: SungWord) -> list[bool]:
    """For each unstressed neighbour of the word's main stress whether it begins on a weaker beat."""
    readings = [stresses for stresses in pronunciations(word.text) if len(stresses) == len(word.notes) > 1]
    if not readings:
        return []
    strengths = [beat_strength(score, note.start) for note in word.notes]
    each = [
        [
            strengths[at] > strengths[beside]
            for at in range(len(stresses))
            for beside in (at - 1, at + 1)
            if stresses[at] == "1" and 0 <= beside < len(stresses) and stresses[beside] == "0"
        ]
        for stresses in readings
    ]
    return max(each, key=lambda pairs: sum(pairs) / max(len(pairs), 1))


def beat_strength(score: Score, tick: int) -> int:
    """How strong a moment of the bar is: 5 the downbeat, 4 the middle of an even bar, 3 a beat, 2 its half, 1, 0."""
    metre = max((each for each in score.metres if each.start <= tick), key=lambda each: each.start)
    at = (tick - metre.start - (score.pickup if metre.start == 0 else 0)) % metre.bar
    if at == 0:
        return 5
    compound = metre.unit >= 8 and metre.beats % 3 == 0
    unit = QUARTER * 4 // metre.unit
    beat = unit * 3 if compound and metre.beats > 3 else unit
    if at * 2 == metre.bar and (metre.bar // beat) % 2 == 0:
        return 4
    if at % beat == 0:
        return 3
    half = unit if compound else beat // 2
    return 2 if at % half == 0 else 1 if at % (half // 2) == 0 else 0


def _beat(score: Score | None) -> int:
    if score is None:
        return QUARTER
    metre = score.metres[0]
    return QUARTER * 4 // metre.unit * (2 if metre.unit >= 8 and metre.beats % 3 == 0 else 1)


def _notes(draft: Draft, part: int) -> list[Note]:
    score = draft.content.score
    return sorted(score.parts[part].notes) if score and part < len(score.parts) else []


def _words(draft: Draft, part: int) -> list[SungWord]:
    """Words by the hyphens of their syllables; a note without one belongs to the syllable before it."""
    made: list[SungWord] = []
    text, notes = "", list[Note]()
    for note in _notes(draft, part):
        if not note.lyric:
            continue
        notes.append(note)
        goes_on = note.lyric.endswith("-") and len(note.lyric) > 1
        text += note.lyric[:-1] if goes_on else note.lyric
        if not goes_on:
            made.append(SungWord(text, tuple(notes)))
            text, notes = "", []
    return [*made, SungWord(text, tuple(notes))] if notes else made


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _unknown(text: str) -> bool:
    """Whether the dictionary does not say how many syllables a word has."""
    return not _HAN.search(text) and not pronunciations(text)
