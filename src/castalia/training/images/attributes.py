"""What can be measured of a drawn picture, by which directions among codes are named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.oklab import oklab

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Attribute:
    """Names of more of it, and of less: (English, Chinese) each."""

    more: tuple[str, str]
    less: tuple[str, str]


ATTRIBUTES = (
    Attribute(("brighter", "更亮"), ("darker", "更暗")),
    Attribute(("bolder", "更强烈"), ("softer", "更柔和")),
    Attribute(("more colourful", "更鲜艳"), ("greyer", "更灰")),
    Attribute(("redder", "更红"), ("greener", "更绿")),
    Attribute(("warmer", "更暖"), ("cooler", "更冷")),
    Attribute(("larger", "更大"), ("smaller", "更小")),
    Attribute(("taller", "更高"), ("wider", "更宽")),
    Attribute(("rounder", "更圆"), ("less round", "更不圆")),
    Attribute(("more detailed", "更细致"), ("simpler", "更简单")),
    Attribute(("more symmetric", "更对称"), ("less symmetric", "更不对称")),
    Attribute(("higher up", "偏上"), ("lower down", "偏下")),
    Attribute(("further left", "偏左"), ("further right", "偏右")),
)
"""In the order of `measured`."""
_DISTINCT, _DARK = 0.03, 0.93
"""Chroma and lightness in OKLab beyond which a pixel is no white ground."""


def measured(pixels: NDArray[np.uint8]) -> Floats:
    """What of `ATTRIBUTES` a picture on white has (attributes,); nothing of an empty one.

    Of the subject, which is all that is not white: mean lightness and its deviation, chroma, green–red and blue–yellow
    (OKLab); its share of the picture; the logarithm of its height by its width, as deviations from its middle; how much
    of it lies in the disc of its size about its middle; how much lightness changes from pixel to pixel within it; how
    little it differs from its mirror image; and how high and how far left its middle is.
    """
    lab = oklab(pixels)
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    subject = (chroma > _DISTINCT) | (light < _DARK)
    if subject.sum() < 9:
        return np.zeros(len(ATTRIBUTES), np.float32)
    side = len(pixels)
    rows, columns = np.nonzero(subject)
    middle, centre = rows.mean(), columns.mean()
    y, x = np.mgrid[:side, :side]
    disc = (y - middle) ** 2 + (x - centre) ** 2 <= subject.sum() / np.pi
    inside = subject[1:, 1:] & subject[:-1, :-1] & subject[1:, :-1] & subject[:-1, 1:]
    steps = np.hypot(np.diff(light, axis=0)[:, 1:], np.diff(light, axis=1)[1:])
    mirrored = np.roll(light[:, ::-1], round(2 * centre) - side + 1, 1)
    return np.array(
        [
            light[subject].mean(),
            light[subject].std(),
            chroma[subject].mean(),
            lab[..., 1][subject].mean(),
            lab[..., 2][subject].mean(),
            subject.mean(),
            np.log((rows.std() + 0.5) / (columns.std() + 0.5)),
            (subject & disc).sum() / subject.sum(),
            steps[inside].mean() if inside.any() else 0,
            -np.abs(light - mirrored)[subject].mean(),
            -middle / side,
            -centre / side,
        ],
        np.float32,
    )
