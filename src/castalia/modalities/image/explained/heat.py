"""A map of values over a picture: the picture pale and grey, the values in one scale of colours on top."""

from __future__ import annotations

import numpy as np
from PIL import Image

from castalia.core.explained_picture import Fields
from castalia.modalities.image.oklab import Pixels, luma

_SCALE = np.array([(255, 247, 188), (254, 196, 79), (236, 112, 20), (153, 52, 4), (73, 16, 28)], np.float32)
"""From little to much, lighter to darker (after YlOrBr of Brewer 2003): told apart by all eyes, and in grey."""
_COVER = 0.85
"""Of the largest value."""


def heated(pixels: Pixels, fields: Fields, top: float) -> Pixels:
    """The map over the picture (height, width, 3).

    Args:
        pixels: The picture (height, width, 3).
        fields: Values, none below 0.
        top: The value at which the scale ends.
    """
    height, width = pixels.shape[:2]
    values = np.clip(np.array(fields, np.float32) / max(top, 1e-6), 0, 1)
    smooth = Image.fromarray(values).resize((width, height), Image.Resampling.BILINEAR)
    value = np.asarray(smooth, np.float32)[..., None]
    grey = 255 - (255 - luma(pixels)[..., None]) * 0.55
    cover = _COVER * np.minimum(1, value * 2.2)
    return np.round(grey * (1 - cover) + colours(value[..., 0]) * cover).astype(np.uint8)


def colours(values: np.ndarray) -> np.ndarray:
    """Colours of values 0 … 1 (…, 3), 0 … 255."""
    place = np.clip(values, 0, 1) * (len(_SCALE) - 1)
    below = np.minimum(place.astype(int), len(_SCALE) - 2)
    share = (place - below)[..., None]
    return _SCALE[below] * (1 - share) + _SCALE[below + 1] * share
