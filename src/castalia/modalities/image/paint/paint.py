"""Paint a picture in a style: the network's strokes, the picture's own edges, and its own colours where asked."""

from __future__ import annotations

import numpy as np
from PIL import Image

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.modalities.image.guided import follow
from castalia.modalities.image.oklab import Pixels, Plane, oklab, srgb
from castalia.modalities.image.paint.networks import style_vector, trained, transferred
from castalia.modalities.image.paint.styles import style_named

LONGEST, SHORTEST = 1024, 512
"""Pixels of the longer side within which the networks paint; beyond it strokes look too fine, below it too coarse."""
LEAST = 16
"""Pixels of a picture's shorter side."""
_RADIUS = 4
"""Pixels, at the painted size, of the windows in which the picture's own edges are followed."""
_FLAT = 0.001
"""Variance of lightness below which a window of the picture counts as flat."""


def paint(
    pixels: Pixels,
    *,
    style: str = "",
    style_picture: Pixels | None = None,
    strength: float = 1.0,
    keep_colours: bool = False,
    progress: Progress | None = None,
) -> Pixels:
    """A picture painted in a style.

    The networks' strokes have a size in pixels. So a larger picture is painted at `LONGEST` and a smaller one at
    `SHORTEST`, and the painting is then brought to the picture's size; where it grows, the picture's own fine edges are
    put back as far as the painting follows them (He and Sun 2015, "Fast guided filter": lightness of the painting as a
    local line of the picture's). Tiles would keep a large picture's strokes fine too, but each would be normalised by
    itself.

    Args:
        pixels: (height, width, 3).
        style: A name of `styles()`; not with `style_picture`.
        style_picture: (height, width, 3), whose middle square says the style.
        strength: 0 … 1. With a style picture the style lies so far between the picture's own and that one's; with a
            named style painting and picture are mixed.
        keep_colours: Whether only lightness is painted, in OKLab.
        progress: Told when it begins and ends.

    Returns:
        (height, width, 3), of the same size.

    Raises:
        UsageError: no style or two, a strength outside 0 … 1, or a picture of fewer than 16 pixels a side.
        MissingError: the runtime or the network is not installed.
    """
    _check(pixels, style, style_picture, strength)
    if progress:
        progress(say("painting", "绘画"), 0.0)
    height, width = pixels.shape[:2]
    scale = min(max(1.0, SHORTEST / max(height, width)), LONGEST / max(height, width))
    at = (max(4, round(width * scale)), max(4, round(height * scale)))
    small = _sized(pixels, at)
    painted = _painted(small, style, style_picture, strength)
    if keep_colours:
        painted = _with_colours_of(small, painted)
    if scale < 1:
        painted = _with_edges_of(pixels, small, painted)
    painted = _sized(painted, (width, height))
    if progress:
        progress(say("painting", "绘画"), 1.0)
    return painted


def _check(pixels: Pixels, style: str, style_picture: Pixels | None, strength: float) -> None:
    if bool(style) == (style_picture is not None):
        raise UsageError(
            say("A painting has one style: a name, or a picture.", "绘画需要一种风格：名称或图片。"),
            hint=say("For example -o style=ember", "例如 -o style=ember"),
        )
    if not 0 <= strength <= 1:
        raise UsageError(
            say("Strength lies in 0 … 1, not {value}.", "强度应在 0 … 1 之间，而不是 {value}。", value=strength)
        )
    for each in (pixels,) if style_picture is None else (pixels, style_picture):
        height, width = each.shape[:2]
        if min(height, width) < LEAST:
            raise UsageError(
                say(
                    "A picture of {width} × {height} pixels is too small to paint.",
                    "{width} × {height} 像素的图片太小，无法绘画。",
                    width=width,
                    height=height,
                ),
                hint=say("Give one of at least {n} pixels a side.", "请给出每边至少 {n} 像素的图片。", n=LEAST),
            )


def _painted(small: Pixels, style: str, style_picture: Pixels | None, strength: float) -> Pixels:
    if style_picture is None and (number := style_named(style).number) is not None:
        painted = trained(small, number)
        if strength < 1:
            mixed = small + (painted.astype(np.float32) - small) * np.float32(strength)
            painted = (mixed + 0.5).astype(np.uint8)
        return painted
    picture = style_picture if style_picture is not None else style_named(style).picture()
    vector = style_vector(picture)
    if strength < 1:
        vector = (strength * vector + (1 - strength) * style_vector(small)).astype(np.float32)
    return transferred(small, vector)


def _with_colours_of(picture: Pixels, painted: Pixels) -> Pixels:
    lab = oklab(picture)
    lab[..., 0] = oklab(painted)[..., 0]
    return srgb(lab)


def _with_edges_of(pixels: Pixels, small: Pixels, painted: Pixels) -> Pixels:
    """The painting at the size of the picture, with the picture's fine edges in its lightness."""
    height, width = pixels.shape[:2]
    size = (width, height)
    slope, _ = follow(oklab(small)[..., 0], oklab(painted)[..., 0], _RADIUS, _FLAT)
    large = oklab(_sized(painted, size))
    detail = oklab(pixels)[..., 0] - oklab(_sized(small, size))[..., 0]
    large[..., 0] += np.clip(_sized_plane(slope, size), 0, 1) * detail
    return srgb(large)


def _sized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Brought to (width, height)."""
    image = Image.fromarray(pixels)
    return pixels if image.size == size else np.asarray(image.resize(size, Image.Resampling.LANCZOS))


def _sized_plane(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))
