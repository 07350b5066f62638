"""Pattern: a tile that repeats without a seam, from a given picture; one with alpha becomes a motif on a ground."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from castalia.core.language import say
from castalia.core.picture import PatternStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import given_picture, made_of
from castalia.modalities.image.look import colour_named
from castalia.quality import BlankRule, SeamRule


def _colour(given: str) -> str:
    if re.fullmatch("#[0-9A-Fa-f]{6}", given.strip()) or colour_named(given) is not None:
        return given
    raise ValueError(say("a colour's name, or #rrggbb", "颜色名称或 #rrggbb"))


class PatternFields(BriefFields):
    """Fields of a pattern."""

    picture: Annotated[
        Picture | None, Field(description="picture that is repeated (required) | 要重复的图片（必填）")
    ] = None
    ground: Annotated[
        str,
        AfterValidator(_colour),
        Field(description="ground of a motif with alpha: a colour's name or #rrggbb | 透明图案的底色：名称或 #rrggbb"),
    ] = "cream"


class Pattern:
    """See the module."""

    name = "pattern"
    aliases = ("纹样", "图案", "无缝图案", "tile")
    languages = ("en", "zh")
    title = ("Pattern", "纹样")
    summary = (
        "a tile that repeats without a seam, folded from a picture; a picture with alpha becomes a half-drop motif",
        "可无缝重复的图块，由图片折叠而成；带透明的图片作为错位排列的图案",
    )
    fields: type[BriefFields] = PatternFields

    def plan(self, brief: Brief) -> Plan:
        """One tile."""
        fields = _fields(brief)
        picture = given_picture(fields.picture, self.name)
        ground = colour_named(fields.ground) or tuple(bytes.fromhex(fields.ground.strip()[1:]))
        red, green, blue = ground
        return Plan(pictures=(PatternStep("pattern", picture, (red, green, blue)),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The tile, described."""
        return made_of(brief, parts, "pattern", "A tile that repeats without a seam.", "可无缝重复的图块。")

    def rules(self, brief: Brief) -> Sequence[Rule]:  # noqa: ARG002 - the same for every pattern
        """Something is on it, and its border shows no seam."""
        return (BlankRule(), SeamRule())

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend."""


def _fields(brief: Brief) -> PatternFields:
    assert isinstance(brief.fields, PatternFields)
    return brief.fields


GENRE = Pattern()
