"""The critic of four voices: how much a piece sounds like the collection, frame by frame, in numpy.

A discriminator that was trained to tell the collection's pieces from the model's own (`training/chorales/critic.py`).
It hears what is the same in every key: how voices stand to each other, and how each moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.voices.grid import VOICES, Frames

REACH = 12
"""Semitones of the largest melodic step that counts by itself."""
STEPS = 2 * REACH + 3
"""Steps from -12 to 12, farther, and into or out of a rest."""
PAIRS: Sequence[tuple[int, int]] = tuple(combinations(range(VOICES), 2))
FEATURES = len(PAIRS) * 13 + VOICES * STEPS + 16
"""Intervals of pairs of voices (none where one rests), steps of each, place in four quarters."""
DILATIONS = (1, 2, 4, 8, 16, 32)
SLOPE = 0.2
"""Of the leaky rectifier below zero."""

Floats = NDArray[np.float32]


def features(frames: Frames) -> Floats:
    """What the critic hears of a piece (frames, FEATURES): ones and zeros.

    Args:
        frames: MIDI pitches (frames, voices), 0 for a rest; the first frame is a bar's beginning.
    """
    length = len(frames)
    columns: list[NDArray[np.int64]] = []
    sounds = frames > 0
    for upper, lower in PAIRS:
        both = sounds[:, upper] & sounds[:, lower]
        columns.append(np.where(both, (frames[:, upper] - frames[:, lower]) % 12, 12))
    before = np.concatenate([frames[:1], frames[:-1]])
    step = frames - before
    step = np.where(np.abs(step) <= REACH, step + REACH, 2 * REACH + 1)
    step = np.where(sounds & (before > 0), step, STEPS - 1)
    columns += [step[:, voice] for voice in range(VOICES)]
    columns.append(np.arange(length) % 16)
    sizes = np.array([13] * len(PAIRS) + [STEPS] * VOICES + [16])
    heard = np.zeros((length, FEATURES), np.float32)
    heard[np.arange(length)[:, None], np.stack(columns, 1) + np.cumsum(sizes) - sizes] = 1
    return heard


class Critic:
    """Trained weights.

    Args:
        weights: By the names of the torch modules.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        self._weights = {name: np.asarray(each, np.float32) for name, each in weights.items()}

    def hear(self, frames: Frames) -> Floats:
        """How much each frame sounds like the collection (frames,); only differences mean something."""
        weights = self._weights
        hidden = features(frames) @ weights["join.weight"].T + weights["join.bias"]
        for number, dilation in enumerate(DILATIONS):
            hidden = hidden + _convolved(
                _leaky(hidden), weights[f"layers.{number}.weight"], weights[f"layers.{number}.bias"], dilation
            )
        return (_leaky(hidden) @ weights["judge.weight"][0] + weights["judge.bias"][0]).astype(np.float32)

    def score(self, frames: Frames) -> float:
        """The mean over all frames."""
        return float(self.hear(frames).mean())


def _leaky(values: Floats) -> Floats:
    return np.maximum(values, np.float32(SLOPE) * values)


def _convolved(values: Floats, weight: Floats, bias: Floats, dilation: int) -> Floats:
    """A convolution over time of three taps that far apart, zeros beyond the ends (frames, width)."""
    around = np.pad(values, ((dilation, dilation), (0, 0)))
    taps = np.concatenate([around[tap * dilation : tap * dilation + len(values)] for tap in range(3)], 1)
    return taps @ weight.transpose(2, 1, 0).reshape(-1, len(bias)) + bias
