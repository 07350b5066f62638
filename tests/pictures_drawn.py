"""Pictures that the tests draw: a scene with light and texture, and a subject before a ground."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def scene(width: int = 192, height: int = 128, seed: int = 1) -> np.ndarray:
    """Sky, hills, a house and grain: (height, width, 3)."""
    chance = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width].astype(float)
    sky = np.stack([120 + 60 * rows / height, 160 + 40 * rows / height, 230 - 30 * rows / height], -1)
    hill = rows > height * (0.6 + 0.1 * np.sin(columns / width * 7))
    sky[hill] = (70, 120, 50)
    image = Image.fromarray(sky.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    left, top, side = width // 3, height // 3, height // 3
    draw.rectangle((left, top + side // 2, left + side, top + side * 3 // 2), fill=(190, 60, 40))
    draw.polygon(
        [(left - 6, top + side // 2), (left + side // 2, top), (left + side + 6, top + side // 2)], fill=(60, 30, 20)
    )
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.6))).astype(float)
    return np.clip(soft + chance.normal(0, 4, soft.shape), 0, 255).astype(np.uint8)


def subject(size: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """A red disc with a blue bar, smooth at its edge, and its alpha: ((size, size, 3), (size, size) 0 … 1)."""
    large = Image.new("L", (size * 4, size * 4))
    ImageDraw.Draw(large).ellipse((size, size, size * 3, size * 3), fill=255)
    alpha = np.asarray(large.reduce(4)).astype(float) / 255
    colour = np.empty((size, size, 3))
    colour[:] = (200, 40, 30)
    colour[size // 2 - 8 : size // 2 + 8] = (30, 60, 190)
    return colour, alpha


def before(ground: np.ndarray | tuple[int, int, int], size: int = 160, noise: float = 1.5) -> np.ndarray:
    """The subject before a ground, with grain: (size, size, 3)."""
    colour, alpha = subject(size)
    mixed = colour * alpha[..., None] + np.asarray(ground) * (1 - alpha[..., None])
    return np.clip(mixed + np.random.default_rng(2).normal(0, noise, mixed.shape), 0, 255).astype(np.uint8)
