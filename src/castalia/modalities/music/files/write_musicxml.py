"""Score → MusicXML 4.0, partwise: what notation programs open."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from castalia.core.score import Part, Score
from castalia.modalities.music.files.bars import bars
from castalia.modalities.music.files.musicxml_staff import Staff, instrument, text

_HEAD = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    b'"-//Recordare//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)

_KEYBOARDS = 24
"""General MIDI programs below it are played with two hands."""


def write_musicxml(score: Score, colours: Mapping[tuple[int, int], str] = MappingProxyType({})) -> bytes:
    """The score as a MusicXML file in UTF-8; every note, bar, tie, syllable, chord symbol and fermata of it.

    Args:
        score: What is written.
        colours: `#RRGGBB` of notes by part, from 0, and start, ticks; others stay black.

    Raises:
        UsageError: it has too many bars, or metres out of order.
    """
    root = Element("score-partwise", version="4.0")
    text(SubElement(root, "work"), "work-title", score.title)
    identification = SubElement(root, "identification")
    if score.composer:
        text(identification, "creator", score.composer).set("type", "composer")
    text(SubElement(identification, "encoding"), "software", "Castalia")
    _credit(root, "title", score.title, justify="center", valign="top", size=22)
    _credit(root, "composer", score.composer, justify="right", valign="bottom", size=12)
    listed = SubElement(root, "part-list")
    _group(listed, score, "start")
    for number, part in enumerate(score.parts, 1):
        if number < len(score.parts) and _hands(part, score.parts[number]):
            _brace(listed, "start")
        _listed(listed, part, number)
        if number > 1 and _hands(score.parts[number - 2], part):
            _brace(listed, "stop")
    _group(listed, score, "stop")
    lines = bars(score)
    for number, part in enumerate(score.parts, 1):
        Staff(score, part, number, lines, colours).write(SubElement(root, "part", id=f"P{number}"))
    indent(root, " ")
    return _HEAD + tostring(root, encoding="unicode").encode() + b"\n"


def _credit(root: Element, kind: str, words: str, *, justify: str, valign: str, size: int) -> None:
    """A line at the head of page one."""
    if words:
        credit = SubElement(root, "credit", page="1")
        text(credit, "credit-type", kind)
        line = text(credit, "credit-words", words)
        line.attrib.update({"justify": justify, "valign": valign, "font-size": str(size)})


def _group(listed: Element, score: Score, kind: str) -> None:
    """A bracket around voices that sing together."""
    if len(score.parts) > 1 and all(part.kind == "voice" for part in score.parts):
        group = SubElement(listed, "part-group", type=kind, number="1")
        if kind == "start":
            text(group, "group-symbol", "bracket")


def _hands(upper: Part, lower: Part) -> bool:
    """Whether two parts are the hands of one keyboard."""
    return (upper.kind, lower.kind) == ("chords", "bass") and upper.program == lower.program < _KEYBOARDS


def _brace(listed: Element, kind: str) -> None:
    group = SubElement(listed, "part-group", type=kind, number="2")
    if kind == "start":
        text(group, "group-symbol", "brace")
        text(group, "group-barline", "yes")


def _listed(listed: Element, part: Part, number: int) -> None:
    described = SubElement(listed, "score-part", id=f"P{number}")
    text(described, "part-name", part.name)
    keys = sorted({note.pitch for note in part.notes}) if part.kind == "drums" else [-1]
    for key in keys:
        text(SubElement(described, "score-instrument", id=instrument(number, key)), "instrument-name", part.name)
    for key in keys:
        midi = SubElement(described, "midi-instrument", id=instrument(number, key))
        channel = 10 if part.kind == "drums" else (number - 1) % 15 + 1 + ((number - 1) % 15 >= 9)
        text(midi, "midi-channel", channel)
        text(midi, "midi-program", part.program + 1)
        if key >= 0:
            text(midi, "midi-unpitched", key + 1)
