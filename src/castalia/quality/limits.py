"""Hard limits of short texts, counted as a platform counts them; shares no code with the form that keeps them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.values import Draft, Finding


def platform_length(text: str, wide: int = 1) -> int:
    """Characters as a platform counts them.

    Args:
        text: Any text.
        wide: What a full-width character counts (Unicode's East Asian Width W or F, UAX #11).
    """
    return sum(
        wide if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in unicodedata.normalize("NFC", text)
    )


@dataclass(frozen=True)
class Limit:
    """How many texts a field holds, and how long each may be."""

    limit: int
    least: int
    most: int


@dataclass(frozen=True)
class LimitsRule:
    """Each of the work's fields has as many texts as allowed, each within its limit, and no two nearly the same.

    Attributes:
        limits: By field name of `Content.fields`.
        wide: See `platform_length`.
        exclaim: Whether headlines may hold an exclamation mark.
    """

    limits: Mapping[str, Limit]
    wide: int = 1
    exclaim: bool = True
    name: str = "limits"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        return [each for name, limit in self.limits.items() for each in self._field(draft, name, limit)]

    def _field(self, draft: Draft, name: str, limit: Limit) -> Sequence[Finding]:
        texts = [str(text) for text in draft.content.fields.get(name, ())]
        again = say("Try another seed or more tries.", "请换种子或增加次数。")
        findings = [
            Finding(
                rule="count",
                ok=limit.least <= len(texts) <= limit.most,
                place=name,
                found=str(len(texts)),
                wanted=f"{limit.least}–{limit.most}",
                hint=again,
            )
        ]
        for number, text in enumerate(texts, 1):
            place, length = f"{name} {number}", platform_length(text, self.wide)
            findings.append(
                Finding(
                    rule=self.name,
                    ok=0 < length <= limit.limit,
                    place=place,
                    found=say("{n} characters", "{n} 个字符", n=length),
                    wanted=say("at most {n}", "至多 {n}", n=limit.limit),
                    hint=again,
                )
            )
            if name == "headlines" and not self.exclaim and re.search("[!！]", text):
                findings.append(
                    Finding(rule="punctuation", ok=False, place=place, found=text, wanted=say("no !", "不用感叹号"))
                )
            twin = next((other for other in texts[: number - 1] if _same(text, other)), "")
            if twin:
                findings.append(
                    Finding(
                        rule="distinct",
                        ok=False,
                        place=place,
                        found=text,
                        wanted=say("unlike {t}", "不同于{t}", t=twin),
                    )
                )
        return findings


def _same(one: str, other: str) -> bool:
    """Whether two texts hold the same words but for a fifth, in any order."""
    first, second = (set(re.findall(r"[\u3400-\u9fff]|[a-z0-9']+", text.casefold())) for text in (one, other))
    return len(first & second) >= 0.8 * max(len(first | second), 1)


@dataclass(frozen=True)
class OneOfRule:
    """A field of the work is one of the texts that are allowed there, and the work shows it."""

    field: str
    allowed: tuple[str, ...]
    name: str = "call-to-action"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        found = str(draft.content.fields.get(self.field, ""))
        return [
            Finding(
                rule=self.name,
                ok=found in self.allowed and found in draft.content.text,
                place=self.field,
                found=found,
                wanted=" / ".join(self.allowed),
            )
        ]
