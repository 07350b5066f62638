"""Players of chords: block, broken, strummed, sustained, on the beat or off it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from castalia.core.music import Player
from castalia.core.score import Note
from castalia.modalities.music.arrange.stage import Stage, struck
from castalia.modalities.music.arrange.textures import Stroke, texture_of
from castalia.modalities.music.arrange.voicing import voicings


def play_chords(player: Player, stage: Stage) -> tuple[Note, ...]:
    """The notes of a player of chords."""
    texture = texture_of("chords", player.texture)
    found = voicings(stage.cells, player, stage.floors)
    by_cell = dict(zip(stage.cells, found, strict=True))
    made: list[Note] = []
    for start, end, cell, stroke in struck(stage, texture):
        velocity = max(1, min(127, player.loudness + stroke.accent))
        made += [Note(start, end - start, pitch, velocity) for pitch in _pitches(by_cell[cell], stroke)]
    if texture.ties:
        made = _tied(made, stage.final)
    return tuple(sorted(made))


def _pitches(voicing: tuple[int, ...], stroke: Stroke) -> tuple[int, ...]:
    match stroke.what:
        case "low":
            return voicing[:1]
        case "upper":
            return voicing[1:] or voicing
        case int(number):
            place = number % max(len(voicing), 1)  # an octave up it might cross the melody
            return voicing[place : place + 1]
        case _:
            return voicing


def _tied(notes: Sequence[Note], final: int) -> list[Note]:
    """A chord that goes on with the same notes sounds on; the last one is struck anew."""
    made: list[Note] = []
    before: list[Note] = []
    for start, group in groupby(sorted(notes), key=lambda note: note.start):
        here = list(group)
        goes_on = [note.pitch for note in here] == [note.pitch for note in before] and start != final
        if goes_on and before[0].start + before[0].length == start:
            here = [old._replace(length=old.length + new.length) for old, new in zip(before, here, strict=True)]
            made = made[: -len(here)]
        made += here
        before = here
    return made
