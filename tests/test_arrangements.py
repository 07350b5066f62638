"""Arrangements: textures, voicings, basses and drums under any melody; the genres accompaniment and loop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia import genres, quality
from castalia.core.errors import RefusedError, UsageError
from castalia.core.music import ArrangementStep, Player, TuneStep
from castalia.core.score import QUARTER, ChordSymbol, Metre, Note, Part, Score
from castalia.core.values import Brief, Judged
from castalia.genres._moods import mood
from castalia.genres._players import band, ensemble, instrument_words
from castalia.modalities.music import Composers, chord_of, compose, file_of, find_soundfont, read_score, write_sheet
from castalia.modalities.music.arrange.arrange import arrange
from castalia.modalities.music.arrange.textures import _textures, texture_of
from castalia.modalities.music.files.loudness import loudness
from castalia.modalities.music.files.sound import RATE, render_sound
from castalia.quality import (
    BassRule,
    BelowMelodyRule,
    EndTogetherRule,
    InstrumentRangeRule,
    OverlapRule,
)
from castalia.studio import Studio
from test_harmony import SHEETS, draft, tunes

ODE = "66 66 67 69 69 67 66 64 62 62 64 66 66 64 64 64 66 66 67 69 69 67 66 64 62 62 64 66 64 62 62 62"
GRACE = """X:1
T:Amazing Grace
M:3/4
L:1/4
Q:1/4=84
K:G
D | G2 B/G/ | B2 A | G2 E | D2 D | G2 B/G/ | B2 A | d3- | d2 B |
d2 B/G/ | B2 A | G2 E | D2 D | G2 B/G/ | B2 A | G3- | G2 |]
"""
ENSEMBLES = ("chords", "bass", "piano", "guitar", "strings", "band")
COMPOSERS = Composers()


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        yield (made := Studio())
        made.close()


def ode() -> Score:
    notes = tuple(Note(48 * place, 48, int(pitch)) for place, pitch in enumerate(ODE.split()))
    return Score(title="Ode", parts=(Part(name="T", kind="voice", notes=notes),), fifths=2, tempo=112)


def grace() -> Score:
    return read_score(GRACE.encode(), "abc")


def make(genre: str, words: str = "", seed: int = 1, **fields: object) -> Judged:
    room = genres.find(genre)
    brief = Brief(genre=genre, words=words, fields=genres.fields_of(room, fields), seed=seed)
    written = compose(brief, room.plan(brief), COMPOSERS, room.assemble)
    return quality.judge(written, room.rules(brief))


def score_of(judged: Judged) -> Score:
    assert judged.draft.content.score
    return judged.draft.content.score


def under(score: Score, *players: Player, chords: tuple[ChordSymbol, ...] = (), seed: int = 0, **more: object) -> Score:
    step = ArrangementStep("a", score, score.length, players, chords, **more)
    return arrange(step, COMPOSERS.chords, seed=seed)


def sounding(part: Part, tick: int) -> list[int]:
    return [note.pitch for note in part.notes if note.start <= tick < note.start + note.length]


# ---------------------------------------------------------------- textures


@pytest.mark.parametrize(("role", "name"), sorted(_textures()))
def test_every_texture_plays_in_every_metre(role: str, name: str) -> None:
    for metre in (Metre(0, 4, 4), Metre(0, 3, 4), Metre(0, 2, 4), Metre(0, 6, 8), Metre(0, 9, 8), Metre(0, 5, 4)):
        notes = tuple(Note(metre.bar * bar, metre.bar, 72 + bar % 3) for bar in range(8))
        tune = Score(parts=(Part(name="T", kind="voice", notes=notes),), metres=(metre,))
        low, high = (31, 52) if role == "bass" else (50, 71)
        part = under(tune, Player("P", role, name, 0, low, high)).parts[1]
        assert part.notes, metre
        assert all(note.length > 0 and note.start + note.length <= tune.length for note in part.notes)
        assert all(low <= note.pitch <= high + 2 for note in part.notes if role != "drums")


def test_strokes_lie_within_their_bars_and_in_order() -> None:
    ticks = {"4/4": 192, "3/4": 144, "2/4": 96, "6/8": 144, "3/8": 72}
    for texture in _textures().values():
        for bars in (texture.bars, texture.cadences):
            for metre, strokes in bars.items():
                assert all(stroke.start >= 0 and stroke.length > 0 for stroke in strokes)
                assert max(stroke.start + stroke.length for stroke in strokes) <= ticks[metre], (texture.name, metre)
                assert [stroke.start for stroke in strokes] == sorted(stroke.start for stroke in strokes)


def test_an_unknown_texture_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="hum") as caught:
        texture_of("bass", "hum")
    assert "walking" in caught.value.hint


# ---------------------------------------------------------------- any melody


@settings(max_examples=60, deadline=None)
@given(tunes(), st.sampled_from(ENSEMBLES), st.integers(0, 99))
def test_any_melody_is_accompanied_and_stands(score: Score, texture: str, seed: int) -> None:
    judged = make("accompaniment", melody=score, texture=texture, seed=seed)
    made = score_of(judged)
    assert made.parts[0].notes == score.parts[0].notes
    assert all(part.notes for part in made.parts) or score.length <= score.pickup
    ends = {note.start + note.length for part in made.parts[1:] for note in part.notes}
    assert max(ends, default=0) >= score.length - max(note.length for note in score.parts[0].notes)
    assert all(1 <= note.velocity <= 127 and note.length > 0 for part in made.parts for note in part.notes)
    always = {"kept-notes", "overlap", "instrument-range", "chords", "bass"}
    assert not [finding for finding in judged.broken if finding.rule in always]
    assert score_of(make("accompaniment", melody=score, texture=texture, seed=seed)) == made


@settings(max_examples=40, deadline=None)
@given(SHEETS, st.sampled_from(ENSEMBLES), st.sampled_from(("4/4", "12/8", "2/2")), st.integers(0, 99))
def test_any_sheet_is_played(sheet: tuple[tuple[str, ...], ...], texture: str, metre: str, seed: int) -> None:
    text = write_sheet(sheet)
    if max(map(len, sheet)) > 2 and metre == "2/2":
        metre = "4/4"
    if all(word in ("N.C.", "/") for bar in sheet for word in bar):
        with pytest.raises(UsageError, match="no bar has a chord"):
            make("accompaniment", chords=text, texture=texture, metre=metre)
        return
    judged = make("accompaniment", chords=text, texture=texture, metre=metre, seed=seed)
    assert judged.passed, judged.broken
    assert score_of(judged).chords[0].name == sheet[0][0]


# ---------------------------------------------------------------- how it sounds together


@pytest.mark.parametrize("texture", ENSEMBLES)
@pytest.mark.parametrize("tune", [ode, grace])
def test_tunes_pass_every_rule(texture: str, tune) -> None:
    for seed in range(3):
        judged = make("accompaniment", melody=tune(), texture=texture, seed=seed)
        assert judged.passed, judged.broken


def test_chords_move_little_and_stay_under_the_melody() -> None:
    made = under(ode(), Player("P", "chords", "hold", 0, 50, 72), Player("B", "bass", "hold", 32, 31, 52))
    chords = [sounding(made.parts[1], tick) for tick in range(0, made.length, 48)]
    moves = [
        sum(abs(a - b) for a, b in zip(now, after, strict=True))
        for now, after in pairwise(chords)
        if len(now) == len(after)
    ]
    assert max(moves) <= 12
    for note in made.parts[0].notes:
        assert max(sounding(made.parts[1], note.start)) < note.pitch
        assert max(sounding(made.parts[2], note.start)) < min(sounding(made.parts[1], note.start))


def test_no_semitone_beside_a_long_note() -> None:
    notes = (Note(0, 192, 72), Note(192, 192, 65), Note(384, 192, 72))
    tune = Score(parts=(Part(name="T", kind="voice", notes=notes),))
    chords = (ChordSymbol(0, "Cmaj7"), ChordSymbol(192, "C"), ChordSymbol(384, "C"))
    made = under(tune, Player("P", "chords", "hold", 0, 55, 76, voices=4), chords=chords)
    assert {pitch % 12 for pitch in sounding(made.parts[1], 0)} == {0, 4, 7}
    assert 4 not in {pitch % 12 for pitch in sounding(made.parts[1], 192)}
    assert all(finding.ok for finding in BelowMelodyRule().check(draft(made)))


def test_a_walking_bass_walks() -> None:
    chords = tuple(ChordSymbol(192 * bar, name) for bar, name in enumerate(("D", "G", "Em", "A7", "D", "G", "A7", "D")))
    lines = {
        under(ode(), Player("B", "bass", "walking", 32, 31, 52), chords=chords, seed=seed).parts[1].notes
        for seed in range(6)
    }
    assert len(lines) > 1
    for line in lines:
        assert all(note.start % 48 == 0 for note in line)
        assert all(abs(after.pitch - note.pitch) <= 12 for note, after in pairwise(line))
        for chord in chords[:-1]:
            read = chord_of(chord.name)
            assert read
            assert next(note.pitch for note in line if note.start == chord.start) % 12 == read.root
            before = next((note.pitch for note in line if note.start == chord.start - 48), None)
            if before is not None:
                assert abs(before - next(note.pitch for note in line if note.start == chord.start)) <= 2


def test_slash_chords_have_their_bass() -> None:
    chords = (ChordSymbol(0, "D/F#"), ChordSymbol(384, "A7/E"), ChordSymbol(768, "G/B"), ChordSymbol(1152, "D"))
    made = under(
        ode(),
        Player("B", "bass", "hold", 32, 31, 52),
        Player("G", "chords", "strum", 24, 40, 64, rooted=True),
        chords=chords,
    )
    for start, name in ((0, 6), (384, 4), (768, 11), (1152, 2)):
        assert sounding(made.parts[1], start)[0] % 12 == name
        assert min(sounding(made.parts[2], start)) % 12 == name


def test_it_ends_on_one_full_chord() -> None:
    made = score_of(make("accompaniment", melody=ode(), texture="band"))
    last = made.chords[-1].start
    for part in made.parts[1:3]:
        held = [note for note in part.notes if note.start + note.length == made.length]
        assert held
        assert len({note.start for note in held}) == 1
        assert last <= held[0].start
    assert all(finding.ok for finding in EndTogetherRule().check(draft(made)))


def test_drums_fill_at_the_end_of_phrases() -> None:
    made = under(ode(), Player("D", "drums", "rock"))
    bars = [
        {note.pitch for note in made.parts[1].notes if 192 * bar <= note.start < 192 * (bar + 1)} for bar in range(8)
    ]
    assert bars[0] == bars[1] == bars[2] == {36, 38, 42}
    assert bars[3] == {36, 38, 42, 45, 48}
    assert 49 in bars[7]


def test_the_pickup_is_left_alone() -> None:
    made = score_of(make("accompaniment", melody=grace(), texture="piano"))
    assert made.pickup == QUARTER
    assert min(note.start for part in made.parts[1:] for note in part.notes) == QUARTER
    assert made.length == grace().length


# ---------------------------------------------------------------- the rules


def test_the_rules_find_what_is_wrong() -> None:
    good = score_of(make("accompaniment", melody=ode(), texture="piano"))
    tune, right, left = good.parts

    def broken(rule: object, *parts: Part) -> bool:
        return any(not finding.ok for finding in rule.check(draft(good.model_copy(update={"parts": parts}))))

    up = right.model_copy(update={"notes": tuple(note._replace(pitch=note.pitch + 24) for note in right.notes)})
    off = left.model_copy(update={"notes": tuple(note._replace(pitch=note.pitch + 1) for note in left.notes)})
    low = left.model_copy(update={"notes": tuple(note._replace(pitch=note.pitch - 24) for note in left.notes)})
    twice = right.model_copy(update={"notes": tuple(sorted((*right.notes, right.notes[0]._replace(length=400))))})
    short = left.model_copy(update={"notes": left.notes[:-1]})
    for rule in (BassRule(), BelowMelodyRule(), InstrumentRangeRule(), OverlapRule(), EndTogetherRule()):
        assert not broken(rule, tune, right, left), rule
    assert broken(BelowMelodyRule(), tune, up, left)
    assert broken(BassRule(), tune, right, off)
    assert broken(InstrumentRangeRule(), tune, right, low)
    assert broken(OverlapRule(), tune, twice, left)
    assert broken(EndTogetherRule(), tune, right, short)


# ---------------------------------------------------------------- loops


@pytest.mark.parametrize("metre", ["4/4", "3/4", "2/4", "6/8", "12/8"])
def test_loops_pass_in_every_metre(metre: str) -> None:
    for seed, words in enumerate(
        ("calm evening", "epic battle", "playful puppy", "lofi study", "国风 竹林", "tense chase")
    ):
        judged = make("loop", words, seed=seed, metre=metre, bars=8)
        assert judged.passed, judged.broken
        made = score_of(judged)
        assert made.cyclic
        assert made.length == made.metres[0].bar * 8
        assert score_of(make("loop", words, seed=seed, metre=metre, bars=8)) == made


def test_other_seeds_other_loops() -> None:
    assert len({score_of(make("loop", "calm evening", seed=seed)).model_dump_json() for seed in range(8)}) == 8


def test_a_lead_is_a_step_over_the_players_chords() -> None:
    room = genres.find("loop")
    brief = Brief(genre="loop", words="calm", fields=genres.fields_of(room, {"lead": "yes"}), seed=1)
    below, maker = room.plan(brief).music
    assert callable(maker)
    players = arrange(below, COMPOSERS.chords, seed=1)
    step = maker({"loop": players.model_dump_json()})
    assert isinstance(step, TuneStep)
    assert step.chords == players.chords
    assert step.length == players.length
    assert step.phrases == (768, 1536)
    assert step.highest - step.lowest >= 12
    tune = step.sketch.model_copy(
        update={"parts": (step.sketch.parts[0].model_copy(update={"notes": (Note(0, 1536, 77),)}),)}
    )
    parts = {"loop": players.model_dump_json(), "lead": tune.model_dump_json()}
    made = room.assemble(brief, parts).score
    assert made
    assert made.parts[0].kind == "voice"
    assert made.cyclic


def test_words_shape_a_loop() -> None:
    calm, wild = (score_of(make("loop", words, seed=4)) for words in ("a calm night", "an exciting workout"))
    assert calm.tempo < wild.tempo
    assert sum(len(part.notes) for part in calm.parts) < sum(len(part.notes) for part in wild.parts)
    assert not any(part.kind == "drums" for part in calm.parts)
    assert any(part.kind == "drums" for part in wild.parts)
    assert score_of(make("loop", "sad and dark", seed=4)).mode == "minor"
    assert [part.program for part in score_of(make("loop", "harp and cello by the sea")).parts][:2] == [46, 42]
    named = score_of(make("loop", "x", instruments="钢琴、鼓"))
    assert [part.kind for part in named.parts] == ["chords", "drums"]
    assert make("loop", "x", bars=5, key="E minor", tempo=100).passed
    with pytest.raises(UsageError, match="kazoo"):
        make("loop", "x", instruments="kazoo")


def test_moods_in_two_languages() -> None:
    assert mood("a tense chase").mode == mood("紧张的追逐").mode == "minor"
    assert mood("relaxing lofi").sevenths
    assert mood("sparse and high").register == "high"
    assert mood("sparse and high").density == 1
    assert mood("nothing that is known").density == 2
    assert instrument_words("an electric piano, and a double bass") == ("electric piano", "bass")
    assert instrument_words("电钢琴与古筝") == ("electric piano", "guzheng")


def test_every_mood_and_instrument_can_play() -> None:
    from castalia.genres import _players
    from castalia.genres._music import _moods

    for each in _moods():
        for density in (1, 2, 3):
            names = each.get("instruments", ("piano",))
            for player in band(
                names, density=density, register="low", drums=each.get("drums", ""), language="zh", seed=density
            ):
                texture_of(player.role, player.texture)
    for row in _players._data("instruments.toml")["instrument"]:
        for named in row["textures"]:
            for texture in named:
                texture_of(row["role"], texture)
    for each in _players._data("textures.toml")["ensemble"]:
        for player in each["player"]:
            for texture in (*player["calm"], *player["lively"]):
                texture_of(player["role"], texture)
        assert ensemble(each["name"], 60, "en", 1)


def test_a_loop_sounds_without_a_seam() -> None:
    made = score_of(make("loop", "calm evening", bars=2, tempo=120, seed=3))
    sound = render_sound(made, find_soundfont())
    assert len(sound) == round(2 * 4 * 0.5 * RATE)
    assert abs(loudness(sound, RATE) + 18) < 1
    jump = np.abs(sound[0] - sound[-1]).max()
    assert jump <= np.abs(np.diff(sound, axis=0)).max()
    ringing = np.sqrt((sound[: RATE // 50] ** 2).mean())
    assert ringing > 1e-4  # what rings on from the end


# ---------------------------------------------------------------- through the studio


def test_through_the_studio_to_files(studio: Studio, tmp_path) -> None:
    tune = tmp_path / "tune.abc"
    tune.write_text(GRACE, encoding="utf-8")
    work = studio.create("accompaniment", "", seed=1, melody=str(tune), texture="waltz", faces=("txt",))
    assert work.content.score
    for face in ("mid", "musicxml", "abc", "png"):
        path = studio.export(work, tmp_path / f"w.{face}")
        assert path.stat().st_size > 500
    again = read_score((tmp_path / "w.musicxml").read_bytes(), "musicxml")
    assert [chord.name for chord in again.chords] == [chord.name for chord in work.content.score.chords]
    made, changed = studio.remake(work.id)
    assert not changed
    assert made.content == work.content


def test_a_sheet_from_a_file(studio: Studio, tmp_path) -> None:
    sheet = tmp_path / "song.txt"
    sheet.write_text("# a song\n| C | Am F | G7 | C |\n", encoding="utf-8")
    work = studio.create("伴奏", "a lively song", seed=1, chords=str(sheet), texture="band")
    assert work.content.score
    assert [chord.name for chord in work.content.score.chords] == ["C", "Am", "F", "G7", "C"]
    loop = studio.create("背景音乐", "雨夜 钢琴", seed=2)
    assert loop.content.score
    assert loop.content.language == "zh"
    assert loop.content.score.parts[0].name == "钢琴"


def test_chords_in_the_melodys_own_file_are_played() -> None:
    names = ("D", "F#7", "Bm", "A", "D", "Em7", "A7", "D")
    marked = ode().model_copy(update={"chords": tuple(ChordSymbol(192 * bar, name) for bar, name in enumerate(names))})
    judged = make("accompaniment", melody=marked, texture="piano")
    assert judged.passed, judged.broken
    assert tuple(chord.name for chord in score_of(judged).chords) == names
    late = marked.model_copy(update={"chords": marked.chords[2:]})
    assert score_of(make("accompaniment", melody=late)).chords[0].start == 0


def test_what_is_asked_wrongly_is_said(tmp_path) -> None:
    with pytest.raises(UsageError, match="neither a melody nor chords"):
        make("accompaniment", "something")
    with pytest.raises(UsageError, match="three beats"):
        make("accompaniment", melody=ode(), texture="waltz")
    with pytest.raises(UsageError, match="3 bars and the melody 8"):
        make("accompaniment", melody=ode(), chords="C | G | C")
    with pytest.raises(UsageError, match="'H'"):
        make("accompaniment", chords="C | H")
    drums = Score(parts=(Part(name="D", kind="drums", notes=(Note(0, 48, 36),)),))
    with pytest.raises(UsageError, match="percussion"):
        make("accompaniment", melody=drums)
    assert not issubclass(UsageError, RefusedError)


def test_engraving_and_files_of_a_band() -> None:
    made = score_of(make("accompaniment", melody=ode(), texture="band"))
    for face in ("png", "mid", "abc", "musicxml"):
        assert len(file_of(made, face, soundfont=find_soundfont())) > 500
    assert b"<clef>" in file_of(made, "musicxml", soundfont=find_soundfont())
    assert b"percussion" in file_of(made, "musicxml", soundfont=find_soundfont())
