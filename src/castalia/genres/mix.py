"""Mix: a picture between two given ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.picture import MixStep, Picture
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._pictures import assembled, drawn_rules, given_picture, words_of

STEP = "picture"


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


class Mix:
    """See the module."""

    name = "mix"
    aliases = ("blend", "混合", "融合")
    languages = ("en", "zh")
    title = ("Mix of two pictures", "两图混合")
    summary = (
        "a picture between two others, by interpolation in the picture model",
        "在图片模型中插值，介于两张图片之间",
    )
    fields: type[BriefFields] = MixFields

    def plan(self, brief: Brief) -> Plan:
        """One picture."""
        fields = _fields(brief)
        first, second = given_picture(fields.picture, self.name), given_picture(fields.second, self.name)
        words = (words_of(brief.words, first, self.name), words_of(fields.second_words, second, self.name))
        style = fields.style.strip().lower()
        return Plan(pictures=(MixStep(STEP, (first, second), words, style, fields.share),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The picture, described by the words of both."""
        return assembled(brief, parts.get(STEP, ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """As of any drawn picture."""
        del brief
        return drawn_rules(STEP)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a picture is drawn anew."""


def _fields(brief: Brief) -> MixFields:
    assert isinstance(brief.fields, MixFields)
    return brief.fields


GENRE = Mix()
