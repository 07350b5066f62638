"""Names of notes: which of F sharp and G flat a pitch is in its key, along the line of fifths.

The window of twelve follows Temperley's line of fifths ("The Cognition of Basic Musical Structures", 2001, chapter 5):
from three fifths below the key signature's tonic to eight above it, so that the leading note of minor is raised; in
minor from two below to nine above, so that the fourth is raised rather than the fifth lowered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from castalia.core.score import Mode, Note, Score

_STEPS = "FCGDAEB"
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class Spelled(NamedTuple):
    """A pitch as it is written."""

    step: str
    """A to G."""
    alter: int
    """Semitones that it is raised, -2 to 2."""
    octave: int
    """4 begins at middle C."""


def spell(pitch: int, fifths: int, *, mode: Mode = "major", leads: int = 0) -> Spelled:
    """The written note of a MIDI pitch.

    Args:
        pitch: MIDI number, 0–127.
        fifths: Sharps of the key signature, negative for flats.
        mode: In minor, the raised seventh stays raised when it falls.
        leads: 1 when the note moves up a semitone, -1 when down, else 0: chromatic notes lean where they go.
    """
    low = fifths - (2 if mode == "minor" else 3)
    place = low + (pitch * 7 - low) % 12
    if leads > 0 and place == low and mode != "minor":
        place += 12
    elif leads < 0 and place == low + 11:
        place -= 12
    step, alter = _STEPS[(place + 1) % 7], (place + 1) // 7
    return Spelled(step, alter, (pitch - alter - _NATURAL[step]) // 12 - 1)


def spell_all(notes: Sequence[Note], fifths: int, mode: Mode) -> dict[Note, Spelled]:
    """Every note's spelling, each seen with the notes that begin where it ends."""
    begins: dict[int, set[int]] = {}
    for note in notes:
        begins.setdefault(note.start, set()).add(note.pitch)
    made: dict[Note, Spelled] = {}
    for note in notes:
        following = begins.get(note.start + note.length, set[int]())
        leads = 1 if note.pitch + 1 in following else -1 if note.pitch - 1 in following else 0
        made[note] = spell(note.pitch, fifths, mode=mode, leads=leads)
    return made


def signature(fifths: int) -> dict[str, int]:
    """What the key signature does to each step: 1 sharp, -1 flat, 0 nothing."""
    made = dict.fromkeys(_STEPS, 0)
    for step in _STEPS[: max(fifths, 0)]:
        made[step] = 1
    for step in _STEPS[len(_STEPS) + min(fifths, 0) :]:
        made[step] = -1
    return made


class Accidentals:
    """Which accidentals are printed: those that neither the key signature nor an earlier one in the bar says.

    Args:
        fifths: Sharps of the key signature.
    """

    def __init__(self, fifths: int) -> None:
        self._signature = signature(fifths)
        self._bar: dict[tuple[str, int], int] = {}

    def next_bar(self) -> None:
        """Forget what the bar said."""
        self._bar.clear()

    def shown(self, note: Spelled, *, tied: bool) -> bool:
        """Whether the note needs its accidental; a tied one does not, and does not count for those after it."""
        key = (note.step, note.octave)
        holds = self._bar.get(key, self._signature[note.step])
        if tied:
            return False
        self._bar[key] = note.alter
        return holds != note.alter


def spelled(pitch: int, score: Score) -> str:
    """A pitch by itself in a score's key, e.g. `F♯4`; 60 is C4."""
    note = spell(pitch, score.fifths, mode=score.mode)
    return f"{note.step}{('', '♯', '𝄪', '𝄫', '♭')[note.alter]}{note.octave}"
