"""A score: what is to be played or sung, exact in musical time, independent of any file format."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from castalia.core.value import Value

QUARTER = 48
"""Ticks of a quarter note: halves, triplets and sixty-fourths are whole numbers of ticks."""

Mode = Literal["major", "minor", "dorian", "phrygian", "lydian", "mixolydian"]
Kind = Literal["voice", "melodic", "chords", "bass", "drums"]


class Note(NamedTuple):
    """One sounding note, tied notes as one."""

    start: int
    """Ticks from the beginning of the score."""
    length: int
    """Ticks, at least 1."""
    pitch: int
    """MIDI number, 0–127; 60 is middle C. In a part of drums the General MIDI percussion key."""
    velocity: int = 80
    """MIDI velocity, 1–127."""
    lyric: str = ""
    """Syllable that is sung; a trailing hyphen says that the word goes on."""


class ChordSymbol(NamedTuple):
    """A chord written over the staff."""

    start: int
    """Ticks from the beginning."""
    name: str
    """As musicians write it: root, quality and bass, e.g. `F#m7/C#`; `N.C.` for none."""


class Metre(NamedTuple):
    """A time signature, from a place on."""

    start: int
    """Ticks from the beginning; of a bar's first beat."""
    beats: int
    unit: int
    """2, 4, 8 or 16: the note value of a beat."""

    @property
    def bar(self) -> int:
        """Ticks of a bar."""
        return QUARTER * 4 * self.beats // self.unit


class Part(Value):
    """One line or instrument; its notes sorted by start, then by pitch."""

    name: str
    """As printed before the staff, in the work's language."""
    program: Annotated[int, Field(ge=0, le=127)] = 0
    """General MIDI program, from 0: 0 is a piano, 19 a church organ, 52 a choir."""
    kind: Kind = "melodic"
    """`voice` is one note at a time and is printed on a staff of its own; the others may hold chords."""
    clef: Literal["treble", "treble8", "bass", "percussion"] = "treble"
    """`treble8` sounds an octave lower than written."""
    notes: tuple[Note, ...] = ()


class Score(Value):
    """A piece of music."""

    title: str = ""
    composer: str = ""
    """Who is printed at the top right; empty prints nobody."""
    parts: tuple[Part, ...]
    fifths: Annotated[int, Field(ge=-7, le=7)] = 0
    """Sharps of the key signature; negative for flats."""
    mode: Mode = "major"
    metres: tuple[Metre, ...] = (Metre(0, 4, 4),)
    """At least one; the first begins at 0."""
    pickup: int = 0
    """Ticks of the incomplete bar at the beginning; 0 when the first bar is full. It counts from the first metre."""
    tempo: Annotated[float, Field(ge=10, le=400)] = 90.0
    """Quarter notes a minute."""
    chords: tuple[ChordSymbol, ...] = ()
    phrases: tuple[int, ...] = ()
    """Ticks at which a phrase ends on a held note (a fermata in a chorale)."""

    cyclic: bool = False
    """Whether it is played round and round: its sound ends exactly with its last bar, and what rings on is heard at
    the beginning."""

    @property
    def length(self) -> int:
        """Ticks up to the end of the last note."""
        return max((note.start + note.length for part in self.parts for note in part.notes), default=0)

    @property
    def seconds(self) -> float:
        """How long it sounds at its tempo."""
        return self.length / QUARTER * 60 / self.tempo
