"""A pattern of one motif on a plain ground: each column of motifs half a step lower than the one beside it."""

from __future__ import annotations

import numpy as np

from castalia.modalities.image.oklab import Pixels

_GAP = 0.25
"""Of the motif's longer side, between motifs."""


def half_drop(motif: Pixels, ground: tuple[int, int, int]) -> Pixels:
    """A tile with a motif twice: beside the first one the second, half a step lower, around the upper and lower border.

    That border lies where least is to be seen of it: on a line through a motif it might be taken for a seam.

    Args:
        motif: (height, width, 4) with alpha, not multiplied in.
        ground: sRGB.

    Returns:
        (side, 2 · side, 3) that repeats without a seam, for a motif is never cut but where the tile goes on.
    """
    visible = np.argwhere(motif[..., 3] > 8)
    if len(visible):
        (top, left), (bottom, right) = visible.min(0), visible.max(0) + 1
        motif = motif[top:bottom, left:right]
    height, width = motif.shape[:2]
    side = int(max(height, width) * (1 + _GAP)) // 2 * 2
    tile = np.broadcast_to(np.array(ground, np.float32), (side, 2 * side, 3)).copy()
    for top, left in ((0, 0), (side // 2, side)):
        rows = (np.arange(height, dtype=np.intp) + top + (side - height) // 2) % side
        columns = (np.arange(width, dtype=np.intp) + left + (side - width) // 2) % (2 * side)
        alpha = motif[..., 3:].astype(np.float32) / 255
        place = np.ix_(rows, columns)
        tile[place] = motif[..., :3] * alpha + tile[place] * (1 - alpha)
    changes = np.abs(np.roll(tile, -1, 0) - tile).mean((1, 2))
    return np.roll((tile + 0.5).astype(np.uint8), -1 - int(changes.argmin()), 0)
