"""Social post: one thought within a platform's limit, with hashtags from the user's own words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.core.language import say
from castalia.core.ports import Plan, Rule
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding
from castalia.genres._prose import Conversation, ProseFields, length_of, mended, prose_rules
from castalia.quality import ClaimsRule, Limit, LimitsRule, claim_words

TEXTS = ("text",)
USUAL = (45, 80)


class Place(BaseModel):
    """Where a post goes; see `data/posts.toml` for the meaning of each name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: tuple[str, str]
    source: str
    checked: str
    limit: int = Field(ge=50, le=100_000)
    wide: int = Field(1, ge=1, le=3)
    hashtags: int = Field(ge=0, le=30)


class SocialFields(ProseFields):
    """Fields of a social post."""

    platform: Annotated[
        str,
        Field(description="x, mastodon, bluesky, linkedin, facebook, instagram, weibo, xiaohongshu, wechat | 发布平台"),
    ] = "x"
    hashtags: Annotated[
        tuple[str, ...], Field(max_length=30, description="hashtags to put below, without # | 话题标签，不写 #")
    ] = ()

    @field_validator("platform")
    @classmethod
    def _known(cls, name: str) -> str:
        if name.strip().casefold() not in places():
            raise ValueError("known: " + ", ".join(places()))
        return name.strip().casefold()


class Social:
    """See the module."""

    name = "social"
    aliases = ("social post", "帖子", "社交帖子", "社媒文案")
    languages = ("en", "zh")
    title = ("Social post", "社交帖子")
    summary = (
        "one thought within a platform's limit, hashtags of yours; no number, name or claim of its own",
        "平台字数以内的一条帖子，附上您给的话题；不添加数字、人名和承诺",
    )
    fields: type[BriefFields] = SocialFields

    def plan(self, brief: Brief) -> Plan:
        """The post's text."""
        fields = _fields(brief)
        place = places()[fields.platform]
        talk = Conversation(self.name, brief, fields, without=claim_words(fields.language, brief.said))
        talk.text("text", *_length(fields), where=place.title[fields.language == "zh"])
        return talk.plan()

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The text, and the hashtags below it."""
        fields = _fields(brief)
        text, tags = parts.get("text", "").strip(), _tags(fields)
        whole = "\n\n".join(each for each in (text, " ".join(tags)) if each)
        fields_out = {"text": text, "hashtags": tags, "post": [whole]}
        return Content(text=whole, markdown=whole.replace("#", r"\#"), fields=fields_out, language=fields.language)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """The platform's limit, whole sentences, keywords, nothing that was not said, and no claims."""
        fields = _fields(brief)
        place = places()[fields.platform]
        return (
            LimitsRule({"post": Limit(place.limit, 1, 1)}, place.wide),
            *prose_rules(brief, fields, TEXTS, _length(fields)),
            ClaimsRule(brief.said),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Drop sentences that state what was not said."""
        return mended(draft, findings, TEXTS)


def _fields(brief: Brief) -> SocialFields:
    assert isinstance(brief.fields, SocialFields)
    return brief.fields


def _tags(fields: SocialFields) -> list[str]:
    tags = [re.sub(r"\W", "", tag) for tag in fields.hashtags]
    return [f"#{tag}" for tag in tags if tag][: places()[fields.platform].hashtags]


def _length(fields: SocialFields) -> tuple[int, float]:
    """As wanted, but within what the platform's limit leaves: seven characters a word with its space."""
    target, tolerance = length_of(fields, USUAL)
    place = places()[fields.platform]
    room = place.limit - len(" ".join(_tags(fields))) - 2
    most = room / (place.wide * 1.25) if fields.language == "zh" else room / 7
    if fields.length and target * (1 - tolerance) > most:
        raise UsageError(
            say(
                "{place} takes {limit} characters, too few for {n} words.",
                "{place} 最多 {limit} 个字符，容不下 {n} 字。",
                place=fields.platform,
                limit=place.limit,
                n=target,
            ),
            hint=say("Ask for a shorter post, or leave the length out.", "请缩短长度，或不指定长度。"),
        )
    return min(target, int(most / (1 + tolerance))), tolerance


@cache
def places() -> Mapping[str, Place]:
    """All platforms, the user's own table `posts.toml` over the shipped one.

    Raises:
        UsageError: the user's table is malformed.
    """
    shipped = (files("castalia") / "data" / "posts.toml").read_text(encoding="utf-8")
    own = folders().config / "posts.toml"
    try:
        rows = tomllib.loads(shipped) | (tomllib.loads(own.read_text(encoding="utf-8")) if own.is_file() else {})
        return {name: Place.model_validate(row) for name, row in rows.items()}
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            say("Your table of platforms {path} is malformed: {why}", "平台表 {path} 有误：{why}", path=own, why=error),
            hint=say("Mend it or move it away.", "请修正或移走该文件。"),
        ) from error


GENRE = Social()
