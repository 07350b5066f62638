"""Recolouring: the colour that a picture mostly has becomes another.

Training shows pictures in other colours and says which (augmentation); drawing mends a colour that came out otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.modalities.image.cut_out import cut_out

Pixels = NDArray[np.uint8]
"""(height, width, 3)."""
Plane = NDArray[np.float32]
"""(height, width): hue in degrees, saturation or value in [0, 1]."""

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.0, 1.0, 0.9),
    "orange": (30.0, 1.0, 1.0),
    "yellow": (48.0, 1.0, 1.08),
    "green": (125.0, 0.9, 0.8),
    "blue": (215.0, 1.0, 0.95),
    "purple": (280.0, 0.85, 0.85),
    "pink": (335.0, 0.55, 1.08),
    "brown": (24.0, 0.8, 0.58),
    "gray": (0.0, 0.0, 0.75),
    "black": (0.0, 0.0, 0.3),
}
"""Hue in degrees, factors of saturation and value, by name."""
_NEAR = 40.0
"""Degrees about the main hue that count as that colour."""
_COLOURED = 0.25
"""Saturation from which a pixel has a colour."""
_TINT = 0.55
"""Saturation that a tint has at least."""
_LEAST = 0.3
"""Share of what is not ground that must have the main colour."""


def main_hue(pixels: Pixels) -> float | None:
    """The hue that most of a picture's subject has, degrees; None where it has no main colour.

    The ground, nearly white, does not count.
    """
    return _main_hue(*_hsv(pixels))


def _main_hue(hue: Plane, saturation: Plane, value: Plane) -> float | None:
    subject = (saturation > 0.06) | (value < 0.94)
    coloured = (saturation > _COLOURED) & (value > 0.2)
    if subject.sum() < 0.03 * subject.size or coloured.sum() < _LEAST * subject.sum():
        return None
    bins = (hue[coloured] / 5).astype(np.int64) % 72
    histogram = np.bincount(bins, (saturation * value)[coloured], 72)
    smooth = sum((5 - abs(shift)) * np.roll(histogram, shift) for shift in range(-4, 5))
    main = float(np.argmax(smooth) * 5 + 2.5)
    near = coloured & (_apart(hue, main) < _NEAR)
    return main if near.sum() >= _LEAST * subject.sum() else None


def name_of(pixels: Pixels) -> str:
    """The name of a picture's main colour; empty where it has none."""
    planes, saturation, value = _hsv(pixels)
    hue = _main_hue(planes, saturation, value)
    if hue is None:
        return ""
    near = (saturation > _COLOURED) & (_apart(planes, hue) < _NEAR)
    bright, vivid = float(np.median(value[near])), float(np.median(saturation[near]))
    if 10 <= hue < 48 and bright < 0.68:
        return "brown"
    if (hue >= 310 or hue < 12) and vivid < 0.6 and bright > 0.7:
        return "pink"
    bounds = (
        (14, "red"),
        (36, "orange"),
        (68, "yellow"),
        (170, "green"),
        (255, "blue"),
        (310, "purple"),
        (345, "pink"),
    )
    return next((name for top, name in bounds if hue < top), "red")


def recoloured(pixels: Pixels, names: Sequence[str]) -> Mapping[str, Pixels]:
    """The picture with its main colour become another, by the other's name; nothing where it has no main colour.

    Args:
        pixels: (height, width, 3).
        names: Keys of `COLOURS`.
    """
    hue, saturation, value = _hsv(pixels)
    main = _main_hue(hue, saturation, value)
    if main is None:
        return {}
    share = np.clip((_NEAR + 15 - _apart(hue, main)) / 15, 0, 1) * np.clip(saturation / 0.12, 0, 1)
    away = (hue - main + 180) % 360 - 180
    made: dict[str, Pixels] = {}
    for name in names:
        target, vivid, bright = COLOURS[name]
        other = _rgb((target + away) % 360, np.minimum(saturation * vivid, 1), np.minimum(value * bright, 1))
        mixed = pixels + share[..., None] * (other - pixels)
        made[name] = np.clip(np.round(mixed), 0, 255).astype(np.uint8)
    return made


def coloured(pixels: Pixels, name: str) -> Pixels:
    """The picture in a colour: as it is where that is its main colour, recoloured where that makes it so, else tinted.

    Args:
        pixels: (height, width, 3).
        name: A key of `COLOURS`.
    """
    if name_of(pixels) == name:
        return pixels
    made = recoloured(pixels, [name]).get(name)
    grey = COLOURS[name][1] == 0
    return made if made is not None and (grey or name_of(made) == name) else _tinted(pixels, name)


def _tinted(pixels: Pixels, name: str) -> Pixels:
    """The subject in one colour, each shade as light as it is; the ground stays."""
    _, saturation, value = _hsv(pixels)
    target, vivid, bright = COLOURS[name]
    try:
        subject = cut_out(pixels).pixels[..., 3:] / np.float32(255)
    except UsageError:  # its ground is not plain: what has a colour is the subject
        subject = np.clip(saturation / 0.12, 0, 1)[..., None]
    shade: Plane = np.clip(np.maximum(saturation, np.float32(_TINT)) * np.float32(vivid), 0, 1)
    other = _rgb(np.full_like(value, target), shade, value * np.float32(min(bright, 1)))
    return np.clip(np.round(pixels + subject * (other - pixels)), 0, 255).astype(np.uint8)


def _apart(hue: Plane, other: float) -> Plane:
    return np.abs((hue - other + 180) % 360 - 180)


def _hsv(pixels: Pixels) -> tuple[Plane, Plane, Plane]:
    rgb = pixels[..., :3].astype(np.float32) / 255
    top, low = rgb.max(-1), rgb.min(-1)
    spread = top - low
    safe = np.where(spread > 0, spread, 1)
    red, green, blue = (rgb[..., each] for each in range(3))
    hue = np.where(
        top == red, (green - blue) / safe % 6, np.where(top == green, (blue - red) / safe + 2, (red - green) / safe + 4)
    )
    return hue * 60, spread / np.where(top > 0, top, 1), top


def _rgb(hue: Plane, saturation: Plane, value: Plane) -> Plane:
    """Hue in degrees, saturation and value in [0, 1] → (…, 3) in [0, 255]."""
    step = (np.array([5, 3, 1], np.float32) + hue[..., None] / 60) % 6
    dip = np.clip(np.minimum(step, 4 - step), 0, 1)
    return 255 * value[..., None] * (1 - saturation[..., None] * dip)
