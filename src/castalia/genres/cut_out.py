"""Cut-out: the subject of a given picture without its plain ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.picture import CutOutStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import given_picture, made_of
from castalia.quality import BlankRule, CutOutRule


class CutOutFields(BriefFields):
    """Fields of a cut-out."""

    picture: Annotated[
        Picture | None, Field(description="picture with a plain ground (required) | 单纯背景的图片（必填）")
    ] = None


class CutOut:
    """See the module."""

    name = "cut-out"
    aliases = ("抠图", "去背景", "cutout")
    languages = ("en", "zh")
    title = ("Cut-out", "抠图")
    summary = (
        "the subject of a picture before a flat or smooth ground, with alpha; other grounds are refused",
        "从纯色或平滑背景中抠出主体，带透明；其他背景不处理",
    )
    fields: type[BriefFields] = CutOutFields

    def plan(self, brief: Brief) -> Plan:
        """One picture."""
        return Plan(pictures=(CutOutStep("cut-out", given_picture(_fields(brief).picture, self.name)),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The subject, described."""
        return made_of(brief, parts, "cut-out", "Cut out of its ground.", "已去除背景。")

    def rules(self, brief: Brief) -> Sequence[Rule]:  # noqa: ARG002 - the same for every cut-out
        """Something is left, and something is gone."""
        return (BlankRule(), CutOutRule())

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend."""


def _fields(brief: Brief) -> CutOutFields:
    assert isinstance(brief.fields, CutOutFields)
    return brief.fields


GENRE = CutOut()
