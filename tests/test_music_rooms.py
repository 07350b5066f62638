"""The music rooms as their users try them: odd briefs, files of other programs, every kind of file out."""

from __future__ import annotations

import io
import struct
import zipfile
from itertools import pairwise

import mido
import numpy as np
import pytest
import soundfile

from castalia import genres, provenance
from castalia.core import language
from castalia.core.errors import UsageError
from castalia.core.score import QUARTER, Metre, Note, Part, Score
from castalia.genres._moods import mood
from castalia.genres._music import key_in
from castalia.genres._players import instrument_words
from castalia.genres._tunes import begun, kind_named
from castalia.modalities.music import FACES, chord_of, file_of, find_soundfont, read_score, read_score_and_rest
from castalia.studio import Studio

ABC = "X:1\nT:Tune\nM:4/4\nL:1/4\nK:D\nDFAF | GBdB | AFED | D4 |]\n"
XML = """<?xml version="1.0" encoding="UTF-8"?><score-partwise version="4.0"><part-list><score-part id="P1"><part-name>V
</part-name></score-part></part-list><part id="P1"><measure number="1"><attributes><divisions>1</divisions><time><beats>
3</beats><beat-type>4</beat-type></time></attributes>{grace}<note><pitch><step>G</step><octave>4</octave></pitch>
<duration>3</duration><voice>1</voice><type>half</type><dot/></note>{bar}</measure></part></score-partwise>"""
REPEAT = '<barline location="right"><repeat direction="backward"/></barline>'
GRACE = "<note><grace/><pitch><step>A</step><octave>4</octave></pitch><voice>1</voice><type>eighth</type></note>"


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        yield (made := Studio())
        made.close()


def midi(*tracks: list[mido.Message], tempi: tuple[float, ...] = ()) -> bytes:
    file = mido.MidiFile(ticks_per_beat=480)
    for messages in tracks:
        file.tracks.append(mido.MidiTrack(messages))
    for tempo in tempi:
        file.tracks[0].append(mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo), time=480))
    file.save(file=(made := io.BytesIO()))
    return made.getvalue()


def played(*pitches: int, before: int = 0) -> list[mido.Message]:
    made: list[mido.Message] = []
    for number, pitch in enumerate(pitches):
        made.append(mido.Message("note_on", note=pitch, velocity=80, time=0 if number else before))
        made.append(mido.Message("note_off", note=pitch, time=480))
    return made


# ---------------------------------------------------------------- briefs


@pytest.mark.parametrize("instruments", [("drums",), ("bass",), ("drums", "bass")])
def test_a_lead_needs_nobody_who_plays_chords(studio: Studio, instruments: tuple[str, ...]) -> None:
    score = studio.create("loop", "night", seed=1, instruments=instruments, lead="yes").content.score
    assert score
    assert score.parts[0].kind == "voice"
    assert len(score.parts) == 1 + len(instruments)


@pytest.mark.parametrize("genre", ["chorale", "melody", "loop", "song", "accompaniment", "variation"])
def test_a_tempo_that_nobody_plays_is_wrong_use(genre: str) -> None:
    room = genres.find(genre)
    with pytest.raises(UsageError, match="at least 20, or 0"):
        genres.fields_of(room, {"tempo": "3"})
    assert genres.fields_of(room, {"tempo": "20"})
    assert genres.fields_of(room, {"tempo": "0"})


def test_fields_are_refused_in_the_users_language(monkeypatch) -> None:
    monkeypatch.setattr(language, "_interface", "zh", raising=False)
    language.use("zh")
    try:
        for given in ({"bars": "65"}, {"bars": "x"}, {"kind": "tango"}, {"tempo": "5"}):
            with pytest.raises(UsageError) as error:
                genres.fields_of(genres.find("melody"), given)
            assert "Input should" not in error.value.message
    finally:
        language.use("en")


def test_traditional_script_means_the_same() -> None:
    assert key_in("降E大調的搖籃曲") == key_in("降E大调的摇篮曲") != None  # noqa: E711 (both, and something)
    assert kind_named("", "哀傷的華爾茲", "")[0] == "waltz"
    assert mood("悲傷、莊嚴") == mood("悲伤、庄严") != mood("")
    assert instrument_words("鋼琴和古箏") == instrument_words("钢琴和古筝") != ()


@pytest.mark.parametrize(
    ("words", "metre"), [("a sad waltz", (3, 4)), ("悲傷的圓舞曲", (3, 4)), ("calm, in 6/8", (6, 8)), ("night", (4, 4))]
)
def test_a_loop_takes_its_metre_from_the_words(studio: Studio, words: str, metre: tuple[int, int]) -> None:
    score = studio.create("loop", words, seed=2).content.score
    assert score
    assert score.metres[0][1:] == metre


def test_a_format_that_a_genre_has_not_is_told_before_a_work_is_made(studio: Studio, tmp_path) -> None:
    before = len(studio.library.list())
    with pytest.raises(UsageError, match=r"loop is not written as \.docx") as error:
        studio.create("loop", "night", seed=1, faces=["docx"])
    assert "mxl" in (error.value.hint or "")
    assert len(studio.library.list()) == before
    work = studio.create("loop", "night", seed=1)
    with pytest.raises(UsageError, match=r"not written as \.epub"):
        studio.export(work, tmp_path / "x.epub")


# ---------------------------------------------------------------- what comes in


@pytest.mark.parametrize("named", ["abc", "musicxml", "wav", "txt", ""])
def test_a_file_is_read_by_its_content(named: str) -> None:
    assert len(read_score(midi(played(60, 62, 64)), named).parts[0].notes) == 3
    assert len(read_score(ABC.encode(), named).parts[0].notes) == 13


def test_a_line_that_was_played_has_no_specks_of_rest() -> None:
    events = [
        (480 * number + (late if kind == "note_on" else 440), kind, 60 + number)
        for number, late in enumerate((0, 17, 9, 24, 3, 20, 11, 28))
        for kind in ("note_on", "note_off")
    ]
    times = [0, *(time for time, _, _ in events)]
    line = [
        mido.Message(kind, note=pitch, velocity=70, time=time - before)
        for (time, kind, pitch), before in zip(events, times, strict=False)
    ]
    notes = read_score(midi(line), "mid").parts[0].notes
    assert [(each.start, each.length) for each in notes[:-1]] == [(QUARTER * number, QUARTER) for number in range(7)]


def test_no_music_without_an_extension_is_said_so() -> None:
    with pytest.raises(UsageError, match="no extension"):
        read_score(b"hello", "")
    with pytest.raises(UsageError, match=r"extension \.png"):
        read_score(b"hello", "png")
    with pytest.raises(UsageError) as error:
        read_score(b"hello", "wav")
    assert "object at 0x" not in error.value.message


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (ABC.encode(), "abc", ()),
        (ABC.replace("DFAF", "|:DFAF").encode(), "abc", ("repeats",)),
        (ABC.replace("AFED", "{g}A/F/FED").encode(), "abc", ("grace",)),
        (ABC.replace("AFED", '"|: {g}"AFED').encode(), "abc", ()),
        ((ABC + "\nX:2\nK:C\nCDE|\n").encode(), "abc", ("first of 2",)),
        (XML.format(grace="", bar="").encode(), "musicxml", ()),
        (XML.format(grace=GRACE, bar=REPEAT).encode(), "musicxml", ("repeats", "grace")),
        (midi(played(60, 62)), "mid", ()),
        (midi(played(60, 62), tempi=(90, 120)), "mid", ("2 tempi",)),
        (midi([mido.Message("pitchwheel", pitch=900), *played(60, 62)]), "mid", ("bends",)),
        (midi([mido.Message("pitchwheel", pitch=0), *played(60, 62)]), "mid", ()),
    ],
)
def test_what_is_left_out_is_said(content: bytes, kind: str, said: tuple[str, ...]) -> None:
    _, rest = read_score_and_rest(content, kind)
    assert len(rest) == len(said)
    assert all(any(word in each for each in rest) for word in said)


def test_it_is_noted_with_the_work(studio: Studio, tmp_path) -> None:
    (tmp_path / "t.abc").write_text(ABC.replace("DFAF", "|:DFAF"))
    work = studio.create("variation", "v", seed=1, melody=str(tmp_path / "t.abc"))
    note = next(each for each in work.findings if each.rule == "reading")
    assert note.severity == "note"
    assert note.place == "t.abc"


def test_a_score_that_was_cut_off_is_refused() -> None:
    whole = XML.format(grace="", bar="").encode()
    with pytest.raises(UsageError, match="XML is damaged in line"):
        read_score(whole[:-30], "musicxml")


def test_bars_of_rest_before_a_melody_are_not_filled(studio: Studio, tmp_path) -> None:
    (tmp_path / "late.mid").write_bytes(midi(played(60, 62, 64, 65, 67, 65, 62, 60, before=480 * 80)))
    assert begun(read_score((tmp_path / "late.mid").read_bytes(), "mid")).length == 8 * QUARTER
    for genre in ("variation", "chorale"):
        score = studio.create(genre, "v", seed=1, melody=str(tmp_path / "late.mid")).content.score
        assert score
        assert score.length <= 9 * QUARTER


def test_begun_keeps_the_beat() -> None:
    late = Score(parts=(Part(name="V", notes=(Note(10 * QUARTER, QUARTER, 60),)),), metres=(Metre(0, 4, 4),))
    assert begun(late).parts[0].notes[0].start == 2 * QUARTER
    assert begun(begun(late)) == begun(late)


# ---------------------------------------------------------------- what goes out


def test_packed_musicxml_is_written_read_and_marked(studio: Studio, tmp_path) -> None:
    work = studio.create("melody", "a jig in D", seed=3, faces=["mxl"])
    assert "mxl" in FACES
    path = studio.export(work, tmp_path / "t.mxl")
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist()[0] == "mimetype"
    score = read_score(path.read_bytes(), "mxl")
    assert work.content.score
    assert score.parts[0].notes == tuple(note._replace(velocity=80) for note in work.content.score.parts[0].notes)
    assert file_of(score, "mxl", soundfont=tmp_path) == file_of(score, "mxl", soundfont=tmp_path)
    again = studio.create("variation", "v", seed=3, melody=str(path))
    assert again.record.parents == (work.id,)


def loop_of(content: bytes) -> tuple[int, int]:
    place = content.index(b"smpl") + 8 + 36 + 8
    return struct.unpack_from("<2I", content, place)


def test_a_loops_wav_says_where_it_goes_round_with_its_label_before_it(studio: Studio, tmp_path) -> None:
    work = studio.create("loop", "calm night", seed=2, bars=2, tempo=120)
    score = work.content.score
    assert score
    bare = file_of(score, "wav", soundfont=find_soundfont(studio.config.soundfont))
    frames = soundfile.info(io.BytesIO(bare)).frames
    assert loop_of(bare) == (0, frames - 1)
    marked = studio.export(work, tmp_path / "loop.wav").read_bytes()
    label = len(provenance.rhythm(44_100, 2))
    assert loop_of(marked) == (label, label + frames - 1)
    assert soundfile.info(io.BytesIO(marked)).frames == label + frames


def test_guitars_are_written_an_octave_up(studio: Studio, tmp_path) -> None:
    (tmp_path / "t.abc").write_text(ABC)
    work = studio.create("accompaniment", "x", seed=1, melody=str(tmp_path / "t.abc"), texture="guitar")
    assert work.content.score
    assert [part.clef for part in work.content.score.parts] == ["treble", "treble8"]


# ---------------------------------------------------------------- how it sounds


def test_a_lead_moves_as_the_mood_does_and_ends_on_the_chord(studio: Studio) -> None:
    counts: dict[str, list[float]] = {"calm night": [], "lively dance": []}
    for words, made in counts.items():
        for seed in range(4):
            score = studio.create("loop", words, seed=seed, lead="yes").content.score
            assert score
            assert score.cyclic
            made.append(len(score.parts[0].notes) / 8)
            chord = chord_of(score.chords[-1].name)
            assert chord
            assert score.parts[0].notes[-1].pitch % 12 in chord.tones
    assert np.mean(counts["calm night"]) + 1 < np.mean(counts["lively dance"])


LYRICS = """The harbour sleeps beneath the moon,
The boats lie still upon the tide,
A sailor hums a quiet tune
With nothing left for him to hide.

The lamps burn low along the quay,
The gulls have folded up their wings,
And far away across the sea
The morning bell already sings."""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_verses_have_their_chords_again_and_more_than_one(studio: Studio, seed: int) -> None:
    score = studio.create("song", "x", seed=seed, lyrics=LYRICS).content.score
    assert score
    bar, begin = score.metres[0].bar, score.chords[0].start
    half = (score.length - begin) // bar // 2

    def at(number: int) -> list[str]:
        ticks = range(begin + number * bar, begin + (number + 1) * bar, bar // 2)
        return [[each.name for each in score.chords if each.start <= tick][-1] for tick in ticks]

    assert [at(number) for number in range(half - 2)] == [at(number + half) for number in range(half - 2)]
    stays = [after.start - each.start for each, after in pairwise(score.chords)]
    assert len(stays) > 2
    assert max(stays) <= 6 * bar


def test_given_lyrics_of_a_known_poem_are_the_users_own(studio: Studio) -> None:
    work = studio.create("song", "秋", seed=5, lyrics="床前明月光\n疑是地上霜\n举头望明月\n低头思故乡")
    assert all(each.ok for each in work.findings if each.rule == "originality")


def test_an_error_repeats_only_the_beginning_of_a_long_value() -> None:
    room = genres.find("accompaniment")
    with pytest.raises(UsageError) as raised:
        genres.fields_of(room, {"chords": "| C " * 3000})
    assert "| C | C" in str(raised.value)
    assert len(str(raised.value)) < 400
