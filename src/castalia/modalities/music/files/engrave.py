"""Score → sheet music: SVG pages by verovio, and PNG and PDF made of them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from PIL import Image

from castalia.core.errors import CastaliaError
from castalia.core.language import say
from castalia.core.score import Score
from castalia.modalities.music.files.write_musicxml import write_musicxml

_WIDTH, _HEIGHT = 2100, 2970
"""A4, tenths of a millimetre, which verovio takes for pixels."""
_MARGIN = 130
_SCALE = 80
"""Per cent of verovio's own size: a staff 5.8 mm high."""
_FONTS = (
    "Times New Roman, Liberation Serif, Nimbus Roman, Tinos, Noto Serif CJK SC, Noto Serif, DejaVu Serif, SimSun, serif"
)
_SIGNS = {
    **dict(zip(range(0xE260, 0xE265), "♭♮♯𝄪𝄫", strict=True)),
    **dict(zip(range(0xEA64, 0xEA67), "♭♮♯", strict=True)),
    0xECA3: "𝅗𝅥",
    0xECA5: "♩",
    0xECA7: "♪",
    0xECB7: ".",
}
"""Signs of verovio's music font in lines of text, which other programs do not have, in Unicode."""
_SIGN_FONTS = "DejaVu Sans, Segoe UI Symbol, Apple Symbols, Noto Sans Symbols2, sans-serif"
_TITLE = re.compile(r'font-size="[1-9]\d*px"')
_TITLE_SIZE, _TITLE_LEAST, _TITLE_WIDTH = 620, 240, 15_000
"""Units of verovio's drawing, of which the page has 26,250 across; a wider title is set smaller."""
_BETWEEN = re.compile(r">\s+<")
_SIGN = re.compile(r'<tspan font-family="Leipzig" font-size="(\d+)px">([^<]{1,9})</tspan>')
_SYLLABLE = re.compile(r'(class="syl"><text [^>]*><tspan [^>]*><tspan font-size=")(\d+)px')
_SYLLABLE_SIZE = 0.86
"""Of the size that verovio leaves room for by the widths of Times: other serif fonts are wider."""
_FOOT = 0.05
"""Of the shorter side, white under the last line: with the margin it is what a visible label covers."""
_FIRST = 3
"""Pages in a picture."""
_DPI = 200
_SMALLEST, _LARGEST = 200, 6_000
"""Pixels across."""


def engrave(score: Score) -> list[str]:
    """The pages of A4 as SVG documents, each complete in itself.

    Raises:
        CastaliaError: verovio refuses our own MusicXML.
    """
    return pages(score, cropped=False)


def engrave_png(score: Score, width: int = 1600) -> bytes:
    """The first pages, one below the other, on white, without the empty foot of the last.

    Args:
        score: What is shown.
        width: Pixels, 200 to 6,000.
    """
    width = min(_LARGEST, max(_SMALLEST, width))
    return png_of(pages(score, cropped=True), width, "L")


def png_of(sheets: Sequence[str], width: int, colour: Literal["L", "RGB"]) -> bytes:
    """The first pages as one picture.

    Args:
        sheets: SVG documents.
        width: Pixels.
        colour: `L` for grey.
    """
    drawn = [_raster(sheet, width, colour) for sheet in sheets[:_FIRST]]
    height = sum(sheet.height for sheet in drawn)
    whole = Image.new(colour, (width, height + round(_FOOT * min(width, height))), "white")
    top = 0
    for sheet in drawn:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return _saved(whole, "PNG", optimize=True)


def engrave_pdf(score: Score) -> bytes:
    """All pages as pictures of 200 dots an inch."""
    first, *others = [_raster(page, round(210 / 25.4 * _DPI)) for page in pages(score, cropped=False)]
    return _saved(first, "PDF", save_all=True, append_images=others, resolution=_DPI, title=score.title or None)


def pages(score: Score, *, cropped: bool, colours: Mapping[tuple[int, int], str] = MappingProxyType({})) -> list[str]:
    """The pages of A4 as SVG documents.

    Args:
        score: What is shown.
        cropped: Whether the empty foot of a page is left out.
        colours: `#RRGGBB` of notes by part, from 0, and start, ticks.

    Raises:
        CastaliaError: verovio refuses our own MusicXML.
    """
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    # Verovio remembers where its fonts lie for each thread, and is told by its import for the first one alone.
    verovio.setDefaultResourcePath(str(Path(verovio.__file__).with_name("data")))
    kit: Any = verovio.toolkit()
    kit.setOptions(
        {
            "pageWidth": _WIDTH * 100 // _SCALE,
            "pageHeight": _HEIGHT * 100 // _SCALE,
            "pageMarginLeft": _MARGIN * 100 // _SCALE,
            "pageMarginRight": _MARGIN * 100 // _SCALE,
            "pageMarginTop": _MARGIN * 100 // _SCALE,
            "pageMarginBottom": _MARGIN * 100 // _SCALE,
            "scale": _SCALE,
            "footer": "none",
            "breaks": "auto",
            "justifyVertically": False,
            "adjustPageHeight": cropped,
            "svgViewBox": True,
            "svgBoundingBoxes": False,
            "mnumInterval": 0,
            "lyricWordSpace": 3.4,
            "lyricTopMinMargin": 3.0,
            "lyricSize": 4.8,
            "minLastJustification": 0.5,
            "smuflTextFont": "none",
            "inputFrom": "musicxml",
            "xmlIdSeed": 1,
        }
    )
    if not kit.loadData(write_musicxml(score, colours).decode()):
        raise CastaliaError(
            say("The score could not be engraved.", "乐谱无法排版。"),
            hint=say("Save it as MusicXML and report the file.", "请另存为 MusicXML 并报告该文件。"),
        )
    return [_plain(str(kit.renderToSVG(page)), score.title) for page in range(1, int(kit.getPageCount()) + 1)]


def _plain(page: str, title: str) -> str:
    """The page with fonts that computers have, and its title set larger."""
    page = _BETWEEN.sub("><", page).replace('font-family="Times, serif"', f'font-family="{_FONTS}"')
    head = page.find('class="pgHead')
    if head >= 0:
        width = sum(1.0 if letter > "\u2e80" else 0.5 for letter in title)
        size = max(_TITLE_LEAST, min(_TITLE_SIZE, round(_TITLE_WIDTH / max(width, 1))))
        page = page[:head] + _TITLE.sub(f'font-size="{size}px"', page[head:], count=1)
    page = _SYLLABLE.sub(lambda found: f"{found[1]}{round(int(found[2]) * _SYLLABLE_SIZE)}px", page)
    return _SIGN.sub(_sign, page)


def _sign(found: re.Match[str]) -> str:
    letter = "".join(_SIGNS.get(ord(sign), "") for sign in found[2])
    return f'<tspan font-family="{_SIGN_FONTS}" font-size="{int(found[1]) * 6 // 10}px">{letter}</tspan>'


def _raster(page: str, width: int, colour: Literal["L", "RGB"] = "L") -> Image.Image:
    import resvg_py

    drawn = resvg_py.svg_to_bytes(svg_string=page, width=width, background="white", dpi=96)
    return Image.open(io.BytesIO(drawn)).convert(colour)


def _saved(picture: Image.Image, kind: str, **options: bool | float | str | list[Image.Image] | None) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()
