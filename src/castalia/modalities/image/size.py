"""Pictures made smaller."""

from __future__ import annotations

import numpy as np
from PIL import Image

from castalia.modalities.image.oklab import Pixels


def within(pixels: Pixels, longest: int) -> Pixels:
    """Reduced so that the longer side has at most so many pixels; a smaller picture as it is."""
    image = Image.fromarray(pixels)
    scale = longest / max(image.size)
    if scale >= 1:
        return pixels
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return np.asarray(image.resize(size, Image.Resampling.BOX))
