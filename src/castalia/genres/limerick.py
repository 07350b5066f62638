"""Limerick: five lines that gallop in anapaests, rhymed AABBA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.modalities.text.forms.metrical import ANAPAESTIC_DIMETER, ANAPAESTIC_TRIMETER, LineShape, MetricalForm
from castalia.modalities.text.forms.subject import subject
from castalia.modalities.text.presets import METRE
from castalia.quality import KeywordRule, LineCountRule, MetreRule, RepeatedLineRule, RhymeRule, SyllableRule

SCHEME = "AABBA"
TRIMETER = ("wswwswws", "wwswwswws")
DIMETER = ("wswws", "wwswws")
BEATS = (TRIMETER, TRIMETER, DIMETER, DIMETER, TRIMETER)

SYSTEM = (
    "You write funny limericks: five lines rhymed AABBA with a galloping beat, da DUM da da DUM da da DUM. They tell "
    "one small, absurd story in plain grammatical English: who and where, what went wrong, and a surprising end. "
    "Only the five lines."
)
EXAMPLES = (
    (
        "a baker by the sea",
        "A baker who lived by the sea\nPut salt in the jam and the tea.\nWhen asked to explain,\n"
        "He said with disdain,\nThe waves must have thrown it at me!",
    ),
    (
        "a robot at a ball",
        "A robot that wanted to dance\nWent off to a party in France.\nIt slipped on a grape\n"
        "And bent out of shape,\nAnd nobody gave it a chance.",
    ),
)


class LimerickFields(BriefFields):
    """Fields of a limerick."""

    tone: Annotated[str, Field(max_length=100, description="mood, e.g. silly, dry | 情调，如 滑稽、冷幽默")] = ""
    keywords: Annotated[
        tuple[str, ...], Field(max_length=8, description="words that the poem should name | 希望出现的词语")
    ] = ()


class Limerick:
    """See the module."""

    name = "limerick"
    aliases = ("五行打油诗", "利默里克")
    languages = ("en",)
    title = ("Limerick", "五行打油诗")
    summary = (
        "five anapaestic lines of 3, 3, 2, 2 and 3 beats rhymed AABBA",
        "英文五行，抑抑扬格，每行 3、3、2、2、3 拍，韵式 AABBA",
    )
    fields: type[BriefFields] = LimerickFields

    def plan(self, brief: Brief) -> Plan:
        """One step, line by line under the mask."""
        chosen = _fields(brief)
        about = subject(brief.words, chosen.keywords)
        form = MetricalForm(
            [LineShape(ANAPAESTIC_TRIMETER if letter == "A" else ANAPAESTIC_DIMETER, letter) for letter in SCHEME],
            strict=True,
            varied=1,
            forbidden=[poem for _, poem in EXAMPLES],
            favoured=about.favoured,
            words=about.words,
        )
        messages = [Message("system", SYSTEM)]
        for subject_shown, poem in EXAMPLES:
            messages += [Message("user", f"Limerick about: {subject_shown}"), Message("assistant", poem)]
        messages.append(Message("user", _asked(brief.words, chosen)))
        return Plan((Step("poem", tuple(messages), form=form, sampling=METRE),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The lines, surrounding space taken off."""
        lines = [line.strip() for line in parts["poem"].splitlines() if line.strip()]
        return Content(text="\n".join(lines), language=brief.fields.language)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Lines, syllables, metre, rhyme, and no line twice."""
        return (
            LineCountRule(len(SCHEME)),
            SyllableRule(tuple(tuple(len(pattern) for pattern in patterns) for patterns in BEATS)),
            MetreRule(BEATS),
            RhymeRule(SCHEME),
            RepeatedLineRule(),
            KeywordRule(_fields(brief).keywords, severity="note"),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a limerick is written anew."""


def _fields(brief: Brief) -> LimerickFields:
    return brief.fields if isinstance(brief.fields, LimerickFields) else LimerickFields()


def _asked(about: str, fields: LimerickFields) -> str:
    wishes = [f"Tone: {fields.tone}"] * bool(fields.tone)
    wishes += ["Use these words: " + ", ".join(fields.keywords)] * bool(fields.keywords)
    return "\n".join([f"Limerick about: {about}", *wishes])


GENRE = Limerick()
