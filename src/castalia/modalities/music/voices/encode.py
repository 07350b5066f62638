"""Scores onto the grid of four voices, and what of them is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.core.music import VoicesStep
from castalia.core.score import QUARTER, Note, Score
from castalia.modalities.music.voices.grid import VOICES, Frames
from castalia.modalities.music.voices.model import OPEN

FRAME = QUARTER // 4
"""Ticks of a frame."""


def line_of(notes: Sequence[Note], frames: int) -> NDArray[np.int64]:
    """What one voice sings at each sixteenth (frames,): the pitch that sounds there longest, 0 for none."""
    line, longest = np.zeros(frames, np.int64), np.zeros(frames)
    for note in notes:
        first, last = note.start // FRAME, -(-(note.start + note.length) // FRAME)
        for at in range(max(first, 0), min(last, frames)):
            share = min(note.start + note.length, (at + 1) * FRAME) - max(note.start, at * FRAME)
            if share > longest[at] and share * 2 >= FRAME:
                line[at], longest[at] = note.pitch, share
    return line


def frames_of(score: Score) -> Frames:
    """The first four voices of a score, high to low, on the grid; voices that it does not have rest."""
    length = -(-score.length // FRAME)
    voices = [part.notes for part in score.parts if part.kind == "voice"][:VOICES]
    grid = np.zeros((length, VOICES), np.int64)
    for voice, notes in enumerate(voices):
        grid[:, voice] = line_of(notes, length)
    return grid


def given_of(step: VoicesStep) -> Frames:
    """What a step gives (frames, voices): pitches, 0 for a rest, `OPEN` where it is to be written."""
    frames = step.length // FRAME
    given = np.full((frames, VOICES), OPEN, np.int64)
    for kept in step.kept:
        line = line_of(step.sketch.parts[kept.part].notes, frames)
        span = slice(kept.start // FRAME, -(-kept.end // FRAME))
        given[span, kept.part] = line[span]
    return given


def leading_note(step: VoicesStep) -> int:
    """Pitch class a semitone under the tonic of a step's key."""
    return (7 * step.sketch.fifths + (9 if step.sketch.mode == "minor" else 0) - 1) % 12


def still_of(step: VoicesStep) -> NDArray[np.bool_]:
    """In which frames of a step all voices hold what they sang the frame before (frames,)."""
    still = np.zeros(step.length // FRAME, bool)
    for start, end in step.holds:
        still[start // FRAME + 1 : -(-end // FRAME)] = True
    return still


def leaning_of(step: VoicesStep) -> NDArray[np.float32]:
    """A step's wishes by frame, voice and pitch class (frames, voices, 12), nats."""
    leaning = np.zeros((step.length // FRAME, VOICES, 12), np.float32)
    for wish in step.wishes:
        for part in wish.parts:
            for name, nats in wish.nats.items():
                leaning[wish.start // FRAME : -(-wish.end // FRAME), part, name] += nats
    return leaning
