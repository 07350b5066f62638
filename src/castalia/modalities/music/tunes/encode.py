"""Scores to tunes: one note after another, breaths filled, pitches counted from the tonic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from castalia.core.score import QUARTER, Note, Score
from castalia.modalities.music.tunes.tune import KINDS, SILENCE, Setting, Tune, home, metre_of, mode_of, tonic_class

BREATH = QUARTER * 3 // 2
"""Ticks of a rest up to which it counts to the note before it."""


def setting_of(score: Score, length: int, kind: str) -> Setting:
    """What is known of a score's tune before its first note.

    Args:
        score: Key, metre and pickup.
        length: Ticks of the whole.
        kind: One of `KINDS`; others count as none.
    """
    metre = score.metres[0]
    return Setting(
        bar=metre.bar,
        pickup=score.pickup,
        length=length,
        metre=metre_of(metre.beats, metre.unit),
        mode=mode_of(score.mode),
        kind=KINDS.index(kind) if kind in KINDS else 0,
    )


def tune_of(notes: Sequence[Note], score: Score, kind: str) -> Tune:
    """A melody as a tune.

    Args:
        notes: One at a time, sorted.
        score: Key, metre and pickup.
        kind: One of `KINDS`.
    """
    tonic = home(tonic_class(score.fifths, score.mode), float(np.median([note.pitch for note in notes])))
    made: list[tuple[int, int]] = []
    now = 0
    for note in notes:
        if (gap := note.start - now) > 0:
            if made and gap <= BREATH:
                made[-1] = (made[-1][0] + gap, made[-1][1])
            else:
                made.append((gap, SILENCE))
        elif gap < 0 and made:
            made[-1] = (max(1, made[-1][0] + gap), made[-1][1])
        made.append((note.length, note.pitch - tonic))
        now = note.start + note.length
    return Tune(setting_of(score, now, kind), np.array(made, np.int64).reshape(-1, 2))
