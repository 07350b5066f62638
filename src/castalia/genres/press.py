"""Press release: headline, lede, body, a note about the sender and a contact; no fact of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres import news
from castalia.quality import (
    EventsRule,
    ForbiddenRule,
    GroundedRule,
    HeadlineRule,
    KeywordRule,
    LedeRule,
    LengthRule,
    UnsupportedFactsRule,
    without_sentences,
)

SYSTEM = {
    "en": "You write press releases for an organisation. You state only what you are told and add no numbers, names, "
    "dates or quotations. Confident, plain, third person; no superlatives; what lies ahead is told as lying ahead.",
    "zh": "你为机构撰写新闻通稿。只陈述给出的事实，不添加数字、人名、日期和引语。"
    "语气自信平实，用第三人称，不用最高级，尚未发生的事写作将来。",
}


class PressFields(news.NewsFields):
    """Fields of a press release."""

    sender: Annotated[str, Field(max_length=120, description="who sends it | 发布机构")] = ""
    about: Annotated[str, Field(max_length=600, description="a line about the sender | 机构简介")] = ""
    contact: Annotated[str, Field(max_length=200, description="contact for the press | 媒体联系方式")] = ""


class Press:
    """See the module."""

    name = "press"
    aliases = ("新闻通稿", "press release", "通稿")
    languages = ("en", "zh")
    title = ("Press release", "新闻通稿")
    summary = (
        "headline, dateline, body, about and contact; every fact comes from the brief",
        "标题、电头、正文、机构简介和联系方式；事实均出自要求",
    )
    fields: type[BriefFields] = PressFields

    def plan(self, brief: Brief) -> Plan:
        """Headline, then the body under the fact mask."""
        fields = _fields(brief)
        chinese, (target, _) = fields.language == "zh", news.length_wanted(brief, fields)
        sender = f"\n{'发布机构' if chinese else 'From'}: {fields.sender}" if fields.sender else ""
        ask_headline = "为这篇通稿写一个标题，不超过22字。" if chinese else "Write its headline: at most 12 words."
        ask_body = (
            f"标题：{{headline}}\n写通稿正文，约{target}字，不写标题和联系方式。" if chinese else
            f"Headline: {{headline}}\nWrite the release's text in about {target} words, without headline or contact."
        )  # fmt: skip
        material = news.material_of(brief, fields) + sender
        return news.headline_and_body(
            brief, fields, SYSTEM[fields.language], material, (ask_headline, ask_body), 26 if chinese else 90
        )

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Release line, headline, dateline and body, then what was given of sender and contact."""
        fields = _fields(brief)
        chinese = fields.language == "zh"
        headline, body = parts.get("headline", "").strip(), parts.get("body", "").strip()
        release = "新闻通稿" if chinese else "FOR IMMEDIATE RELEASE"
        about = f"{'关于' if chinese else 'About '}{fields.sender}" if fields.about else ""
        contact = f"{'媒体联系：' if chinese else 'Press contact: '}{fields.contact}" if fields.contact else ""
        tail = [f"{about}\n{fields.about}" if about else "", contact]
        blocks = [release, headline, f"{news.dateline(fields)}{body}", *tail]
        marked = [f"*{release}*", f"# {headline}", *blocks[2:]]
        return Content(
            title=headline,
            text="\n\n".join(block for block in blocks if block),
            markdown="\n\n".join(block for block in marked if block),
            language=fields.language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Facts, length, lede, headline, keywords."""
        fields = _fields(brief)
        return (
            HeadlineRule(28 if fields.language == "zh" else 110),
            UnsupportedFactsRule(brief.said, parts=("headline", "body")),
            EventsRule(brief.said),
            GroundedRule(brief.said, severity="note" if fields.length else "refuse"),
            LedeRule(news.first_statements(brief, fields)),
            LengthRule(*news.length_wanted(brief, fields), parts=("body",)),
            KeywordRule(fields.keywords),
            ForbiddenRule(fields.forbidden),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return without_sentences(draft.parts, findings, "body")


def _fields(brief: Brief) -> PressFields:
    assert isinstance(brief.fields, PressFields)
    return brief.fields


GENRE = Press()
