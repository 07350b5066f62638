"""What a melody may do next while it is written: lengths that fill the bar, and notes that can be played and sung.

Judged afterwards by other code (`quality`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.score import QUARTER
from castalia.modalities.music.tunes.form import Close, Phrase
from castalia.modalities.music.tunes.tune import HIGHEST, LENGTHS, LOWEST, METRES, PITCHES, Setting

REPEATS = 3
"""Most times that a note is struck in a row."""
_COMPOUND = 3
"""Number of the first of `METRES` whose beats are dotted."""
_LEAP = 12
"""Semitones of the largest leap."""
_HARD = (6, 10, 11)
"""Leaps that are hard to sing: tritone and sevenths."""
_HARDLY = -2.5
"""Nats of such a leap."""
_AFTER_LEAP = -0.7
"""Nats of going on in the direction of a leap of a sixth or more."""
_FAR = 0.8
"""Nats for each semitone more."""
_TRIPLET = (8, 16, 32)
_STEPS = np.arange(LOWEST, HIGHEST + 1)

Mask = NDArray[np.bool_]
Nats = NDArray[np.float32]


@dataclass(frozen=True)
class Rest:
    """Where the last note of a phrase may begin.

    Attributes:
        places: Ticks, on beats; empty where what is given decides.
        end: Tick at which the phrase ends.
    """

    places: tuple[int, ...]
    end: int


def rest_of(phrase: Phrase, setting: Setting) -> Rest:
    """Beats of the last bar from which the phrase's last note can be held: for a quarter, in three-four for two."""
    beat = QUARTER * 3 // 2 if setting.metre >= _COMPOUND else QUARTER
    shortest = 2 * QUARTER if METRES[setting.metre] == (3, 4) else QUARTER
    first = max(phrase.end - setting.bar + 1, phrase.start)
    places = [
        tick for tick in range(first, phrase.end - shortest + 1) if (tick - setting.pickup) % beat == 0 and tick >= 0
    ]
    return Rest(tuple(places), phrase.end)


def strong_beat(setting: Setting) -> int:
    """Ticks from one strong beat to the next: dotted quarters, half bars, or in three-four whole ones."""
    if setting.metre >= _COMPOUND:
        return QUARTER * 3 // 2
    return setting.bar if METRES[setting.metre] == (3, 4) else setting.bar // 2


def lengths_at(tick: int, setting: Setting, rest: Rest, limit: int) -> Mask:
    """Lengths that a note may have (lengths,): within its bar, on the grid, and so that the phrase can come to rest.

    Args:
        tick: Where it begins.
        setting: Of the tune.
        rest: Of its phrase.
        limit: Tick at which the next given note begins, or the end.
    """
    place = (tick - setting.pickup) % setting.bar
    bar_ends = min(limit, tick + setting.bar - place, rest.end)
    gate = max(rest.places, default=rest.end)
    mask = np.zeros(len(LENGTHS), bool)
    for number, ticks in enumerate(LENGTHS):
        ends = tick + ticks
        in_time = ends <= gate or (ends == rest.end and tick in rest.places) or tick > gate
        mask[number] = ends <= bar_ends and in_time and _on_grid(place, ticks)
    return mask


def pitches_at(low: int, high: int, before: int, after: int, repeats: int) -> tuple[dict[str, Mask], Nats]:
    """Pitches that each rule allows (PITCHES,), and nats for and against them; a rest never comes of itself.

    Args:
        low: Semitones above the tonic, lowest.
        high: The same, highest.
        before: The note before, a symbol; `PITCHES` or more for none.
        after: The given note that follows at once, likewise.
        repeats: How many times in a row the note before was struck.
    """
    rules = {name: np.ones(PITCHES, bool) for name in ("range", "leaps", "repeats", "rest")}
    rules["range"][:-1] = (low <= _STEPS) & (high >= _STEPS)
    rules["rest"][-1] = False
    nats = np.zeros(PITCHES, np.float32)
    for other in (before, after):
        if other >= PITCHES - 1:
            continue
        leap = np.abs(np.arange(PITCHES - 1) - other)
        rules["leaps"][:-1] &= leap <= _LEAP
        nats[:-1] += np.where(np.isin(leap, _HARD), _HARDLY, 0)
    if repeats >= REPEATS and before < PITCHES - 1:
        rules["repeats"][before] = False
    return rules, nats


def turning_back(before: int, earlier: int) -> Nats:
    """Nats against going on in the direction of a large leap (PITCHES,)."""
    nats = np.zeros(PITCHES, np.float32)
    if max(before, earlier) < PITCHES - 1 and abs(before - earlier) >= 8:
        onward = np.sign(np.arange(PITCHES - 1) - before) == np.sign(before - earlier)
        nats[:-1] = np.where(onward, _AFTER_LEAP, 0)
    return nats


def closing(close: Close, mode: int) -> Mask:
    """Pitches on which a phrase may end (PITCHES,): away from home, or on the tonic.

    Args:
        close: How it ends.
        mode: Number among `MODES`.
    """
    third = 3 if mode in (1, 2) else 4
    names = (2, 7, third, *((10,) if mode else ())) if close == "open" else (0,)
    return np.append(np.isin(_STEPS % 12, names), np.False_)


def near(before: int) -> Nats:
    """Nats against coming to rest by a leap of more than a fourth (PITCHES,)."""
    nats = np.zeros(PITCHES, np.float32)
    if before < PITCHES - 1:
        nats[:-1] = -_FAR * np.maximum(np.abs(np.arange(PITCHES - 1) - before) - 5, 0)
    return nats


def belonging(names: frozenset[int], nats: float) -> Nats:
    """Nats against pitches whose distance from the tonic, within an octave, is not among `names` (PITCHES,)."""
    return np.append(np.where(np.isin(_STEPS % 12, sorted(names)), 0, -nats), 0).astype(np.float32)


def _on_grid(place: int, ticks: int) -> bool:
    """Whether a note of that length may begin at that place of the bar and leave one from which the bar can go on."""
    ends = place + ticks
    if place % 6:  # within a triplet
        return ticks in _TRIPLET and ends <= place - place % QUARTER + QUARTER and ends % 8 == 0
    if ticks in _TRIPLET:
        return place % (24 if ticks == 8 else QUARTER) == 0
    if ticks % 12:
        return place % 12 == 6 if ends % 12 == 0 else place % 24 == 0
    return place % 12 == 0
