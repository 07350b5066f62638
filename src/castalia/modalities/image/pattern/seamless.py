"""A tile that repeats without a seam, from any picture: its far sides folded over its near sides along a cheapest cut.

Efros and Freeman 2001, "Image quilting for texture synthesis and transfer", section 2.1 (minimum error boundary cut),
here with a cut that closes on itself; what still differs across the cut is spread out by solving for the gradients
(Pérez, Gangnet and Blake 2003, "Poisson image editing", equation 3) on a torus, where the Fourier transform is exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.modalities.image.oklab import Pixels, Plane, oklab

LEAST = 32
"""Pixels of a picture's shorter side."""
LONGEST = 2048
"""Pixels of the longer side that a caller should keep to: time and memory grow with the picture."""
_SHARE, _WIDEST = 0.25, 128
"""Of a side that is folded over, and at most so many pixels."""
_BESIDE = 4
"""Lines before and after the border that it is compared with."""
_UNSEEN = 0.002
"""Difference of neighbours, OKLab, that nobody sees."""

Rows = NDArray[np.intp]


def seamless(pixels: Pixels) -> Pixels:
    """A tile whose right side goes on at its left and its bottom at its top.

    Args:
        pixels: (height, width, 3).

    Returns:
        (height - fold, width - fold, 3), where a fold is a quarter of the side, at most 128 pixels. Light that grows
        from one side to the other is evened out.

    Raises:
        UsageError: a side has fewer than 32 pixels.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST:
        raise UsageError(
            say(
                "A picture of {w} × {h} pixels is too small for a pattern.",
                "{w} × {h} 像素的图片太小，无法做成纹样。",
                w=width,
                h=height,
            ),
            hint=say("Give one of at least {n} pixels a side.", "请给出每边至少 {n} 像素的图片。", n=LEAST),
        )
    rows, columns = np.mgrid[0:height, 0:width]
    rows, columns = _folded(pixels, rows, columns)  # from left to right
    rows, columns = (each.T for each in _folded(pixels, rows.T, columns.T))  # from top to bottom
    return _joined(pixels, rows, columns)


def _folded(pixels: Pixels, rows: Rows, columns: Rows) -> tuple[Rows, Rows]:
    """Where each pixel of a tile is taken from, once the last columns lie over the first; both (height, width - fold).

    Left of the cut the last columns are seen, right of it the first, so the tile's last column and its first are
    neighbours in the picture.
    """
    fold = min(int(columns.shape[1] * _SHARE), _WIDEST)
    lab = oklab(pixels[rows, columns])
    cost = ((lab[:, -fold:] - lab[:, :fold]) ** 2).sum(-1)
    cut = closed_cut(cost)
    last = np.arange(fold)[None] < cut[:, None]
    kept = [np.where(last, each[:, -fold:], each[:, :fold]) for each in (rows, columns)]
    down, right = (
        np.concatenate([near, each[:, fold:-fold]], 1) for near, each in zip(kept, (rows, columns), strict=True)
    )
    return down, right


def closed_cut(cost: Plane) -> Rows:
    """The cheapest column in each row (height,), each at most one beside the one above, the first beside the last too.

    Args:
        cost: (height, width) of cutting there.
    """
    height, width = cost.shape
    # total[s, c]: the cheapest way to column c that began in column s
    total = np.where(np.eye(width, dtype=bool), cost[0][None], np.inf)
    came = np.empty((height, width, width), np.int8)
    for row in range(1, height):
        sides = np.pad(total, ((0, 0), (1, 1)), constant_values=np.inf)
        ways = np.stack([sides[:, :-2], sides[:, 1:-1], sides[:, 2:]])
        best = ways.argmin(0)
        came[row] = best - 1
        total = np.take_along_axis(ways, best[None], 0)[0] + cost[row][None]
    places = np.arange(width, dtype=np.intp)
    apart = np.abs(places[:, None] - places[None])
    begin, column = np.unravel_index(int(np.where(apart <= 1, total, np.inf).argmin()), total.shape)
    cut = np.empty(height, np.intp)
    for row in range(height - 1, -1, -1):
        cut[row] = column
        column += came[row, begin, column] if row else 0
    return cut


def _joined(pixels: Pixels, rows: Rows, columns: Rows) -> Pixels:
    """The tile with the gradients that the picture has around each pixel, exact away from the cuts."""
    tile = pixels[rows, columns].astype(np.float64)
    across = _gradient(pixels, rows, columns, axis=1)
    down = _gradient(pixels, rows, columns, axis=0)
    divergence = across - np.roll(across, 1, 1) + down - np.roll(down, 1, 0)
    height, width = tile.shape[:2]
    turns = 2 * np.cos(2 * np.pi * np.fft.fftfreq(height))[:, None] - 4 + 2 * np.cos(2 * np.pi * np.fft.rfftfreq(width))
    turns[0, 0] = 1
    spectrum = np.fft.rfft2(divergence, axes=(0, 1)) / turns[..., None]
    spectrum[0, 0] = 0
    solved = np.fft.irfft2(spectrum, (height, width), axes=(0, 1))
    return np.clip(solved + tile.mean((0, 1)) + 0.5, 0, 255).astype(np.uint8)


def _gradient(pixels: Pixels, rows: Rows, columns: Rows, *, axis: int) -> NDArray[np.float64]:
    """Step to the next pixel of the tile along an axis: the mean of what the picture does at both pixels."""
    step_down, step_right = (1, 0) if axis == 0 else (0, 1)
    here = _step(pixels, rows, columns, step_down, step_right)
    there = -_step(pixels, np.roll(rows, -1, axis), np.roll(columns, -1, axis), -step_down, -step_right)
    return (here + there) / 2


def _step(pixels: Pixels, rows: Rows, columns: Rows, down: int, right: int) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    far = pixels[np.clip(rows + down, 0, height - 1), np.clip(columns + right, 0, width - 1)]
    return far.astype(np.float64) - pixels[rows, columns]


def seam(pixels: Pixels) -> float:
    """How much more a tile changes across its border than beside it.

    The mean difference (OKLab) of neighbours across the border, over the mean of the four lines before and after it;
    the worse of both directions. A seamless tile has about 1, a photograph 3 to 20.
    """
    worst = 0.0
    lab = oklab(pixels)
    for axis in (0, 1):
        steps = np.sqrt(((np.roll(lab, -1, axis) - lab) ** 2).sum(-1)).mean(1 - axis)
        beside = float(np.concatenate([steps[:_BESIDE], steps[-1 - _BESIDE : -1]]).mean())
        worst = max(worst, float(steps[-1]) / max(beside, _UNSEEN))
    return worst
