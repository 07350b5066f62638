"""Whole sentences, none twice, and how hard they are to read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.values import Draft, Finding, Language
from castalia.quality.verse_en import syllables

_END = {"en": r"[.!?][\"”’)]*$", "zh": r"[。！？…][”’」』）]*$"}
_SPLIT = re.compile(r"(?<=[.!?])[\"”’)]*\s+|(?<=[。！？])[”’」』）]*\s*|\n+")


def sentences(text: str) -> list[str]:
    """A text's sentences."""
    return [part.strip() for part in _SPLIT.split(text) if part and part.strip()]


@dataclass(frozen=True)
class SentencesRule:
    """Each part is there and ends with a sentence's end; no sentence comes twice."""

    parts: tuple[str, ...]
    optional: tuple[str, ...] = ()
    """Parts that may be left out."""
    name: str = "sentences"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        again = say("Try another seed or more tries.", "请换种子或增加次数。")
        findings: list[Finding] = []
        for part in self.parts:
            text = draft.parts.get(part, "").strip()
            findings.append(
                Finding(
                    rule=self.name,
                    ok=bool(re.search(_END[draft.content.language], text)) or (not text and part in self.optional),
                    place=part,
                    found=text[-40:],
                    wanted=say("whole sentences", "完整的句子"),
                    hint=again,
                )
            )
        counted = Counter(
            each.casefold() for part in self.parts for each in sentences(draft.parts.get(part, "")) if len(each) > 6
        )
        return [
            *findings,
            *(
                Finding(
                    rule="repeated-sentence", ok=False, found=each, wanted=say("each once", "各出现一次"), hint=again
                )
                for each, times in counted.items()
                if times > 1
            ),
        ]


@dataclass(frozen=True)
class ReadabilityRule:
    """How hard the text is to read; shown as a note, never a reason to refuse.

    English: reading ease (Flesch 1948, "A new readability yardstick"), 0 hard to 100 easy, with `least` wanted.
    Chinese: characters a sentence, with `most` wanted.
    """

    parts: tuple[str, ...]
    least: float = 30
    most: float = 55
    name: str = "readability"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        text = "\n".join(draft.parts.get(part, "") for part in self.parts)
        value = readability(text, draft.content.language)
        chinese = draft.content.language == "zh"
        return [
            Finding(
                rule=self.name,
                ok=value <= self.most if chinese else value >= self.least,
                found=f"{value:.0f}",
                wanted=say("at most {n:.0f} characters a sentence", "每句不超过 {n:.0f} 字", n=self.most)
                if chinese
                else say("reading ease of {n:.0f} or more", "易读度不低于 {n:.0f}", n=self.least),
                hint=say("Ask for a plainer tone with -o tone.", "可用 -o tone 要求更平实的语气。"),
                severity="note",
            )
        ]


def readability(text: str, language: Language) -> float:
    """Reading ease (English) or mean characters a sentence (Chinese); see `ReadabilityRule`."""
    found = sentences(text)
    if language == "zh":
        return len(re.findall(r"[\u3400-\u9fff]", text)) / max(len(found), 1)
    words = re.findall(r"[A-Za-z]+(?:['’][A-Za-z]+)*", text)
    beats = sum(min(syllables(word) or {1}) for word in words)
    return 206.835 - 1.015 * len(words) / max(len(found), 1) - 84.6 * beats / max(len(words), 1)


def without_sentences(parts: Mapping[str, str], findings: Sequence[Finding], part: str) -> Mapping[str, str] | None:
    """The parts, one of them without the sentences that findings of unsupported facts name; None if there are none."""
    bad = {finding.place for finding in findings if finding.rule.startswith("unsupported-") and finding.place}
    text = parts.get(part, "")
    if not bad or not any(sentence in text for sentence in bad):
        return None
    for sentence in bad:
        text = text.replace(sentence, "")
    return {**parts, part: re.sub(r" {2,}", " ", text).strip()}
