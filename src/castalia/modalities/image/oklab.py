"""Colours as the eye orders them: OKLab, in which equal steps look about equally large.

Ottosson 2020, "A perceptual color space for image processing"; matrices as published there on 2021-01-25.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""(height, width, 3) sRGB."""
Plane = NDArray[np.float32]
"""(height, width), or (height, width, channels)."""

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_CONES, _FROM_LAB = np.linalg.inv(_TO_CONES), np.linalg.inv(_TO_LAB)


@cache
def _linear() -> Plane:
    """Light, 0 … 1, of each of 256 levels of sRGB (IEC 61966-2-1)."""
    level = np.arange(256, dtype=np.float32) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


def oklab(pixels: Pixels) -> Plane:
    """Lightness 0 … 1, and two signed axes green–red and blue–yellow, (…, 3)."""
    cones = np.cbrt(_linear()[pixels] @ _TO_CONES.T)
    return (cones @ _TO_LAB.T).astype(np.float32)


def srgb(lab: Plane) -> Pixels:
    """Back to sRGB (…, 3); what no screen shows is cut to the nearest level of each channel."""
    light = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_CONES.T, 0, 1)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return (np.clip(level, 0, 1) * 255 + 0.5).astype(np.uint8)


def luma(pixels: Pixels) -> Plane:
    """Brightness by Rec. 601, (height, width), 0 … 255."""
    return (pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.float32)
