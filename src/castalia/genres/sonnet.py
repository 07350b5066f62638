"""Shakespearean sonnet: fourteen lines of iambic pentameter, ABAB CDCD EFEF GG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.modalities.text.forms.metrical import IAMBIC_PENTAMETER, LineShape, MetricalForm
from castalia.modalities.text.forms.subject import subject
from castalia.modalities.text.presets import METRE
from castalia.quality import KeywordRule, LineCountRule, MetreRule, RepeatedLineRule, RhymeRule, SyllableRule

SCHEME = "ABABCDCDEFEFGG"
PENTAMETER = ("wswswswsws",)

SYSTEM = (
    "You write Shakespearean sonnets in plain modern English: fourteen lines of iambic pentameter rhymed "
    "ABAB CDCD EFEF GG. Each line is a natural sentence or half of one, and stays with the subject: the first quatrain "
    "shows it, the second goes closer, the third turns, the couplet concludes."
)
EXAMPLE_ABOUT = "the last keeper of a lighthouse"
EXAMPLE = """\
The lamp above the water holds the night,
A patient eye set high in weathered stone,
And any ship that turns to find its light
Will learn that no one has to sail alone.
My father climbed those steps for forty years
And wiped the salt each morning from the glass.
He told me storms are only made of fears,
And like the fears of children, storms will pass.
Today they came to put the lamp to bed,
And I have turned the key and closed the door.
A small machine will do the work, they said,
The way that hands and oil had done before.
But when the wind is high I still can see
His shadow hold the lantern out for me."""


class SonnetFields(BriefFields):
    """Fields of a sonnet."""

    tone: Annotated[str, Field(max_length=100, description="mood, e.g. grave, tender | 情调，如 庄重、温柔")] = ""
    keywords: Annotated[
        tuple[str, ...], Field(max_length=8, description="words that the poem should name | 希望出现的词语")
    ] = ()


class Sonnet:
    """See the module."""

    name = "sonnet"
    aliases = ("shakespearean sonnet", "十四行诗", "商籁")
    languages = ("en",)
    title = ("Shakespearean sonnet", "莎士比亚式十四行诗")
    summary = (
        "fourteen lines of iambic pentameter rhymed ABAB CDCD EFEF GG",
        "英文十四行，抑扬格五音步，韵式 ABAB CDCD EFEF GG",
    )
    fields: type[BriefFields] = SonnetFields

    def plan(self, brief: Brief) -> Plan:
        """One step, line by line under the mask."""
        chosen = _fields(brief)
        about = subject(brief.words, chosen.keywords)
        form = MetricalForm(
            [LineShape(IAMBIC_PENTAMETER, letter) for letter in SCHEME],
            forbidden=(brief.words, EXAMPLE),
            favoured=about.favoured,
            words=about.words,
        )
        messages = (
            Message("system", SYSTEM),
            Message("user", f"Subject: {EXAMPLE_ABOUT}"),
            Message("assistant", EXAMPLE),
            Message("user", _asked(brief.words, chosen)),
        )
        return Plan((Step("poem", messages, form=form, sampling=METRE),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The lines, surrounding space taken off."""
        lines = [line.strip() for line in parts["poem"].splitlines() if line.strip()]
        return Content(text="\n".join(lines), language=brief.fields.language)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Lines, syllables, metre, rhyme, and no line twice."""
        return (
            LineCountRule(len(SCHEME)),
            SyllableRule(((10,),) * len(SCHEME)),
            MetreRule((PENTAMETER,) * len(SCHEME)),
            RhymeRule(SCHEME),
            RepeatedLineRule(),
            KeywordRule(_fields(brief).keywords, severity="note"),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a sonnet is written anew."""


def _fields(brief: Brief) -> SonnetFields:
    return brief.fields if isinstance(brief.fields, SonnetFields) else SonnetFields()


def _asked(about: str, fields: SonnetFields) -> str:
    wishes = [f"Tone: {fields.tone}"] * bool(fields.tone)
    wishes += ["Use these words: " + ", ".join(fields.keywords)] * bool(fields.keywords)
    return "\n".join([f"Subject: {about}", *wishes])


GENRE = Sonnet()
