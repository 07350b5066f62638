"""The ground of a picture: a colour, or one that changes smoothly, as far as the border shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.oklab import Plane

_FRAME = 0.03
"""Of the shorter side: how wide a frame along the border is looked at."""
_ROUNDS = 12
_LEAST_SPREAD = 0.004
"""OKLab; compression alone makes this much."""
_TRUST = 4.0
"""Spreads away from the model beyond which a pixel of the frame is not ground."""


@dataclass(frozen=True)
class Ground:
    """A colour for each place: a quadratic of row and column for each axis of OKLab."""

    weights: NDArray[np.float64]
    """(6, 3)."""
    spread: float
    """By how much, OKLab, pixels of the ground differ from the model."""
    share: float
    """Of the frame that the model explains, 0 … 1."""

    def at(self, height: int, width: int) -> Plane:
        """Its colours over a whole picture, OKLab, (height, width, 3)."""
        return (_terms(height, width) @ self.weights).astype(np.float32)


def ground_of(lab: Plane) -> Ground:
    """Fit the model to the frame, again and again to those of its pixels that the last model explained.

    Args:
        lab: (height, width, 3).
    """
    height, width = lab.shape[:2]
    wide = max(1, round(min(height, width) * _FRAME))
    frame = np.ones((height, width), bool)
    frame[wide:-wide, wide:-wide] = False
    terms, seen = _terms(height, width)[frame], lab[frame].astype(np.float64)
    kept = _commonest(seen)
    weights, spread = np.zeros((terms.shape[1], 3)), _LEAST_SPREAD
    for _ in range(_ROUNDS):
        weights = np.asarray(np.linalg.lstsq(terms[kept], seen[kept], rcond=None)[0], np.float64)
        away = np.sqrt(((seen - terms @ weights) ** 2).sum(-1))
        spread = max(float(np.median(away[kept])) * 1.25, _LEAST_SPREAD)
        now = away < _TRUST * spread
        if now.sum() < terms.shape[1] * 2 or (now == kept).all():
            break
        kept = now
    return Ground(weights, spread, float(kept.mean()))


def _commonest(seen: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The half of the frame's pixels nearest to their median: a start that a subject at one side does not move far."""
    away = np.sqrt(((seen - np.median(seen, axis=0)) ** 2).sum(-1))
    return away <= np.median(away)


def _terms(height: int, width: int) -> NDArray[np.float64]:
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([np.ones_like(rows), rows, columns, rows * columns, rows**2, columns**2], -1)
