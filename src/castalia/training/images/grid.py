"""Contact sheets: many pictures on one, to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.core.files import write_atomic


def contact_sheet(pictures: Sequence[NDArray[np.uint8]], path: Path, *, columns: int, gap: int = 4) -> None:
    """Write pictures (S, S, 3) of one size in rows, as PNG.

    Args:
        pictures: At least one.
        path: Of the file.
        columns: Pictures a row.
        gap: White pixels between them.
    """
    side, rows = pictures[0].shape[0] + gap, -(-len(pictures) // columns)
    sheet = np.full((rows * side + gap, columns * side + gap, 3), 255, np.uint8)
    for number, each in enumerate(pictures):
        y, x = gap + number // columns * side, gap + number % columns * side
        sheet[y : y + each.shape[0], x : x + each.shape[1]] = each
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    write_atomic(path, file.getvalue())
