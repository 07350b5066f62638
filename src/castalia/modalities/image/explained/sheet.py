"""An explained picture as one drawing: the work, a map a word, learned pictures that come near, the way of a mix."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image

from castalia.core import png
from castalia.core.explained_picture import Part, PictureExplanation, Way
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.modalities.image.explained.heat import colours, heated
from castalia.modalities.image.explained.words import called, figures, named, title_of
from castalia.modalities.image.oklab import Pixels

_WIDE, _MARGIN, _TILE, _GAP = 1000, 30, 172, 20
"""Units of the drawing."""
_LINE = 19
_FRAME = 96
_FOOT = 0.14
"""Of the shorter side: a visible label stands there."""
_SHOWN = 192
"""Pixels a side of a picture in it."""
_FONTS = "DejaVu Sans, Noto Sans CJK SC, Noto Sans, Arial, Microsoft YaHei, sans-serif"
_INK, _GREY = "#1b1b1b", "#666666"


@dataclass
class _Drawing:
    """Parts of an SVG document, and how far down they reach."""

    parts: list[str]
    y: float = _MARGIN

    def text(self, x: float, y: float, words: str, size: float = 13, *, colour: str = _INK, bold: bool = False) -> None:
        weight = ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{colour}"{weight}>{escape(words)}</text>'
        )

    def picture(self, x: float, y: float, pixels: Pixels, side: float) -> None:
        href = "data:image/png;base64," + base64.b64encode(png.encode(pixels)).decode()
        self.parts.append(
            f'<image x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" href="{href}"/>'
            f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" fill="none" stroke="#cccccc"/>'
        )

    def heading(self, words: str, more: str = "") -> None:
        self.y += 18
        self.text(_MARGIN, self.y, words, 16, bold=True)
        if more:
            self.y += _LINE
            self.text(_MARGIN, self.y, more, 12, colour=_GREY)
        self.y += 12


def sheet(explanation: PictureExplanation, work: Picture, *, foot: bool = False) -> str:
    """The drawing as an SVG document, its pictures within.

    Args:
        explanation: What is shown.
        work: The picture that is explained.
        foot: Whether room is left below for a visible label.
    """
    drawing = _Drawing([])
    drawing.heading(title_of(work))
    _parts(drawing, explanation, work)
    _near(drawing, explanation)
    if explanation.way:
        _way(drawing, explanation.way)
    height = drawing.y + _MARGIN / 2
    height += _FOOT * min(height, _WIDE) if foot else 0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {height:g}" width="{_WIDE}" height="{height:g}" '
        f'font-family="{_FONTS}"><rect width="100%" height="100%" fill="#ffffff"/>{"".join(drawing.parts)}</svg>'
    )


def _parts(drawing: _Drawing, explanation: PictureExplanation, work: Picture) -> None:
    top = max((value for part in explanation.parts for row in part.where for value in row), default=0.0)
    pixels = shown(work)
    drawing.heading(
        say("What each word moved", "每个词改动了哪里"),
        say(
            "Above: where the picture changes when the word is left out. Below: the picture without it. "
            "A random word said too changes {n:.1f}.",
            "上：去掉该词后图片改变之处。下：去掉该词后的图片。另加一个随机词平均改变 {n:.1f}。",
            n=explanation.chance,
        ),
    )
    columns = (_WIDE - 2 * _MARGIN + _GAP) // (_TILE + _GAP)
    tiles: list[Part | None] = [None, *explanation.ranked]
    for row in (tiles[at : at + columns] for at in range(0, len(tiles), columns)):
        for column, part in enumerate(row):
            x = _MARGIN + column * (_TILE + _GAP)
            if part is None:
                drawing.picture(x, drawing.y, pixels, _TILE)
                _captions(drawing, x, drawing.y + _TILE, [say("the work", "作品")])
                _legend(drawing, x, drawing.y + _TILE + 3 * _LINE, top)
                continue
            drawing.picture(x, drawing.y, heated(pixels, part.where, top), _TILE)
            _captions(drawing, x, drawing.y + _TILE, [called(part), _figures(explanation, part)])
            below = drawing.y + _TILE + 3 * _LINE
            if part.change is None:
                _captions(
                    drawing, x, below, [say("the only word:", "唯一的词："), say("nothing is drawn", "去掉后无图可画")]
                )
            else:
                drawing.picture(x, below, shown(part.picture), _TILE)
        drawing.y += 2 * _TILE + 4 * _LINE


def _figures(explanation: PictureExplanation, part: Part) -> str:
    return say("changes {n:.1f} ({gap:+.1f})", "改变 {n:.1f}（{gap:+.1f}）", n=part.moved, gap=explanation.gap(part))


def _captions(drawing: _Drawing, x: float, y: float, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        drawing.text(x, y + (number + 1) * _LINE, _cut(line), 13, bold=not number, colour=_GREY if number else _INK)


def _cut(words: str, most: int = 21) -> str:
    """So much of it as stands under a tile; Chinese characters are twice as wide."""
    wide = 0
    for at, letter in enumerate(words):
        wide += 2 if letter > "\u2e80" else 1
        if wide > most:
            return words[: at - 1] + "…"
    return words


def _legend(drawing: _Drawing, x: float, y: float, top: float) -> None:
    steps = 24
    for at, colour in enumerate(colours(np.linspace(0, 1, steps))):
        red, green, blue = (round(float(each)) for each in colour)
        drawing.parts.append(
            f'<rect x="{x + at * _TILE / steps:g}" y="{y + 20:g}" width="{_TILE / steps + 0.5:g}" height="10" '
            f'fill="rgb({red},{green},{blue})"/>'
        )
    drawing.text(x, y + 44, "0", 11, colour=_GREY)
    drawing.text(x + _TILE - 22, y + 44, f"{top:.0f}", 11, colour=_GREY)
    drawing.text(x, y + 12, say("change by field", "各格的改变"), 11, colour=_GREY)


def _near(drawing: _Drawing, explanation: PictureExplanation) -> None:
    if not explanation.near:
        return
    drawing.heading(
        say("Learned pictures that come near", "最相近的训练图片"),
        say(
            "As much of each as the model keeps ({n} × {n} pixels), how far it is, and how alike in outline; learned "
            "pictures are {usual:.0f} from their own nearest.",
            "模型所保留的缩略图（{n} × {n} 像素）、距离与轮廓相似度；训练图片彼此最近的距离一般为 {usual:.0f}。",
            n=explanation.thumbnails[0].width,
            usual=explanation.usual,
        ),
    )
    for column, (each, kept) in enumerate(zip(explanation.near, explanation.thumbnails, strict=True)):
        x = _MARGIN + column * (_TILE + _GAP)
        drawing.picture(x, drawing.y, shown(kept), _FRAME)
        _captions(drawing, x, drawing.y + _FRAME, [named(each.name), " · ".join(figures(each))])
    drawing.y += _FRAME + 2.5 * _LINE


def _way(drawing: _Drawing, way: Way) -> None:
    heading = {
        "share": say("From one picture to the other", "从一张图片到另一张"),
        "strength": say("From subtle to strong", "从细微到强烈"),
        "amount": say("Along the direction", "沿此方向"),
    }[way.of]
    drawing.heading(
        heading,
        say(
            "Codes {codes:.2f} apart; steps between frames: {even:.0%} even, {straight:.0%} straight.",
            "编码相距 {codes:.2f}；相邻画面的步幅：均匀度 {even:.0%}，直线度 {straight:.0%}。",
            codes=way.codes,
            even=way.evenness,
            straight=way.straightness,
        ),
    )
    pitch = (_WIDE - 2 * _MARGIN - _FRAME) / (len(way.at) - 1)
    nearest = min(range(len(way.at)), key=lambda at: abs(way.at[at] - way.chosen))
    for number, (at, picture) in enumerate(zip(way.at, way.pictures, strict=True)):
        x = _MARGIN + number * pitch
        drawing.picture(x, drawing.y, shown(picture), _FRAME)
        own = number == nearest
        drawing.text(x, drawing.y + _FRAME + 15, f"{at:.2g}", 12, bold=own, colour=_INK if own else _GREY)
        if number < len(way.steps):
            drawing.text(x + pitch - 38, drawing.y + _FRAME + 32, f"↔ {way.steps[number]:.1f}", 11, colour=_GREY)
    drawing.y += _FRAME + 2.2 * _LINE


def shown(picture: Picture) -> Pixels:
    """A picture on white as it stands in the drawing (`_SHOWN`, `_SHOWN`, 3)."""
    image = Image.fromarray(picture.pixels).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    flat = Image.alpha_composite(white, image).convert("RGB")
    return np.array(flat.resize((_SHOWN, _SHOWN), Image.Resampling.BICUBIC))
