"""Rules for a melody: its key, its compass, how it ends, and that something happens in it.

`part` is the number of a part of the score, from 0; the first is the melody.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from castalia.core.language import say
from castalia.core.score import QUARTER, Note, Score
from castalia.core.values import Draft, Finding
from castalia.quality.music import letter, line, pitch_name, place, voice_name, voices_of
from castalia.quality.tonality import scale_of, thirds_of, tonic_of

PITCH_ENTROPY = ((2.269, 3.265), (2.377, 3.316), (2.543, 3.338), (3.069, 3.718))
"""Bits a note, 5th and 95th percentile in soprano, alto, tenor and bass of Bach's chorales (canonical split of JSB, 229
training pieces), by the protocol of `VarietyRule`."""
RHYTHM_ENTROPY = ((1.084, 2.354), (1.617, 2.503), (1.592, 2.528), (0.858, 1.785))
"""The same for the lengths of notes."""


def entropy(symbols: Iterable[Hashable]) -> float:
    """Shannon entropy of the symbols' shares, bits."""
    counts = Counter(symbols)
    total = counts.total()
    return -sum(count / total * math.log2(count / total) for count in counts.values()) + 0.0


def without_repeats(notes: Sequence[Note]) -> list[Note]:
    """A line in which a note that is struck again at once counts as one longer note."""
    made: list[Note] = []
    for note in notes:
        last = made[-1] if made else None
        if last and last.pitch == note.pitch and last.start + last.length == note.start:
            made[-1] = last._replace(length=last.length + note.length)
        else:
            made.append(note)
    return made


@dataclass(frozen=True)
class ScaleRule:
    """The melody is in the key that the score says.

    Of Bach's sopranos 2 % do not reach the default, in the key that `key_of` finds.

    Args:
        share: Least share of its notes, by length, that belong to the scale (in minor with raised sixth and seventh).
    """

    share: float = 0.85
    part: int = 0
    name: str = "melody-key"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        scale = scale_of(score)
        inside = sum(note.length for note in notes if note.pitch % 12 in scale) / sum(note.length for note in notes)
        strange = next((note for note in notes if note.pitch % 12 not in scale), None)
        return [
            Finding(
                rule=self.name,
                ok=inside >= self.share,
                place=place(score, strange.start) if strange else "",
                found=f"{inside:.0%}",
                wanted=say("≥ {share:.0%} notes of the scale", "调内音 ≥ {share:.0%}", share=self.share),
                hint=say("Use notes of the key, or state another key.", "请使用调内音，或改写调号。"),
            )
        ]


@dataclass(frozen=True)
class AmbitusRule:
    """The melody spans neither too little nor too much, in semitones."""

    smallest: int = 5
    largest: int = 16
    part: int = 0
    name: str = "melody-range"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        low, high = min(note.pitch for note in notes), max(note.pitch for note in notes)
        return [
            Finding(
                rule=self.name,
                ok=self.smallest <= high - low <= self.largest,
                found=f"{pitch_name(low, score.fifths)}–{pitch_name(high, score.fifths)} ({high - low})",
                wanted=say("{a}–{b} semitones", "{a}–{b} 个半音", a=self.smallest, b=self.largest),
                hint=say("Widen or narrow the melody.", "请扩大或缩小音域。"),
            )
        ]


@dataclass(frozen=True)
class MelodyEndRule:
    """The melody ends on a note of the tonic triad."""

    part: int = 0
    name: str = "melody-end"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        tonic, last = tonic_of(score), notes[-1]
        wanted = [tonic, *((tonic + third) % 12 for third in thirds_of(score)), (tonic + 7) % 12]
        return [
            Finding(
                rule=self.name,
                ok=last.pitch % 12 in wanted,
                place=place(score, last.start),
                found=pitch_name(last.pitch, score.fifths),
                wanted="/".join(letter(pitch, score.fifths) for pitch in wanted),
                hint=say("End on a note of the tonic chord.", "请结束于主和弦的音。"),
            )
        ]


@dataclass(frozen=True)
class PhraseEndRule:
    """Each phrase, and the work, ends on a note that is long enough to breathe after.

    Args:
        shortest: Ticks; besides, the note is no shorter than the melody's median note.
    """

    shortest: int = QUARTER
    part: int = 0
    name: str = "phrase-ends"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each phrase."""
        score, notes = melody_in(draft, self.part)
        if score is None or not notes:
            return no_melody(self.name)
        least = max(float(self.shortest), median(note.length for note in notes))
        ends = sorted({tick for tick in score.phrases if 0 < tick < score.length} | {score.length})
        findings: list[Finding] = []
        for tick in ends:
            last = next((note for note in reversed(notes) if note.start < tick), notes[0])
            findings.append(
                Finding(
                    rule=self.name,
                    ok=last.length >= least,
                    place=place(score, last.start),
                    found=_quarters(last.length),
                    wanted=f"≥ {_quarters(least)}",
                    hint=say("Hold the last note of the phrase.", "请延长乐句的最后一音。"),
                )
            )
        return findings


@dataclass(frozen=True)
class VarietyRule:
    """A voice has as much variety of pitch and rhythm as Bach's: a static amen is refused.

    The entropy (bits) of its pitches and of its notes' lengths, where a note that is struck again at once counts as one
    longer note, because the collection that the ranges were measured on does not tell the two apart. Below the 5th
    percentile of either it is refused, as one in ten of Bach's own chorales is; above the 95th it is noted. A short
    score, where entropy is small by nature, is noted either way.

    Args:
        voices: 0 soprano, 1 alto, 2 tenor, 3 bass. Leave out a voice that the user gave.
        fewest: A score is short when the voice has fewer notes than this, and lasts less than as many half notes.
    """

    voices: tuple[int, ...] = (0,)
    fewest: int = 16
    name: str = "variety"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Two findings for each voice."""
        score = draft.content.score
        parts = voices_of(score) if score else ()
        findings: list[Finding] = []
        for voice in self.voices:
            struck = line(parts[voice]) if voice < len(parts) else []
            if not struck:
                return no_melody(self.name)
            notes = without_repeats(struck)
            short = len(struck) < self.fewest and sum(note.length for note in struck) < self.fewest * 2 * QUARTER
            for what, value, (low, high) in (
                (say("pitches", "音高"), entropy(note.pitch for note in notes), PITCH_ENTROPY[voice]),
                (say("rhythm", "节奏"), entropy(note.length for note in notes), RHYTHM_ENTROPY[voice]),
            ):
                findings.append(
                    Finding(
                        rule=self.name,
                        ok=low <= value <= high,
                        place=voice_name(voice),
                        found=say("{what}: {value:.2f} bits", "{what}：{value:.2f} 比特", what=what, value=value),
                        wanted=f"{low:.2f}–{high:.2f}",
                        hint=say("Use more different notes and lengths.", "请使用更多不同的音高与时值。")
                        if value < low
                        else say("Use fewer different notes and lengths.", "请减少不同的音高与时值。"),
                        severity="note" if short or value > high else "refuse",
                    )
                )
        return findings


def melody_in(draft: Draft, part: int) -> tuple[Score | None, list[Note]]:
    """The score of a draft, and a part of it as one voice; empty where there is none."""
    score = draft.content.score
    return score, line(score.parts[part]) if score and part < len(score.parts) else []


def no_melody(rule: str) -> list[Finding]:
    """The finding of a rule that has no notes to judge."""
    return [
        Finding(
            rule=rule,
            ok=False,
            found=say("no notes", "没有音符"),
            wanted=say("a melody", "旋律"),
            hint=say("Write the melody into this part of the score.", "请在此声部写出旋律。"),
        )
    ]


def _quarters(ticks: float) -> str:
    return say("{n:.3g} quarters", "{n:.3g} 个四分音符", n=ticks / QUARTER)
