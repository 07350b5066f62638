"""The chord model: what follows what and what is sung over it, counted in Bach's chorales."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import Mode
from castalia.modalities.music.harmony.chords import NAMES, QUALITIES, STATES

Floats = NDArray[np.float64]

NO_NOTE = 12
"""Stands for a pitch class where the melody is silent."""
_NEAR = (5.0, 8.0, 12.0)
"""Quarters that what is known of less adds: of all notes to one, of one to it and the next, of both to all three."""
_BORROWED = 12.0
"""Counts that the shares of all chords add to what follows one of them."""
_BY_ROOT = 40.0
"""Counts, in sixteenths, that a quality's chords in all degrees add to each of them."""
_LEAST = 0.02
"""Count that a chord has which was never seen."""
_MODAL = 2.5
"""Nats that each tone outside its scale costs a chord in a mode that is neither major nor minor."""
_SCALES: dict[Mode, tuple[int, ...]] = {
    "dorian": (0, 2, 3, 5, 7, 9, 10), "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11), "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}  # fmt: skip
_MINOR: tuple[Mode, ...] = ("minor", "dorian", "phrygian")


class ChordModel:
    """Tables of counts, read and smoothed.

    Args:
        path: The file that `castalia.training.harmony.count` writes.
    """

    name = "chords"
    build = "counts"

    def __init__(self, path: Path) -> None:
        self._digest = hashlib.sha256(path.read_bytes()).hexdigest()
        tables = np.load(path, allow_pickle=False)
        self._follows, self._sung = tables["follows"].astype(float), tables["sung"].astype(float)
        self._near = tables["near"]
        held = tables["held"].astype(float)
        self.stay = float(held.sum() / (held.sum() + self._follows.sum()))
        """Chance that a chord goes on for another quarter."""

    @staticmethod
    def default() -> ChordModel:
        """The one that comes with the program."""
        return ChordModel(Path(str(files("castalia") / "data" / "music" / "chords.npz")))

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._digest

    def often(self, mode: Mode) -> Floats:
        """Log share of each chord (chords,)."""
        counts = self._follows[int(mode in _MINOR)].sum(0) + _LEAST
        return np.log(counts / counts.sum()) - _outside(mode)

    def follows(self, mode: Mode) -> Floats:
        """Log chance of each chord after each other one, given that it changes (before, after)."""
        counts = self._follows[int(mode in _MINOR)]
        share = counts.sum(0) + _LEAST
        mixed = counts + _BORROWED * share / share.sum()
        np.fill_diagonal(mixed, 1e-9)
        return np.log(mixed / mixed.sum(1, keepdims=True)) - _outside(mode)

    def sung(self, mode: Mode) -> Floats:
        """Log chance of each pitch class, from the tonic up, over each chord (chords, on or off the beat, 12)."""
        counts = self._sung[int(mode in _MINOR)]
        both = self._sung.sum(0).reshape(len(NAMES), 12, 2, 12)
        mixed = np.empty_like(counts)
        for number in range(len(NAMES)):
            rooted = np.sum([np.roll(both[number, root], -root, axis=-1) for root in range(12)], axis=0) + 2.0
            rooted = rooted / rooted.sum(-1, keepdims=True)
            for root in range(12):
                state = 12 * number + root
                mixed[state] = counts[state] + _BY_ROOT * np.roll(rooted, root, axis=-1)
        return np.log(mixed / mixed.sum(-1, keepdims=True))

    def near(self, mode: Mode) -> Floats:
        """Nats by which the notes before, here and after speak for each chord (13, 13, 13, chords), `NO_NOTE` for none.

        Log chance given the three, less the log chance given none.
        """
        counts = self._near[int(mode in _MINOR)].astype(float)
        share = counts.sum((0, 1, 2)) + _LEAST
        share /= share.sum()
        one = _mixed(counts.sum((0, 2)), share, _NEAR[0])
        two = _mixed(counts.sum(0), one[:, None], _NEAR[1])
        return np.log(_mixed(counts, two[None], _NEAR[2])) - np.log(share)


def tones(state: int) -> tuple[int, ...]:
    """Pitch classes of a chord from the tonic up, its root first."""
    return tuple((state % 12 + step) % 12 for step in QUALITIES[NAMES[state // 12]])


def states_in(mode: Mode) -> NDArray[np.bool_]:
    """Which chords have no tone outside the scale of a mode (chords,); none is left out in major and minor."""
    return _outside(mode) == 0


def _outside(mode: Mode) -> Floats:
    scale = _SCALES.get(mode)
    if scale is None:
        return np.zeros(STATES)
    return np.array([_MODAL * sum(tone not in scale for tone in tones(state)) for state in range(STATES)])


def _mixed(counts: Floats, less: Floats, weight: float) -> Floats:
    """Shares of counts, with those that are known of less (Witten-Bell in kind)."""
    return (counts + weight * less) / (counts.sum(-1, keepdims=True) + weight)
