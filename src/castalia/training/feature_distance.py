"""How far one set of pictures is from another, by their features (pictures, numbers)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Found = NDArray[np.floating]


def frechet(one: Found, other: Found) -> float:
    """Squared distance between normal distributions that are put over both.

    Heusel et al. (2017), "GANs trained by a two time-scale update rule", equation 6, for features of any network. It
    has a bias that falls as 1 / pictures: compare equal numbers only.
    """
    means = one.mean(0) - other.mean(0)
    first, second = _factor(one), _factor(other)
    # For covariances FᵀF and SᵀS the trace of the root of their product is the sum of FSᵀ's singular values.
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    return float(means @ means + (first**2).sum() + (second**2).sum() - 2 * shared)


def kernel(one: Found, other: Found) -> float:
    """Squared maximum mean discrepancy with the kernel (x·y / numbers + 1)³, times 1,000; unbiased.

    Bińkowski et al. (2018), "Demystifying MMD GANs", section 4.
    """
    width = one.shape[1]
    first, second, both = (
        (np.asarray(a @ b.T, np.float64) / width + 1) ** 3 for a, b in ((one, one), (other, other), (one, other))
    )
    among = [(each.sum() - np.trace(each)) / (len(each) * (len(each) - 1)) for each in (first, second)]
    return float(1000 * (among[0] + among[1] - 2 * both.mean()))


def precision_and_coverage(real: Found, made: Found, *, near: int = 5) -> tuple[float, float]:
    """Share of made pictures that lie near a real one, and of real pictures that a made one lies near.

    Kynkäänniemi et al. (2019), "Improved precision and recall metric", equation 2, for the first; Naeem et al. (2020),
    "Reliable fidelity and diversity metrics", equation 9, for the second. Near is within the distance of a real
    picture's `near`-th neighbour among the real ones.
    """
    within = np.sort(_distances(real, real), axis=1)[:, near]
    reached = _distances(real, made) <= within[:, None]
    return float(reached.any(0).mean()), float(reached.any(1).mean())


def recall(real: Found, made: Found, *, near: int = 5) -> float:
    """Share of real pictures that lie near a made one.

    Kynkäänniemi et al. (2019), equation 2, with both sets exchanged: near is within the distance of a made picture's
    `near`-th neighbour among the made ones.
    """
    return precision_and_coverage(made, real, near=near)[0]


def _factor(found: Found) -> NDArray[np.float64]:
    """F of the covariance FᵀF."""
    centred: NDArray[np.float64] = (found - found.mean(0)) / np.sqrt(len(found) - 1)
    factor: Any = np.linalg.qr(centred, mode="r")
    return factor


def _distances(one: Found, other: Found) -> Found:
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.sqrt(squares.clip(0))
