"""Where percussion stands on its staff."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A line or space of the percussion staff, named as in the treble clef."""

    step: str
    octave: int
    head: str = ""
    """A note head of MusicXML; empty for the usual one."""


_PLACES = {
    35: Place("E", 4), 36: Place("F", 4), 37: Place("C", 5, "x"), 38: Place("C", 5), 39: Place("C", 5, "x"),
    40: Place("C", 5), 41: Place("G", 4), 42: Place("G", 5, "x"), 43: Place("A", 4), 44: Place("D", 4, "x"),
    45: Place("B", 4), 46: Place("G", 5, "circle-x"), 47: Place("D", 5), 48: Place("E", 5), 49: Place("A", 5, "x"),
    50: Place("E", 5), 51: Place("F", 5, "x"), 52: Place("B", 5, "x"), 53: Place("F", 5, "diamond"),
    54: Place("E", 5, "x"), 55: Place("A", 5, "x"), 56: Place("E", 5, "triangle"), 57: Place("A", 5, "x"),
    59: Place("F", 5, "x"), 70: Place("G", 5, "x"),
}  # fmt: skip


def place(key: int) -> Place:
    """The place of a General MIDI percussion key, after Weinberg's "Guidelines for Drumset Notation" (1998)."""
    return _PLACES.get(key, Place("B", 4))
