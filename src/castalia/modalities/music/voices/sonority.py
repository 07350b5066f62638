"""Which chords a collection sings: chances of each voice's pitch class given those above, on the beat and off it.

The network knows this too, but what it writes itself leads it away from it bit by bit; a share of these chances,
multiplied in, keeps its beats among the chords of its collection (measured in docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.voices.grid import LOWEST, PITCHES, Frames
from castalia.modalities.music.voices.state import Numbers

_BEAT = 4
"""Frames."""
_UNSEEN = 0.02
"""Count of a chord that never came."""
_FLOOR = -6.0
"""Nats; below, a chord is as good as unknown."""


@dataclass(frozen=True)
class Sonorities:
    """Counts of chords: pitch classes of alto, tenor and bass above the soprano's, on the beat and in between.

    Attributes:
        counts: (2, 12, 12, 12); 0 is on the beat.
    """

    counts: NDArray[np.float32]

    @staticmethod
    def of(pieces: Sequence[Frames]) -> Sonorities:
        """Count the frames in which all voices sing."""
        counts = np.full((2, 12, 12, 12), _UNSEEN, np.float32)
        for piece in pieces:
            full = (piece > 0).all(1)
            above = (piece[:, 1:] - piece[:, :1])[full] % 12
            off = (np.flatnonzero(full) % _BEAT != 0).astype(np.int64)
            np.add.at(counts, (off, *above.T), 1)
        return Sonorities(counts)

    def lean(self, voice: int, chosen: Numbers, time: int) -> NDArray[np.float32]:
        """Log chances of a voice's pitches under those above, floored (rows, SYMBOLS); a rest is left as it is.

        Args:
            voice: 1 alto … 3 bass.
            chosen: Pitches of the voices above (rows, ≥ voice); a row with a rest among them gets no advice.
            time: Frame, counted from a beat.
        """
        counts = self.counts[int(time % _BEAT != 0)]
        alto, tenor = ((chosen[:, other] - chosen[:, 0]) % 12 for other in (1, 2))
        match voice:
            case 1:
                table = np.broadcast_to(counts.sum((1, 2)), (len(chosen), 12))
            case 2:
                table = counts.sum(2)[alto]
            case _:
                table = counts[alto, tenor]
        said = np.maximum(np.log(table / table.sum(1, keepdims=True)), _FLOOR)
        above = (np.arange(PITCHES) + LOWEST - chosen[:, :1]) % 12
        found = np.take_along_axis(said, above, 1) * (chosen[:, :voice] > 0).all(1, keepdims=True)
        return np.concatenate([found, np.zeros((len(chosen), 1))], 1).astype(np.float32)
