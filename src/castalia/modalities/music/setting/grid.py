"""The places of a bar where syllables may begin, how strong each is, and what lengths cost there.

The strength of places follows the metrical grid of Lerdahl & Jackendoff, A Generative Theory of Tonal Music (1983),
ch. 4: a place is as strong as the number of levels of beats that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from castalia.core.score import QUARTER, Metre

Pace = Literal["plain", "flowing", "dotted"]
"""Even notes; quicker ones in pairs; long and short in turn."""

_LONG = 1.5
"""Cost of a length that no table names, for each beat of it."""


@dataclass(frozen=True)
class Grid:
    """Places of one metre."""

    metre: Metre
    slot: int
    """Ticks between two places."""
    strengths: tuple[int, ...]
    """Of each place in a bar: 4 for the downbeat, 0 for the weakest."""
    beat: int
    """Places of a beat."""
    pickups: tuple[int, ...]
    """Places before the downbeat at which a line may begin, 0 for none."""
    holds: tuple[tuple[tuple[int, int], ...], ...]
    """Ways to hold lines: (most syllables, bars) of a line, the shortest first; the second is for lines of few stresses
    with many syllables between them."""
    lengths: Mapping[int, float] = field(hash=False)
    """Cost of each length of a note, in places."""
    broad: Mapping[int, float] = field(hash=False)
    """The same for lines with much room."""

    @property
    def bar(self) -> int:
        """Places of a bar."""
        return len(self.strengths)

    def strength(self, place: int) -> int:
        """How strong a place is; places count from the line's first downbeat, those of the pickup below 0."""
        return self.strengths[place % self.bar]

    def bars(self, syllables: int, way: int = 0) -> int:
        """Bars that a line of so many syllables takes, by one of the ways to hold them."""
        return next((bars for most, bars in self.holds[way] if syllables <= most), self.holds[way][-1][1])

    def cost(self, length: int, room: float) -> float:
        """What a length costs where a syllable has so many places of room on the average."""
        table = self.broad if room >= 1.5 * self.beat else self.lengths
        return table.get(length, _LONG + _LONG * length / self.beat / 4)


def grid_of(metre: Metre, pace: Pace = "plain") -> Grid:
    """The places of a metre: 4/4, 3/4 or 6/8; others are taken for the one that is most like them."""
    if metre.unit == 8 and metre.beats % 3 == 0:
        return _compound(metre, pace)
    return _triple(metre, pace) if metre.beats == 3 else _quadruple(metre, pace)


def _quadruple(metre: Metre, pace: Pace) -> Grid:
    quick, dotted = _taste(pace)
    half = metre.beats // 2 if metre.beats > 2 else 0
    beats = [4 if beat == 0 else 3 if beat == half else 2 for beat in range(metre.beats)]
    return Grid(
        metre,
        slot=QUARTER * 4 // metre.unit // 2,
        strengths=tuple(strength for beat in beats for strength in (beat, 1)),
        beat=2,
        pickups=(0, 1, 2, 3, 4) if metre.beats > 2 else (0, 1, 2),
        holds=(((9, 2), (18, 4), (36, 8)) if metre.beats > 2 else ((5, 2), (9, 4), (18, 8)),),
        lengths={1: quick, 2: 0, 3: dotted, 4: 0.3, 5: 1.4, 6: 0.7, 7: 1.8, 8: 1.1},
        broad={1: quick + 0.4, 2: 0.1, 3: dotted + 0.2, 4: 0, 5: 1.2, 6: 0.2, 7: 1.5, 8: 0.5, 12: 1.2},
    )


def _triple(metre: Metre, pace: Pace) -> Grid:
    quick, dotted = _taste(pace)
    lengths = {1: quick, 2: 0, 3: dotted, 4: 0, 5: 1.3, 6: 0.25, 8: 1.2}
    return Grid(
        metre,
        slot=QUARTER * 4 // metre.unit // 2,
        strengths=(4, 1, 2, 1, 2, 1),
        beat=2,
        pickups=(0, 1, 2, 4),
        holds=(((5, 2), (10, 4), (20, 8)), ((8, 2), (13, 4), (26, 8))),
        lengths=lengths,
        broad={**lengths, 6: 0.1},
    )


def _compound(metre: Metre, pace: Pace) -> Grid:
    lilt = {"plain": 0.1, "flowing": 0.0, "dotted": 0.2}[pace]
    lengths = {1: lilt, 2: 0, 3: 0.05, 4: 0.8, 5: 0.6, 6: 0.35, 9: 1.2}
    beats = metre.beats // 3
    return Grid(
        metre,
        slot=QUARTER * 4 // metre.unit,
        strengths=tuple(s for beat in range(beats) for s in (4 if beat == 0 else 3, 1, 1)),
        beat=3,
        pickups=(0, 1, 2, 3),
        holds=(((9, 2), (18, 4), (36, 8)),),
        lengths=lengths,
        broad={**lengths, 1: lilt + 0.1, 3: 0.0, 6: 0.2},
    )


def _taste(pace: Pace) -> tuple[float, float]:
    """Costs of a half-beat and of a beat and a half."""
    return {"plain": (0.6, 0.6), "flowing": (0.3, 0.4), "dotted": (0.35, 0.0)}[pace]
