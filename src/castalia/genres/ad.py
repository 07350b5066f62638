"""Advert: headlines, texts and descriptions within a platform's limits, and a call to action; no claim of its own."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from castalia.core.ports import Message, Plan, Rule, Step
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding, Language
from castalia.genres._platforms import Part, Platform, platform, platforms
from castalia.modalities.text.forms.choice import ChoiceForm
from castalia.modalities.text.forms.facts import FactSheet
from castalia.modalities.text.forms.limits import Count, LimitForm
from castalia.modalities.text.presets import COPY
from castalia.quality import (
    ClaimsRule,
    ForbiddenRule,
    KeywordRule,
    Limit,
    LimitsRule,
    OneOfRule,
    UnsupportedFactsRule,
    claim_words,
)

SYSTEM = {
    "en": "You are a copywriter. You sell with what you are told, in short concrete words that speak to the reader. "
    "You invent no numbers, names, prices, offers or guarantees and use no superlatives.",
    "zh": "你是文案。只用给出的信息打动读者，用词简短、具体，直接对读者说话。"
    "不编造数字、人名、价格、优惠和承诺，不用最高级和绝对化用语。",
}
_WIDE = re.compile(r"[^\u0000-\u10ff]")
ASKS = {
    "call_to_action": (
        "Answer each advert with the call to action that fits it, one of: {calls}.",
        "为每则广告选一句合适的行动号召，只用其中之一：{calls}。",
    ),
    "headlines": (
        "Write {n} headlines for this advert, one a line. Each has at most {words} words, stands alone and makes a "
        "different point. No full stops.",
        "为这则广告写{n}条标题，每行一条，每条不超过{words}个字，各讲一个卖点，可单独使用，句末不加标点。",
    ),
    "texts": (
        "Write {n} advertising text(s), one a line, each one or two full sentences of at most {words} words together. "
        "Begin with what the reader gains.",
        "写{n}条广告正文，每行一条，每条一两句完整的话，合计不超过{words}个字，先说读者能得到什么。",
    ),
    "descriptions": (
        "Write {n} description(s) for this advert, one a line, each one full sentence of {fewest} to {words} words "
        "that adds something new.",
        "为这则广告写{n}条描述，每行一条，每条一句完整的话，{fewest}到{words}个字，补充新的信息。",
    ),
}


class AdFields(BriefFields):
    """Fields of an advert."""

    platform: Annotated[
        str, Field(description="where it runs: google, bing, meta, linkedin, x, baidu, wechat, xiaohongshu | 投放平台")
    ] = "google"
    business: Annotated[str, Field(max_length=80, description="who advertises | 商家名称")] = ""
    facts: Annotated[
        tuple[str, ...], Field(max_length=40, description="what may be said, separated by ; | 可写的事实，用 ; 分隔")
    ] = ()
    audience: Annotated[str, Field(max_length=100, description="for whom | 受众")] = ""
    tone: Annotated[str, Field(max_length=100, description="tone | 语气")] = ""
    keywords: Annotated[tuple[str, ...], Field(max_length=10, description="words that must appear | 必须出现的词")] = ()
    forbidden: Annotated[tuple[str, ...], Field(max_length=50, description="words that must not | 不得出现的词")] = ()
    call_to_action: Annotated[
        str, Field(max_length=40, description="the call to action; empty: chosen | 行动号召；留空则自动选择")
    ] = ""
    headlines: Annotated[int, Field(ge=0, description="how many headlines; 0: the usual | 标题条数；0：通常条数")] = 0
    texts: Annotated[int, Field(ge=0, description="how many texts; 0: the usual | 正文条数；0：通常条数")] = 0
    descriptions: Annotated[
        int, Field(ge=0, description="how many descriptions; 0: the usual | 描述条数；0：通常条数")
    ] = 0

    @field_validator("platform")
    @classmethod
    def _known(cls, name: str) -> str:
        if name.strip().casefold() not in platforms():
            raise ValueError("known: " + ", ".join(platforms()))
        return name.strip().casefold()

    @field_validator("headlines", "texts", "descriptions")
    @classmethod
    def _allowed(cls, number: int, info: ValidationInfo) -> int:
        name = info.field_name or ""
        part = platforms()[info.data["platform"]].parts.get(name) if "platform" in info.data else None
        if number and (part is None or not part.least <= number <= part.most):
            raise ValueError(f"{info.data.get('platform')} takes {f'{part.least} to {part.most}' if part else 'none'}")
        return number


class Ad:
    """See the module."""

    name = "ad"
    aliases = ("广告", "advert", "advertisement", "广告文案")
    languages: tuple[Language, ...] = ("en", "zh")
    title = ("Advert", "广告")
    summary = (
        "headlines, texts and descriptions within a platform's limits, a call to action; no claim of its own",
        "按平台字数限制写标题、正文、描述和行动号召；不添加任何承诺",
    )
    fields: type[BriefFields] = AdFields

    def plan(self, brief: Brief) -> Plan:
        """The call to action, then each kind of text that the platform takes, line by line."""
        fields = _fields(brief)
        place, language = platform(fields.platform), fields.language
        system, material = Message("system", SYSTEM[language]), _material(brief, fields)
        sheet = FactSheet(brief.said, language)
        forbidden = (*fields.forbidden, *claim_words(language, brief.said))
        calls = _calls(place, fields)
        steps = [
            Step(
                "call_to_action",
                _conversation_of_calls(language, material, calls),
                form=ChoiceForm(calls),
                sampling=replace(COPY, temperature=0.2, marked=False),
            )
        ]
        for name, part in place.parts.items():
            lines = _number(fields, name, part)
            room = part.limit - (_room_of_call(place, fields) if name == _home_of_call(place) else 0)
            units = room // place.wide if language == "zh" else room // 7
            ask = _of(ASKS[name], language).format(n=lines, words=max(units, 3), fewest=max(units // 2, 3))
            shown = _shown(language, name, ask)
            earlier = "".join(f"\n{{{other}}}" for other in place.parts if other in {step.name for step in steps})
            before = f"\n{_of(('Already written:', '已写好：'), language)}{earlier}" if earlier else ""
            steps.append(
                Step(
                    name,
                    (system, *shown, Message("user", f"{material}{before}\n\n{ask}")),
                    form=LimitForm(
                        language,
                        room,
                        lines,
                        None if getattr(fields, name) else part.least,
                        _counter(place.wide),
                        facts=sheet,
                        forbidden=forbidden,
                        avoid=tuple(shown[1].content.split("\n")),
                        favoured=(*fields.keywords, fields.business) if fields.business else fields.keywords,
                        marks=name == "texts" or (name == "descriptions" and part.limit > 40),
                        fewest=2 if part.limit < 20 or language == "zh" else 3,
                        exclaim=place.exclaim and name != "headlines",
                    ),
                    sampling=COPY,
                    max_tokens=lines * part.limit,
                )
            )
        return Plan(tuple(steps))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The fields by name, and one readable page of them."""
        fields = _fields(brief)
        place, language = platform(fields.platform), fields.language
        call = parts.get("call_to_action", "").strip()
        texts: dict[str, list[str]] = {}
        for name in place.parts:
            texts[name] = [line.strip() for line in parts.get(name, "").split("\n") if line.strip()]
            if name == _home_of_call(place) and texts[name] and call:
                texts[name][0] += f"{call}。" if language == "zh" else f" {call}."
        names = {
            "headlines": ("Headlines", "标题"),
            "texts": ("Text", "正文"),
            "descriptions": ("Descriptions", "描述"),
            "call_to_action": ("Call to action", "行动号召"),
        }
        blocks = {_of(names[name], language): lines for name, lines in (*texts.items(), ("call_to_action", [call]))}
        return Content(
            title=next(iter(texts.get("headlines", [])), ""),
            text="\n\n".join(f"{name}\n" + "\n".join(lines) for name, lines in blocks.items()),
            markdown="\n\n".join(
                f"## {name}\n\n" + "\n".join(f"- {line}" for line in lines) for name, lines in blocks.items()
            ),
            fields={**texts, "call_to_action": call},
            language=language,
        )

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Limits, distinct texts, claims, facts, keywords, the call."""
        fields = _fields(brief)
        place = platform(fields.platform)
        limits = {
            name: Limit(part.limit, getattr(fields, name) or part.least, getattr(fields, name) or part.most)
            for name, part in place.parts.items()
        }
        return (
            LimitsRule(limits, place.wide, place.exclaim),
            ClaimsRule(brief.said),
            UnsupportedFactsRule(brief.said, parts=tuple(name for name in place.parts if name != "headlines")),
            UnsupportedFactsRule(brief.said, parts=("headlines",), names=False),
            KeywordRule(fields.keywords),
            ForbiddenRule(fields.forbidden),
            OneOfRule("call_to_action", _calls(place, fields)),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:  # noqa: ARG002
        """None: a line that breaks a rule is written anew."""
        return None


def _fields(brief: Brief) -> AdFields:
    assert isinstance(brief.fields, AdFields)
    return brief.fields


def _material(brief: Brief, fields: AdFields) -> str:
    chinese = fields.language == "zh"
    rows = [
        ("推广" if chinese else "Advertised", brief.words),
        ("商家" if chinese else "Business", fields.business),
        ("事实" if chinese else "Facts", "".join(f"\n- {fact}" for fact in fields.facts)),
        ("受众" if chinese else "Readers", fields.audience),
        ("语气" if chinese else "Tone", fields.tone),
        ("必须出现" if chinese else "Must mention", ", ".join(fields.keywords)),
    ]
    return "\n".join(f"{name}: {value}" for name, value in rows if value)


def _of(pair: tuple[str, str], language: Language) -> str:
    return pair[language == "zh"]


def _number(fields: AdFields, name: str, part: Part) -> int:
    return getattr(fields, name) or part.usual


def _calls(place: Platform, fields: AdFields) -> tuple[str, ...]:
    """The calls to choose from: the user's own, the platform's buttons, else the usual ones."""
    if fields.call_to_action:
        return (fields.call_to_action,)
    return place.buttons.get(fields.language) or tuple(_wording()[fields.language]["calls"])


def _home_of_call(place: Platform) -> str:
    """The part whose first text ends with the call, where the platform has no button for it."""
    return "" if place.buttons else next(name for name in ("descriptions", "texts", "headlines") if name in place.parts)


def _room_of_call(place: Platform, fields: AdFields) -> int:
    return max(map(_counter(place.wide), _calls(place, fields))) + 2


def _counter(wide: int) -> Count:
    """How a platform counts, on the safe side: all that is no Latin letter, figure or plain mark is full-width."""
    return len if wide == 1 else lambda text: len(text) + (wide - 1) * len(_WIDE.findall(text))


def _shown(language: Language, part: str, ask: str) -> tuple[Message, Message]:
    """A worked example of the part, as a turn of the conversation."""
    words = _wording()[language]
    return Message("user", f"{words['brief']}\n\n{ask}"), Message("assistant", words[part])


def _conversation_of_calls(language: Language, material: str, calls: Sequence[str]) -> tuple[Message, ...]:
    """The question which call fits, after other adverts and the calls that fit them."""
    turns = [Message("system", _of(ASKS["call_to_action"], language).format(calls=", ".join(calls)))]
    for advertised, *fitting in _wording()[language]["fitting"]:
        if call := next((each for each in fitting if each in calls), ""):
            turns.append(Message("user", f"{'推广' if language == 'zh' else 'Advertised'}: {advertised}"))
            turns.append(Message("assistant", call))
    return (*turns, Message("user", material))


@cache
def _wording() -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((files("castalia") / "data" / "adverts.toml").read_text(encoding="utf-8"))


GENRE = Ad()
