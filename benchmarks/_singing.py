"""Recordings whose notes are known: a synthetic hum, and instruments of the soundfont; and tunes for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import QUARTER, Metre, Note, Part, Score
from castalia.modalities.music import find_soundfont
from castalia.modalities.music.files.perform import perform
from castalia.modalities.music.files.sound import RATE, render_sound

Sound = NDArray[np.float32]
Truth = list[tuple[float, float, int]]
"""(start, end, pitch), seconds."""
_LEAD = 0.3
"""Seconds before the first hummed note."""


def hummed(score: Score, seed: int, *, drift: float = -30.0, noise: float = 20.0) -> tuple[Sound, Truth]:
    """A tune as somebody hums it: a source rich in overtones under two formants.

    With vibrato of 30 cents that sets in late, scoops of up to two semitones, notes off by 12 cents (deviation), onsets
    by 12 ms, a tuning that drifts, breath noise, and the echoes of a room.

    Args:
        score: One part.
        seed: Same seed, same sound.
        drift: Cents from beginning to end.
        noise: Decibels of signal over noise.
    """
    rng = np.random.default_rng(seed)
    per_tick = 60 / score.tempo / QUARTER
    count = int((score.length * per_tick + 1) * RATE)
    pitch, level = np.zeros(count), np.zeros(count)
    truth: Truth = []
    before = 0
    for note in score.parts[0].notes:
        start = _LEAD + note.start * per_tick + float(rng.normal(0, 0.012))
        end = _LEAD + (note.start + note.length) * per_tick
        truth.append((start, end - 0.02, note.pitch))
        span = slice(int(start * RATE), int(end * RATE))
        time = np.arange(span.stop - span.start) / RATE
        sung = np.full(len(time), note.pitch + rng.normal(0, 0.12))
        if not before or rng.random() < 0.35:
            sung -= rng.uniform(0.8, 2.0) * np.exp(-time / 0.03)
        else:
            sung += (before - note.pitch) * np.exp(-time / 0.018)
        sung += 0.3 * np.sin(2 * np.pi * 5.5 * time + rng.uniform(0, 6)) * np.clip((time - 0.15) / 0.2, 0, 1)
        pitch[span] = sung
        level[span] = np.minimum(1, time / 0.03) * np.minimum(1, time[::-1] / 0.04 + 0.12) * rng.uniform(0.75, 1)
        before = note.pitch
    known = pitch > 0
    pitch = np.interp(np.arange(count), np.flatnonzero(known), pitch[known]) + drift / 100 * np.linspace(0, 1, count)
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    sound = np.zeros(count)
    for number in range(1, 13):
        near = 2.5 * np.exp(-(((number * hertz - 350) / 150) ** 2)) + np.exp(-(((number * hertz - 1100) / 250) ** 2))
        sound += number**-1.6 * (1 + near) * np.sin(number * phase)
    sound *= level
    power = float((sound[level > 0.1] ** 2).mean())
    breath = np.convolve(rng.normal(0, 1, count), (0.5, 0.3, 0.2), "same")
    sound += breath * np.sqrt(power / 10 ** (noise / 10) / (breath**2).mean())
    dry = sound.copy()
    for delay, share in ((0.031, 0.25), (0.067, 0.15), (0.113, 0.09), (0.19, 0.05)):
        late = int(delay * RATE)
        sound[late:] += share * dry[:-late]
    return (0.6 * sound / np.abs(sound).max()).astype(np.float32), truth


def played(score: Score, program: int) -> tuple[Sound, Truth]:
    """A tune played by an instrument of the shipped soundfont, with its rubato, in its hall."""
    part = score.parts[0].model_copy(update={"program": program})
    alone = score.model_copy(update={"parts": (part,), "phrases": ()})
    notes = perform(alone)
    first = notes[0].start - 0.004  # the trimmed sound begins where the first note does
    return render_sound(alone, find_soundfont()).mean(1), [(n.start - first, n.end - first, n.pitch) for n in notes]


def soprano(frames: NDArray[np.int64], tempo: float, bars: int = 8) -> Score:
    """The first bars of a piece's soprano; a pitch that is held over a bar line is struck again there."""
    notes: list[Note] = []
    for place, pitch in enumerate(frames[: bars * 16, 0].tolist()):
        held = notes and notes[-1].pitch == pitch and notes[-1].start + notes[-1].length == place * 12 and place % 16
        if pitch > 0 and held:
            notes[-1] = notes[-1]._replace(length=notes[-1].length + 12)
        elif pitch > 0:
            notes.append(Note(place * 12, 12, pitch))
    first = notes[0].start
    shifted = tuple(note._replace(start=note.start - first) for note in notes)
    return Score(parts=(Part(name="Melody", kind="voice", notes=shifted),), tempo=tempo)


_CELLS = {
    4: ((48, 48, 48, 48), (96, 96), (72, 24, 48, 48), (24, 24, 48, 24, 24, 48), (48, 24, 24, 96), (12, 12, 24, 48, 96)),
    3: ((48, 48, 48), (96, 48), (72, 24, 48), (24, 24, 24, 24, 48), (48, 24, 24, 48), (16, 16, 16, 48, 48)),
}


def invented(seed: int, tempo: float, bars: int = 8) -> Score:
    """A tune in 4/4 or 3/4 that walks through a scale, with eighths, dots, sixteenths or triplets; a long last note."""
    rng = np.random.default_rng(seed)
    beats = 3 + seed % 2
    scale = [60 + int(rng.integers(0, 8)) + step + octave for octave in (0, 12) for step in (0, 2, 4, 5, 7, 9, 11)]
    place, degree = 0, int(rng.integers(2, 6))
    notes: list[Note] = []
    base = scale[0]
    scale = [base + octave + step for octave in (0, 12) for step in (0, 2, 4, 5, 7, 9, 11)]
    cells = [_CELLS[beats][int(rng.integers(len(_CELLS[beats])))] for _ in range(3)]
    for bar in range(bars):
        cell = cells[bar % 3] if bar < bars - 1 else (beats * QUARTER,)
        for length in cell:
            degree = int(np.clip(degree + rng.choice((-2, -1, -1, 0, 1, 1, 2, 3)), 0, 11))
            notes.append(Note(place, length, scale[0 if bar == bars - 1 else degree]))
            place += length
    return Score(
        parts=(Part(name="Melody", kind="voice", notes=tuple(notes)),), metres=(Metre(0, beats, 4),), tempo=tempo
    )
