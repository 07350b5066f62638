"""From the grid of four voices to a score: which notes are struck again, and where phrases end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castalia.core.music import VoicesStep
from castalia.core.score import Note, Score
from castalia.modalities.music.voices.encode import FRAME
from castalia.modalities.music.voices.grid import VOICES, Frames

_BEAT = 4
"""Frames of a beat."""
_LONG = 8
"""Frames of a note on which a phrase may end."""


def score_of(frames: Frames, step: VoicesStep) -> Score:
    """The sketch of a step with all its notes.

    The grid does not say where a held pitch is sung anew. A choir sings one syllable a beat, so that a pitch is struck
    again on a beat on which the soprano moves or two other voices do; kept stretches are taken note by note.

    Args:
        frames: All voices (frames, voices), MIDI pitches, 0 for a rest.
        step: What was asked for.
    """
    sketch = step.sketch
    struck = _struck(frames, step)
    parts = list(sketch.parts)
    for voice in range(VOICES):
        spans = [kept for kept in step.kept if kept.part == voice]
        notes = [note for kept in spans for note in sketch.parts[voice].notes if kept.start <= note.start < kept.end]
        kept_frames = np.zeros(len(frames), bool)
        for kept in spans:
            kept_frames[kept.start // FRAME : -(-kept.end // FRAME)] = True
        notes += _notes(frames[:, voice], struck[:, voice], kept_frames)
        parts[voice] = parts[voice].model_copy(update={"notes": tuple(sorted(notes))})
    return sketch.model_copy(update={"parts": tuple(parts), "phrases": _phrases(frames, struck, step)})


def _struck(frames: Frames, step: VoicesStep) -> NDArray[np.bool_]:
    """Where a note begins (frames, voices)."""
    moves = np.ones_like(frames, bool)
    moves[1:] = frames[1:] != frames[:-1]
    onsets = moves.copy()
    for kept in step.kept:
        for note in step.sketch.parts[kept.part].notes:
            if kept.start <= note.start < kept.end and note.start // FRAME < len(frames):
                onsets[note.start // FRAME, kept.part] = True
    syllable = onsets[:, 0] | (onsets[:, 1:].sum(1) >= 2)
    beat = (np.arange(len(frames)) - step.sketch.pickup // FRAME) % _BEAT == 0
    return onsets | (syllable & beat)[:, None]


def _notes(line: NDArray[np.int64], struck: NDArray[np.bool_], kept: NDArray[np.bool_]) -> list[Note]:
    notes: list[Note] = []
    begin = -1
    for time in range(len(line) + 1):
        ends = time == len(line) or struck[time] or line[time] != line[time - 1] or kept[time]
        if begin >= 0 and ends:
            notes.append(Note(begin * FRAME, (time - begin) * FRAME, int(line[begin])))
            begin = -1
        if time < len(line) and begin < 0 and not kept[time] and line[time] > 0:
            begin = time
    return notes


def _phrases(frames: Frames, struck: NDArray[np.bool_], step: VoicesStep) -> tuple[int, ...]:
    """Ticks at which chords end that all voices hold for a half note or longer, where quicker ones follow; the end."""
    if step.sketch.phrases:
        return step.sketch.phrases
    starts = np.flatnonzero(struck.any(1))
    ends = np.append(starts[1:], len(frames))
    long = ends - starts >= _LONG
    closes = long & ~np.append(long[1:], False)
    closes[-1] = True
    return tuple(int(end) * FRAME for end in ends[closes])
