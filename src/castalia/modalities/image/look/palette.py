"""The few colours that a picture is made of, with names in English and Chinese."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from castalia.core.value import Value
from castalia.modalities.image.oklab import Plane, oklab, srgb

MOST = 6
"""Colours of a palette."""
_APART = 0.06
"""OKLab; two colours nearer than this are one."""
_LEAST = 0.02
"""Share of a picture that a colour covers."""
_ROUNDS = 20
_GREY = 0.02
"""OKLab; with less hue than this a colour looks grey."""


class Swatch(Value):
    """One colour."""

    hex: str
    """`#rrggbb`."""
    english: str
    chinese: str
    share: float
    """Of the picture, 0 … 1."""


def palette(lab: Plane) -> tuple[Swatch, ...]:
    """The colours of some pixels, most of them first.

    k-means in OKLab, begun at the pixel farthest from the colours so far (Gonzalez 1985), so that no chance is in it.

    Args:
        lab: (pixels, 3), at least one.
    """
    centres, members = _clusters(lab)
    shares = np.bincount(members, minlength=len(centres)) / len(lab)
    merged: list[tuple[NDArray[np.float32], float]] = []
    for number in np.argsort(-shares):
        near = [at for at, (each, _) in enumerate(merged) if np.linalg.norm(each - centres[number]) < _APART]
        if near:
            centre, share = merged[near[0]]
            merged[near[0]] = (centre, share + float(shares[number]))
        else:
            merged.append((centres[number], float(shares[number])))
    merged.sort(key=lambda each: -each[1])
    kept = [each for each in merged if each[1] >= _LEAST] or merged[:1]
    return tuple(_swatch(centre, share) for centre, share in kept)


def _clusters(lab: Plane) -> tuple[Plane, NDArray[np.intp]]:
    """Colours (k, 3), and which of them each pixel is nearest to."""
    middle = np.median(lab, axis=0)
    centres = lab[((lab - middle) ** 2).sum(-1).argmin()][None]
    away = ((lab - centres[0]) ** 2).sum(-1)
    # the farthest but for one pixel in two hundred, which may be an edge's mixture
    while len(centres) < MOST and (spot := np.argsort(away)[-1 - len(lab) // 200]) >= 0 and away[spot] > _APART**2:
        centres = np.vstack([centres, lab[spot]])
        away = np.minimum(away, ((lab - lab[spot]) ** 2).sum(-1))
    members = np.zeros(len(lab), np.intp)
    for _ in range(_ROUNDS):
        members = ((lab[:, None] - centres[None]) ** 2).sum(-1).argmin(1)
        new = np.stack([lab[members == k].mean(0) if (members == k).any() else c for k, c in enumerate(centres)])
        if np.allclose(new, centres, atol=1e-4):
            break
        centres = new
    return centres.astype(np.float32), members


def _swatch(centre: Plane, share: float) -> Swatch:
    red, green, blue = (int(each) for each in srgb(centre[None])[0])
    english, chinese = colour_name(red, green, blue)
    return Swatch(hex=f"#{red:02x}{green:02x}{blue:02x}", english=english, chinese=chinese, share=round(share, 3))


def colour_name(red: int, green: int, blue: int) -> tuple[str, str]:
    """(English, Chinese) name of the nearest colour that has one; what has hardly any hue is called by a grey."""
    names, points = _named()
    lab = oklab(np.array([[red, green, blue]], np.uint8))
    hueless = np.hypot(points[:, 1], points[:, 2]) < _GREY / 2
    hue = float(np.hypot(lab[0, 1], lab[0, 2]))
    away = ((points - lab) ** 2).sum(-1)
    if hue < _GREY:
        away[~hueless] = np.inf
    elif hue > 2 * _GREY:
        away[hueless] = np.inf
    return names[int(away.argmin())]


def colour_named(name: str) -> tuple[int, int, int] | None:
    """The sRGB levels of a colour's English or Chinese name; None where it is not known."""
    wanted = name.strip().lower().replace("gray", "grey")
    for english, (chinese, value) in _table().items():
        if wanted in (english, chinese):
            red, green, blue = bytes.fromhex(value[1:])
            return red, green, blue
    return None


@cache
def _table() -> Mapping[str, tuple[str, str]]:
    """By English name: Chinese name and `#rrggbb`."""
    return tomllib.loads((files("castalia") / "data" / "colours.toml").read_text(encoding="utf-8"))


@cache
def _named() -> tuple[list[tuple[str, str]], Plane]:
    table = _table()
    names = [(english, chinese) for english, (chinese, _) in table.items()]
    levels = np.array([[*bytes.fromhex(value[1:])] for _, value in table.values()], np.uint8)
    return names, oklab(levels)
