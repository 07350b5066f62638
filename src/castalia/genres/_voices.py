"""What is given to a chorale: four voices, what of them is to stand, and a melody in the soprano's range."""

from __future__ import annotations

import re

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import Kept
from castalia.core.score import QUARTER, Note, Part, Score

NAMES = (("Soprano", "女高音"), ("Alto", "女低音"), ("Tenor", "男高音"), ("Bass", "男低音"))
LONGEST = 128
"""Bars of four quarters that a given score may have."""


def spans_of(wish: str, score: Score, length: int) -> list[Kept]:
    """The stretches that `soprano`, `女高音`, `3` or `1-4` names.

    Raises:
        UsageError: it names none.
    """
    plain = wish.strip().casefold()
    for part, both in enumerate(NAMES):
        if plain in (each.casefold() for each in both):
            return [Kept(part, 0, length)]
    found = re.fullmatch(r"(\d+)(?:\s*[-–]\s*(\d+))?", plain)
    bar = score.metres[0].bar
    if found and 0 < int(found[1]) <= int(found[2] or found[1]):
        first, last = int(found[1]) - 1, int(found[2] or found[1])
        start, end = score.pickup + first * bar if first else 0, min(score.pickup + last * bar, length)
        if start < length:
            return [Kept(part, start, end) for part in range(len(NAMES))]
    raise UsageError(
        say(
            "{wish!r} is neither a voice nor bars of the score.", "{wish!r} 既不是声部，也不是乐谱中的小节。", wish=wish
        ),
        hint="soprano, alto, tenor, bass, 3, 1-4",
    )


def cut(notes: tuple[Note, ...], spans: list[Kept]) -> tuple[Note, ...]:
    """The notes as far as they lie within stretches; one that stands in two is taken once."""
    found: set[Note] = set()
    for note in notes:
        for span in spans:
            start, end = max(note.start, span.start), min(note.start + note.length, span.end)
            if start < end:
                found.add(note._replace(start=start, length=end - start))
    return tuple(sorted(found))


def bounded(score: Score) -> Score:
    """The score. Raises `UsageError` when it is longer than voices are written for."""
    if (bars := score.length / (4 * QUARTER)) > LONGEST:
        raise UsageError(
            say(
                "The score has {n:.0f} bars; at most {most} are taken.",
                "乐谱有 {n:.0f} 小节；最多 {most} 小节。",
                n=bars,
                most=LONGEST,
            ),
            hint=say("Give a part of it.", "请给出其中一部分。"),
        )
    return score


def four_voices(score: Score) -> list[Part]:
    """The four voices of a score.

    Raises:
        UsageError: it has more or fewer.
    """
    voices = [part for part in bounded(score).parts if part.kind == "voice"]
    if len(voices) != len(NAMES):
        raise UsageError(
            say("Four voices are needed, and the score has {n}.", "需要四个声部，乐谱中有 {n} 个。", n=len(voices)),
            hint=say("Give one voice as `melody` to have it harmonised.", "若只有一个声部，请用 melody 配和声。"),
        )
    return voices


def into_range(low: int, high: int) -> int:
    """Semitones that bring a melody into the soprano's range: octaves where they do, else into the nearest key.

    Raises:
        UsageError: it is too wide.
    """
    for into_key in (0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6):
        for octaves in (0, 12, -12, 24, -24, 36, -36):
            if low + into_key + octaves >= 60 and high + into_key + octaves <= 81:
                return into_key + octaves
    raise UsageError(
        say(
            "The melody spans {n} semitones; a soprano sings 21.", "旋律跨 {n} 个半音；女高音只有 21 个。", n=high - low
        ),
        hint=say("Cut it or bring its outermost notes in.", "请裁剪旋律，或移动最高与最低的音。"),
    )
