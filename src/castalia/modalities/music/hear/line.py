"""One voice out of posteriors: the likeliest path through pitches and silence, cut into notes.

A hidden Markov model whose states are the 88 pitches and silence (Ryynänen and Klapuri 2008, "Automatic transcription
of melody, bass line, and chords", Computer Music Journal 32(3), in its simplest form): onsets make changes cheap, and
octaves are told apart by what stands before and after. The path keeps a tuning that moves with the singer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.hear.posteriors import FRAMES_A_SECOND, LOWEST, PITCHES, THIRDS, Posterior, Posteriors

_CHANGE, _START, _STOP = 5.0, 3.5, 2.5
"""Nats that it costs to go from pitch to pitch, from silence to a pitch, and back."""
_WELCOME = 4.0
"""Nats off the first two where an onset is sure."""
_LEAP = 0.06
"""Nats a semitone of a change, beyond a fifth thrice as many."""
_VOICED = 0.36
"""Salience at which a pitch is as likely as silence."""
_SHARP = 8.0
"""Nats from no salience to all of it."""
_QUIET = -42.0
"""Decibels below the loudest frame under which nothing is sung."""
_SHORTEST = 0.06
"""Seconds of a note."""
_AGAIN = 0.12
"""Seconds between two beginnings of one pitch."""
_STRUCK, _DIP = 0.95, 0.05
"""Onset posterior and decibels of a dip, together, from which a pitch is sung again."""
_SURE, _APART, _WAVES = 1.2, 0.2, 4
"""Where so many rises are alike it is a tremolo, and one must be sure, or stand out from their median."""
_BEFORE, _AFTER, _HEARD = 4, 8, 0.25
"""Frames around the path's beginning of a note in which its onset is looked for, and the least of it."""
_EARLIEST, _GROWING = 14, 0.15
"""Frames before that from which a pitch may have grown under the last one, and the salience of that."""
_LATE = 1.0
"""Frames by which onsets are seen after the sound, on a voice and on instruments alike."""
_FOLLOW = 0.25
"""Share of a note's own offset that the tuning takes on."""


@dataclass(frozen=True)
class HeardNote:
    """A note in time."""

    start: float
    """Seconds."""
    end: float
    pitch: int
    """MIDI number."""
    cents: float = 0.0
    """How far it was sung above that pitch of the recording's own tuning."""
    loud: float = 0.0
    """Decibels below the loudest frame, mean."""


def line_of(heard: Posteriors) -> tuple[list[HeardNote], float]:
    """The notes of one voice, in order, and its tuning in cents above A = 440 Hz.

    Args:
        heard: From the network, or made in the same form by other means.
    """
    pitch, sure = fine_pitch(heard)
    tuning = tuning_of(pitch, sure * (heard.loud > _QUIET))
    salience, onsets = _shifted(heard, tuning)
    salience = np.where(heard.loud[:, None] > _QUIET, salience, 0).astype(np.float32)
    path = _path(salience, onsets)
    cuts = _cut(path, onsets, heard.loud)
    return _named(cuts, salience, onsets, heard, pitch, tuning), tuning * 100


def fine_pitch(heard: Posteriors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(MIDI pitch of the strongest fine bin of each frame, interpolated (frames,), its posterior (frames,))."""
    fine = heard.fine
    best = fine.argmax(1).clip(1, fine.shape[1] - 2)
    rows = np.arange(len(fine))
    left, middle, right = (fine[rows, best + at].astype(np.float64) for at in (-1, 0, 1))
    curve = left - 2 * middle + right
    shift = np.where(curve < -1e-6, 0.5 * (left - right) / np.minimum(curve, -1e-6), 0).clip(-0.5, 0.5)
    return LOWEST + (best - 1 + shift) / THIRDS, middle


def tuning_of(pitch: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Semitones, in [-0.5, 0.5), that most of what is sung lies above equal temperament: a circular mean."""
    turned = np.sum(np.where(weight > 0.3, weight, 0) * np.exp(2j * np.pi * pitch))
    if abs(turned) < 1e-9:
        return 0.0
    found = float(np.angle(turned)) / (2 * np.pi)
    return found if found < 0.5 else found - 1


def _shifted(heard: Posteriors, tuning: float) -> tuple[Posterior, Posterior]:
    """Salience and onsets (frames, PITCHES) on the recording's own scale."""
    at = (np.arange(PITCHES) + tuning) * THIRDS + 1
    fine = np.stack([_at(heard.fine, at + step) for step in (-1, -0.5, 0, 0.5, 1)]).max(0)
    semitone = np.arange(PITCHES)
    notes = _at(heard.notes, semitone + tuning)
    near = np.maximum(heard.onsets, _at(heard.onsets, semitone + np.sign(tuning) * (abs(tuning) > 0.2)))
    return (0.5 * fine + 0.5 * notes).astype(np.float32), near


def _at(rows: Posterior, place: NDArray[np.floating]) -> Posterior:
    """Rows read between their columns."""
    most = rows.shape[1] - 1
    below = np.floor(place).astype(np.int64).clip(0, most)
    share = (place - below).clip(0, 1)
    found = rows[:, below] * (1 - share) + rows[:, (below + 1).clip(0, most)] * share
    return found.astype(np.float32)


def _path(salience: Posterior, onsets: Posterior) -> NDArray[np.int64]:
    """The likeliest state of each frame (frames,): a pitch from 0, or -1 for silence (Viterbi)."""
    frames = len(salience)
    emitted = _SHARP * (salience - _VOICED)
    welcome = _WELCOME * np.maximum(onsets, np.concatenate([onsets[1:], onsets[-1:]])).clip(0, 1)
    apart = np.abs(np.arange(PITCHES)[:, None] - np.arange(PITCHES)[None])
    between = _CHANGE + _LEAP * apart + 2 * _LEAP * np.maximum(apart - 7, 0)
    np.fill_diagonal(between, 0)
    best, silent = np.full(PITCHES, -_START), 0.0
    came = np.full((frames, PITCHES), -1, np.int16)
    stopped = np.full(frames, -1, np.int16)
    for time in range(frames):
        moved = best[:, None] - between  # (from, to)
        source = moved.argmax(0)
        reached = moved[source, np.arange(PITCHES)]
        reached = np.where(source == np.arange(PITCHES), reached, reached + welcome[time])
        stay = best > reached
        reached, source = np.where(stay, best, reached), np.where(stay, np.arange(PITCHES), source)
        begun = silent - _START + welcome[time]
        fresh = begun > reached
        loudest = int(best.argmax())
        ended = best[loudest] - _STOP
        came[time] = np.where(fresh, -1, source)
        if ended > silent:
            stopped[time] = loudest
        silent = max(silent, ended)
        best = np.where(fresh, begun, reached) + emitted[time]
    path = np.full(frames, -1, np.int64)
    state = int(best.argmax()) if best.max(initial=-np.inf) > silent else -1
    for time in range(frames - 1, -1, -1):
        path[time] = state
        state = int(came[time, state] if state >= 0 else stopped[time])
    return path


def _cut(path: NDArray[np.int64], onsets: Posterior, loud: Posterior) -> list[tuple[int, int, int]]:
    """(first frame, frame after the last, pitch from 0) of each note: runs of a pitch, cut where it is sung again.

    Vibrato and tremolo look like beginnings to the network; a pitch that is sung again falls off before it rises.
    """
    edges = np.flatnonzero(np.diff(path)) + 1
    made: list[tuple[int, int, int]] = []
    gap = round(_AGAIN * FRAMES_A_SECOND)
    for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(path)], strict=True):
        pitch = int(path[first])
        if pitch < 0:
            continue
        again = _again(first, last, onsets[:, pitch], loud, gap)
        usual = float(np.median([sign for _, sign in again])) if len(again) >= _WAVES else 0.0
        begin = first
        for time, sign in again:
            if time - begin >= gap and sign > _STRUCK and (sign > _SURE or sign > usual + _APART):
                made.append((begin, time, pitch))
                begin = time
        made.append((begin, last, pitch))
    least = _SHORTEST * FRAMES_A_SECOND
    return [each for each in made if each[1] - each[0] >= least]


def _again(first: int, last: int, onsets: Posterior, loud: Posterior, gap: int) -> list[tuple[int, float]]:
    """(frame, sign that the pitch is sung again there) at each rise of its onsets within a run."""
    made: list[tuple[int, float]] = []
    for time in range(first + gap, last - gap // 2):
        here = float(onsets[time])
        if here < 0.25 or here < onsets[max(time - 3, 0) : time + 4].max():
            continue
        lowest = float(loud[max(time - 9, 0) : time + 2].min())
        rises = float(loud[time : time + 9].max()) - lowest
        fell = float(loud[max(time - 16, 0) : max(time - 2, 1)].max()) - lowest
        made.append((time, here + _DIP * min(max(min(rises, fell), 0.0), 10.0)))
    return made


def _begun(first: int, pitch: int, salience: Posterior, onsets: Posterior) -> float:
    """The frame at which a note begins: where its onset is likeliest from when the pitch grows on, between frames.

    A slow voice is heard under the echo of the note before it until it takes over, which is when the path turns to it.
    """
    low = max(first - _BEFORE, 0)
    while low > max(first - _EARLIEST, 0) and salience[low - 1, pitch] > _GROWING:
        low -= 1
    near = onsets[low : first + _AFTER, pitch].astype(np.float64)
    if not len(near) or near.max() < _HEARD:
        return float(low + _BEFORE if low < first - _BEFORE else first)
    return low + float((near**4 * np.arange(len(near))).sum() / (near**4).sum())


def _named(
    cuts: list[tuple[int, int, int]],
    salience: Posterior,
    onsets: Posterior,
    heard: Posteriors,
    pitch: NDArray[np.float64],
    tuning: float,
) -> list[HeardNote]:
    """Notes with their pitch by the tuning as it drifts."""
    made: list[HeardNote] = []
    offset = tuning
    for first, last, state in cuts:
        inner = slice(first + (last - first) // 4, max(last - (last - first) // 8, first + 1))
        near = pitch[inner][np.abs(pitch[inner] - (state + LOWEST + offset)) < 1.5]
        sung = float(np.median(near)) if len(near) else state + LOWEST + offset
        name = round(sung - offset)
        off = sung - offset - name
        if abs(off) < 0.4:
            offset += _FOLLOW * off
        made.append(
            HeardNote(
                max(_begun(first, state, salience, onsets) - _LATE, 0) / FRAMES_A_SECOND,
                last / FRAMES_A_SECOND,
                name,
                off * 100,
                float(heard.loud[first:last].mean()),
            )
        )
    return made
