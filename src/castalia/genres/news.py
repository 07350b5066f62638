"""News article: headline, dateline, a lede that tells the news, then detail; no fact of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Form, Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.modalities.text.forms.facts import FactSheet
from castalia.modalities.text.forms.limits import LimitForm
from castalia.modalities.text.forms.prose import ProseForm, length_of
from castalia.modalities.text.presets import FACTUAL
from castalia.quality import (
    CoverageRule,
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
    "en": "You are a careful news editor. You report only what you are told and add no numbers, names, dates or "
    "quotations. Plain, neutral sentences in the third person; what lies ahead is told as lying ahead. The most "
    "important thing comes first.",
    "zh": "你是严谨的新闻编辑。只报道给出的事实，不添加任何数字、人名、日期和引语。"
    "语句平实、客观，重要的内容放在最前面，尚未发生的事写作将来。",
}


GROUNDED = 0.5
"""Least share of a sentence's content words that the brief has too, where no length is asked for: no padding."""


class NewsFields(BriefFields):
    """Fields of a news article."""

    facts: Annotated[tuple[str, ...], Field(max_length=40, description="facts, separated by ; | 事实，用 ; 分隔")] = ()
    quotes: Annotated[
        tuple[str, ...], Field(max_length=10, description="quotations that may be used to the letter | 可原样引用的话")
    ] = ()
    place: Annotated[str, Field(max_length=80, description="where, for the dateline | 地点（电头）")] = ""
    date: Annotated[str, Field(max_length=40, description="when, for the dateline | 日期（电头）")] = ""
    length: Annotated[
        int,
        Field(
            ge=0,
            le=1200,
            description="words (Chinese: characters); 0: as much as the facts allow | 字数；0：视事实而定",
        ),
    ] = 0
    keywords: Annotated[tuple[str, ...], Field(max_length=10, description="words that must appear | 必须出现的词")] = ()
    forbidden: Annotated[tuple[str, ...], Field(max_length=50, description="words that must not | 不得出现的词")] = ()
    audience: Annotated[str, Field(max_length=100, description="for whom | 读者")] = ""
    tone: Annotated[str, Field(max_length=100, description="tone | 语气")] = ""


class News:
    """See the module."""

    name = "news"
    aliases = ("新闻", "article", "新闻稿件")
    languages = ("en", "zh")
    title = ("News article", "新闻")
    summary = (
        "headline, dateline, lede and body; every number, name, date and quotation comes from the brief",
        "标题、电头、导语和正文；数字、人名、日期、引语均出自要求",
    )
    fields: type[BriefFields] = NewsFields

    def plan(self, brief: Brief) -> Plan:
        """Headline, then the body under the fact mask."""
        fields = _fields(brief)
        chinese, (target, _) = fields.language == "zh", length_wanted(brief, fields)
        ask_headline = (
            "为这则新闻写一个标题，不超过20字，不加标点。" if chinese else
            "Write the headline of this news: at most 10 words, sentence case, no full stop."
        )  # fmt: skip
        ask_body = (
            f"标题：{{headline}}\n写这则新闻的正文，约{target}字，不写标题。第一句交代谁、何事、何时、何地。"
            if chinese else
            f"Headline: {{headline}}\nWrite the article's text in about {target} words, without a "
            "headline. The first sentence says who, what, when and where."
        )  # fmt: skip
        system = SYSTEM[fields.language]
        return headline_and_body(
            brief, fields, system, material_of(brief, fields), (ask_headline, ask_body), 24 if chinese else 80
        )

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Headline, dateline and body."""
        fields = _fields(brief)
        headline, body = parts.get("headline", "").strip(), parts.get("body", "").strip()
        line = dateline(fields)
        return Content(
            title=headline,
            text=f"{headline}\n\n{line}{body}",
            markdown=f"# {headline}\n\n{f'**{line.strip()}** ' if line else ''}{body}",
            language=fields.language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Facts, length, lede, headline, keywords."""
        fields = _fields(brief)
        named = tuple(each for each in (fields.place, fields.date) if each)
        return (
            HeadlineRule(26 if fields.language == "zh" else 100),
            UnsupportedFactsRule(brief.said),
            EventsRule(brief.said),
            GroundedRule(brief.said, severity="note" if fields.length else "refuse"),
            LedeRule(first_statements(brief, fields), named),
            CoverageRule(fields.facts),
            LengthRule(*length_wanted(brief, fields), parts=("body",)),
            KeywordRule(fields.keywords),
            ForbiddenRule(fields.forbidden),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return without_sentences(draft.parts, findings, "body")


def headline_and_body(
    brief: Brief, fields: NewsFields, system: str, material: str, asks: tuple[str, str], limit: int
) -> Plan:
    """Two steps under the fact mask.

    Args:
        brief: The brief.
        fields: Its fields.
        system: Who writes.
        material: What is given, see `material_of`.
        asks: What is asked for headline and body.
        limit: Most characters of the headline.
    """
    sheet, (target, tolerance) = sheet_of(brief, fields), length_wanted(brief, fields)
    language, banned, wanted = fields.language, fields.forbidden, fields.keywords
    forms: tuple[Form, Form] = (
        LimitForm(language, limit, facts=sheet, forbidden=banned, favoured=wanted, fewest=3),
        ProseForm(
            language,
            target,
            tolerance,
            facts=sheet,
            forbidden=banned,
            favoured=wanted,
            grounded=0 if fields.length else GROUNDED,
            width=3,
        ),
    )
    return Plan(
        tuple(
            Step(
                name,
                (Message("system", system), Message("user", f"{material}\n\n{ask}")),
                form=form,
                sampling=FACTUAL,
                max_tokens=target * 3,
            )
            for name, ask, form in zip(("headline", "body"), asks, forms, strict=True)
        )
    )


def _fields(brief: Brief) -> NewsFields:
    assert isinstance(brief.fields, NewsFields)
    return brief.fields


def sheet_of(brief: Brief, fields: NewsFields) -> FactSheet:
    """What may be stated."""
    return FactSheet(brief.said, fields.language, fields.quotes)


def material_of(brief: Brief, fields: NewsFields) -> str:
    """The brief as the model reads it."""
    chinese = fields.language == "zh"
    rows = [
        ("题目" if chinese else "News", brief.words),
        ("事实" if chinese else "Facts", "".join(f"\n- {fact}" for fact in fields.facts)),
        ("地点" if chinese else "Place", fields.place),
        ("日期" if chinese else "Date", fields.date),
        ("可引用" if chinese else "Quotations to use", "; ".join(f'"{quote}"' for quote in fields.quotes)),
        ("读者" if chinese else "Readers", fields.audience),
        ("语气" if chinese else "Tone", fields.tone),
        ("必须出现" if chinese else "Must mention", ", ".join(fields.keywords)),
    ]
    return "\n".join(f"{name}: {value}" for name, value in rows if value)


def length_wanted(brief: Brief, fields: NewsFields) -> tuple[int, float]:
    """(length, share by which it may be missed); without a wanted length, what the facts carry, roughly."""
    if fields.length:
        return fields.length, 0.1
    given = length_of(brief.said, fields.language)
    least, most = (50, 260) if fields.language == "en" else (70, 420)
    return max(least, min(most, round(given * 1.4))), 0.6


def first_statements(brief: Brief, fields: NewsFields) -> tuple[str, ...]:
    """What the news is: the brief's first sentence, or its first fact, which may say it in other words."""
    words = re.split(r"(?<=[.!?。！？;；\n])\s*", brief.words.strip())[0]
    return tuple(each for each in (words, *fields.facts[:1]) if each)


def dateline(fields: NewsFields) -> str:
    """Place and date as the language writes them; empty when neither was given."""
    if fields.language == "zh":
        inside = "，".join(each for each in (fields.place, fields.date) if each)
        return f"【{inside}】" if inside else ""
    place, date = fields.place.upper(), fields.date
    return f"{', '.join(each for each in (place, date) if each)} — " if place or date else ""


GENRE = News()
