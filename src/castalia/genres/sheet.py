"""Contact sheet: several pictures side by side in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture, SheetStep
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import assembled
from castalia.quality import BlankRule, ShownRule

STEP = "sheet"
_GAP = 0.06
"""Of a cell's side, between cells and around them."""


class SheetFields(BriefFields):
    """Fields of a contact sheet."""

    pictures: Annotated[
        tuple[Picture, ...],
        Field(
            max_length=100,
            description="files or ids of works, 2 to 100, separated by commas (required) | "
            "图片文件或作品编号，2 至 100 个，以逗号分隔（必填）",
        ),
    ] = ()
    size: Annotated[int, Field(ge=32, le=1024, description="pixels a side of each | 每格的边长像素")] = 256


class ContactSheet:
    """See the module."""

    name = "sheet"
    aliases = ("contact-sheet", "样片", "缩略图")
    languages = ("en", "zh")
    title = ("Contact sheet", "样片总览")
    summary = ("several pictures side by side in one, to choose from", "将多张图片并排成一张，便于挑选")
    fields: type[BriefFields] = SheetFields

    def plan(self, brief: Brief) -> Plan:
        """One sheet."""
        fields = _fields(brief)
        if len(fields.pictures) < 2:
            raise UsageError(
                say("A contact sheet wants two pictures or more.", "样片总览需要至少两张图片。"),
                hint='castalia create sheet -o pictures="1.png, 2.png"',
            )
        gap = round(fields.size * _GAP)
        return Plan(pictures=(SheetStep(STEP, fields.pictures, fields.size, gap, (255, 255, 255)),), faces=("zip",))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The sheet, described by its pictures."""
        return assembled(brief, parts.get(STEP, ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Something is to be seen in each cell."""
        del brief
        return (BlankRule(), ShownRule(given=True))

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend."""


def _fields(brief: Brief) -> SheetFields:
    assert isinstance(brief.fields, SheetFields)
    return brief.fields


GENRE = ContactSheet()
