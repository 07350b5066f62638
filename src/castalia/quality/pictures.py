"""Rules for any picture: something is on it, its colours are not clipped, and it is not a mere blur.

Each answers with its number. Where a picture is transparent it counts as dark, and its cover as a fourth colour, so
that a cut-out on nothing is not blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say
from castalia.core.values import Draft, Finding

_NEAR = 12
"""Levels of 255 a channel within which two colours look the same beside each other: about the steps of 5 bits."""
_CLIPPED = 2
"""Levels from either end of a channel within which it counts as clipped; coding moves pure colours so far."""
_FEW = 0.05
"""Share of coloured pixels up to which a picture counts as black and white."""
_MOST = 1_000_000
"""Pixels that are looked at: of a larger picture every second, third … row and column."""
_GRID = 32
"""Cells along each side to which a picture is averaged, as the coarsest view in which a subject is told."""
_CELL = 4
"""Pixels that a cell has at least along each side; a picture of fewer than 128 has fewer cells."""


@dataclass(frozen=True)
class BlankRule:
    """Something is to be seen: enough pixels differ from the commonest colour.

    Args:
        least: Share of them. A small subject in a corner covers a hundredth (the smallest of 283 emoji a seventh);
            what remains of a picture that failed, a speck or a border, covers less.
    """

    least: float = 0.01
    name: str = "blank"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding; none where there is no picture, which another rule tells."""
        pixels = _looked_at(draft)
        if pixels is None:
            return [_absent(self.name)]
        levels = pixels.reshape(-1, 4)
        coarse = levels.astype(np.uint32) // 16 @ np.array([4096, 256, 16, 1], np.uint32)
        common = np.bincount(coarse).argmax()
        colour = np.median(levels[coarse == common], axis=0)
        share = float((np.abs(levels - colour) > _NEAR).any(axis=1).mean())
        return [
            _finding(
                self.name,
                share >= self.least,
                say("{share:.1%} differs from one colour", "{share:.1%} 与同一颜色不同", share=share),
                say("at least {least:.0%}", "不少于 {least:.0%}", least=self.least),
            )
        ]


@dataclass(frozen=True)
class SaturatedRule:
    """Colours are not clipped almost everywhere: few pixels have every channel at one of its ends.

    Black and white are left out of account, since drawings in ink are made of them, and so is a picture that has
    hardly another colour.

    Args:
        most: Share of the coloured pixels. Of photographs under a hundredth is clipped so, of flat drawings in pure
            colours up to half (the worst of 283 emoji); a network whose output ran into its limits clips nearly all.
    """

    most: float = 0.9
    name: str = "saturated"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        pixels = _looked_at(draft)
        if pixels is None:
            return [_absent(self.name)]
        colours = pixels[pixels[..., 3] > 0][:, :3]
        low, high = colours <= _CLIPPED, colours >= 255 - _CLIPPED
        coloured = np.logical_not(low.all(axis=1) | high.all(axis=1))
        clipped = (low | high).all(axis=1) & coloured
        many = int(coloured.sum())
        share = int(clipped.sum()) / many if many > _FEW * len(colours) else 0.0
        return [
            _finding(
                self.name,
                share <= self.most,
                say("{share:.1%} of the coloured pixels are clipped", "{share:.1%} 的彩色像素溢出", share=share),
                say("at most {most:.0%}", "不超过 {most:.0%}", most=self.most),
            )
        ]


@dataclass(frozen=True)
class DetailRule:
    """It is no mere blur: something is finer than a thirty-second of its sides.

    Measured as the root mean square of what is lost when the picture is averaged to 32 × 32 cells (a small one to cells
    of 4 × 4 pixels) and drawn again from them by straight lines.

    Args:
        least: Levels of 255. A gradient loses less than a tenth of one; of 283 emoji of 256 pixels each lost 5 to 37,
            sixty of them blurred by 8 pixels 1.1 to 4.3, by 16, where their subject is only guessed, 0.5 to 1.4.
    """

    least: float = 1.0
    name: str = "low-detail"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        pixels = _looked_at(draft)
        if pixels is None:
            return [_absent(self.name)]
        levels = pixels[..., :3].astype(np.float32)
        rows, columns = (max(1, min(_GRID, side // _CELL)) for side in levels.shape[:2])
        coarse = _averaged(_averaged(levels, rows).swapaxes(0, 1), columns).swapaxes(0, 1)
        again = _drawn(_drawn(coarse, levels.shape[0]).swapaxes(0, 1), levels.shape[1]).swapaxes(0, 1)
        lost = float(np.sqrt(np.mean((levels - again) ** 2)))
        return [
            _finding(
                self.name,
                lost >= self.least,
                say("{lost:.1f} levels of fine detail", "细节 {lost:.1f} 级", lost=lost),
                say("at least {least:g}", "不少于 {least:g}", least=self.least),
            )
        ]


def _looked_at(draft: Draft) -> NDArray[np.uint8] | None:
    """Pixels (height, width, 4), cover multiplied in, thinned where there are very many; None without a picture."""
    if draft.content.picture is None:
        return None
    pixels = draft.content.picture.pixels
    step = int(np.ceil(np.sqrt(pixels.shape[0] * pixels.shape[1] / _MOST)))
    pixels = pixels[::step, ::step]
    cover = pixels[..., 3:] if pixels.shape[2] == 4 else np.full((*pixels.shape[:2], 1), 255, np.uint8)
    covered = ((pixels[..., :3].astype(np.uint16) * cover + 127) // 255).astype(np.uint8)
    return np.concatenate([covered, cover], axis=2)


def _averaged(levels: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Means of that many stretches of rows, as even as whole rows allow."""
    starts = np.arange(cells) * len(levels) // cells
    counts = np.diff(np.append(starts, len(levels))).astype(np.float32)[:, None, None]
    return (np.add.reduceat(levels, starts, axis=0) / counts).astype(np.float32)


def _drawn(coarse: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Rows by straight lines between the middles of stretches; beyond the outermost the lines go on."""
    place = (np.arange(rows, dtype=np.float32) + 0.5) * len(coarse) / rows - 0.5
    below = place.astype(int).clip(0, max(len(coarse) - 2, 0))
    share = (place - below)[:, None, None]
    above = np.minimum(below + 1, len(coarse) - 1)
    return (coarse[below] * (1 - share) + coarse[above] * share).astype(np.float32)


def _absent(name: str) -> Finding:
    return _finding(name, False, say("no picture", "没有图片"), say("a picture", "有图片"))


def _finding(name: str, ok: bool, found: str, wanted: str) -> Finding:  # noqa: FBT001 - a finding's own first word
    return Finding(
        rule=name,
        ok=ok,
        found=found,
        wanted=wanted,
        hint=say("Try another seed, or change the brief.", "请换种子，或修改要求。"),
    )
