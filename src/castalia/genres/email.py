"""E-mail in the user's name: subject, greeting, text, signature; nothing stated that was not said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._prose import Conversation, ProseFields, length_of, mended, prose_rules, unsaid
from castalia.quality import UnsupportedFactsRule

TEXTS = ("text",)
USUAL = (60, 84)
FRAME = (
    *("subject", "dear", "hello", "hi", "hey", "e-mail", "email", "regards", "sincerely", "cheers", "best wishes"),
    *"邮件 正文 符合要求 先生/女士 女士/先生 地址： 主题 标题 尊敬 亲爱 您好 你好 此致 敬礼 祝好 顺颂".split(),
)
"""What belongs to greeting and signature, which are not the model's to write, and talk about the e-mail itself."""


class EmailFields(ProseFields):
    """Fields of an e-mail."""

    to: Annotated[str, Field(max_length=100, description="whom it greets, e.g. Ms Okafor | 称呼，如 王老师")] = ""
    sender: Annotated[str, Field(max_length=200, description="who signs | 落款")] = ""


class Email:
    """See the module."""

    name = "email"
    aliases = ("e-mail", "mail", "邮件", "电子邮件")
    languages = ("en", "zh")
    title = ("E-mail", "邮件")
    summary = (
        "subject, greeting, text and signature; no number, name or date of its own",
        "标题、称呼、正文和落款；不添加数字、人名和日期",
    )
    fields: type[BriefFields] = EmailFields

    def plan(self, brief: Brief) -> Plan:
        """Subject, then the text."""
        fields = _fields(brief)
        talk = Conversation(
            self.name, brief, fields, rows=(("To", "收信人", fields.to),), without=_left_to_the_frame(brief, fields)
        )
        talk.line("subject", (70, 24))
        talk.text("text", *length_of(fields, USUAL))
        return talk.plan()

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Subject line, greeting, text, closing and name."""
        fields = _fields(brief)
        chinese = fields.language == "zh"
        subject, text = parts.get("subject", "").strip(), parts.get("text", "").strip()
        greeting = f"{fields.to or '您好'}：" if chinese else f"Dear {fields.to}," if fields.to else "Hello,"
        closing = "此致\n敬礼" if chinese else "Kind regards,"
        body = "\n\n".join(each for each in (greeting, text, f"{closing}\n{fields.sender}".strip()) if each)
        label = "主题：" if chinese else "Subject: "
        return Content(
            title=subject,
            text=f"{label}{subject}\n\n{body}",
            fields={"subject": subject, "body": body},
            language=fields.language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Length, whole sentences, keywords, nothing that was not said."""
        fields = _fields(brief)
        return (
            *prose_rules(brief, fields, TEXTS, length_of(fields, USUAL)),
            UnsupportedFactsRule(brief.said, parts=("subject",), names=False),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return mended(draft, findings, TEXTS)


def _left_to_the_frame(brief: Brief, fields: EmailFields) -> tuple[str, ...]:
    """What the text must leave to greeting and signature."""
    greeted = tuple(fields.to + mark for mark in ",，：") if fields.to else ()
    return (*unsaid(FRAME, brief), *greeted, *([fields.sender] if fields.sender else []))


def _fields(brief: Brief) -> EmailFields:
    assert isinstance(brief.fields, EmailFields)
    return brief.fields


GENRE = Email()
