"""Rules for an accompaniment: its bass, its ranges, what it leaves to the melody, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from castalia.core.language import say
from castalia.core.score import QUARTER, Note, Part, Score
from castalia.core.values import Draft, Finding
from castalia.quality.chord_tones import sounds, standing
from castalia.quality.music import line, pitch_name, place
from castalia.quality.tonality import thirds_of, tonic_of

LOW = {"bass": 23, "chords": 33}
"""Lowest MIDI numbers that are played by kind of part: a bass of five strings, a chord's lowest note."""
HIGH = {"bass": 64, "chords": 88}
ABOVE = 0.15
"""Most of an accompaniment's time above the melody: what sounds above a tune is taken for the tune. A choice, not a
figure."""


@dataclass(frozen=True)
class BassRule:
    """Where a chord begins the lowest part sounds its root, the note behind its slash, or another note of it.

    Args:
        roots: Least share of chords that stand on their root or their slash.
    """

    roots: float = 0.6
    name: str = "bass"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each chord whose bass is foreign, and one for the share of roots."""
        score = draft.content.score
        if score is None:
            return [_missing(self.name)]
        low = [note for part in _players(score) for note in part.notes if part.kind in ("bass", "chords")]
        findings: list[Finding] = []
        counted = rooted = 0
        for start, end, symbol in standing(score):
            chord = sounds(symbol.name)
            if chord is None or not chord.tones:
                continue
            here = [note.pitch for note in low if note.start <= start < note.start + note.length]
            here = here or [note.pitch for note in low if start <= note.start < end]
            if not here:
                continue
            bass = min(here) % 12
            counted += 1
            rooted += bass in (chord.bass, chord.root)
            if bass not in chord.tones | {chord.bass}:
                findings.append(
                    Finding(
                        rule=self.name,
                        ok=False,
                        place=place(score, start),
                        found=pitch_name(min(here), score.fifths),
                        wanted=symbol.name,
                        hint=say("Begin the chord with a note of it in the bass.", "请让和弦以其和弦音为低音。"),
                    )
                )
        if counted:
            findings.append(
                Finding(
                    rule=self.name,
                    ok=rooted >= self.roots * counted,
                    found=say("{a} of {n} chords on their root", "{n} 个和弦中 {a} 个为原位", a=rooted, n=counted),
                    wanted=f"≥ {self.roots:.0%}",
                    hint=say("Put more roots in the bass.", "请在低音多用根音。"),
                )
            )
        return findings or [_missing(self.name)]


@dataclass(frozen=True)
class OverlapRule:
    """No part strikes a note that it still holds."""

    name: str = "overlap"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, at the first such note."""
        score = draft.content.score
        found = next(_held(score), None) if score else None
        return [
            Finding(
                rule=self.name,
                ok=score is not None and found is None,
                place=place(score, found[1].start) if score and found else "",
                found=f"{found[0].name}: {pitch_name(found[1].pitch)}" if found else "",
                wanted=say("each note ends before it is struck again", "同音再奏前须结束"),
                hint=say("Shorten the note before.", "请缩短前一个音。"),
            )
        ]


@dataclass(frozen=True)
class InstrumentRangeRule:
    """Basses and chords lie where their instruments play (see `LOW` and `HIGH`)."""

    name: str = "instrument-range"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each part."""
        score = draft.content.score
        if score is None:
            return [_missing(self.name)]
        findings: list[Finding] = []
        for part in _players(score):
            pitches = [note.pitch for note in part.notes]
            if part.kind not in LOW or not pitches:
                continue
            low, high = min(pitches), max(pitches)
            findings.append(
                Finding(
                    rule=self.name,
                    ok=LOW[part.kind] <= low and high <= HIGH[part.kind],
                    place=part.name,
                    found=f"{pitch_name(low, score.fifths)}–{pitch_name(high, score.fifths)}",
                    wanted=f"{pitch_name(LOW[part.kind])}–{pitch_name(HIGH[part.kind])}",
                    hint=say("Move the part by an octave.", "请移动一个八度。"),
                )
            )
        return findings


@dataclass(frozen=True)
class BelowMelodyRule:
    """The accompaniment leaves the melody free: it is seldom above it, and holds no semitone beside its long notes.

    A long note is a quarter or more. Where the melody itself lies below A3 the first is noted only.

    Args:
        part: Number of the melody's part.
    """

    part: int = 0
    name: str = "below-melody"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Findings on the register and on clashes."""
        score = draft.content.score
        if score is None or self.part >= len(score.parts):
            return [_missing(self.name)]
        melody = line(score.parts[self.part])
        others = [note for part in _players(score) if part.kind in LOW for note in part.notes]
        together = above = 0
        clash: Note | None = None
        for one in melody:
            for other in others:
                shared = min(one.start + one.length, other.start + other.length) - max(one.start, other.start)
                if shared <= 0:
                    continue
                together += shared
                above += shared * (other.pitch > one.pitch)
                if shared >= QUARTER and abs(other.pitch - one.pitch) == 1:
                    clash = clash or other
        share = above / together if together else 0.0
        deep = sum(note.pitch * note.length for note in melody) < 57 * sum(note.length for note in melody)
        return [
            Finding(
                rule=self.name,
                ok=share <= ABOVE,
                found=say("{share:.0%} above the melody", "{share:.0%} 高于旋律", share=share),
                wanted=f"≤ {ABOVE:.0%}",
                hint=say("Play the accompaniment lower, or the melody an octave up.", "请降低伴奏或将旋律升高八度。"),
                severity="note" if deep else "refuse",
            ),
            Finding(
                rule=self.name,
                ok=clash is None,
                place=place(score, clash.start) if clash else "",
                found=pitch_name(clash.pitch, score.fifths) if clash else "",
                wanted=say("no semitone beside a long note of the melody", "旋律长音旁无半音"),
                hint=say("Leave that note of the chord out.", "请略去和弦中的该音。"),
            ),
        ]


@dataclass(frozen=True)
class EndTogetherRule:
    """The accompaniment ends at once, on the tonic chord with its root lowest."""

    name: str = "ending"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Findings on when the parts end and on the last chord."""
        score = draft.content.score
        parts = [part for part in _players(score) if part.notes and part.kind != "drums"] if score else []
        if score is None or not parts:
            return [_missing(self.name)]
        ends = [max(note.start + note.length for note in part.notes) for part in parts]
        closing = [note for part in parts for note in part.notes if note.start + note.length == max(ends)]
        last = [note.pitch for note in closing]
        tonic = tonic_of(score)
        triad = {tonic, (tonic + 7) % 12, *((tonic + third) % 12 for third in thirds_of(score))}
        home = {pitch % 12 for pitch in last} <= triad and min(last) % 12 == tonic
        return [
            Finding(
                rule=self.name,
                ok=len(set(ends)) == 1,
                place=place(score, min(ends) - 1),
                found=say("{n} endings", "{n} 个结束处", n=len(set(ends))),
                wanted=say("all parts end together", "各声部同时结束"),
                hint=say("Hold the last chord in all parts.", "请各声部保持最后的和弦。"),
            ),
            Finding(
                rule=self.name,
                ok=home,
                place=place(score, max(note.start for note in closing)),
                found=" ".join(pitch_name(pitch, score.fifths) for pitch in sorted(last)),
                wanted=say("the tonic chord, its root lowest", "主和弦，根音在下"),
                hint=say("End on the tonic.", "请结束于主和弦。"),
            ),
        ]


def _players(score: Score) -> list[Part]:
    """The parts that accompany."""
    return [part for part in score.parts if part.kind in ("bass", "chords", "drums")]


def _held(score: Score) -> Iterator[tuple[Part, Note]]:
    for part in score.parts:
        by_pitch = sorted(part.notes, key=lambda note: (note.pitch, note.start))
        for before, after in pairwise(by_pitch):
            if before.pitch == after.pitch and after.start < before.start + before.length:
                yield part, after


def _missing(rule: str) -> Finding:
    return Finding(
        rule=rule, ok=False, found=say("no accompaniment", "没有伴奏"), wanted=say("players with notes", "有音符的伴奏")
    )
