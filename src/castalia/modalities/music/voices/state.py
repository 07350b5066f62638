"""What is known of many pieces at once before their next frame: the same code feeds training and sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.voices.grid import LOWEST, VOICES, Frames, symbols_of

Numbers = NDArray[np.int64]

START = (69, 62, 57, 50)
"""Pitches that stand for a voice that has not sung yet: the middle of its range."""
LONGEST = 17
"""Sixteenths from which a note counts as that long."""
NONE = 99
"""Stands for a pitch or interval that there is not."""
BACK = 8
"""Frames that are remembered one by one."""


class State:
    """The past of `rows` pieces that grow in step, one frame at a time.

    Args:
        rows: How many pieces.

    Attributes:
        time: Frames so far.
        recent: Last frames, newest first (BACK, rows, voices), MIDI pitches, 0 for a rest and before the beginning.
        reference: Each voice's last sounding pitch (rows, voices).
        held: How long it has been sounding, 0–17 sixteenths (rows, voices).
        steps: Its last six melodic intervals, newest first (rows, voices, 6), semitones.
        lengths: How long the notes before it were (rows, voices, 6), sixteenths.
        chord: The last frame that differs from the newest (rows, voices), -1 where there is none.
    """

    def __init__(self, rows: int) -> None:
        self.time = 0
        self.recent = np.zeros((BACK, rows, VOICES), np.int64)
        self.reference = np.tile(np.array(START, np.int64), (rows, 1))
        self.held = np.zeros((rows, VOICES), np.int64)
        self.steps = np.full((rows, VOICES, 6), NONE, np.int64)
        self.lengths = np.zeros((rows, VOICES, 6), np.int64)
        self.chord = np.full((rows, VOICES), -1, np.int64)
        self._sung = np.zeros((rows, VOICES), bool)

    @property
    def rows(self) -> int:
        """How many pieces."""
        return len(self.reference)

    def advance(self, frame: Numbers) -> None:
        """Append a frame (rows, voices) of MIDI pitches."""
        sounds = frame > 0
        moves = sounds & self._sung & (frame != self.reference)
        moved = moves[..., None]
        step, length = (frame - self.reference)[..., None], self.held[..., None]
        self.steps = np.where(moved, np.concatenate([step, self.steps[..., :-1]], -1), self.steps)
        self.lengths = np.where(moved, np.concatenate([length, self.lengths[..., :-1]], -1), self.lengths)
        begins = moves | (sounds & ~self._sung)
        self.held = np.where(begins, 1, np.minimum(self.held + sounds, LONGEST))
        self.reference = np.where(sounds, frame, self.reference)
        self._sung |= sounds
        if self.time:
            new_chord = (frame != self.recent[0]).any(1, keepdims=True)
            self.chord = np.where(new_chord, self.recent[0], self.chord)
        self.recent = np.concatenate([frame[None], self.recent[:-1]])
        self.time += 1

    def inputs(self) -> dict[str, Numbers]:
        """What the network reads before the next frame: symbols and small numbers, each with `rows` first."""
        return {
            "previous": symbols_of(self.recent[0]),
            "reference": self.reference - LOWEST,
            "held": self.held,
            "place": np.full(self.rows, self.time % 16, np.int64),
            "since": np.full(self.rows, min(self.time, 15), np.int64),
        }


def walk(pieces: Sequence[Frames]) -> Iterator[tuple[State, Numbers, NDArray[np.bool_]]]:
    """The states of pieces of unlike length before each frame, with the frame, and which of them still go on."""
    state, longest = State(len(pieces)), max(map(len, pieces))
    padded = np.zeros((longest, len(pieces), VOICES), np.int64)
    for row, piece in enumerate(pieces):
        padded[: len(piece), row] = piece
    lengths = np.array([len(piece) for piece in pieces])
    for time in range(longest):
        yield state, padded[time], lengths > time
        state.advance(padded[time])
