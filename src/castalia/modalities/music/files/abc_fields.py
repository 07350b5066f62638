"""The information fields of an ABC tune: what stands before its music."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from castalia.core.score import Mode

_STEPS = "FCGDAEB"
_MODES: dict[str, tuple[Mode, int]] = {
    "": ("major", 0), "maj": ("major", 0), "ion": ("major", 0), "m": ("minor", 3), "min": ("minor", 3),
    "aeo": ("minor", 3), "dor": ("dorian", 2), "phr": ("phrygian", 4), "lyd": ("lydian", -1),
    "mix": ("mixolydian", 1), "loc": ("minor", 5),
}  # fmt: skip
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]{0,12})")
_FRACTION = re.compile(r"(\d{1,3})\s*/\s*(\d{1,3})")
_TEMPO = re.compile(r"(?:(\d{1,2})/(\d{1,2})(?:\s+\d{1,2}/\d{1,2})*\s*=\s*)?(\d{1,3}(?:\.\d{1,4})?)\s*(?:\"|$)")
_CLEFS: dict[str, Literal["treble", "treble8", "bass", "percussion"]] = {
    "treble-8": "treble8", "bass": "bass", "perc": "percussion", "tenor": "bass", "bass3": "bass",
}  # fmt: skip
_MOST_VOICES = 256
_NAME = 200


@dataclass
class Described:
    """A voice as its V: field has it."""

    name: str = ""
    clef: Literal["treble", "treble8", "bass", "percussion"] = "treble"
    octave: int = 0
    program: int = 0


class Fields:
    """A tune's header while it is read.

    Attributes:
        keyed: Whether K: has come, which ends the header.
        metre: (beats, unit).
        tempo: Quarter notes a minute, 10 to 400.
    """

    def __init__(self) -> None:
        self.title, self.composer = "", ""
        self.fifths: int = 0
        self.mode: Mode = "major"
        self.metre: tuple[int, int] = (4, 4)
        self.tempo: float = 90.0
        self.voices: dict[str, Described] = {}
        self.keyed: bool = False
        self._unit: Fraction | None = None
        self._last = Described()

    @property
    def unit(self) -> Fraction:
        """The unit note length, of a whole note; without L: it follows the metre."""
        return self._unit or Fraction(1, 16 if Fraction(*self.metre) < Fraction(3, 4) else 8)

    def read(self, letter: str, value: str) -> None:
        """Take one field; those that say nothing about notes are passed by."""
        found = _FRACTION.match(value)
        if letter == "T":
            self.title = self.title or value.replace("\\%", "%")[:_NAME]
        elif letter == "C":
            self.composer = self.composer or value.replace("\\%", "%")[:_NAME]
        elif letter == "L" and found and int(found[1]) and int(found[2]):
            self._unit = Fraction(int(found[1]), int(found[2]))
        elif letter == "M":
            self._metre(value, found)
        elif letter == "Q":
            self._tempo(value)
        elif letter == "K":
            self.keyed = True
            self._key(value)

    def voice(self, value: str) -> str:
        """Take a V: field; its identifier, empty when there is none or there are too many."""
        words = value.split(maxsplit=1)
        if not words or (words[0] not in self.voices and len(self.voices) >= _MOST_VOICES):
            return ""
        described = self.voices.setdefault(words[0], Described())
        rest = words[1] if len(words) > 1 else ""
        if name := re.search(r"\b(?:name|nm)\s*=\s*\"([^\"]{0,200})\"", rest):
            described.name = name[1]
        if clef := re.search(r"\bclef\s*=\s*\"?([a-z]+[-+]?\d?)", rest) or re.match(r"([a-z]+[-+]?\d?)(?!=)\b", rest):
            described.clef = _CLEFS.get(clef[1], described.clef)
        if octave := re.search(r"\boctave\s*=\s*(-?[0-4])", rest):
            described.octave = int(octave[1])
        self._last = described
        return words[0]

    def program(self, value: str) -> None:
        """Take the General MIDI program of the voice before it."""
        if value.isascii() and value.isdigit() and len(value) < 4:
            self._last.program = min(127, int(value))

    def _metre(self, value: str, found: re.Match[str] | None) -> None:
        if value.startswith("C|"):
            self.metre = (2, 2)
        elif value.startswith("C") or value == "none":
            self.metre = (4, 4)
        elif found and int(found[2]) in (1, 2, 4, 8, 16) and 1 <= int(found[1]) <= 64:
            beats, unit = int(found[1]), int(found[2])
            self.metre = (beats * 2, 2) if unit == 1 else (beats, unit)

    def _tempo(self, value: str) -> None:
        found = _TEMPO.search(value)
        if found:
            of = Fraction(int(found[1]), int(found[2]) or 1) if found[1] else Fraction(1, 4)
            self.tempo = min(400.0, max(10.0, float(found[3]) * float(of) * 4))

    def _key(self, value: str) -> None:
        found = _KEY.match(value)
        if value.startswith(("HP", "Hp")):
            self.fifths, self.mode = 2, "mixolydian"
        elif found:
            self.mode, down = _MODES.get(found[3].lower()[:3], ("major", 0))
            alter = 7 * ((found[2] == "#") - (found[2] == "b"))
            self.fifths = max(-7, min(7, _STEPS.index(found[1]) - 1 + alter - down))
