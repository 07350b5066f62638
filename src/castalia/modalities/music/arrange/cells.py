"""Chords in time: stretches with one chord in one bar, and what the melody sings over each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from castalia.core.score import QUARTER, ChordSymbol, Note
from castalia.modalities.music.files.bars import Bar
from castalia.modalities.music.harmony.chords import Chord, chord_of


class Cell(NamedTuple):
    """A stretch with one chord, within a bar."""

    start: int
    end: int
    chord: Chord
    """One without tones where nothing is played."""
    bar: int
    """Number in the list of bars."""
    lowest: int
    """Lowest pitch that the melody sings meanwhile; 128 where it is silent."""
    long: frozenset[int]
    """Pitches that it holds for a quarter or more, or for half of the cell."""


def cells(chords: Sequence[ChordSymbol], bars: Sequence[Bar], length: int, melody: Sequence[Note]) -> list[Cell]:
    """The cells from the first chord to the end, in order."""
    starts = [chord.start for chord in chords]
    ends = [*starts[1:], length]
    made: list[Cell] = []
    for number, bar in enumerate(bars):
        for symbol, start, end in zip(chords, starts, ends, strict=True):
            begin, stop = max(start, bar.start), min(end, bar.end, length)
            if begin < stop:
                made.append(_cell(begin, stop, chord_of(symbol.name) or Chord(0, (), 0), number, melody))
    return made


def cell_at(made: Sequence[Cell], tick: int) -> Cell | None:
    """The cell that holds a tick."""
    return next((cell for cell in made if cell.start <= tick < cell.end), None)


def _cell(start: int, end: int, chord: Chord, bar: int, melody: Sequence[Note]) -> Cell:
    heard = [
        (note.pitch, min(note.start + note.length, end) - max(note.start, start))
        for note in melody
        if note.start < end and note.start + note.length > start
    ]
    long = frozenset(pitch for pitch, ticks in heard if ticks >= min(QUARTER, (end - start) // 2))
    return Cell(start, end, chord, bar, min((pitch for pitch, _ in heard), default=128), long)
