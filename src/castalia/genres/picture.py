"""A picture drawn from words by a model that was trained on captioned pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import DrawStep
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import assembled, drawn_rules

STEP = "picture"
SMALLEST = 64
"""Pixels a side."""


class PictureFields(BriefFields):
    """Fields of a picture."""

    style: Annotated[  # a manner that the model was taught
        str,
        Field(
            max_length=60,
            description="a manner that the model was taught, see `castalia models words`; "
            "the one that comes along has one | "
            "模型学过的画法，见 `castalia models words`；自带的模型只有一种",
        ),
    ] = ""
    size: Annotated[
        int,
        Field(
            ge=0,
            le=2048,
            description="pixels a side, 64 to 2048; 0: as the model draws, the one that comes along 128, at most 512 | "
            "边长像素，64 至 2048；0：由模型决定，自带模型为 128，至多 512",
        ),
    ] = 0


class PictureGenre:
    """See the module."""

    name = "picture"
    aliases = ("image", "图片", "画", "drawing")
    languages = ("en", "zh")
    title = ("Picture", "图片")
    summary = (
        "a small picture of things that its model was taught (animals, food, tools, faces, places), in 3D or flat",
        "模型学过的事物（动物、食物、工具、表情、地点）的小图片，立体或扁平",
    )
    fields: type[BriefFields] = PictureFields

    def plan(self, brief: Brief) -> Plan:
        """One picture.

        Raises:
            UsageError: it is to be smaller than a label is read on.
        """
        fields = _fields(brief)
        if 0 < fields.size < SMALLEST:
            raise UsageError(
                say(
                    "A picture has at least {least} pixels a side, not {n}.",
                    "图片每边至少 {least} 像素，而不是 {n}。",
                    least=SMALLEST,
                    n=fields.size,
                ),
                hint=f"-o size={SMALLEST}",
            )
        return Plan(pictures=(DrawStep(STEP, brief.words, fields.size, fields.style.strip().lower()),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The picture, described by its words."""
        return assembled(brief, parts.get(STEP, ""), brief.words)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """As of any drawn picture."""
        del brief
        return drawn_rules(STEP)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a picture is drawn anew."""


def _fields(brief: Brief) -> PictureFields:
    assert isinstance(brief.fields, PictureFields)
    return brief.fields


GENRE = PictureGenre()
