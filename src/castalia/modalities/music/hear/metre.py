"""Where the bars of a melody lie: the metre in which long notes and new beginnings fall on strong beats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castalia.core.score import QUARTER, Metre, Note

_STRENGTHS = {4: (1.0, 0.1, 0.6, 0.2), 3: (1.0, 0.15, 0.3)}
"""Weights of the beats of a bar of so many quarters."""
_BETWEEN = -0.15
"""Weight of a place between beats."""
_USUAL = {4: 0.08, 3: 0.0}
_AT_ONCE = 0.2
"""Added where the first note begins a bar."""
_ENDS = 0.4
"""Added where the last note begins on the first beat, half where on another strong one."""
_FEW = 6
"""Notes below which there is nothing to go by."""


def metre_of(notes: Sequence[Note], first: int) -> tuple[Metre, int]:
    """The metre, 4/4 or 3/4, and the ticks of the pickup.

    Args:
        notes: The first begins at 0.
        first: Ticks after a beat at which it does.
    """
    four = Metre(0, 4, 4)
    if len(notes) < _FEW:
        return four, 0 if not first else four.bar - first
    best, chosen = -np.inf, (four, 0)
    accents = np.array([_accent(notes, number) for number in range(len(notes))])
    for beats, strengths in _STRENGTHS.items():
        bar = beats * QUARTER
        for beat in range(beats):
            start = beat * QUARTER + first  # of the first note within its bar
            places = [(start + note.start) % bar for note in notes]
            weights = np.array([strengths[place // QUARTER] if place % QUARTER == 0 else _BETWEEN for place in places])
            fit = float(np.corrcoef(accents, weights)[0, 1]) if np.ptp(accents) and np.ptp(weights) else 0.0
            last = places[-1]
            fit += (
                _USUAL[beats]
                + _AT_ONCE * (start == 0)
                + _ENDS * (strengths[last // QUARTER] if not last % QUARTER else 0)
            )
            if fit > best + 1e-9:
                best, chosen = fit, (Metre(0, beats, 4), (bar - start) % bar)
    return chosen


def _accent(notes: Sequence[Note], number: int) -> float:
    """How much a note sounds like a strong one: long, after a rest."""
    note = notes[number]
    before = notes[number - 1] if number else None
    rested = before is None or note.start > before.start + before.length
    held = notes[number + 1].start - note.start if number + 1 < len(notes) else note.length
    return min(held, 2 * QUARTER) / QUARTER + 0.4 * rested
