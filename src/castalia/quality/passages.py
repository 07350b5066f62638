"""Where a work resembles an index: bar by bar the longest run that stands there too, of chords or of a melody."""

from __future__ import annotations

from collections.abc import Collection
from itertools import groupby

from castalia.core.explained import Passage
from castalia.core.score import Score
from castalia.quality.copying import MusicIndex, SharedRun, shipped_music_index
from castalia.quality.music import bar_of
from castalia.quality.tune_copying import TuneIndex, shipped_tune_index

_BAR = 16
"""Sixteenths of a bar of four quarters."""


def passages(score: Score, index: MusicIndex | None = None, *, without: Collection[int] = ()) -> tuple[Passage, ...]:
    """Of each bar of the work the longest shared run that touches it, in any transposition and rhythm.

    Args:
        score: A score of four voices.
        index: None takes the shipped one, of 229 chorales of Bach's.
        without: Pieces that do not count, from 0.
    """
    found: dict[int, tuple[SharedRun, int, int]] = {}
    for run in (index or shipped_music_index()).runs(score, without=without):
        first, last = bar_of(score, run.tick), bar_of(score, run.last_tick)
        for bar in range(first, last + 1):
            if bar not in found or run.sonorities > found[bar][0].sonorities:
                found[bar] = run, first, last
    if not score.length:
        return ()
    return tuple(
        _passage(bar, *found[bar]) if bar in found else Passage(bar=bar)
        for bar in range(bar_of(score, 0), bar_of(score, score.length - 1) + 1)
    )


def tune_passages(score: Score, index: TuneIndex | None = None) -> tuple[Passage, ...]:
    """Of each bar whether the longest run of different notes touches it that a known tune holds, in any key and rhythm.

    Args:
        score: A score whose first part is the melody.
        index: None takes the shipped one.
    """
    notes = [(note.start, note.pitch) for note in score.parts[0].notes]
    run = (index or shipped_tune_index()).longest(notes)
    if not notes:
        return ()
    line = [next(same)[0] for _, same in groupby(notes, key=lambda note: note[1])]
    first, last = bar_of(score, run.tick), bar_of(score, line[run.last])
    return tuple(
        Passage(bar=bar, sonorities=run.notes, first_bar=first, last_bar=last, title=run.tune)
        if run.notes and first <= bar <= last
        else Passage(bar=bar)
        for bar in range(bar_of(score, 0), bar_of(score, score.length - 1) + 1)
    )


def _passage(bar: int, run: SharedRun, first: int, last: int) -> Passage:
    return Passage(
        bar=bar,
        sonorities=run.sonorities,
        first_bar=first,
        last_bar=last,
        piece=run.piece + 1,
        piece_first_bar=run.frame // _BAR + 1,
        piece_last_bar=run.last_frame // _BAR + 1,
    )
