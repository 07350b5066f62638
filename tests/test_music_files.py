"""Files of music: what is written reads back, by us and by other programs, and hostile files are refused in time."""

from __future__ import annotations

import io
import random
import re
import struct
import time
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PIL import Image

from castalia.core.errors import UsageError
from castalia.core.score import QUARTER, ChordSymbol, Metre, Note, Part, Score
from castalia.modalities.music.files.bars import bars
from castalia.modalities.music.files.chord_names import parse, symbol
from castalia.modalities.music.files.engrave import engrave, engrave_pdf, engrave_png
from castalia.modalities.music.files.faces import FACES, file_of
from castalia.modalities.music.files.layout import lay_out
from castalia.modalities.music.files.loudness import loudness, normalise, true_peak
from castalia.modalities.music.files.perform import perform
from castalia.modalities.music.files.piano_roll import piano_roll
from castalia.modalities.music.files.read import melody_of, read_score
from castalia.modalities.music.files.sound import RATE, SOUNDS, encode_sound, render_sound
from castalia.modalities.music.files.soundfont import find_soundfont
from castalia.modalities.music.files.spelling import spell
from castalia.modalities.music.files.write_abc import write_abc
from castalia.modalities.music.files.write_midi import write_midi
from castalia.modalities.music.files.write_musicxml import write_musicxml

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import music21

LIGHT = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def line(text: str, lyrics: str = "") -> tuple[Note, ...]:
    """Notes from `pitch:ticks`, `r` for a rest."""
    made, now, words = [], 0, lyrics.split()
    for word in text.split():
        pitch, length = word.split(":")
        if pitch != "r":
            made.append(Note(now, int(length), int(pitch), 80, words.pop(0) if words else ""))
        now += int(length)
    return tuple(made)


def chorale(times: int = 1) -> Score:
    """Four voices with a pickup; repeated so many times."""
    lines = {
        "Soprano": ("treble", "67:48 72:48 72:24 71:24 69:48 67:48 67:96 76:48 76:48 74:24 72:24 74:48 71:48 72:96"),
        "Alto": ("treble", "64:48 67:48 67:48 65:48 64:48 62:96 67:48 69:48 68:48 69:48 67:48 67:96"),
        "Tenor": ("treble8", "60:48 64:48 60:48 60:48 60:48 59:96 60:48 60:48 59:48 62:48 62:48 64:96"),
        "Bass": ("bass", "48:48 48:48 52:48 53:48 48:48 55:96 60:48 57:48 52:48 54:48 55:48 48:96"),
    }
    words = "Now thank we all our God with heart and hands and voi- ces all"
    parts = tuple(
        Part(
            name=name, kind="voice", program=52, clef=clef,
            notes=line(" ".join([notes] * times), " ".join([words] * times) if name == "Soprano" else ""),
        )
        for name, (clef, notes) in lines.items()
    )  # fmt: skip
    return Score(
        title="Nun danket alle Gott",
        composer="Johann Crüger",
        parts=parts,
        pickup=48,
        tempo=84,
        phrases=tuple(end + 672 * again for again in range(times) for end in (336, 672)),
    )


def band() -> Score:
    """A lead sheet with chords, drums, triplets and a Chinese title."""
    drums = [Note(tick, 24, 42) for tick in range(0, 768, 24)]
    drums += [Note(tick, 48, 36 if tick % 96 == 0 else 38) for tick in range(0, 768, 48)]
    tune = "66:72 69:24 r:24 71:16 72:16 73:16 74:72 66:32 67:32 68:32 69:96 70:24 71:24 69:24 r:24 69:12 67:12 62:144"
    return Score(
        title="小夜曲",
        parts=(
            Part(name="Melody", notes=line(tune)),
            Part(
                name="Piano",
                kind="chords",
                notes=tuple(Note(tick, 96, pitch) for tick in range(0, 768, 96) for pitch in (62, 66, 69)),
            ),
            Part(name="Drums", kind="drums", clef="percussion", notes=tuple(sorted(drums))),
        ),
        fifths=2,
        tempo=112,
        chords=(
            ChordSymbol(0, "D"), ChordSymbol(96, "F#m7/C#"), ChordSymbol(192, "Gmaj7"), ChordSymbol(384, "N.C."),
            ChordSymbol(600, "Bbdim"),
        ),
    )  # fmt: skip


def plain(notes) -> list[tuple[int, int, int, str]]:
    return [(note.start, note.length, note.pitch, note.lyric) for note in notes]


@st.composite
def scores(draw, *, triplets: bool = True) -> Score:
    """Small scores: one to three parts, any metre, chords, syncopation, triplets, odd lengths."""
    metre = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (2, 2), (5, 8), (7, 4), (12, 8), (3, 16)]))
    metres = [Metre(0, *metre)]
    pickup = draw(st.sampled_from([0, 12, 24]))
    if draw(st.booleans()):
        metres.append(Metre(pickup + 2 * metres[0].bar, 3, 4))
    sizes = [12, 24, 36, 48, 72, 96, 144, 6, 3, *([16, 32, 64, 8] if triplets else [])]
    parts = []
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["voice", "chords"]))
        now, notes = draw(st.sampled_from([0, 0, 24, 48])), {}
        free = dict.fromkeys(range(128), 0)
        for _ in range(draw(st.integers(1, 9))):
            length = draw(st.sampled_from(sizes))
            count = 1 if kind == "voice" else draw(st.integers(1, 3))
            for pitch in draw(st.lists(st.integers(36, 84), min_size=count, max_size=count, unique=True)):
                if free[pitch] <= now:
                    notes[now, pitch] = Note(now, length, pitch, draw(st.integers(1, 127)))
                    free[pitch] = now + length
            now += length if kind == "voice" or draw(st.booleans()) else draw(st.sampled_from([0, 12, 24]))
            now += draw(st.sampled_from([0, 0, 0, 24]))
        parts.append(Part(name=f"Part {number}", kind=kind, program=draw(st.integers(0, 127)),
                          notes=tuple(sorted(notes.values()))))  # fmt: skip
    return Score(
        title=draw(st.sampled_from(["Tune", "曲", "Ä & <b>"])),
        parts=tuple(parts),
        fifths=draw(st.integers(-7, 7)),
        mode=draw(st.sampled_from(["major", "minor"])),
        metres=tuple(metres),
        pickup=pickup if pickup < metres[0].bar else 0,
        tempo=draw(st.integers(40, 200)),
    )


def heard(score: music21.stream.Score) -> list[list[tuple[int, int, int]]]:
    """What music21 hears, part by part: (start, length, pitch), tied notes joined."""
    made = []
    for part in score.parts:
        ends: dict[tuple[int, int], int] = {}
        found: list[list[int]] = []
        for chord in part.flatten().notes:
            if isinstance(chord, music21.harmony.ChordSymbol) or not hasattr(chord, "pitches"):
                continue
            for note in getattr(chord, "notes", (chord,)):
                start, length = (round(float(x) * QUARTER) for x in (chord.offset, chord.quarterLength))
                before = ends.pop((start, note.pitch.midi), None)
                if note.tie is not None and note.tie.type in ("continue", "stop") and before is not None:
                    found[before][1] += length
                else:
                    before = len(found)
                    found.append([start, length, note.pitch.midi])
                ends[start + length, note.pitch.midi] = before
        made.append(sorted(map(tuple, found)))
    return made


def by_music21(content: bytes, form: str) -> music21.stream.Score:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return music21.converter.parseData(content.decode(), format=form)


# MIDI


@LIGHT
@given(scores())
def test_midi_returns_what_was_written(score):
    read = read_score(write_midi(score), "mid")
    assert [part.notes for part in read.parts] == [part.notes for part in score.parts]
    assert [(part.name, part.program) for part in read.parts] == [(part.name, part.program) for part in score.parts]
    assert (read.title, read.fifths, read.mode) == (score.title, score.fifths, score.mode)
    assert read.pickup == score.pickup
    assert abs(read.tempo - score.tempo) < 0.01
    assert [tuple(metre) for metre in read.metres] == [
        tuple(metre)
        for index, metre in enumerate(score.metres)
        if not index or metre[1:] != score.metres[index - 1][1:]
    ]


def test_midi_keeps_words_chords_and_drums():
    read = read_score(write_midi(chorale()), "mid")
    assert plain(read.parts[0].notes) == plain(chorale().parts[0].notes)
    assert read.pickup == 48
    assert all(part.kind == "voice" for part in read.parts)
    read = read_score(write_midi(band()), "mid")
    assert [part.kind for part in read.parts] == ["voice", "chords", "drums"]
    assert read.chords == band().chords
    assert read.title == "小夜曲"


def test_a_played_file_is_drawn_to_the_grid():
    chance = random.Random(3)
    file, track = mido.MidiFile(ticks_per_beat=960), mido.MidiTrack()
    file.tracks.append(track)
    events = []
    for beat, pitch in enumerate((60, 62, 64, 65, 67, 69, 71, 72)):
        start = beat * 480 + chance.randint(0, 30)
        events += [(start, "note_on", pitch), (beat * 480 + 480 + chance.randint(0, 39), "note_off", pitch)]
    now = 0
    for place, kind, pitch in sorted(events):
        track.append(mido.Message(kind, note=pitch, velocity=70, time=place - now))
        now = place
    made = io.BytesIO()
    file.save(file=made)
    part = read_score(made.getvalue(), "mid").parts[0]
    assert [(note.start, note.length) for note in part.notes] == [(24 * beat, 24) for beat in range(8)]
    assert part.kind == "voice"


def midi(track: bytes, *, tracks: int = 1, division: int = 480) -> bytes:
    return b"MThd" + struct.pack(">LHHh", 6, 1, tracks, division) + b"MTrk" + struct.pack(">L", len(track)) + track


NOTE = b"\x00\x90\x3c\x40\x83\x60\x80\x3c\x40"
END = b"\x00\xff\x2f\x00"


def test_tempo_0_and_smpte_and_sustained_notes_are_read():
    read = read_score(midi(b"\x00\xff\x51\x03\x00\x00\x00" + NOTE + END), "mid")
    assert read.tempo == 120
    assert plain(read.parts[0].notes) == [(0, 48, 60, "")]
    assert read_score(midi(NOTE + END, division=-(25 << 8) + 40), "mid").parts[0].notes
    assert read_score(midi(b"\x00\xff\x59\x02\x02\x07" + NOTE + END), "mid").fifths == 0
    assert len(read_score(midi(NOTE + b"\x00\x90\x40\x40" + b"\x83\x60\xff\x2f\x00"), "mid").parts[0].notes) == 2


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (write_midi(chorale())[:-40], "ends in the middle"),
        (b"MThd" + struct.pack(">LHHh", 6, 1, 10_000, 480) + b"MTrk\0\0\0\x04\0\xff\x2f\0" * 10_000, "more tracks"),
        (midi(b"\x00\x3c\x40" + END), "running status"),
        (midi(NOTE + b"\x00\xf4\x3c\x40" + END), "undefined status"),
        (midi(b"\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x40" + END), "more seconds"),
        (b"RIFF....AVI ", "not a MIDI file"),
        (b"", "empty"),
        (b"\0" * 100, "not a MIDI file"),
        (b"MThd" + b"\0" * 20_000_001, "more bytes"),
    ],
)
def test_a_hostile_midi_file_is_refused_with_the_reason(content, word):
    with pytest.raises(UsageError, match=word) as refused:
        read_score(content, "mid")
    assert refused.value.hint


def test_an_endless_midi_track_is_refused_in_time(monkeypatch):
    monkeypatch.setattr("castalia.modalities.music.files.read_midi._MOST_READS", 300_000)
    started = time.monotonic()
    with pytest.raises(UsageError, match="more events"):
        read_score(midi(b"\x00\x90\x3c\x40" + b"\x00\x3c\x00" * 1_500_000), "mid")
    assert time.monotonic() - started < 20


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_midi_files_are_read_or_refused(data):
    content = bytearray(write_midi(band())[:600])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(14, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(UsageError):
        assert read_score(bytes(content), "mid").parts is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["mid", "abc"]))
def test_random_bytes_are_read_or_refused(content, extension):
    with suppress(UsageError):
        read_score(content, extension)


# MusicXML


@settings(max_examples=40, deadline=None)
@given(scores())
def test_music21_reads_our_musicxml(score):
    read = by_music21(write_musicxml(score), "musicxml")
    assert heard(read) == [sorted(note[:3] for note in part.notes) for part in score.parts]
    expected = bars(score)
    for part in read.parts:
        measures = list(part.getElementsByClass("Measure"))
        assert [measure.number for measure in measures] == [bar.number for bar in expected]
        assert [round(measure.duration.quarterLength * QUARTER) for measure in measures] == [b.length for b in expected]


@settings(max_examples=20, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(scores())
def test_verovio_reads_our_musicxml(score):
    read = read_score(write_musicxml(score), "musicxml")
    for ours, theirs in zip(score.parts, read.parts, strict=True):
        assert plain(theirs.notes) == plain(ours.notes)
        assert (theirs.name, theirs.program) == (ours.name, ours.program)
    assert (read.title, read.fifths, read.mode, read.pickup) == (score.title, score.fifths, score.mode, score.pickup)


def test_musicxml_keeps_all_of_a_chorale_and_of_a_band():
    read = read_score(write_musicxml(chorale()), "musicxml")
    for name in ("title", "composer", "fifths", "mode", "metres", "pickup", "tempo", "phrases"):
        assert getattr(read, name) == getattr(chorale(), name), name
    assert [(p.name, p.kind, p.clef, plain(p.notes)) for p in read.parts] == [
        (p.name, p.kind, p.clef, plain(p.notes)) for p in chorale().parts
    ]
    read = read_score(write_musicxml(band()), "musicxml")
    assert read.chords == band().chords
    assert [part.kind for part in read.parts] == ["voice", "chords", "drums"]
    assert [plain(part.notes) for part in read.parts] == [plain(part.notes) for part in band().parts]


def test_compressed_musicxml_and_humdrum_are_read():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml", '<container><rootfiles><rootfile full-path="a.xml"/></rootfiles></container>'
        )
        archive.writestr("a.xml", write_musicxml(chorale()))
    assert read_score(packed.getvalue(), "mxl").pickup == 48
    krn = "**kern\t**kern\n*clefF4\t*clefG2\n*k[b-]\t*k[b-]\n*F:\t*F:\n*M4/4\t*M4/4\n*MM96\t*MM96\n4F\t4c\n=1\t=1\n"
    krn += "2A\t4f\n.\t4g\n4c\t4a;\n4B-\t4dd\n==\t==\n*-\t*-\n"
    read = read_score(krn.encode(), ".krn")
    assert (read.fifths, read.pickup, read.tempo, read.phrases) == (-1, 48, 96, (192,))
    assert [note.pitch for note in melody_of(read)] == [60, 65, 67, 69, 74]


def test_a_long_score_is_read_in_time_and_a_transposing_part_as_it_sounds():
    clarinet = b"</clef><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    content = write_musicxml(chorale(60)).replace(b"</clef>", clarinet, 1)
    started = time.monotonic()
    read = read_score(content, "musicxml")
    assert time.monotonic() - started < 15
    assert [note.pitch + 2 for note in read.parts[0].notes] == [note.pitch for note in chorale(60).parts[0].notes]
    assert plain(read.parts[3].notes) == plain(chorale(60).parts[3].notes)


@pytest.mark.parametrize(
    ("content", "extension", "word"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><score-partwise>&d;</score-partwise>',
         "musicxml", "entities"),
        (b'<!DOCTYPE a SYSTEM "x" [\n%e;]><score-partwise/>', "xml", "entities"),
        (b"<score-partwise><part></score-partwise>", "musicxml", "cannot be read"),
        (b"<score-partwise/>", "musicxml", "cannot be read"),
        (b"<html>", "musicxml", "not MusicXML"),
        (b"PK\x03\x04" + b"\0" * 60, "mxl", "ZIP"),
        (b"**kern\n*-\n", "krn", "cannot be read"),
        (b"\xff\xfe\x00\xd8", "musicxml", "not MusicXML"),
        (b"", "musicxml", "empty"),
        (b"PK\x03\x04word", "docx", "extension"),
        (b"X:1\nK:C\n", "abc", "no notes"),
    ],
)  # fmt: skip
def test_a_hostile_notation_file_is_refused_with_the_reason(content, extension, word):
    with pytest.raises(UsageError, match=word) as refused:
        read_score(content, extension)
    assert refused.value.hint


def test_a_zip_bomb_is_not_unpacked():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", b" " * 60_000_000)
    with pytest.raises(UsageError, match="more than"):
        read_score(packed.getvalue(), "mxl")


# ABC


@LIGHT
@given(scores())
def test_abc_returns_what_was_written(score):
    read = read_score(write_abc(score).encode(), "abc")
    assert [plain(part.notes) for part in read.parts] == [plain(part.notes) for part in score.parts]
    assert (read.title, read.fifths, read.mode, read.pickup) == (score.title, score.fifths, score.mode, score.pickup)
    assert [bar[:3] for bar in bars(read)] == [bar[:3] for bar in bars(score)]


@settings(max_examples=15, deadline=None)
@given(scores())
def test_music21_reads_our_abc(score):
    # It knows no overlays, no tie over a change of metre, and no natural that holds for the rest of a bar.
    voices = tuple(part for part in score.parts if part.kind == "voice")
    mono = score.model_copy(update={"parts": voices, "metres": score.metres[:1], "fifths": 0})
    if mono.parts:
        read = by_music21(write_abc(mono).encode(), "abc")
        assert [[note[::2] for note in part] for part in heard(read)] == [
            sorted((note.start, note.pitch) for note in part.notes) for part in mono.parts
        ]


def test_abc_keeps_words_chords_fermatas_and_voices():
    text = write_abc(chorale())
    assert "voi-ces" in text
    assert "\nK:C\n" in text
    read = read_score(text.encode(), "abc")
    assert [(p.name, p.kind, p.clef, p.program, plain(p.notes)) for p in read.parts] == [
        (p.name, p.kind, p.clef, p.program, plain(p.notes)) for p in chorale().parts
    ]
    assert (read.phrases, read.tempo, read.composer) == (chorale().phrases, 84, "Johann Crüger")
    assert read_score(write_abc(band()).encode(), "abc").chords[:2] == band().chords[:2]


def test_abc_of_other_hands_is_read():
    tune = """X:1
T:A Jig % with a remark
M:6/8
K:Edor
B|"Em"EFG {c}BAG|~F3 A>B^c|(3def g2 a'/b//c'//|[E2G2]z [M:2/4] !fermata!G2-|G4:|
w: la lo-li*lu
"""
    read = read_score(tune.encode(), "abc")
    assert (read.title, read.fifths, read.mode, read.pickup) == ("A Jig", 2, "dorian", 24)
    notes = read.parts[0].notes
    assert [note.pitch for note in notes[:7]] == [71, 64, 66, 67, 71, 69, 67]
    assert [(n.length, n.pitch) for n in notes[7:11]] == [(72, 66), (36, 69), (12, 71), (24, 73)]
    assert [n.length for n in notes[11:14]] == [16, 16, 16]
    assert (notes[-1].length, notes[-1].pitch) == (144, 67)
    assert [n.lyric for n in notes[:5]] == ["la", "lo-", "li", "", "lu"]


# Pieces of the way


def test_notes_are_spelled_by_their_key():
    def named(pitch, fifths, **more):
        made = spell(pitch, fifths, **more)
        return made.step + {-2: "bb", -1: "b", 0: "", 1: "#", 2: "##"}[made.alter] + str(made.octave)

    assert [named(pitch, 0) for pitch in range(60, 72)] == "C4 C#4 D4 Eb4 E4 F4 F#4 G4 G#4 A4 Bb4 B4".split()
    assert named(68, 0, mode="minor", leads=-1) == "G#4"
    assert named(68, 0, leads=-1) == "Ab4"
    assert named(63, 0, leads=1) == "D#4"
    assert [named(pitch, 4) for pitch in (63, 60, 61)] == ["D#4", "B#3", "C#4"]
    assert named(59, -6) == "Cb4"
    assert named(60, 7) == "B#3"
    for fifths in range(-7, 8):
        for pitch in range(128):
            made = spell(pitch, fifths)
            assert 12 * (made.octave + 1) + "C D EF G A B".index(made.step) + made.alter == pitch
            assert abs(made.alter) <= 2


@LIGHT
@given(scores())
def test_every_bar_of_every_voice_is_full_and_every_value_printable(score):
    lines = bars(score)
    assert lines[0].start == 0
    assert lines[-1].end >= score.length
    for part in score.parts:
        for bar, voices in zip(lines, lay_out(part, lines), strict=True):
            for pieces in filter(None, voices):
                assert sum(piece.length for piece in pieces) == bar.length
                for piece in pieces:
                    third = (2, 3) if piece.triplet else (1, 1)
                    dotted = (3, 2) if piece.dots else (1, 1)
                    exact = piece.length * piece.value * third[1] * dotted[1] == 192 * third[0] * dotted[0]
                    assert exact or piece.whole_bar


def test_bars_of_a_pickup_and_of_metres_out_of_order():
    score = chorale()
    assert [(bar.number, bar.start, bar.length) for bar in bars(score)][:3] == [(0, 0, 48), (1, 48, 192), (2, 240, 192)]
    with pytest.raises(UsageError, match="metres"):
        bars(score.model_copy(update={"metres": (Metre(5, 4, 4),)}))
    assert len(bars(Score(parts=()))) == 1


def test_chord_symbols_are_taken_apart_and_put_together():
    for name in ("C", "F#m7/C#", "Bbmaj7", "N.C.", "Ebdim7", "G7sus4", "Am7b5"):
        chord = parse(name)
        assert chord is not None
        assert symbol(*chord) == name
    assert parse("hello") is None
    assert parse("F#m7/C#").bass == ("C", 1)


def test_the_melody_is_the_first_voice_or_the_skyline():
    assert melody_of(chorale()) == chorale().parts[0].notes
    piano = Part(
        name="Piano", kind="chords", notes=(Note(0, 96, 60), Note(0, 48, 72), Note(48, 48, 70), Note(72, 24, 50))
    )
    assert plain(melody_of(Score(parts=(piano,)))) == [(0, 48, 72, ""), (48, 48, 70, "")]
    with pytest.raises(UsageError, match="percussion"):
        melody_of(Score(parts=(band().parts[2],)))
    with pytest.raises(UsageError, match="no notes"):
        melody_of(Score(parts=(Part(name="x"),)))


# Pictures


def ink(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("L")) < 128


def test_sheet_music_is_drawn_within_its_edges():
    for score in (chorale(), band()):
        drawn = ink(engrave_png(score, 1200))
        assert drawn.shape[1] == 1200
        assert 0.01 < drawn.mean() < 0.2
        assert not drawn[:, :20].any()
        assert not drawn[:, -20:].any()
        assert not drawn[:10].any()
        assert not drawn[-10:].any()
    pages = engrave(chorale(12))
    assert len(pages) > 1
    assert all(page.startswith("<svg") and "Leipzig" not in page for page in pages)
    assert "Nun danket" in pages[0]
    assert engrave_pdf(band()).startswith(b"%PDF-")


def test_every_thread_engraves_the_same():
    with ThreadPoolExecutor(3) as threads:
        drawn = list(threads.map(engrave, [chorale(2)] * 3))
    assert drawn == [engrave(chorale(2))] * 3


def test_the_piano_roll_shows_every_part_in_its_colour():
    with Image.open(io.BytesIO(piano_roll(chorale()))) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 16)}
    assert {(0x3B, 0x6F, 0xB6), (0xD1, 0x60, 0x3D), (0x4F, 0x9D, 0x69), (0x9A, 0x5B, 0xA5)} <= colours
    assert piano_roll(Score(parts=())).startswith(b"\x89PNG")


# Sound


@pytest.fixture(scope="module")
def soundfont() -> Path:
    return find_soundfont()


def tone(seconds: float, *, level: float = 0.0, rate: int = 48_000, frequency: float = 997.0) -> np.ndarray:
    time_ = np.arange(round(seconds * rate)) / rate
    return (10 ** (level / 20) * np.sin(2 * np.pi * frequency * time_)).astype(np.float32)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_loudness_is_the_standards(rate):
    one = tone(5, rate=rate)
    assert loudness(np.stack([one, 0 * one], 1), rate) == pytest.approx(-3.01, abs=0.02)
    assert loudness(np.stack([one, one], 1), rate) == pytest.approx(0.0, abs=0.02)
    assert loudness(one[:, None] * np.float32(0.1), rate) == pytest.approx(-23.01, abs=0.02)


def test_loudness_is_gated_and_true_peak_is_between_samples():
    parts = [tone(seconds, level=level) for seconds, level in ((10, -36), (60, -23), (10, -36))]
    both = np.concatenate(parts)  # EBU Tech 3341, test signal 3
    assert loudness(np.stack([both, both], 1), 48_000) == pytest.approx(-23.0, abs=0.1)
    assert loudness(np.zeros((48_000, 2), np.float32), 48_000) == -70
    assert loudness(np.zeros((100, 2), np.float32), 48_000) == -70
    quarter = 0.5 * np.sin(np.pi / 2 * np.arange(48_000) + np.pi / 4)  # EBU Tech 3341, test signal 16
    assert true_peak(quarter.astype(np.float32)[:, None]) == pytest.approx(-6.0, abs=0.2)


def test_normalising_holds_the_peak_down():
    chance = np.random.default_rng(1)
    sound = (chance.standard_normal((44_100 * 5, 2)) * 0.01).astype(np.float32)
    sound[::9000] = 0.5
    made = normalise(sound, 44_100)
    assert true_peak(made) < -0.99
    assert loudness(made, 44_100) == pytest.approx(-18, abs=1)


def test_a_performance_is_the_same_each_time_and_slows_at_the_end():
    notes = perform(chorale(4))
    assert notes == perform(chorale(4))
    assert len(notes) == sum(len(part.notes) for part in chorale(4).parts)
    assert notes == sorted(notes)
    assert all(0 <= note.start < note.end and 1 <= note.velocity <= 127 for note in notes)
    assert chorale(4).seconds < max(note.end for note in notes) < chorale(4).seconds * 1.3


def test_a_rendered_score_sounds_as_it_should(soundfont):
    score = Score(parts=(Part(name="Flute", program=73, notes=line("69:96 81:96")),), tempo=60)
    sound = render_sound(score, soundfont)
    assert sound.dtype == np.float32
    assert sound.shape[1] == 2
    assert loudness(sound, RATE) == pytest.approx(-18, abs=0.3)
    assert true_peak(sound) < -0.99
    assert 4 < len(sound) / RATE < 7
    for second, present, absent in ((1, 440, 587), (3, 880, 440)):
        block = sound[second * RATE : second * RATE + RATE // 2].sum(axis=1) * np.hanning(RATE // 2)
        spectrum = np.abs(np.fft.rfft(block, 4 * RATE))  # quarters of a hertz
        near = {tone_: spectrum[round(tone_ * 3.88) : round(tone_ * 4.12)].max() for tone_ in (present, absent)}
        assert near[present] > 0.1 * spectrum.max() > 4 * near[absent]
    assert np.abs(sound[-50:]).max() < 0.01
    np.testing.assert_array_equal(sound, render_sound(score, soundfont))


def test_four_voices_and_a_band_play_without_stuck_notes(soundfont):
    for score in (chorale(), band()):
        sound = render_sound(score, soundfont)
        assert loudness(sound, RATE) == pytest.approx(-18, abs=0.3)
        assert true_peak(sound) < -0.99
        assert len(sound) / RATE < score.seconds * 1.4 + 2


@pytest.mark.parametrize("extension", SOUNDS)
def test_sound_is_encoded(extension):
    sound = np.stack([tone(2, level=-6, rate=RATE)] * 2, 1)
    read, rate = soundfile.read(io.BytesIO(encode_sound(sound, RATE, extension)))
    assert rate == RATE
    assert abs(len(read) - len(sound)) < 3000
    assert np.abs(read).max() == pytest.approx(0.5, abs=0.03)


def test_what_cannot_be_played_is_refused():
    with pytest.raises(UsageError, match="no notes"):
        render_sound(Score(parts=(Part(name="x"),)), Path("x"))
    long = Score(parts=(Part(name="x", notes=(Note(0, 48 * 60 * 50, 60),)),), tempo=60)
    assert long.seconds == 3000
    with pytest.raises(UsageError, match="50 minutes"):
        render_sound(long, Path("x"))
    assert read_score(write_midi(long), "mid").seconds == 3000
    with pytest.raises(UsageError, match="docx"):
        encode_sound(np.zeros((1, 2), np.float32), RATE, "docx")


def test_a_soundfont_that_is_named_is_looked_at(tmp_path):
    font = tmp_path / "own.sf2"
    font.write_bytes(b"RIFF" + bytes(4) + b"sfbk" + bytes(2000))
    assert find_soundfont(str(font)) == font
    font.write_bytes(b"RIFF")
    with pytest.raises(UsageError, match="not a soundfont"):
        find_soundfont(str(font))


def test_every_face_is_a_file_of_its_kind(soundfont):
    heads = {
        "mid": b"MThd", "musicxml": b"<?xml", "mxl": b"PK\x03\x04", "abc": b"%abc-2.1", "wav": b"RIFF", "mp3": b"",
        "flac": b"fLaC", "svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF",
    }  # fmt: skip
    assert set(heads) == set(FACES)
    short = Score(title="A", parts=(Part(name="Piano", notes=line("60:48 64:48 67:96")),))
    for face in FACES:
        assert file_of(short, face, soundfont=soundfont).startswith(heads[face])
    with pytest.raises(UsageError, match=re.escape(".gif")):
        file_of(short, ".gif", soundfont=soundfont)
