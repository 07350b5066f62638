"""Rules for what is typeset over a picture: it can be read, stays in its frame, and no line meets another.

Measured on the finished pixels: what differs from the same cover without letters is ink.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.values import Draft, Finding

Pixels = NDArray[np.uint8]
_BORDER = 0.03
"""Of the shorter side, in which no ink may be."""
_CORNER = (0.55, 0.1)
"""Width and height, of the shorter side, of the lower right corner, in which a visible label is drawn."""


@dataclass(frozen=True)
class ContrastRule:
    """Each line is read against what lies behind it.

    The contrast ratio of WCAG 2.2 between the letters' colour and the hundredth of the pixels in the line's box that is
    nearest to it.

    Args:
        step: Of the plan; `<step>.ground` and `<step>.lines` of the draft's parts tell what lies behind, and where.
        least: As success criterion 1.4.3 asks for letters of any size.
    """

    step: str
    least: float = 4.5
    name: str = "contrast"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each line."""
        ground, lines = _typeset(draft, self.step)
        if ground is None:
            return [_finding(self.name, ok=False, found="–", wanted=say("a cover", "有封面"))]
        findings: list[Finding] = []
        for line in lines:
            ratio = contrast(line.colour, _part(ground, line))
            findings.append(
                _finding(
                    self.name,
                    ok=ratio >= self.least,
                    found=f"{ratio:.1f} : 1",
                    wanted=f"≥ {self.least:g} : 1",
                    place=line.text,
                )
            )
        return findings


@dataclass(frozen=True)
class PlacedRule:
    """Letters stand in their frame: none at the border or where the label will be, none over another, all inked.

    Args:
        step: As in `ContrastRule`.
    """

    step: str
    name: str = "placed"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Three findings: of the frame, of lines that meet, and of lines that are not there."""
        ground, lines = _typeset(draft, self.step)
        made = draft.content.picture
        if ground is None or made is None or made.pixels.shape[:2] != ground.shape[:2]:
            return [_finding(self.name, ok=False, found="–", wanted=say("a cover", "有封面"))]
        ink = (made.pixels[..., :3] != ground).any(-1)
        outside = int((ink & _forbidden(*ink.shape)).sum())
        stray = ink.copy()
        for line in lines:
            _part(stray, line)[:] = False
        meeting = [f"{a.text} / {b.text}" for a, b in combinations(lines, 2) if _meet(a, b)]
        bare = [line.text for line in lines if not _part(ink, line).any()]
        wrong = outside + int(stray.sum())
        return [
            _finding(
                self.name,
                ok=wrong == 0,
                found=say("{n} pixels of ink outside", "框外有 {n} 个像素", n=wrong),
                wanted="0",
                place=say("frame", "版心"),
            ),
            _finding(self.name, ok=not meeting, found=str(len(meeting)), wanted="0", place=say("overlaps", "重叠")),
            _finding(
                self.name,
                ok=not bare and bool(lines),
                found=str(len(bare)),
                wanted="0",
                place=say("missing lines", "缺行"),
            ),
        ]


@dataclass(frozen=True)
class _Line:
    text: str
    left: int
    top: int
    width: int
    height: int
    colour: tuple[int, int, int]


def contrast(colour: tuple[int, int, int], behind: Pixels) -> float:
    """Contrast ratio (WCAG 2.2) of a colour with the hundredth of some pixels that is nearest to it."""
    own = float(_luminance(np.array([colour], np.uint8))[0])
    light = _luminance(behind.reshape(-1, 3))
    ratios = (np.maximum(light, own) + 0.05) / (np.minimum(light, own) + 0.05)
    return float(np.quantile(ratios, 0.01)) if len(ratios) else 0.0


def _luminance(pixels: Pixels) -> NDArray[np.float32]:
    level = pixels.astype(np.float32) / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return np.asarray(light @ np.array([0.2126, 0.7152, 0.0722], np.float32), np.float32)


def _typeset(draft: Draft, step: str) -> tuple[Pixels | None, Sequence[_Line]]:
    """The cover without letters, and its lines."""
    ground, lines = draft.parts.get(f"{step}.ground"), draft.parts.get(f"{step}.lines")
    if not ground or not lines:
        return None, ()
    told: list[dict[str, Any]] = json.loads(lines)
    return Picture.model_validate_json(ground).pixels[..., :3], [_line(each) for each in told]


def _line(told: Mapping[str, Any]) -> _Line:
    red, green, blue = told["colour"]
    return _Line(told["text"], told["left"], told["top"], told["width"], told["height"], (red, green, blue))


def _part(whole: NDArray[Any], line: _Line) -> NDArray[Any]:
    return whole[max(line.top, 0) : line.top + line.height, max(line.left, 0) : line.left + line.width]


def _meet(one: _Line, other: _Line) -> bool:
    across = one.left < other.left + other.width and other.left < one.left + one.width
    return across and one.top < other.top + other.height and other.top < one.top + one.height


def _forbidden(height: int, width: int) -> NDArray[np.bool_]:
    short = min(height, width)
    edge = max(1, round(_BORDER * short))
    mask = np.ones((height, width), bool)
    mask[edge:-edge, edge:-edge] = False
    mask[height - round(_CORNER[1] * short) :, width - round(_CORNER[0] * short) :] = True
    return mask


def _finding(name: str, *, ok: bool, found: str, wanted: str, place: str = "") -> Finding:
    hint = (
        "" if ok else say("Choose another layout, a shorter title or another picture.", "请换版式、缩短标题或换图片。")
    )
    return Finding(rule=name, ok=ok, found=found, wanted=wanted, place=place, hint=hint)
