"""Rules for a sheet of pictures: something is in each cell, all look equally large, no two are nearly the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say
from castalia.core.values import Draft, Finding

Levels = NDArray[np.float32]
_GRID = 16
"""Fields a side to which cells are averaged before they are compared."""
_NEAR = 12
"""Levels within which a pixel counts as ground."""


@dataclass(frozen=True)
class ShownRule:
    """Each cell shows something: enough of it differs from its ground.

    Args:
        least: Share of the cell.
        given: Whether the pictures were given, and no other seed will mend them.
    """

    least: float = 0.02
    given: bool = False
    name: str = "each-shown"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each cell that shows too little; one where all do."""
        shown = {name: float(_subject(cell).mean()) for name, cell in _cells(draft)}
        empty = [name for name, share in shown.items() if share < self.least]
        found = say(
            "{share:.0%} of the emptiest cell", "最空的一格有 {share:.0%}", share=min(shown.values(), default=0.0)
        )
        told = _finding(self.name, not empty and bool(shown), found, f"≥ {self.least:.0%}", ", ".join(empty))
        if self.given and not told.ok:
            told = told.model_copy(update={"hint": say("Leave it out of the sheet.", "请不要将其放入样片。")})
        return [told]


@dataclass(frozen=True)
class EvenSizesRule:
    """Subjects look equally large: the longest side of the smallest against that of the largest, and so for area.

    Args:
        side: Least share of the longest side. Twelve stickers had .86.
        area: Least share of the area covered. The same had .62.
    """

    side: float = 0.6
    area: float = 0.12
    name: str = "even-sizes"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Two findings: of sides and of areas."""
        sides, areas = [0.0], [0.0]
        if cells := [_subject(cell) for _, cell in _cells(draft)]:
            sides = [float(max(each.any(0).sum(), each.any(1).sum())) for each in cells]
            areas = [float(each.sum()) for each in cells]
        return [
            _finding(self.name, ratio >= least, f"{ratio:.2f}", f"≥ {least:g}", place)
            for ratio, least, place in (
                (min(sides) / max(*sides, 1.0), self.side, say("longest side", "最长边")),
                (min(areas) / max(*areas, 1.0), self.area, say("area", "面积")),
            )
        ]


@dataclass(frozen=True)
class TwinsRule:
    """No two pictures of a set are nearly the same.

    Args:
        least: Levels of 255, the mean difference of 16 × 16 fields. Of the 66 pairs of twelve
            stickers the nearest, a house and a mountain, were 21 apart.
    """

    least: float = 5.0
    name: str = "twins"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, with the two that are most alike."""
        small = [(name, _averaged(cell)) for name, cell in _cells(draft)]
        pairs = [
            (float(np.abs(one - other).mean()), f"{first} – {second}")
            for (first, one), (second, other) in combinations(small, 2)
        ]
        if not pairs:
            return []
        apart, which = min(pairs)
        found = say("{n:.1f} levels apart", "相差 {n:.1f} 级", n=apart)
        return [_finding(self.name, apart >= self.least, found, f"≥ {self.least:g}", which)]


def _cells(draft: Draft) -> Iterator[tuple[str, Levels]]:
    """Name and levels (height, width, 4) of each cell, cover multiplied in; of no sheet none."""
    picture = draft.content.picture
    if picture is None or picture.sheet is None:
        return
    whole = picture.pixels.astype(np.float32)
    if whole.shape[2] == 3:
        whole = np.dstack([whole, np.full(whole.shape[:2], 255, np.float32)])
    whole[..., :3] *= whole[..., 3:] / 255
    for number, cell in enumerate(picture.sheet.cells, 1):
        yield (
            cell.name or say("picture {n}", "第 {n} 张", n=number),
            whole[cell.top : cell.top + cell.height, cell.left : cell.left + cell.width],
        )


def _subject(cell: Levels) -> NDArray[np.bool_]:
    """Where a cell differs from its corner."""
    return (np.abs(cell - cell[0, 0]) > _NEAR).any(-1)


def _averaged(cell: Levels) -> Levels:
    fields = cell
    for axis in (0, 1):
        starts = np.arange(_GRID) * fields.shape[axis] // _GRID
        counts = np.diff(np.append(starts, fields.shape[axis])).astype(np.float32)
        shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
        fields = np.add.reduceat(fields, starts, axis=axis) / counts.reshape(shape)
    return fields.astype(np.float32)


def _finding(name: str, ok: bool, found: str, wanted: str, place: str) -> Finding:  # noqa: FBT001 - as in pictures
    hint = "" if ok else say("Try another seed, or other words.", "请换种子，或换用其他词语。")
    return Finding(rule=name, ok=ok, found=found, wanted=wanted, place=place, hint=hint)
