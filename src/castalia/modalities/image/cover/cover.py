"""Covers: what is to be read is placed first, then the picture, then ink in the colour that is read best there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from castalia.core.errors import UsageError
from castalia.core.language import is_chinese
from castalia.core.picture import CoverStep, Picture, Proportion
from castalia.modalities.image.cover.block import Align, Placed, Room, Style, inked, set_block, set_column
from castalia.modalities.image.cover.letters import Typeface
from castalia.modalities.image.cover.tint import Colour, Tint, contrast, tint_of
from castalia.modalities.image.cut_out import cut_out
from castalia.modalities.image.oklab import Pixels
from castalia.modalities.image.sets import sticker, visible

SIZES: Mapping[Proportion, tuple[int, int]] = {
    "book": (1200, 1800),
    "album": (1200, 1200),
    "post": (1280, 720),
    "story": (1080, 1920),
}
"""Width and height, pixels."""
_FOOT = 0.115
"""Of the shorter side, below the lowest line: a visible label stands there."""
_MARGIN = 0.08
"""Of the shorter side."""
_COLUMN = 8
"""Most characters of a Chinese title that stand below one another."""
_TALLEST = 5.0
"""Times by which a small picture is enlarged at most where it is shown as it is."""
_LEAST = 4.5
"""Contrast of what is read with what lies behind it (WCAG 2.2, success criterion 1.4.3)."""


@dataclass(frozen=True)
class Cover:
    """A finished cover and what a rule is to know of it."""

    pixels: Pixels
    """(height, width, 3)."""
    ground: Pixels
    """The same without letters."""
    lines: str
    """JSON: text, left, top, width, height and colour of each line."""


@dataclass(frozen=True)
class _Frame:
    """Where things stand on a cover, pixels."""

    width: int
    height: int
    title: Room
    subtitle: Room
    author: Room
    picture: Room
    align: Align = "middle"


def cover(step: CoverStep) -> Cover:
    """A cover.

    Raises:
        MissingError: no font has a letter of it.
    """
    subject = _subject(step.picture.pixels) if step.layout in ("", "poster") else None
    if subject is not None:
        frame = _poster(step)
        pixels = step.picture.pixels
        tint = tint_of(subject[subject[..., 3] > 200][:, :3])
        ground = _designed(frame, subject, tint)
    else:
        pixels = step.picture.pixels[..., :3]
        tint = tint_of(pixels[::4, ::4].reshape(-1, 3))
        full = step.layout == "full" or (not step.layout and min(pixels.shape[:2]) >= 700)
        frame = _over(step) if full else _poster(step)
        ground = _full(frame, pixels) if full else _framed(frame, pixels, tint)
    return _written(step, frame, ground, tint)


def _subject(pixels: Pixels) -> Pixels | None:
    """What stands before a plain ground; None where nothing does."""
    try:
        return visible(pixels if pixels.shape[2] == 4 else cut_out(pixels).pixels)
    except UsageError:
        return None


# ------------------------------------------------------------ where things stand


def _poster(step: CoverStep) -> _Frame:
    """Title above, picture below, author at the foot; on a wide one letters left, picture right."""
    width, height = SIZES[step.proportion]
    short = min(width, height)
    margin, foot = round(short * _MARGIN), round(short * _FOOT)
    inner = width - 2 * margin
    if step.proportion == "post":
        half = round(width * 0.5) - margin
        return _Frame(
            width,
            height,
            title=Room(margin, round(height * 0.12), half, round(height * 0.43)),
            subtitle=Room(margin, round(height * 0.62), half, round(height * 0.1)),
            author=Room(margin, height - foot - round(height * 0.06), half, round(height * 0.055)),
            picture=Room(round(width * 0.56), round(height * 0.1), round(width * 0.38), round(height * 0.76)),
            align="left",
        )
    if _stands(step):
        wide = round(width * 0.17)
        return _Frame(
            width,
            height,
            title=Room(width - margin - wide, round(height * 0.07), wide, round(height * 0.56)),
            subtitle=Room(margin, round(height * 0.075), round(width * 0.55), round(height * 0.05)),
            author=Room(margin, height - foot - round(height * 0.035), inner, round(height * 0.03)),
            picture=Room(margin, round(height * 0.36), round(width * 0.64), round(height * 0.5)),
            align="left",
        )
    top = 0.065 if step.proportion != "story" else 0.1
    title = 0.2 if step.proportion != "album" else 0.17
    begin, high = (0.355, 0.5) if step.proportion != "album" else (0.32, 0.5)
    return _Frame(
        width,
        height,
        title=Room(margin, round(height * top), inner, round(height * title)),
        subtitle=Room(margin, round(height * (top + title + 0.022)), inner, round(height * 0.034)),
        author=Room(margin, height - foot - round(height * 0.04), inner, round(height * 0.034)),
        picture=Room(margin, round(height * begin), inner, round(height * high)),
    )


def _over(step: CoverStep) -> _Frame:
    """Letters in the lower part of a picture that fills the cover."""
    width, height = SIZES[step.proportion]
    short = min(width, height)
    margin, foot = round(short * _MARGIN), round(short * _FOOT)
    inner = width - 2 * margin if step.proportion != "post" else round(width * 0.72)
    low = height - foot
    small = round(short * 0.05)
    return _Frame(
        width,
        height,
        title=Room(margin, round(low - 3.1 * small - height * 0.26), inner, round(height * 0.26)),
        subtitle=Room(margin, round(low - 2.6 * small), inner, small),
        author=Room(margin, low - small, inner, small),
        picture=Room(0, 0, width, height),
        align="left",
    )


def _stands(step: CoverStep) -> bool:
    """Whether a Chinese title stands upright, as on many a book."""
    return (
        step.proportion in ("book", "story")
        and step.layout != "full"
        and is_chinese(step.title)
        and step.title.strip().isalpha()
        and 2 <= len(step.title.strip()) <= _COLUMN
    )


# ------------------------------------------------------------ what lies behind the letters


def _designed(frame: _Frame, subject: Pixels, tint: Tint) -> Pixels:
    """A subject, cut out of paper, before a disc or on a high cover an arch, on a ground of colours that set it off."""
    room = frame.picture
    ground = Image.new("RGB", (frame.width, frame.height), tint.ground)
    side = min(room.width, room.height)
    across, down = room.left + room.width / 2, room.top + room.height / 2
    _shape(ground, across, down, side, tint.shape, arch=frame.height > 1.2 * frame.width)
    square = Image.fromarray(sticker(subject, round(0.92 * side), rim=True))
    ground.paste(square.convert("RGB"), (round(across - square.width / 2), round(down - square.height / 2)), square)
    return np.array(ground)


def _shape(ground: Image.Image, across: float, down: float, side: float, colour: Colour, *, arch: bool) -> None:
    """A disc, or a window with a round head that stands on the lower edge of the picture's room."""
    fine = 4
    mask = Image.new("L", (round(side) * fine, round(side) * fine), 0)
    draw = ImageDraw.Draw(mask)
    edge = round(side) * fine - 1
    if arch:
        inset = 0.1 * edge
        draw.ellipse((inset, 0, edge - inset, 0.8 * edge), fill=255)
        draw.rectangle((inset, 0.4 * edge, edge - inset, edge), fill=255)
    else:
        draw.ellipse((0, 0, edge, edge), fill=255)
    mask = mask.resize((round(side), round(side)), Image.Resampling.BOX)
    place = (round(across - side / 2), round(down - side / 2))
    ground.paste(Image.new("RGB", mask.size, colour), place, mask)


def _framed(frame: _Frame, pixels: Pixels, tint: Tint) -> Pixels:
    """The picture as it is, not enlarged beyond what it bears, in a white mat on a ground of its colours."""
    ground = Image.new("RGB", (frame.width, frame.height), tint.ground)
    room, (height, width) = frame.picture, pixels.shape[:2]
    mat = round(0.025 * min(frame.width, frame.height))
    scale = min((room.width - 3 * mat) / width, (room.height - 3 * mat) / height, _TALLEST)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left = round(room.left + (room.width - size[0]) / 2)
    top = round(room.top + (room.height - size[1]) / 2)
    box = (left - mat, top - mat, left + size[0] + mat, top + size[1] + mat)
    shade = Image.new("L", ground.size, 0)
    ImageDraw.Draw(shade).rectangle((box[0], box[1] + mat // 2, box[2], box[3] + mat // 2), fill=80)
    shade = shade.filter(ImageFilter.GaussianBlur(mat * 0.6))
    ground.paste(Image.new("RGB", ground.size, tint.dark), (0, 0), shade)
    ImageDraw.Draw(ground).rectangle(box, fill=tint.light)
    ground.paste(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS), (left, top))
    return np.array(ground)


def _full(frame: _Frame, pixels: Pixels) -> Pixels:
    """The picture over the whole cover, cut to its proportion, and darker towards the letters as far as they need."""
    image = Image.fromarray(pixels)
    scale = max(frame.width / image.width, frame.height / image.height)
    size = (max(frame.width, round(image.width * scale)), max(frame.height, round(image.height * scale)))
    image = image.resize(size, Image.Resampling.LANCZOS)
    left, top = (size[0] - frame.width) // 2, (size[1] - frame.height) // 3
    whole = np.asarray(image.crop((left, top, left + frame.width, top + frame.height)), np.float32)
    rows = np.arange(frame.height, dtype=np.float32)
    begin = frame.title.top - 0.4 * frame.height
    full = frame.title.top
    slope = np.clip((rows - begin) / max(full - begin, 1), 0, 1)
    slope = (slope * slope * (3 - 2 * slope))[:, None, None]
    dark = 0.0
    for dark in np.linspace(0, 1, 26):
        thinned = (whole[full::4, ::4] * (1 - dark) + 0.5).astype(np.uint8)
        if contrast((255, 255, 255), thinned) >= _LEAST * 1.1:
            break
    return (whole * (1 - dark * slope) + 0.5).astype(np.uint8)


# ------------------------------------------------------------ letters


def _written(step: CoverStep, frame: _Frame, ground: Pixels, tint: Tint) -> Cover:
    """The letters over the ground, each block in the colour that stands out most."""
    face: Typeface = "serif" if step.proportion == "book" else "sans"
    short = min(frame.width, frame.height)
    chinese = is_chinese(step.title)
    heading = Style(
        face,
        bold=True,
        largest=short * (0.19 if frame.width < frame.height * 1.3 else 0.17),
        spacing=0.02 if chinese else -0.005,
    )
    small = Style("sans", largest=short * 0.044, spacing=0.06, most=2)
    title = step.title.strip()
    if _stands(step) and frame.title.height > 2 * frame.title.width:
        blocks = [set_column(title, frame.title, Style(face, bold=True, largest=short * 0.17, leading=1.1))]
    else:
        foot = "bottom" if frame.picture.height == frame.height or frame.align == "left" else "middle"
        blocks = [set_block(title, frame.title, heading, frame.align, foot)]
    if step.subtitle.strip():
        blocks.append(set_block(step.subtitle.strip(), frame.subtitle, small, frame.align, "top"))
    if step.author.strip():
        blocks.append(set_block(step.author.strip(), frame.author, small, frame.align, "bottom"))
    pixels = ground.copy()
    told: list[Mapping[str, object]] = []
    for block in blocks:
        colour = _read_best(ground, block, tint)
        for line in block:
            inked(pixels, line, colour)
            told.append(_told(line, colour))
    return Cover(pixels, ground, json.dumps(told, ensure_ascii=False))


def _read_best(ground: Pixels, block: Sequence[Placed], tint: Tint) -> Colour:
    """Of dark and light the one with more contrast where it is least; black or white where neither has enough."""
    behind = np.concatenate([_behind(ground, line).reshape(-1, 3) for line in block])
    tried = sorted((contrast(each, behind), each) for each in (tint.dark, tint.light))
    if tried[-1][0] < _LEAST:
        tried = sorted((contrast(each, behind), each) for each in ((0, 0, 0), (255, 255, 255)))
    return tried[-1][1]


def _behind(ground: Pixels, line: Placed) -> Pixels:
    height, width = line.ink.cover.shape
    return ground[max(line.top, 0) : line.top + height, max(line.left, 0) : line.left + width]


def _told(line: Placed, colour: Colour) -> Mapping[str, object]:
    height, width = line.ink.cover.shape
    return {
        "text": line.ink.text,
        "left": line.left,
        "top": line.top,
        "width": width,
        "height": height,
        "colour": list(colour),
    }


def picture_of(made: Cover, step: CoverStep) -> Picture:
    """The cover as a work's picture: described by its words, with its picture's maker."""
    words = " · ".join(each for each in (step.title, step.subtitle, step.author) if each)
    described = f"{words} ({step.picture.described})" if step.picture.described else words
    return Picture.of(made.pixels, described, made_by=step.picture.made_by)
