"""Words that a work must hold, and words that it must not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from castalia.core.language import say
from castalia.core.values import Draft, Finding


@dataclass(frozen=True)
class KeywordRule:
    """Every keyword appears, in any case.

    Attributes:
        keywords: The words.
        severity: `note` where they are wishes, as in verse, whose form has the last word.
    """

    keywords: tuple[str, ...]
    severity: Literal["refuse", "note"] = "refuse"
    name: str = "keywords"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        text = " ".join(draft.content.text.casefold().split())
        return [
            Finding(
                rule=self.name,
                ok=" ".join(word.casefold().split()) in text,
                found="" if word.casefold() in text else say("missing", "缺少"),
                wanted=word,
                hint=say("Try another seed or more tries.", "请换种子或增加次数。"),
                severity=self.severity,
            )
            for word in self.keywords
        ]


@dataclass(frozen=True)
class ForbiddenRule:
    """No forbidden word appears."""

    words: tuple[str, ...]
    name: str = "forbidden"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        text = draft.content.text.casefold()
        return [
            Finding(
                rule=self.name,
                ok=not _holds(text, word.casefold()),
                found=word if _holds(text, word.casefold()) else "",
                wanted=say("without {word}", "不含 {word}", word=word),
                hint=say("Try another seed.", "请换种子。"),
            )
            for word in self.words
        ]


def _holds(text: str, word: str) -> bool:
    if re.search(r"[\u3400-\u9fff]", word):
        return word in text
    return re.search(rf"(?:^|\W){re.escape(word)}(?:$|\W)", text) is not None
