"""A cut-out made larger with a sharp outline: what is soft inside looks like shading, a soft edge looks blurred."""

from __future__ import annotations

import numpy as np
from PIL import Image

from castalia.modalities.image.matte import behind_alpha
from castalia.modalities.image.oklab import Pixels, Plane

_SHARPER = 3
"""Times by which a picture is enlarged from which its outline is drawn anew; below, its own is kept."""
_EDGE = 1.6
"""Pixels over which an outline fades."""


def crisp(pixels: Pixels, width: int, height: int) -> Pixels:
    """A picture with alpha in another size.

    Args:
        pixels: (h, w, 4), alpha not multiplied in.
        width: Pixels.
        height: Pixels.

    Returns:
        (height, width, 4).
    """
    scale = height / len(pixels)
    way = Image.Resampling.LANCZOS
    colour = Image.fromarray(behind_alpha(pixels)).resize((width, height), way)
    alpha = _plane(np.asarray(pixels[..., 3] / 255, np.float32), width, height)
    if scale > 1:
        # The outline lies where alpha is one half; how steep it is there tells how far away it is.
        smooth = _blurred(alpha, scale / _SHARPER)
        down, across = np.gradient(smooth)
        steep = np.maximum(np.hypot(down, across), 0.15 / max(scale, 1.0) / _SHARPER)
        alpha = (smooth - 0.5) / steep / _EDGE + 0.5
    cover = (np.clip(alpha, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.dstack([np.asarray(colour), cover])


def _plane(plane: Plane, width: int, height: int) -> Plane:
    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _blurred(plane: Plane, radius: float) -> Plane:
    """Gaussian average of this standard deviation, pixels."""
    from PIL import ImageFilter

    levels = Image.fromarray((np.clip(plane, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.asarray(np.asarray(levels.filter(ImageFilter.GaussianBlur(radius))) / 255, np.float32)
