"""Product description for a shop: title, text and points, all from what is known of the product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._prose import Conversation, ProseFields, length_of, mended, prose_rules
from castalia.quality import ClaimsRule, Limit, LimitsRule, UnsupportedFactsRule, claim_words

TEXTS = ("text",)
USUAL = (50, 90)


class Product:
    """See the module."""

    name = "product"
    aliases = ("product description", "商品介绍", "商品描述", "产品介绍")
    languages = ("en", "zh")
    title = ("Product description", "商品介绍")
    summary = (
        "title, description and a point for each fact; no number, name or claim of its own",
        "标题、介绍和逐条卖点；不添加数字、名称和承诺",
    )
    fields: type[BriefFields] = ProseFields

    def plan(self, brief: Brief) -> Plan:
        """Title, then text; the points are the facts themselves."""
        fields = _fields(brief)
        talk = Conversation(self.name, brief, fields, without=claim_words(fields.language, brief.said))
        talk.line("title", (70, 22))
        talk.text("text", *length_of(fields, USUAL))
        return talk.plan()

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Title, text and points."""
        title, text = parts.get("title", "").strip(), parts.get("text", "").strip()
        points = [fact[:1].upper() + fact[1:] for fact in _fields(brief).facts]
        return Content(
            title=title,
            text="\n\n".join(each for each in (title, text, "\n".join(f"• {point}" for point in points)) if each),
            markdown="\n\n".join([f"# {title}", text, "\n".join(f"- {point}" for point in points)]).rstrip(),
            fields={"title": [title], "text": text, "points": points},
            language=brief.fields.language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Length, whole sentences, keywords, nothing that was not said, and no claims."""
        fields = _fields(brief)
        return (
            *prose_rules(brief, fields, TEXTS, length_of(fields, USUAL)),
            ClaimsRule(brief.said),
            LimitsRule({"title": Limit(70, 1, 1)}),
            UnsupportedFactsRule(brief.said, parts=("title",), names=False),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return mended(draft, findings, TEXTS)


def _fields(brief: Brief) -> ProseFields:
    assert isinstance(brief.fields, ProseFields)
    return brief.fields


GENRE = Product()
