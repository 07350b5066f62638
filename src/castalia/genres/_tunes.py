"""Kinds of tune: how each goes, and the words of a brief that ask for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from castalia.core.language import say
from castalia.core.score import QUARTER, Metre, Mode, Note, Score
from castalia.core.script import simplified
from castalia.core.values import Draft, Finding
from castalia.genres._music import Key, wished_key
from castalia.modalities.music import melody_of
from castalia.quality import key_of

KindName = Literal["", "air", "jig", "slip jig", "reel", "hornpipe", "strathspey", "march", "waltz", "polka"]
MetreName = Literal["", "2/4", "3/4", "4/4", "6/8", "9/8"]
SoundName = Literal["flute", "violin", "piano", "clarinet", "accordion", "guitar", "music box", "whistle"]
PROGRAMS: dict[SoundName, int] = {
    "flute": 73, "violin": 40, "piano": 0, "clarinet": 71, "accordion": 21, "guitar": 24, "music box": 10,
    "whistle": 78,
}  # fmt: skip
_BARE = re.compile(
    r"\bin ([A-G])([#♯♭b]|\s(?:sharp|flat))?(?=$|[\s,.;:!?])(?!\s+(?!and\b|with\b|for\b|at\b)[a-z])|(升|降)?([A-G])调"
)


@dataclass(frozen=True)
class OneMetreRule:
    """A note where a given melody changes its metre, which tunes here do not."""

    given: Score
    name: str = "metre"

    def check(self, draft: Draft) -> Sequence[Finding]:  # noqa: ARG002 (as every rule has it)
        """See `Rule.check`."""
        first, *others = self.given.metres
        return [
            Finding(
                rule=self.name,
                ok=not others,
                found=say("{n} metres", "{n} 种拍号", n=len(others) + 1),
                wanted=f"{first.beats}/{first.unit}",
                hint=say("Its barlines are those of the first.", "小节线按第一种拍号划分。"),
                severity="note",
            )
        ]


LOWEST, HIGHEST = 57, 84
"""MIDI numbers beyond which no tune is written."""
BELOW, ABOVE = 5, 14
"""Semitones below and above its tonic between which a tune moves."""


@dataclass(frozen=True)
class TuneKind:
    """How tunes of a kind go."""

    metre: MetreName
    tempo: int
    """Quarters a minute."""
    style: str
    """The kind as the model was taught it; empty where it knows too few."""
    pickups: tuple[int, ...]
    """Upbeats, in ticks, of which the seed takes one."""
    words: str
    """Pattern of the words that ask for it."""


METRES: dict[str, MetreName] = {"2/4": "2/4", "3/4": "3/4", "4/4": "4/4", "6/8": "6/8", "9/8": "9/8"}
KINDS: dict[str, TuneKind] = {
    "slip jig": TuneKind("9/8", 165, "slip jig", (0,), r"slip ?jig|hop ?jig|滑步吉格"),
    "jig": TuneKind("6/8", 168, "jig", (QUARTER // 2, 0), r"\bjigs?\b|\bgigue\b|吉格|吉格舞"),
    "reel": TuneKind("4/4", 190, "reel", (0, QUARTER // 2), r"\breels?\b|里尔|利尔"),
    "hornpipe": TuneKind("4/4", 152, "hornpipe", (QUARTER // 2, 0), r"hornpipe|角笛|号笛|水手舞"),
    "strathspey": TuneKind("4/4", 120, "strathspey", (QUARTER // 2, 0), r"strathspey|斯特拉斯佩"),
    "march": TuneKind("4/4", 112, "march", (0, QUARTER // 2), r"\bmarch(es)?\b|进行曲"),
    "waltz": TuneKind("3/4", 150, "air", (0, QUARTER), r"\bwaltz(es)?\b|华尔兹|圆舞曲"),
    "polka": TuneKind("2/4", 116, "", (0, QUARTER // 2), r"\bpolkas?\b|波尔卡"),
    "air": TuneKind("3/4", 84, "air", (0, QUARTER), r"\bairs?\b|\bsongs?\b|lullaby|ballad|歌谣|小调|摇篮曲|歌曲"),
}
ANY = TuneKind("4/4", 0, "", (0, QUARTER // 2), "")
"""A tune of no kind; its tempo follows the mood."""


def kind_named(given: str, words: str, metre: MetreName) -> tuple[str, TuneKind]:
    """The kind that a field names, else the brief's words, else none; in the metre that was asked."""
    words = simplified(words)
    name = given or next((name for name, kind in KINDS.items() if re.search(kind.words, words, re.IGNORECASE)), "")
    kind = KINDS.get(name, ANY)
    return name, replace(kind, metre=metre) if metre else kind


def metre_in(words: str) -> MetreName:
    """The metre that words name, e.g. `6/8`; empty when they name none."""
    found = re.search(r"(?<!\d)(2/4|3/4|4/4|6/8|9/8)(?!\d)", words)
    return METRES[found[1]] if found else ""


def wished_tonic(given: str, words: str, mode: Literal["major", "minor"] | None) -> Key | None:
    """The key of a field or of words, where a bare tonic will do: `in D`, `D调`; then the mode is the mood's.

    Raises:
        UsageError: the field names no key.
    """
    if found := wished_key(given, words):
        return found
    bare = _BARE.search(simplified(words))
    letter, sign = (bare[1] or bare[4], bare[2] or bare[3] or "") if bare else ("", "")
    sign = {"升": "#", "降": "b", " sharp": "#", " flat": "b"}.get(sign, sign)
    return wished_key(f"{letter}{sign} {mode or 'major'}", "") if letter else None


def metre_of(name: str) -> Metre:
    """From the beginning on."""
    beats, unit = map(int, name.split("/"))
    return Metre(0, beats, unit)


def signature_of(score: Score) -> tuple[int, Mode]:
    """(sharps, mode) as a score says; by what sounds where its signature is empty, as in many MIDI files."""
    if (score.fifths, score.mode) != (0, "major"):
        return score.fifths, score.mode
    guess = key_of(score)
    return guess.fifths, guess.mode


def begun(score: Score) -> Score:
    """A score without the bars of rest before its melody begins, as files of one part of many have them."""
    metre, first = score.metres[0], melody_of(score)[0].start
    until = min([first, *(each.start for each in score.metres[1:])])
    skipped = max(0, until - score.pickup) // metre.bar * metre.bar
    if not skipped:
        return score
    skipped += score.pickup
    parts = tuple(
        part.model_copy(
            update={"notes": tuple(n._replace(start=n.start - skipped) for n in part.notes if n.start >= skipped)}
        )
        for part in score.parts
    )
    return score.model_copy(
        update={
            "parts": parts,
            "pickup": 0,
            "metres": tuple(each._replace(start=max(0, each.start - skipped)) for each in score.metres),
            "chords": tuple(c._replace(start=c.start - skipped) for c in score.chords if c.start >= skipped),
            "phrases": tuple(tick - skipped for tick in score.phrases if tick > skipped),
        }
    )


def line_of(score: Score) -> tuple[Note, ...]:
    """The melody of a given score, from its own beginning, one note at a time."""
    notes = melody_of(score)
    made: list[Note] = []
    for note in notes:
        if made and made[-1].start + made[-1].length > note.start:
            made[-1] = made[-1]._replace(length=max(1, note.start - made[-1].start))
        made.append(note)
    return tuple(made)


def compass(tonic: int, middle: float) -> tuple[int, int]:
    """Lowest and highest MIDI number of a tune on a tonic (pitch class) that lies around `middle`."""
    base = next(pitch for pitch in range(int(middle) - 8, int(middle) + 5) if pitch % 12 == tonic)
    return max(LOWEST, base - BELOW), min(HIGHEST, base + ABOVE)


def compass_for(sound: SoundName, tonic: int) -> tuple[int, int]:
    """Where a composed tune lies on an instrument: winds go down to middle C, the others to the A below."""
    wind = sound in ("flute", "whistle", "clarinet", "music box")
    lowest, highest = compass(tonic, 70 if wind else 66)
    return max(lowest, 60 if wind else LOWEST), highest
