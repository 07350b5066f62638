"""Where a picture's weight lies, how alike its halves are, how sharp it is, and whether it is flat art.

Saliency: Achanta et al. 2009, "Frequency-tuned salient region detection", equation 1, how far each slightly smoothed
colour lies from one colour, in OKLab; here from the median of the border instead of the mean of all, for what lies at
the border is mostly ground (Wei et al. 2012, "Geodesic saliency using background priors").
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from castalia.modalities.image.guided import box
from castalia.modalities.image.oklab import Plane

Across = Literal["left", "centre", "right"]
Down = Literal["top", "middle", "bottom"]
_THIRD = 0.09
"""Of a side, by which the weight's centre leaves the middle before it is called beside it."""
_SAME = 0.003
"""OKLab; two neighbours nearer than this have one colour."""


class Weight(NamedTuple):
    """Where the eye goes."""

    across: Across
    down: Down
    gathered: float
    """0 … 1: 1 lies in one spot, 0 is spread evenly."""


def weight(lab: Plane) -> Weight:
    """Where the saliency of (height, width, 3) lies."""
    height, width = lab.shape[:2]
    smooth = box(box(lab, 1), 1)
    border = np.concatenate([smooth[0], smooth[-1], smooth[:, 0], smooth[:, -1]])
    salient = ((smooth - np.median(border, axis=0)) ** 2).sum(-1)
    total = float(salient.sum())
    if total < 1e-6 * salient.size:
        return Weight("centre", "middle", 0.0)
    rows, columns = (np.arange(n, dtype=np.float64) + 0.5 for n in (height, width))
    down, across = salient.sum(1) / total, salient.sum(0) / total
    y, x = float(down @ rows) / height - 0.5, float(across @ columns) / width - 0.5
    spread = float(down @ (rows / height - 0.5 - y) ** 2 + across @ (columns / width - 0.5 - x) ** 2)
    return Weight(
        "left" if x < -_THIRD else "right" if x > _THIRD else "centre",
        "top" if y < -_THIRD else "bottom" if y > _THIRD else "middle",
        round(float(np.clip(1 - spread * 6, 0, 1)), 3),  # spread evenly: 2 · 1/12
    )


def symmetry(lightness: Plane) -> float:
    """Correlation of (height, width) with its mirror image, left for right; 0 where nothing changes."""
    smooth = box(lightness, 2)
    centred = smooth - smooth.mean()
    power = float((centred**2).sum())
    return round(float((centred * centred[:, ::-1]).sum()) / power, 3) if power > 1e-4 * centred.size else 0.0


def sharpness(lightness: Plane) -> float:
    """How steep the steepest edges are, 0 … 1: 1 is a step from one pixel to the next, 0 is no edge at all.

    Of neighbours' difference over the range within 4 pixels, the 95th percentile over places with an edge.
    """
    step = np.maximum(
        np.abs(np.diff(lightness, axis=1, append=lightness[:, -1:])),
        np.abs(np.diff(lightness, axis=0, append=lightness[-1:])),
    )
    low, high = lightness, lightness
    for axis in (0, 1):
        shifted = [np.roll(lightness if axis == 0 else low, n, axis) for n in range(-4, 5)]
        raised = [np.roll(lightness if axis == 0 else high, n, axis) for n in range(-4, 5)]
        low, high = np.minimum.reduce(shifted), np.maximum.reduce(raised)
    reach = high - low
    edges = (reach > 0.1)[4:-4, 4:-4]
    if edges.sum() <= 0.001 * edges.size:
        return 0.0
    return round(float(np.quantile((step / np.maximum(reach, 0.1))[4:-4, 4:-4][edges], 0.95)), 3)


def flatness(lab: Plane) -> float:
    """Share of neighbours in (height, width, 3) that have one colour: .5 and more in flat art, hardly any in photos."""
    steps = [np.sqrt((np.diff(lab, axis=axis) ** 2).sum(-1)) for axis in (0, 1)]
    all_ = np.concatenate([each.ravel() for each in steps])
    return round(float((all_ < _SAME).mean()), 3) if all_.size else 1.0
