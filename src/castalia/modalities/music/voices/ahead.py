"""Look-ahead: how a voice comes to a note that is given later on.

The encoder tells the network what comes, but a frame that is written now binds the next one: the masks of `leading`
look back only. Here a voice that nears a given note is drawn towards it, and two voices that are both given next do not
take an interval from which they would move in parallel.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.voices.grid import LOWEST, SYMBOLS, VOICES, Frames
from castalia.modalities.music.voices.state import Numbers

FAR = 12
"""Frames from which a given note is looked at."""
_BEAT = 4
_SLACK = (3, 4, 4, 7)
"""Semitones by which a voice may be away from its next given note without a word, just before it."""
_A_BEAT = 2.5
"""Semitones more for each beat that is left."""
_PULL = 0.7
"""Nats for each semitone beyond."""
_PITCH = np.arange(SYMBOLS) + LOWEST
_PERFECT = np.isin(np.arange(12), (0, 7))


class Ahead:
    """What is given after each frame.

    Args:
        given: Pitches (frames, voices), 0 for a rest, negative where a note is written.

    Attributes:
        pitch: The next given pitch after a frame, 0 for none (frames, voices).
        distance: Frames until it, `FAR` + 1 where it is farther or none (frames, voices).
    """

    def __init__(self, given: Frames) -> None:
        self.pitch = np.zeros(given.shape, np.int64)
        self.distance = np.full(given.shape, FAR + 1)
        for time in range(len(given) - 2, -1, -1):
            here = given[time + 1] >= 0
            self.pitch[time] = np.where(here, given[time + 1], self.pitch[time + 1])
            self.distance[time] = np.where(here, 1, np.minimum(self.distance[time + 1] + 1, FAR + 1))

    def lean(self, time: int, voice: int) -> NDArray[np.float32]:
        """Nats to add to each symbol's score, at most 0 (SYMBOLS,)."""
        goal, left = int(self.pitch[time, voice]), int(self.distance[time, voice])
        found = np.zeros(SYMBOLS, np.float32)
        if goal and left <= FAR:
            beyond = np.abs(_PITCH - goal) - (_SLACK[voice] + _A_BEAT * ((left - 1) // _BEAT))
            found[:-1] = -_PULL * np.maximum(beyond, 0)[:-1]
        return found

    def parallels(self, time: int, voice: int, chosen: Numbers) -> NDArray[np.bool_]:
        """Which symbols would not lead into parallel fifths or octaves with a voice above (rows, SYMBOLS)."""
        fine = np.ones((len(chosen), SYMBOLS), bool)
        goal, left = self.pitch[time, voice], self.distance[time, voice]
        if not goal or left > _BEAT:
            return fine
        for other in range(VOICES):
            theirs, wait = self.pitch[time, other], self.distance[time, other]
            interval = abs(theirs - goal) % 12
            if other == voice or not theirs or wait != left or not _PERFECT[interval]:
                continue
            now = chosen[:, other, None]
            moves = (now > 0) & (now != theirs) & (goal != _PITCH)
            fine &= ~(moves & (np.abs(now - _PITCH) % 12 == interval))
        return fine
