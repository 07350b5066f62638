"""Redraw: a given picture drawn again from its words, subtly or strongly changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.picture import Picture, RedrawStep
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import Mask, assembled, checked_mask, drawn_rules, given_picture, words_of

STEP = "picture"


class RedrawFields(BriefFields):
    """Fields of a picture that is drawn again."""

    picture: Annotated[
        Picture | None, Field(description="picture that is drawn again (required) | 要重画的图片（必填）")
    ] = None
    strength: Annotated[
        float, Field(ge=0, le=1, description="how far from it: 0.2 subtle, 0.8 strong | 变化程度：0.2 细微，0.8 强烈")
    ] = 0.4
    mask: Mask = None


class Redraw:
    """See the module."""

    name = "redraw"
    aliases = ("picture-variation", "重画", "图片变体")
    languages = ("en", "zh")
    title = ("Variation of a picture", "图片变体")
    summary = (
        "a picture drawn again by the picture model, from its words and near to how it was: subtle or strong",
        "由图片模型按其文字重画，与原图相近：细微或强烈",
    )
    fields: type[BriefFields] = RedrawFields

    def plan(self, brief: Brief) -> Plan:
        """One picture."""
        fields = _fields(brief)
        picture = given_picture(fields.picture, self.name)
        mask = checked_mask(fields.mask, picture)
        words = words_of(brief.words, picture, self.name)
        return Plan(pictures=(RedrawStep(STEP, picture, words, fields.style.strip().lower(), fields.strength, mask),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The picture, described by its words."""
        return assembled(brief, parts.get(STEP, ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """As of any drawn picture."""
        del brief
        return drawn_rules(STEP)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a picture is drawn anew."""


def _fields(brief: Brief) -> RedrawFields:
    assert isinstance(brief.fields, RedrawFields)
    return brief.fields


GENRE = Redraw()
