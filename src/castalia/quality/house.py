"""The house's own rules, asked of every work whatever its genre.

Something is there, in the right language, fit to show, free of personal data that the brief did not contain, and
without an assistant's chatter, and no long run of it stands in a known poem.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.ports import Rule
from castalia.core.values import Draft, Finding
from castalia.quality.originality import OriginalityRule
from castalia.quality.safe_pictures import SafePictureRule

PersonalData = Callable[[str], Sequence[str]]
"""Finds personal data: the stretches of text that are some."""


def house_rules(*, personal: PersonalData, talk: bool = False) -> tuple[Rule, ...]:
    """All of them.

    Args:
        personal: The privacy desk's detector.
        talk: Of a turn of a conversation: it may be in several languages, and an assistant's words are its own.
    """
    work = () if talk else (_InLanguage(), _NoChatter())
    return (_Written(talk=talk), *work, _Fit(), SafePictureRule(), _Private(personal), OriginalityRule())


def harmful(text: str) -> Mapping[str, Sequence[str]]:
    """The terms of the house's list that a text holds, by kind; every kind is named."""
    found = _terms_in(text)
    return {kind: sorted(term for each, term in found if each == kind) for kind in _terms()}


class _Written:
    name = "written"

    def __init__(self, *, talk: bool) -> None:
        self._talk = talk  # a reply may be a figure

    def check(self, draft: Draft) -> Sequence[Finding]:
        text = draft.content.text
        letters = sum(letter.isalpha() for letter in text)
        strange = sorted(
            {f"U+{ord(c):04X}" for c in text if unicodedata.category(c) in ("Cc", "Co", "Cs", "Cn") and c not in "\n\t"}
            | ({"U+FFFD"} if "\ufffd" in text else set())
        )
        return [
            Finding(
                rule=self.name,
                ok=letters > 0 or (self._talk and bool(text.strip())) or draft.content.picture is not None,
                found=say("{n} letters", "{n} 个字", n=letters),
                wanted=say("a text", "有文字"),
                hint=say("Try another seed or model.", "请换种子或模型。"),
            ),
            *(
                Finding(rule="characters", ok=False, found=code, wanted=say("readable characters", "可读字符"))
                for code in strange
            ),
        ]


class _InLanguage:
    name = "language"

    def check(self, draft: Draft) -> Sequence[Finding]:
        letters = [letter for letter in draft.content.text if letter.isalpha()]
        share = sum(_is_han(letter) for letter in letters) / max(len(letters), 1)
        if draft.content.score is not None or draft.content.picture is not None:
            return []  # notes are of no language, and a picture is described in the user's own words
        chinese = draft.content.language == "zh"
        # Brands, quotations and terms of the other language are part of good writing in either.
        ok = share >= 0.5 if chinese else share <= 0.15
        return [
            Finding(
                rule=self.name,
                ok=ok,
                found=say("{share:.0%} Chinese characters", "汉字占 {share:.0%}", share=share),
                wanted=say("Chinese", "中文") if chinese else say("English", "英文"),
                hint=say("Try another seed, or set -o language.", "请换种子，或设置 -o language。"),
            )
        ]


class _Fit:
    name = "safety"

    def check(self, draft: Draft) -> Sequence[Finding]:
        asked = _terms_in(_asked(draft))
        return [
            Finding(
                rule=self.name,
                ok=False,
                severity="note" if (kind, term) in asked else "refuse",
                found=f"{kind}: {term}",
                wanted=say("a work fit to show", "适合展示的作品"),
                hint=say("Reword the brief or try another seed.", "请改写要求或换种子。"),
            )
            for kind, term in sorted(_terms_in(draft.content.text))
        ] or [Finding(rule=self.name, ok=True)]


class _Private:
    name = "personal-data"

    def __init__(self, find: PersonalData) -> None:
        self._find = find

    def check(self, draft: Draft) -> Sequence[Finding]:
        asked = re.sub(r"\s", "", _asked(draft))
        return [
            Finding(
                rule=self.name,
                ok=False,
                found=found,
                wanted=say("only personal data that the brief contains", "只含要求中已有的个人信息"),
                hint=say("Try another seed, or put it into the brief.", "请换种子，或写进要求。"),
            )
            for found in self._find(draft.content.text)
            if re.sub(r"\s", "", found) not in asked
        ] or [Finding(rule=self.name, ok=True)]


class _NoChatter:
    name = "chatter"

    _PATTERN = re.compile(
        r"\bas an ai\b|\blanguage model\b(?=.{0,40}\b(i|my)\b)|^(sure|certainly|of course)[,!.]"
        r"|\bhere(?:'s| is) (?:a|the|your) [\w\s-]{0,40}"
        r"(?:poem|haiku|sonnet|limerick|article|headline|ad|post|email|story)\b.{0,60}:"
        r"|<\|[\w]+\|>|\[(?:your|insert|company|name|date)[^\]]*\]"
        r"|作为(?:一个|一名)?(?:AI|人工智能|语言模型)|^(?:好的|当然)[，,！!]|以下是.{0,20}[：:]",
        re.IGNORECASE | re.MULTILINE,
    )

    def check(self, draft: Draft) -> Sequence[Finding]:
        return [
            Finding(
                rule=self.name,
                ok=False,
                found=match[0],
                wanted=say("the work alone", "只要作品本身"),
                hint=say("Try another seed.", "请换种子。"),
            )
            for match in self._PATTERN.finditer(draft.content.text)
            if match[0].casefold() not in _asked(draft).casefold()
        ] or [Finding(rule=self.name, ok=True)]


def _asked(draft: Draft) -> str:
    """All that the user said: the words and every field."""
    brief = draft.brief
    pictures = {name for name, value in brief.fields if isinstance(value, Picture)}  # what they say is in `said`
    return f"{brief.words}\n{brief.fields.model_dump_json(exclude=pictures)}\n{brief.said if pictures else ''}"


def _terms_in(text: str) -> set[tuple[str, str]]:
    plain = " ".join(re.findall(r"\w+", text.casefold()))
    return {
        (kind, term)
        for kind, languages in _terms().items()
        for term in (*languages["en"], *languages["zh"])
        if (term in text if _is_han(term[0]) else f" {term} " in f" {plain} ")
    }


@cache
def _terms() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((files("castalia") / "data" / "safety.toml").read_text(encoding="utf-8"))


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff"
