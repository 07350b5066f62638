"""Square pictures of a size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from castalia.modalities.image.oklab import Pixels


def squared(pixels: Pixels) -> Pixels:
    """A picture on a white square (side, side, 3)."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    y, x = (side - height) // 2, (side - width) // 2
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:] / 255
        pixels = np.round(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    square[y : y + height, x : x + width] = pixels
    return square


def resized(pixels: Pixels, size: int) -> Pixels:
    """A square picture with another side, by Lanczos' filter."""
    if len(pixels) == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))
