"""How a chorale is laid out: its phrases, and the cadence to which each comes.

After the cadences usual in four-part chorales (Piston, "Harmony", chapters 13 and 19): inner phrases rest on the
tonic, the dominant (as a half cadence or in its own key), or in a near key; the one before the last not on the tonic.
Soprano and bass of a cadence, its chord of rest and the one before, are drawn from the usual formulas.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from castalia.core.music import Span
from castalia.genres._music import Key, Mode

_BARS = 2
"""Of a phrase; the last one takes what is left."""
_GOALS: dict[Mode, Sequence[tuple[int, Mode, bool, float]]] = {
    "major": (
        (0, "major", True, 0.28),
        (1, "major", True, 0.22),
        (1, "major", False, 0.16),
        (0, "minor", True, 0.18),
        (-1, "minor", True, 0.08),
        (-1, "major", True, 0.08),
    ),
    "minor": (
        (0, "minor", True, 0.26),
        (0, "major", True, 0.28),
        (4, "major", False, 0.22),
        (1, "minor", True, 0.1),
        (-1, "minor", True, 0.08),
        (1, "major", True, 0.06),
    ),
}
"""Where inner phrases may rest: sharps from home, mode, whether that key is gone into, and how often."""
_THIRD = -1
"""Stands for the third of the chord of rest."""
_AUTHENTIC = (((2, 0), 0.45), ((11, 0), 0.2), ((5, _THIRD), 0.15), ((2, _THIRD), 0.1), ((7, 7), 0.1))
_HALF = (((5, _THIRD), 0.6), ((7, 7), 0.1), ((5, 7), 0.3))
"""The soprano's steps to rest, in semitones over the root of the chord of rest, and how often."""
_TOPS, _BOTTOMS = range(64, 77), range(40, 56)
"""Pitches on which soprano and bass come to rest."""


@dataclass(frozen=True)
class Phrase:
    """One line of a chorale."""

    span: Span
    goal: Key
    """Whose tonic chord it rests on."""
    scale: Key
    """Whose notes its second half sings: the goal's where it goes into that key, else home's."""
    before: frozenset[int]
    """Pitch classes of the chord before that of rest."""
    top: tuple[int, int]
    bottom: tuple[int, int]
    """MIDI numbers of soprano and bass in both chords."""


def phrases_of(key: Key, bars: int, bar: int, seed: int) -> tuple[Phrase, ...]:
    """The phrases of a chorale, from beginning to end.

    Args:
        key: Home.
        bars: Of the whole.
        bar: Ticks of a bar.
        seed: Same seed, same plan.
    """
    rng = random.Random(seed)
    count = max(1, bars // _BARS)
    ends = [(number + 1) * _BARS * bar for number in range(count - 1)] + [bars * bar]
    found: list[Phrase] = []
    for number, end in enumerate(ends):
        goal, scale = _goal(key, found, count - number, rng)
        span = Span(found[-1].span.end if found else 0, end)
        found.append(_phrase(span, goal, scale, found, rng))
    return tuple(found)


def _goal(key: Key, before: Sequence[Phrase], left: int, rng: random.Random) -> tuple[Key, Key]:
    """Where the next of `left` phrases rests, and whose notes it sings on the way."""
    if left == 1:
        return key, key
    fit: list[tuple[Key, bool, float]] = []
    for sharps, mode, entered, share in _GOALS[key.mode]:
        goal = Key(key.fifths + sharps, mode)
        again = bool(before) and goal == before[-1].goal
        if abs(goal.fifths) <= 7 and not again and not (goal == key and left == 2):
            fit.append((goal, entered, share))
    goal, entered, _ = rng.choices(fit, [share for *_, share in fit])[0]
    return goal, goal if entered else key


def _phrase(span: Span, goal: Key, scale: Key, done: Sequence[Phrase], rng: random.Random) -> Phrase:
    """A phrase with its cadence, which rests near where the last one did."""
    third = (goal.triad[1] - goal.tonic) % 12
    authentic = scale == goal
    steps = _AUTHENTIC if authentic else _HALF
    first, last = rng.choices([step for step, _ in steps], [share for _, share in steps])[0]
    last = third if last == _THIRD else last
    under = 7 if authentic else 5
    chord = goal.dominant if authentic else scale.triad
    top, bottom = (done[-1].top[1], done[-1].bottom[1]) if done else (69, 48)
    aim = (top + 69) / 2 + rng.choice((-3, -1, 1, 3))
    rest = min((pitch for pitch in _TOPS if (pitch - goal.tonic) % 12 == last), key=lambda pitch: abs(pitch - aim))
    low = min(
        (pitch for pitch in _BOTTOMS if (pitch - goal.tonic) % 12 == 0),
        key=lambda pitch: abs(pitch - (bottom + 48) / 2),
    )
    approach = (first - last + 6) % 12 - 6
    leap = rng.choice((under, under - 12))
    return Phrase(
        span,
        goal,
        scale,
        frozenset(chord),
        (rest + approach, rest),
        (low + (leap if low + leap >= 40 else leap + 12), low),
    )
