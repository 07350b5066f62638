"""Voice leading while a chorale is written: which pitches a voice may sing next, as masks over the model's symbols.

After Bach's practice in four parts (Piston, "Harmony", chapters 2 and 6). Judged afterwards by other code (`quality`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.voices.grid import LOWEST, PITCHES, REST, SYMBOLS, VOICES
from castalia.modalities.music.voices.state import Numbers

RANGES = ((60, 81), (53, 76), (48, 69), (36, 64))
"""Lowest and highest pitch of soprano, alto, tenor and bass."""
_PERFECT = np.isin(np.arange(12), (0, 7))
"""Whether an interval does not move in parallel: unison and octave, fifth."""
_LARGEST_LEAP = 12
_WIDEST = 12
"""Semitones between soprano and alto, and alto and tenor."""
_SMOOTH = np.stack([~np.isin(np.arange(_LARGEST_LEAP + 2), (*leaps, 13)) for leaps in ((6, 10, 11), (10, 11))])
"""Whether a leap is sung: not a seventh, nor a tritone but in the bass, nor more than an octave (bass last)."""
_PITCH = np.arange(SYMBOLS) + LOWEST

Mask = NDArray[np.bool_]


def allowed(voice: int, chosen: Numbers, before: Numbers, sensitive: int | None = None) -> dict[str, Mask]:
    """Which symbols each rule allows (rows, SYMBOLS), by the rule's name; rests are never among them.

    Args:
        voice: 0 soprano … 3 bass.
        chosen: Pitches of the other voices in this frame as far as they are known (rows, voices); 0 for a rest, and for
            what is not known.
        before: Pitches of all voices in the frame before (rows, voices), 0 for a rest or the beginning.
        sensitive: Pitch class of the leading note, which one voice sings at a time; None leaves it alone.
    """
    rows = len(chosen)
    mine = before[:, voice, None]
    low, high = RANGES[voice]
    rules = {
        "range": np.broadcast_to((low <= _PITCH) & (high >= _PITCH) & (np.arange(SYMBOLS) < PITCHES), (rows, SYMBOLS))
    }
    step = np.minimum(np.abs(_PITCH - mine), _LARGEST_LEAP + 1)
    rules["leaps"] = _SMOOTH[int(voice == VOICES - 1), step] | (mine == 0)
    crossing, spacing, parallels = (np.ones((rows, SYMBOLS), bool) for _ in range(3))
    for other in range(VOICES):
        if other == voice:
            continue
        theirs, was = chosen[:, other, None], before[:, other, None]
        apart = theirs - _PITCH if other < voice else _PITCH - theirs  # of the upper voice over the lower
        silent = theirs == 0
        crossing &= silent | (apart >= 0)
        if abs(other - voice) == 1 and max(other, voice) < VOICES - 1:
            spacing &= silent | (apart <= _WIDEST)
        both = (theirs != was) & (mine != _PITCH) & (mine > 0) & (was > 0) & ~silent
        interval = np.abs(was - mine) % 12
        parallels &= ~(both & (interval == np.abs(apart) % 12) & _PERFECT[interval])
    rules["spacing"] = spacing
    rules["crossing"], rules["parallels"] = crossing, parallels
    if sensitive is not None:
        others = np.delete(chosen, voice, 1)
        sung = ((others > 0) & (others % 12 == sensitive)).any(1, keepdims=True)
        rules["leading-note"] = ~(sung & (sensitive == _PITCH % 12) & (mine != _PITCH))
    return rules


def combined(rules: dict[str, Mask]) -> tuple[Mask, list[str]]:
    """All rules together; where that leaves a row nothing, rules are given up one after another, ranges last.

    Returns:
        (mask (rows, SYMBOLS), for each row the rules that were given up, joined by commas).
    """
    order = ("leading-note", "spacing", "leaps", "crossing", "parallels", "range")
    kept = [name for name in order if name in rules]
    mask = np.logical_and.reduce([rules[name] for name in kept])
    given_up = ["" for _ in mask]
    for row in np.flatnonzero(~mask.any(1)):
        for count in range(1, len(kept)):
            left = np.logical_and.reduce([rules[name][row] for name in kept[count:]])
            if left.any():
                mask[row], given_up[row] = left, ",".join(kept[:count])
                break
        else:
            mask[row] = np.arange(SYMBOLS) != REST
            given_up[row] = ",".join(kept)
    return mask, given_up
