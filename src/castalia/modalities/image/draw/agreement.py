"""How well a picture agrees with its words: by the code that its encoder sees, and those that words give.

What the code of a picture is near to was learned with the collection: of pictures that were neither learned nor drawn
by the model it says little (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.draw.network import Network

OTHERS = 500
"""Sets of random words that the picture's own are compared with."""
_LEAST = 40
"""Other words that a model knows at least: of fewer, a single one that fits as well would already be a finding."""


def agreement(network: Network, code: Floats, own: Sequence[int], style: Sequence[int], usual: Floats) -> float | None:
    """The share of random words, as many as its own, that a picture is less like than its own; by chance a half.

    None of a model that knows too few other words for a share to say anything.

    Args:
        network: Of the model.
        code: Of the picture (words,).
        own: Numbers of its words, at least one.
        style: Numbers of words that are said with each.
        usual: The mean of what learned pictures' names mean (words,).
    """
    free = np.setdiff1d(np.arange(1, network.vocabulary + 1), [*own, *style])
    if len(free) < _LEAST:
        return None
    random = np.random.default_rng(len(own)).choice(free, (OTHERS, len(own)))
    others = np.hstack([random, np.tile(np.array(style, np.int64), (OTHERS, 1))])
    likeness = _cosines(network.meant_by(others) - usual, code - usual)
    (mine,) = _cosines(network.meant_by(np.array([[*own, *style]])) - usual, code - usual)
    return float((likeness < mine).mean())


def _cosines(rows: Floats, other: Floats) -> NDArray[np.float32]:
    return rows @ other / np.maximum(np.linalg.norm(rows, axis=1) * np.linalg.norm(other), np.float32(1e-9))
