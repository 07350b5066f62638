"""Alpha: what colour lies behind it, and a picture laid on a ground."""

from __future__ import annotations

import numpy as np

from castalia.modalities.image.guided import box
from castalia.modalities.image.oklab import Pixels


def behind_alpha(pixels: Pixels) -> Pixels:
    """Colours (height, width, 3) of a picture with alpha, where it is clear those of the nearest that is not.

    A network that looks at neighbours would otherwise mix the black that mostly hides behind alpha 0 into the edges.
    """
    weight = np.asarray(pixels[..., 3] / 255, np.float32)
    colour = pixels[..., :3].astype(np.float32)
    filled, known = np.asarray(colour * weight[..., None], np.float32), weight
    total, sure = filled, known
    for radius in (1, 2, 4, 8, 16, 32, 64):
        filled, known = box(filled, radius), box(known, radius)
        lacks = np.clip(1 - sure / 0.5, 0, 1)
        total, sure = total + filled * lacks[..., None], sure + known * lacks
    mean = filled.mean((0, 1)) / max(float(known.mean()), 1e-6)
    near = np.where(sure[..., None] > 1e-4, total / np.maximum(sure, 1e-4)[..., None], mean)
    clear = (1 - weight)[..., None]
    return np.clip(colour * (1 - clear) + near * clear + 0.5, 0, 255).astype(np.uint8)


def laid_on(pixels: Pixels, ground: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
    """A picture (height, width, 3 or 4) laid on one colour, (height, width, 3)."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    under = np.array(ground, np.float32)
    return (pixels[..., :3] * alpha + under * (1 - alpha) + 0.5).astype(np.uint8)
