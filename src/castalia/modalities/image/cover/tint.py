"""The colours of a cover, taken from its picture: a ground that sets it off, and letters that are read on it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from castalia.modalities.image.oklab import Pixels, Plane, oklab, srgb

Colour = tuple[int, int, int]
_HUELESS = 0.03
"""OKLab; a picture with less colour gets a warm ground."""
_WARM = 1.2
"""Radians."""


@dataclass(frozen=True)
class Tint:
    """Colours that go together."""

    ground: Colour
    shape: Colour
    """Of the disc or arch behind a subject."""
    dark: Colour
    light: Colour


def tint_of(colours: Pixels) -> Tint:
    """The colours for a picture.

    Args:
        colours: (pixels, 3), of the subject alone.
    """
    lab = oklab(colours).reshape(-1, 3)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    a, b = (float((lab[:, axis] * chroma).sum() / max(chroma.sum(), 1e-6)) for axis in (1, 2))
    own = math.atan2(b, a) if math.hypot(a, b) > _HUELESS else _WARM
    if float(lab[:, 0].mean()) > 0.76:  # a light subject on a deep ground
        ground, shape, hue = (0.3, 0.07), (0.42, 0.1), own
    else:
        ground, shape, hue = (0.935, 0.035), (0.83, 0.085), own + math.pi
    return Tint(
        ground=_colour(*ground, hue),
        shape=_colour(*shape, hue),
        dark=_colour(0.27, 0.055, hue),
        light=_colour(0.975, 0.015, hue),
    )


def _colour(lightness: float, chroma: float, hue: float) -> Colour:
    lab = np.array([[lightness, chroma * math.cos(hue), chroma * math.sin(hue)]], np.float32)
    red, green, blue = (int(each) for each in srgb(lab)[0])
    return red, green, blue


def luminance(pixels: Pixels) -> Plane:
    """Relative luminance, 0 … 1, of sRGB (…, 3) (WCAG 2.2)."""
    level = pixels.astype(np.float32) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.asarray(light @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


def contrast(colour: Colour, behind: Pixels) -> float:
    """Contrast ratio of a colour with the hundredth of the pixels behind it that is nearest to it (WCAG 2.2)."""
    own = float(luminance(np.array(colour, np.uint8)))
    light = luminance(behind).ravel()
    ratios = (np.maximum(light, own) + 0.05) / (np.minimum(light, own) + 0.05)
    return float(np.quantile(ratios, 0.01))
