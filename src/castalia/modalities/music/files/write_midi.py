"""Score → standard MIDI file, format 1: one track for metre, key and tempo, then one a part."""

from __future__ import annotations

import io
from typing import Any

from castalia.core.score import QUARTER, Mode, Part, Score
from castalia.modalities.music.files.bars import bars

RESOLUTION = 480
"""MIDI ticks of a quarter note."""
DRUMS = 9
"""Channel of percussion, counted from 0."""
_SCALE = RESOLUTION // QUARTER
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Abm", "Ebm", "Bbm", "Fm", "Cm", "Gm", "Dm", "Am", "Em", "Bm", "F#m", "C#m", "G#m", "D#m", "A#m")
_MINOR_MODES: tuple[Mode, ...] = ("minor", "dorian", "phrygian")
Message = Track = Any
"""Of mido, which has no types."""


def write_midi(score: Score) -> bytes:
    """The score as written, without expression, at 480 ticks a quarter note.

    A pickup is a bar of its own metre, as notation programs write it; one that is no whole number of sixty-fourths
    is lost. Of two notes of a part at the same pitch, the later one ends the earlier.
    """
    from mido import MidiFile

    made: Any = MidiFile(type=1, ticks_per_beat=RESOLUTION, charset="utf-8")
    made.tracks.append(_track(_conductor(score)))
    free = [channel for channel in range(16) if channel != DRUMS]
    for number, part in enumerate(score.parts):
        channel = DRUMS if part.kind == "drums" else free[number % len(free)]
        made.tracks.append(_track(_part(part, channel)))
    file = io.BytesIO()
    made.save(file=file)
    return file.getvalue()


def _conductor(score: Score) -> list[tuple[int, int, Message]]:
    from mido import MetaMessage

    names = _MINOR if score.mode in _MINOR_MODES else _MAJOR
    events: list[tuple[int, int, Message]] = [
        (0, 0, MetaMessage("track_name", name=score.title)),
        (0, 0, MetaMessage("key_signature", key=names[score.fifths + 7])),
        (0, 0, MetaMessage("set_tempo", tempo=round(60e6 / score.tempo))),
    ]
    signs = [(bar.start, bar.metre.beats, bar.metre.unit) for bar in bars(score)[:2]]
    if 0 < score.pickup < score.metres[0].bar:
        beats, unit = _fraction(score.pickup)
        signs = [(0, beats, unit), (signs[0][0] + score.pickup, *signs[0][1:])] if unit else signs[:1]
    else:
        signs = signs[:1]
    signs += [(metre.start, metre.beats, metre.unit) for metre in score.metres[1:]]
    for start, beats, unit in {sign[0]: sign for sign in signs}.values():
        events.append((start, 0, MetaMessage("time_signature", numerator=beats, denominator=unit)))
    return events + [(chord.start, 1, MetaMessage("marker", text=chord.name)) for chord in score.chords]


def _fraction(ticks: int) -> tuple[int, int]:
    """A metre whose bar has so many ticks, with the longest beat; (0, 0) when there is none."""
    for unit in (4, 8, 16, 32, 64):
        if (ticks * unit) % (QUARTER * 4) == 0:
            return ticks * unit // (QUARTER * 4), unit
    return 0, 0


def _part(part: Part, channel: int) -> list[tuple[int, int, Message]]:
    from mido import Message as Channelled
    from mido import MetaMessage

    events: list[tuple[int, int, Message]] = [
        (0, 0, MetaMessage("track_name", name=part.name)),
        (0, 0, Channelled("program_change", channel=channel, program=part.program)),
    ]
    sounding: dict[int, int] = {}
    for note in sorted(part.notes, key=lambda note: (-note.start, -note.length)):
        end = min(note.start + note.length, sounding.get(note.pitch, note.start + note.length))
        if end <= note.start:
            continue
        sounding[note.pitch] = note.start
        if note.lyric:
            events.append((note.start, 2, MetaMessage("lyrics", text=note.lyric)))
        events += (
            (note.start, 3, Channelled("note_on", channel=channel, note=note.pitch, velocity=note.velocity)),
            (end, 1, Channelled("note_off", channel=channel, note=note.pitch, velocity=64)),
        )
    return events


def _track(events: list[tuple[int, int, Message]]) -> Track:
    from mido import MidiTrack

    track: Track = MidiTrack()
    now = 0
    for start, _, message in sorted(events, key=lambda event: event[:2]):
        track.append(message.copy(time=(start - now) * _SCALE))
        now = start
    return track
