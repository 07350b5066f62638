"""Haiku: three lines of 5, 7 and 5 syllables; in Chinese of 5, 7 and 5 characters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.modalities.text.forms.subject import subject
from castalia.modalities.text.forms.syllabic import SyllabicForm
from castalia.modalities.text.forms.syllabic_zh import HanForm
from castalia.modalities.text.presets import FIXED_VERSE
from castalia.quality import KeywordRule, LineCountRule, RepeatedLineRule, SyllableRule

COUNTS = (5, 7, 5)

SYSTEM = (
    "You write haiku in plain, concrete English: one moment, seen or heard, told in simple grammatical words. "
    "First line 5 syllables, second line 7, third line 5. No title, no comment."
)
EXAMPLES = (
    ("a frog in an old pond", "Green pond in the shade,\nA small frog sits on a stone\nAnd waits for the rain."),
    (
        "my grandfather's garden shed",
        "Cobwebs on the spade,\nHis old coat behind the door\nStill holds some warm dust.",
    ),
    ("traffic jam in the city", "Red lights in a row,\nA driver drums on the wheel\nTo a far-off song."),
)
SYSTEM_ZH = "你写汉语俳句：三行，依次五、七、五个字。写眼前一刻，用具体的景物，语句通顺。只写三行诗，不要标题。"
EXAMPLES_ZH = (
    ("古池青蛙", "古池水清清\n一只青蛙跳进来\n水声也变绿"),
    ("祖父的小屋", "木门半掩着\n旧棉袄挂在墙上\n还留着烟味"),
    ("城市堵车", "红灯连成串\n司机轻敲方向盘\n听一首老歌"),
)


class HaikuFields(BriefFields):
    """Fields of a haiku."""

    tone: Annotated[str, Field(max_length=100, description="mood, e.g. calm, playful | 情调，如 平静、俏皮")] = ""
    keywords: Annotated[
        tuple[str, ...], Field(max_length=5, description="words that the poem should name | 希望出现的词语")
    ] = ()


class Haiku:
    """See the module."""

    name = "haiku"
    aliases = ("俳句", "俳")
    languages = ("en", "zh")
    title = ("Haiku", "俳句")
    summary = (
        "three lines of 5, 7 and 5 syllables (Chinese: characters)",
        "三行，依次五、七、五个音节（中文为五、七、五个字）",
    )
    fields: type[BriefFields] = HaikuFields

    def plan(self, brief: Brief) -> Plan:
        """One step, line by line under the mask."""
        chosen = _fields(brief)
        chinese = chosen.language == "zh"
        examples = EXAMPLES_ZH if chinese else EXAMPLES
        messages = [Message("system", SYSTEM_ZH if chinese else SYSTEM)]
        for about, poem in examples:
            messages += [Message("user", _asked(about, chosen, plain=True)), Message("assistant", poem)]
        messages.append(Message("user", _asked(brief.words, chosen)))
        forbidden = [brief.words, *(poem for _, poem in examples)]
        if chinese:
            form = HanForm(COUNTS, forbidden=forbidden)
        else:
            about = subject(brief.words, chosen.keywords)
            form = SyllabicForm(COUNTS, forbidden=forbidden, favoured=about.favoured, words=about.words)
        return Plan((Step("poem", tuple(messages), form=form, sampling=FIXED_VERSE),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The three lines, surrounding space taken off."""
        lines = [line.strip() for line in parts["poem"].strip().splitlines() if line.strip()]
        return Content(text="\n".join(lines), language=brief.fields.language)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Lines, syllables, and no line twice."""
        return (
            LineCountRule(3),
            SyllableRule(tuple((count,) for count in COUNTS)),
            RepeatedLineRule(),
            KeywordRule(_fields(brief).keywords, severity="note"),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a haiku is written anew."""


def _fields(brief: Brief) -> HaikuFields:
    return brief.fields if isinstance(brief.fields, HaikuFields) else HaikuFields()


def _asked(about: str, fields: HaikuFields, *, plain: bool = False) -> str:
    if fields.language == "zh":
        wish = "" if plain else "".join([f"（情调：{fields.tone}）" * bool(fields.tone), _words(fields, "，写到：")])
        return f"题目：{about}{wish}"
    wish = "" if plain else "".join([f" (tone: {fields.tone})" * bool(fields.tone), _words(fields, ", naming: ")])
    return f"Haiku about: {about}{wish}"


def _words(fields: HaikuFields, before: str) -> str:
    return before + ", ".join(fields.keywords) if fields.keywords else ""


GENRE = Haiku()
