"""Chord symbols taken apart, as MusicXML wants them."""

from __future__ import annotations

import re
from typing import NamedTuple

NONE = "N.C."
_SYMBOL = re.compile(r"([A-G])([#b]{0,2})([^/]*)(?:/([A-G])([#b]{0,2}))?\Z")
_KINDS = {
    "": "major", "M": "major", "maj": "major", "m": "minor", "min": "minor", "-": "minor",
    "aug": "augmented", "+": "augmented", "dim": "diminished", "°": "diminished", "o": "diminished",
    "7": "dominant", "maj7": "major-seventh", "M7": "major-seventh", "Δ": "major-seventh", "m7": "minor-seventh",
    "min7": "minor-seventh", "-7": "minor-seventh", "dim7": "diminished-seventh", "°7": "diminished-seventh",
    "o7": "diminished-seventh", "m7b5": "half-diminished", "ø": "half-diminished", "ø7": "half-diminished",
    "aug7": "augmented-seventh", "+7": "augmented-seventh", "mM7": "major-minor", "mmaj7": "major-minor",
    "6": "major-sixth", "m6": "minor-sixth", "9": "dominant-ninth", "maj9": "major-ninth", "m9": "minor-ninth",
    "11": "dominant-11th", "m11": "minor-11th", "13": "dominant-13th", "maj13": "major-13th", "m13": "minor-13th",
    "sus2": "suspended-second", "sus4": "suspended-fourth", "sus": "suspended-fourth", "5": "power",
}  # fmt: skip


class Chord(NamedTuple):
    """A chord symbol's parts."""

    step: str
    alter: int
    kind: str
    """One of MusicXML's kind values; `other` for a quality it has no word for, `none` for no chord."""
    text: str
    """The quality as it was written."""
    bass: tuple[str, int] | None


def parse(name: str) -> Chord | None:
    """A symbol's parts; None when it is no chord symbol."""
    if name in (NONE, "NC"):
        return Chord("C", 0, "none", NONE, None)
    found = _SYMBOL.match(name.replace("♯", "#").replace("♭", "b"))
    if not found:
        return None
    step, sign, quality, bass, bass_sign = found.groups()
    lowest = (str(bass), _alter(bass_sign)) if bass else None
    return Chord(str(step), _alter(sign), _KINDS.get(quality, "other"), quality, lowest)


def symbol(step: str, alter: int, kind: str, text: str, bass: tuple[str, int] | None) -> str:
    """The symbol of parts as MusicXML files have them, the written quality before the kind's."""
    if kind == "none":
        return NONE
    quality = text or next((short for short, name in _KINDS.items() if name == kind), "")
    lowest = f"/{bass[0]}{_sign(bass[1])}" if bass else ""
    return f"{step}{_sign(alter)}{quality}{lowest}"


def _alter(sign: str) -> int:
    return sign.count("#") - sign.count("b")


def _sign(alter: int) -> str:
    return "#" * alter if alter > 0 else "b" * -alter
