"""The form of a tune: phrases that come back, and how each of them closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Close = Literal["open", "closed", "final"]
"""On the dominant or away from home; on the tonic; on the tonic for good."""

FORMS = ("AABA", "ABAC", "AABB")
"""Of four phrases; which one the seed says."""
LONG = "ABACDEDC"
"""Of more than four phrases, over and over: two strains that end alike, as dances do."""
PHRASE = 4
"""Bars."""


@dataclass(frozen=True)
class Phrase:
    """A stretch of a tune that comes to rest.

    Attributes:
        start: Tick; an upbeat belongs to the phrase that it leads to.
        end: Tick.
        close: How it ends.
        source: Start of the phrase that it brings back; -1 for none.
        same: Tick up to which it brings that back; from there it goes its own way.
    """

    start: int
    end: int
    close: Close
    source: int = -1
    same: int = 0


def ends_of(length: int, bar: int) -> list[int]:
    """Where phrases end: every four bars, or every two where there are but four or six.

    Args:
        length: Ticks of the whole.
        bar: Ticks of a bar.
    """
    bars = -(-length // bar)
    size = PHRASE // 2 if bars in (PHRASE, PHRASE + 2) else PHRASE
    count = max(1, round(bars / size))
    return [size * (number + 1) * bar for number in range(count - 1)] + [length]


def plan(ends: Sequence[int], bar: int, *, seed: int) -> tuple[Phrase, ...]:
    """Phrases that end there, open and closed by turns; one as long as an earlier one may bring it back.

    Args:
        ends: Ticks, the last one of the whole.
        bar: Ticks of a bar; the last one or two of a phrase that closes otherwise than before go their own way.
        seed: Chooses the form, and how much of a phrase returns.
    """
    count = len(ends)
    letters = FORMS[seed % len(FORMS)] if count == len(FORMS[0]) else "A" if count <= 2 else LONG
    made: list[Phrase] = []
    for number, (start, end) in enumerate(zip((0, *ends[:-1]), ends, strict=True)):
        close: Close = "final" if number == count - 1 else "closed" if number % 2 else "open"
        alike = [
            each
            for at, each in enumerate(made)
            if letters[at % len(letters)] == letters[number % len(letters)] and each.end - each.start == end - start
        ]
        same_close = [each for each in alike if (each.close == "open") == (close == "open")]
        if not alike:
            made.append(Phrase(start, end, close))
            continue
        source = (same_close or alike)[-1]
        own = bar * (1 + (seed // len(FORMS) + number) % 2) if end - start >= PHRASE * bar else bar
        made.append(Phrase(start, end, close, source.start, end if same_close else end - own))
    return tuple(made)
