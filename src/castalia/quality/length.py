"""Length of a work, counted as its readers count: words in English, characters in Chinese."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.values import Draft, Finding, Language


def count_words(text: str, language: Language) -> int:
    """Words between white space (English); Chinese characters and runs of letters or digits (Chinese)."""
    if language == "en":
        return sum(1 for part in text.split() if any(letter.isalnum() for letter in part))
    return sum(1 for _ in re.finditer(r"[\u3400-\u9fff]|[0-9A-Za-z]+", text))


@dataclass(frozen=True)
class LengthRule:
    """The length of some parts together, within a share of the wanted one."""

    target: int
    tolerance: float = 0.1
    parts: tuple[str, ...] = ()
    """Names of steps; empty: the whole text."""
    name: str = "length"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        language = draft.content.language
        texts = [draft.parts.get(part, "") for part in self.parts] or [draft.content.text]
        found = sum(count_words(text, language) for text in texts)
        unit = say("characters", "字") if language == "zh" else say("words", "词")
        low, high = self.target * (1 - self.tolerance), self.target * (1 + self.tolerance)
        return [
            Finding(
                rule=self.name,
                ok=low <= found <= high,
                place=", ".join(self.parts),
                found=f"{found} {unit}",
                wanted=f"{low:.0f}–{high:.0f} {unit}",
                hint=say(
                    "Give more facts, or ask for another length with -o length.",
                    "请提供更多事实，或用 -o length 调整长度。",
                ),
            )
        ]
