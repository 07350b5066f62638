"""ABC notation 2.1 → Score: the first tune of a file, repeats as they stand on paper, grace notes left out.

Written by hand because verovio reads one voice only. All that is read is bounded, and each letter is looked at once.
"""

from __future__ import annotations

import re

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import ChordSymbol, Metre, Part, Score
from castalia.modalities.music.abc_fields import Fields
from castalia.modalities.music.abc_voice import FINE, Voice
from castalia.modalities.music.chord_names import parse
from castalia.modalities.music.midi_grid import overlaps

LARGEST = 2_000_000
"""Bytes of a file."""
_MOST_NOTES = 200_000
_FIELD = re.compile(r"\[?([A-Za-z]):[ \t]*([^\]\n]{0,1000})\]?")
_TOKEN = re.compile(
    r"""(?P<field>\[[KLMQVr]:[^\]\n]{0,200}\])
    |(?P<text>"[^"\n]{0,200}")
    |(?P<decoration>![^!\n]{0,50}!|\+[a-z]{1,20}\+)
    |(?P<grace>\{[^}\n]{0,200}\})
    |(?P<bar>(?:\[\||:?\|[\]|:]*|::)(?:\d[\d,-]{0,8})?|\[\d[\d,-]{0,8})
    |(?P<tuplet>\(\d(?::\d{0,2})?(?::\d{0,3})?)
    |(?P<chord>\[(?:[_=^]{0,2}[A-Ga-g][,']{0,6}(?:\d{0,4}/{0,4}\d{0,4})-?){1,40}\])(?P<chord_length>\d{0,4}/{0,4}\d{0,4})
    |(?P<note>[_=^]{0,2}[A-Ga-g][,']{0,6})(?P<note_length>\d{0,4}/{0,4}\d{0,4})
    |(?P<rest>[zxZ])(?P<rest_length>\d{0,4}/{0,4}\d{0,4})
    |(?P<tie>-)|(?P<broken>>{1,3}|<{1,3})|(?P<overlay>&)|(?P<fermata>H(?=[_=^A-Ga-g\[]))""",
    re.VERBOSE,
)


def read_abc(content: bytes) -> Score:
    """The score of an ABC file.

    Raises:
        UsageError: it is too large, or holds no key (K:) or no notes.
    """
    if len(content) > LARGEST:
        raise _unreadable(say("it has more than {most:,} bytes", "超过 {most:,} 字节", most=LARGEST))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError:
        text = content.decode("latin-1")
    tune = _Tune()
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line.strip() and tune.fields.keyed:
            break
        tune.line(line)
    return tune.score()


class _Tune:
    """What has been read so far."""

    def __init__(self) -> None:
        self.fields = Fields()
        self._voices: dict[str, Voice] = {}
        self._now = "1"
        self._notes = 0

    def line(self, line: str) -> None:
        if line.startswith("%%MIDI program "):
            self.fields.program(line.rsplit(maxsplit=1)[-1])
        line = re.split(r"(?<!\\)%", line, maxsplit=1)[0].rstrip()
        field = _FIELD.match(line)
        if field and not line.startswith("["):
            self._field(field[1], line[2:].strip())
        elif self.fields.keyed and line:
            self._music(line.removesuffix("\\"))

    def score(self) -> Score:
        for voice in self._voices.values():
            voice.finish()
        fields = self.fields
        voices = [(name, self._voices[name]) for name in [*fields.voices, *self._voices] if name in self._voices]
        voices = list(dict(voices).items())
        if not any(voice.notes for _, voice in voices):
            raise _unreadable(say("it holds no key (K:) or no notes", "其中没有调号（K:）或音符"))
        first = voices[0][1]
        metres, pickup = _metres(first)
        return Score(
            title=fields.title,
            composer=fields.composer,
            parts=tuple(self._part(name, voice, number) for number, (name, voice) in enumerate(voices, 1)),
            fifths=fields.fifths,
            mode=fields.mode,
            metres=metres,
            pickup=pickup,
            tempo=fields.tempo,
            chords=tuple(ChordSymbol(_ticks(at), name) for at, name in first.symbols if parse(name)),
            phrases=tuple(sorted({_ticks(at) for _, voice in voices for at in voice.held})),
        )

    def _part(self, name: str, voice: Voice, number: int) -> Part:
        described = self.fields.voices.get(name)
        notes = voice.scored()
        clef = described.clef if described else "treble"
        kind = "drums" if clef == "percussion" else "chords" if overlaps(notes) else "voice"
        title = (described.name if described else "") or say("Part {number}", "声部 {number}", number=number)
        program = described.program if described else 0
        return Part(name=title, program=program, kind=kind, clef=clef, notes=tuple(notes))

    def _voice(self) -> Voice:
        described = self.fields.voices.get(self._now)
        if self._now not in self._voices:
            octave = described.octave if described else 0
            self._voices[self._now] = Voice(self.fields.fifths, self.fields.unit, self.fields.metre, octave)
        return self._voices[self._now]

    def _field(self, letter: str, value: str) -> None:
        if letter == "V":
            self._now = self.fields.voice(value) or self._now
        elif letter == "w" and self.fields.keyed:
            self._voice().sing(value)
        elif not self.fields.keyed:
            self.fields.read(letter, value)
        elif letter in "KLM":
            self._change(letter, value)

    def _change(self, letter: str, value: str) -> None:
        """A field within the tune: for the voice in which it stands."""
        changed = Fields()
        changed.read(letter, value)
        if letter == "K":
            self._voice().fifths = changed.fifths
        elif letter == "L":
            self._voice().unit = changed.unit
        else:
            self._voice().change_metre(changed.metre)

    def _music(self, line: str) -> None:
        self._voice().begin_line()
        place = 0
        while found := _TOKEN.search(line, place):
            place = found.end()
            kind = str(found.lastgroup).removesuffix("_length")
            text = str(found[kind])
            if kind == "field":
                self._field(text[1], text[3:-1].strip())
                continue
            length = found[f"{kind}_length"] if kind in ("note", "chord", "rest") else ""
            self._voice().take(kind, text, length)
            self._notes += kind in ("note", "chord")
            if self._notes > _MOST_NOTES:
                raise _unreadable(say("it has more than {most:,} notes", "超过 {most:,} 个音符", most=_MOST_NOTES))


def _ticks(place: int) -> int:
    return (place * 2 + FINE) // (FINE * 2)


def _metres(voice: Voice) -> tuple[tuple[Metre, ...], int]:
    metres = [Metre(_ticks(at), *metre) for at, metre in voice.metres]
    ends = [_ticks(at) for at in voice.bar_ends]
    pickup = ends[0] if len(ends) > 1 and 0 < ends[0] < metres[0].bar else 0
    made: dict[int, Metre] = {metre.start: metre for metre in metres}
    return tuple(made[start] for start in sorted(made)), pickup


def _unreadable(why: str) -> UsageError:
    return UsageError(
        say("The ABC tune cannot be read: {why}.", "无法读取 ABC 曲谱：{why}。", why=why),
        hint=say("See abcnotation.com, or export it as MusicXML.", "请参阅 abcnotation.com，或导出为 MusicXML。"),
    )
