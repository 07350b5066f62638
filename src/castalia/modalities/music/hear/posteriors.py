"""What sounds when: posteriors of notes, of their beginnings and of fine pitch, by basic-pitch's network.

Bittner et al. 2022, "A lightweight instrument-agnostic model for polyphonic note transcription and multipitch
estimation" (ICASSP); weights of basic-pitch 0.4.0, Apache-2.0, unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.engines import onnx_runtime
from castalia.modalities.music.hear.recording import RATE, Sound

HOP = 256
"""Samples between frames."""
FRAMES_A_SECOND = RATE / HOP
LOWEST = 21
"""MIDI number of the first of 88 pitches."""
PITCHES = 88
THIRDS = 3
"""Bins of fine pitch in a semitone, its own pitch in the middle."""
_WINDOW = 43_844
_EDGE = 15
"""Frames at both ends of a window that are left to its neighbours."""
_KEPT = 141

Posterior = NDArray[np.float32]


@dataclass(frozen=True)
class Posteriors:
    """Chances by frame; frame `n` is at `n · HOP / RATE` seconds."""

    notes: Posterior
    """(frames, PITCHES), that a note sounds."""
    onsets: Posterior
    """(frames, PITCHES), that it begins."""
    fine: Posterior
    """(frames, PITCHES · THIRDS), that this pitch sounds."""
    loud: Posterior
    """(frames,), decibels below the loudest frame."""


def listen(sound: Sound) -> Posteriors:
    """The posteriors of a recording.

    Args:
        sound: (samples,) at `RATE`.

    Raises:
        MissingError: onnxruntime is not installed.
    """
    session = _session()
    frames = -(-len(sound) // HOP)
    step = _KEPT * HOP
    count = -(-frames // _KEPT)
    level = float(np.abs(sound).max(initial=0.0))
    padded = np.zeros(_EDGE * HOP + count * step + _WINDOW, np.float32)
    padded[_EDGE * HOP : _EDGE * HOP + len(sound)] = sound / max(level, 1e-6)
    name = session.get_inputs()[0].name
    kept: list[list[Posterior]] = [[], [], []]
    for number in range(count):
        window = padded[number * step : number * step + _WINDOW]
        fine, notes, onsets = _run(session, name, window)
        for rows, found in zip(kept, (notes, onsets, fine), strict=True):
            rows.append(found[_EDGE : _EDGE + _KEPT])
    notes, onsets, fine = (np.concatenate(rows)[:frames] for rows in kept)
    return Posteriors(notes, onsets, fine, loudness_of(sound))


def loudness_of(sound: Sound) -> Posterior:
    """Level of each frame (frames,), decibels below the loudest, over 35 ms around it."""
    frames = -(-len(sound) // HOP)
    padded = np.zeros((frames + 2) * HOP, np.float32)
    padded[HOP : HOP + len(sound)] = sound
    power = (padded.reshape(-1, HOP) ** 2).mean(1)
    around = np.convolve(power, (0.25, 0.5, 0.25), "valid")[:frames]
    return (10 * np.log10(np.maximum(around / max(float(around.max(initial=0.0)), 1e-12), 1e-9))).astype(np.float32)


def _run(session: Any, name: str, window: Sound) -> tuple[Posterior, Posterior, Posterior]:  # noqa: ANN401 - onnxruntime has no types
    """(fine, notes, onsets) of a window, in the order of the network's own outputs' numbers."""
    outputs = ["StatefulPartitionedCall:0", "StatefulPartitionedCall:1", "StatefulPartitionedCall:2"]
    fine, notes, onsets = session.run(outputs, {name: window[None, :, None]})
    return fine[0], notes[0], onsets[0]


@cache
def _session() -> Any:  # noqa: ANN401 - onnxruntime has no types
    model = files("castalia") / "data" / "music" / "hear" / "nmp.onnx"
    return onnx_runtime.session(model.read_bytes(), extra="hear")
