"""Cut a subject out of a plain ground: what the ground's colours reach from the border is taken away.

For flat or smoothly changing grounds: product pictures, scans, icons, drawings, a clear sky. It knows nothing of
things: a busy ground is refused, a shadow stays with the subject, ground that the subject encloses stays too.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.modalities.image.cut_out.ground import ground_of
from castalia.modalities.image.guided import box
from castalia.modalities.image.oklab import Pixels, Plane, oklab, srgb

LEAST_CONFIDENCE = 0.6
"""Below it the ground counts as not separable."""
_NEAR = 5.0
"""Spreads within which a pixel has the ground's colour."""
_LEAST_NEAR = 0.025
"""OKLab; a step that is hardly seen."""
_PLAIN = 0.05
"""OKLab; a ground that spreads more has texture."""
_BAND = 3
"""Pixels on both sides of the outline in which alpha is between 0 and 1."""
_SMALLEST = 0.002
"""Of the picture that a subject covers at least."""

Mask = NDArray[np.bool_]


class CutOut(NamedTuple):
    """A subject without its ground."""

    pixels: Pixels
    """(height, width, 4), alpha not multiplied in; at the edges without the ground's colour."""
    confidence: float
    """0 … 1: how much of the border is ground that the model explains, times how much of the outline is clear."""


def cut_out(pixels: Pixels) -> CutOut:
    """The subject of a picture with a plain ground.

    Args:
        pixels: (height, width, 3).

    Raises:
        UsageError: the ground is not plain, the subject has the ground's colours, or there is no subject.
    """
    height, width = pixels.shape[:2]
    if min(height, width) < 4 * _BAND:
        raise _refused(say("it is too small", "图片太小"), share=0.0)
    lab = oklab(pixels)
    ground = ground_of(lab)
    under = ground.at(height, width)
    away = np.sqrt(((lab - under) ** 2).sum(-1))  # (height, width)
    limit = max(_NEAR * ground.spread, _LEAST_NEAR)
    outside = reached(away < limit)
    covered = 1 - float(outside.mean())
    if ground.share < LEAST_CONFIDENCE or ground.spread > _PLAIN:
        raise _refused(say("its ground is not plain", "背景不单纯"), share=ground.share)
    if covered < _SMALLEST:
        raise _refused(say("nothing stands out from its ground", "没有与背景不同的主体"), share=covered)
    clear = _clear(outside, away, limit)
    confidence = ground.share * clear
    if confidence < LEAST_CONFIDENCE:
        raise _refused(say("its subject and its ground have the same colours", "主体与背景颜色相近"), share=confidence)
    return CutOut(_matted(pixels, srgb(under), outside), round(confidence, 3))


def reached(open_: Mask) -> Mask:
    """Which open pixels (height, width) are joined to the border, over their four neighbours, through open pixels."""
    seen = np.zeros_like(open_)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        seen[edge] = open_[edge]
    along = [_runs(open_), _runs(open_.T)]
    while True:
        before = int(seen.sum())
        for turn, runs in enumerate(along):
            view = seen.T if turn else seen
            hit = np.zeros(int(runs.max()) + 1, bool)
            hit[runs[view]] = True
            seen = (hit[runs].T if turn else hit[runs]) & open_
        if int(seen.sum()) == before:
            return seen


def _runs(open_: Mask) -> NDArray[np.intp]:
    """A number for each stretch of open pixels in a row; closed pixels have some number too."""
    begins = np.ones_like(open_)
    begins[:, 1:] = open_[:, 1:] != open_[:, :-1]
    return np.cumsum(begins.ravel(), dtype=np.intp).reshape(open_.shape)


def _clear(outside: Mask, away: Plane, limit: float) -> float:
    """Share of the outline, seen a few pixels inside the subject, whose colour is well away from the ground's."""
    near = box(outside.astype(np.float32), _BAND)
    rim = (near > 0.02) & (near < 0.3) & ~outside
    if not rim.any():
        return 0.0
    return float((away[rim] > 1.5 * limit).mean())


def _matted(pixels: Pixels, under: Pixels, outside: Mask) -> Pixels:
    """Alpha by how far each pixel of the outline lies from the ground towards the subject's colour beside it.

    In levels of sRGB, for that is how programs mix the edges that they draw.

    Args:
        pixels: (height, width, 3).
        under: The ground's colour at each pixel, likewise.
        outside: Where the ground is.
    """
    seen, ground = pixels.astype(np.float32), under.astype(np.float32)
    inside = (~outside).astype(np.float32)
    near = box(inside, _BAND)
    sure = (near > 0.98).astype(np.float32)
    known = box(sure, 2 * _BAND)
    subject = box(seen * sure[..., None], 2 * _BAND) / np.maximum(known, 1e-6)[..., None]  # its colour beside
    step = subject - ground
    along = ((seen - ground) * step).sum(-1) / np.maximum((step**2).sum(-1), 1.0)
    # a thin part has no sure inside; there the outline is hard
    mixed = np.where(known > 1e-3, np.clip(along, 0, 1), inside)
    band = (near > 0.02) & (near < 0.98)
    alpha = np.where(band, mixed, inside)
    alpha = np.where((alpha < 0.04) | (near <= 0.02), 0, alpha)
    whole = np.maximum(alpha, 0.1)[..., None]
    colour = np.where(band[..., None], (seen - (1 - alpha)[..., None] * ground) / whole, seen)
    return (np.dstack([np.clip(colour, 0, 255), alpha * 255]) + 0.5).astype(np.uint8)


def _refused(why: str, *, share: float) -> UsageError:
    return UsageError(
        say(
            "Nothing can be cut out of this picture: {why} ({share:.0%}).",
            "无法从此图片中抠出主体：{why}（{share:.0%}）。",
            why=why,
            share=share,
        ),
        hint=say("Give a picture of something before a plain ground.", "请给出单纯背景前的主体图片。"),
    )
