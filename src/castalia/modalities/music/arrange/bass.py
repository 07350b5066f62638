"""Bass lines: roots and inversions in a smooth order, fifths, octaves, walking, notes that lead to the next."""

from __future__ import annotations

import numpy as np

from castalia.core.music import Player
from castalia.core.score import Note
from castalia.modalities.music.arrange.cells import Cell
from castalia.modalities.music.arrange.stage import Stage, struck
from castalia.modalities.music.arrange.textures import texture_of

_UNDER = 3
"""Semitones at least between the bass and the melody."""
_ROOM = 12
"""Semitones that a bass's range has at least, where the melody is low."""
_THIRD, _MOVE, _LEAP, _MIDDLE, _CLASH = 2.2, 0.12, 1.0, 0.04, 20.0
"""Cost of a third instead of the root, of a semitone of movement, of a leap wider than a fifth, of a semitone from the
middle of the range, and of a semitone against a long note of the melody."""


def play_bass(player: Player, stage: Stage, chance: np.random.Generator) -> tuple[Note, ...]:
    """The notes of a bass.

    Args:
        player: Who plays.
        stage: What is played on.
        chance: Chooses among the notes of a walking line.
    """
    texture = texture_of("bass", player.texture)
    roots = dict(zip(stage.cells, _line(stage, player, smooth=texture.smooth), strict=True))
    made: list[Note] = []
    last = -1
    for start, end, cell, stroke in struck(stage, texture):
        root = roots[cell]
        ahead = stage.after(cell)
        target = roots[ahead] if ahead and ahead.chord.tones else root
        match stroke.what:
            case "fifth":
                pitch = _tone(cell, 2, root, player)
            case "third":
                pitch = _tone(cell, 1, root, player)
            case "octave":
                pitch = root + 12 if root + 12 <= player.highest else root
            case "next":
                leads = end >= cell.end and target != root
                pitch = _leading(target, last, stage, player, chance) if leads else _other(cell, root, last, player)
            case "walk":
                pitch = _walking(cell, last if last >= 0 else root, target, player, chance)
            case _:
                pitch = root
        last = pitch
        made.append(Note(start, end - start, pitch, max(1, min(127, player.loudness + stroke.accent))))
    return tuple(sorted(made))


def _line(stage: Stage, player: Player, *, smooth: bool) -> list[int]:
    """The first note of each cell: roots, or thirds between them where the line is smoother (Viterbi)."""
    paths: list[tuple[float, list[int]]] = [(0.0, [])]
    for number, cell in enumerate(stage.cells):
        inner = smooth and 0 < number < len(stage.cells) - 2 and cell.chord.bass == cell.chord.root
        options = _options(cell, player, thirds=inner)
        ahead: list[tuple[float, list[int]]] = []
        for pitch, cost in options:
            best = min(paths, key=lambda path: path[0] + _motion(path[1], pitch))
            ahead.append((best[0] + _motion(best[1], pitch) + cost, [*best[1], pitch]))
        paths = ahead
    return min(paths)[1]


def _options(cell: Cell, player: Player, *, thirds: bool) -> list[tuple[int, float]]:
    """(pitch, cost) of the notes a cell may begin on."""
    high = min(player.highest, max(cell.lowest - _UNDER, player.lowest + _ROOM))
    middle = (player.lowest + player.highest) / 2
    made: list[tuple[int, float]] = []
    names = [(cell.chord.bass, 0.0)]
    if thirds and len(cell.chord.tones) >= 3:
        names.append((cell.chord.tones[1], _THIRD))
    for name, cost in names:
        for pitch in range(player.lowest, high + 1):
            if pitch % 12 == name:
                clash = _CLASH * any(abs(pitch - long) == 1 for long in cell.long)
                made.append((pitch, cost + _MIDDLE * abs(pitch - middle) + clash))
    return made


def _motion(path: list[int], pitch: int) -> float:
    if not path:
        return 0.0
    step = abs(pitch - path[-1])
    return _MOVE * step + (_LEAP if step > 7 else 0.0)


def _tone(cell: Cell, degree: int, root: int, player: Player) -> int:
    """The nearest third or fifth of the chord below the root, else above."""
    tones = cell.chord.tones
    name = tones[degree] if degree < len(tones) else tones[-1]
    below = root - (root - name) % 12
    return below if below >= player.lowest and below != root else root + (name - root) % 12


def _other(cell: Cell, root: int, last: int, player: Player) -> int:
    """The fifth, or the third after it."""
    fifth = _tone(cell, 2, root, player)
    return fifth if fifth != last else _tone(cell, 1, root, player)


def _leading(target: int, last: int, stage: Stage, player: Player, chance: np.random.Generator) -> int:
    """A step to the next note: of the scale where it comes from that side, else a semitone."""
    near = [target + step for step in (-2, -1, 1, 2) if player.lowest <= target + step <= player.highest + 2]
    inside = [pitch for pitch in near if pitch % 12 in stage.scale] or near
    if not inside:
        return target
    side = [pitch for pitch in inside if (pitch - target) * (last - target) > 0] or inside
    side = [pitch for pitch in side if pitch != last] or side
    return side[int(chance.integers(len(side)))]


def _walking(cell: Cell, last: int, target: int, player: Player, chance: np.random.Generator) -> int:
    """A chord tone on the way to the next note, other than the last one."""
    tones = [
        pitch
        for pitch in range(player.lowest, player.highest + 1)
        if pitch % 12 in cell.chord.tones and pitch not in (last, target) and abs(pitch - last) <= 7
    ]
    if not tones:
        return last
    tones.sort(key=lambda pitch: (abs(pitch - target) + abs(pitch - last) * 0.5, pitch))
    return tones[int(chance.integers(min(2, len(tones))))]
