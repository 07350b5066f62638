"""The grid of four voices: sixteenth by sixteenth, what soprano, alto, tenor and bass sing.

A *frame* is one sixteenth: four MIDI pitches, 0 for a rest. The model's symbols are `pitch - LOWEST`, and `REST` last.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

VOICES = 4
LOWEST, HIGHEST = 33, 84
"""MIDI pitches that the model knows: a tone beyond every singer's range on both sides."""
PITCHES = HIGHEST - LOWEST + 1
REST = PITCHES
SYMBOLS = PITCHES + 1
BAR = 16
"""Frames of a bar of four quarters."""

Frames = NDArray[np.int64]
"""Shape (frames, voices): MIDI pitches, 0 for a rest."""


def symbols_of(pitches: NDArray[np.int64]) -> NDArray[np.int64]:
    """Symbols of MIDI pitches, of any shape; what lies outside the range becomes a rest."""
    inside = (pitches >= LOWEST) & (pitches <= HIGHEST)
    return np.where(inside, pitches - LOWEST, REST)


def pitches_of(symbols: NDArray[np.int64]) -> NDArray[np.int64]:
    """The reverse of `symbols_of`."""
    return np.where(symbols == REST, 0, symbols + LOWEST)
