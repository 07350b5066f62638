"""What 五绝, 七绝, 五律 and 七律 have in common: one genre, told its lines and their length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field

from castalia.core.ports import Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding, Language
from castalia.modalities.text.forms.imagery import OPENING
from castalia.modalities.text.forms.regulated import RegulatedForm, poem
from castalia.modalities.text.presets import FIXED_VERSE
from castalia.quality import (
    KeywordRule,
    OriginalityRule,
    ParallelRule,
    RegulatedRhymeRule,
    RepeatedCharacterRule,
    ToneRule,
    VerseShapeRule,
    borrowed,
)

_SHARED = 4
"""Most characters in a row that a poem may share with somebody's: five are a whole line."""


class RegulatedFields(BriefFields):
    """Fields of a regulated poem."""

    language: Annotated[Language, Field(description="language of the work: zh | 作品语言：zh")] = "zh"
    rhyme: Annotated[
        Literal["pingshui", "xinyun"],
        Field(description="rhyme book: pingshui (classical) or xinyun (modern sounds) | 韵书：平水韵或中华新韵"),
    ] = "pingshui"
    tone: Annotated[str, Field(max_length=100, description="mood, e.g. serene | 情调，如 闲适、苍凉")] = ""
    keywords: Annotated[
        tuple[str, ...], Field(max_length=6, description="images that the poem should draw on | 希望出现的意象")
    ] = ()


@dataclass(frozen=True)
class Example:
    """A brief, imagery for it, and a poem, as the model is shown them."""

    about: str
    imagery: str
    poem: str


@dataclass(frozen=True)
class RegulatedVerse:
    """A `Genre` of regulated verse."""

    name: str
    aliases: tuple[str, ...]
    title: tuple[str, str]
    summary: tuple[str, str]
    lines: Literal[4, 8]
    length: Literal[5, 7]
    examples: tuple[Example, ...]
    languages: tuple[Language, ...] = ("zh",)
    fields: type[BriefFields] = RegulatedFields

    def plan(self, brief: Brief) -> Plan:
        """One step: a line of imagery, then the poem line by line under the mask."""
        chosen = _fields(brief)
        messages = [Message("system", self._system())]
        for example in self.examples:
            messages.append(Message("user", f"题目：{example.about}"))
            messages.append(Message("assistant", f"{OPENING}{example.imagery}\n{example.poem}"))
        messages.append(Message("user", _asked(brief.words, chosen)))
        form = RegulatedForm(
            self.lines,
            self.length,
            system=chosen.rhyme,
            about="".join([brief.words[:1000], *chosen.keywords]),
            forbidden=[example.poem for example in self.examples],
            known=_known,
            width=6 if self.lines == 4 else 8,
        )
        sampling = replace(FIXED_VERSE, repeat_penalty=1)
        return Plan((Step("poem", tuple(messages), form=form, sampling=sampling, max_tokens=200),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:  # noqa: ARG002
        """The poem, one line a line, without the imagery it began from."""
        text = parts["poem"]
        return Content(text=poem(text) if text.startswith(OPENING) else text.strip(), language="zh")

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Shape, tones, rhyme, parallels, characters once, and nobody's lines."""
        book = _fields(brief).rhyme
        return (
            VerseShapeRule(self.lines, self.length),
            ToneRule(self.length, book),
            RegulatedRhymeRule(book),
            RepeatedCharacterRule(),
            *([ParallelRule()] if self.lines == 8 else []),
            OriginalityRule(characters=_SHARED),
            KeywordRule(_fields(brief).keywords, severity="note"),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a poem is written anew."""

    def _system(self) -> str:
        parallel = "中间两联对仗工整。" if self.lines == 8 else ""
        return (
            f"你是唐代大诗人，写{self.title[1]}：{self.lines}句，每句{self.length}字，平仄合律，偶句押平声韵。{parallel}"
            "先列出六个切题的意象，再写诗。用古典诗语，写眼前景、心中情，句句切题，起承转合，文意通顺。"
        )


def _known(line: str) -> bool:
    """Whether a line, or a line of five within one of seven, is one of somebody's poem."""
    return any(borrowed(each).units > _SHARED for each in {line, line[:5], line[-5:]})


def _fields(brief: Brief) -> RegulatedFields:
    return brief.fields if isinstance(brief.fields, RegulatedFields) else RegulatedFields()


def _asked(about: str, fields: RegulatedFields) -> str:
    wishes = [f"情调：{fields.tone}"] * bool(fields.tone) + [f"写到：{'、'.join(fields.keywords)}"] * bool(
        fields.keywords
    )
    return "\n".join([f"题目：{about}", *wishes])
