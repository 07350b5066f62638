"""What a chord symbol says, for the rules alone: its root, its bass and its notes."""

from __future__ import annotations

from typing import NamedTuple

from castalia.core.score import ChordSymbol, Score

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"#": 1, "♯": 1, "b": -1, "♭": -1}
_THIRDS = {
    "maj": (4, 7), "min": (3, 7), "dim": (3, 6), "aug": (4, 8), "°": (3, 6), "ø": (3, 6), "+": (4, 8), "-": (3, 7),
    "m": (3, 7), "M": (4, 7), "Δ": (4, 7),
}  # fmt: skip
"""Third and fifth of a chord by what its quality begins with."""
_SILENT = ("N.C.", "NC", "N.C")


class Sounds(NamedTuple):
    """A chord symbol read."""

    root: int
    """Pitch class."""
    bass: int
    """Pitch class."""
    tones: frozenset[int]
    """Pitch classes; none where nothing sounds, and all where the symbol says more than is understood here."""


def sounds(name: str) -> Sounds | None:
    """The chord of a symbol; None where it has no root."""
    if name in _SILENT:
        return Sounds(0, 0, frozenset())
    root, rest = _note(name)
    if root is None:
        return None
    quality, _, under = rest.partition("/")
    below, left = _note(under) if under[:1].isalpha() else (None, "")
    if left:
        return None
    bass = root if below is None else below
    steps = _steps(quality.replace("(", "").replace(")", ""))
    return Sounds(root, bass, frozenset((root + step) % 12 for step in steps))


def standing(score: Score) -> list[tuple[int, int, ChordSymbol]]:
    """(from, to, symbol) of the chords in order, the last one to the end."""
    symbols = sorted(score.chords)
    ends = [*(symbol.start for symbol in symbols[1:]), max(score.length, 1)]
    return [(symbol.start, end, symbol) for symbol, end in zip(symbols, ends, strict=True) if end > symbol.start]


def _note(text: str) -> tuple[int | None, str]:
    """The pitch class that a text begins with, and what is left of it."""
    if text[:1] not in _STEPS:
        return None, text
    pitch, place = _STEPS[text[0]], 1
    while place < len(text) and place < 3 and text[place] in _SIGNS:
        pitch, place = pitch + _SIGNS[text[place]], place + 1
    return pitch % 12, text[place:]


def _steps(quality: str) -> set[int]:
    """Semitones above the root; a quality that is not understood may be anything."""
    third, fifth, extra = 4, 7, set[int]()
    left = quality
    for word, (a, b) in _THIRDS.items():
        if left.startswith(word):
            third, fifth, left = a, b, left[len(word) :]
            break
    major = quality.startswith(("maj", "M", "Δ"))
    for word in ("maj", "M"):
        if left.startswith(word):
            major, left = True, left[len(word) :]
    seventh = 11 if major else 9 if quality.startswith(("dim", "°")) else 10
    plain = {"": set[int](), "6": {9}, "7": {seventh}, "9": {seventh, 2}, "11": {seventh, 2, 5}, "13": {seventh, 2, 9}}
    plain |= {"69": {9, 2}, "add9": {2}, "2": {2}, "sus4": {5}, "sus": {5}, "sus2": {2}, "7sus4": {seventh, 5}}
    plain |= {"5": set[int](), "7b5": {seventh}, "7b9": {seventh, 1}, "7#5": {seventh}}
    if left not in plain:
        return set(range(12))
    extra = plain[left]
    if quality.startswith("ø"):
        extra = extra | {10}
    if quality.startswith("Δ"):
        extra = extra | {11}
    if "sus" in left or left == "5":
        third = 0
    if left == "7b5":
        fifth = 6
    if left == "7#5":
        fifth = 8
    return {0, third, fifth} | extra
