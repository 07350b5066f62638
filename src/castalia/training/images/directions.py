"""Directions among a model's codes, found in its first layer and named by what they do to pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.draw.model import DrawingModel

Floats = NDArray[np.float32]
_TRIED, _SHOWN = 16, 24
"""Directions that are tried, and pictures that each is tried on."""
_CLEAR = 1.0
"""Deviations over pictures that an effect's mean is from none, at least, to be named."""
EFFECTS: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "light": (("brighter", "更亮"), ("darker", "更暗")),
    "colour": (("more colourful", "更鲜艳"), ("paler", "更淡")),
    "warmth": (("warmer", "更暖"), ("cooler", "更冷")),
    "size": (("larger", "更大"), ("smaller", "更小")),
    "height": (("taller", "更高"), ("wider", "更宽")),
    "roundness": (("rounder", "更圆"), ("thinner", "更细")),
}
"""What is measured: (English, Chinese) of more of it, and of less."""


def find_directions(model: DrawingModel) -> Sequence[Mapping[str, Any]]:
    """Directions with `name`, `chinese`, `vector` and `effect`, deviations of the change over pictures.

    Shen & Zhou (2021), "Closed-form factorization of latent semantics in GANs", equation 5: eigenvectors of AᵀA, A what
    the first layer does with a code, here in deviations. Each is named by the effect that is clearest, and of those of
    one name the clearest is kept.
    """
    network, rng = model.network, np.random.default_rng(0)
    layer = network.first_layer() * network.spread
    _, vectors = np.linalg.eigh(layer.T @ layer)
    tried = [(network.spread * vector).astype(np.float32) for vector in vectors.T[::-1][:_TRIED]]
    shown = [model.taught(int(at)) for at in rng.choice(model.count, min(_SHOWN, model.count), replace=False)]
    found: dict[str, Mapping[str, Any]] = {}
    for vector in tried:
        changes = np.stack([_change(model, words, vector) for words in shown])  # (pictures, effects)
        clear = changes.mean(0) / np.maximum(changes.std(0), 1e-6)
        best = int(np.abs(clear).argmax())
        if abs(clear[best]) < _CLEAR:
            continue
        for sign in (1, -1):
            name, chinese = list(EFFECTS.values())[best][0 if clear[best] * sign > 0 else 1]
            if name not in found or found[name]["effect"] < abs(clear[best]):
                rounded = [round(float(each) * sign, 4) for each in vector]
                effect = round(float(abs(clear[best])), 2)
                found[name] = {"name": name, "chinese": chinese, "effect": effect, "vector": rounded}
    return sorted(found.values(), key=lambda each: -each["effect"])


def _change(model: DrawingModel, words: Sequence[int], vector: Floats) -> Floats:
    """What moving a picture's code two deviations forth instead of back does, by effect."""
    code = model.network.meant(words)
    forth, back = (measured(model.drawn(words, code + sign * vector)) for sign in (1, -1))
    return forth - back


def measured(pixels: NDArray[np.uint8]) -> Floats:
    """What of `EFFECTS` a picture on white has (effects,)."""
    levels = pixels.astype(np.float32) / 255
    subject = (levels.max(-1) - levels.min(-1) > 0.06) | (levels.min(-1) < 0.9)
    if not subject.any():
        return np.zeros(len(EFFECTS), np.float32)
    seen = levels[subject]
    rows, columns = (np.flatnonzero(subject.any(axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    size = subject.mean()
    return np.array(
        [
            seen.mean(),
            (seen.max(-1) - seen.min(-1)).mean(),
            (seen[:, 0] - seen[:, 2]).mean(),
            size,
            np.log(height / width),
            subject.sum() / (height * width),
        ],
        np.float32,
    )
