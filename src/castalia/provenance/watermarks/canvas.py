"""Pictures as the watermark sees them: luma in a canonical size, evened out, attacked, and changed within its range."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 256
"""Canonical pixels: square root of the canonical picture's area."""

_MEAN, _CONTRAST = 2.5, 1.8
"""Widths (standard deviations) of the windows of the local mean and contrast, canonical pixels."""
_FLOOR = 0.5
"""Contrast below which a place counts as flat, levels."""
_LIMIT = 1.5
"""Local deviations, in units of the local contrast, are clipped here, so that edges do not shout."""
_HEADROOM = 0.5
"""How far paper white and ink black move inwards, in units of the mark's amplitude there."""
_NEIGHBOURHOOD = 5.0
"""Width of the window in which activity is averaged, canonical pixels."""
_CALM = 2.0
"""Activity below which a change shows, levels."""
_CALMEST, _BUSIEST = 1.5, 25.0
"""Activity of a place that counts as flat, and as busy as can be, levels."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def luma_of(pixels: Pixels) -> Floats:
    """Levels 0 to 255, shape (height, width)."""
    return pixels.astype(np.float32) if pixels.ndim == 2 else pixels[..., :3].astype(np.float32) @ _LUMA


def resized(picture: Floats, shape: tuple[int, ...]) -> Floats:
    """Resample to (height, width); shrinking averages."""
    way = Image.Resampling.BICUBIC if shape[0] > picture.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(picture).resize((shape[1], shape[0]), way))


def canonical(luma: Floats) -> Floats:
    """The picture with an area of `SIDE`², its sides in proportion."""
    height, width = luma.shape
    scale = SIDE / math.sqrt(height * width)
    return resized(luma, (max(8, round(height * scale)), max(8, round(width * scale))))


def rehearsed(canvas: Floats, shape: tuple[int, ...]) -> Iterator[Floats]:
    """The canonical picture after hard attacks: JPEG at quality 25 in its own size, and at 50 in half of it."""
    for quality, part, most in ((25, 1.0, 2.0), (50, 0.5, 1.0)):
        factor = min(part * shape[0] / canvas.shape[0], most)
        size = tuple(max(8, round(length * factor)) for length in canvas.shape)
        small = np.clip(np.rint(resized(canvas, size)), 0, 255).astype(np.uint8)
        yield resized(coded(small, "JPEG", quality).astype(np.float32), canvas.shape)


def coded(pixels: Pixels, form: str, quality: int) -> Pixels:
    """The picture after JPEG or WebP, without transparency."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., :3] if pixels.ndim == 3 else pixels).save(file, form, quality=quality, method=2)
    return np.asarray(Image.open(file))


def calm(canvas: Floats) -> float:
    """Share of the picture, in [0, 1], that is too calm to hide a change: skies, paper, flat colours."""
    return float(np.mean(_activity(canvas) < _CALM))


def _activity(canvas: Floats) -> Floats:
    return np.sqrt(np.maximum(_smooth(detail(canvas) ** 2, _NEIGHBOURHOOD), 0))


def tolerance(canvas: Floats) -> Floats:
    """How much change each place hides, relative to the others, mean square 1: the root of its activity.

    Between an even change, which shows in the sky, and one in proportion to the activity (Weber's law), which codecs
    erase in the sky; activity is the deviation from the local mean, smoothed, and limited so that edges do not shout.
    """
    root = np.sqrt(np.minimum(_activity(canvas), _BUSIEST) + _CALMEST)
    return (root / math.sqrt(float(np.mean(root**2)))).astype(np.float32)


def within_range(canvas: Floats, change: Floats) -> Floats:
    """The change with room made for it at black and white, and clipped where that is not enough."""
    room = np.minimum(_HEADROOM * np.sqrt(_smooth(change**2, 4.0)), 20)
    return np.clip(np.clip(canvas, room, 255 - room) + change, 0, 255) - canvas


def added(pixels: Pixels, pattern: Floats, allowed: float) -> Pixels:
    """Add a pattern to all colours, scaled until the mean square error is `allowed`."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels[..., :3]
    marked, scale = colours, math.sqrt(allowed / (float(np.mean(pattern**2)) + 1e-9))
    for _ in range(3):
        levels = scale * pattern[..., None] + colours
        marked = np.rint(levels, out=levels).clip(0, 255, out=levels).astype(np.uint8)
        error = float(np.mean(np.square(marked.astype(np.float32) - colours))) + 1e-9
        if abs(error / allowed - 1) < 0.01:
            break
        scale *= math.sqrt(allowed / error)
    if pixels.ndim == 2:
        return marked[..., 0]
    return np.concatenate([marked, pixels[..., 3:]], axis=2)


def detail(canvas: Floats) -> Floats:
    """Deviation from the local mean."""
    return canvas - _smooth(canvas, _MEAN)


def evened(canvas: Floats) -> Floats:
    """Deviation from the local mean in units of the local contrast."""
    rest = detail(canvas)
    contrast = np.sqrt(np.maximum(_smooth(rest**2, _CONTRAST), 0)) + _FLOOR
    return np.clip(rest / contrast, -_LIMIT, _LIMIT).astype(np.float32)


def _smooth(picture: Floats, width: float) -> Floats:
    """Gaussian average of this standard deviation, the edges repeated outwards."""
    reach = math.ceil(3 * width)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for _ in range(2):  # down the columns, then the same on the transpose
        padded = np.pad(picture, ((reach, reach), (0, 0)), "edge")
        length = len(picture)
        result = taps[reach] * picture
        for step in range(reach):
            result += taps[step] * (padded[step : step + length] + padded[2 * reach - step :][:length])
        picture = np.ascontiguousarray(result.T)
    return picture
