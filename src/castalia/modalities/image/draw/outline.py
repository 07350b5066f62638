"""The outlines of a picture as numbers that stay nearly the same when it is recoloured, moved, cropped or made smaller.

Dalal & Triggs (2005), "Histograms of oriented gradients for human detection", section 6, of what stands out alone. The
code of the drawing model's own encoder does not serve: it is made to give back every pixel in its place, and of
pictures moved by a twentieth it found one in thirteen again (docs/log.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.oklab import Pixels

NUMBERS = 128
"""Of an outline: 4 × 4 cells of 8 directions."""
_CELLS, _DIRECTIONS, _SIDE = 4, 8, 64
_GROUND = 24
"""Levels from the border's median up to which a pixel is ground."""
_ABOUT = 12
"""Of what stands out the longer side, over what is seen beside it: the edges of a plain square lie there."""
_LEAST = 0.01
"""Share of the picture that must stand out; else all of it is looked at."""


def outline(pixels: Pixels) -> Floats:
    """Roots of what is edged in each direction, by cells, of length 1 (NUMBERS,); zeros of an even picture.

    Args:
        pixels: (height, width, 3).
    """
    grey = Image.fromarray(_subject(pixels)).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    down, across = np.gradient(np.asarray(grey, np.float32))
    turn = np.arctan2(down, across) % np.pi / np.pi * _DIRECTIONS
    lower = np.floor(turn).astype(np.int64)
    upper_share, much = turn - lower, np.hypot(down, across)
    cell = np.arange(_SIDE) * _CELLS // _SIDE
    places = (cell[:, None] * _CELLS + cell) * _DIRECTIONS
    found = np.zeros(NUMBERS)
    for direction, share in ((lower, 1 - upper_share), (lower + 1, upper_share)):
        found += np.bincount((places + direction % _DIRECTIONS).ravel(), (much * share).ravel(), NUMBERS)
    roots = np.sqrt(found)
    return (roots / max(float(np.linalg.norm(roots)), 1e-9)).astype(np.float32)


def alike(pixels: Pixels, outlines: Floats) -> Floats:
    """How much a picture, or its mirror image, is like each of several: cosines about their mean (pictures,).

    Args:
        pixels: (height, width, 3).
        outlines: Of the others (pictures, NUMBERS).
    """
    mean = outlines.mean(0)
    others = _turned(outlines - mean)
    views = (outline(pixels), outline(np.ascontiguousarray(pixels[:, ::-1])))
    return np.max([others @ _turned(view - mean) for view in views], 0)


def _turned(directions: Floats) -> Floats:
    return directions / np.maximum(np.linalg.norm(directions, axis=-1, keepdims=True), np.float32(1e-9))


def _subject(pixels: Pixels) -> NDArray[np.uint8]:
    """The part of a picture that stands out from what its border mostly is, and a little about it."""
    levels = pixels.astype(np.int16)
    border = np.concatenate([levels[0], levels[-1], levels[:, 0], levels[:, -1]])
    apart = (np.abs(levels - np.median(border, axis=0)) > _GROUND).any(-1)
    if apart.mean() < _LEAST:
        return pixels
    rows, columns = (np.flatnonzero(apart.any(axis)) for axis in (1, 0))
    about = 1 + max(rows[-1] - rows[0], columns[-1] - columns[0]) // _ABOUT
    wide = np.pad(pixels, ((about, about), (about, about), (0, 0)), "edge")
    return wide[rows[0] : rows[-1] + 2 * about + 1, columns[0] : columns[-1] + 2 * about + 1]
