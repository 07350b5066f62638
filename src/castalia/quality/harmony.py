"""Rules for chord symbols: a chord in every bar, and a melody that belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from castalia.core.language import say
from castalia.core.score import QUARTER, Score
from castalia.core.values import Draft, Finding
from castalia.quality.chord_tones import sounds, standing
from castalia.quality.music import bars, line, place

FIT = 0.64
"""Least share of a melody's weight on chord tones.

Of Bach's validation sopranos 95 % reach .91 with their real chords, one a quarter, and .66 with chords found by the
bar; with the chords of another piece in the same key 95 % stay below .64 (`benchmarks/harmony_valid.json`)."""

FOREIGN = 0.5
"""Share below which the chords belong to another piece: half of the strangers' stay below .48."""


def melody_fit(score: Score, part: int = 0) -> float:
    """Share of a part's weight that lies on tones of its chords; a note weighs its length, on the beat twice that.

    1 where there is no melody over a chord.
    """
    inside = weight = 0.0
    notes = line(score.parts[part])
    for start, end, symbol in standing(score):
        chord = sounds(symbol.name)
        if chord is None or not chord.tones:
            continue
        for note in notes:
            begin = max(note.start, start)
            length = min(note.start + note.length, end) - begin
            if length <= 0:
                continue
            here = length * (2.0 if (begin - score.pickup) % QUARTER == 0 else 1.0)
            weight += here
            inside += here * (note.pitch % 12 in chord.tones)
    return inside / weight if weight else 1.0


@dataclass(frozen=True)
class ChordFitRule:
    """The melody's weight lies on notes of its chords (see `melody_fit` and `FIT`).

    Between `FOREIGN` and the aim it is noted only: chromatic and ornate tunes have many notes outside any chord.

    Args:
        share: Least share.
        part: Number of the melody's part.
    """

    share: float = FIT
    part: int = 0
    name: str = "chord-fit"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score = draft.content.score
        if score is None or self.part >= len(score.parts):
            return [_nothing(self.name)]
        share = melody_fit(score, self.part)
        return [
            Finding(
                rule=self.name,
                ok=share >= self.share,
                found=say("{share:.0%} of the melody on chord tones", "旋律 {share:.0%} 为和弦音", share=share),
                wanted=f"≥ {self.share:.0%}",
                hint=say("Choose chords that hold the melody's long notes.", "请选用包含旋律长音的和弦。"),
                severity="refuse" if share < FOREIGN else "note",
            )
        ]


@dataclass(frozen=True)
class EveryBarRule:
    """Every full bar has a chord that is understood, its own or one that goes on; `N.C.` counts as one."""

    name: str = "chords"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding."""
        score = draft.content.score
        if score is None or not score.length:
            return [_nothing(self.name)]
        unknown = next((symbol for symbol in score.chords if sounds(symbol.name) is None), None)
        first = score.chords[0].start if score.chords else -1
        begins = score.pickup if 0 < score.pickup < score.metres[0].bar else 0
        late = first < 0 or first > begins
        fault = say("no chord at {at}", "{at} 没有和弦", at=place(score, begins)) if late else ""
        if unknown:
            fault = say("{name!r} is not understood", "无法理解 {name!r}", name=unknown.name)
        return [
            Finding(
                rule=self.name,
                ok=not fault,
                place=place(score, unknown.start) if unknown else "",
                found=fault or say("chords in all {n} bars", "{n} 小节均有和弦", n=bars(score)),
                wanted=say("a chord in every bar", "每小节都有和弦"),
                hint=say("Write a chord over the first bar.", "请在第一小节写上和弦。"),
            )
        ]


@dataclass(frozen=True)
class LoopRule:
    """The end leads to the beginning: whole bars, nothing rings past the end, and the last chord calls for the first.

    A chord calls for any that stands on another root, but for the one a tritone away.
    """

    name: str = "loop"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Findings on the length and on the chords at the seam."""
        score = draft.content.score
        if score is None or not score.chords:
            return [_nothing(self.name)]
        left = score.length % score.metres[0].bar
        first, last = sounds(score.chords[0].name), sounds(score.chords[-1].name)
        apart = (last.root - first.root) % 12 if first and last else 0
        return [
            Finding(
                rule=self.name,
                ok=score.cyclic and not left and not score.pickup,
                found=say("{n} ticks over", "多出 {n}", n=left),
                wanted=say("whole bars without a pickup", "完整小节，无弱起"),
                hint=say("End with the bar.", "请在小节末结束。"),
            ),
            Finding(
                rule=self.name,
                ok=apart not in (0, 6),
                place=place(score, score.chords[-1].start),
                found=f"{score.chords[-1].name} → {score.chords[0].name}",
                wanted=say("a last chord that leads to the first", "末和弦导向首和弦"),
                hint=say("End on the dominant or a neighbour of the first chord.", "请结束于属和弦或邻近的和弦。"),
            ),
        ]


def _nothing(rule: str) -> Finding:
    return Finding(
        rule=rule, ok=False, found=say("no notes or no chords", "没有音符或和弦"), wanted=say("chords", "和弦")
    )
