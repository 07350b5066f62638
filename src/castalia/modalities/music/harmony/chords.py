"""Chord symbols as sets of pitch classes, and their names in a key."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from castalia.core.score import Mode
from castalia.modalities.music.files.chord_names import NONE
from castalia.modalities.music.files.spelling import spell

QUALITIES: dict[str, tuple[int, ...]] = {
    "": (0, 4, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10),
    "m7b5": (0, 3, 6, 10), "dim7": (0, 3, 6, 9),
}  # fmt: skip
"""What the chord model writes: each quality's semitones above the root."""
NAMES = tuple(QUALITIES)
STATES = 12 * len(NAMES)
"""A state is `12 * quality + root`, the root in semitones above the tonic."""

_ROOT = re.compile(r"([A-G])([#b]{0,2})(.*)\Z", re.DOTALL)
_QUALITY = re.compile(
    r"(?P<third>maj|Maj|min|M|mi|m|-|Δ|dim|°|o|ø|aug|\+)?(?P<major>maj|M)?(?P<number>6/9|69|2|4|5|6|7|9|11|13)?"
    r"(?P<more>(?:\(?(?:sus2|sus4|sus|add[#b]?(?:2|4|6|9|11|13)|no[35]|[#b+-](?:5|9|11|13)|alt)\)?,?){0,5})\Z"
)
_MORE = re.compile(r"sus2|sus4|sus|add[#b]?\d+|no[35]|[#b+-]\d+|alt")
_DEGREES = {2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 9: 14, 11: 17, 13: 21}
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_LONGEST = 24
"""Letters of a symbol."""


class Chord(NamedTuple):
    """What a symbol sounds."""

    root: int
    """Pitch class."""
    tones: tuple[int, ...]
    """Pitch classes, the root's first, in the order of the symbol's thirds; none for `N.C.`"""
    bass: int
    """Pitch class of the lowest note: the root, or what stands behind the slash."""


@cache
def chord_of(name: str) -> Chord | None:
    """The chord of a symbol: triads, sixths to thirteenths, suspended, altered, added notes, slash; None for no chord.

    `N.C.` is a chord without tones.
    """
    plain = name.replace("♯", "#").replace("♭", "b").strip()
    if plain in (NONE, "NC", "N.C"):
        return Chord(0, (), 0)
    body, slash, low = plain.rpartition("/")
    if not slash or low == "9":
        body, low = plain, ""
    elif not low:
        return None
    found, bass = _ROOT.match(body), _ROOT.match(low)
    if len(plain) > _LONGEST or not found or (low and (not bass or bass[3])):
        return None
    steps = intervals(found[3])
    if steps is None:
        return None
    root = _pitch_class(found[1], found[2])
    return Chord(root, tuple((root + step) % 12 for step in steps), _pitch_class(bass[1], bass[2]) if bass else root)


def intervals(quality: str) -> tuple[int, ...] | None:
    """Semitones above the root of what stands behind it, e.g. `m7b5`; None where it says nothing that is known."""
    found = _QUALITY.match(quality)
    if not found:
        return None
    third, number = found["third"] or "", found["number"] or ""
    minor, flat = third in ("min", "mi", "m", "-"), third in ("dim", "°", "o", "ø")
    made = {1: 0, 3: 3 if minor or flat else 4, 5: 6 if flat else 8 if third in ("aug", "+") else 7}
    if number == "5":
        made.pop(3)
    elif number in ("6", "69", "6/9"):
        made[6] = 9
        if number != "6":
            made[9] = 14
    elif number in ("2", "4"):
        made[int(number) if number == "4" else 9] = _DEGREES[int(number)] + (12 if number == "2" else 0)
    if number in ("7", "9", "11", "13") or third in ("ø", "Δ"):
        major = bool(found["major"]) or third in ("maj", "Maj", "M", "Δ")
        made[7] = 11 if major else 9 if third in ("dim", "°", "o") else 10
        for extra in (9, 11, 13):
            if number.isdigit() and extra <= int(number) and not (extra == 11 and number == "13"):
                made[extra] = _DEGREES[extra]
    for word in _MORE.findall(found["more"]):
        _altered(made, word)
    return tuple(dict.fromkeys(step % 12 for _, step in sorted(made.items())))


def name_of(root: int, quality: str, fifths: int, mode: Mode) -> str:
    """The symbol of a chord on a pitch class, spelled for its key: B♭ in F major, G sharp diminished in A minor.

    Args:
        root: Pitch class.
        quality: One of `QUALITIES`.
        fifths: Sharps of the key signature.
        mode: Of the key.
    """
    if quality.startswith(("dim", "m7b5")):  # they lead upward from a raised note
        written = spell(60 + root, fifths, mode=mode)
        step, alter = written.step, written.alter
    else:
        low = fifths - 5
        place = low + (root * 7 - low) % 12
        step, alter = "FCGDAEB"[(place + 1) % 7], (place + 1) // 7
    return f"{step}{'#' * alter}{'b' * -alter}{quality}"


def _altered(made: dict[int, int], word: str) -> None:
    """Apply one of `sus4`, `add9`, `no3`, `b5`, `alt`."""
    if word.startswith("sus"):
        made.pop(3, None)
        made[4 if word != "sus2" else 2] = 5 if word != "sus2" else 2
    elif word.startswith("no"):
        made.pop(int(word[2:]), None)
    elif word == "alt":
        made |= {5: 8, 9: 13}
    else:
        sign = word.removeprefix("add")
        degree = int(sign.lstrip("#b+-"))
        moved = {"#": 1, "+": 1, "b": -1, "-": -1}.get(sign[0], 0)
        made[degree] = _DEGREES[degree] + moved


def _pitch_class(letter: str, sign: str) -> int:
    return (_LETTERS[letter] + sign.count("#") - sign.count("b")) % 12
