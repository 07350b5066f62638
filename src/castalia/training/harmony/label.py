"""Which chord sounds in each quarter of a four-voice grid, and in which key the piece is."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import QUARTER, Note, Part, Score
from castalia.modalities.music.harmony.chords import NAMES, QUALITIES, STATES
from castalia.quality import key_of

BEAT = 4
"""Frames of a quarter; the grid's frames are sixteenths."""
_FRAME = QUARTER // BEAT
_ONSET = 2.0
"""Weight of a quarter's first sixteenth; the others have 1."""
_STRANGE, _ABSENT, _ROOT_LOW, _SEVENTH = 1.6, 0.35, 0.18, 0.12
"""Cost of the share of sound outside a chord, of each tone that is missing; gain of its root in the bass; cost of a
fourth tone. Chosen by eye on ten training chorales."""
_CLEAR = 0.25
"""Least fit, of at most about 1.2, of a quarter that has a chord."""
Frames = NDArray[np.int64]


def tonic_of(piece: Frames) -> tuple[int, int]:
    """(pitch class of the tonic, 0 major or 1 minor) by what sounds."""
    parts: list[Part] = []
    for voice in range(piece.shape[1]):
        now, notes = 0, list[Note]()
        for pitch, run in groupby(piece[:, voice].tolist()):
            length = len(list(run)) * _FRAME
            notes += [Note(now, length, pitch)] if pitch else []
            now += length
        parts.append(Part(name=str(voice), kind="voice", notes=tuple(notes)))
    guess = key_of(Score(parts=tuple(parts)))
    minor = guess.mode == "minor"
    return (7 * guess.fifths + (9 if minor else 0)) % 12, int(minor)


def states_of(piece: Frames, tonic: int) -> list[int]:
    """The chord's state (see `harmony.chords.STATES`) in each full quarter; -1 where none is clear."""
    made: list[int] = []
    for beat in range(len(piece) // BEAT):
        sound = np.zeros(12)
        low = np.zeros(12)
        for frame, row in enumerate(piece[beat * BEAT : (beat + 1) * BEAT].tolist()):
            weight = _ONSET if frame == 0 else 1.0
            pitches = [pitch for pitch in row if pitch]
            for pitch in pitches:
                sound[(pitch - tonic) % 12] += weight
            if pitches:
                low[(min(pitches) - tonic) % 12] += weight
        made.append(_state(sound, low))
    return made


def _state(sound: NDArray[np.float64], low: NDArray[np.float64]) -> int:
    if not sound.sum():
        return -1
    sound, low = sound / sound.sum(), low / max(low.sum(), 1e-9)
    fits = np.empty(STATES)
    for number, name in enumerate(NAMES):
        for root in range(12):
            tones = [(root + step) % 12 for step in QUALITIES[name]]
            inside = sound[tones]
            fit = inside.sum() - _STRANGE * (1 - inside.sum()) - _ABSENT * (inside < 0.03).sum()
            fits[12 * number + root] = fit + _ROOT_LOW * low[root] - _SEVENTH * (len(tones) == 4)
    best = int(fits.argmax())
    return best if fits[best] >= _CLEAR else -1
