"""What the music genres have in common: key, mode and tempo out of a brief's words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ValidationError

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Rule
from castalia.core.score import Score
from castalia.core.script import simplified
from castalia.core.values import Brief, Content, Draft, Finding
from castalia.modalities.music import write_abc

Mode = Literal["major", "minor"]
SLOWEST = 20
"""Quarters a minute."""


def _playable(tempo: int) -> int:
    if 0 < tempo < SLOWEST:
        raise ValueError(say("at least {n}, or 0", "不小于 {n}，或为 0", n=SLOWEST))
    return tempo


Tempo = Annotated[int, AfterValidator(_playable)]
"""Quarters a minute, or 0 to leave it open."""

_FIFTHS = {"C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5, "F": -1}
_WRITTEN = re.compile(
    r"(?<![A-Za-z])([A-Ga-g])\s*(♯|#|♭|b|-?\s?sharp|-?\s?flat)?\s*[- ]?\s*(major|minor|maj|min|dur|moll)(?![A-Za-z])",
    re.IGNORECASE,
)
_CHINESE = re.compile(r"(升|降)?\s*([A-Ga-g])\s*(大|小)调")
_SHORT = re.compile(r"([A-Ga-g])(#|b|♯|♭)?(m)?")
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
_DEFAULT_TEMPO = 76


@dataclass(frozen=True)
class Key:
    """A key that at most six sharps or flats write."""

    fifths: int
    """Sharps; negative for flats."""
    mode: Mode

    @property
    def tonic(self) -> int:
        """Pitch class of the first degree."""
        return (7 * self.fifths + (9 if self.mode == "minor" else 0)) % 12

    @property
    def scale(self) -> frozenset[int]:
        """Pitch classes of the key; in minor with the raised sixth and seventh."""
        raised = (9, 11) if self.mode == "minor" else ()
        return frozenset((self.tonic + step) % 12 for step in (*_SCALES[self.mode], *raised))

    @property
    def triad(self) -> tuple[int, int, int]:
        """Pitch classes of the tonic chord: root, third, fifth."""
        third = 3 if self.mode == "minor" else 4
        return self.tonic, (self.tonic + third) % 12, (self.tonic + 7) % 12

    @property
    def dominant(self) -> tuple[int, int, int]:
        """Pitch classes of the dominant chord, with the leading note."""
        return (self.tonic + 7) % 12, (self.tonic + 11) % 12, (self.tonic + 2) % 12


@dataclass(frozen=True)
class NotedRule:
    """Another rule whose findings are only shown: for what the user gave."""

    rule: Rule

    @property
    def name(self) -> str:
        """The rule's."""
        return self.rule.name

    def check(self, draft: Draft) -> Sequence[Finding]:
        """The rule's findings as notes."""
        return [each.model_copy(update={"severity": "note"}) for each in self.rule.check(draft)]


@dataclass(frozen=True)
class MovedRule:
    """Says that a given melody was brought into another key, which changes the work and breaks nothing.

    Args:
        begins: MIDI number with which it began; the work's first part sings it.
    """

    begins: int
    name: str = "transposed"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A note where it was not moved by octaves alone."""
        score = draft.content.score
        notes = score.parts[0].notes if score and score.parts else ()
        away = (notes[0].pitch - self.begins + 6) % 12 - 6 if notes else 0
        moved = say("moved by {n:+d} semitones", "移高 {n:+d} 个半音", n=away)
        return [
            Finding(
                rule=self.name,
                ok=not away,
                severity="note",
                found=moved if away else say("as given", "与给定相同"),
                wanted=say("the key that was given", "给定的调"),
                hint=say("In that key the melody leaves the soprano's range.", "在原调中旋律超出女高音音域。"),
            )
        ]


def key_in(words: str) -> Key | None:
    """The key that a text names: `E minor`, `B flat major`, `降E大调`; None when it names none."""
    words = simplified(words)
    if found := _WRITTEN.search(words):
        return _key(found[1], found[2] or "", "minor" if found[3].lower() in ("minor", "min", "moll") else "major")
    if found := _CHINESE.search(words):
        return _key(found[2], {"升": "#", "降": "b"}.get(found[1] or "", ""), "minor" if found[3] == "小" else "major")
    return None


def wished_key(given: str, words: str) -> Key | None:
    """The key that a field names, also as `Em` or `Bb`, else that of the brief's words.

    Raises:
        UsageError: the field names none.
    """
    if not given:
        return key_in(words)
    found = key_in(given)
    if found is None and (short := _SHORT.fullmatch(given.strip())):
        found = _key(short[1], short[2] or "", "minor" if short[3] or short[1].islower() else "major")
    if found is None:
        raise UsageError(
            say("{given!r} names no key.", "{given!r} 不是调名。", given=given),
            hint=say("For example: E minor, Bb major, Em, F#.", "例如：E小调、降B大调、Em、F#。"),
        )
    return found


def mood_of(words: str) -> tuple[Mode | None, int]:
    """(mode, tempo in quarters a minute) that the words ask for."""
    hits = moods_in(words)
    modes = [mood["mode"] for mood in hits if "mode" in mood]
    tempos = [int(mood["tempo"]) for mood in hits]
    return (modes[0] if modes else None), (round(sum(tempos) / len(tempos)) if tempos else _DEFAULT_TEMPO)


def moods_in(words: str) -> list[dict[str, Any]]:
    """The groups of `data/moods.toml` that a text names a word of."""
    words = simplified(words)
    plain = set(re.findall(r"[a-z]+", words.lower()))
    return [
        mood for mood in _moods() if any(word in plain if word.isascii() else word in words for word in mood["words"])
    ]


def assembled(brief: Brief, written: str) -> Content:
    """The work from a step's score, given as JSON: the score, and the same as ABC text."""
    try:
        score = Score.model_validate_json(written)
    except ValidationError:  # no score: the rules refuse it
        return Content(text=written.strip(), language=brief.fields.language)
    return Content(title=score.title, text=write_abc(score), score=score, language=brief.fields.language)


def tempered(key: Key, *, nats: float) -> dict[int, float]:
    """A wish to stay in a key: `nats` off every pitch class outside."""
    return {name: -nats for name in range(12) if name not in key.scale}


def only(names: Sequence[int]) -> dict[int, float]:
    """A wish for these pitch classes and no others."""
    return {name: float("-inf") for name in range(12) if name not in names}


def drawn_key(seed: int, mode: Mode | None) -> Key:
    """A key of few accidentals, by the seed."""
    chosen: Mode = mode or ("major", "minor")[seed // 7 % 2]
    return Key((0, 1, -1, 2, -2, 3, -3)[seed % 7], chosen)


def _key(letter: str, sign: str, mode: Mode) -> Key:
    sign = sign.lower().strip("- ")
    fifths = _FIFTHS[letter.upper()] + {"♯": 7, "#": 7, "sharp": 7, "♭": -7, "b": -7, "flat": -7}.get(sign, 0)
    fifths -= 3 if mode == "minor" else 0
    return Key((fifths + 6) % 12 - 6 if abs(fifths) > 7 else fifths, mode)


@cache
def _moods() -> Sequence[dict[str, Any]]:
    return tomllib.loads((files("castalia") / "data" / "moods.toml").read_text(encoding="utf-8"))["mood"]
