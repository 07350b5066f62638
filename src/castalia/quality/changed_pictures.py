"""Rules for pictures that are made from a given one: painted, enlarged, repeated, cut out.

Each measures on the finished picture alone, with its number and its bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.values import Draft, Finding

Grey = NDArray[np.float32]
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_CELLS = 32
"""Along the longer side, to which pictures are averaged before their layouts are compared."""
_BUSY = 0.95
"""Of the lines inside a tile so many change less than the one that its border is compared with."""


@dataclass(frozen=True)
class ReducedRule:
    """An enlarged picture, reduced again, is the given one.

    Args:
        given: What was enlarged.
        factor: How many times.
        least: Decibels (peak signal to noise, 255). Networks that invent detail reached 24 to 36 on six photographs and
            36 to 42 on five drawings; another picture has 5 to 15. A drawing on much white that was shifted by one of
            its pixels still has 25.
    """

    given: Picture = field(repr=False)
    factor: int
    least: float = 21.0
    name: str = "reduced-again"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, with the decibels."""
        made, given = _seen(draft), _levels(self.given)
        rows, columns = given.shape[:2]
        if made is None or made.shape[:2] != (rows * self.factor, columns * self.factor):
            size = "–" if made is None else f"{made.shape[1]} × {made.shape[0]}"
            return [_finding(self.name, ok=False, found=size, wanted=f"{columns * self.factor} × {rows * self.factor}")]
        small = made.reshape(rows, self.factor, columns, self.factor, 4).mean((1, 3))
        error = float(((_flat(small) - _flat(given)) ** 2).mean())
        decibels = 10 * np.log10(255**2 / max(error, 1e-4))
        return [
            _finding(self.name, ok=decibels >= self.least, found=f"{decibels:.1f} dB", wanted=f"≥ {self.least:g} dB")
        ]


@dataclass(frozen=True)
class LayoutRule:
    """A painting shows what the given picture shows: its outlines lie where they lay.

    The correlation of both pictures' edges, after each was averaged to 32 cells along the longer side. Only noted, for
    a style of coarse marks covers outlines and is still what was asked for.

    Args:
        given: What was painted.
        least: Paintings of three photographs in three styles had .36 to .80, against the photographs' mirror images
            −.13 to .21; the style `woven`, under which nothing is recognised, .02 to .14.
    """

    given: Picture = field(repr=False)
    least: float = 0.3
    name: str = "layout"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One note, with the correlation."""
        made, given = _seen(draft), _levels(self.given)
        if made is None or made.shape[:2] != given.shape[:2]:
            return [_finding(self.name, ok=False, found="–", wanted=say("the same size", "相同尺寸"))]
        one, other = (_edges(each) for each in (made, given))
        both = float(one.std() * other.std())
        alike = float(((one - one.mean()) * (other - other.mean())).mean()) / both if both > 0 else 1.0
        return [
            _finding(self.name, ok=alike >= self.least, found=f"{alike:.2f}", wanted=f"≥ {self.least:g}", note=True)
        ]


@dataclass(frozen=True)
class RepaintedRule:
    """A painting is more than the given picture: it differs by at least some levels.

    Args:
        given: What was painted.
        least: Mean levels of 255. Coding as JPEG changes a photograph by 1 to 3, the faintest style by 12.
    """

    given: Picture = field(repr=False)
    least: float = 4.0
    name: str = "repainted"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding, with the levels."""
        made, given = _seen(draft), _levels(self.given)
        same = made is not None and made.shape == given.shape
        apart = float(np.abs(_flat(made) - _flat(given)).mean()) if same and made is not None else 255.0
        return [
            _finding(
                self.name,
                ok=apart >= self.least,
                found=say("{n:.1f} levels apart", "相差 {n:.1f} 级", n=apart),
                wanted=f"≥ {self.least:g}",
                hint=say("Raise strength, or choose another style.", "请增大 strength，或换一种风格。"),
            )
        ]


@dataclass(frozen=True)
class SeamRule:
    """A tile repeats without a seam: its border changes no more than the busier lines inside it.

    Args:
        most: The mean difference across the border over that of a line which 95 of 100 inside do not exceed. Of 26
            photographs and drawings folded tiles had .05 to 1.0 (a chessboard 3.2), photographs as they are 1.25 to 23.
    """

    most: float = 1.2
    name: str = "seam"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each direction."""
        made = _seen(draft)
        if made is None:
            return [_finding(self.name, ok=False, found="–", wanted=say("a picture", "有图片"))]
        colours, findings = _flat(made), list[Finding]()
        for axis, place in ((1, say("left and right", "左右")), (0, say("top and bottom", "上下"))):
            steps = np.abs(np.roll(colours, -1, axis) - colours).mean((1 - axis, 2))
            hint = say("Cut the picture elsewhere, or give a motif with alpha.", "请换一处裁切，或给出带透明的图案。")
            busy = float(np.quantile(steps[:-1], _BUSY)) if len(steps) > 1 else 0.0
            ratio = float(steps[-1]) / max(busy, 0.5)
            findings.append(
                _finding(
                    self.name,
                    ok=ratio <= self.most,
                    found=f"{ratio:.2f}",
                    wanted=f"≤ {self.most:g}",
                    place=place,
                    hint=hint,
                )
            )
        return findings


@dataclass(frozen=True)
class CutOutRule:
    """A cut-out has a subject and a ground that is gone: both cover some of it.

    Args:
        least: Share of the picture that is to be covered, and to be clear.
    """

    least: float = 0.005
    name: str = "cut-out"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        made = _seen(draft)
        covered = float((made[..., 3] > 127).mean()) if made is not None else 0.0
        return [
            _finding(
                self.name,
                ok=self.least <= covered <= 1 - self.least,
                found=say("{share:.1%} covered", "覆盖 {share:.1%}", share=covered),
                wanted=f"{self.least:.1%} … {1 - self.least:.1%}",
                hint=say("Give a picture of something before a plain ground.", "请给出单纯背景前的主体图片。"),
            )
        ]


def _seen(draft: Draft) -> Grey | None:
    picture = draft.content.picture
    return None if picture is None else _levels(picture)


def _levels(picture: Picture) -> Grey:
    """(height, width, 4), opaque where there is no alpha."""
    pixels = picture.pixels.astype(np.float32)
    if pixels.shape[2] == 4:
        return pixels
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.float32)])


def _flat(levels: Grey) -> Grey:
    """Colours on white, (height, width, 3)."""
    alpha = levels[..., 3:] / 255
    return np.asarray(levels[..., :3] * alpha + 255 * (1 - alpha), np.float32)


def _edges(levels: Grey) -> Grey:
    """How much each cell differs from the next ones: marks of a brush average out, outlines stay."""
    grey = _flat(levels) @ _LUMA
    cell = max(1, -(-max(grey.shape) // _CELLS))
    for axis in (0, 1):
        starts = np.arange(0, grey.shape[axis], cell, dtype=np.intp)
        counts = np.diff(np.append(starts, grey.shape[axis])).astype(np.float32)
        shape = (-1, 1) if axis == 0 else (1, -1)
        grey = np.add.reduceat(grey, starts, axis=axis) / counts.reshape(shape)
    steps = np.zeros_like(grey)
    for axis in (0, 1):
        steps += np.diff(grey, axis=axis, append=grey.take([-1], axis)) ** 2
    return np.sqrt(steps).astype(np.float32)


def _finding(
    name: str, *, ok: bool, found: str, wanted: str, place: str = "", hint: str = "", note: bool = False
) -> Finding:
    severity: Literal["refuse", "note"] = "note" if note else "refuse"
    return Finding(rule=name, ok=ok, found=found, wanted=wanted, place=place, hint=hint, severity=severity)
