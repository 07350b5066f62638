"""The guided filter: a picture smoothed so that its edges lie where a guide's edges lie.

He, Sun and Tang 2013, "Guided image filtering", equations 5, 6 and 8 (one guide channel).
"""

from __future__ import annotations

import numpy as np

from castalia.modalities.image.oklab import Plane


def box(plane: Plane, radius: int) -> Plane:
    """Mean over a square of 2·radius + 1 pixels, those beyond the border left out; (height, width, …)."""
    mean = plane.astype(np.float64)
    for axis in (0, 1):
        size = int(plane.shape[axis])
        total = np.concatenate([np.zeros_like(mean.take([0], axis)), mean.cumsum(axis)], axis)
        place = np.arange(size, dtype=np.intp)
        high, low = np.minimum(place + radius + 1, size), np.maximum(place - radius, 0)
        count = (high - low).reshape([-1 if each == axis else 1 for each in range(plane.ndim)])
        mean = (total.take(high, axis) - total.take(low, axis)) / count
    return mean.astype(np.float32)


def follow(guide: Plane, plane: Plane, radius: int, smooth: float) -> tuple[Plane, Plane]:
    """(a, b) of `plane ≈ a · guide + b` around each pixel, both (height, width).

    Args:
        guide: (height, width).
        plane: (height, width).
        radius: Pixels of the window.
        smooth: Variance of the guide below which it counts as flat, in the guide's units squared.
    """
    mean, target = box(guide, radius), box(plane, radius)
    spread = box(guide * guide, radius) - mean * mean
    common = box(guide * plane, radius) - mean * target
    slope = np.asarray(common / (spread + smooth), np.float32)
    offset = np.asarray(target - slope * mean, np.float32)
    return box(slope, radius), box(offset, radius)


def guided(guide: Plane, plane: Plane, radius: int, smooth: float) -> Plane:
    """The plane smoothed along the guide's edges, (height, width); arguments as in `follow`."""
    slope, offset = follow(guide, plane, radius, smooth)
    return slope * guide + offset
