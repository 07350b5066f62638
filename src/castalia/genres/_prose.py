"""What the prose genres have in common: fields, one conversation from step to step, and the rules of every text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field

from castalia.core.ports import Form, FormMaker, Message, Plan, Rule, Sampling, Step
from castalia.core.values import Brief, BriefFields, Draft, Finding
from castalia.modalities.text.forms.facts import FactSheet
from castalia.modalities.text.forms.limits import LimitForm
from castalia.modalities.text.forms.prose import ProseForm
from castalia.modalities.text.presets import COPY, PROSE
from castalia.quality import (
    ForbiddenRule,
    KeywordRule,
    LengthRule,
    ReadabilityRule,
    SentencesRule,
    UnsupportedFactsRule,
    without_sentences,
)


class ProseFields(BriefFields):
    """Fields of a prose work."""

    facts: Annotated[tuple[str, ...], Field(max_length=40, description="facts, separated by ; | 事实，用 ; 分隔")] = ()
    length: Annotated[
        int, Field(ge=0, le=3000, description="words (Chinese: characters); 0: the usual | 字数；0：通常长度")
    ] = 0
    audience: Annotated[str, Field(max_length=100, description="for whom | 读者")] = ""
    tone: Annotated[str, Field(max_length=100, description="tone | 语气")] = ""
    keywords: Annotated[tuple[str, ...], Field(max_length=10, description="words that must appear | 必须出现的词")] = ()
    forbidden: Annotated[tuple[str, ...], Field(max_length=50, description="words that must not | 不得出现的词")] = ()


class Conversation:
    """The steps of one work as one conversation: each step sees the brief and all that was written before it.

    Args:
        genre: Names its wording in `data/prose.toml`.
        brief: The brief.
        fields: Its fields.
        rows: Further rows of the material: (English label, Chinese label, value).
        free: Whether the text may state what the brief does not say (fiction).
        without: Words that must not appear, beside the user's.
    """

    def __init__(
        self,
        genre: str,
        brief: Brief,
        fields: ProseFields,
        *,
        rows: Sequence[tuple[str, str, str]] = (),
        free: bool = False,
        without: Sequence[str] = (),
    ) -> None:
        self._wording = _wordings()[genre][fields.language]
        self._fields, self._words = fields, brief.words
        self._sheet = None if free else FactSheet(brief.said, fields.language)
        self._forbidden = (*fields.forbidden, *without)
        self._turns = [Message("system", self._wording["system"])]
        self._material = _material(brief, fields, rows) + "\n\n"
        self._steps: list[Step] = []
        self._texts: list[str] = []

    def line(
        self,
        name: str,
        limit: tuple[int, int],
        *,
        ask: str = "",
        lines: int = 1,
        marks: bool = False,
        under: str = "",
        apart: Sequence[str] = (),
        about: str = "",
        **wording: object,
    ) -> None:
        """A step of short lines.

        Args:
            name: Of the step.
            limit: Most characters of a line (English, Chinese).
            ask: Name of its wording; empty: the step's own.
            lines: How many.
            marks: Whether a line ends with a full stop.
            under: Name of the step that stands above, whose text alone a line does not say again.
            apart: Names of the steps whose lines must not come again, not even nearly.
            about: The one statement that it may draw on, beside the brief's words; empty: all.
            wording: Values of the wording.
        """
        fields, sheet, forbidden, beside = self._fields, self._sheet, self._forbidden, tuple(apart)
        if sheet is not None and about:
            sheet = FactSheet(f"{self._words}\n{about}", fields.language)

        def form(earlier: Mapping[str, str]) -> Form:
            return LimitForm(
                fields.language,
                limit[fields.language == "zh"],
                lines=lines,
                facts=sheet,
                forbidden=forbidden,
                avoid=tuple(line for name in beside for line in _lines(earlier, name)),
                under=_lines(earlier, under),
                favoured=fields.keywords,
                marks=marks,
            )

        self._add(name, ask, form, COPY, wording)

    def text(
        self,
        name: str,
        target: int,
        tolerance: float,
        *,
        ask: str = "",
        about: str = "",
        grounded: bool = True,
        under: str = "",
        **wording: object,
    ) -> None:
        """A step of whole sentences, about `target` words or characters long, which repeats no text before it.

        Args:
            name: Of the step.
            target: Wanted length.
            tolerance: Share by which it may be missed.
            ask: Name of its wording; empty: the step's own.
            about: The one statement that it is about; empty: all.
            grounded: Whether sentences that keep to the words of the brief are preferred.
            under: Name of the step whose title or headings stand above, with which and a stop the text does not open.
            wording: Values of the wording.
        """
        fields, sheet, forbidden, texts = self._fields, self._sheet, self._forbidden, tuple(self._texts)

        def form(earlier: Mapping[str, str]) -> Form:
            return ProseForm(
                fields.language,
                target,
                tolerance,
                facts=sheet,
                forbidden=forbidden,
                avoid=tuple(earlier[text] for text in texts),
                under=_lines(earlier, under),
                favoured=fields.keywords,
                about=about,
                grounded=0 if grounded and sheet is not None else None,
            )

        self._add(name, ask, form, PROSE, {"words": target} | wording)
        self._texts.append(name)

    def plan(self) -> Plan:
        """All steps."""
        return Plan(tuple(self._steps))

    def _add(
        self, name: str, ask: str, form: Form | FormMaker, sampling: Sampling, wording: Mapping[str, object]
    ) -> None:
        asked = Message("user", self._material + self._wording[ask or name].format(**wording))
        self._material = ""
        self._steps.append(Step(name, (*self._turns, asked), form=form, sampling=sampling))
        self._turns += [asked, Message("assistant", f"{{{name}}}")]


def _lines(earlier: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(earlier[name].split("\n")) if name else ()


def unsaid(words: Sequence[str], brief: Brief) -> tuple[str, ...]:
    """The words that the user did not say."""
    said = brief.said.casefold()
    return tuple(word for word in words if word.casefold() not in said)


def length_of(fields: ProseFields, usual: tuple[int, int]) -> tuple[int, float]:
    """(length, share by which it may be missed): the wanted one within a tenth, or the usual one, more freely."""
    return (fields.length, 0.1) if fields.length else (usual[fields.language == "zh"], 0.65)


def prose_rules(
    brief: Brief,
    fields: ProseFields,
    texts: Sequence[str],
    length: tuple[int, float],
    *,
    free: bool = False,
    optional: Sequence[str] = (),
) -> tuple[Rule, ...]:
    """Length, whole sentences, keywords, and nothing stated that was not said.

    Args:
        brief: The brief.
        fields: Its fields.
        texts: Names of the steps that hold sentences.
        length: Of these steps together, see `length_of`.
        free: Whether the text may state what the brief does not say.
        optional: Names of those that may be left out.
    """
    return (
        LengthRule(*length, parts=tuple(texts)),
        SentencesRule(tuple(texts), tuple(optional)),
        ReadabilityRule(tuple(texts)),
        KeywordRule(fields.keywords),
        ForbiddenRule(fields.forbidden),
        *(() if free else (UnsupportedFactsRule(brief.said, parts=tuple(texts)),)),
    )


def mended(draft: Draft, findings: Sequence[Finding], texts: Sequence[str]) -> Mapping[str, str] | None:
    """The draft's parts without the sentences that state what was not said; None when there is nothing to drop."""
    parts: Mapping[str, str] = draft.parts
    for name in texts:
        parts = without_sentences(parts, findings, name) or parts
    return parts if parts is not draft.parts else None


def _material(brief: Brief, fields: ProseFields, rows: Sequence[tuple[str, str, str]]) -> str:
    chinese = fields.language == "zh"
    listed = [
        ("About", "题材", brief.words),
        *rows,
        ("Facts", "事实", "".join(f"\n- {fact}" for fact in fields.facts)),
        ("Readers", "读者", fields.audience),
        ("Tone", "语气", fields.tone),
        ("Must mention", "必须出现", ", ".join(fields.keywords)),
    ]
    return "\n".join(f"{zh if chinese else en}: {value}" for en, zh, value in listed if value)


@cache
def _wordings() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((files("castalia") / "data" / "prose.toml").read_text(encoding="utf-8"))
