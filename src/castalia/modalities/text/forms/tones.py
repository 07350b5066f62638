"""Tones and rhymes of Chinese characters, as strictly as other people's checkers might read them.

Works are written in simplified script, while 平水韵 lists traditional characters. A character's tone and rhyme only
count as certain when all readings of all its traditional forms agree; anything else may stand only where either tone
would do, and never rhymes.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

LEVEL, OBLIQUE = "P", "Z"
"""平 and 仄."""

System = Literal["pingshui", "xinyun"]

_AMPLE = 20
"""Certain rhymes that a group must have before a poem is rhymed on it."""


@dataclass(frozen=True)
class Tones:
    """One rhyme book."""

    tones: dict[str, str]
    """`P`, `Z`, or `PZ` where a character may be read either way; others are not in the book."""
    rhymes: dict[str, str]
    """The one level-tone group of each character that can be rhymed on without doubt."""

    def rhyming(self, group: str) -> frozenset[str]:
        """Characters of a group."""
        return _members(self, group)

    def __hash__(self) -> int:
        return id(self)


@cache
def tones(system: System, vocabulary: frozenset[str]) -> Tones:
    """The rhyme book, for the characters of a vocabulary in simplified script.

    Args:
        system: 平水韵, the book of classical verse, or 中华新韵, modern pronunciation.
        vocabulary: The characters that may be written.
    """
    readings: dict[str, set[tuple[str, str]]] = {}
    for group, tone, characters in _book(system):
        for character in characters:
            readings.setdefault(character, set()).add((tone, group))
    forms = _traditional() if system == "pingshui" else {}
    found: dict[str, str] = {}
    rhymes: dict[str, str] = {}
    for character in vocabulary:
        candidates = forms.get(character, (character,))
        known = [readings[candidate] for candidate in candidates if candidate in readings]
        if not known:
            continue
        both = set[tuple[str, str]]().union(*known)
        heights = {tone for tone, _ in both}
        # A converter takes the first candidate; when the book lacks that one, a checker may not know the tone.
        certain = candidates[0] in readings and len(heights) == 1
        found[character] = next(iter(heights)) if certain else LEVEL + OBLIQUE
        if certain and heights == {LEVEL} and len(both) == 1:
            rhymes[character] = next(iter(both))[1]
    counted: dict[str, int] = {}
    for group in rhymes.values():
        counted[group] = counted.get(group, 0) + 1
    return Tones(found, {character: group for character, group in rhymes.items() if counted[group] >= _AMPLE})


@cache
def _members(book: Tones, group: str) -> frozenset[str]:
    return frozenset(character for character, own in book.rhymes.items() if own == group)


def _book(system: System) -> Iterator[tuple[str, str, str]]:
    for line in _lines(f"{system}.txt.xz"):
        group, tone, characters = line.split("\t")
        yield group, LEVEL if tone == "平" else OBLIQUE, characters


def _traditional() -> dict[str, tuple[str, ...]]:
    table = (line.split("\t") for line in _lines("simplified.txt.xz"))
    return {one: tuple(many.split(" ")) for one, many in table}


def _lines(name: str) -> list[str]:
    data = (files("castalia") / "data" / "chinese" / name).read_bytes()
    return lzma.decompress(data).decode().splitlines()
