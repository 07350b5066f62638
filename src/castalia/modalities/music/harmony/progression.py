"""A progression without a melody, that returns to where it began."""

from __future__ import annotations

import numpy as np

from castalia.core.score import Mode
from castalia.modalities.music.harmony.chords import NAMES, STATES
from castalia.modalities.music.harmony.find import taste
from castalia.modalities.music.harmony.model import ChordModel, Floats, tones

PHRASE = 4
"""Chords of a phrase."""
_TRIES = 12
"""Phrases that are drawn; the first one with the most different chords is taken."""
_STRICT = 1.5
"""How much stronger than under a melody the liking for plain chords of the key is."""
_AT_HOME = -1.5
"""Nats for a chord on the tonic in the middle of a phrase."""
_LEAD_HOME = 1.2
"""Nats for a fifth or a step that leads from the end to the beginning."""


def draw_progression(count: int, mode: Mode, model: ChordModel, *, seed: int, temperature: float = 1.0) -> list[int]:
    """States of `count` chords (see `harmony.chords.STATES`), each unlike the one before, the last unlike the first.

    Phrases of four begin alike; every second one ends anew, and the last one leads to the first chord.

    Args:
        count: At least 2.
        mode: Of the key.
        model: The counts.
        seed: Of the draw.
        temperature: Above 1 makes rarer chords likelier.
    """
    chance = np.random.default_rng(seed)
    if count < 2:
        return [_home(mode)] * count
    length = PHRASE if count % PHRASE == 0 else count
    first = _drawn([_home(mode)], length, mode, model, temperature, chance)
    made = list(first)
    for phrase in range(1, count // length):
        made += _drawn(first[: length // 2], length, mode, model, temperature, chance) if phrase % 2 else first
    return made


def with_seventh(state: int, mode: Mode) -> int:
    """A triad with the seventh that the key has; in minor the dominant's is the small one. Others stay as they are."""
    quality, root = NAMES[state // 12], state % 12
    scale = (0, 2, 3, 5, 7, 8, 10) if mode in ("minor", "dorian", "phrygian") else (0, 2, 4, 5, 7, 9, 11)
    if quality == "m":
        return 12 * NAMES.index("m7") + root
    if quality != "":
        return state
    return 12 * NAMES.index("maj7" if (root + 11) % 12 in scale and root != 7 else "7") + root


def _drawn(
    begin: list[int], length: int, mode: Mode, model: ChordModel, temperature: float, chance: np.random.Generator
) -> list[int]:
    """A phrase that begins so and leads back to its beginning."""
    home = begin[0]
    away = np.array([float(state % 12 == home % 12) for state in range(STATES)])
    move = model.follows(mode) + _STRICT * taste(mode, plain=False) + _AT_HOME * away
    back = move[:, home] + _LEAD_HOME * _leading(home)
    ahead = [back]  # nats of getting home from each chord, by how many steps are left
    for _ in range(length):
        ahead.append(_sum(move + ahead[-1][None, :]))
    best: list[int] = []
    for _ in range(_TRIES):
        path = list(begin)
        while len(path) < length:
            scores = (move[path[-1]] + ahead[length - len(path) - 1]) / temperature
            weights = np.exp(scores - scores.max())
            path.append(int(chance.choice(STATES, p=weights / weights.sum())))
        if _roots(path) > _roots(best):
            best = path
    return best


def _roots(path: list[int]) -> int:
    return len({state % 12 for state in path})


def _home(mode: Mode) -> int:
    """The tonic triad."""
    return 12 * NAMES.index("m") if mode in ("minor", "dorian", "phrygian") else 0


def _leading(home: int) -> Floats:
    """Which chords lead home: their root a fifth above or a step beside it, or a fourth above."""
    root = tones(home)[0]
    return np.array([float((state - root) % 12 in (7, 2, 10, 5, 11)) for state in range(STATES)])


def _sum(scores: Floats) -> Floats:
    """Log of the sum of exponentials over the last axis."""
    top = scores.max(-1, keepdims=True)
    return np.log(np.exp(scores - top).sum(-1)) + top[..., 0]
