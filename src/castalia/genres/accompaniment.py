"""Accompaniment: chords found under a given melody, or given as a sheet, played by a piano, a guitar, a band."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import ArrangementStep
from castalia.core.ports import Plan, Rule
from castalia.core.score import ChordSymbol, Metre, Mode, Note, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding, GivenText
from castalia.genres._moods import mood
from castalia.genres._music import Key, NotedRule, Tempo, assembled, mood_of, wished_key
from castalia.genres._players import ensemble, instrument_words, suits
from castalia.modalities.music import bars, chord_of, melody_of, place_chords, read_sheet
from castalia.quality import (
    BarsRule,
    BassRule,
    BelowMelodyRule,
    ChordFitRule,
    EndTogetherRule,
    EveryBarRule,
    InstrumentRangeRule,
    KeptNotesRule,
    OverlapRule,
    key_of,
)

LONGEST = 256
"""Bars."""
VARIED = 0.35
"""Temperature at which chords are drawn, so that another seed finds others."""
Texture = Literal["", "chords", "bass", "piano", "guitar", "waltz", "strings", "band"]
_BY_INSTRUMENT: dict[str, Texture] = {
    "piano": "piano", "guitar": "guitar", "strings": "strings", "cello": "strings", "bass": "bass", "drums": "band",
}  # fmt: skip


class AccompanimentFields(BriefFields):
    """Fields of an accompaniment."""

    melody: Annotated[
        Score | None,
        Field(
            description="score file whose melody is accompanied, by the chords in it if any | 乐谱文件，为其旋律写伴奏"
        ),
    ] = None
    chords: Annotated[
        str,
        GivenText(),
        Field(
            max_length=10_000,
            description="chords, a text or a file: C; Am F; G7; C, between bar lines, or ChordPro | 和弦谱，文字或文件",
        ),
    ] = ""
    texture: Annotated[
        Texture,
        Field(
            description="chords, bass, piano, guitar, waltz, strings or band; empty: by metre and mood | 织体；空：自动"
        ),
    ] = ""
    key: Annotated[str, Field(max_length=20, description="key of the melody, e.g. E minor, Bb | 旋律的调")] = ""
    tempo: Annotated[Tempo, Field(ge=0, le=240, description="quarters a minute; 0: the melody's | 速度；0：随旋律")] = 0
    metre: Annotated[
        Literal["2/4", "3/4", "4/4", "6/8", "9/8", "12/8", "2/2", "3/8"],
        Field(description="metre of chords without a melody | 无旋律时的拍号"),
    ] = "4/4"


class Accompaniment:
    """See the module."""

    name = "accompaniment"
    aliases = ("伴奏", "配伴奏", "backing")
    languages = ("en", "zh")
    title = ("Accompaniment", "伴奏")
    summary = (
        "chords found under a melody or given as a sheet, played below it by piano, guitar, strings or a band",
        "为旋律配和弦或按和弦谱，由钢琴、吉他、弦乐或乐队伴奏；旋律原样保留",
    )
    fields: type[BriefFields] = AccompanimentFields

    def plan(self, brief: Brief) -> Plan:
        """One score."""
        return Plan(music=(_step(brief),))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """See `assembled`."""
        return assembled(brief, parts.get("accompaniment", ""))

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """Chords, bass, ranges, the melody kept and left free, the end together."""
        step = _step(brief)
        melody = step.sketch.parts[0].notes if step.sketch.parts else ()
        theirs = bool(step.chords)  # chords that the user gave may end and clash as they like
        home = not theirs and _ends_at_home(step.sketch, melody)
        under = (ChordFitRule(), BelowMelodyRule()) if melody else ()
        has_bass = any(player.role == "bass" or player.rooted for player in step.players)
        return (
            NotedRule(BarsRule()),  # the user's melody, or sheet, ends where it ends
            NotedRule(EveryBarRule()) if theirs else EveryBarRule(),
            *((NotedRule(BassRule()) if theirs else BassRule(),) if has_bass else ()),
            InstrumentRangeRule(),
            OverlapRule(),
            EndTogetherRule() if home else NotedRule(EndTogetherRule()),
            *((NotedRule(rule) if theirs else rule) for rule in under),
            *((KeptNotesRule({0: melody}),) if melody else ()),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: an accompaniment is written anew."""


def _fields(brief: Brief) -> AccompanimentFields:
    assert isinstance(brief.fields, AccompanimentFields)
    return brief.fields


def _step(brief: Brief) -> ArrangementStep:
    fields = _fields(brief)
    if fields.melody is None and not fields.chords.strip():
        raise UsageError(
            say("There is neither a melody nor chords to accompany.", "既没有旋律，也没有和弦可供伴奏。"),
            hint="--melody tune.mid  /  -o 'chords=| C | Am F | G7 | C |'",
        )
    sketch = _under(brief, fields, fields.melody) if fields.melody else _alone(brief, fields)
    length = _length(sketch)
    chords = _given(fields, sketch, length)
    words = f"{brief.words} {fields.style}"
    texture = fields.texture or _texture(words, sketch.metres[0], sketch.tempo)
    if not suits(texture, sketch.metres[0]):
        raise UsageError(
            say("A waltz has three beats; the metre is {beats}/{unit}.", "圆舞曲为三拍子，而拍号为 {beats}/{unit}。",
                beats=sketch.metres[0].beats, unit=sketch.metres[0].unit),
            hint="-o texture=piano",
        )  # fmt: skip
    if not fields.melody:
        sketch = sketch.model_copy(update={"parts": ()})
    return ArrangementStep(
        name="accompaniment",
        sketch=sketch,
        length=length,
        players=ensemble(texture, sketch.tempo, fields.language, brief.seed),
        chords=chords,
        temperature=VARIED,
    )


def _under(brief: Brief, fields: AccompanimentFields, given: Score) -> Score:
    """The melody with its key, metres, pickup and tempo."""
    if (count := given.length / given.metres[0].bar) > LONGEST:
        raise UsageError(
            say("The score has {n:.0f} bars; at most {most} are taken.", "乐谱有 {n:.0f} 小节；最多 {most} 小节。",
                n=count, most=LONGEST),
            hint=say("Give a part of it.", "请给出其中一部分。"),
        )  # fmt: skip
    melody = melody_of(given)
    fifths, mode = _key(fields, brief.words, given)
    from_part = next((part for part in given.parts if melody[0] in part.notes), given.parts[0])
    middle = sorted(note.pitch for note in melody)[len(melody) // 2]
    part = Part(
        name=say("Melody", "旋律") if fields.language == "en" else "旋律",
        program=from_part.program,
        kind="voice",
        clef="bass" if middle < 55 else "treble",
        notes=melody,
    )
    return given.model_copy(
        update={
            "title": brief.words[:60].strip() or given.title,
            "parts": (part,),
            "fifths": fifths,
            "mode": mode,
            "tempo": float(fields.tempo or given.tempo),
            "chords": (),
        }
    )


def _alone(brief: Brief, fields: AccompanimentFields) -> Score:
    """As many bars as the sheet has, in its key: a bar's rest stands for a melody."""
    sheet = read_sheet(fields.chords)
    beats, unit = map(int, fields.metre.split("/"))
    metre = Metre(0, beats, unit)
    mode, tempo = mood_of(f"{brief.words} {fields.style}")
    filled = Score(
        title=brief.words[:60].strip(),
        parts=(Part(name="", notes=(Note(0, metre.bar * len(sheet), 60),)),),
        metres=(metre,),
        tempo=float(fields.tempo or tempo),
    )
    chords = place_chords(sheet, bars(filled))
    key = wished_key(fields.key, brief.words)
    sounding = Score(parts=(_chord_tones(chords, filled.length),), mode=mode or "major")
    guess = key_of(sounding)
    ends = (
        [read for chord in (chords[0], chords[-1]) if (read := chord_of(chord.name)) and read.tones] if chords else []
    )
    if not key and ends and ends[0].root == ends[-1].root:  # it begins and ends at home
        minor = (ends[0].root + 3) % 12 in ends[0].tones and (ends[0].root + 4) % 12 not in ends[0].tones
        key = Key((7 * (ends[0].root + (3 if minor else 0)) + 5) % 12 - 5, "minor" if minor else "major")
    fifths, found = (key.fifths, key.mode) if key else (guess.fifths, guess.mode)
    return filled.model_copy(update={"fifths": fifths, "mode": found})


def _chord_tones(chords: tuple[ChordSymbol, ...], length: int) -> Part:
    """All chords held in the middle, for the key to be heard."""
    ends = [*(chord.start for chord in chords[1:]), length]
    notes = [
        Note(chord.start, end - chord.start, 60 + (tone - read.root) % 12 + read.root - (12 if not number else 0))
        for chord, end in zip(chords, ends, strict=True)
        if (read := chord_of(chord.name))
        for number, tone in enumerate(read.tones)
    ]
    return Part(name="", kind="chords", notes=tuple(sorted(notes)))


def _given(fields: AccompanimentFields, sketch: Score, length: int) -> tuple[ChordSymbol, ...]:
    """The sheet's chords in time, else those that the melody's file has over its staff; none are to be found."""
    if not fields.chords.strip():
        written = fields.melody.chords if fields.melody else ()
        complete = written and written[0].start <= sketch.pickup and all(chord_of(chord.name) for chord in written)
        return tuple(chord for chord in written if chord.start < length) if complete else ()
    part = Part(name="", notes=(Note(0, length, 60),))
    full = [bar for bar in bars(sketch.model_copy(update={"parts": (part,)})) if bar.number]
    return place_chords(read_sheet(fields.chords), full)


def _length(sketch: Score) -> int:
    """To the end of the bar in which the melody ends, less what a pickup has begun with."""
    last = bars(sketch)[-1]
    short = last.end - sketch.pickup
    return short if 0 < sketch.pickup < last.length and sketch.length <= short else last.end


def _key(fields: AccompanimentFields, words: str, given: Score) -> tuple[int, Mode]:
    """The key that is asked for, else the signature's, else the one that is heard."""
    if key := wished_key(fields.key, words):
        return key.fifths, key.mode
    if (given.fifths, given.mode) != (0, "major"):
        return given.fifths, given.mode
    guess = key_of(given)
    return guess.fifths, guess.mode


def _texture(words: str, metre: Metre, tempo: float) -> Texture:
    """By the words, else by metre, mood and tempo."""
    if re.search(r"\bwaltz|圆舞曲|华尔兹", words, re.IGNORECASE) and suits("waltz", metre):
        return "waltz"
    for name in instrument_words(words):
        if name in _BY_INSTRUMENT:
            return _BY_INSTRUMENT[name]
    if (metre.beats, metre.unit) in ((3, 4), (3, 8)):
        return "waltz" if tempo >= 100 else "piano"
    if metre.unit == 8:
        return "guitar"
    dense = mood(words).density
    return "band" if dense == 3 or (dense == 2 and tempo >= 112) else "piano"


def _ends_at_home(sketch: Score, melody: tuple[Note, ...]) -> bool:
    """Whether the melody's last note is in the tonic chord, so that the accompaniment can end there."""
    tonics = {"major": 0, "minor": 9, "dorian": 2, "phrygian": 4, "lydian": 5, "mixolydian": 7}
    tonic = (7 * sketch.fifths + tonics[sketch.mode]) % 12
    third = 3 if sketch.mode in ("minor", "dorian", "phrygian") else 4
    return not melody or (melody[-1].pitch - tonic) % 12 in (0, third, 7)


GENRE = Accompaniment()
