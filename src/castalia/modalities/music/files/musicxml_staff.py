"""One part in MusicXML: its measures, and in them attributes, chord symbols, notes and what hangs on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement

from castalia.core.score import QUARTER, Note, Part, Score
from castalia.modalities.music.files.bars import Bar
from castalia.modalities.music.files.beams import beams
from castalia.modalities.music.files.chord_names import parse
from castalia.modalities.music.files.drums import place
from castalia.modalities.music.files.layout import Piece, lay_out
from castalia.modalities.music.files.spelling import Accidentals, Spelled, spell_all

_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th", 128: "128th"}
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_CLEFS = {"treble": ("G", "2"), "treble8": ("G", "2"), "bass": ("F", "4"), "percussion": ("percussion", "2")}


class Staff:
    """One part while it is written."""

    def __init__(
        self, score: Score, part: Part, number: int, lines: Sequence[Bar], colours: Mapping[tuple[int, int], str]
    ) -> None:
        self._score, self._part, self._number, self._bars, self._colours = score, part, number, lines, colours
        self._spelled = spell_all(part.notes, score.fifths, score.mode) if part.kind != "drums" else {}
        self._accidentals = Accidentals(score.fifths)
        self._in_word = False
        self._chords = list(score.chords) if number == 1 else []

    def write(self, staff: Element) -> None:
        for bar, voices in zip(self._bars, lay_out(self._part, self._bars), strict=True):
            measure = SubElement(staff, "measure", number=str(bar.number))
            if bar.length < bar.metre.bar and (bar.number == 0 or bar.end != self._bars[-1].end):
                measure.set("implicit", "yes")
            self._accidentals.next_bar()
            self._attributes(measure, bar)
            several = sum(map(bool, voices)) > 1
            for number, pieces in enumerate(voices, 1):
                if number > 1 and pieces:
                    text(SubElement(measure, "backup"), "duration", bar.length)
                for piece, joined in zip(pieces, beams(pieces, bar), strict=True):
                    if number == 1:
                        self._harmonies(measure, piece)
                    self._piece(measure, piece, number if several else 0, joined)
            if bar.end == self._bars[-1].end:
                text(SubElement(measure, "barline", location="right"), "bar-style", "light-heavy")

    def _attributes(self, measure: Element, bar: Bar) -> None:
        first = bar.start == 0
        if not first and bar.start != bar.metre.start:
            return
        attributes = SubElement(measure, "attributes")
        if first:
            text(attributes, "divisions", QUARTER)
            key = SubElement(attributes, "key")
            text(key, "fifths", 0 if self._part.kind == "drums" else self._score.fifths)
            text(key, "mode", self._score.mode)
        time = SubElement(attributes, "time")
        text(time, "beats", bar.metre.beats)
        text(time, "beat-type", bar.metre.unit)
        if first:
            clef = SubElement(attributes, "clef")
            sign, line = _CLEFS[self._part.clef]
            text(clef, "sign", sign)
            text(clef, "line", line)
            if self._part.clef == "treble8":
                text(clef, "clef-octave-change", -1)
            if self._number == 1:
                self._tempo(measure, bar)

    def _tempo(self, measure: Element, bar: Bar) -> None:
        dotted = bar.metre.unit == 8 and bar.metre.beats % 3 == 0
        direction = SubElement(measure, "direction", placement="above")
        metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
        text(metronome, "beat-unit", "quarter")
        if dotted:
            SubElement(metronome, "beat-unit-dot")
        text(metronome, "per-minute", f"{self._score.tempo / (1.5 if dotted else 1):.4g}")
        SubElement(direction, "sound", tempo=f"{self._score.tempo:g}")

    def _harmonies(self, measure: Element, piece: Piece) -> None:
        while self._chords and self._chords[0].start < piece.end:
            chord = self._chords.pop(0)
            parts = parse(chord.name)
            if parts is None:
                continue
            harmony = SubElement(measure, "harmony", placement="above")
            root = SubElement(harmony, "root")
            step = text(root, "root-step", parts.step)
            if parts.kind == "none":
                step.set("text", "")
            if parts.alter:
                text(root, "root-alter", parts.alter)
            text(harmony, "kind", parts.kind).set("text", parts.text)
            if parts.bass:
                bass = SubElement(harmony, "bass")
                text(bass, "bass-step", parts.bass[0])
                if parts.bass[1]:
                    text(bass, "bass-alter", parts.bass[1])
            if chord.start > piece.start:
                text(harmony, "offset", chord.start - piece.start)

    def _piece(self, measure: Element, piece: Piece, voice: int, joined: list[str]) -> None:
        for index, note in enumerate(piece.notes or (None,)):
            element = SubElement(measure, "note")
            if note is None and voice > 1:
                element.set("print-object", "no")
            if note and (colour := self._colours.get((self._number - 1, note.start))):
                element.set("color", colour)
            if index:
                SubElement(element, "chord")
            shown = self._pitch(element, piece, note)
            self._duration(element, piece, note, voice or 1)
            if shown is not None:
                text(element, "accidental", _ACCIDENTALS[shown])
            if piece.triplet:
                modified = SubElement(element, "time-modification")
                text(modified, "actual-notes", 3)
                text(modified, "normal-notes", 2)
            if note and voice:
                text(element, "stem", "up" if voice % 2 else "down")
            if note and self._part.kind == "drums" and place(note.pitch).head:
                text(element, "notehead", place(note.pitch).head)
            for level, word in enumerate(() if index else joined, 1):
                text(element, "beam", word).set("number", str(level))
            self._notations(element, piece, index)
            if piece.notes and index == len(piece.notes) - 1:
                self._lyric(element, piece)

    def _duration(self, element: Element, piece: Piece, note: Note | None, voice: int) -> None:
        """From the duration to the dots."""
        text(element, "duration", piece.length)
        if piece.tied_from:
            SubElement(element, "tie", type="stop")
        if piece.tied_to:
            SubElement(element, "tie", type="start")
        if note and self._part.kind == "drums":
            SubElement(element, "instrument", id=instrument(self._number, note.pitch))
        text(element, "voice", voice)
        if not piece.whole_bar:
            text(element, "type", _TYPES[piece.value])
            for _ in range(piece.dots):
                SubElement(element, "dot")

    def _pitch(self, element: Element, piece: Piece, note: Note | None) -> int | None:
        """The pitch or rest; the alteration whose sign is printed, None for no sign."""
        if note is None:
            rest = SubElement(element, "rest")
            if piece.whole_bar:
                rest.set("measure", "yes")
            return None
        if self._part.kind == "drums":
            drum = SubElement(element, "unpitched")
            text(drum, "display-step", place(note.pitch).step)
            text(drum, "display-octave", place(note.pitch).octave)
            return None
        spelled: Spelled = self._spelled[note]
        pitch = SubElement(element, "pitch")
        text(pitch, "step", spelled.step)
        if spelled.alter:
            text(pitch, "alter", spelled.alter)
        text(pitch, "octave", spelled.octave)
        return spelled.alter if self._accidentals.shown(spelled, tied=piece.tied_from) else None

    def _notations(self, element: Element, piece: Piece, index: int) -> None:
        made = Element("notations")
        if piece.tied_from:
            SubElement(made, "tied", type="stop")
        if piece.tied_to:
            SubElement(made, "tied", type="start")
        if not index and piece.triplet in ("begin", "single"):
            SubElement(made, "tuplet", type="start", bracket="no" if piece.triplet == "begin" else "yes")
        if not index and piece.triplet in ("end", "single"):
            SubElement(made, "tuplet", type="stop")
        if not index and piece.notes and not piece.tied_to and piece.end in self._score.phrases:
            SubElement(made, "fermata", type="upright")
        if len(made):
            element.append(made)

    def _lyric(self, element: Element, piece: Piece) -> None:
        syllable = piece.notes[-1].lyric
        if not syllable or piece.tied_from:
            return
        goes_on = syllable.endswith("-") and len(syllable) > 1
        lyric = SubElement(element, "lyric", number="1")
        words = {(False, False): "single", (False, True): "begin", (True, True): "middle", (True, False): "end"}
        text(lyric, "syllabic", words[self._in_word, goes_on])
        text(lyric, "text", syllable[:-1] if goes_on else syllable)
        self._in_word = goes_on


def instrument(number: int, key: int) -> str:
    """The identifier of a part's instrument; a key of 0 or more is a drum's."""
    return f"P{number}-I{key}" if key >= 0 else f"P{number}-I1"


def text(parent: Element, name: str, value: object) -> Element:
    """A new element with a text, without letters that XML cannot hold."""
    made = SubElement(parent, name)
    made.text = "".join(letter for letter in str(value) if letter.isprintable())
    return made
