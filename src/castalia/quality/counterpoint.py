"""Rules for four voices: range, crossing, spacing, parallels, leaps. What is counted, and how, stands in `music.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from castalia.core.language import say
from castalia.core.score import Score
from castalia.core.values import Draft, Finding
from castalia.quality.music import (
    VOICES,
    Fault,
    FaultKind,
    bars,
    line,
    pitch_name,
    place,
    voice_leading,
    voice_name,
    voices_of,
)
from castalia.quality.tonality import tonic_of

RANGES = ((60, 81), (53, 76), (48, 69), (36, 64))
"""Lowest and highest MIDI number of soprano, alto, tenor and bass; of Bach's 305 chorales four leave them, by a step or
two."""
_SHOWN = 8
"""Most places that one rule names; the first ones."""


def no_voices(rule: str, draft: Draft) -> list[Finding]:
    """The finding of a rule for four voices on a work that lacks them."""
    score = draft.content.score
    return [
        Finding(
            rule=rule,
            ok=False,
            found=say("{n} voices", "{n} 个声部", n=len(voices_of(score))) if score else say("no score", "没有乐谱"),
            wanted=say("four voices", "四个声部"),
            hint=say("Write soprano, alto, tenor and bass.", "请写出女高音、女低音、男高音和男低音。"),
        )
    ]


def four_voices(draft: Draft) -> Score | None:
    """The draft's score, when it has four voices with notes."""
    score = draft.content.score
    if score is None:
        return None
    voices = voices_of(score)
    return score if len(voices) == VOICES and all(part.notes for part in voices) else None


@dataclass(frozen=True)
class RangeRule:
    """Each voice stays where singers can sing it."""

    ranges: tuple[tuple[int, int], ...] = RANGES
    name: str = "range"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each voice; outside its range, at the first note that is."""
        score = four_voices(draft)
        if score is None:
            return no_voices(self.name, draft)
        findings: list[Finding] = []
        for voice, (part, (low, high)) in enumerate(zip(voices_of(score), self.ranges, strict=False)):
            outside = [note for note in part.notes if not low <= note.pitch <= high]
            pitches = [note.pitch for note in part.notes]
            findings.append(
                Finding(
                    rule=self.name,
                    ok=not outside,
                    place=place(score, outside[0].start, (voice,)) if outside else voice_name(voice),
                    found=_span(score, min(pitches), max(pitches)),
                    wanted=_span(score, low, high),
                    hint=say(
                        "Move the voice by an octave here, or transpose the work.", "请将此处移动八度，或将全曲移调。"
                    ),
                )
            )
        return findings


@dataclass(frozen=True)
class CrossingRule:
    """Adjacent voices seldom cross.

    Args:
        per_bar: Most crossings in a bar, on average over the work; one is always allowed. Of Bach's chorales 99 % stay
            below 0.46.
    """

    per_bar: float = 0.5
    name: str = "crossing"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the whole work, then the places."""
        hint = say("Exchange the two notes.", "请交换这两个音。")
        return _rare(self.name, draft, ("crossing",), per_bar=self.per_bar, hint=hint)


@dataclass(frozen=True)
class SpacingRule:
    """Soprano and alto, alto and tenor are seldom more than an octave apart.

    Args:
        per_bar: Most such places in a bar, on average over the work; one is always allowed. Of Bach's chorales 99 %
            stay below 0.32.
    """

    per_bar: float = 0.33
    name: str = "spacing"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the whole work, then the places."""
        hint = say("Bring the two voices within an octave of each other.", "请使这两个声部相距不超过八度。")
        return _rare(self.name, draft, ("spacing",), per_bar=self.per_bar, hint=hint)


@dataclass(frozen=True)
class ParallelsRule:
    """No two voices move in parallel perfect fifths, octaves or unisons.

    Args:
        allowed: So many may stand, and are only noted. Of Bach's chorales 82 % have none, 94 % at most one.
    """

    allowed: int = 0
    name: str = "parallels"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the whole work, then the places."""
        hint = say(
            "Let one of the voices hold its note, or move it the other way.", "请让其中一个声部保持原音，或反向进行。"
        )
        return _rare(self.name, draft, ("parallel-fifths", "parallel-octaves"), allowed=self.allowed, hint=hint)


@dataclass(frozen=True)
class LeapRule:
    """Voices leap by no more than an octave, the bass a little further; leaps that are hard to sing are noted.

    Hard are the tritone, both sevenths, and in minor the augmented second between the sixth and the leading note.

    Args:
        bass: Furthest leap of the bass, semitones. Bach's goes beyond an octave once in 2,000 sixteenths, and
            further than this in 3 % of the chorales.
    """

    bass: int = 16
    name: str = "leaps"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the whole work, then the places."""
        score = four_voices(draft)
        if score is None:
            return no_voices(self.name, draft)
        far = [fault for fault in voice_leading(score) if fault.kind == "leap"]
        refused = [fault for fault in far if fault.size > (self.bass if fault.voices == (3,) else 12)]
        noted = [fault for fault in far if fault not in refused]
        return [
            Finding(
                rule=self.name,
                ok=not refused,
                found=str(len(refused)),
                wanted=say("no leap beyond an octave", "无超过八度的跳进"),
                hint=say("Move the note by an octave.", "请将此音移动八度。"),
            ),
            *_places(self.name, score, refused, "refuse", say("Move the note by an octave.", "请将此音移动八度。")),
            *_places(
                self.name,
                score,
                sorted([*noted, *_hard_leaps(score)], key=lambda fault: fault.tick),
                "note",
                say("Go there by step, or by a smaller leap.", "请改为级进或较小的跳进。"),
            ),
        ]


def describe(fault: Fault) -> str:
    """What a fault is, in words."""
    texts: dict[FaultKind, str] = {
        "parallel-fifths": say("parallel fifths", "平行五度"),
        "parallel-octaves": say("parallel unisons", "平行同度")
        if fault.size == 0
        else say("parallel octaves", "平行八度"),
        "crossing": say("voices cross by {n} semitones", "声部交叉 {n} 个半音", n=fault.size),
        "spacing": say("{n} semitones apart", "相距 {n} 个半音", n=fault.size),
        "leap": say("leap of {n} semitones", "跳进 {n} 个半音", n=fault.size),
    }
    return texts[fault.kind]


def _rare(
    rule: str,
    draft: Draft,
    kinds: tuple[FaultKind, ...],
    *,
    hint: str,
    per_bar: float = 0.0,
    allowed: int = 0,
) -> Sequence[Finding]:
    """Faults that are refused when there are too many, and noted else."""
    score = four_voices(draft)
    if score is None:
        return no_voices(rule, draft)
    faults = [fault for fault in voice_leading(score) if fault.kind in kinds]
    most = max(1, int(per_bar * bars(score))) if per_bar else allowed
    ok = len(faults) <= most
    total = Finding(rule=rule, ok=ok, found=str(len(faults)), wanted=f"≤ {most}", hint="" if ok else hint)
    return [total, *_places(rule, score, faults, "note" if ok else "refuse", hint)]


def _places(
    rule: str, score: Score, faults: Sequence[Fault], severity: Literal["refuse", "note"], hint: str
) -> list[Finding]:
    return [
        Finding(
            rule=rule,
            ok=False,
            severity=severity,
            place=place(score, fault.tick, fault.voices),
            found=describe(fault),
            wanted=say("none", "无"),
            hint=hint,
        )
        for fault in faults[:_SHOWN]
    ]


def _hard_leaps(score: Score) -> list[Fault]:
    tonic = tonic_of(score)
    found: list[Fault] = []
    for voice, part in enumerate(voices_of(score)):
        for before, after in pairwise(line(part)):
            size = abs(after.pitch - before.pitch)
            ends = {(before.pitch - tonic) % 12, (after.pitch - tonic) % 12}
            augmented = score.mode == "minor" and size == 3 and ends == {8, 11}
            touching = before.start + before.length == after.start
            if touching and (size in (6, 10, 11) or augmented):
                found.append(Fault("leap", after.start, (voice,), size))
    return found


def _span(score: Score, low: int, high: int) -> str:
    return f"{pitch_name(low, score.fifths)}–{pitch_name(high, score.fifths)}"
