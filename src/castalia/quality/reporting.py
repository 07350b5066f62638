"""Rules of news writing: the lede says what happened, given facts are used, headline and dateline have their form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from castalia.core.language import say
from castalia.core.values import Draft, Finding
from castalia.quality.facts import SENTENCE

_STOP = frozenset(
    "the a an and or of in on at to for from by with is are was were be been will has have had it its this that as "
    "not no".split()
)

_SUPERLATIVES = ("largest", "biggest", "oldest", "unprecedented", "史上", "首次", "最大", "最高", "前所未有")
_HAN_STOP = frozenset("的了在和与是为有于对将把被从到向由以等也都并而其该此这那中上下后前时年月日一个们者说称")


def _content_words(text: str) -> set[str]:
    """Words that carry meaning: English words cut to their stem's beginning, Chinese character pairs, figures."""
    english = {word[:5] for word in re.findall(r"[a-z]{3,}", text.casefold()) if word not in _STOP}
    chinese = {
        text[at : at + 2] for at in range(len(text) - 1) if all("\u4e00" <= c <= "\u9fff" for c in text[at : at + 2])
    }
    return english | chinese | set(re.findall(r"\d+", text))


@dataclass(frozen=True)
class LedeRule:
    """The first two sentences tell what the brief begins with, and name the place and time that were given.

    Attributes:
        news: The brief's first statements; one of them must be told.
        named: Place, date and whoever else must come at once; may stand in the dateline.
    """

    news: tuple[str, ...]
    named: tuple[str, ...] = ()
    name: str = "lede"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        body = draft.parts.get("body", draft.content.text)
        first = "".join(re.split(r"(?<=[.!?。！？])(?!\d)", body.strip())[:3])
        told, wanted = _content_words(first), [_content_words(each) for each in self.news]
        shared = max((len(words & told) / max(len(words), 1) for words in wanted), default=1.0)
        opening = " ".join(draft.content.text[: draft.content.text.find(body[:20]) + len(first)].split()).casefold()
        return [
            Finding(
                rule=self.name,
                ok=shared >= 0.25,
                place=first.strip(),
                found=say("{share:.0%} of the news", "新闻内容的 {share:.0%}", share=shared),
                wanted=say("what happened, at once", "开头即交代事件"),
                hint=say("Put the news into the brief's first sentence.", "请在要求的第一句写明新闻。"),
            ),
            *(
                Finding(
                    rule=self.name,
                    ok=" ".join(each.split()).casefold() in opening,
                    place=first.strip(),
                    found="",
                    wanted=each,
                    hint=say("Try another seed.", "请换种子。"),
                )
                for each in self.named
            ),
        ]


@dataclass(frozen=True)
class GroundedRule:
    """No sentence of the body is padding: each shares words with what the brief says.

    Attributes:
        said: All that the user said.
        severity: `note` where a length is asked for that the facts may not fill.
        least: Share of a sentence's content words that the brief must have.
    """

    said: str
    severity: Literal["refuse", "note"] = "refuse"
    least: float = 0.3
    name: str = "grounded"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        known = _meanings(self.said)
        bold = [
            (sentence.strip(), word)
            for sentence in SENTENCE.findall(draft.parts.get("body", ""))
            for word in _SUPERLATIVES
            if word in sentence.casefold() and word not in self.said.casefold()
        ]
        if bold:
            return [
                Finding(
                    rule="unsupported-claim",
                    ok=False,
                    place=sentence,
                    found=word,
                    wanted=say("no superlative of its own", "不自行使用最高级"),
                    hint=say("Drop the sentence, or say it in the brief.", "请删去此句，或写进要求。"),
                    severity=self.severity,
                )
                for sentence, word in bold
            ]
        loose = [
            (sentence.strip(), len(words & known) / len(words))
            for sentence in SENTENCE.findall(draft.parts.get("body", ""))
            if len(words := _meanings(sentence)) > 3 and len(words & known) < self.least * len(words)
        ]
        return [
            Finding(
                rule="unsupported-claim",
                ok=False,
                place=sentence,
                found=say("{share:.0%} of its words are the brief's", "{share:.0%} 的用词见于要求", share=share),
                wanted=f"≥ {self.least:.0%}",
                hint=say("Drop the sentence, or put its matter into the brief.", "请删去此句，或把内容写进要求。"),
                severity=self.severity,
            )
            for sentence, share in loose
        ] or [Finding(rule=self.name, ok=True, found=say("every sentence", "每一句"))]


def _meanings(text: str) -> set[str]:
    """English words cut to their stem's beginning, single Chinese characters without the commonest."""
    english = {word[:5] for word in re.findall(r"[a-z]{4,}", text.casefold()) if word not in _STOP}
    return english | {letter for letter in text if "\u4e00" <= letter <= "\u9fff"} - _HAN_STOP


@dataclass(frozen=True)
class CoverageRule:
    """Facts that were given appear; those left out are noted, and refuse only when most are missing."""

    facts: tuple[str, ...]
    name: str = "facts-used"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        text = _content_words(draft.content.text)
        left_out = [fact for fact in self.facts if len(_content_words(fact) & text) < 0.5 * len(_content_words(fact))]
        used = 1 - len(left_out) / max(len(self.facts), 1)
        findings = [
            Finding(
                rule=self.name,
                ok=used >= 0.5,
                found=f"{used:.0%}",
                wanted=say("at least half of the facts", "至少一半事实"),
                hint=say("Ask for more words with -o length.", "请用 -o length 增加篇幅。"),
            )
        ]
        missing = say("left out", "未写入")
        return findings + [
            Finding(rule=self.name, ok=False, severity="note", found=missing, wanted=fact) for fact in left_out
        ]


@dataclass(frozen=True)
class HeadlineRule:
    """The headline is one short line without a full stop."""

    longest: int
    part: str = "headline"
    name: str = "headline"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        line = draft.parts.get(self.part, "").strip()
        ok = 0 < len(line) <= self.longest and "\n" not in line and not re.search(r"[.。]$", line)
        return [
            Finding(
                rule=self.name,
                ok=ok,
                place=line,
                found=say("{n} characters", "{n} 个字符", n=len(line)),
                wanted=say("one line of at most {n}, no full stop", "一行，至多 {n} 个字符，无句号", n=self.longest),
            )
        ]
