"""Newsletter: subject, opening, an item for each fact, and who sends it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._prose import Conversation, ProseFields, mended, prose_rules, unsaid
from castalia.quality import UnsupportedFactsRule, claim_words

MOST_ITEMS = 6
OPENING = (25, 40)
ITEM = (32, 50)


class NewsletterFields(ProseFields):
    """Fields of a newsletter; each fact is an item."""

    name: Annotated[str, Field(max_length=80, description="name of the newsletter | 简报名称")] = ""
    sender: Annotated[str, Field(max_length=200, description="who sends it | 发信人")] = ""


class Newsletter:
    """See the module."""

    name = "newsletter"
    aliases = ("简报", "通讯", "邮件简报")
    languages = ("en", "zh")
    title = ("Newsletter", "简报")
    summary = (
        "subject, opening and an item under a heading for each fact; nothing of its own",
        "邮件标题、开头，每条事实一个小节；不添加内容",
    )
    fields: type[BriefFields] = NewsletterFields

    def plan(self, brief: Brief) -> Plan:
        """Subject, heading and text of each item, and last the opening, where the items leave it something to say."""
        fields = _fields(brief)
        items = _items(brief, fields)
        opening, each, tolerance = _lengths(fields, len(items))
        talk = Conversation(
            self.name,
            brief,
            fields,
            without=(*claim_words(fields.language, brief.said), *unsaid(("newsletter", "简报"), brief)),
        )
        talk.line("subject", (60, 22))
        headings = _headings(items)
        for at, (name, heading, fact) in enumerate(zip(_names(items), headings, items, strict=True)):
            about = fact if fields.facts else ""  # without facts the items are the brief itself
            talk.line(heading, (50, 14), ask="heading", apart=headings[:at], about=about, fact=fact)
            talk.text(name, each, tolerance, ask="item", about=fact, under=heading)
        talk.text("intro", opening, tolerance, under="subject")
        return talk.plan()

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Name, subject, opening, items and sender."""
        fields = _fields(brief)
        items = _items(brief, fields)
        subject, intro = parts.get("subject", "").strip(), parts.get("intro", "").strip()
        headings = [parts.get(heading, "").strip() for heading in _headings(items)]
        bodies = [parts.get(name, "").strip() for name in _names(items)]
        pairs = list(zip(headings, bodies, strict=True))
        top, tail = [fields.name] * bool(fields.name), [fields.sender] * bool(fields.sender)
        return Content(
            title=subject,
            text="\n\n".join(
                [
                    *top,
                    subject,
                    *[intro] * bool(intro),
                    *(f"{heading}\n{body}".strip() for heading, body in pairs),
                    *tail,
                ]
            ),
            markdown="\n\n".join(
                [
                    *(f"*{each}*" for each in top),
                    f"# {subject}",
                    *[intro] * bool(intro),
                    *(f"## {h}\n\n{b}" if h else b for h, b in pairs),
                    *tail,
                ]
            ),
            fields={"subject": subject, "headings": headings},
            language=fields.language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Length, whole sentences, keywords, nothing that was not said."""
        fields = _fields(brief)
        items = _items(brief, fields)
        opening, each, tolerance = _lengths(fields, len(items))
        texts = ("intro", *_names(items))
        return (
            *prose_rules(brief, fields, texts, (opening + each * len(items), tolerance), optional=("intro",)),
            UnsupportedFactsRule(brief.said, parts=("subject", *_headings(items)), names=False),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return mended(draft, findings, ("intro", *_names(_items(draft.brief, _fields(draft.brief)))))


def _fields(brief: Brief) -> NewsletterFields:
    assert isinstance(brief.fields, NewsletterFields)
    return brief.fields


def _items(brief: Brief, fields: NewsletterFields) -> tuple[str, ...]:
    """The facts, else the statements of the brief: its sentences, or what stands between commas after a colon."""
    if fields.facts:
        return fields.facts[:MOST_ITEMS]
    listed = re.split(r"(?<!\d)[:：]|[:：](?!\d)", brief.words, maxsplit=1)[1:]
    marks = r"[;；。！\n]|\.\s|,\s|，" if listed else r"[;；。！\n]|[.!?]\s"
    parts = re.split(marks, listed[0] if listed else brief.words)
    return tuple(part for each in parts if len(part := each.strip(" .,!?")) > 3)[:MOST_ITEMS] or (brief.words,)


def _names(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"item_{number}" for number in range(1, len(items) + 1))


def _headings(items: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"heading_{number}" for number in range(1, len(items) + 1))


def _lengths(fields: NewsletterFields, items: int) -> tuple[int, int, float]:
    """(of the opening, of an item, share by which they may be missed)."""
    side = fields.language == "zh"
    if not fields.length:
        return OPENING[side], ITEM[side], 0.6
    opening = max(fields.length // (items + 2), 15)
    return opening, max((fields.length - opening) // items, 15), 0.1


GENRE = Newsletter()
