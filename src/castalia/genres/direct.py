"""Direct: a given picture moved along a direction that was found in the picture model, such as taller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.picture import DirectStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import Mask, assembled, checked_mask, drawn_rules, given_picture, words_of

STEP = "picture"


class DirectFields(BriefFields):
    """Fields of a picture that is moved."""

    picture: Annotated[
        Picture | None, Field(description="picture that is changed (required) | 要改变的图片（必填）")
    ] = None
    direction: Annotated[
        str,
        Field(
            max_length=60,
            description="a direction of the picture model, listed by `castalia models words` | "
            "图片模型的方向，见 `castalia models words`",
        ),
    ] = "brighter"
    amount: Annotated[float, Field(ge=-4, le=4, description="how far, -4 to 4 | 幅度，-4 至 4")] = 2.0
    mask: Mask = None


class Direct:
    """See the module."""

    name = "direct"
    aliases = ("direction", "定向", "方向编辑")
    languages = ("en", "zh")
    title = ("Direction edit", "方向编辑")
    summary = (
        "a picture drawn again along a direction that was found in the picture model, such as brighter or taller",
        "沿图片模型中找到的方向（如更亮、更高）重画图片",
    )
    fields: type[BriefFields] = DirectFields

    def plan(self, brief: Brief) -> Plan:
        """One picture."""
        fields = _fields(brief)
        picture = given_picture(fields.picture, self.name)
        mask = checked_mask(fields.mask, picture)
        words, style = words_of(brief.words, picture, self.name), fields.style.strip().lower()
        return Plan(pictures=(DirectStep(STEP, picture, words, fields.direction, style, fields.amount, mask),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The picture, described by its words."""
        return assembled(brief, parts.get(STEP, ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """As of any drawn picture."""
        del brief
        return drawn_rules(STEP)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a picture is drawn anew."""


def _fields(brief: Brief) -> DirectFields:
    assert isinstance(brief.fields, DirectFields)
    return brief.fields


GENRE = Direct()
