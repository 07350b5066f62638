"""Drum patterns: what is struck in each bar, with a fill where a phrase ends and one stroke together at the end."""

from __future__ import annotations

from castalia.core.music import Player
from castalia.core.score import QUARTER, Note
from castalia.modalities.music.arrange.stage import Stage
from castalia.modalities.music.arrange.textures import strokes, texture_of

KEYS = {
    "kick": 36, "stick": 37, "snare": 38, "clap": 39, "hat": 42, "pedal": 44, "low tom": 45, "open hat": 46,
    "high tom": 48, "crash": 49, "ride": 51, "tambourine": 54, "shaker": 70,
}  # fmt: skip
"""General MIDI percussion keys."""


def play_drums(player: Player, stage: Stage) -> tuple[Note, ...]:
    """The notes of the drums; each is written as long as until the next stroke of any, so that they read as one."""
    texture = texture_of("drums", player.texture)
    hits: list[tuple[int, int, int]] = []
    first = stage.cells[0].start if stage.cells else 0
    for number, bar in enumerate(stage.bars):
        for stroke in strokes(texture, bar, cadence=number in stage.cadences):
            start = bar.start + stroke.start
            if first <= start < min(stage.final, stage.length):
                hits.append((start, KEYS[str(stroke.what)], stroke.accent))
    if stage.final < stage.length:
        hits += [(stage.final, KEYS["kick"], 4), (stage.final, KEYS["ride" if player.loudness < 60 else "crash"], -6)]
    ends = sorted({*(start for start, _, _ in hits), *(bar.end for bar in stage.bars), stage.length})
    made: list[Note] = []
    for start, key, accent in hits:
        end = next(tick for tick in ends if tick > start)
        made.append(Note(start, min(end - start, QUARTER), key, max(1, min(127, player.loudness + accent))))
    return tuple(sorted(set(made)))
