"""Music to write, as steps of a plan: four voices, a melody, an accompaniment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from castalia.core.score import ChordSymbol, Note, Score


class Span(NamedTuple):
    """From one place to another."""

    start: int
    end: int
    """Ticks."""


@dataclass(frozen=True)
class Kept:
    """A stretch of a part that stands as it is given, rests too."""

    part: int
    start: int
    end: int
    """Ticks."""


@dataclass(frozen=True)
class Wish:
    """What some parts should rather sing from one place to another."""

    start: int
    end: int
    """Ticks."""
    nats: Mapping[int, float]
    """By pitch class, added to the score of each such pitch; -inf is only kept to where another pitch is left."""
    parts: tuple[int, ...] = (0, 1, 2, 3)


@dataclass(frozen=True)
class VoicesStep:
    """One node of a plan: four voices to write, high to low."""

    name: str
    sketch: Score
    """Title, parts, key, metre and tempo of the finished score, with the notes that are given."""
    length: int
    """Ticks of the whole."""
    kept: tuple[Kept, ...] = ()
    """What stands in the sketch; all else is written."""
    wishes: tuple[Wish, ...] = ()
    holds: tuple[Span, ...] = ()
    """Stretches over which every voice holds what it begins them with, as at the end of a phrase."""
    temperature: float = 0.7
    """Divides the scores of pitches that a voice may move to."""


@dataclass(frozen=True)
class TuneStep:
    """One node of a plan: a melody to write."""

    name: str
    sketch: Score
    """Title, one part, key, metre (the first one), pickup and tempo of the finished tune, with the given notes."""
    length: int
    """Ticks of the whole, the pickup too; it ends with a bar, or with what the pickup leaves of it."""
    kept: tuple[Kept, ...] = ()
    """What stands in the sketch; all else is written."""
    rhythm: tuple[Note, ...] = ()
    """Notes whose start, length and syllable stand and whose pitch (0 here) is written, with rests between them; empty
    leaves rhythm open."""
    phrases: tuple[int, ...] = ()
    """Ticks at which a phrase comes to rest, the last at the end; empty is every four bars. Phrases of one length may
    return."""
    style: str = ""
    """A kind of tune that the model was taught, e.g. `jig`; empty takes whichever fits the metre."""
    lowest: int = 60
    highest: int = 79
    """MIDI numbers between which it moves, both within."""
    chords: tuple[ChordSymbol, ...] = ()
    """Chords that its strong notes belong to; empty leaves harmony open."""
    calm: float = 0.0
    """Nats for each doubling of a note's length: above 0 it moves in longer notes than tunes do."""
    temperature: float = 0.95
    """Divides the scores of pitches."""


@dataclass(frozen=True)
class Player:
    """Somebody who accompanies: which texture is played, on what, where and how loud."""

    name: str
    """As printed before the staff."""
    role: Literal["chords", "bass", "drums"]
    texture: str
    """A name in `data/textures.toml`, of this role."""
    program: int = 0
    """General MIDI program, from 0."""
    lowest: int = 48
    highest: int = 71
    """MIDI numbers between which it plays, both within; of drums nothing."""
    loudness: int = 68
    """MIDI velocity about which the texture's accents lie."""
    voices: int = 3
    """Notes of a chord at once."""
    rooted: bool = False
    """Whether its lowest note is the chord's bass: of one who plays without a bass."""


@dataclass(frozen=True)
class ArrangementStep:
    """One node of a plan: an accompaniment to write, and the chords too where none are given."""

    name: str
    sketch: Score
    """Title, key, metres, pickup and tempo of the finished score, and the melody that stands, as its first part; with
    no part there is none."""
    length: int
    """Ticks of the whole."""
    players: tuple[Player, ...]
    chords: tuple[ChordSymbol, ...] = ()
    """What is played; empty has them found under the melody, or drawn, a chord a bar, where there is none."""
    alike: tuple[tuple[Span, int], ...] = ()
    """Stretches of the melody that come again, each with the tick at which it came first: they get its chords."""
    sevenths: bool = False
    """Whether triads that are drawn get the sevenths of the key."""
    loops: bool = False
    """Whether the end leads to the beginning, instead of closing on a full chord."""
    temperature: float = 0.0
    """0 takes the likeliest chords; above, they are drawn."""


MusicStep = VoicesStep | TuneStep | ArrangementStep
MusicStepMaker = Callable[[Mapping[str, str]], MusicStep]
"""Makes a step from what the steps before it wrote, by name: texts as they are, scores as JSON of `Score`."""
