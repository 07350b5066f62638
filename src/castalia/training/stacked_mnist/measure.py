"""How many of the 1,000 modes a generator finds, and how evenly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.training.stacked_mnist.digits import MODES


@dataclass(frozen=True)
class Found:
    """What a classifier saw in a number of pictures.

    Attributes:
        modes: Modes of which there is at least one picture, 0 to 1,000.
        kl: Reverse Kullback-Leibler divergence KL(found ‖ even), nats: 0 for an even spread, log 1000 = 6.908 for one
            mode.
        pictures: How many were counted.
    """

    modes: int
    kl: float
    pictures: int


def found(modes: NDArray[np.int64]) -> Found:
    """Count the modes (pictures,) of pictures.

    The divergence is taken with plain shares, so that even perfect samples have one of about (modes - 1) / (2 pictures)
    nats (Miller 1955, "Note on the bias of information estimates"): `floor`.
    """
    often = np.bincount(modes, minlength=MODES)
    share = often[often > 0] / len(modes)
    return Found(int((often > 0).sum()), float((share * np.log(share * MODES)).sum()), len(modes))


def floor(pictures: int) -> float:
    """The divergence to be expected of so many pictures that are spread evenly, nats."""
    return (MODES - 1) / (2 * pictures)
