"""MEI, verovio's own form, → Score: structure from the document, times and pitches as verovio plays them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal
from xml.etree.ElementTree import Element, fromstring

from castalia.core.language import say
from castalia.core.score import QUARTER, ChordSymbol, Metre, Mode, Note, Part, Score
from castalia.modalities.music.files.chord_names import parse
from castalia.modalities.music.files.midi_grid import overlaps

_MEI = "{http://www.music-encoding.org/ns/mei}"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_MODES: dict[str, Mode] = {
    "major": "major", "ionian": "major", "minor": "minor", "aeolian": "minor", "dorian": "dorian",
    "phrygian": "phrygian", "lydian": "lydian", "mixolydian": "mixolydian",
}  # fmt: skip
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ALTERED = {"s": 1, "f": -1, "x": 2, "ss": 2, "ff": -2, "tf": -3, "ts": 3, "xs": 3, "sx": 3, "ns": 1, "nf": -1}
"""Semitones of MEI's accidentals; those of quarter tones are left out."""
_MOST_NOTES = 200_000
_NAME = 200
Clef = Literal["treble", "treble8", "bass", "percussion"]


def score_of(mei: str, times: Sequence[Mapping[str, Any]], pitch: Callable[[str], int]) -> Score:
    """The score of a document.

    Args:
        mei: The document, written by verovio from a file whose entities were refused.
        times: Verovio's time map, with measures.
        pitch: The MIDI number of a note's identifier; below 0 when it has none.

    Raises:
        ValueError: there are no staves or no notes, or too many.
    """
    root = fromstring(mei)  # noqa: S314 (see `mei`)
    return _Reader(root, times, pitch).score()


class _Reader:
    def __init__(self, root: Element, times: Sequence[Mapping[str, Any]], pitch: Callable[[str], int]) -> None:
        self._root, self._pitch = root, pitch
        self._on: dict[str, int] = {}
        self._off: dict[str, int] = {}
        self._measures: dict[str, int] = {}
        for moment in times:
            tick = round(float(moment["qstamp"]) * QUARTER)
            if "measureOn" in moment:
                self._measures[str(moment["measureOn"])] = tick
            self._on.update((str(name), tick) for name in moment.get("on", ()))
            self._off.update((str(name), tick) for name in moment.get("off", ()))
        self._end = max(self._off.values(), default=0)
        if not self._off or len(self._on) > _MOST_NOTES:
            raise ValueError(len(self._on))
        self._defined: dict[str, Element] = {}
        for found in _all(root, "staffDef"):
            self._defined.setdefault(str(found.get("n")), found)

    def score(self) -> Score:
        notes = self._notes()
        order = [n for n in dict.fromkeys(str(found.get("n")) for found in _all(self._root, "staffDef")) if n in notes]
        metres, pickup = self._metres()
        fifths, mode = self._key()
        return Score(
            title=self._said("title", "center"),
            composer=self._said("composer", "right"),
            parts=tuple(self._part(n, number, notes[n]) for number, n in enumerate(order, 1)),
            fifths=fifths,
            mode=mode,
            metres=metres,
            pickup=pickup,
            tempo=self._tempo(),
            chords=self._chords(),
            phrases=self._phrases(),
        )

    def _notes(self) -> dict[str, list[Note]]:
        """Notes by staff, tied ones joined."""
        earlier = {_ref(tie, "endid"): _ref(tie, "startid") for tie in _all(self._root, "tie")}
        made: dict[str, dict[str, Note]] = {str(n): {} for n in self._defined}
        places: dict[str, tuple[str, str]] = {}
        for staff in _all(self._root, "staff"):
            n = str(staff.get("n"))
            for element, lyric in _sounding(staff):
                name = str(element.get(_ID))
                if name not in self._on or self._off.get(name, 0) <= self._on[name]:
                    continue
                number = self._number(element, n)
                if not 0 <= number <= 127:
                    continue
                owner, first = places.get(earlier.get(name, ""), (n, ""))
                held = made[owner].get(first) if owner in made else None
                if held and held.pitch == number and held.start + held.length == self._on[name]:
                    made[owner][first] = held._replace(length=self._off[name] - held.start)
                    places[name] = owner, first
                elif n in made:
                    made[n][name] = Note(self._on[name], self._off[name] - self._on[name], number, 80, lyric)
                    places[name] = n, name
        return {n: sorted({(note.start, note.pitch): note for note in found.values()}.values())
                for n, found in made.items()}  # fmt: skip

    def _number(self, note: Element, n: str) -> int:
        """MIDI number; verovio is asked for what the document does not say, as each question costs a search."""
        said = note.get("pnum")
        step = _STEPS.get(note.get("pname") or "")
        octave = note.get("oct.ges") or note.get("oct")
        if said or step is None or not octave:
            return int(said) if said else self._pitch(str(note.get(_ID)))
        sign = next(_all(note, "accid"), note)
        name = sign.get("accid.ges") or note.get("accid.ges") or sign.get("accid") or note.get("accid") or "n"
        defined = self._defined.get(n)
        moved = int((defined.get("trans.semi") if defined is not None else None) or 0)
        return 12 * (int(octave) + 1) + step + _ALTERED.get(name, 0) + moved

    def _part(self, n: str, number: int, notes: list[Note]) -> Part:
        defined = self._defined[n]
        label = next((_words(found) for found in _all(defined, "label")), "")
        instrument = next(_all(defined, "instrDef"), None)
        program = int((instrument.get("midi.instrnum") if instrument is not None else None) or 0)
        clef = _clef(defined)
        kind = "drums" if clef == "percussion" else "chords" if overlaps(notes) else "voice"
        name = label[:_NAME] or say("Part {number}", "声部 {number}", number=number)
        return Part(name=name, program=min(127, max(0, program)), kind=kind, clef=clef, notes=tuple(notes))

    def _metres(self) -> tuple[tuple[Metre, ...], int]:
        """Metres so that every bar is as long as it was written, and the pickup."""
        made: list[Metre] = []
        beats, unit = 4, 4
        pickup = 0
        starts = sorted(set(self._measures.values()))
        ends = dict(zip(starts, [*starts[1:], self._end], strict=True))
        first, swallowed = True, set[int]()
        for element in self._root.iter():
            beats, unit = _metre(element) or (beats, unit)
            if element.tag != f"{_MEI}measure" or str(element.get(_ID)) not in self._measures:
                continue
            start = self._measures[str(element.get(_ID))]
            here = Metre(start, beats, unit)
            length = ends[start] - start
            if start in swallowed:
                continue
            if first and 0 < length < here.bar and len(starts) > 1:
                pickup, here = length, here._replace(start=0)
            elif 0 < length < here.bar and ends.get(ends[start], 0) - start == here.bar:
                swallowed.add(ends[start])  # a repeat sign within a bar parts it
            elif length != here.bar and length > 0 and (ends[start] != self._end or length > here.bar):
                here = _fitting(start, length) or here
            first = False
            if not made or made[-1][1:] != here[1:]:
                made.append(here)
        return tuple(made) if made and made[0].start == 0 else (Metre(0, beats, unit),), pickup

    def _key(self) -> tuple[int, Mode]:
        """The first staff's key, a transposing one's only when there is no other."""
        staves = [found for found in self._defined.values() if _clef(found) != "percussion"]
        staves.sort(key=lambda found: (found.get("trans.semi") or "0") != "0")
        for defined in [*staves, *_all(self._root, "scoreDef")]:
            for found in [defined, *_all(defined, "keySig")]:
                sign = found.get("sig") or found.get("keysig")
                if sign:
                    word = str(found.get("mode") or found.get("key.mode") or "major").lower()
                    mode = _MODES.get(word, "major")
                    count = int(sign[:-1] or 0) if sign[-1] in "sf" else 0
                    return max(-7, min(7, -count if sign[-1] == "f" else count)), mode
        return 0, "major"

    def _tempo(self) -> float:
        for found in self._root.iter():
            speed = found.get("midi.bpm")
            if not speed and found.tag == f"{_MEI}tempo" and found.get("mm"):
                dots = 1.5 if found.get("mm.dots") == "1" else 1.0
                speed = str(float(found.get("mm") or 0) * 4 / float(found.get("mm.unit") or 4) * dots)
            if speed and float(speed) > 0:
                return min(400.0, max(10.0, float(speed)))
        return 90.0

    def _chords(self) -> tuple[ChordSymbol, ...]:
        made: dict[int, ChordSymbol] = {}
        for measure, metre in self._each_measure():
            for found in _all(measure, "harm"):
                name = _words(found).replace("♯", "#").replace("♭", "b").replace(" ", "")
                place = self._place(found, measure, metre)
                if place is not None and parse(name):
                    made.setdefault(place, ChordSymbol(place, name))
        return tuple(made[place] for place in sorted(made))

    def _phrases(self) -> tuple[int, ...]:
        made: set[int] = set()
        inside = {str(chord.get(_ID)): found for chord in _all(self._root, "chord") for found in _all(chord, "note")}
        for measure, metre in self._each_measure():
            for found in _all(measure, "fermata"):
                name = _ref(found, "startid")
                if name in inside:
                    name = str(inside[name].get(_ID))
                if name in self._off:
                    made.add(self._off[name])
                elif (place := self._place(found, measure, metre)) is not None:
                    made.update(self._off[one] for one, start in self._on.items() if start == place)
        made.update(self._off[str(one.get(_ID))] for one in _all(self._root, "note")
                    if one.get("fermata") and str(one.get(_ID)) in self._off)  # fmt: skip
        return tuple(sorted(made))

    def _each_measure(self) -> Iterator[tuple[Element, int]]:
        """Measures with the note value of their beats."""
        unit = 4
        for element in self._root.iter():
            unit = (_metre(element) or (0, unit))[1]
            if element.tag == f"{_MEI}measure":
                yield element, unit

    def _place(self, found: Element, measure: Element, unit: int) -> int | None:
        name = _ref(found, "startid")
        if name in self._on:
            return self._on[name]
        start = self._measures.get(str(measure.get(_ID)))
        if start is None or not found.get("tstamp"):
            return None
        return start + max(0, round((float(found.get("tstamp") or 1) - 1) * QUARTER * 4 / unit))

    def _said(self, name: str, side: str) -> str:
        for found in _all(self._root, "rend"):
            if found.get("halign") == side and _words(found):
                return _words(found)[:_NAME]
        named = [*_all(self._root, name), *(one for one in _all(self._root, "persName") if one.get("role") == name)]
        return next((_words(found)[:_NAME] for found in named if _words(found)), "")


def _all(element: Element, name: str) -> Iterator[Element]:
    return element.iter(_MEI + name)


def _ref(element: Element, name: str) -> str:
    return str(element.get(name) or "").removeprefix("#")


def _words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _sounding(staff: Element) -> Iterator[tuple[Element, str]]:
    """A staff's notes without grace notes, each with its syllable; a chord's is its highest note's."""
    chords: dict[Element, Element] = {}
    for chord in _all(staff, "chord"):
        chords |= dict.fromkeys(_all(chord, "note"), chord)
    skipped = {note for group in _all(staff, "graceGrp") for note in _all(group, "note")}
    given: set[Element] = set()
    for note in _all(staff, "note"):
        chord = chords.get(note)
        if note in skipped or note.get("grace") or (chord is not None and chord.get("grace")):
            continue
        lyric = _syllable(note)
        if chord is not None and chord not in given:
            lyric = lyric or _syllable(chord)
            given.add(chord)
        yield note, lyric


def _syllable(element: Element) -> str:
    for verse in element.findall(f"{_MEI}verse"):
        if (verse.get("n") or "1") == "1":
            found = list(_all(verse, "syl"))
            text = " ".join(_words(syllable) for syllable in found)
            goes_on = bool(found) and (found[-1].get("wordpos") in ("i", "m") or found[-1].get("con") == "d")
            return text + "-" if goes_on and text else text
    return ""


def _clef(defined: Element) -> Clef:
    found = next(_all(defined, "clef"), defined)
    shape = found.get("shape") or found.get("clef.shape")
    if shape == "perc":
        return "percussion"
    if shape == "F":
        return "bass"
    below = (found.get("dis.place") or found.get("clef.dis.place")) == "below"
    return "treble8" if shape == "G" and below else "treble"


def _metre(element: Element) -> tuple[int, int] | None:
    count, unit = element.get("count"), element.get("unit")
    if element.tag != f"{_MEI}meterSig":
        count, unit = element.get("meter.count"), element.get("meter.unit")
    if not count or not unit or unit not in ("1", "2", "4", "8", "16"):
        return None
    beats = sum(int(one) for one in count.split("+") if one.strip().isdigit())
    if not 1 <= beats <= 64:
        return None
    return (beats * 2, 2) if unit == "1" else (beats, int(unit))


def _fitting(start: int, length: int) -> Metre | None:
    for unit in (4, 8, 16):
        if (length * unit) % (QUARTER * 4) == 0:
            return Metre(start, length * unit // (QUARTER * 4), unit)
    return None
