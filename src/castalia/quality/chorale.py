"""The judge of four voices: what a theory teacher marks, read from the finished score alone.

Faults are counted between successive *slices*: the moments at which any voice begins or ends a note. Parallels: two
voices both move the same way, and stand a unison, octave or fifth apart (or that and octaves) before and after;
a note that is only struck again moves nothing. (Piston, "Harmony", chapters 2 to 4.)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.ports import Kept, Rule
from castalia.core.score import QUARTER, Note, Score
from castalia.core.values import Draft, Finding

RANGES = ((60, 81), (53, 76), (48, 69), (36, 64))
"""Lowest and highest pitch of soprano, alto, tenor and bass."""
LEAST_PITCHES = 2.0
"""Bits: entropy of the soprano's notes; 1 % of windows of eight bars of Bach's chorales lie below 2.05."""
MOVEMENT = (0.09, 0.55)
"""Share of sixteenths at which any voice moves; the middle 98 % of Bach's eight bars: .094 to .512."""
_VOICES = 4
_OCTAVE = 12
_PERFECT = {0: ("octaves", "八度"), 7: ("fifths", "五度")}
_FIFTHS = (0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5)
_PROFILES = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}
"""How well each degree fits a key (Krumhansl, "Cognitive Foundations of Musical Pitch", 1990, table 2.1)."""


@dataclass(frozen=True)
class Slice:
    """What sounds between two moments: a pitch of each voice, 0 for a rest."""

    start: int
    pitches: tuple[int, ...]


@dataclass(frozen=True)
class Fault:
    """One fault: which rule, where, between which voices."""

    rule: str
    start: int
    """Ticks."""
    voices: tuple[int, ...]
    found: str


def slices(score: Score) -> list[Slice]:
    """The first four voices, cut wherever one of them begins or ends a note."""
    voices = [part.notes for part in score.parts if part.kind == "voice"][:_VOICES]
    edges = sorted({edge for notes in voices for note in notes for edge in (note.start, note.start + note.length)})
    places = [0] * len(voices)
    found: list[Slice] = []
    for start in edges[:-1]:
        sounding: list[int] = []
        for voice, notes in enumerate(voices):
            while places[voice] < len(notes) and notes[places[voice]].start + notes[places[voice]].length <= start:
                places[voice] += 1
            note = notes[places[voice]] if places[voice] < len(notes) else None
            sounding.append(note.pitch if note and note.start <= start else 0)
        found.append(Slice(start, tuple(sounding)))
    return found


def faults(score: Score) -> list[Fault]:
    """All faults of voice leading: `range`, `crossing`, `spacing`, `fifths`, `octaves`, `leap`."""
    found: list[Fault] = []
    cut = slices(score)
    before: Slice | None = None
    for now in cut:
        found += _standing(now, before)
        if before is not None:
            found += _moving(before, now)
        before = now
    return found


def key_of_score(score: Score) -> tuple[int, str, float]:
    """(fifths, `major` or `minor`, correlation) of the key that fits best.

    Krumhansl and Schmuckler: the durations of the pitch classes, correlated with each key's profile; the lowest pitch
    of the last chord counts as a tenth of the piece more.
    """
    notes = [note for part in score.parts if part.kind != "drums" for note in part.notes]
    held = [0.0] * 12
    for note in notes:
        held[note.pitch % 12] += note.length
    if notes:
        end = max(note.start + note.length for note in notes)
        last = min(note.pitch for note in notes if note.start + note.length == end)
        held[last % 12] += 0.1 * sum(held)
    best = (-2.0, 0, "major")
    for mode, profile in _PROFILES.items():
        for tonic in range(12):
            fit = _correlation(held, [profile[(name - tonic) % 12] for name in range(12)])
            best = max(best, (fit, tonic, mode))
    fit, tonic, mode = best
    fifths = _FIFTHS.index((tonic + (3 if mode == "minor" else 0)) % 12)
    return (fifths if fifths <= 6 else fifths - 12), mode, round(fit, 3)


# ---------------------------------------------------------------- rules


@dataclass(frozen=True)
class VoiceLeadingRule:
    """No fault of one kind, but for those between notes that were given."""

    kind: str
    most: float
    """Faults in 64 sixteenths up to which it is only noted."""
    kept: tuple[Kept, ...] = ()

    @property
    def name(self) -> str:
        """See `Rule.name`."""
        return self.kind

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        score = draft.content.score
        if score is None:
            return []
        mine = [each for each in faults(score) if each.rule == self.kind and not self._given(each)]
        allowed = self.most * score.length / (16 * QUARTER)
        severity = "refuse" if len(mine) > allowed else "note"
        if not mine:
            return [Finding(rule=self.kind, ok=True)]
        return [
            Finding(
                rule=self.kind,
                ok=False,
                place=place_of(score, each.start, each.voices),
                found=each.found,
                wanted=say("none", "无"),
                hint=say("Try another seed or more tries.", "请换种子或增加次数。"),
                severity=severity,
            )
            for each in mine[:5]
        ]

    def _given(self, fault: Fault) -> bool:
        return all(
            any(kept.part == voice and kept.start <= fault.start < kept.end for kept in self.kept)
            for voice in fault.voices
        )


@dataclass(frozen=True)
class CadenceRule:
    """The last chord is the tonic's, with its root in the bass."""

    tonic: int
    mode: str
    free: bool = False
    """Whether the end was given, so that another chord is only noted."""
    name: str = "cadence"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        score = draft.content.score
        cut = slices(score) if score else []
        if score is None or not cut:
            return []
        last = [pitch for pitch in cut[-1].pitches if pitch]
        thirds = (3, 4) if self.mode == "minor" else (4,)
        triad = {(self.tonic + step) % 12 for step in (0, *thirds, 7)}
        third = any((self.tonic + step) % 12 in {pitch % 12 for pitch in last} for step in thirds)
        ok = {pitch % 12 for pitch in last} <= triad and last[-1] % 12 == self.tonic and third
        return [
            Finding(
                rule=self.name,
                ok=ok,
                place=place_of(score, cut[-1].start, ()),
                found=" ".join(map(_spelled, last)),
                wanted=say("the tonic chord, root in the bass, with its third", "主和弦，根音在低音，含三音"),
                hint=say("Try another seed or more tries.", "请换种子或增加次数。"),
                severity="note" if self.free else "refuse",
            )
        ]


@dataclass(frozen=True)
class LengthRule:
    """The piece is as long as it was asked for: every voice sounds to the end and none beyond."""

    length: int
    """Ticks."""
    name: str = "bars"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        score = draft.content.score
        if score is None:
            return []
        ends = [max((note.start + note.length for note in part.notes), default=0) for part in score.parts]
        return [
            Finding(
                rule=self.name,
                ok=all(end == self.length for end in ends),
                found=", ".join(f"{end / QUARTER:g}" for end in ends),
                wanted=say("{n:g} quarters in every voice", "各声部 {n:g} 拍", n=self.length / QUARTER),
            )
        ]


@dataclass(frozen=True)
class KeptNotesRule:
    """What was given stands, note by note."""

    sketch: Score
    kept: tuple[Kept, ...]
    name: str = "given-notes"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        score = draft.content.score
        if score is None or not self.kept:
            return []
        findings: list[Finding] = []
        for kept in self.kept:
            given, found = (_within(each.parts[kept.part].notes, kept) for each in (self.sketch, score))
            if given != found:
                lost = next(iter([*(set(given) ^ set(found))]))
                findings.append(
                    Finding(
                        rule=self.name, ok=False, place=place_of(score, lost[0], (kept.part,)), found=_spelled(lost[1])
                    )
                )
        return findings or [Finding(rule=self.name, ok=True)]


@dataclass(frozen=True)
class VarietyRule:
    """The music moves, and the melody has notes enough: within what Bach's own chorales have."""

    name: str = "variety"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        score = draft.content.score
        if score is None or not score.parts[0].notes or score.length < 64 * QUARTER // 4:
            return []
        bits = entropy(_moves(score.parts[0].notes))
        moments = {note.start for part in score.parts for note in _moved(part.notes)}
        moving = len(moments) / (score.length / (QUARTER / 4))
        least = LEAST_PITCHES * min(1.0, math.sqrt(score.length / (128 * QUARTER / 4)))
        low, high = MOVEMENT
        return [
            Finding(
                rule=self.name,
                ok=bits >= least and low <= moving <= high,
                found=say(
                    "{b:.1f} bits of pitch, {m:.0%} of sixteenths move",
                    "音高 {b:.1f} 比特，{m:.0%} 的十六分音符有进行",
                    b=bits,
                    m=moving,
                ),
                wanted=say(
                    "{b:.1f} bits or more, {l:.0%} to {h:.0%}",
                    "不少于 {b:.1f} 比特，{l:.0%} 至 {h:.0%}",
                    b=least,
                    l=low,
                    h=high,
                ),
                hint=say("Try another seed or more tries.", "请换种子或增加次数。"),
            )
        ]


MOST: Mapping[str, float] = {"range": 0, "octaves": 0, "fifths": 0, "crossing": 0.35, "spacing": 0.3, "leap": 0.1}
"""Faults in 64 sixteenths that are let pass: none, or about as many as Bach's own chorales have."""


def chorale_rules(sketch: Score, kept: tuple[Kept, ...], *, length: int, tonic: int) -> tuple[Rule, ...]:
    """The rules of a chorale.

    Args:
        sketch: Key and given notes.
        kept: Which of them stand.
        length: Ticks of the whole.
        tonic: Pitch class of the key.
    """
    ends_given = any(each.part == 0 and each.end >= length and each.start == 0 for each in kept)
    return (
        *(VoiceLeadingRule(kind, most, kept) for kind, most in MOST.items()),
        CadenceRule(tonic, sketch.mode, free=ends_given),
        *(() if ends_given else (LengthRule(length), VarietyRule())),
        KeptNotesRule(sketch, kept),
    )


def place_of(score: Score, start: int, voices: Sequence[int]) -> str:
    """`bar 3, beat 2, alto/tenor` of a moment; the pickup is bar 0."""
    metre = max(
        (each for each in score.metres if each.start <= max(start - score.pickup, 0)), key=lambda each: each.start
    )
    into = start - score.pickup if score.pickup else start
    bar = into // metre.bar + 1 if into >= 0 else 0
    beat = (into % metre.bar if into >= 0 else start) * metre.unit // (4 * QUARTER) + 1
    names = "/".join(score.parts[voice].name for voice in voices if voice < len(score.parts))
    return say("bar {bar}, beat {beat}", "第 {bar} 小节第 {beat} 拍", bar=bar, beat=beat) + (
        f", {names}" if names else ""
    )


def entropy(values: Sequence[int]) -> float:
    """Of what comes how often, bits."""
    counts = Counter(values)
    return -sum(n / len(values) * math.log2(n / len(values)) for n in counts.values()) if values else 0.0


# ---------------------------------------------------------------- within


def _standing(now: Slice, before: Slice | None) -> list[Fault]:
    """Faults of a sonority, counted once as long as both voices stand."""
    found: list[Fault] = []
    old = before.pitches if before else (0,) * len(now.pitches)
    for voice, pitch in enumerate(now.pitches):
        low, high = RANGES[voice]
        if pitch and pitch != old[voice] and not low <= pitch <= high:
            found.append(Fault("range", now.start, (voice,), _spelled(pitch)))
        if voice == 0 or not pitch or not now.pitches[voice - 1]:
            continue
        above = now.pitches[voice - 1]
        if (above, pitch) == (old[voice - 1], old[voice]):
            continue
        pair = f"{_spelled(above)}–{_spelled(pitch)}"
        if pitch > above:
            found.append(Fault("crossing", now.start, (voice - 1, voice), pair))
        elif above - pitch > _OCTAVE and voice < _VOICES - 1:
            found.append(Fault("spacing", now.start, (voice - 1, voice), pair))
    return found


def _moving(before: Slice, now: Slice) -> list[Fault]:
    found: list[Fault] = []
    for voice, (was, pitch) in enumerate(zip(before.pitches, now.pitches, strict=True)):
        if not was or not pitch or was == pitch:
            continue
        if abs(pitch - was) > _OCTAVE:
            found.append(Fault("leap", now.start, (voice,), f"{_spelled(was)}→{_spelled(pitch)}"))
        for other in range(voice):
            old, new = before.pitches[other], now.pitches[other]
            if not old or not new or old == new:
                continue
            interval = abs(old - was) % _OCTAVE
            alike = (new - old) * (pitch - was) > 0
            if alike and interval in _PERFECT and interval == abs(new - pitch) % _OCTAVE:
                moved = f"{_spelled(old)}/{_spelled(was)}→{_spelled(new)}/{_spelled(pitch)}"
                found.append(Fault(_PERFECT[interval][0], now.start, (other, voice), moved))
    return found


def _within(notes: Sequence[Note], kept: Kept) -> list[tuple[int, int, int]]:
    return [(note.start, note.pitch, note.length) for note in notes if kept.start <= note.start < kept.end]


def _moved(notes: Sequence[Note]) -> list[Note]:
    return [note for at, note in enumerate(notes) if at == 0 or notes[at - 1].pitch != note.pitch]


def _moves(notes: Sequence[Note]) -> list[int]:
    return [note.pitch for note in _moved(notes)]


def _spelled(pitch: int) -> str:
    return ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")[pitch % 12] + str(pitch // 12 - 1)


def _correlation(first: Sequence[float], second: Sequence[float]) -> float:
    mean, other = sum(first) / len(first), sum(second) / len(second)
    spread = math.sqrt(sum((a - mean) ** 2 for a in first) * sum((b - other) ** 2 for b in second))
    return sum((a - mean) * (b - other) for a, b in zip(first, second, strict=True)) / spread if spread else 0.0
