"""Voicings: which notes a chord is played with, moving as little as can be and leaving room for the melody."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise, product

from castalia.core.music import Player
from castalia.modalities.music.arrange.cells import Cell

_WIDEST = 16
"""Semitones from the lowest to the highest note of a chord."""
_LOWEST, _ROOM = 40, 12
"""MIDI number down to which a range is moved under a low melody, and how wide it stays."""
_DEEP = 50
"""MIDI number under which a melody is taken for a bass."""
_MUDDY = 48
"""MIDI number below which notes stand a fourth apart or more."""
_FEWER = 2.0
"""Cost of each note fewer than asked for."""
_ABOVE, _CLASH, _THICK, _MUD, _CENTRE, _JUMP, _MISSING = 6.0, 60.0, 1.5, 5.0, 0.25, 1.0, 8.0
"""Cost of a semitone above the melody, of a semitone against a long note of it, of a second, of a muddy interval, of a
semitone from the middle of the range, of a semitone of movement, and of a third or seventh that is left out."""


def voicings(made: Sequence[Cell], player: Player, floors: Sequence[int] = ()) -> list[tuple[int, ...]]:
    """Pitches of each cell, low to high; none where there is no chord.

    Args:
        made: The cells.
        player: Whose range, voices and root they are.
        floors: A pitch for each cell that the notes stay over; empty for none.
    """
    found: list[tuple[int, ...]] = []
    before: tuple[int, ...] = ()
    for cell, floor in zip(made, floors or [0] * len(made), strict=True):
        here = _best(cell, before, player, floor) if cell.chord.tones else ()
        found.append(here)
        before = here or before
    return found


def _best(cell: Cell, before: tuple[int, ...], player: Player, floor: int) -> tuple[int, ...]:
    lowest, highest, rooted = player.lowest, player.highest, player.rooted
    if cell.lowest >= _DEEP:  # a melody below is played above
        highest = min(highest, max(cell.lowest - 1, _LOWEST + _ROOM))
        lowest = min(lowest, highest - _ROOM)
    lowest = max(lowest, floor + 1)
    highest = max(highest, lowest + _ROOM)
    options: list[tuple[float, tuple[int, ...]]] = []
    for names, missing in _names(cell, player.voices, rooted=rooted):
        places = [[pitch for pitch in range(lowest, highest + 1) if pitch % 12 == name] for name in names]
        for chosen in product(*places):
            notes = tuple(sorted(set(chosen)))
            if len(notes) < len(names) or notes[-1] - notes[0] > _WIDEST + (5 if rooted else 0):
                continue
            if rooted and notes[0] % 12 != cell.chord.bass:
                continue
            fewer = _FEWER * (player.voices - len(notes))
            options.append((fewer + _MISSING * missing + _cost(notes, cell, before, (lowest + highest) / 2), notes))
    return min(options)[1] if options else (_nearest(cell.chord.bass, lowest),)


def _names(cell: Cell, voices: int, *, rooted: bool) -> list[tuple[tuple[int, ...], int]]:
    """Sets of pitch classes to play, and how many of the telling ones each leaves out."""
    root, *others = cell.chord.tones
    bass = cell.chord.bass
    tones = tuple(dict.fromkeys((bass, root, *others) if rooted else (root, *others)))
    held = {pitch % 12 for pitch in cell.long}
    free = tuple(name for name in tones if name in held or not {(name + 1) % 12, (name - 1) % 12} & held) or tones[:1]
    telling = {*others[:1], *others[2:]}
    made: list[tuple[tuple[int, ...], int]] = []
    for chosen in combinations(free, min(voices, len(free))):
        if rooted and bass not in chosen:
            continue
        doubled = [(*chosen, name) for name in chosen[:2]] if len(chosen) < voices and len(chosen) <= 3 else []
        made += [(names, len(telling - set(names))) for names in (chosen, *doubled)]
    return made or [((bass,), 0)]


def _cost(notes: tuple[int, ...], cell: Cell, before: tuple[int, ...], centre: float) -> float:
    cost = _CENTRE * abs(sum(notes) / len(notes) - centre)
    if cell.lowest >= _DEEP:
        cost += _ABOVE * sum(max(0, note + 1 - cell.lowest) for note in notes)
    cost += _CLASH * sum(abs(note - long) == 1 for note in notes for long in cell.long)
    cost += sum(_THICK * (high - low < 3) + _MUD * (low < _MUDDY and high - low < 5) for low, high in pairwise(notes))
    if before:
        low_first = zip(notes, before, strict=False)
        high_first = zip(notes[::-1], before[::-1], strict=False)
        cost += _JUMP * min(sum(abs(a - b) for a, b in low_first), sum(abs(a - b) for a, b in high_first))
        cost += _JUMP * abs(len(notes) - len(before))
    return cost


def _nearest(name: int, pitch: int) -> int:
    """The lowest pitch of that class from `pitch` up."""
    return pitch + (name - pitch) % 12
