"""Sheet music whose notes are coloured by a value each, with a legend: where a model was unsure, where a tune is odd.

Colour alone would be lost in print and on some eyes: the scale grows lighter from black (in the order of magma, by
Smith and van der Walt, 2015, which all kinds of colour blindness can read), and a disc behind a note grows with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from castalia.core.score import Score
from castalia.modalities.music.files.engrave import pages, png_of

_SCALE = ((0, 0, 0), (59, 15, 112), (140, 41, 129), (205, 64, 113), (243, 105, 92))
"""From certain to unsure; the lightness of the last is 62 of 100."""
_LEVELS = 20
NONE = "#9d9d9d"
"""Of notes without a value."""
_DISC = 330
"""Radius of the largest disc, in units of verovio's drawing: a note head is 220 wide."""
_SMALLEST = 0.45
"""Value from which a disc is drawn."""
_HEAD = re.compile(
    r'(<g id="[^"]*" class="note" color="(#[0-9A-Fa-f]{6})"[^>]*>)(<g class="notehead">'
    r'<use [^>]*transform="translate\((-?[\d.]+), (-?[\d.]+)\))'
)
_VIEW = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
_LEGEND = 95
"""Height of the legend, in units of the page."""
_FONTS = "DejaVu Sans, Noto Sans CJK SC, Noto Sans, Arial, Microsoft YaHei, sans-serif"

Values = Mapping[tuple[int, int], float | None]
"""By part, from 0, and start in ticks: a value in [0, 1], or None for a note that has none."""


def shaded(score: Score, values: Values, legend: Sequence[tuple[float | None, str]], *, cropped: bool) -> list[str]:
    """The pages as SVG documents, the legend below the first.

    Args:
        score: What is shown; notes that `values` does not name stay black.
        values: By note.
        legend: Values with what they mean, as in `values`.
        cropped: Whether the empty foot of a page is left out.
    """
    colours = {key: colour(value) for key, value in values.items()}
    first, *others = (_HEAD.sub(_disc, page) for page in pages(score, cropped=cropped, colours=colours))
    return [_with_legend(first, legend), *others]


def shaded_png(score: Score, values: Values, legend: Sequence[tuple[float | None, str]], width: int = 1600) -> bytes:
    """The first pages as a picture; see `shaded`."""
    return png_of(shaded(score, values, legend, cropped=True), width, "RGB")


def stacked(sheets: Sequence[str]) -> str:
    """Pages as one SVG document, one below the other."""
    sizes = [_VIEW.search(sheet) for sheet in sheets]
    wide = max(float(size[1]) for size in sizes if size)
    inside: list[str] = []
    top = 0.0
    for sheet, size in zip(sheets, sizes, strict=True):
        tall = float(size[2]) if size else 0.0
        inside.append(sheet.replace("<svg ", f'<svg y="{top:g}" width="{wide:g}" height="{tall:g}" ', 1))
        top += tall
    head = f'<svg viewBox="0 0 {wide:g} {top:g}" xmlns="http://www.w3.org/2000/svg">'
    return sheets[0] if len(sheets) == 1 else f"{head}{''.join(inside)}</svg>"


def colour(value: float | None) -> str:
    """`#RRGGBB` of a value; one of few, so that a drawing holds few colours."""
    if value is None:
        return NONE
    place = round(min(max(value, 0.0), 1.0) * _LEVELS) / _LEVELS * (len(_SCALE) - 1)
    below = min(int(place), len(_SCALE) - 2)
    mixed = (
        round(low + (high - low) * (place - below)) for low, high in zip(_SCALE[below], _SCALE[below + 1], strict=True)
    )
    return "#" + "".join(f"{each:02x}" for each in mixed)


_VALUES = {colour(level / _LEVELS): level / _LEVELS for level in range(_LEVELS + 1)}


def _disc(found: re.Match[str]) -> str:
    value = _VALUES.get(found[2].lower(), 0.0)
    if value < _SMALLEST:
        return found[0]
    x, y, radius = float(found[4]) + 110, float(found[5]), _DISC * (0.45 + 0.55 * value)
    disc = f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{found[2]}" fill-opacity="0.28" stroke="none"/>'
    return f"{found[1]}{disc}{found[3]}"


def _with_legend(page: str, legend: Sequence[tuple[float | None, str]]) -> str:
    """The page with a line of colours below, made taller for it."""
    size = _VIEW.search(page)
    if size is None:
        return page
    width, height = float(size[1]), float(size[2])
    drawn: list[str] = []
    x = width * 0.06
    for value, words in legend:
        y = height + _LEGEND * 0.35
        if value is not None and value >= _SMALLEST:
            radius = 26 * (0.45 + 0.55 * value)
            drawn.append(
                f'<circle cx="{x:.0f}" cy="{y:.0f}" r="{radius:.0f}" fill="{colour(value)}" fill-opacity="0.28"/>'
            )
        drawn += [
            f'<ellipse cx="{x:.0f}" cy="{y:.0f}" rx="13" ry="9.5" transform="rotate(-20 {x:.0f} {y:.0f})" '
            f'style="fill:{colour(value)};stroke:none"/>',
            f'<text x="{x + 32:.0f}" y="{y + 11:.0f}" font-family="{_FONTS}" font-size="30">{_escaped(words)}</text>',
        ]
        x += 78 + sum(31 if letter > "\u2e80" else 17 for letter in words)
    taller = page.replace(size[0], f'viewBox="0 0 {width:g} {height + _LEGEND:g}"', 1)
    taller = re.sub(rf'(<svg[^>]* )height="{height:g}(px)?"', rf'\g<1>height="{height + _LEGEND:g}\2"', taller, count=1)
    end = taller.rindex("</svg>")
    return f'{taller[:end]}<g class="legend">{"".join(drawn)}</g>{taller[end:]}'


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;")
