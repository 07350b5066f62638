"""Samples of a sound file: read within limits, changed, and written again; and the label that is heard.

GB 45438-2025 asks for a spoken notice or the rhythm short-long-short-short at the beginning of a sound.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from castalia.provenance.embed import wav
from castalia.provenance.embed.face import Face, MalformedError

Change = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""Samples (samples, channels) in [-1, 1] and their rate → the same changed."""
_UNIT = 0.09
"""Seconds of a short tone and of a gap; a long tone has three."""
_TONE = 880.0
_LOUD = 0.25
_PAUSE = 0.4
"""Seconds of silence before the work begins."""


def rhythm(rate: int, channels: int) -> NDArray[np.float32]:
    """The audible label, short-long-short-short, with its pause (samples, channels).

    Args:
        rate: Samples a second.
        channels: How many channels sound alike.
    """
    pieces: list[NDArray[np.float64]] = []
    for units in (1, 3, 1, 1):
        time = np.arange(int(units * _UNIT * rate)) / rate
        edge = np.minimum(1, np.minimum(time, time[::-1]) / 0.006)  # no click
        pieces += [_LOUD * edge * np.sin(2 * np.pi * _TONE * time), np.zeros(int(_UNIT * rate))]
    mono = np.concatenate([*pieces, np.zeros(int(_PAUSE * rate))]).astype(np.float32)
    return np.repeat(mono[:, None], channels, axis=1)


def announced(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """A sound (samples, channels) with the audible label before it."""
    return np.concatenate([rhythm(rate, samples.shape[1]), samples])


def changeable(face: Face) -> bool:
    """Whether the samples of a format are read and changed here: those of WAV; others are coded."""
    return face.extension == "wav"


def samples(content: bytes, face: Face) -> tuple[NDArray[np.float32], int]:
    """The samples of a file (samples, channels) and their rate.

    Raises:
        MalformedError: it is coded in a way that is not decoded here.
    """
    _only_wav(face)
    return wav.samples(content)


def changed(content: bytes, face: Face, change: Change) -> bytes:
    """The file with its samples changed; every other part of it is kept.

    Raises:
        MalformedError: likewise.
    """
    _only_wav(face)
    before, rate = wav.samples(content)
    return wav.with_samples(content, change(before, rate))


def _only_wav(face: Face) -> None:
    if not changeable(face):
        raise MalformedError(
            f"the samples of a .{face.extension} file are not changed after encoding; "
            "put the label in before (`rhythm`, then `labelled=True`)"
        )
