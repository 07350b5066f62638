"""What happens in a score, moment by moment: who sounds, who moves, and which old rules of four-voice writing break.

Works on `Score` alone. The faults are counted by one protocol, so that figures can be compared:

- The four voices are the first four parts of kind `voice`, as they stand from high to low. A rest shorter than a
  sixteenth is a breath, not a rest. Time is cut into slices wherever a note begins or ends.
- *Parallel fifths, parallel octaves*: two voices, each pair of the four, both come to a new pitch in the same moment,
  in the same direction, and stand a perfect fifth (octave, unison, either plus octaves) apart before and after.
  Repeated notes, motion across a rest and contrary motion (fifth to twelfth, a usage of cadences) do not count.
- *Crossing*: the lower of two adjacent voices goes above the upper one; *spacing*: soprano and alto, or alto and tenor,
  come to stand more than an octave apart. Each counts once, where it begins, however long it lasts.
- *Leap*: a voice moves by more than an octave to a note that follows without a rest.

Faults in 64 sixteenths of Bach's own chorales (canonical split of JSB, sixteenth grid; 229 and 76 pieces, and what an
unstated protocol found in the 77 of the test split):

    faults             train   validation   test, reported
    parallel-fifths    0.037   0.042        0.061
    parallel-octaves   0.034   0.021        0.020
    crossing           0.344   0.379        0.342
    spacing            0.192   0.177        0.217
    leap               0.034   0.028        0.027
    no parallels in    82 %    83 %         79 %   of pieces

Of the protocols that were tried this one comes nearest as a whole. The reported rates stand for 18 fifths and 6
octaves, where the rates of train would lead one to expect 11 and 10: at the edge of chance. Counted in all directions
of motion there are 0.086 fifths and 0.053 octaves on train; from beat to beat, passing over what lies between, 0.183
and 0.116; from eighth to eighth 0.048 and 0.030. Crossings counted in every sixteenth that they last are 1.52, in every
new sonority 0.65, on beats 0.34 (validation 0.43); spacing likewise 0.85, 0.37 and 0.20 (0.17).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, pairwise
from typing import Literal, NamedTuple, get_args

from castalia.core.language import say
from castalia.core.score import QUARTER, Metre, Note, Part, Score

SIXTEENTH = QUARTER // 4
VOICES = 4

FaultKind = Literal["parallel-fifths", "parallel-octaves", "crossing", "spacing", "leap"]

_PERFECT: dict[int, FaultKind] = {7: "parallel-fifths", 0: "parallel-octaves"}


class Fault(NamedTuple):
    """One break of a rule of voice leading."""

    kind: FaultKind
    tick: int
    """Where it begins: of parallels the second of the two sonorities, of a leap the note that is leapt to."""
    voices: tuple[int, ...]
    """One or two of 0 soprano, 1 alto, 2 tenor, 3 bass."""
    size: int
    """Semitones: of the second interval, or of the leap."""


class Slice(NamedTuple):
    """A stretch of time in which no note begins or ends."""

    start: int
    end: int
    pitches: tuple[int, ...]
    """MIDI numbers, a voice each; 0 is a rest."""


def voices_of(score: Score) -> tuple[Part, ...]:
    """The first four parts of kind `voice`; fewer when the score has fewer."""
    return tuple(part for part in score.parts if part.kind == "voice")[:VOICES]


def line(part: Part) -> list[Note]:
    """A part as one voice: the highest note of each moment, cut where the next begins, breaths filled."""
    top = {note.start: note for note in sorted(part.notes, key=lambda note: (note.start, note.pitch))}
    notes = list(top.values())
    ends = [
        after.start if after.start - (note.start + note.length) < SIXTEENTH else note.start + note.length
        for note, after in pairwise(notes)
    ] + [note.start + note.length for note in notes[-1:]]
    return [note._replace(length=end - note.start) for note, end in zip(notes, ends, strict=True)]


def slices(parts: Sequence[Part]) -> list[Slice]:
    """What sounds in each stretch of time, from the first note to the last end; stretches of silence are kept."""
    lines = [line(part) for part in parts]
    edges = sorted({edge for notes in lines for note in notes for edge in (note.start, note.start + note.length)})
    made: list[Slice] = []
    places = [0] * len(lines)
    for start, end in pairwise(edges):
        pitches: list[int] = []
        for voice, notes in enumerate(lines):
            while places[voice] < len(notes) and notes[places[voice]].start + notes[places[voice]].length <= start:
                places[voice] += 1
            here = notes[places[voice]] if places[voice] < len(notes) else None
            pitches.append(here.pitch if here and here.start <= start else 0)
        made.append(Slice(start, end, tuple(pitches)))
    return made


def voice_leading(score: Score) -> tuple[Fault, ...]:
    """Every fault of the voices, by time; the protocol stands at the top of this file."""
    cut = slices(voices_of(score))
    found = [*_standing(cut), *_moving(cut)]
    return tuple(sorted(found, key=lambda fault: (fault.tick, fault.voices, fault.kind)))


def fault_rates(scores: Iterable[Score]) -> dict[FaultKind, float]:
    """Faults in 64 sixteenths, by kind, of all scores together."""
    counts: Counter[FaultKind] = Counter()
    ticks = 0
    for score in scores:
        counts.update(fault.kind for fault in voice_leading(score))
        ticks += score.length
    return {kind: counts[kind] * 64 * SIXTEENTH / max(ticks, 1) for kind in get_args(FaultKind)}


def bars(score: Score) -> int:
    """How many bars it has; a pickup is none, and a last bar that is not full is one."""
    return max(0, _bar_and_beat(score, max(score.length - 1, 0))[0]) if score.length else 0


def bar_of(score: Score, tick: int) -> int:
    """Number of the bar, from 1; 0 is the pickup."""
    return int(_bar_and_beat(score, tick)[0])


def place(score: Score, tick: int, voices: Sequence[int] = ()) -> str:
    """Where that is, as musicians say it: `bar 5, beat 2, alto/tenor`; a pickup is bar 0."""
    bar, beat = _bar_and_beat(score, tick)
    names = "/".join(voice_name(voice) for voice in voices)
    at = say("bar {bar}, beat {beat}", "第 {bar} 小节第 {beat} 拍", bar=bar, beat=f"{beat:.4g}")
    return f"{at}{say(', ', '，')}{names}" if names else at


def voice_name(voice: int) -> str:
    """Soprano, alto, tenor or bass, from 0."""
    names = (say("soprano", "女高音"), say("alto", "女低音"), say("tenor", "男高音"), say("bass", "男低音"))
    return names[voice] if voice < VOICES else str(voice + 1)


def pitch_name(pitch: int, fifths: int = 0) -> str:
    """`C4` for middle C."""
    return f"{letter(pitch, fifths)}{pitch // 12 - 1}"


def letter(pitch: int, fifths: int = 0) -> str:
    """A pitch class; black keys with flats in the flat keys, else with sharps."""
    letters = "C D♭ D E♭ E F G♭ G A♭ A B♭ B" if fifths < 0 else "C C♯ D D♯ E F F♯ G G♯ A A♯ B"
    return letters.split()[pitch % 12]


def _standing(cut: Sequence[Slice]) -> Iterator[Fault]:
    """Crossings and wide spacing, where they begin."""
    before: set[tuple[str, int]] = set()
    for here in cut:
        now: set[tuple[str, int]] = set()
        for upper, (high, low) in enumerate(pairwise(here.pitches)):
            if not (high and low):
                continue
            kind: FaultKind | None = (
                "crossing" if high < low else "spacing" if upper < VOICES - 2 and high - low > 12 else None
            )
            if kind:
                now.add((kind, upper))
                if (kind, upper) not in before:
                    yield Fault(kind, here.start, (upper, upper + 1), abs(high - low))
        before = now


def _moving(cut: Sequence[Slice]) -> Iterator[Fault]:
    """Parallels and leaps."""
    for before, here in pairwise(cut):
        moved = [
            (voice, was, now)
            for voice, (was, now) in enumerate(zip(before.pitches, here.pitches, strict=True))
            if was and now and was != now
        ]
        for voice, was, now in moved:
            if abs(now - was) > 12:
                yield Fault("leap", here.start, (voice,), abs(now - was))
        for (one, was_high, high), (two, was_low, low) in combinations(moved, 2):
            first, second = abs(was_high - was_low) % 12, abs(high - low) % 12
            same_direction = (high - was_high) * (low - was_low) > 0
            if first == second and first in _PERFECT and same_direction:
                yield Fault(_PERFECT[first], here.start, (one, two), abs(high - low))


def _bar_and_beat(score: Score, tick: int) -> tuple[int, float]:
    """Bar from 1 (0 is the pickup) and beat from 1, with its fraction."""
    bar, here, left_out = 1, Metre(0, 4, 4), 0
    for metre in sorted(score.metres, key=lambda metre: metre.start):
        if metre.start > tick:
            break
        if metre.start > 0:
            # A bar that the new metre cuts short is one all the same.
            bar += -(-(metre.start - here.start + left_out) // max(here.bar, 1))
            left_out = 0
        elif 0 < score.pickup < metre.bar:
            bar, left_out = 0, metre.bar - score.pickup
        here = metre
    passed = max(0, tick - here.start) + left_out
    length = max(here.bar, 1)
    return bar + passed // length, 1 + passed % length / max(QUARTER * 4 // max(here.unit, 1), 1)
