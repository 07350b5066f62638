"""Weights that are kept as whole numbers of 8 bits, and back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
WHOLE, STEP = ".rounded", ".step"
"""How names end: the whole numbers of a weight (out, …), and how far one is, by output."""


def rounded(name: str, weight: Floats) -> dict[str, NDArray[np.generic]]:
    """A weight as whole numbers and the step of each output, so that the largest of an output is 127 steps.

    Args:
        name: Under which it is known.
        weight: (out, …), of two axes or more.
    """
    flat = weight.reshape(len(weight), -1)
    step = np.maximum(np.abs(flat).max(1) / 127, 1e-8).astype(np.float32)
    steps: Floats = np.divide(flat, step[:, None])
    whole = np.rint(steps).astype(np.int8).reshape(weight.shape)
    return {name + WHOLE: whole, name + STEP: step}


def restored(weights: Mapping[str, NDArray[np.generic]]) -> dict[str, Floats]:
    """All weights by their own names, whether they were kept as whole numbers or not."""
    held: dict[str, Floats] = {}
    for key, values in weights.items():
        if key.endswith(STEP) and key.removesuffix(STEP) + WHOLE in weights:
            continue
        name, given = key.removesuffix(WHOLE), np.asarray(values, np.float32)
        if name != key:
            given = given * np.asarray(weights[name + STEP], np.float32).reshape(-1, *[1] * (given.ndim - 1))
        held[name] = given
    return held
