"""A block of text: broken into lines, set as large as its room allows, and laid over a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from castalia.core.language import is_chinese
from castalia.modalities.image.cover.letters import Ink, Typeface, drawn
from castalia.modalities.image.oklab import Pixels

Align = Literal["left", "middle"]
_CLOSING = "，。、；：！？）》」』”’,.;:!?)"
_AFTER = 14.0
"""Squares of the font's size by which lines may be less even where one ends with punctuation."""


@dataclass(frozen=True)
class Room:
    """A rectangle that a text may fill, pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Placed:
    """A line where it stands."""

    ink: Ink
    left: int
    top: int


@dataclass(frozen=True)
class Style:
    """How a block is set."""

    typeface: Typeface
    bold: bool = False
    largest: float = 200
    """Font size, pixels."""
    leading: float = 1.12
    """From baseline to baseline, of the font's size."""
    spacing: float = 0.0
    """Between letters, of the font's size."""
    most: int = 4
    """Lines."""


def set_block(
    text: str, room: Room, style: Style, align: Align, foot: Literal["top", "middle", "bottom"]
) -> list[Placed]:
    """The lines of a text in a room, as large as fits.

    Args:
        text: One paragraph.
        room: Where.
        style: How.
        align: Where lines begin.
        foot: At which end of the room they stand.
    """
    best: tuple[float, list[str]] = (0.0, [text])
    for count in range(1, style.most + 1):
        lines = broken(text, count)
        if len(lines) != count:
            continue
        high = room.height / ((count - 1) * style.leading + 1.0)
        size = min(style.largest, room.width / max(map(_wide, lines)), high)
        # more lines only where they are clearly larger
        if size > best[0] * 1.08:
            best = (size, lines)
    return _fitted(best[1], best[0], room, style, align, foot)


def set_column(text: str, room: Room, style: Style) -> list[Placed]:
    """Chinese characters below one another, from the upper end of a room and in its middle."""
    letters = tuple(each for each in text if not each.isspace())
    size = min(style.largest, room.width, room.height / (len(letters) * style.leading))
    inks = drawn(letters, round(size), style.typeface, bold=style.bold)
    pitch = size * style.leading
    return [
        Placed(
            ink,
            round(room.left + (room.width - ink.cover.shape[1]) / 2),
            round(room.top + number * pitch + 0.86 * size - ink.above),
        )
        for number, ink in enumerate(inks)
    ]


def broken(text: str, count: int) -> list[str]:
    """A text in so many lines of about the same width, between words or Chinese characters; fewer where it has less."""
    words = list(text.replace(" ", "")) if is_chinese(text) and " " not in text.strip() else text.split()
    glue = "" if is_chinese(text) and " " not in text.strip() else " "
    if len(words) < count:
        return [glue.join(words)]
    widths = [_wide(word) for word in words]
    best: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {(0, 0): (0.0, ())}
    for line in range(1, count + 1):
        for end in range(line, len(words) + 1):
            found = [
                (cost + _line(widths[begin:end], len(glue)) ** 2 + _break(words, begin), (*cuts, end))
                for begin in range(line - 1, end)
                if (line - 1, begin) in best
                for cost, cuts in [best[line - 1, begin]]
            ]
            if found:
                best[line, end] = min(found)
    cuts = (0, *best[count, len(words)][1])
    return [glue.join(words[begin:end]) for begin, end in pairwise(cuts)]


def _line(widths: Sequence[float], glue: int) -> float:
    return sum(widths) + 0.27 * glue * (len(widths) - 1)


def _break(words: Sequence[str], begin: int) -> float:
    """What a break before this word costs: a line begins with no closing punctuation, and rather after some."""
    if not begin:
        return 0.0
    return 1e6 if words[begin][0] in _CLOSING else -_AFTER if words[begin - 1][-1] in _CLOSING else 0.0


def _wide(text: str) -> float:
    """About how wide a text is, in sizes of the font."""
    return (
        sum(
            1.0
            if ord(each) > 0x2E7F
            else 0.27
            if each in " il.,'!|:;I"
            else 0.92
            if each in "mwMW"
            else 0.68
            if each.isupper()
            else 0.54
            for each in text
        )
        or 0.5
    )


def _fitted(
    lines: Sequence[str], size: float, room: Room, style: Style, align: Align, foot: Literal["top", "middle", "bottom"]
) -> list[Placed]:
    """The lines drawn, smaller as long as they are too wide, and placed."""
    while True:
        inks = drawn(tuple(lines), round(size, 1), style.typeface, bold=style.bold, spacing=size * style.spacing)
        wide = max(ink.cover.shape[1] for ink in inks)
        pitch = size * style.leading
        below = inks[-1].cover.shape[0] - inks[-1].above
        high = inks[0].above + (len(inks) - 1) * pitch + below
        if (wide <= room.width and high <= room.height) or size < 8:
            break
        size *= min(room.width / wide, room.height / high) * 0.985
    spare = room.height - high
    top = room.top + {"top": 0.0, "middle": spare / 2, "bottom": spare}[foot]
    return [
        Placed(
            ink,
            room.left + (0 if align == "left" else (room.width - ink.cover.shape[1]) // 2),
            round(top + inks[0].above + number * pitch) - ink.above,
        )
        for number, ink in enumerate(inks)
    ]


def inked(pixels: Pixels, placed: Placed, colour: tuple[int, int, int]) -> None:
    """Lay a line over a picture (height, width, 3), in place; what would leave it is cut off."""
    height, width = placed.ink.cover.shape
    top, left = max(placed.top, 0), max(placed.left, 0)
    part = pixels[top : placed.top + height, left : placed.left + width]
    cover = placed.ink.cover[top - placed.top :, left - placed.left :][: part.shape[0], : part.shape[1], None]
    part[:] = (part * (1 - cover) + np.array(colour, np.float32) * cover + 0.5).astype(np.uint8)
