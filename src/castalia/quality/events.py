"""Events that change everything (cancelled, postponed, arrested, killed) and so must have been said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.values import Draft, Finding

_ENGLISH = {
    "cancelled": r"cancel",
    "postponed": r"postpon|put(?:ting)? off|defer",
    "rescheduled": r"re-?schedul|new date",
    "delayed": r"delay",
    "suspended": r"suspend|suspension",
    "resigned": r"resign|step(?:s|ped|ping)? down",
    "arrested": r"arrest",
    "killed": r"\bkill|\bdie[sd]?\b|\bdead\b|\bdeath|fatal",
    "injured": r"injur|wound",
    "evacuated": r"evacuat",
    "collapsed": r"collaps",
    "exploded": r"explo(?:d|sion)",
    "bankrupt": r"bankrupt|insolven",
    "banned": r"\bban(?:s|ned|ning)?\b|prohibit",
    "recalled": r"\brecall",
}
_CHINESE = (
    *("取消", "推迟", "延期", "改期", "暂停", "停办", "辞职", "被捕", "逮捕", "死亡", "去世", "遇难", "身亡", "受伤"),
    *("破产", "倒闭", "坍塌", "倒塌", "爆炸", "疏散", "召回"),
)


@dataclass(frozen=True)
class EventsRule:
    """No such event is reported that the brief does not report, in these or like words.

    Attributes:
        said: All that the user said.
    """

    said: str
    name: str = "unsupported-event"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        return [
            Finding(
                rule=self.name,
                ok=False,
                place=line,
                found=event,
                wanted=say("what the brief says", "要求中的内容"),
                hint=say("Drop the sentence, or put the event into the brief.", "请删去此句，或把此事写进要求。"),
            )
            for line in re.split(r"(?<=[.!?。！？])\s*|\n", draft.content.text)
            for event in _events(line)
            if event not in _events(self.said)
        ] or [Finding(rule=self.name, ok=True, found=say("no event beyond the brief", "没有超出要求的事件"))]


def _events(text: str) -> set[str]:
    plain = text.casefold()
    found = {name for name, pattern in _ENGLISH.items() if re.search(pattern, plain)}
    return found | {word for word in _CHINESE if word in text}
