"""What is given of a tune before it is written: notes, or lengths alone, and how far off the next of them is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from castalia.modalities.music.tunes.state import FINEST, PLACES
from castalia.modalities.music.tunes.tune import PITCHES, Numbers

UNKNOWN = PITCHES
"""Symbol of a given note whose pitch is to be written."""
FAR = 16
"""Steps of the distance to the next given note; the last says that there is none."""
_STEPS = (0, 6, 12, 24, 36, 48, 72, 96, 144, 192, 288, 384, 576, 768, 1536)
"""Ticks from which the distance is one step more."""


@dataclass(frozen=True)
class Given:
    """Given notes of one tune, from the first to the last.

    Attributes:
        starts: Ticks (given,).
        pitches: Symbols, `UNKNOWN` where it is to be written (given,).
        lengths: Symbols (given,).
        places: In the bar, as in `State.inputs` (given,).
    """

    starts: Numbers
    pitches: Numbers
    lengths: Numbers
    places: Numbers

    @staticmethod
    def of(starts: Sequence[int], pitches: Sequence[int], lengths: Sequence[int], *, pickup: int, bar: int) -> Given:
        """From ticks and symbols, and where bars begin."""
        begin = np.array(starts, np.int64)
        places = np.minimum((begin - pickup) % bar // FINEST, PLACES - 1)
        return Given(begin, np.array(pitches, np.int64), np.array(lengths, np.int64), places)

    def ahead(self, ticks: Numbers) -> tuple[Numbers, Numbers]:
        """Number of the given note at or after each tick, counted from the last one, `len` for none; and its distance.

        Args:
            ticks: Of any shape.
        """
        place = np.searchsorted(self.starts, ticks)
        number = np.where(place < len(self.starts), len(self.starts) - 1 - place, len(self.starts))
        starts = np.append(self.starts, 0)
        steps = np.searchsorted(np.array(_STEPS), starts[place] - ticks, "right")
        return number, np.where(place < len(self.starts), np.clip(steps, 0, FAR - 2), FAR - 1)
