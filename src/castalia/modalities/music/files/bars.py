"""Where the bars of a score lie."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import Metre, Score

MOST_BARS = 20_000
"""Four hours of 2/4 at 240 quarter notes a minute have 14,400."""


class Bar(NamedTuple):
    """One bar."""

    number: int
    """As printed: 0 is the pickup, the first full bar is 1."""
    start: int
    """Ticks from the beginning of the score."""
    length: int
    """Ticks; less than the metre's in a pickup, and in a bar that a new metre cuts short."""
    metre: Metre
    """The one that holds in this bar."""

    @property
    def end(self) -> int:
        """Tick at which the next bar begins."""
        return self.start + self.length

    @property
    def skipped(self) -> int:
        """Ticks of the metre that a pickup leaves out at its front; 0 in all other bars."""
        return self.metre.bar - self.length if self.number == 0 else 0


def bars(score: Score) -> tuple[Bar, ...]:
    """The bars from the beginning to the last note's end, at least one that is not a pickup.

    Raises:
        UsageError: there would be more than `MOST_BARS`, or the metres are not in order.
    """
    metres = score.metres
    if not metres or metres[0].start != 0 or any(b.start <= a.start for a, b in pairwise(metres)):
        raise UsageError(
            say("The metres must begin at 0 and follow one another: {metres}.", "拍号须从 0 开始并依次排列：{metres}。",
                metres=[metre.start for metre in metres]),
            hint=say("Give one metre that starts at 0.", "请给出一个从 0 开始的拍号。"),
        )  # fmt: skip
    made: list[Bar] = []
    position, index = 0, 0
    while position < score.length or not made or made[-1].number == 0:
        while index + 1 < len(metres) and metres[index + 1].start <= position:
            index += 1
        metre = metres[index]
        pickup = not made and 0 < score.pickup < metre.bar
        length = score.pickup if pickup else metre.bar
        if index + 1 < len(metres):
            length = min(length, metres[index + 1].start - position)
        made.append(Bar(0 if pickup else made[-1].number + 1 if made else 1, position, length, metre))
        position += length
        if len(made) > MOST_BARS:
            raise UsageError(
                say("The piece has more than {most} bars.", "乐曲超过 {most} 小节。", most=MOST_BARS),
                hint=say("Shorten it or give it longer bars.", "请缩短乐曲或使用更长的小节。"),
            )
    return tuple(made)


def place_of(lines: tuple[Bar, ...], tick: int) -> tuple[int, float]:
    """(bar as printed, beat from 1) of a tick."""
    bar = next((each for each in reversed(lines) if each.start <= tick), lines[0])
    return bar.number, 1 + (tick - bar.start + bar.skipped) / (bar.metre.bar / bar.metre.beats)
