"""One voice of an ABC tune, token by token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from castalia.core.score import QUARTER, Note
from castalia.modalities.music.spelling import signature

FINE = 5040
"""Parts of a tick: tuplets of up to ten divide them."""
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SIGNS = {"__": -2, "_": -1, "=": 0, "^": 1, "^^": 2}
_NOTE = re.compile(r"([_=^]{0,2})([A-Ga-g])([,']*)(\d{0,4}/{0,4}\d{0,4})(-?)")
_LENGTH = re.compile(r"(\d{0,4})(/{0,4})(\d{0,4})")
_SYLLABLE = re.compile(r"(?:\\.|[^\s\-_*|\\])+|-|_|\*|\|")
_IN_TIME = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_LONGEST = 16 * 192
"""Ticks of one note or rest."""


@dataclass
class Written:
    """A note as it stands, in parts of a tick; `group` numbers what sounds at one stem."""

    start: int
    length: int
    pitch: int
    group: int
    tied: bool = False
    lyric: str = ""


class Voice:
    """What a voice has played so far.

    Attributes:
        fifths: Sharps of the key signature that holds now.
        unit: The unit note length that holds now.
        symbols: Chord symbols with their places.
        held: Ends of notes under a fermata.
        bar_ends: Places of the barlines.
        metres: Places of the metres.
    """

    def __init__(self, fifths: int, unit: Fraction, metre: tuple[int, int], octave: int) -> None:
        self.fifths, self.unit = fifths, unit
        self.notes: list[Written] = []
        self.symbols: list[tuple[int, str]] = []
        self.held: list[int] = []
        self.bar_ends: list[int] = []
        self.metres: list[tuple[int, tuple[int, int]]] = [(0, metre)]
        self._octave = octave
        self._now = self._bar = self._furthest = self._group = 0
        self._signs: dict[tuple[str, int], int] = {}
        self._tuplet: tuple[Fraction, int] = (Fraction(1), 0)
        self._broken = Fraction(1)
        self._fermata = False
        self._line: list[tuple[int, int]] = []
        self._bars_in_line = 0

    def begin_line(self) -> None:
        """Lyrics that follow belong to this line."""
        self._line, self._bars_in_line = [], 0

    def change_metre(self, metre: tuple[int, int]) -> None:
        """A metre from here on."""
        if self.metres[-1][1] != metre:
            self.metres.append((self._now, metre))

    def take(self, kind: str, text: str, length: str) -> None:
        """One token of the music, named as in the grammar."""
        if kind in ("note", "chord", "rest"):
            self._sound(kind, text, length)
        elif (kind == "bar" and not text.startswith("[")) or text == "[|":
            self._barline()
        elif kind == "overlay":
            self._furthest = max(self._furthest, self._now)
            self._now = self._bar
        elif kind == "tuplet":
            self._open_tuplet(text)
        elif kind == "broken":
            self._break(text)
        elif kind == "tie":
            for note in self._last():
                note.tied = True
        elif kind == "fermata" or (kind == "decoration" and "fermata" in text):
            self._fermata = True
        elif kind == "text" and text[1:2] not in "^_<>@":
            self.symbols.append((self._now, text[1:-1].replace("♯", "#").replace("♭", "b")))

    def sing(self, line: str) -> None:
        """Give a line of syllables to the notes of the last line of music."""
        notes = iter(self._line)
        waiting: list[tuple[int, int]] = list(notes)
        bar = 0
        last: int | None = None
        for syllable in _SYLLABLE.findall(line):
            if syllable == "-":
                if last is not None and not self.notes[last].lyric.endswith("-"):
                    self.notes[last].lyric += "-"
                    continue
                last = None
            if syllable == "|":
                bar += 1
                while waiting and waiting[0][1] < bar:
                    waiting.pop(0)
                continue
            if not waiting:
                return
            index, _ = waiting.pop(0)
            if syllable not in ("-", "_", "*"):
                self.notes[index].lyric = re.sub(r"\\(.)", r"\1", syllable.replace("\\~", "\0").replace("~", " "))
                self.notes[index].lyric = self.notes[index].lyric.replace("\0", "~")
                last = index

    def finish(self) -> None:
        """After the last line: a barline, whether it is written or not."""
        if max(self._now, self._furthest) > self._bar:
            self._barline()

    def scored(self) -> list[Note]:
        """Notes on the grid of ticks, tied ones joined, sorted."""
        made: dict[tuple[int, int], Note] = {}
        held: dict[tuple[int, int], tuple[int, int]] = {}
        for note in sorted(self.notes, key=lambda note: (note.start, note.pitch)):
            start, end = round(note.start / FINE), round((note.start + note.length) / FINE)
            key = held.pop((note.pitch, start), None)
            if key in made:
                made[key] = made[key]._replace(length=max(1, end - key[0]))
            else:
                key = (start, note.pitch)
                made[key] = Note(start, max(1, end - start), note.pitch, 80, note.lyric)
            if note.tied:
                held[note.pitch, end] = key
        return sorted(made.values())

    def _sound(self, kind: str, text: str, length: str) -> None:
        if text == "Z":  # rests of whole bars
            beats, unit = self.metres[-1][1]
            ticks = min(_LONGEST, (_parsed(length) * QUARTER * 4 * beats) / unit)
            self._now += round(ticks * FINE)
            return
        inner = _NOTE.findall(text) if kind != "rest" else []
        factor = _parsed(length) * (_parsed(inner[0][3]) if kind == "chord" else 1)
        ratio, left = self._tuplet
        ticks = min(Fraction(_LONGEST), factor * self.unit * QUARTER * 4 * ratio * self._broken)
        self._tuplet = (ratio, left - 1) if left > 1 else (Fraction(1), 0)
        self._broken = Fraction(1)
        size = round(ticks * FINE)
        self._group += 1
        for sign, letter, octaves, _, tie in inner:
            pitch = self._pitch(sign, letter, octaves)
            if 0 <= pitch <= 127 and size > 0:
                self.notes.append(Written(self._now, size, pitch, self._group, tied=bool(tie)))
        if inner and self.notes and self.notes[-1].group == self._group:
            highest = max(
                range(len(self.notes) - len(self._last()), len(self.notes)), key=lambda i: self.notes[i].pitch
            )
            self._line.append((highest, self._bars_in_line))
        self._now += size
        if self._fermata:
            self.held.append(self._now)
            self._fermata = False

    def _last(self) -> list[Written]:
        made: list[Written] = []
        for note in reversed(self.notes[-40:]):
            if note.group != self._group:
                break
            made.append(note)
        return made

    def _pitch(self, sign: str, letter: str, octaves: str) -> int:
        step = letter.upper()
        octave = 4 + letter.islower() + octaves.count("'") - octaves.count(",") + self._octave
        if sign in _SIGNS:
            self._signs[step, octave] = _SIGNS[sign]
        alter = self._signs.get((step, octave), signature(self.fifths)[step])
        return 12 * (octave + 1) + _NATURAL[step] + alter

    def _barline(self) -> None:
        self._now = max(self._now, self._furthest)
        self._signs.clear()
        if self._now > self._bar:
            self._bar = self._now
            self.bar_ends.append(self._now)
            self._bars_in_line += 1

    def _open_tuplet(self, text: str) -> None:
        numbers = [int(one) if one else 0 for one in text[1:].split(":")]
        notes = max(1, numbers[0])
        time = (numbers[1] if len(numbers) > 1 else 0) or _IN_TIME.get(notes) or self._odd()
        self._tuplet = Fraction(time, notes), (numbers[2] if len(numbers) > 2 else 0) or notes

    def _odd(self) -> int:
        beats, unit = self.metres[-1][1]
        return 3 if unit == 8 and beats % 3 == 0 else 2

    def _break(self, text: str) -> None:
        """`a>b`: the first longer, the second shorter by as much."""
        short = Fraction(1, 2 ** len(text))
        before, after = (2 - short, short) if text[0] == ">" else (short, 2 - short)
        for note in self._last():
            size = round(note.length * before)
            self._now += size - note.length if note is self._last()[0] else 0
            note.length = size
        self._broken = after


def _parsed(length: str) -> Fraction:
    """`3/2`, `/`, `//`, `4` as fractions of the unit."""
    found = _LENGTH.match(length)
    if not found or not length:
        return Fraction(1)
    above = int(found[1] or 1)
    below = int(found[3]) if found[3] else 2 ** len(found[2])
    return Fraction(above, below or 1)
