"""Rules for what was asked of a score: its bars, and the notes that were given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.score import Note, Score
from castalia.core.values import Draft, Finding
from castalia.quality.music import bars, place


@dataclass(frozen=True)
class BarsRule:
    """The work fills whole bars, as many as were asked.

    With a pickup the last bar may be short by just that, so that the two make one, or be full.

    Args:
        count: Full bars, a last one that gives the pickup back among them; None takes any number.
        pickup: Ticks of the pickup; None takes any.
    """

    count: int | None = None
    pickup: int | None = None
    name: str = "bars"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Findings on the end of the last bar, and on what was asked."""
        score = draft.content.score
        if score is None or not score.length:
            return [Finding(rule=self.name, ok=False, found=say("no notes", "没有音符"), wanted=say("bars", "小节"))]
        last = max(score.metres, key=lambda metre: metre.start)
        left = (score.length - (score.pickup if last.start == 0 else last.start)) % max(last.bar, 1)
        findings = [
            Finding(
                rule=self.name,
                ok=left in (0, (last.bar - score.pickup) % max(last.bar, 1)),
                place=place(score, score.length - 1),
                found=say("{n} of {bar} ticks in the last bar", "末小节为 {n}/{bar}", n=left or last.bar, bar=last.bar),
                wanted=say("a full last bar, less the pickup", "末小节完整（可减去弱起）"),
                hint=say("Lengthen the last chord to the end of the bar.", "请将最后的和弦延长至小节末。"),
            )
        ]
        if self.count is not None:
            findings.append(
                Finding(
                    rule=self.name,
                    ok=bars(score) == self.count,
                    found=str(bars(score)),
                    wanted=say("{n} bars", "{n} 小节", n=self.count),
                    hint=say("Write exactly {n} bars.", "请恰好写 {n} 小节。", n=self.count),
                )
            )
        if self.pickup is not None:
            findings.append(
                Finding(
                    rule=self.name,
                    ok=score.pickup == self.pickup,
                    place=place(score, 0),
                    found=str(score.pickup),
                    wanted=say("a pickup of {n} ticks", "弱起 {n}", n=self.pickup),
                    hint=say("Begin with the pickup that was asked.", "请按要求的弱起开始。"),
                )
            )
        return findings


@dataclass(frozen=True)
class KeptNotesRule:
    """The notes that were given stand in the work as they were: start, length and pitch.

    Between the first and the last given note of a part there are no others; before and after there may be.

    Args:
        given: A score, or notes by the number of the part in the work.
    """

    given: Score | Mapping[int, Sequence[Note]]
    name: str = "kept-notes"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each given part, at the first note that differs."""
        score = draft.content.score
        given = self.given
        by_part = {i: part.notes for i, part in enumerate(given.parts)} if isinstance(given, Score) else given
        findings: list[Finding] = []
        for number, notes in sorted(by_part.items()):
            wanted = {note[:3] for note in notes}
            begin = min((note.start for note in notes), default=0)
            end = max((note.start + note.length for note in notes), default=0)
            there = score.parts[number].notes if score and 0 <= number < len(score.parts) else ()
            found = {note[:3] for note in there if begin <= note.start < end}
            differ = sorted(wanted ^ found)
            findings.append(
                Finding(
                    rule=self.name,
                    ok=not differ,
                    place=place(score, differ[0][0], (number,)) if score and differ else "",
                    found=say("{n} of {all} notes kept", "保留 {n}/{all} 个音", n=len(wanted & found), all=len(wanted)),
                    wanted=say("every given note, no others between", "保留全部给定的音，其间不加其他音"),
                    hint=say("Write the given notes as they are.", "请原样写入给定的音。"),
                )
            )
        return findings or [Finding(rule=self.name, ok=True, wanted=say("no notes were given", "未给定音符"))]
