"""A tune as the model sees it: notes one after another, each a length and a pitch above or below the tonic."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import Mode

Numbers = NDArray[np.int64]

LENGTHS = (6, 8, 12, 16, 18, 24, 32, 36, 42, 48, 60, 72, 84, 96, 108, 120, 132, 144, 168, 180, 192, 216)
"""Ticks of the notes that the model knows; others count as the nearest."""
LOWEST, HIGHEST = -14, 24
"""Semitones from the tonic that the model knows; others count as the nearest of the same pitch class."""
REST = HIGHEST - LOWEST + 1
PITCHES = REST + 1
"""Pitches and rest."""
SILENCE = -99
"""Stands for a rest where semitones from the tonic stand."""
METRES = ((2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (12, 8))
MODES: tuple[Mode, ...] = ("major", "minor", "dorian", "mixolydian")
KINDS = ("", "air", "jig", "slip jig", "reel", "hornpipe", "strathspey", "march", "waltz", "polka")
"""Kinds of tune; the first is none in particular."""
_TICKS = np.array(LENGTHS)
_TONICS: dict[Mode, int] = {"major": 0, "minor": 9, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7}
_LEANING = -3
"""Where the octave begins in which the middle of a tune stands above its tonic, semitones."""


@dataclass(frozen=True)
class Setting:
    """What is known of a tune before its first note."""

    bar: int
    """Ticks of a bar."""
    pickup: int
    """Ticks of the incomplete bar at the beginning."""
    length: int
    """Ticks of the whole."""
    metre: int
    """Number among `METRES`."""
    mode: int
    """Number among `MODES`."""
    kind: int
    """Number among `KINDS`."""


@dataclass(frozen=True)
class Tune:
    """A tune.

    Attributes:
        setting: Metre, mode, kind and length.
        notes: (notes, 2): ticks, and semitones above the tonic or `SILENCE`; without gaps from beginning to end.
    """

    setting: Setting
    notes: Numbers


def length_symbols(ticks: Numbers) -> Numbers:
    """Numbers among `LENGTHS` of the nearest lengths."""
    return np.abs(ticks[..., None] - _TICKS).argmin(-1)


def pitch_symbols(steps: Numbers) -> Numbers:
    """Symbols of semitones above the tonic; what lies outside comes in by octaves, `SILENCE` is `REST`."""
    low = steps + 12 * np.maximum(0, -((steps - LOWEST) // 12))
    inside = low - 12 * np.maximum(0, -((HIGHEST - low) // 12))
    return np.where(steps == SILENCE, REST, inside - LOWEST)


def metre_of(beats: int, unit: int) -> int:
    """Number among `METRES` of a metre, or of one that goes like it."""
    if (beats, unit) in METRES:
        return METRES.index((beats, unit))
    if unit >= 8 and beats % 3 == 0:
        return 3
    return 1 if beats % 3 == 0 else 2


def mode_of(mode: Mode) -> int:
    """Number among `MODES` of a mode, or of the one that is nearest."""
    return MODES.index({"lydian": "major", "phrygian": "minor"}.get(mode, mode))  # type: ignore[arg-type]


def tonic_class(fifths: int, mode: Mode) -> int:
    """Pitch class of the tonic of a key signature."""
    return (7 * fifths + _TONICS[mode]) % 12


def home(tonic: int, middle: float) -> int:
    """The tonic's MIDI pitch from which a tune whose pitches lie around `middle` is counted."""
    return int(middle - _LEANING - (middle - _LEANING - tonic) % 12)
