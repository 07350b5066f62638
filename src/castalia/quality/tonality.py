"""Keys: their tonic, their notes, and which one a score is in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import Mode, Score
from castalia.quality.music import slices

_MAJOR_SCALE = (0, 2, 4, 5, 7, 9, 11)
_TONICS: dict[Mode, int] = {"major": 0, "minor": 9, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7}
"""Semitones from the tonic of the major key with the same signature."""
_THIRDS: dict[Mode, tuple[int, ...]] = {"major": (4,), "lydian": (4,), "mixolydian": (4,)}
"""Thirds of the last chord; elsewhere the minor one, or the major one of Picardy."""

_PROFILES = np.array(
    [
        [6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88],
        [6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17],
    ]
)
"""How well each pitch class, from the tonic up, fits a major and a minor key (Krumhansl and Kessler 1982)."""
_LAST_BASS = 0.15
"""Added to the correlation of the keys whose tonic is the last bass note."""


class KeyGuess(NamedTuple):
    """The key that a score seems to be in."""

    fifths: int
    mode: Mode
    confidence: float
    """How far its fit lies above that of the next key, 0 to about 1; below 0.05 it is a toss."""


def tonic_of(score: Score) -> int:
    """Pitch class of the tonic of the key that the score says it is in."""
    return (7 * score.fifths + _TONICS[score.mode]) % 12


def scale_of(score: Score) -> frozenset[int]:
    """Pitch classes of its key; in minor with the raised sixth and seventh, in the other modes with a leading note."""
    tonic = tonic_of(score)
    scale = {(7 * score.fifths + step) % 12 for step in _MAJOR_SCALE}
    raised = {"minor": (9, 11), "dorian": (11,), "mixolydian": (11,)}.get(score.mode, ())
    return frozenset(scale | {(tonic + step) % 12 for step in raised})


def thirds_of(score: Score) -> tuple[int, ...]:
    """Semitones from the tonic to the third of a last chord."""
    return _THIRDS.get(score.mode, (3, 4))


def key_of(score: Score) -> KeyGuess:
    """The major or minor key that fits best.

    The algorithm of Krumhansl and Schmuckler (Krumhansl 1990, *Cognitive Foundations of Musical Pitch*, chapter 4):
    the key whose profile correlates best with how long each pitch class sounds. Keys whose tonic is the last bass note
    are preferred among near ones. A score without notes is in C major, with confidence 0.
    """
    weights = np.zeros(12)
    pitched = [part for part in score.parts if part.kind != "drums"]
    for part in pitched:
        for note in part.notes:
            weights[note.pitch % 12] += note.length
    if not np.ptp(weights):
        return KeyGuess(0, "major", 0.0)
    fits: NDArray[np.float64] = np.array(
        [[np.corrcoef(np.roll(profile, tonic), weights)[0, 1] for tonic in range(12)] for profile in _PROFILES]
    )
    last = [pitch for pitch in slices(pitched)[-1].pitches if pitch]
    if last:
        fits[:, min(last) % 12] += _LAST_BASS
    mode, tonic = divmod(int(fits.argmax()), 12)
    ranked = np.sort(fits.ravel())
    # Signatures from five flats to six sharps.
    fifths = (7 * (tonic + (3 if mode else 0)) + 5) % 12 - 5
    return KeyGuess(fifths, "minor" if mode else "major", float(ranked[-1] - ranked[-2]))
