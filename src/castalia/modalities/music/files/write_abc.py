"""Score → ABC notation 2.1, the plain-text form of a work (abcnotation.com/wiki/abc:standard:v2.1)."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import pairwise

from castalia.core.score import QUARTER, Mode, Note, Part, Score
from castalia.modalities.music.files.bars import Bar, bars
from castalia.modalities.music.files.layout import Piece, lay_out
from castalia.modalities.music.files.spelling import Accidentals, Spelled, signature, spell, spell_all

UNIT = QUARTER // 4
"""Ticks of the unit note length, a sixteenth."""
SIGNS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}
TONICS: dict[Mode, int] = {"major": 0, "minor": 3, "dorian": 2, "phrygian": 4, "lydian": -1, "mixolydian": 1}
"""Fifths from the key signature's major tonic to the mode's own."""
WORDS: dict[Mode, str] = {
    "major": "", "minor": "m", "dorian": "dor", "phrygian": "phr", "lydian": "lyd", "mixolydian": "mix",
}  # fmt: skip
CLEFS = {"treble": "treble", "treble8": "treble-8", "bass": "bass", "percussion": "perc"}
_BARS_A_LINE = 4


def write_abc(score: Score) -> str:
    """One tune, X:1; a voice V: for each part, its simultaneous lines as overlays (&).

    Notes are written at the pitch they sound at, in `treble-8` too. Drums are written as the pitches of their keys.

    Raises:
        UsageError: the score has too many bars, or metres out of order.
    """
    lines = bars(score)
    first = score.metres[0]
    head = ["%abc-2.1", "%%propagate-accidentals octave", "X:1", f"T:{_line(score.title)}"]
    if score.composer:
        head.append(f"C:{_line(score.composer)}")
    head += [f"M:{first.beats}/{first.unit}", "L:1/16", f"Q:1/4={score.tempo:g}"]
    if len(score.parts) > 1:
        names = " ".join(str(number) for number in range(1, len(score.parts) + 1))
        head.append(f"%%score [{names}]" if all(part.kind == "voice" for part in score.parts) else f"%%score {names}")
    head.append(f"K:{_key(score)}")
    body = [line for number, part in enumerate(score.parts, 1) for line in _Voice(score, part, number, lines).lines()]
    return "\n".join([*head, *body]) + "\n"


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).replace("%", "\\%").strip()


def _key(score: Score) -> str:
    tonic = spell(60 + (score.fifths + TONICS[score.mode]) * 7 % 12, score.fifths)
    return f"{tonic.step}{'#' * tonic.alter}{'b' * -tonic.alter}{WORDS[score.mode]}"


class _Voice:
    """One part while it is written."""

    def __init__(self, score: Score, part: Part, number: int, lines: tuple[Bar, ...]) -> None:
        self._score, self._part, self._number, self._bars = score, part, number, lines
        self._spelled = spell_all(part.notes, score.fifths, score.mode)
        self._accidentals = Accidentals(score.fifths)
        self._usual = signature(score.fifths)
        self._chords = list(score.chords) if number == 1 else []
        self._metre = score.metres[0]
        self._loud: set[tuple[str, int]] = set()

    def lines(self) -> list[str]:
        name = re.sub(r'["\\%]', "'", _line(self._part.name))
        made = [
            f'V:{self._number} name="{name}" clef={CLEFS[self._part.clef]}',
            "%%MIDI channel 10" if self._part.kind == "drums" else f"%%MIDI program {self._part.program}",
        ]
        sung = any(note.lyric for note in self._part.notes)
        music: list[str] = []
        words: list[str] = []
        for index, (bar, voices) in enumerate(zip(self._bars, lay_out(self._part, self._bars), strict=True)):
            self._accidentals.next_bar()
            change = "" if bar.metre[1:] == self._metre[1:] else f"[M:{bar.metre.beats}/{bar.metre.unit}] "
            self._metre = bar.metre
            last = index + 1 == len(self._bars)
            heard = [voice for voice in voices if voice]
            self._loud = self._disputed(heard)
            words.append(_sung([part for piece in voices[0] for part in self._parted(piece)]))
            music.append(change + " & ".join(self._bar(voice, bar, number) for number, voice in enumerate(heard)))
            if last or (bar.number and bar.number % _BARS_A_LINE == 0):
                made.append(" | ".join(music) + (" |]" if last else " |"))
                if sung:
                    made.append(f"w: {' | '.join(words)} |")
                music, words = [], []
        return made

    def _disputed(self, voices: list[list[Piece]]) -> set[tuple[str, int]]:
        """Lines of the staff that carry a sign at each note, as readers differ on whether overlays hear each other."""
        if len(voices) == 1:
            return set()
        notes = {self._spelled[note] for pieces in voices for piece in pieces for note in piece.notes}
        return {(note.step, note.octave) for note in notes if note.alter != self._usual[note.step]}

    def _bar(self, pieces: list[Piece], bar: Bar, overlay: int) -> str:
        made: list[str] = []
        pieces = pieces if overlay else [part for piece in pieces for part in self._parted(piece)]
        for index, piece in enumerate(pieces):
            if piece.triplet in ("begin", "single"):
                count = next(i for i in range(index, len(pieces)) if pieces[i].triplet in ("end", "single")) - index + 1
                made.append("(3" if count == 3 else f"(3:2:{count}")
            joined = piece.value >= 8 and (piece.end - bar.start + bar.skipped) % QUARTER and piece.end != bar.end
            made.append(self._piece(piece, overlay) + ("" if joined else " "))
        return "".join(made).strip()

    def _parted(self, piece: Piece) -> list[Piece]:
        """A piece cut where chords begin within it, as ABC writes a chord before a note or rest alone."""
        inside = [chord.start for chord in self._chords if piece.start < chord.start < piece.end]
        if not inside or piece.triplet:
            return [piece]
        edges = [piece.start, *inside, piece.end]
        sounds = bool(piece.notes)
        return [
            piece._replace(
                start=start,
                length=end - start,
                tied_from=piece.tied_from if start == piece.start else sounds,
                tied_to=piece.tied_to if end == piece.end else sounds,
            )
            for start, end in pairwise(edges)
        ]

    def _piece(self, piece: Piece, overlay: int) -> str:
        before = ""
        while not overlay and self._chords and self._chords[0].start < piece.end:
            name = self._chords.pop(0).name.replace('"', "'")
            before += f'"{name}"'
        if piece.notes and not piece.tied_to and piece.end in self._score.phrases:
            before += "!fermata!"
        length = _length(Fraction(piece.length, UNIT) * (Fraction(3, 2) if piece.triplet else 1))
        if not piece.notes:
            return f"{before}{'x' if overlay else 'z'}{length}"
        tie = "-" if piece.tied_to else ""
        names = [self._note(note, tied=piece.tied_from) for note in piece.notes]
        return before + (names[0] if len(names) == 1 else f"[{''.join(names)}]") + length + tie

    def _note(self, note: Note, *, tied: bool) -> str:
        spelled: Spelled = self._spelled[note]
        line = (spelled.step, spelled.octave)
        again = line in self._loud or (tied and spelled.alter != self._usual[spelled.step])
        shown = self._accidentals.shown(spelled, tied=False) or again  # readers differ on signs along a tie
        sign = SIGNS[spelled.alter] if shown else ""
        if spelled.octave >= 5:
            return sign + spelled.step.lower() + "'" * (spelled.octave - 5)
        return sign + spelled.step + "," * (4 - spelled.octave)


def _length(length: Fraction) -> str:
    if length == 1:
        return ""
    return str(length.numerator) if length.denominator == 1 else f"{length.numerator}/{length.denominator}"


def _sung(pieces: list[Piece]) -> str:
    """A bar's syllables: `*` for a note without one, `_` for a tied note."""
    made: list[str] = []
    for piece in pieces:
        if piece.notes:
            syllable = re.sub(r"([\\~*_|-])", r"\\\1", piece.notes[-1].lyric.removesuffix("-")).replace(" ", "~")
            goes_on = piece.notes[-1].lyric.endswith("-") and syllable
            made.append("_" if piece.tied_from else (syllable + "-" if goes_on else syllable) or "*")
    return " ".join(made).replace("- ", "-")
