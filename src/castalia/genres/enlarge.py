"""Enlarge: a given picture with two or four times as many pixels a side, its fine detail invented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from castalia.core.picture import EnlargeStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import given_picture, made_of
from castalia.modalities.image.look import look
from castalia.quality import BlankRule, ReducedRule


def _number(given: object) -> object:
    return int(given) if isinstance(given, str) and given.strip() in ("2", "4") else given


class EnlargeFields(BriefFields):
    """Fields of an enlarged picture."""

    picture: Annotated[
        Picture | None, Field(description="picture that is enlarged (required) | 要放大的图片（必填）")
    ] = None
    factor: Annotated[Literal[2, 4], BeforeValidator(_number), Field(description="2 or 4 times | 放大 2 或 4 倍")] = 4
    kind: Annotated[
        Literal["", "photo", "drawing", "fast"],
        Field(description="photo, drawing, or fast (a tenth of the time, smoother); empty: as it looks | "
              "照片、绘画或快速（用时约十分之一，较平滑）；空：自动判断"),
    ] = ""  # fmt: skip


class Enlarge:
    """See the module."""

    name = "enlarge"
    aliases = ("放大", "高清", "upscale", "enlargement")
    languages = ("en", "zh")
    title = ("Enlarge", "放大")
    summary = (
        "a picture with 2 or 4 times the pixels a side; reduced again it is the given one; detail is invented",
        "将图片每边放大 2 或 4 倍；缩小后与原图一致；细节为推测",
    )
    fields: type[BriefFields] = EnlargeFields

    def plan(self, brief: Brief) -> Plan:
        """One picture."""
        fields = _fields(brief)
        picture = given_picture(fields.picture, self.name)
        return Plan(pictures=(EnlargeStep("enlarge", picture, fields.factor, _kind(fields, picture)),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The picture, described."""
        factor = _fields(brief).factor
        return made_of(
            brief,
            parts,
            "enlarge",
            f"Enlarged {factor} times; its fine detail is invented.",
            f"已放大 {factor} 倍，细节为推测。",
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Something is on it, and reduced again it is the given picture."""
        fields = _fields(brief)
        return (BlankRule(), ReducedRule(given_picture(fields.picture, self.name), fields.factor))

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend."""


def _fields(brief: Brief) -> EnlargeFields:
    assert isinstance(brief.fields, EnlargeFields)
    return brief.fields


def _kind(fields: EnlargeFields, picture: Picture) -> Literal["photo", "drawing", "fast"]:
    if fields.kind:
        return fields.kind
    return "drawing" if look(picture.pixels, text=False).kind == "drawing" else "photo"


GENRE = Enlarge()
