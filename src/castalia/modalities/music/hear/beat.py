"""Notes in seconds → notes in beats: a tempo that bends a little, and the simplest rhythm that explains the onsets.

A beam search over places on the grid of sixteenths and triplets (after Raphael 2002, "A hybrid graphical model for
rhythmic parsing", Artificial Intelligence 137): each place costs by how far the onset lies from where the tempo puts
it, and by how rare such places are; the tempo follows the singer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import QUARTER, Note
from castalia.modalities.music.hear.line import HeardNote

SLOWEST, FASTEST = 40.0, 208.0
"""Quarters a minute that are looked for."""
_LIKELY, _SPREAD = 92.0, 0.30
"""The tempo that is likeliest where rhythm leaves it open, and the deviation of its logarithm."""
_PLACES = {0: 0.0, 24: 0.45, 12: 1.3, 36: 1.3, 16: 1.1, 32: 1.1}
"""Ticks of a beat that notes begin on, with what each costs, nats."""
_LENGTHS = {12: 1.3, 16: 1.3, 24: 0.5, 32: 2.0, 36: 1.2, 48: 0.0, 72: 0.9, 96: 0.4, 144: 1.0, 192: 1.0}
"""Ticks from note to note, with what each costs."""
_RARE = 2.6
_WORST = 8.0
"""Nats beyond which an onset is taken for a slip or a pause."""
_BEAM, _TEMPI = 24, 5
_FOLLOWS, _BENDS = 0.6, 0.12
"""Shares of an onset's delay that the clock and the tempo take on."""
_REST = 0.3
"""Quarters of silence before the next note that make a rest."""


@dataclass(frozen=True)
class Rhythm:
    """A quantised melody."""

    notes: tuple[Note, ...]
    """The first begins at 0."""
    first: int
    """Ticks after a beat at which the first note begins."""
    tempo: float
    """Quarters a minute."""
    cost: float
    """Nats a note: below about 1 the rhythm is plain, above 3 there may be none."""


def rhythm_of(heard: Sequence[HeardNote], tempo: float | None = None) -> Rhythm:
    """The rhythm of notes in time.

    Args:
        heard: At least one note, in order.
        tempo: Quarters a minute, where it is known.
    """
    onsets = np.array([note.start for note in heard])
    tempi = [tempo] if tempo else _tempi(np.diff(onsets))
    found = [_search(onsets, each) for each in tempi]
    weighed = [
        path.cost + (0 if tempo else _unlikely(each, len(onsets))) for path, each in zip(found, tempi, strict=True)
    ]
    best = int(np.argmin(weighed))
    path = found[best]
    ticks = path.places
    seconds = path.seconds
    notes: list[Note] = []
    for number, note in enumerate(heard):
        per_tick = path.pace[number]
        after = ticks[number + 1] - ticks[number] if number + 1 < len(heard) else 0
        notes.append(Note(ticks[number] - ticks[0], _length(note, after, per_tick), note.pitch))
    return Rhythm(tuple(notes), ticks[0] % QUARTER, 60 / (QUARTER * seconds), path.cost / max(len(onsets), 1))


def _tempi(gaps: NDArray[np.float64]) -> list[float]:
    """The most promising tempi, judged by the times between onsets alone."""
    if not len(gaps):
        return [_LIKELY]
    tempi = np.geomspace(SLOWEST, FASTEST, 130)
    lengths = np.array([*_LENGTHS, 240, 288])
    costs = np.array([*_LENGTHS.values(), _RARE, _RARE])
    fits: list[float] = []
    for each in tempi:
        seconds = lengths * 60 / each / QUARTER
        off = (gaps[:, None] - seconds) / (0.03 + 0.05 * gaps[:, None])
        fits.append(float(np.minimum((0.5 * off**2 + costs).min(1), _WORST).sum()) + _unlikely(each, len(gaps)))
    order: list[float] = []
    for at in np.argsort(fits, kind="stable"):
        if all(abs(np.log(tempi[at] / other)) > 0.06 for other in order):
            order.append(float(tempi[at]))
        if len(order) == _TEMPI:
            break
    return order


def _unlikely(tempo: float, count: int) -> float:
    """Nats against a tempo; they weigh more the more notes there are, but never much."""
    return (np.log(tempo / _LIKELY) / _SPREAD) ** 2 * 0.5 * min(16.0, 1 + 0.25 * count)


@dataclass(frozen=True)
class _Path:
    cost: float
    place: int
    """Ticks, of the last note."""
    clock: float
    """Seconds at which the tempo has that place."""
    per_tick: float
    """Seconds."""
    before: _Path | None

    @property
    def places(self) -> list[int]:
        return [each.place for each in self._all()]

    @property
    def pace(self) -> list[float]:
        return [each.per_tick for each in self._all()]

    @property
    def seconds(self) -> float:
        """Of a tick, over the whole, pauses aside."""
        return float(np.median(self.pace))

    def _all(self) -> list[_Path]:
        made: list[_Path] = []
        here: _Path | None = self
        while here is not None:
            made.append(here)
            here = here.before
        return made[::-1]


def _search(onsets: NDArray[np.float64], tempo: float) -> _Path:
    per_tick = 60 / tempo / QUARTER
    beam = [_Path(cost, place, float(onsets[0]), per_tick, None) for place, cost in ((0, 0.0), (24, 1.5), (36, 3.0))]
    for onset in onsets[1:].tolist():
        grown: dict[tuple[int, int], _Path] = {}
        for path in beam:
            for after in _after(path, onset):
                key = (after.place % QUARTER, round(np.log(after.per_tick) * 25))
                if key not in grown or after.cost < grown[key].cost:
                    grown[key] = after
        beam = sorted(grown.values(), key=lambda path: (path.cost, path.place))[:_BEAM]
    return beam[0]


def _after(path: _Path, onset: float) -> list[_Path]:
    """Where the next note may stand."""
    gap = max(onset - path.clock, 0.02)
    about = gap / path.per_tick
    low, high = path.place + 0.72 * about - 6, path.place + 1.35 * about + 6
    made: list[_Path] = []
    for beat in range(int(low) // QUARTER, int(high) // QUARTER + 1):
        for within, rare in _PLACES.items():
            place = beat * QUARTER + within
            length = place - path.place
            if length < 12 or not low <= place <= high:
                continue
            late = gap - length * path.per_tick
            off = late / (0.03 + 0.05 * gap)
            odd = _LENGTHS.get(length, _RARE if length < 192 else 1.4)
            cost = path.cost + min(0.5 * off * off, _WORST) + 0.5 * rare + 0.5 * odd
            bend = float(np.clip(late / (length * path.per_tick), -0.2, 0.2))
            if 0.5 * off * off >= _WORST:  # a pause: the clock starts anew, the tempo stays
                made.append(_Path(cost, place, onset, path.per_tick, path))
            else:
                clock = onset - (1 - _FOLLOWS) * late
                made.append(_Path(cost, place, clock, path.per_tick * (1 + _BENDS * bend), path))
    if not made:  # far apart: the nearest beat
        place = path.place + max(12, round(about / QUARTER) * QUARTER)
        made.append(_Path(path.cost + _WORST, place, onset, path.per_tick, path))
    return made


def _length(note: HeardNote, after: int, per_tick: float) -> int:
    """Ticks of a note: to the next one unless a rest is heard between."""
    sung = (note.end - note.start) / per_tick
    if not after:
        return max(24, round(sung / 24) * 24)
    if (after - sung) > _REST * QUARTER and after > 24:
        kept = max(12, round(sung / 24) * 24) if sung > 18 else 12
        return min(after, kept)
    return after
