"""Painting: a given picture painted anew in a style, by its name or after another picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.picture import PaintStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import Mask, checked_mask, given_picture, made_of
from castalia.modalities.image.paint import Style, style_in, style_named, styles
from castalia.quality import BlankRule, LayoutRule, RepaintedRule

_COARSE = ("electric", "woven")
"""Styles under which little of a picture is recognised; for those who ask."""
_HALF = 0.5
"""Strength below which a painting need not be far from the picture."""


class PaintingFields(BriefFields):
    """Fields of a painting."""

    picture: Annotated[
        Picture | None, Field(description="picture that is painted (required) | 要绘制的图片（必填）")
    ] = None
    style: Annotated[  # pyright: ignore[reportIncompatibleVariableOverride] - a painting's style may be shown too
        str | Picture,
        Field(
            description="a style's name, or a picture painted so; empty: by the words, else the seed's choice | "
            "风格名称，或风格图片；空：按文字，否则由种子决定"
        ),
    ] = ""
    strength: Annotated[float, Field(ge=0, le=1, description="how much of the style, 0 to 1 | 风格强度，0 到 1")] = 1.0
    keep_colours: Annotated[bool, Field(description="only light and dark are painted | 保留原色，只绘明暗")] = False
    mask: Mask = None


class Painting:
    """See the module."""

    name = "painting"
    aliases = ("画意", "绘画", "paint", "风格画")
    languages = ("en", "zh")
    title = ("Painting", "画意")
    summary = (
        "a picture painted in a style: 26 trained ones, five drawn ones, or any picture's; its layout stays",
        "以某种风格重绘图片：26 种训练风格、5 种手绘风格，或任意图片的风格；构图不变",
    )
    fields: type[BriefFields] = PaintingFields

    def plan(self, brief: Brief) -> Plan:
        """One picture."""
        fields = _fields(brief)
        style = fields.style if isinstance(fields.style, Picture) else _style(brief).name
        picture = given_picture(fields.picture, self.name)
        mask = checked_mask(fields.mask, picture)
        return Plan(pictures=(PaintStep("painting", picture, style, fields.strength, fields.keep_colours, mask),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The painting, described."""
        if isinstance(_fields(brief).style, Picture):
            return made_of(brief, parts, "painting", "Painted after another picture.", "按另一张图片的风格绘制。")
        style = _style(brief)
        return made_of(
            brief, parts, "painting", f"Painted in the style “{style.name}”.", f"以“{style.chinese}”风格绘制。"
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Something is on it, all of it is painted unless a mask says what, and its layout is the picture's."""
        fields = _fields(brief)
        given = given_picture(fields.picture, self.name)
        painted = (RepaintedRule(given),) if fields.strength >= _HALF and fields.mask is None else ()
        return (BlankRule(), *painted, LayoutRule(given))

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a painting is painted anew."""


def _fields(brief: Brief) -> PaintingFields:
    assert isinstance(brief.fields, PaintingFields)
    return brief.fields


def _style(brief: Brief) -> Style:
    """The style that is named, in the field or the words; else one of the trained ones, by the seed."""
    named = _fields(brief).style
    if isinstance(named, str) and named.strip():
        return style_named(named)
    if (found := style_in(brief.words)) is not None:
        return found
    trained = [each for each in styles() if each.number is not None and each.name not in _COARSE]
    return trained[brief.seed % len(trained)]


GENRE = Painting()
