"""A mask: which part of a picture may change, and the change laid into it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from castalia.core.picture import Picture
from castalia.modalities.image.draw.square import squared
from castalia.modalities.image.oklab import Pixels

_EDGE = 1 / 64
"""Of the shorter side, over which the change fades in."""
_ALIKE = 0.02
"""Proportions that differ by less are the same."""


def opening(mask: Picture) -> NDArray[np.bool_]:
    """Where it lets a picture change: where it is transparent (height, width)."""
    pixels = mask.pixels
    return pixels[..., 3] < 128 if pixels.shape[2] == 4 else np.zeros(pixels.shape[:2], np.bool_)


def masked(given: Picture, changed: Pixels, mask: Picture) -> Pixels:
    """The change inside the mask's opening, where it fades in from the edge; outside the given picture, unchanged.

    Args:
        given: As large as the mask.
        changed: (height, width, 3), of the same proportions, or a square on which the given picture was laid.
        mask: See `opening`.

    Returns:
        As large as `changed`.
    """
    height, width = changed.shape[:2]
    opened = np.repeat(opening(mask)[..., None], 3, axis=2).astype(np.uint8) * 255
    before = given.pixels[..., :3]
    if abs(given.width / given.height / (width / height) - 1) > _ALIKE:
        before, opened = squared(given.pixels), 255 - squared(255 - opened)  # white beside it, which stays
    elif given.pixels.shape[2] == 4:
        before = squared(given.pixels) if given.width == given.height else before
    size, radius = (width, height), max(1.0, min(width, height) * _EDGE)
    soft = Image.fromarray(opened).convert("L").resize(size, Image.Resampling.BOX)
    blurred = np.array(soft.filter(ImageFilter.GaussianBlur(radius)), np.float64)[..., None] / 255
    share = np.clip(2 * blurred - 1, 0, 1)
    kept = np.array(Image.fromarray(before).resize(size, Image.Resampling.LANCZOS), np.float64)
    return np.round(kept + (changed[..., :3] - kept) * share).astype(np.uint8)
