"""Rules for endings: what the last chord and the ends of phrases sound like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from castalia.core.language import say
from castalia.core.score import QUARTER, Score
from castalia.core.values import Draft, Finding
from castalia.quality.counterpoint import four_voices, no_voices
from castalia.quality.music import VOICES, Slice, line, place, slices, voices_of
from castalia.quality.tonality import thirds_of, tonic_of

_TRIADS = ({0, 4, 7}, {0, 3, 7})


@dataclass(frozen=True)
class CadenceRule:
    """The work ends on the tonic triad with its root in the bass; phrases end on a consonance.

    In minor and the modes with a minor third the last chord may have a major one. A last chord without its third or on
    the dominant (a half cadence), and a phrase that ends on a six-four or a dominant seventh, are noted.
    """

    name: str = "cadence"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for the end, and one for each phrase."""
        score = four_voices(draft)
        if score is None:
            return no_voices(self.name, draft)
        cut = slices(voices_of(score))
        return [self._end(score, cut), *(self._phrase(score, cut, tick) for tick in _inner_phrases(score))]

    def _end(self, score: Score, cut: Sequence[Slice]) -> Finding:
        last = cut[-1]
        fault, severity = _last_chord(score, last.pitches)
        return Finding(
            rule=self.name,
            ok=not fault,
            place=place(score, last.start),
            found=fault or say("tonic triad", "主三和弦"),
            wanted=say("the tonic triad, its root in the bass", "主三和弦，根音在低音"),
            hint=say("End with dominant and tonic in root position.", "请以原位的属和弦与主和弦收束。"),
            severity=severity,
        )

    def _phrase(self, score: Score, cut: Sequence[Slice], tick: int) -> Finding:
        held = _held(score, tick)
        # While the soprano holds its note the others may come to rest late, or move on early.
        sounds = [_sonority(here.pitches) for here in cut if here.start < tick and here.end > max(held, tick - QUARTER)]
        kinds = [kind for kind in ("triad", "six-four", "seventh", "silence") if kind in sounds]
        kind = kinds[0] if kinds else "dissonance"
        names = {
            "triad": say("consonant", "协和"),
            "six-four": say("six-four chord", "四六和弦"),
            "seventh": say("dominant seventh", "属七和弦"),
            "silence": say("silence", "无声"),
            "dissonance": say("dissonant", "不协和"),
        }
        return Finding(
            rule=self.name,
            ok=kind == "triad",
            place=place(score, held),
            found=names[kind],
            wanted=say("a triad at the end of the phrase", "乐句结束于三和弦"),
            hint=say("Let the phrase come to rest on a triad.", "请让乐句落在三和弦上。"),
            severity="note" if kind in ("six-four", "seventh") else "refuse",
        )


@dataclass(frozen=True)
class LeadingNoteRule:
    """At a cadence only one voice has the leading note; more are noted."""

    name: str = "leading-note"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each cadence at which it is doubled."""
        score = four_voices(draft)
        if score is None:
            return no_voices(self.name, draft)
        cut = slices(voices_of(score))
        leading = (tonic_of(score) - 1) % 12
        findings: list[Finding] = []
        for tick in (*_inner_phrases(score), score.length):
            begin = _held(score, tick) - QUARTER
            for here in cut:
                voices = [v for v, pitch in enumerate(here.pitches) if pitch and pitch % 12 == leading]
                if begin <= here.start < tick and len(voices) > 1:
                    findings.append(
                        Finding(
                            rule=self.name,
                            ok=False,
                            severity="note",
                            place=place(score, here.start, voices),
                            found=say("doubled leading note", "重复导音"),
                            wanted=say("one leading note", "导音不重复"),
                            hint=say("Give one of them another note of the chord.", "请将其中一个改为和弦内其他音。"),
                        )
                    )
                    break
        return findings or [Finding(rule=self.name, ok=True, wanted=say("one leading note", "导音不重复"))]


def _inner_phrases(score: Score) -> list[int]:
    return sorted({tick for tick in score.phrases if 0 < tick < score.length})


def _held(score: Score, tick: int) -> int:
    """Where the soprano's last note before a tick begins."""
    return max((note.start for note in line(voices_of(score)[0]) if note.start < tick), default=0)


def _last_chord(score: Score, pitches: Sequence[int]) -> tuple[str, Literal["refuse", "note"]]:
    """What is wrong with the last chord; empty when nothing is."""
    sounding = [pitch for pitch in pitches if pitch]
    if len(sounding) < VOICES:
        return say("{n} voices sound", "只有 {n} 个声部", n=len(sounding)), "refuse"
    steps = {(pitch - tonic_of(score)) % 12 for pitch in sounding}
    bass = (pitches[-1] - tonic_of(score)) % 12
    if any(steps <= {0, third, 7} for third in thirds_of(score)) and bass == 0:
        return ("", "refuse") if steps & set(thirds_of(score)) else (say("no third", "缺三音"), "note")
    if steps <= {7, 11, 2} and bass == 7:
        return say("half cadence", "半终止"), "note"
    return say("another chord", "其他和弦"), "refuse"


def _sonority(pitches: Sequence[int]) -> str:
    sounding = [pitch for pitch in pitches if pitch]
    if not sounding:
        return "silence"
    classes, bass = {pitch % 12 for pitch in sounding}, min(sounding) % 12
    roots = [root for root in range(12) for triad in _TRIADS if _above(classes, root) <= triad]
    if roots:
        return "six-four" if len(classes) > 2 and all((bass - root) % 12 == 7 for root in roots) else "triad"
    seventh = any({0, 4, 10} <= above <= {0, 4, 7, 10} for above in (_above(classes, root) for root in range(12)))
    return "seventh" if seventh else "dissonance"


def _above(classes: set[int], root: int) -> set[int]:
    return {(pitch - root) % 12 for pitch in classes}
