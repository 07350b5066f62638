"""Lines of text as ink: set by resvg in the fonts that the computer has, so measured exactly."""

from __future__ import annotations

import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import Literal
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image

from castalia.core.errors import MissingError
from castalia.core.language import say
from castalia.modalities.image.oklab import Plane

TYPESETTER = f"resvg {version('resvg_py')}"
Typeface = Literal["serif", "sans"]
_FAMILIES = {
    "serif": "Noto Serif CJK SC, Source Han Serif SC, Songti SC, STSong, SimSun, Georgia, Times New Roman, "
    "Liberation Serif, DejaVu Serif, serif",
    "sans": "Noto Sans CJK SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, Helvetica Neue, Arial, "
    "Liberation Sans, DejaVu Sans, sans-serif",
}
_NOWHERE = "\ufdd0"
"""A code without a letter: what is drawn for it is drawn for every letter that no font has."""
_ROOM = 1.6
"""Of the font's size, between the baselines of what is drawn at once: no line reaches into another's band."""


@dataclass(frozen=True)
class Ink:
    """One line, cut out to what is seen of it."""

    text: str
    cover: Plane
    """(height, width), 0 … 1."""
    above: int
    """Pixels from its upper edge down to the baseline."""


@lru_cache(maxsize=64)
def drawn(
    lines: tuple[str, ...], size: float, typeface: Typeface, *, bold: bool = False, spacing: float = 0.0
) -> tuple[Ink, ...]:
    """Lines of text, each on its own.

    Args:
        lines: None of them empty.
        size: Of the font, pixels.
        typeface: With strokes of two widths, or of one.
        bold: Whether it is heavy.
        spacing: Pixels between letters beside their own.

    Raises:
        MissingError: no font has a letter.
    """
    seen = _rendered(lines, size, typeface, bold=bold, spacing=spacing)
    empty = [line for line, ink in zip(lines, seen, strict=True) if not ink.cover.size]
    missing = sorted({letter for line in lines for letter in _missing(line, typeface)} | set("".join(empty)))
    if missing:
        raise MissingError(
            say(
                "No font on this computer has {letters}.",
                "本机没有含“{letters}”的字体。",
                letters=" ".join(missing)[:60],
            ),
            hint=say(
                "Leave the signs out, or: apt install fonts-symbola", "请去掉这些符号，或：apt install fonts-symbola"
            )
            if all(map(_is_sign, missing))
            else "apt install fonts-noto-cjk fonts-noto-core",
        )
    return tuple(seen)


def _is_sign(letter: str) -> bool:
    """Whether it is a picture and no letter of a script, as emoji are."""
    return unicodedata.category(letter) in ("So", "Sk", "Mn", "Cf", "Cn")


@lru_cache(maxsize=256)
def _missing(line: str, typeface: Typeface) -> tuple[str, ...]:
    letters = tuple(dict.fromkeys(each for each in line if not each.isspace()))
    nowhere, *each = _rendered((_NOWHERE, *letters), 40, typeface, bold=False, spacing=0.0)
    return tuple(
        letter
        for letter, ink in zip(letters, each, strict=True)
        if not ink.cover.size or (ink.cover.shape == nowhere.cover.shape and np.array_equal(ink.cover, nowhere.cover))
    )


def _rendered(lines: Sequence[str], size: float, typeface: Typeface, *, bold: bool, spacing: float) -> list[Ink]:
    import resvg_py

    longest = max(sum(1.05 if ord(letter) > 0x2E7F else 0.8 for letter in line) for line in lines)
    width = math.ceil(size * (longest + 2) + spacing * max(map(len, lines)))
    band = math.ceil(size * _ROOM)
    base = round(band * 0.72)
    texts = "".join(
        f'<text x="{size:.1f}" y="{number * band + base}">{escape(line)}</text>' for number, line in enumerate(lines)
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{band * len(lines)}" fill="#fff"'
        f' font-family="{_FAMILIES[typeface]}" font-size="{size:.2f}" font-weight="{700 if bold else 400}"'
        f' letter-spacing="{spacing:.2f}" xml:space="preserve">{texts}</svg>'
    )
    image = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=drawing, background="black"))))
    levels = np.asarray(np.asarray(image.convert("L")) / 255, np.float32)
    return [_cut(line, levels[number * band : (number + 1) * band], base) for number, line in enumerate(lines)]


def _cut(line: str, band: Plane, base: int) -> Ink:
    rows, columns = np.flatnonzero((band > 0.02).any(1)), np.flatnonzero((band > 0.02).any(0))
    if not len(rows):
        return Ink(line, np.zeros((0, 0), np.float32), 0)
    part = band[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Ink(line, part, int(base - rows[0]))
