"""Look at a picture: measure what `Seen` says."""

from __future__ import annotations

import numpy as np

from castalia.modalities.image.look.composition import flatness, sharpness, symmetry, weight
from castalia.modalities.image.look.palette import palette
from castalia.modalities.image.look.seen import Kind, Seen
from castalia.modalities.image.look.text import text_in
from castalia.modalities.image.matte import laid_on
from castalia.modalities.image.oklab import Pixels, oklab
from castalia.modalities.image.size import within

_LONGEST, _SMALL = 512, 128
"""Pixels of the longer side for edges, and for colours."""
_FLAT, _UNEVEN = 0.65, 0.45
"""Share of even neighbours from which it is flat art, and below which it is a photograph; measured on 20 emoji (.57 to
.85) and 20 photographs (.02 to .6)."""


def look(pixels: Pixels, *, text: bool = True) -> Seen:
    """What can be said of a picture.

    Args:
        pixels: (height, width, 3), or 4 with alpha; what is transparent counts for nothing but as if on white.
        text: Whether text in it is read too, which takes seconds where a reader is installed.
    """
    height, width = pixels.shape[:2]
    flat = laid_on(pixels)
    lab = oklab(within(flat, _LONGEST))
    small = within(pixels, _SMALL)
    colours = oklab(small[..., :3])
    shown = small[..., 3] > 127 if pixels.shape[2] == 4 else np.ones(small.shape[:2], bool)
    seen = colours[shown] if shown.any() else oklab(laid_on(small)).reshape(-1, 3)
    even = flatness(lab)
    kind: Kind = "drawing" if even >= _FLAT else "photograph" if even < _UNEVEN else "either"
    across, down, gathered = weight(lab)
    return Seen(
        width=width,
        height=height,
        palette=palette(seen),
        brightness=round(float(lab[..., 0].mean()), 3),
        contrast=round(float(lab[..., 0].std()), 3),
        colourfulness=round(float(np.hypot(seen[:, 1], seen[:, 2]).mean()), 3),
        sharpness=sharpness(lab[..., 0]),
        kind=kind,
        across=across,
        down=down,
        gathered=gathered,
        symmetry=symmetry(lab[..., 0]),
        clear=round(1 - float(shown.mean()), 3),
        text=text_in(flat) if text else (),
    )
