"""From a MIDI file's ticks to ours: what is written exactly stays, what was played is drawn to the grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

from castalia.core.score import QUARTER, Metre, Note

NEAR = 3
"""Ticks (a 16th of a quarter note) that a played note may lie off a sixteenth or triplet to be drawn to it."""
_COARSE = (0, 12, 16, 24, 32, 36, 48)
"""Sixteenths and triplets of a quarter note, ticks."""
_FINE = (6, 8, 18, 30, 40, 42)
"""Thirty-seconds and triplets of an eighth, ticks."""
_BREATH = 12
"""Ticks that a played note may be too short by and still last up to the next."""
_OVERLAP = 6
"""Ticks that played notes of one line may run into one another."""


@dataclass
class Played:
    """What one channel plays in one track."""

    channel: int
    program: int = 0
    name: str = ""
    notes: list[tuple[int, int, int, int]] = field(default_factory=list[tuple[int, int, int, int]])
    """(start, end, pitch, velocity), MIDI ticks."""
    lyrics: dict[int, str] = field(default_factory=dict[int, str])
    """Syllables by MIDI tick."""


class Grid:
    """How MIDI ticks of one file become ours.

    Attributes:
        division: MIDI ticks of a quarter note.
        exact: Whether every note begins and ends on one of our ticks.
    """

    def __init__(self, division: int) -> None:
        self.division = max(1, division)
        self.exact = True

    def judge(self, played: list[Played]) -> None:
        """Find out whether the file was written or played."""
        self.exact = all(
            start * QUARTER % self.division == 0 and end * QUARTER % self.division == 0
            for one in played
            for start, end, _, _ in one.notes
        )

    def snap(self, tick: int) -> int:
        """The place of a MIDI tick on our grid."""
        place = Fraction(tick * QUARTER, self.division)
        if not self.exact:
            beat, rest = divmod(place, QUARTER)
            nearest = min(_COARSE, key=lambda point: abs(point - rest))
            if abs(nearest - rest) > NEAR:
                nearest = min(_FINE, key=lambda point: abs(point - rest))
            return int(beat) * QUARTER + nearest
        return round(place)


def notes_of(one: Played, grid: Grid) -> list[Note]:
    """Notes on our grid, sorted by start and pitch; a line that was played legato is a line."""
    made: dict[tuple[int, int], Note] = {}
    sung = {grid.snap(time): lyric for time, lyric in one.lyrics.items()}
    for start, end, pitch, velocity in sorted(one.notes):
        begin = grid.snap(start)
        made[begin, pitch] = Note(begin, max(1, grid.snap(end) - begin), pitch, velocity)
    notes = sorted(made.values())
    if not grid.exact and not overlaps(notes, _OVERLAP):
        notes = [
            note._replace(length=_held(note, following)) if following else note
            for note, following in zip(notes, [*notes[1:], None], strict=True)
        ]
    for index in range(len(notes) - 1, -1, -1):  # the highest note of a chord carries the syllable
        if lyric := sung.pop(notes[index].start, ""):
            notes[index] = notes[index]._replace(lyric=lyric)
    return notes


def _held(note: Note, following: Note) -> int:
    """Ticks of a note of a line: up to the next one where it nearly is."""
    room = following.start - note.start
    return room if note.length > room - _BREATH else note.length


def overlaps(notes: list[Note], allowed: int = 0) -> bool:
    """Whether two notes sound together for more than the allowed ticks, or begin together."""
    return any(
        earlier.start == later.start or earlier.start + earlier.length > later.start + allowed
        for earlier, later in pairwise(notes)
    )


def metres_of(changes: list[tuple[int, Metre]], grid: Grid) -> tuple[tuple[Metre, ...], int]:
    """The metres, and the ticks of the pickup: a first metre that lasts one shorter bar is one."""
    made: list[Metre] = []
    for tick, found in changes:
        start = round(Fraction(tick * QUARTER, grid.division))
        beats, unit = found.beats, found.unit
        if unit == 1:
            beats, unit = beats * 2, 2
        if unit not in (2, 4, 8, 16, 32, 64) or not 1 <= beats <= 64 or (made and start <= made[-1].start):
            continue
        if not made or (beats, unit) != made[-1][1:]:
            made.append(Metre(start, beats, unit))
    made = made or [Metre(0, 4, 4)]
    pickup = 0
    if len(made) > 1 and made[0].bar == made[1].start and made[0].bar < made[1].bar:
        pickup = made[0].bar
        made = [made[1]._replace(start=0), *made[2:]]
    return tuple(metre if metre.unit <= 16 else Metre(metre.start, 4, 4) for metre in made), pickup
