"""Short story: beginning, middle, end and a title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._prose import Conversation, ProseFields, length_of, prose_rules

TEXTS = ("beginning", "middle", "end")
USUAL = (300, 500)


class StoryFields(ProseFields):
    """Fields of a short story."""

    characters: Annotated[
        tuple[str, ...], Field(max_length=8, description="who is in it, separated by ; | 人物，用 ; 分隔")
    ] = ()
    setting: Annotated[str, Field(max_length=200, description="where and when | 时间地点")] = ""


class Story:
    """See the module."""

    name = "story"
    aliases = ("short story", "小说", "短篇小说", "故事")
    languages = ("en", "zh")
    title = ("Short story", "短篇小说")
    summary = ("a title and a story with beginning, middle and end", "题目和有开头、中段、结尾的故事")
    fields: type[BriefFields] = StoryFields

    def plan(self, brief: Brief) -> Plan:
        """The three parts, each going on from the one before, then the title."""
        fields = _fields(brief)
        target, tolerance = length_of(fields, USUAL)
        rows = (("People", "人物", "; ".join(fields.characters)), ("Setting", "背景", fields.setting))
        talk = Conversation(self.name, brief, fields, rows=rows, free=True)
        for part in TEXTS:
            talk.text(part, target // 3, tolerance)
        talk.line("title", (40, 12))
        return talk.plan()

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Title and text."""
        title = parts.get("title", "").strip()
        body = "\n\n".join(parts.get(part, "").strip() for part in TEXTS)
        return Content(
            title=title, text=f"{title}\n\n{body}", markdown=f"# {title}\n\n{body}", language=brief.fields.language
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Length, whole sentences, keywords."""
        fields = _fields(brief)
        return prose_rules(brief, fields, TEXTS, length_of(fields, USUAL), free=True)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a story is written anew."""


def _fields(brief: Brief) -> StoryFields:
    assert isinstance(brief.fields, StoryFields)
    return brief.fields


GENRE = Story()
