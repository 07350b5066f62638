"""A subject in the middle of a square, as large as others look, on nothing; with a white rim it is a sticker."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from castalia.modalities.image.cut_out import cut_out, reached
from castalia.modalities.image.oklab import Pixels, Plane
from castalia.modalities.image.sets.crisp import crisp

_SPECK = 0.012
"""Of the largest piece: smaller ones are remains of the ground."""
_WEIGHT = 0.36
"""Of the square that a subject covers where its shape allows: round and long ones then look equally large."""
_ROOM = 0.07
"""Of the side, between a subject (or its rim) and the border."""
_RIM = 0.028
"""Of the side: how wide a rim is."""
_SHADOW = 0.3
"""How dark a rim's shadow is, so that it is seen on white."""

Mask = NDArray[np.bool_]


def sticker(pixels: Pixels, side: int, *, rim: bool) -> Pixels:
    """One picture of a set.

    Args:
        pixels: (height, width, 3) before a plain ground, or 4 with alpha.
        side: Pixels of the square.
        rim: Whether it has a white rim.

    Returns:
        (side, side, 4).

    Raises:
        UsageError: nothing can be cut out.
    """
    subject = visible(pixels if pixels.shape[2] == 4 else cut_out(pixels).pixels)
    height, width = subject.shape[:2]
    wide = _RIM * side if rim else 0.0
    room = side * (1 - 2 * _ROOM) - 2 * wide
    covered = float(subject[..., 3].mean()) / 255 * height * width
    scale = min(room / max(height, width), math.sqrt(_WEIGHT * side * side / max(covered, 1.0)))
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    large = crisp(subject, columns, rows)
    top, left = (_middle(large, axis, side, wide) for axis in (0, 1))
    placed = np.zeros((side, side, 4), np.uint8)
    placed[top : top + rows, left : left + columns] = large
    return _rimmed(placed, wide) if rim else placed


def visible(pixels: Pixels) -> Pixels:
    """A cut-out (height, width, 4) without specks, and without the rows and columns on which nothing is."""
    solid = pixels[..., 3] > 127
    label = _pieces(solid)
    sizes = np.bincount(label[solid], minlength=1)
    large = sizes >= _SPECK * sizes.max(initial=0)
    kept = solid & large[label]
    near = np.asarray(Image.fromarray(kept).convert("L").filter(ImageFilter.MaxFilter(5))) > 0
    bare = pixels.copy()
    bare[~near, 3] = 0
    seen = np.argwhere(bare[..., 3] > 8)
    if not len(seen):
        return bare
    (top, left), (bottom, right) = seen.min(0), seen.max(0) + 1
    return bare[top:bottom, left:right]


def _pieces(solid: Mask) -> NDArray[np.intp]:
    """A number for each joined piece: the smallest of its pixels' places, handed on along rows and columns."""
    label = np.where(solid, np.arange(solid.size).reshape(solid.shape), solid.size)
    while True:
        before = label
        for turn in (False, True):
            held, open_ = (label.T, solid.T) if turn else (label, solid)
            begins = np.ones_like(open_)
            begins[:, 1:] = open_[:, 1:] != open_[:, :-1]
            runs = np.cumsum(begins.ravel()).reshape(open_.shape) - 1
            least = np.full(int(runs.max()) + 1, solid.size)
            np.minimum.at(least, runs.ravel(), held.ravel())
            held = np.where(open_, least[runs], solid.size)
            label = held.T if turn else held
        if np.array_equal(label, before):
            return np.where(solid, label, 0).astype(np.intp)


def _middle(subject: Pixels, axis: int, side: int, wide: float) -> int:
    """Where a subject begins so that it looks centred: half-way between its box and its centre of mass."""
    alpha = subject[..., 3].astype(np.float64)
    along = alpha.sum(1 - axis)
    length = len(along)
    mass = float((along * (np.arange(length) + 0.5)).sum() / max(along.sum(), 1.0))
    begin = side / 2 - (length / 2 + mass) / 2
    least = _ROOM * side + wide
    return round(min(max(begin, least), side - least - length)) if length < side - 2 * least else (side - length) // 2


def _rimmed(placed: Pixels, wide: float) -> Pixels:
    """On white paper that is cut around it at that distance, without holes, and its shadow."""
    side = len(placed)
    paper = _grown(np.asarray(placed[..., 3] / 255, np.float32), wide)
    outside = reached(paper < 0.5)
    paper = np.where(outside, paper, 1.0).astype(np.float32)
    shade = Image.fromarray((paper * 255 * _SHADOW).astype(np.uint8)).filter(ImageFilter.GaussianBlur(side * 0.008))
    shadow = np.roll(np.asarray(shade, np.float32) / 255, round(side * 0.006), 0)
    own = placed[..., 3:].astype(np.float32) / 255
    white = placed[..., :3] * own + 255 * (1 - own)
    cover = paper + shadow * (1 - paper)
    colour = white * (paper / np.maximum(cover, 1e-6))[..., None]
    return (np.dstack([colour, cover * 255]) + 0.5).clip(0, 255).astype(np.uint8)


def _grown(alpha: Plane, wide: float) -> Plane:
    """Cover of all that lies within a distance of the shape, its edge one or two pixels soft."""
    reach = math.ceil(wide + 2)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    near = np.hypot(y, x) <= wide
    shape = [length + 2 * reach for length in alpha.shape]
    met = np.fft.irfft2(np.fft.rfft2(alpha > 0.5, shape) * np.fft.rfft2(near, shape), shape)
    grown = met[reach : reach + alpha.shape[0], reach : reach + alpha.shape[1]] > 0.5
    soft = Image.fromarray(grown).convert("L").filter(ImageFilter.GaussianBlur(max(1.0, wide * 0.3)))
    steep = max(1.0, wide * 0.5)
    return np.asarray(np.clip((np.asarray(soft) / 255 - 0.5) * steep + 0.5, 0, 1), np.float32)
