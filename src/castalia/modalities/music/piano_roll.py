"""Score → a picture of its notes as on a pianola's roll: time across, pitch up."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from castalia.core.score import Part, Score
from castalia.modalities.music.bars import bars

_COLOURS = ("#3b6fb6", "#d1603d", "#4f9d69", "#9a5ba5", "#c79a2b", "#3e9aa0", "#b84a6b", "#7a7a7a")
"""One a part, over again after the eighth."""
_WIDEST = 2_400
_LEAST = 900
"""Pixels across."""
_BEAT = 28
"""Pixels of a quarter note, less in long pieces."""
_KEY = 14
"""Pixels of a semitone, less in wide ranges."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 48, 32
_BLACK = (1, 3, 6, 8, 10)
_WHITE_ROW, _BLACK_ROW, _GRID, _BAR, _INK = "#ffffff", "#f1f2f5", "#e3e5ea", "#b9bec8", "#333944"
_NAMES = 8
"""Parts that are named at the top."""


def piano_roll(score: Score) -> bytes:
    """The picture as PNG, 900 to 2,400 pixels wide; an empty score is an empty roll."""
    lines = bars(score)
    end = lines[-1].end
    pitches = [note.pitch for part in score.parts for note in part.notes] or [60, 72]
    low, high = min(pitches) - 2, max(pitches) + 2
    inner = min(_WIDEST - _LEFT - _RIGHT, max(_LEAST - _LEFT - _RIGHT, end * _BEAT // 48))
    row = max(6, min(_KEY, 900 // (high - low + 1)))
    size = _LEFT + inner + _RIGHT, _TOP + row * (high - low + 1) + _BOTTOM
    picture = Image.new("RGB", size, "#fafbfc")
    pen = ImageDraw.Draw(picture)

    def across(tick: int) -> int:
        return _LEFT + tick * inner // end

    def down(pitch: int) -> int:
        return _TOP + (high - pitch) * row

    for pitch in range(low, high + 1):
        colour = _BLACK_ROW if pitch % 12 in _BLACK else _WHITE_ROW
        pen.rectangle((_LEFT, down(pitch), _LEFT + inner, down(pitch) + row - 1), fill=colour)
        if pitch % 12 in (0, 5):  # between B and C, and E and F, no black key lies
            pen.line((_LEFT, down(pitch) + row - 1, _LEFT + inner, down(pitch) + row - 1), fill=_GRID)
        if pitch % 12 == 0:
            pen.text((_LEFT - 8, down(pitch) + row / 2), f"C{pitch // 12 - 1}", _INK, _font(13), anchor="rm")
    step = _every(len(lines), inner)
    for index, bar in enumerate(lines):
        strong = index % step == 0
        pen.line((across(bar.start), _TOP, across(bar.start), size[1] - _BOTTOM), fill=_BAR if strong else _GRID)
        if strong and bar.number:
            pen.text((across(bar.start) + 3, size[1] - _BOTTOM + 6), str(bar.number), _INK, _font(13))
    pen.rectangle((_LEFT, _TOP, _LEFT + inner, size[1] - _BOTTOM - 1), outline=_BAR)
    for index in reversed(range(len(score.parts))):
        for note in score.parts[index].notes:
            box = (
                across(note.start),
                down(note.pitch) + 1,
                across(note.start + note.length) - 1,
                down(note.pitch + -1) - 2,
            )
            box = (box[0], box[1], max(box[0] + 2, box[2]), max(box[1] + 2, box[3]))
            pen.rounded_rectangle(box, radius=2, fill=_COLOURS[index % len(_COLOURS)])
    _head(pen, score.parts, score.title, size[0])
    made = io.BytesIO()
    picture.save(made, "PNG", optimize=True)
    return made.getvalue()


def _head(pen: ImageDraw.ImageDraw, parts: tuple[Part, ...], title: str, width: int) -> None:
    """Title at the left, the parts' colours at the right where there is room."""
    title = title if len(title) <= 60 else title[:59] + "…"
    pen.text((_LEFT, _TOP / 2), title, _INK, _font(20), anchor="lm")
    left = _LEFT + pen.textlength(title, _font(20)) + 30
    place = float(width - _RIGHT)
    for index in reversed(range(min(len(parts), _NAMES))):
        name = parts[index].name[:30]
        place -= pen.textlength(name, _font(14))
        if place - 18 < left:
            break
        pen.text((place, _TOP / 2), name, _INK, _font(14), anchor="lm")
        pen.rounded_rectangle(
            (place - 18, _TOP / 2 - 6, place - 6, _TOP / 2 + 6), 2, fill=_COLOURS[index % len(_COLOURS)]
        )
        place -= 34


def _every(count: int, width: int) -> int:
    """Of how many bars one is numbered, so that the numbers stand apart."""
    return next((step for step in (1, 2, 4, 8, 16, 32, 64, 128) if width * step / count >= 40), 256)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A font with Chinese where the system has one, else Pillow's own."""
    for name in ("NotoSansCJK-Regular.ttc", "msyh.ttc", "PingFang.ttc", "DejaVuSans.ttf"):
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)
