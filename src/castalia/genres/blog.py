"""Blog post: title, summary, and sections under headings that were planned first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._prose import Conversation, ProseFields, length_of, mended, prose_rules, unsaid

USUAL = (210, 330)
ITSELF = (
    *("blog", "blog post", "this post", "this article", "this guide", "this section", "let's dive in"),
    *("博客", "这篇文章", "本节", "让我们一起"),
)
"""Talk about the post itself, which tells the reader nothing."""


class BlogFields(ProseFields):
    """Fields of a blog post."""

    sections: Annotated[
        int,
        Field(
            ge=0,
            le=8,
            description="number of sections; 0: three, fewer where no more is to say | 小节数；0：三节，无话可说时更少",
        ),
    ] = 0

    @property
    def most(self) -> int:
        """Sections that are planned."""
        return self.sections or 3


class Blog:
    """See the module."""

    name = "blog"
    aliases = ("blog post", "post", "博客", "博文")
    languages = ("en", "zh")
    title = ("Blog post", "博客")
    summary = (
        "title, summary and sections under headings; no number or name of its own",
        "标题、摘要和分节正文；不添加数字和人名",
    )
    fields: type[BriefFields] = BlogFields

    def plan(self, brief: Brief) -> Plan:
        """Title, summary, headings, then each section."""
        fields = _fields(brief)
        target, tolerance = length_of(fields, USUAL)
        talk = Conversation(self.name, brief, fields, without=unsaid(ITSELF, brief))
        talk.line("title", (80, 24))
        talk.line("summary", (180, 60), marks=True, under="title")
        talk.line("headings", (50, 14), lines=fields.most, n=fields.most)
        for at, section in enumerate(_sections(fields), 1):
            size = target // fields.most
            talk.text(section, size, tolerance, ask="section", grounded=False, under="headings", at=at)
        return talk.plan()

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Title, summary, and the sections under their headings."""
        fields = _fields(brief)
        title, summary = parts.get("title", "").strip(), parts.get("summary", "").strip()
        headings = [line.strip() for line in parts.get("headings", "").split("\n")]
        headings += [""] * (fields.most - len(headings))
        bodies = [parts.get(section, "").strip() for section in _sections(fields)]
        pairs = [(heading, body) for heading, body in zip(headings, bodies, strict=False) if body or fields.sections]
        return Content(
            title=title,
            text="\n\n".join([title, summary, *(f"{heading}\n\n{body}" for heading, body in pairs)]),
            markdown="\n\n".join([f"# {title}", f"*{summary}*", *(f"## {h}\n\n{body}" for h, body in pairs)]),
            fields={"title": title, "summary": summary, "headings": [heading for heading, _ in pairs]},
            language=fields.language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Length, whole sentences, keywords, nothing that was not said."""
        fields = _fields(brief)
        spare = () if fields.sections else _sections(fields)[1:]
        return prose_rules(brief, fields, _sections(fields), length_of(fields, USUAL), optional=spare)

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return mended(draft, findings, _sections(_fields(draft.brief)))


def _fields(brief: Brief) -> BlogFields:
    assert isinstance(brief.fields, BlogFields)
    return brief.fields


def _sections(fields: BlogFields) -> tuple[str, ...]:
    return tuple(f"section_{number}" for number in range(1, fields.most + 1))


GENRE = Blog()
