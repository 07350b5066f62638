"""Stickers: a set of pictures from a list of words, cut out and made equally large; icons are those without a rim."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import DrawStep, Picture, PictureStep, PictureStepMaker, SheetStep, StickerStep
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres import listed
from castalia.genres._pictures import assembled, words_rules
from castalia.quality import BlankRule, EvenSizesRule, SaturatedRule, ShownRule, TwinsRule

SHEET = "sheet"
MOST = 48
_USUAL = 128
"""Pixels a side below which a sticker is drawn in its own size, and from which as the model draws."""


class StickersFields(BriefFields):
    """Fields of a set of stickers."""

    kind: Annotated[
        Literal["sticker", "icon"],
        Field(description="sticker with a white rim, or icon without | 贴纸（白边）或图标（无边）：sticker、icon"),
    ] = "sticker"
    colour: Annotated[
        str, Field(max_length=30, description="a colour that all have, e.g. blue | 统一的颜色，如 蓝色")
    ] = ""
    style: Annotated[str, Field(max_length=60, description="a manner that the model was taught | 模型学过的画法")] = ""
    size: Annotated[int, Field(ge=64, le=512, description="pixels a side of each, 64 to 512 | 每个的边长像素")] = 256


class Stickers:
    """See the module."""

    name = "stickers"
    aliases = ("icons", "sticker", "icon-set", "贴纸", "图标", "表情包")
    languages = ("en", "zh")
    title = ("Sticker or icon set", "贴纸或图标集")
    summary = (
        "a set of pictures from a list of words, each cut out, equally large and centred, with a white rim or none",
        "按一列词语画成一套小图，逐个抠出、大小一致、居中，带白边或不带",
    )
    fields: type[BriefFields] = StickersFields

    def plan(self, brief: Brief) -> Plan:
        """Each is drawn, then cut out; the sheet holds all."""
        fields = _fields(brief)
        names = _names(brief)
        steps: list[PictureStep | PictureStepMaker] = []
        for number, name in enumerate(names):
            words = f"{fields.colour} {name}".strip()
            steps += [
                DrawStep(
                    _drawn(number), words, fields.size if fields.size < _USUAL else 0, fields.style.strip().lower()
                ),
                partial(_sticker, number, fields),
            ]
        return Plan(pictures=(*steps, partial(_sheet, len(names), fields)), faces=("zip",))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The sheet, described by its words."""
        return assembled(brief, parts.get(SHEET, ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Each is known, shown, as large as the others, and unlike them."""
        known = [rule for number, name in enumerate(_names(brief)) for rule in words_rules(_drawn(number), name)]
        return (*known, BlankRule(), SaturatedRule(), ShownRule(), EvenSizesRule(), TwinsRule())

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a set is drawn anew."""


def _names(brief: Brief) -> Sequence[str]:
    """What is to be drawn.

    Raises:
        UsageError: nothing, too much, or something twice.
    """
    names = listed(brief.words)
    twice = sorted({each for each in names if names.count(each) > 1})
    if names and len(names) <= MOST and not twice:
        return names
    raise UsageError(
        say("The set names {words} twice.", "“{words}” 出现了两次。", words=", ".join(twice))
        if twice
        else say(
            "A set has 1 to {most} pictures, not {n}.",
            "一套为 1 到 {most} 个，而不是 {n} 个。",
            most=MOST,
            n=len(names),
        ),
        hint=say('castalia create stickers "cat, umbrella, rocket"', "castalia create stickers “猫，雨伞，火箭”"),
    )


def _drawn(number: int) -> str:
    return f"drawn-{number + 1}"


def _cut(number: int) -> str:
    return f"sticker-{number + 1}"


def _sticker(number: int, fields: StickersFields, parts: Mapping[str, str]) -> StickerStep:
    picture = Picture.model_validate_json(parts[_drawn(number)])
    return StickerStep(_cut(number), picture, fields.size, fields.kind == "sticker")


def _sheet(count: int, fields: StickersFields, parts: Mapping[str, str]) -> SheetStep:
    pictures = tuple(Picture.model_validate_json(parts[_cut(number)]) for number in range(count))
    return SheetStep(SHEET, pictures, fields.size)


def _fields(brief: Brief) -> StickersFields:
    assert isinstance(brief.fields, StickersFields)
    return brief.fields


GENRE = Stickers()
