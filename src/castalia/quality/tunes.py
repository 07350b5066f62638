"""Rules for a tune by itself: its compass, its phrase ends and its last note, its leaps, and that it does not drum.

`part` is the number of a part of the score, from 0. What such rules have in common with sopranos of chorales stands in
`melody.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from castalia.core.language import say
from castalia.core.score import QUARTER, Note
from castalia.core.values import Draft, Finding
from castalia.quality.melody import entropy, melody_in, no_melody
from castalia.quality.music import letter, pitch_name, place
from castalia.quality.tonality import thirds_of, tonic_of

PITCH_BITS = (2.52, 3.56)
"""Entropy of a tune's pitches, bits: 1st and 95th percentile of 2,765 dance tunes and airs."""
RHYTHM_BITS = (0.16, 2.07)
"""The same of its lengths; jigs of nothing but eighths are no fault."""


@dataclass(frozen=True)
class CompassRule:
    """Every note lies between two pitches, MIDI numbers, both within."""

    lowest: int
    highest: int
    part: int = 0
    name: str = "compass"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, at the first note outside."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        outside = next((note for note in notes if not self.lowest <= note.pitch <= self.highest), None)
        low, high = min(note.pitch for note in notes), max(note.pitch for note in notes)
        return [
            Finding(
                rule=self.name,
                ok=outside is None,
                place=place(score, outside.start) if outside else "",
                found=f"{pitch_name(low, score.fifths)}–{pitch_name(high, score.fifths)}",
                wanted=f"{pitch_name(self.lowest, score.fifths)}–{pitch_name(self.highest, score.fifths)}",
                hint=say("Bring the outermost notes in.", "请移动最高与最低的音。"),
            )
        ]


@dataclass(frozen=True)
class TonicEndRule:
    """The tune ends on the tonic, in whatever octave."""

    part: int = 0
    name: str = "last-note"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        last, tonic = notes[-1], tonic_of(score)
        return [
            Finding(
                rule=self.name,
                ok=last.pitch % 12 == tonic,
                place=place(score, last.start),
                found=pitch_name(last.pitch, score.fifths),
                wanted=letter(tonic, score.fifths),
                hint=say("End on the tonic.", "请结束于主音。"),
            )
        ]


@dataclass(frozen=True)
class RestingNoteRule:
    """Each phrase comes to rest: on a note of the tonic or the dominant chord that lasts a quarter or more.

    Args:
        ends: Ticks at which phrases end.
        shortest: Ticks of the least that such a note lasts.
    """

    ends: tuple[int, ...]
    shortest: int = QUARTER
    part: int = 0
    name: str = "resting-notes"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each phrase."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        tonic = tonic_of(score)
        steps = (0, *thirds_of(score), 7, 11, 10, 2)
        wanted = [(tonic + step) % 12 for step in steps]
        findings: list[Finding] = []
        for tick in self.ends:
            last = next((note for note in reversed(notes) if note.start < tick), notes[0])
            findings.append(
                Finding(
                    rule=self.name,
                    ok=last.pitch % 12 in wanted and last.length >= self.shortest,
                    place=place(score, last.start),
                    found=f"{pitch_name(last.pitch, score.fifths)}, {last.length / QUARTER:.3g}",
                    wanted=say(
                        "a note of the tonic or dominant chord, ≥ {n:.3g} quarters",
                        "主和弦或属和弦的音，≥ {n:.3g} 个四分音符",
                        n=self.shortest / QUARTER,
                    ),
                    hint=say("Let the phrase rest on another or a longer note.", "请让乐句停在另一个或更长的音上。"),
                )
            )
        return findings or [Finding(rule=self.name, ok=True, found=say("one phrase", "只有一个乐句"))]


@dataclass(frozen=True)
class MelodicLeapRule:
    """No leap of the tune is larger than an octave.

    Args:
        given: Starts of notes that the user gave, in ticks; leaps between two of them are theirs.
    """

    given: frozenset[int] = frozenset()
    largest: int = 12
    part: int = 0
    name: str = "melodic-leaps"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, at the largest leap."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        leaps = [
            (abs(after.pitch - before.pitch), after.start)
            for before, after in pairwise(notes)
            if not (before.start in self.given and after.start in self.given)
        ]
        most, tick = max(leaps, default=(0, 0))
        return [
            Finding(
                rule=self.name,
                ok=most <= self.largest,
                place=place(score, tick) if most > self.largest else "",
                found=say("at most {n} semitones", "最大 {n} 个半音", n=most),
                wanted=f"≤ {self.largest}",
                hint=say("Move by smaller steps.", "请用较小的音程。"),
            )
        ]


@dataclass(frozen=True)
class DrummingRule:
    """Something happens: no note is struck over and over, none fills most of the tune, and there is variety of pitch.

    Of real tunes 1 % have less variety of pitch; a short tune, where entropy is small by nature, is noted.

    Args:
        in_a_row: Most times that a note may be struck in a row.
        share: Largest share of one pitch among the notes.
        fewest: Notes below which a tune is short.
    """

    in_a_row: int = 6
    share: float = 0.5
    fewest: int = 40
    part: int = 0
    name: str = "tune-variety"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Findings on repetition, and on the entropy of pitches and lengths."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        run = max(len(list(same)) for _, same in groupby(notes, key=lambda note: note.pitch))
        most = Counter(note.pitch for note in notes).most_common(1)[0][1] / len(notes)
        short = len(notes) < self.fewest
        repeated = Finding(
            rule=self.name,
            ok=run <= self.in_a_row and (most <= self.share or short),
            found=say(
                "{n} times in a row, {share:.0%} of all notes", "连续 {n} 次，占全部音的 {share:.0%}", n=run, share=most
            ),
            wanted=say("≤ {n} times, ≤ {share:.0%}", "≤ {n} 次，≤ {share:.0%}", n=self.in_a_row, share=self.share),
            hint=say("Use more different notes.", "请使用更多不同的音。"),
        )
        return [repeated, *self._entropies(notes, short=short)]

    def _entropies(self, notes: Sequence[Note], *, short: bool) -> list[Finding]:
        found: list[Finding] = []
        for what, value, (low, high), refuses in (
            (say("pitches", "音高"), entropy(note.pitch for note in notes), PITCH_BITS, not short),
            (say("rhythm", "节奏"), entropy(note.length for note in notes), RHYTHM_BITS, False),
        ):
            found.append(
                Finding(
                    rule=self.name,
                    ok=low <= value <= high,
                    found=say("{what}: {value:.2f} bits", "{what}：{value:.2f} 比特", what=what, value=value),
                    wanted=f"{low:.2f}–{high:.2f}",
                    hint=say("Use more different notes and lengths.", "请使用更多不同的音高与时值。")
                    if value < low
                    else say("Use fewer different notes and lengths.", "请减少不同的音高与时值。"),
                    severity="refuse" if refuses and value < low else "note",
                )
            )
        return found


@dataclass(frozen=True)
class VariationRule:
    """A variation can be recognised by what stands of its theme, and is not the theme again.

    Args:
        theme: Notes of the melody that is varied.
        strong: Starts, in ticks, of its notes by which it is recognised.
        least: Least share of them that keep place and pitch.
        change: Least share of all notes of the two that differ.
    """

    theme: tuple[Note, ...]
    strong: frozenset[int]
    least: float = 0.8
    change: float = 0.1
    part: int = 0
    name: str = "variation"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Findings on what was kept, and on what was changed."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        now = {(note.start, note.pitch) for note in notes}
        pillars = [note for note in self.theme if note.start in self.strong]
        kept = sum((note.start, note.pitch) in now for note in pillars) / max(len(pillars), 1)
        old, new = ({note[:3] for note in each} for each in (self.theme, notes))
        changed = len(old ^ new) / max(len(old | new), 1)
        return [
            Finding(
                rule=self.name,
                ok=kept >= self.least,
                found=say("{share:.0%} of the strong notes kept", "保留 {share:.0%} 的强拍音", share=kept),
                wanted=f"≥ {self.least:.0%}",
                hint=say("Keep more of the theme.", "请保留更多主题的音。"),
            ),
            Finding(
                rule=self.name,
                ok=changed >= self.change,
                found=say("{share:.0%} of the notes differ", "{share:.0%} 的音不同", share=changed),
                wanted=f"≥ {self.change:.0%}",
                hint=say("Change more of the theme, or choose `strong`.", "请更多地改变主题，或选用 strong。"),
            ),
        ]
