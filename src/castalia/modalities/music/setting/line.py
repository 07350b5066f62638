"""One line of words on the grid: the cheapest places for its syllables, by dynamic programming.

Stress wants strength, a word's stressed syllable a stronger place than its neighbours, lengths what the metre likes,
and the last syllable room to be held. How stress and metre go together is described in Halle & Lerdahl, "A Generative
Textsetting Model" (1993); the costs are our own and were set on hymns and songs (benchmarks/bench_song.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from castalia.core.lyrics import Line
from castalia.modalities.music.setting.grid import Grid

_PLACED = (
    (0.4, 0.0, 0.3, 1.6, 2.0),
    (0.6, 0.1, 0.1, 0.4, 0.5),
    (2.5, 1.4, 0.6, 0.1, 0.0),
    (4.0, 2.2, 0.8, 0.1, 0.0),
)
"""Cost by stress (0 to 3) and strength of place (0 to 4)."""
_IN_WORD = 3.0
"""Of a stressed syllable no stronger than an unstressed neighbour in its word."""
_BETWEEN = 0.7
"""Of a word with a meaning in a weaker place than the grammatical or unstressed syllable beside it."""
_SYNCOPE = 0.9
"""For each level by which a place within a note is stronger than where the note began."""
_HURRIED, _LINGERING = 0.35, 0.4
"""Of a stressed syllable of less than a beat; of an unstressed one of two beats and more."""
_WEAK_END = 0.9
_COMMA = 0.4
"""Of less than a beat before a mark within the line."""
_LAME = 0.35
"""Of a note that begins off the strong beats and is held for more than a beat."""
_EARLY = 0.4
"""Of a pickup of half a bar; twice that where it begins with a stressed syllable."""
_ROOM = {0: 9.0, 1: 2.5, 2: 0.8, 3: 0.35, 4: 0.0, 5: 0.0, 6: 0.0, 7: 0.3, 8: 0.4}
"""Cost by half-beats that are left from the last syllable to the next line."""
_MARKS = frozenset(",;:.!?—，；：。！？、")


@dataclass(frozen=True)
class Task:
    """What is to be placed: lines of equally many syllables that share one rhythm."""

    rows: tuple[Line, ...]
    grid: Grid
    pickup: int
    """Places before the downbeat at which it begins."""
    end: int
    """Place at which the next line begins."""
    noise: int = 0
    """Seed of small changes of taste; 0 for none."""


@dataclass(frozen=True)
class Placed:
    """Where the syllables of a line begin."""

    starts: tuple[int, ...]
    cost: float
    """For each row, on the average."""


@lru_cache(maxsize=4096)
def place(task: Task) -> Placed | None:
    """The cheapest places; None where there are fewer than syllables."""
    rows, begin, end = task.rows, -task.pickup, task.end
    count = len(rows[0])
    if end - begin < count or not count:
        return None
    taste = _taste(task)
    far = task.pickup >= min(4, 3 * task.grid.beat // 2)
    early = _EARLY * far * (1 + any(row[0].stress > 1 for row in rows))
    best: dict[int, tuple[float, tuple[int, ...]]] = {begin: (early + float(taste[0]), (begin,))}
    room = (end - begin) / (count + 1)
    for index in range(count - 1):
        after: dict[int, tuple[float, tuple[int, ...]]] = {}
        last = end - (count - 1 - index)
        for start, (cost, path) in best.items():
            here = cost + _place_cost(rows, index, task.grid.strength(start))
            for then in range(start + 1, min(last, start + 4 * task.grid.beat) + 1):
                total = here + _step_cost(task, index, start, then, room) + float(taste[then - begin])
                if then not in after or total < after[then][0]:
                    after[then] = (total, (*path, then))
        best = after
    ends = [
        (cost + _place_cost(rows, count - 1, task.grid.strength(start)) + _end_cost(task, start), path)
        for start, (cost, path) in best.items()
    ]
    cost, path = min(ends)
    return Placed(path, cost)


def cost_of(task: Task, starts: Sequence[int]) -> float:
    """What given places would cost, as `place` counts but without changes of taste."""
    grid, count = task.grid, len(starts)
    room = (task.end + task.pickup) / (count + 1)
    total = sum(_place_cost(task.rows, index, grid.strength(start)) for index, start in enumerate(starts))
    for index in range(count - 1):
        total += _step_cost(task, index, starts[index], starts[index + 1], room)
    return total + _end_cost(task, starts[-1])


def _taste(task: Task) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A small cost for each place; places of equal beats in all lines of a seed are alike."""
    span = task.end + task.pickup + 1
    if not task.noise:
        return np.zeros(span)
    return np.random.default_rng(task.noise).uniform(-0.15, 0.15, span + 16)[:span]


def _place_cost(rows: Sequence[Line], index: int, strength: int) -> float:
    return sum(_PLACED[row[index].stress][strength] for row in rows) / len(rows)


def _step_cost(task: Task, index: int, start: int, then: int, room: float) -> float:
    """Of a note that begins at one place and ends where the next begins."""
    grid, length = task.grid, then - start
    here, there = grid.strength(start), grid.strength(then)
    within = max((grid.strength(place) for place in range(start + 1, then)), default=0)
    total = grid.cost(length, room) + _SYNCOPE * max(0, within - here)
    for row in task.rows:
        total += _pair_cost(task, row, index, length, here, there) / len(task.rows)
    return total


def _pair_cost(task: Task, row: Line, index: int, length: int, here: int, there: int) -> float:
    this, other = row[index], row[index + 1]
    total = 0.0
    if this.goes_on:
        if this.stress > other.stress and this.stress > 1:
            total += _IN_WORD * (here <= there)
        elif other.stress > this.stress and other.stress > 1:
            total += _IN_WORD * (there <= here)
    elif (this.stress >= 2 > other.stress and here < there) or (other.stress >= 2 > this.stress and there < here):
        total += _BETWEEN
    if this.stress >= 2 > other.stress and length < 2:
        total += _HURRIED
    if this.stress < 2 and length > (1 if task.grid.beat == 3 else 2 * task.grid.beat - (this.stress == 0)):
        total += _LINGERING
    if here < 3 and length > task.grid.beat:
        total += _LAME
    if this.text[-1] in _MARKS and length < task.grid.beat:
        total += _COMMA
    return total


def _end_cost(task: Task, start: int) -> float:
    grid = task.grid
    halves = (task.end - start) * 2 // grid.beat
    if grid.bar == 6 and grid.beat == 2:
        halves = min(halves, 4) + max(0, halves - 4) * 3 // 5  # bars of three beats are passed sooner
    weak = grid.strength(start) < 3 and any(row[-1].stress for row in task.rows)
    return _ROOM.get(halves, 1.0 + 0.4 * (halves - 8)) + _WEAK_END * weak
