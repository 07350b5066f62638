"""Mix: a picture between two given ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

from pydantic import Field

from castalia.core.picture import MixStep, Picture, SheetStep
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import assembled, drawn_rules, given_picture, words_of

STEP = "picture"
_MILLISECONDS = 70
"""How long a frame is shown."""
_SMALLEST = 256
"""Pixels a side of a frame: below, a label would cover much of it."""


class MixFields(BriefFields):
    """Fields of a picture between two."""

    picture: Annotated[Picture | None, Field(description="the first picture (required) | 第一张图片（必填）")] = None
    second: Annotated[Picture | None, Field(description="the second picture (required) | 第二张图片（必填）")] = None
    second_words: Annotated[
        str,
        Field(
            max_length=200,
            description="what the second shows, where it does not say so itself | 第二张图片的内容（若其自身未说明）",
        ),
    ] = ""
    share: Annotated[float, Field(ge=0, le=1, description="share of the second, 0 to 1 | 第二张所占比例，0 至 1")] = 0.5
    frames: Annotated[
        int,
        Field(
            ge=1,
            le=48,
            description="pictures on the way from one to the other, for an animation in .webp or .gif; 1: a still | "
            "过渡的帧数，可存为 .webp 或 .gif 动画；1 为静止图片",
        ),
    ] = 1


class Mix:
    """See the module."""

    name = "mix"
    aliases = ("blend", "混合", "融合")
    languages = ("en", "zh")
    title = ("Mix of two pictures", "两图混合")
    summary = (
        "a picture between two others, or an animation from one to the other, by interpolation in the picture model",
        "在图片模型中插值，介于两张图片之间，或从一张渐变到另一张的动画",
    )
    fields: type[BriefFields] = MixFields

    def plan(self, brief: Brief) -> Plan:
        """One picture, or those of an animation and the sheet that holds them."""
        fields = _fields(brief)
        first, second = given_picture(fields.picture, self.name), given_picture(fields.second, self.name)
        words = (words_of(brief.words, first, self.name), words_of(fields.second_words, second, self.name))
        style = fields.style.strip().lower()
        if fields.frames == 1:
            return Plan(pictures=(MixStep(STEP, (first, second), words, style, fields.share),))
        shares = [number / (fields.frames - 1) for number in range(fields.frames)]
        frames = [
            MixStep(f"frame-{number}", (first, second), words, style, share) for number, share in enumerate(shares)
        ]
        names = tuple(each.name for each in frames)
        return Plan(pictures=(*frames, partial(_animation, names)), faces=("gif", "zip"))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The picture, or the sheet of an animation, described by the words of both."""
        return assembled(brief, parts.get(STEP, ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """As of any drawn picture."""
        frames = _fields(brief).frames
        return drawn_rules(STEP if frames == 1 else f"frame-{frames // 2}")

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a picture is drawn anew."""


def _animation(names: Sequence[str], parts: Mapping[str, str]) -> SheetStep:
    frames = tuple(Picture.model_validate_json(parts[name]) for name in names)
    return SheetStep(STEP, frames, max(_SMALLEST, frames[0].width), milliseconds=_MILLISECONDS)


def _fields(brief: Brief) -> MixFields:
    assert isinstance(brief.fields, MixFields)
    return brief.fields


GENRE = Mix()
