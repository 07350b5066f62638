"""Harmony: symbols, chords under any melody, progressions, chord sheets, the counts, and the rules that judge them."""

from __future__ import annotations

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.errors import UsageError
from castalia.core.score import ChordSymbol, Metre, Note, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence
from castalia.modalities.music import bars, chord_of, place_chords, read_score, read_sheet, write_sheet
from castalia.modalities.music.files.faces import file_of
from castalia.modalities.music.harmony.chords import NAMES, QUALITIES, name_of
from castalia.modalities.music.harmony.find import find_chords
from castalia.modalities.music.harmony.model import ChordModel
from castalia.modalities.music.harmony.progression import draw_progression
from castalia.quality import ChordFitRule, EveryBarRule, LoopRule, melody_fit
from castalia.quality.chord_tones import sounds
from castalia.training.harmony.count import count
from castalia.training.harmony.label import states_of, tonic_of

MODES = ("major", "minor", "dorian", "phrygian", "lydian", "mixolydian")
SIGNATURES = ((2, 4), (3, 4), (4, 4), (6, 8), (9, 8), (5, 4), (7, 8), (2, 2), (3, 8), (12, 8), (3, 2), (5, 16))


@pytest.fixture(scope="module")
def model() -> ChordModel:
    return ChordModel.default()


@st.composite
def tunes(draw: st.DrawFn) -> Score:
    """Any melody: any metre, key, mode and pickup, notes and rests of any length."""
    metre = Metre(0, *draw(st.sampled_from(SIGNATURES)))
    pickup = draw(st.sampled_from((0, 12, 24, 48, metre.bar // 2)))
    notes: list[Note] = []
    now = 0
    lengths = st.sampled_from((6, 12, 16, 24, 36, 48, 72, 96, 144, 192, 400))
    for pitch, length, rest in draw(
        st.lists(st.tuples(st.integers(30, 100), lengths, st.booleans()), min_size=1, max_size=40)
    ):
        if not rest or not notes:
            notes.append(Note(now, length, pitch))
        now += length
    return Score(
        parts=(Part(name="Tune", kind="voice", notes=tuple(notes)),),
        metres=(metre,),
        pickup=pickup if pickup < metre.bar else 0,
        fifths=draw(st.integers(-7, 7)),
        mode=draw(st.sampled_from(MODES)),
    )


def draft(score: Score) -> Draft:
    brief = Brief(genre="accompaniment", words="", fields=BriefFields(), seed=0)
    return Draft(
        brief=brief,
        content=Content(text="", score=score),
        evidence=Evidence(model="m", digest="d", engine="e", seed=0),
    )


def tune(pitches: str, fifths: int = 0, mode: str = "major") -> Score:
    """Quarters in 4/4."""
    notes = tuple(Note(48 * place, 48, int(pitch)) for place, pitch in enumerate(pitches.split()))
    return Score(parts=(Part(name="T", kind="voice", notes=notes),), fifths=fifths, mode=mode)


# ---------------------------------------------------------------- symbols


@given(st.sampled_from(list(QUALITIES)), st.integers(0, 11), st.integers(-7, 7), st.sampled_from(MODES))
def test_a_named_chord_sounds_what_was_named(quality: str, root: int, fifths: int, mode: str) -> None:
    name = name_of(root, quality, fifths, mode)
    assert chord_of(name) == (root, tuple((root + step) % 12 for step in QUALITIES[quality]), root)
    assert sounds(name) == (root, root, frozenset((root + step) % 12 for step in QUALITIES[quality]))


def test_names_are_spelled_for_their_key() -> None:
    assert name_of(10, "", -1, "major") == "Bb"
    assert name_of(8, "dim", 0, "minor") == "G#dim"
    assert name_of(8, "", 0, "major") == "Ab"
    assert name_of(4, "7", 0, "minor") == "E7"
    assert name_of(6, "m", 3, "major") == "F#m"


@pytest.mark.parametrize(
    ("name", "tones", "bass"),
    [
        ("C", "0 4 7", 0), ("Am7", "9 0 4 7", 9), ("F#m7b5", "6 9 0 4", 6), ("Bbmaj7", "10 2 5 9", 10),
        ("G7sus4", "7 0 2 5", 7), ("Cadd9", "0 4 7 2", 0), ("C6/9", "0 4 7 9 2", 0), ("Dm/F", "2 5 9", 5),
        ("CmM7", "0 3 7 11", 0), ("B°7", "11 2 5 8", 11), ("Bø7", "11 2 5 9", 11), ("C+", "0 4 8", 0),
        ("G13", "7 11 2 5 9 4", 7), ("A7(b9)", "9 1 4 7 10", 9), ("G7#5", "7 11 3 5", 7), ("E♭/B♭", "3 7 10", 10),
        ("C5", "0 7", 0), ("N.C.", "", 0),
    ],
)  # fmt: skip
def test_symbols_as_musicians_write_them(name: str, tones: str, bass: int) -> None:
    chord = chord_of(name)
    assert chord
    assert chord.tones == tuple(map(int, tones.split()))
    assert chord.bass == bass


@pytest.mark.parametrize("name", ["", "H", "c", "Hello", "Foo", "C/", "/C", "C/X", "Cb9b9b9b9b9b9b9b9b9b9", "C\n"])
def test_what_is_no_symbol(name: str) -> None:
    assert chord_of(name) is None or name == "C\n"


@given(st.text(max_size=30))
def test_any_text_is_a_chord_or_none(text: str) -> None:
    chord = chord_of(text)
    assert chord is None or all(0 <= tone < 12 for tone in chord.tones)
    sounds(text)


# ---------------------------------------------------------------- chords under a melody


@settings(max_examples=80, deadline=None)
@given(tunes(), st.sampled_from(("bar", "beat")), st.sampled_from((0.0, 0.5)), st.integers(0, 99))
def test_any_melody_gets_chords_that_fill_the_piece(score: Score, pace: str, temperature: float, seed: int) -> None:
    found = find_chords(
        score, score.parts[0].notes, ChordModel.default(), pace=pace, temperature=temperature, seed=seed
    )
    full = [bar for bar in bars(score) if bar.number and bar.start < score.length]
    assert found[0].start == (full[0].start if full else 0)
    assert all(chord_of(chord.name) for chord in found)
    assert all(before.start < after.start < score.length for before, after in pairwise(found))
    again = find_chords(
        score, score.parts[0].notes, ChordModel.default(), pace=pace, temperature=temperature, seed=seed
    )
    assert found == again
    if full:
        assert all(finding.ok for finding in EveryBarRule().check(draft(score.model_copy(update={"chords": found}))))


def test_a_plain_tune_gets_plain_chords(model: ChordModel) -> None:
    score = tune("60 64 67 64 65 69 72 69 67 71 74 71 72 67 64 60")
    found = find_chords(score, score.parts[0].notes, model)
    assert [chord.name for chord in found][:2] == ["C", "F"]
    assert found[2].name in ("G", "G7")
    assert found[-1].name == "C"
    assert melody_fit(score.model_copy(update={"chords": found})) == 1.0


def test_minor_has_its_leading_note(model: ChordModel) -> None:
    score = tune("69 72 76 72 68 71 76 71 69 69 69 69", mode="minor")
    names = [chord.name for chord in find_chords(score, score.parts[0].notes, model)]
    assert names[0] == "Am"
    assert names[1] in ("E", "E7")
    assert names[-1] == "Am"


def test_a_tune_that_ends_at_home_closes_with_the_tonic(model: ChordModel) -> None:
    for fifths in range(-6, 7):
        score = tune(" ".join(str(pitch + 7 * fifths % 12) for pitch in (64, 62, 60, 59, 62, 62, 60, 60)), fifths)
        names = [chord.name for chord in find_chords(score, score.parts[0].notes, model)]
        tonic = chord_of(names[-1])
        assert tonic
        assert tonic.root == 7 * fifths % 12
        assert len(names[-1]) <= 2


def test_temperature_and_seed_find_other_chords(model: ChordModel) -> None:
    score = tune("60 64 67 65 69 72 71 67 64 62 69 65 67 71 72 72")
    drawn = {find_chords(score, score.parts[0].notes, model, temperature=1.0, seed=seed) for seed in range(12)}
    assert len(drawn) > 3


def test_counts_know_keys_and_chords() -> None:
    chords = ((72, 67, 64, 48), (72, 69, 65, 53), (71, 67, 62, 55), (72, 67, 64, 48))
    piece = np.repeat(np.array(chords * 4, np.int64) + 2, 4, axis=0)
    assert tonic_of(piece) == (2, 0)
    assert states_of(piece, 2)[:4] == [0, 5, 7, 0]
    tables = count([piece])
    assert tables["follows"][0, 0, 5] == 4
    assert tables["follows"][0, 5, 7] == 4
    assert tables["follows"][0, 7, 0] == 4
    assert tables["held"][0, 0] == 3
    assert tables["sung"][0, 7, 0, 11] == 8


# ---------------------------------------------------------------- progressions


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 33), st.sampled_from(MODES), st.integers(0, 999))
def test_progressions_go_round(length: int, mode: str, seed: int) -> None:
    states = draw_progression(length, mode, ChordModel.default(), seed=seed)
    assert len(states) == length
    assert states[0] % 12 == 0
    round_again = [*states, states[0]]
    assert all(before != after for before, after in pairwise(round_again))
    assert states == draw_progression(length, mode, ChordModel.default(), seed=seed)


def test_progressions_differ_and_move() -> None:
    drawn = [tuple(draw_progression(8, "major", ChordModel.default(), seed=seed)) for seed in range(20)]
    assert len(set(drawn)) >= 12
    assert all(len({state % 12 for state in states}) >= 3 for states in drawn)


# ---------------------------------------------------------------- chord sheets

NAMED = st.builds(
    lambda root, quality: name_of(root, quality, 0, "major"), st.integers(0, 11), st.sampled_from(NAMES)
) | st.sampled_from(("N.C.", "C/E", "G7sus4", "F#m7b5", "Bbmaj9"))
SHEETS = st.lists(
    st.lists(st.one_of(NAMED, st.just("/")), min_size=1, max_size=4).map(tuple).filter(lambda bar: bar[0] != "/"),
    min_size=1,
    max_size=20,
).map(tuple)


@given(SHEETS, st.integers(1, 8))
def test_any_legal_sheet_is_read_back(sheet: tuple[tuple[str, ...], ...], a_line: int) -> None:
    assert read_sheet(write_sheet(sheet, a_line=a_line)) == sheet


@given(SHEETS)
def test_any_legal_sheet_is_placed(sheet: tuple[tuple[str, ...], ...]) -> None:
    filled = Score(parts=(Part(name="", notes=(Note(0, 192 * len(sheet) * 2, 60),)),))
    placed = place_chords(sheet, bars(filled))
    assert placed[0] == ChordSymbol(0, sheet[0][0])
    assert all(before.start < after.start for before, after in pairwise(placed))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("| C | Am F | G7 | C |", (("C",), ("Am", "F"), ("G7",), ("C",))),
        ("C Am\nF G7", (("C",), ("Am",), ("F",), ("G7",))),
        ("|: C | % :| G / F / ||", (("C",), ("C",), ("C",), ("C",), ("G", "/", "F", "/"))),
        ("[Verse 1]\n[C]Hello [G/B]world\n[Am7]and on", (("C",), ("G/B",), ("Am7",))),
        ("{title: A song}\nVerse:\n| C | NC |\n# end\n", (("C",), ("N.C.",))),
        ("主歌\n｜C｜Am F｜", (("C",), ("Am", "F"))),
        ("C | G\nAm | F", (("C",), ("G",), ("Am",), ("F",))),
    ],
)
def test_sheets_as_they_are_written(text: str, wanted: tuple[tuple[str, ...], ...]) -> None:
    assert read_sheet(text) == wanted


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("| C | H7 | G |", "H7"), ("[C]la [Xyz]la", "Xyz"), ("%", "%"), ("", "chord"), ("| | |", "chord"),
        ("/ C", "/"), ("C " * 300, "256"), ("x" * 10_001, "10,000"), ("|: C :|" * 400, "256"),
        ("|: " + "C | " * 200 + ":|", "256"), ("hello world", "hello"), ("[" * 5000, "["), ("|" * 9000, "chord"),
    ],
)  # fmt: skip
def test_hostile_sheets_are_refused_fast_and_by_name(text: str, named: str) -> None:
    began = time.monotonic()
    with pytest.raises(UsageError) as caught:
        read_sheet(text)
    assert time.monotonic() - began < 1
    assert named in caught.value.message
    assert caught.value.hint


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ABCDEFGHabm#|:[]{}%/ \n7().N-"), max_size=300) | st.text(max_size=200))
def test_any_text_is_a_sheet_or_a_clear_error(text: str) -> None:
    try:
        sheet = read_sheet(text)
    except UsageError:
        return
    assert all(word == "/" or chord_of(word) for bar in sheet for word in bar)


def test_a_sheet_must_fit() -> None:
    filled = Score(parts=(Part(name="", notes=(Note(0, 192 * 6, 60),)),))
    assert len(place_chords((("C",), ("G",), ("F",)), bars(filled))) == 6
    with pytest.raises(UsageError, match="4 bars and the melody 6"):
        place_chords((("C",), ("G",), ("F",), ("C",)), bars(filled))
    with pytest.raises(UsageError, match="room for 4"):
        place_chords((("C", "D", "E", "F", "G"),), bars(filled))
    waltz = Score(parts=(Part(name="", notes=(Note(0, 144, 60),)),), metres=(Metre(0, 3, 4),))
    assert place_chords((("C", "G"),), bars(waltz))[1].start == 96
    slow = Score(parts=(Part(name="", notes=(Note(0, 216, 60),)),), metres=(Metre(0, 9, 8),))
    assert [chord.start for chord in place_chords((("C", "G"),), bars(slow))] == [0, 144]


# ---------------------------------------------------------------- files and rules


@pytest.mark.parametrize("face", ["musicxml", "abc"])
def test_symbols_are_read_back_from_files(face: str) -> None:
    notes = (Note(0, 192, 60), Note(192, 48, 64), Note(240, 48, 65), Note(288, 96, 67), Note(384, 192, 72))
    chords = tuple(
        ChordSymbol(start, name)
        for start, name in ((0, "C"), (96, "F#m7b5"), (192, "Bbmaj7"), (288, "C/E"), (384, "G7sus4"), (480, "Am"))
    )
    score = Score(parts=(Part(name="T", kind="voice", notes=notes),), chords=chords)
    again = read_score(file_of(score, face, soundfont=None), face)  # type: ignore[arg-type]
    assert [(chord.start, chord.name) for chord in again.chords] == [tuple(chord) for chord in chords]
    assert [note[:3] for note in again.parts[0].notes] == [note[:3] for note in notes]


def test_the_rules_find_what_is_wrong() -> None:
    score = tune("60 64 67 64 65 69 72 69")
    good = score.model_copy(update={"chords": (ChordSymbol(0, "C"), ChordSymbol(192, "F"))})
    assert all(finding.ok for rule in (ChordFitRule(), EveryBarRule()) for finding in rule.check(draft(good)))
    foreign = score.model_copy(update={"chords": (ChordSymbol(0, "F#"), ChordSymbol(192, "B"))})
    assert not ChordFitRule().check(draft(foreign))[0].ok
    late = score.model_copy(update={"chords": (ChordSymbol(192, "F"),)})
    assert not EveryBarRule().check(draft(late))[0].ok
    odd = score.model_copy(update={"chords": (ChordSymbol(0, "Qx"),)})
    assert "Qx" in EveryBarRule().check(draft(odd))[0].found
    round_ = good.model_copy(update={"cyclic": True})
    assert all(finding.ok for finding in LoopRule().check(draft(round_)))
    assert not LoopRule().check(draft(good))[0].ok
    stuck = round_.model_copy(update={"chords": (ChordSymbol(0, "C"),)})
    assert not LoopRule().check(draft(stuck))[1].ok
