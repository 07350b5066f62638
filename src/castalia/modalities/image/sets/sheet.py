"""Several pictures side by side in one, and each of them again out of it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image

from castalia.core.picture import Cell, Picture, Sheet, SheetStep
from castalia.modalities.image.oklab import Pixels

_FOOT = 0.1
"""Of the shorter side, below the last row where it has no cell left: a visible label stands there."""


def laid_out(step: SheetStep) -> Picture:
    """A sheet of the step's pictures, in rows that make it about square.

    Raises:
        UsageError: it has too many pixels.
    """
    columns = math.ceil(math.sqrt(len(step.pictures)))
    rows = math.ceil(len(step.pictures) / columns)
    pitch = step.side + step.gap
    width, height = columns * pitch + step.gap, rows * pitch + step.gap
    if not step.milliseconds and len(step.pictures) == columns * rows:
        height += round(_FOOT * min(width, height))
    channels = 4 if step.ground is None else 3
    whole = np.zeros((height, width, channels), np.uint8)
    if step.ground is not None:
        whole[:] = step.ground
    cells: list[Cell] = []
    for number, picture in enumerate(step.pictures):
        row, column = divmod(number, columns)
        place = Cell(
            name=picture.described,
            left=step.gap + column * pitch,
            top=step.gap + row * pitch,
            width=step.side,
            height=step.side,
        )
        cells.append(place)
        _laid(_part(whole, place), picture.pixels)
    made_by = "person" if any(each.made_by == "person" for each in step.pictures) else "model"
    described = ", ".join(dict.fromkeys(each.described for each in step.pictures if each.described))
    sheet = Sheet(cells=tuple(cells), milliseconds=step.milliseconds)
    return Picture.of(whole, described, made_by=made_by, sheet=sheet)


def cells(picture: Picture) -> Sequence[Pixels]:
    """The pictures that a sheet holds, (height, width, 3 or 4) each; of any other picture itself."""
    pixels = picture.pixels
    return [_part(pixels, each) for each in picture.sheet.cells] if picture.sheet else [pixels]


def _part(whole: Pixels, cell: Cell) -> Pixels:
    return whole[cell.top : cell.top + cell.height, cell.left : cell.left + cell.width]


def _laid(place: Pixels, pixels: Pixels) -> None:
    """Put a picture into the middle of a part of the sheet, as large as fits."""
    height, width = pixels.shape[:2]
    side = min(len(place) / height, place.shape[1] / width)
    size = (max(1, round(width * side)), max(1, round(height * side)))
    image = Image.fromarray(pixels).convert("RGBA")
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    fitted = np.asarray(image)
    top, left = (len(place) - fitted.shape[0]) // 2, (place.shape[1] - fitted.shape[1]) // 2
    part = place[top : top + fitted.shape[0], left : left + fitted.shape[1]]
    if place.shape[2] == 4:
        part[:] = fitted
        return
    alpha = fitted[..., 3:].astype(np.float32) / 255
    part[:] = (fitted[..., :3] * alpha + part * (1 - alpha) + 0.5).astype(np.uint8)
