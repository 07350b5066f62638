"""Claims that an advert may not make, and terms of an offer that only its brief can state."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from castalia.core.language import say
from castalia.core.values import Draft, Finding, Language

_HARMLESS = re.compile("最近|最后|最终|最新|最多|最少")
"""Chinese words with 最 that compare nothing."""


def claim_words(language: Language, said: str) -> tuple[str, ...]:
    """Absolute claims and terms of an offer that what was said does not contain: what copy must not hold."""
    lists = _claims()[language]
    return tuple(word for word in (*lists["absolute"], *lists["stated"]) if not _holds(said, word))


@dataclass(frozen=True)
class ClaimsRule:
    """No superlative, promise or term of the offer that was not said; an absolute claim of the user's own is noted.

    Attributes:
        said: All that the user said.
    """

    said: str
    name: str = "claims"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        text, lists = draft.content.text, _claims()[draft.content.language]
        findings: list[Finding] = []
        for kind in ("absolute", "stated"):
            for word in lists[kind]:
                if not _holds(text, word) or (kind == "stated" and _holds(self.said, word)):
                    continue
                own = _holds(self.said, word)
                findings.append(
                    Finding(
                        rule=self.name,
                        ok=False,
                        severity="note" if own else "refuse",
                        found=word,
                        wanted=say("no absolute claims", "不用绝对化用语")
                        if kind == "absolute"
                        else say("only terms that the brief states", "只写要求中已有的条件"),
                        hint=say(
                            "Platforms and the law may turn this down; reword the brief.",
                            "平台和《广告法》可能不允许，请改写要求。",
                        )
                        if own
                        else say(
                            "Say it in the brief if it is true, or try another seed.", "若属实请写进要求，或换种子。"
                        ),
                    )
                )
        return findings or [Finding(rule=self.name, ok=True)]


def _holds(text: str, word: str) -> bool:
    if re.search(r"[\u3400-\u9fff]", word):
        return word in (_HARMLESS.sub("", text) if word == "最" else text)
    plain = text.casefold().replace("’", "'")
    return re.search(rf"(?<![\w#]){re.escape(word)}(?![\w])", plain) is not None


@cache
def _claims() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads((files("castalia") / "data" / "claims.toml").read_text(encoding="utf-8"))
