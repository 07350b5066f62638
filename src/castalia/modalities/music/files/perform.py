"""How a score is played: phrases that swell, a little less time at their ends, hands that are not clocks.

Simple on purpose, and the same every time: chance comes from one fixed seed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import QUARTER, Note, Part, Score
from castalia.modalities.music.files.bars import bars

_SEED = 1722
_STEP = QUARTER // 4
"""Ticks over which the tempo stands."""
_SLOWING = 2 * QUARTER
"""Ticks before the end of a phrase."""
_PHRASE_TEMPO, _LAST_TEMPO = 0.93, 0.72
"""Share of the tempo that is left at the end of a phrase, and of the piece."""
_HELD = 0.35
"""Seconds that a fermata adds, at 90 quarter notes a minute."""
_UNEVEN = 0.004
"""Seconds, standard deviation of a note's beginning; drums half."""
_MOST_UNEVEN = 0.012
_SWELL = 16
"""Velocity between the edges of a phrase and its middle."""
_PHRASE_BARS = 4
"""Length of a phrase where the score marks none."""
_BREATH = 0.05
"""Seconds by which a note before a fermata's end or a repeated note is shortened, at most a fifth of it."""


class Sounding(NamedTuple):
    """A note in time."""

    start: float
    """Seconds from the beginning."""
    end: float
    pitch: int
    velocity: int
    """1–127."""
    part: int
    """Which of the score's parts."""


def perform(score: Score) -> list[Sounding]:
    """The notes as they are played, in order of time."""
    edges = _edges(score)
    clock = _Clock(score)
    chance = np.random.default_rng(_SEED)
    beats = {bar.start for bar in bars(score)}
    made: list[Sounding] = []
    leading = next((index for index, part in enumerate(score.parts) if part.kind != "drums"), -1)
    for index, part in enumerate(score.parts):
        drums = part.kind == "drums"
        uneven = chance.normal(0.0, _UNEVEN * (0.5 if drums else 1.0), len(part.notes))
        touch = chance.normal(0.0, 2.0, len(part.notes))
        again = {(note.start, note.pitch) for note in part.notes}
        for note, late, weight in zip(part.notes, uneven, touch, strict=True):
            start, end = clock.at(note.start), clock.at(note.start + note.length)
            if (note.start + note.length, note.pitch) in again or note.start + note.length in edges:
                end -= min(_BREATH, (end - start) / 5)
            shift = float(np.clip(late, -_MOST_UNEVEN, _MOST_UNEVEN))
            loud = note.velocity + weight + _balance(part, leading=index == leading)
            loud += 4 if note.start in beats else 0
            if not drums:
                loud += _arc(note, edges)
            begins = max(0.0, start + shift)
            made.append(Sounding(begins, max(begins + 0.02, end), note.pitch, int(np.clip(loud, 1, 127)), index))
    return sorted(made)


def _balance(part: Part, *, leading: bool) -> float:
    if leading:
        return 8.0
    return {"voice": -3.0, "melodic": 0.0, "chords": -12.0, "bass": -2.0, "drums": -8.0}[part.kind]


def _edges(score: Score) -> list[int]:
    """Ticks at which phrases begin and end, from 0 to the end."""
    inner = [tick for tick in score.phrases if 0 < tick < score.length]
    if not inner:
        inner = [bar.start for bar in bars(score) if bar.start and (bar.number - 1) % _PHRASE_BARS == 0]
    return sorted({0, *inner, max(1, score.length)})


def _arc(note: Note, edges: list[int]) -> float:
    """Velocity to add: a sine over the phrase, highest a little after its middle."""
    index = int(np.searchsorted(edges, note.start, side="right"))
    if not 0 < index < len(edges):
        return -_SWELL / 2
    first, last = edges[index - 1], edges[index]
    place = (note.start - first) / (last - first)
    return _SWELL * (float(np.sin(np.pi * place**1.15)) - 0.5)


class _Clock:
    """Seconds of ticks, the tempo's changes summed up."""

    def __init__(self, score: Score) -> None:
        count = score.length // _STEP + 2
        ticks = np.arange(count) * _STEP
        pace: NDArray[np.float64] = np.ones(count)
        for edge in (tick for tick in score.phrases if tick < score.length):
            _slow(pace, ticks, edge, _SLOWING, _PHRASE_TEMPO)
        if not score.cyclic:
            _slow(pace, ticks, score.length, min(2 * score.metres[-1].bar, score.length // 4), _LAST_TEMPO)
        seconds = _STEP / QUARTER * 60 / score.tempo / pace
        held = [tick for tick in score.phrases if tick <= score.length]
        for tick in held:
            seconds[max(0, min(count - 1, (tick - 1) // _STEP))] += _HELD * 90 / score.tempo
        self._ticks = np.append(ticks, count * _STEP)
        self._seconds = np.concatenate([[0.0], np.cumsum(seconds)])

    def at(self, tick: int) -> float:
        return float(np.interp(tick, self._ticks, self._seconds))


def _slow(pace: NDArray[np.float64], ticks: NDArray[np.int64], end: int, before: int, least: float) -> None:
    place = np.clip((ticks - (end - before)) / max(before, 1), 0.0, 1.0)
    near = (place > 0) & (ticks < end)
    pace[near] = np.minimum(pace[near], 1 - (1 - least) * place[near] ** 2)
