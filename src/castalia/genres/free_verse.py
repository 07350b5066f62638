"""Free verse: lines by breath and image, without metre or rhyme, with a title."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.modalities.text.forms.open_lines import OpenLines
from castalia.modalities.text.presets import VERSE
from castalia.quality import KeywordRule, LineCountRule, LineLengthRule, RepeatedLineRule

SYSTEM = {
    "en": "You are a poet who writes free verse: short lines, plain words, concrete images, one thought carried to the "
    "end. No rhyme, no explanations. Write only the lines of the poem.",
    "zh": "你是写自由诗的诗人：短句分行，用平实的词和具体的意象，一个念头写到底。不押韵，不解释，只写诗行。",
}
TITLE = {
    "en": "Give the poem a title of at most five words. Only the title.",
    "zh": "给这首诗起一个不超过八个字的题目，只写题目。",
}
WIDEST = {"en": 60, "zh": 18}
"""Longest line, in characters."""


class FreeVerseFields(BriefFields):
    """Fields of a free-verse poem."""

    lines: Annotated[int, Field(ge=4, le=40, description="number of lines | 行数")] = 12
    with_title: Annotated[bool, Field(description="whether the poem has a title | 是否要题目")] = True
    tone: Annotated[str, Field(max_length=100, description="mood, e.g. quiet, angry | 情调，如 安静、愤怒")] = ""
    keywords: Annotated[
        tuple[str, ...], Field(max_length=8, description="words that the poem should name | 希望出现的词语")
    ] = ()


class FreeVerse:
    """See the module."""

    name = "free-verse"
    aliases = ("free_verse", "free verse", "poem", "自由诗", "现代诗", "诗")
    languages = ("en", "zh")
    title = ("Free verse", "自由诗")
    summary = ("a poem in free lines, without metre or rhyme", "不拘格律与押韵的分行诗")
    fields: type[BriefFields] = FreeVerseFields

    def plan(self, brief: Brief) -> Plan:
        """The lines, then a title for them."""
        chosen = _fields(brief)
        language = chosen.language
        form = OpenLines(chosen.lines, WIDEST[language], forbidden=(brief.words,))
        asked = Message("user", _asked(brief.words, chosen))
        poem = Step("poem", (Message("system", SYSTEM[language]), asked), form=form, sampling=VERSE)
        if not chosen.with_title:
            return Plan((poem,))
        turns = (asked, Message("assistant", "{poem}"), Message("user", TITLE[language]))
        calm = replace(VERSE, temperature=0.5)
        return Plan((poem, Step("title", turns, sampling=calm, max_tokens=16, stop=("\n",))))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """Title, a blank line, and the lines."""
        lines = "\n".join(line.strip() for line in parts["poem"].strip().splitlines())
        title = _title(parts.get("title", ""))
        return Content(title=title, text=f"{title}\n\n{lines}" if title else lines, language=brief.fields.language)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """The number of lines, their length, and no line twice."""
        chosen = _fields(brief)
        return (
            LineCountRule(chosen.lines),
            LineLengthRule(WIDEST[chosen.language]),
            RepeatedLineRule(),
            KeywordRule(chosen.keywords, severity="note"),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a poem is written anew."""


def _fields(brief: Brief) -> FreeVerseFields:
    return brief.fields if isinstance(brief.fields, FreeVerseFields) else FreeVerseFields()


def _asked(about: str, fields: FreeVerseFields) -> str:
    words = ", ".join(fields.keywords)
    if fields.language == "zh":
        wishes = [f"情调：{fields.tone}"] * bool(fields.tone) + [f"写到：{words}"] * bool(words)
        return "\n".join([f"写一首 {fields.lines} 行的自由诗，题材：{about}", *wishes])
    wishes = [f"Tone: {fields.tone}"] * bool(fields.tone) + [f"Use these words: {words}"] * bool(words)
    return "\n".join([f"Write a free-verse poem of {fields.lines} lines about: {about}", *wishes])


def _title(text: str) -> str:
    """The first line without quotation marks, markup and a label."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    first = re.sub(r"^(?:title|题目|标题)\s*[:：]\s*", "", first.strip(" #*_"), flags=re.IGNORECASE)
    return first.strip(" \"“”'‘’《》«».。*#")[:60]


GENRE = FreeVerse()
