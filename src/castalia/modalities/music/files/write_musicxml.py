"""Score → MusicXML 4.0, partwise: what notation programs open."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from castalia.core.score import QUARTER, Note, Part, Score
from castalia.modalities.music.files.bars import Bar, bars
from castalia.modalities.music.files.beams import beams
from castalia.modalities.music.files.chord_names import parse
from castalia.modalities.music.files.drums import place
from castalia.modalities.music.files.layout import Piece, lay_out
from castalia.modalities.music.files.spelling import Accidentals, Spelled, spell_all

_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    b'"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_TYPES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th", 128: "128th"}
_ACCIDENTALS = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}
_CLEFS = {"treble": ("G", "2"), "treble8": ("G", "2"), "bass": ("F", "4"), "percussion": ("percussion", "2")}


def write_musicxml(score: Score) -> bytes:
    """The score as a MusicXML file in UTF-8; every note, bar, tie, syllable, chord symbol and fermata of it.

    Raises:
        UsageError: it has too many bars, or metres out of order.
    """
    root = Element("score-partwise", version="4.0")
    _text(SubElement(root, "work"), "work-title", score.title)
    identification = SubElement(root, "identification")
    if score.composer:
        _text(identification, "creator", score.composer).set("type", "composer")
    _text(SubElement(identification, "encoding"), "software", "Castalia")
    _credit(root, "title", score.title, justify="center", valign="top", size=22)
    _credit(root, "composer", score.composer, justify="right", valign="bottom", size=12)
    listed = SubElement(root, "part-list")
    _group(listed, score, "start")
    for number, part in enumerate(score.parts, 1):
        _listed(listed, part, number)
    _group(listed, score, "stop")
    lines = bars(score)
    for number, part in enumerate(score.parts, 1):
        _Staff(score, part, number, lines).write(SubElement(root, "part", id=f"P{number}"))
    indent(root, " ")
    return _HEAD + tostring(root, encoding="unicode").encode() + b"\n"


def _credit(root: Element, kind: str, text: str, *, justify: str, valign: str, size: int) -> None:
    """A line at the head of page one."""
    if text:
        credit = SubElement(root, "credit", page="1")
        _text(credit, "credit-type", kind)
        words = _text(credit, "credit-words", text)
        words.attrib.update({"justify": justify, "valign": valign, "font-size": str(size)})


def _group(listed: Element, score: Score, kind: str) -> None:
    """A bracket around voices that sing together."""
    if len(score.parts) > 1 and all(part.kind == "voice" for part in score.parts):
        group = SubElement(listed, "part-group", type=kind, number="1")
        if kind == "start":
            _text(group, "group-symbol", "bracket")


def _listed(listed: Element, part: Part, number: int) -> None:
    described = SubElement(listed, "score-part", id=f"P{number}")
    _text(described, "part-name", part.name)
    keys = sorted({note.pitch for note in part.notes}) if part.kind == "drums" else [-1]
    for key in keys:
        _text(SubElement(described, "score-instrument", id=_instrument(number, key)), "instrument-name", part.name)
    for key in keys:
        midi = SubElement(described, "midi-instrument", id=_instrument(number, key))
        channel = 10 if part.kind == "drums" else (number - 1) % 15 + 1 + ((number - 1) % 15 >= 9)
        _text(midi, "midi-channel", channel)
        _text(midi, "midi-program", part.program + 1)
        if key >= 0:
            _text(midi, "midi-unpitched", key + 1)


def _instrument(number: int, key: int) -> str:
    return f"P{number}-I{key}" if key >= 0 else f"P{number}-I1"


class _Staff:
    """One part while it is written."""

    def __init__(self, score: Score, part: Part, number: int, lines: Sequence[Bar]) -> None:
        self._score, self._part, self._number, self._bars = score, part, number, lines
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
            for number, pieces in enumerate(voices, 1):
                if number > 1:
                    _text(SubElement(measure, "backup"), "duration", bar.length)
                for piece, joined in zip(pieces, beams(pieces, bar), strict=True):
                    if number == 1:
                        self._harmonies(measure, piece)
                    self._piece(measure, piece, number if len(voices) > 1 else 0, joined)
            if bar.end == self._bars[-1].end:
                _text(SubElement(measure, "barline", location="right"), "bar-style", "light-heavy")

    def _attributes(self, measure: Element, bar: Bar) -> None:
        first = bar.start == 0
        if not first and bar.start != bar.metre.start:
            return
        attributes = SubElement(measure, "attributes")
        if first:
            _text(attributes, "divisions", QUARTER)
            key = SubElement(attributes, "key")
            _text(key, "fifths", 0 if self._part.kind == "drums" else self._score.fifths)
            _text(key, "mode", self._score.mode)
        time = SubElement(attributes, "time")
        _text(time, "beats", bar.metre.beats)
        _text(time, "beat-type", bar.metre.unit)
        if first:
            clef = SubElement(attributes, "clef")
            sign, line = _CLEFS[self._part.clef]
            _text(clef, "sign", sign)
            _text(clef, "line", line)
            if self._part.clef == "treble8":
                _text(clef, "clef-octave-change", -1)
            if self._number == 1:
                self._tempo(measure, bar)

    def _tempo(self, measure: Element, bar: Bar) -> None:
        dotted = bar.metre.unit == 8 and bar.metre.beats % 3 == 0
        direction = SubElement(measure, "direction", placement="above")
        metronome = SubElement(SubElement(direction, "direction-type"), "metronome")
        _text(metronome, "beat-unit", "quarter")
        if dotted:
            SubElement(metronome, "beat-unit-dot")
        _text(metronome, "per-minute", f"{self._score.tempo / (1.5 if dotted else 1):.4g}")
        SubElement(direction, "sound", tempo=f"{self._score.tempo:g}")

    def _harmonies(self, measure: Element, piece: Piece) -> None:
        while self._chords and self._chords[0].start < piece.end:
            chord = self._chords.pop(0)
            parts = parse(chord.name)
            if parts is None:
                continue
            harmony = SubElement(measure, "harmony", placement="above")
            root = SubElement(harmony, "root")
            step = _text(root, "root-step", parts.step)
            if parts.kind == "none":
                step.set("text", "")
            if parts.alter:
                _text(root, "root-alter", parts.alter)
            _text(harmony, "kind", parts.kind).set("text", parts.text)
            if parts.bass:
                bass = SubElement(harmony, "bass")
                _text(bass, "bass-step", parts.bass[0])
                if parts.bass[1]:
                    _text(bass, "bass-alter", parts.bass[1])
            if chord.start > piece.start:
                _text(harmony, "offset", chord.start - piece.start)

    def _piece(self, measure: Element, piece: Piece, voice: int, joined: list[str]) -> None:
        for index, note in enumerate(piece.notes or (None,)):
            element = SubElement(measure, "note")
            if index:
                SubElement(element, "chord")
            shown = self._pitch(element, piece, note)
            _text(element, "duration", piece.length)
            if piece.tied_from:
                SubElement(element, "tie", type="stop")
            if piece.tied_to:
                SubElement(element, "tie", type="start")
            if note and self._part.kind == "drums":
                SubElement(element, "instrument", id=_instrument(self._number, note.pitch))
            _text(element, "voice", voice or 1)
            if not piece.whole_bar:
                _text(element, "type", _TYPES[piece.value])
                for _ in range(piece.dots):
                    SubElement(element, "dot")
            if shown is not None:
                _text(element, "accidental", _ACCIDENTALS[shown])
            if piece.triplet:
                modified = SubElement(element, "time-modification")
                _text(modified, "actual-notes", 3)
                _text(modified, "normal-notes", 2)
            if note and voice:
                _text(element, "stem", "up" if voice % 2 else "down")
            if note and self._part.kind == "drums" and place(note.pitch).head:
                _text(element, "notehead", place(note.pitch).head)
            if not index:
                for level, word in enumerate(joined, 1):
                    _text(element, "beam", word).set("number", str(level))
            self._notations(element, piece, index)
            if piece.notes and index == len(piece.notes) - 1:
                self._lyric(element, piece)

    def _pitch(self, element: Element, piece: Piece, note: Note | None) -> int | None:
        """The pitch or rest; the alteration whose sign is printed, None for no sign."""
        if note is None:
            rest = SubElement(element, "rest")
            if piece.whole_bar:
                rest.set("measure", "yes")
            return None
        if self._part.kind == "drums":
            drum = SubElement(element, "unpitched")
            _text(drum, "display-step", place(note.pitch).step)
            _text(drum, "display-octave", place(note.pitch).octave)
            return None
        spelled: Spelled = self._spelled[note]
        pitch = SubElement(element, "pitch")
        _text(pitch, "step", spelled.step)
        if spelled.alter:
            _text(pitch, "alter", spelled.alter)
        _text(pitch, "octave", spelled.octave)
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
        _text(lyric, "syllabic", words[self._in_word, goes_on])
        _text(lyric, "text", syllable[:-1] if goes_on else syllable)
        self._in_word = goes_on


def _text(parent: Element, name: str, value: object) -> Element:
    made = SubElement(parent, name)
    made.text = "".join(letter for letter in str(value) if letter.isprintable())
    return made
