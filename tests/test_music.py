"""The chorale genre: model, experts, rules of writing, and the way through the studio to marked files."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia import provenance, quality
from castalia.core.errors import MissingError, UsageError
from castalia.core.music import Kept, VoicesStep
from castalia.core.score import QUARTER, Metre, Note, Part, Score
from castalia.genres._music import Key, key_in, mood_of, wished_key
from castalia.genres._phrases import phrases_of
from castalia.modalities.music import FACES, ChoraleModel, file_of, find_soundfont, read_score
from castalia.modalities.music.voices.ahead import Ahead
from castalia.modalities.music.voices.decode import score_of
from castalia.modalities.music.voices.encode import FRAME, frames_of, given_of
from castalia.modalities.music.voices.experts import Experts, Memory, learn
from castalia.modalities.music.voices.fingerprint import fingerprint, same_piece, sketch
from castalia.modalities.music.voices.generate import Task, write
from castalia.modalities.music.voices.grid import LOWEST, SYMBOLS, VOICES, pitches_of, symbols_of
from castalia.modalities.music.voices.leading import allowed
from castalia.modalities.music.voices.model import OPEN, nats
from castalia.modalities.music.voices.state import walk
from castalia.studio import Studio

TUNE = "67 69 71 72 74 72 71 69 67 71 69 67".split()


@pytest.fixture(scope="module")
def model() -> ChoraleModel:
    return ChoraleModel.default()


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        yield (made := Studio())
        made.close()


def hymn(bars: int = 4, up: int = 0) -> np.ndarray:
    """Four voices in plain chords: I, IV, V, I, a bar each way."""
    chords = ((72, 67, 64, 48), (72, 69, 65, 53), (71, 67, 62, 55), (72, 67, 64, 48))
    return np.repeat(np.array(chords * bars, np.int64) + up, 4, axis=0)


def voices(pitches: np.ndarray) -> Score:
    empty = Score(parts=tuple(Part(name=name, kind="voice") for name in "SATB"))
    return score_of(pitches, VoicesStep("hymn", empty, len(pitches) * FRAME))


# ---------------------------------------------------------------- grid, experts, model


@given(st.integers(0, 127))
def test_symbols_return_to_their_pitches(pitch: int) -> None:
    symbol = symbols_of(np.array([pitch]))
    assert 0 <= symbol[0] < SYMBOLS
    assert pitches_of(symbol)[0] in (pitch, 0)


def test_a_score_goes_to_the_grid_and_back() -> None:
    pitches = hymn()
    np.testing.assert_array_equal(frames_of(voices(pitches)), pitches)


def test_a_piece_is_read_without_its_own_counts() -> None:
    alone = learn([hymn(), hymn(3, up=2) + np.array([0, 0, 0, 12])])
    seen = np.concatenate(alone.seen)
    assert np.isfinite(np.concatenate(alone.chances).astype(float)).all()
    only = learn([hymn()])
    assert np.allclose(only.seen[0][..., :3], 0)  # what it knows, it knows of this piece alone
    assert seen.max() > 0


def test_experts_say_the_same_one_frame_at_a_time_as_all_at_once() -> None:
    train, other = [hymn(), hymn(2, up=3)], hymn(3, up=-2)
    learned = learn(train, [other])
    experts = Experts.from_arrays(learned.experts.arrays())
    memory = Memory(1)
    for state, frame, _ in walk([other]):
        for voice in range(VOICES):
            chances, _ = experts.read(state, voice, frame, memory)
            assert chances[0].sum(-1) == pytest.approx(1, abs=1e-4)
            np.testing.assert_allclose(chances[0], learned.chances[-1][state.time, voice], atol=2e-3)
        memory.note(state, frame)


def test_the_model_gives_chances_and_knows_a_cadence_from_noise(model: ChoraleModel) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(50, 70, (64, VOICES))
    music, other = (float(cost.mean()) for cost in nats(model, [hymn(), noise]))
    assert music < 0.5 < 2 < other
    writing = model.open(np.full((2, 8, VOICES), OPEN))
    writing.begin()
    scores = writing.scores(0, np.zeros((2, VOICES), np.int64))
    assert np.exp(scores).sum(1) == pytest.approx([1, 1], abs=1e-4)


def test_two_pieces_in_step_cost_what_each_costs_alone(model: ChoraleModel) -> None:
    both = nats(model, [hymn(4), hymn(2, up=4)])
    for cost, piece in zip(both, (hymn(4), hymn(2, up=4)), strict=True):
        np.testing.assert_allclose(cost, nats(model, [piece])[0], atol=1e-4)


def test_a_folder_without_a_model_is_named(tmp_path) -> None:
    with pytest.raises(MissingError, match=r"weights\.safetensors"):
        ChoraleModel(tmp_path)


def test_a_fingerprint_holds_in_every_key_and_tells_pieces_apart() -> None:
    rng = np.random.default_rng(1)
    piece, other = (np.repeat(rng.integers(50, 70, (60, VOICES)), 2, axis=0) for _ in range(2))
    assert fingerprint(piece) == fingerprint(piece + 5)
    assert same_piece(piece - 3, [sketch(other), sketch(piece)]) == 1
    assert same_piece(other, [sketch(piece)]) is None


# ---------------------------------------------------------------- writing


def test_the_same_seed_writes_the_same_and_rules_hold(model: ChoraleModel) -> None:
    task = Task(np.full((64, VOICES), OPEN))
    first, again, other = (write(model, task, drafts=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.frames, again.frames)
    assert (first.frames != other.frames).any()
    for draft, lost in zip(first.frames, first.given_up, strict=True):
        if not lost:
            assert not any(each.kind.startswith("parallel") for each in quality.voice_leading(voices(draft)))


def test_given_notes_stand(model: ChoraleModel) -> None:
    task = np.full((64, VOICES), OPEN)
    task[:, 0], task[40:48] = hymn()[:, 0], hymn()[40:48]
    frames = write(model, Task(task), drafts=2, seed=3).frames
    assert (frames[:, task != OPEN] == task[task != OPEN]).all()


def test_pitches_that_are_ruled_out_do_not_come(model: ChoraleModel) -> None:
    leaning = np.full((32, VOICES, 12), -np.inf, np.float32)
    leaning[..., [0, 2, 4, 5, 7, 9, 11]] = 0
    frames = write(model, Task(np.full((32, VOICES), OPEN), leaning), drafts=2, seed=4).frames
    assert set((frames[frames > 0] % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}


@pytest.mark.parametrize(
    ("voice", "chosen", "before", "rule", "pitch"),
    [
        (0, (), (67, 62, 59, 43), "range", 59),
        (1, (72,), (72, 67, 64, 48), "crossing", 74),
        (1, (76,), (72, 67, 64, 48), "spacing", 60),
        (3, (74, 69, 66), (72, 67, 64, 48), "parallels", 50),  # octaves with the soprano
        (3, (74, 69, 65), (72, 67, 64, 60), "parallels", 62),  # fifths with the alto
        (2, (72, 67), (72, 67, 64, 48), "leaps", 58),
        (0, (0, 69, 65, 50), (72, 67, 64, 48), "parallels", 74),  # octaves with a bass that is given
        (1, (0, 0, 67, 0), (72, 67, 64, 48), "crossing", 65),
    ],
)
def test_a_rule_turns_a_pitch_down(voice, chosen, before, rule, pitch) -> None:
    above = np.zeros((1, VOICES), np.int64)
    above[0, : len(chosen)] = chosen
    mask = allowed(voice, above, np.array([before]))[rule]
    assert not mask[0, pitch - LOWEST]
    assert mask.any()


def test_a_voice_comes_to_a_given_note_by_short_ways() -> None:
    given_ = np.full((24, VOICES), OPEN)
    given_[20:, 0], given_[20:, 3] = 72, 48
    ahead = Ahead(given_)
    near, far = ahead.lean(19, 0)[74 - LOWEST], ahead.lean(19, 0)[60 - LOWEST]
    assert near == 0 > far
    assert ahead.lean(8, 0)[60 - LOWEST] > far  # three beats away there is time
    assert not ahead.lean(2, 0).any()
    chosen = np.array([[74, 0, 0, 0]])
    fine = ahead.parallels(19, 3, chosen)[0]  # two octaves come: no octave before them
    assert not fine[50 - LOWEST]
    assert fine[47 - LOWEST]
    assert fine[48 - LOWEST]


def test_held_chords_stand_still(model: ChoraleModel) -> None:
    still = np.zeros(32, bool)
    still[17:24] = True
    frames = write(model, Task(np.full((32, VOICES), OPEN), still=still), drafts=2, seed=5).frames
    assert (frames[:, 17:24] == frames[:, 16:17]).all()


@given(st.integers(0, 10_000), st.integers(2, 64), st.sampled_from(["major", "minor"]), st.integers(-6, 6))
def test_every_plan_of_phrases_ends_at_home(seed: int, bars: int, mode, fifths: int) -> None:
    key = Key(fifths, mode)
    phrases = phrases_of(key, bars, 4 * QUARTER, seed)
    assert phrases == phrases_of(key, bars, 4 * QUARTER, seed)
    assert phrases[-1].goal == key
    assert (phrases[0].span.start, phrases[-1].span.end) == (0, bars * 4 * QUARTER)
    for phrase, after in pairwise(phrases):
        assert phrase.span.end == after.span.start
        assert phrase.goal != after.goal
    for phrase in phrases:
        assert phrase.bottom[1] % 12 == phrase.goal.tonic
        assert phrase.top[1] % 12 in phrase.goal.triad
        assert all(60 <= pitch <= 81 for pitch in phrase.top)
        assert all(36 <= pitch <= 64 for pitch in phrase.bottom)


def test_kept_notes_come_back_note_by_note() -> None:
    melody = (Note(0, QUARTER, 72), Note(QUARTER, QUARTER, 72), Note(2 * QUARTER, 2 * QUARTER, 74))
    parts = (Part(name="S", kind="voice", notes=melody), *(Part(name=name, kind="voice") for name in "ATB"))
    step = VoicesStep("x", Score(parts=parts), 4 * QUARTER, kept=(Kept(0, 0, 4 * QUARTER),))
    assert (given_of(step)[:, 0] == [72] * 8 + [74] * 8).all()
    frames = np.array([(72, 67, 64, 48)] * 8 + [(74, 67, 59, 43)] * 8)
    made = score_of(frames, step)
    assert made.parts[0].notes == melody
    assert [note.start for note in made.parts[3].notes] == [0, QUARTER, 2 * QUARTER]  # struck again with the melody


# ---------------------------------------------------------------- briefs


@pytest.mark.parametrize(
    ("words", "fifths", "mode"),
    [
        ("a calm evening prayer in E minor", 1, "minor"),
        ("march in B flat major", -2, "major"),
        ("hymn in F# minor, slow", 3, "minor"),
        ("降E大调众赞歌", -3, "major"),
        ("e小调", 1, "minor"),
        ("Choral in D-Dur", 2, "major"),
    ],
)
def test_a_brief_names_its_key(words: str, fifths: int, mode: str) -> None:
    found = key_in(words)
    assert found is not None
    assert (found.fifths, found.mode) == (fifths, mode)


def test_words_that_name_no_key() -> None:
    assert key_in("a minor quarrel and a major one") in (None, key_in("A minor"))
    assert key_in("evening") is None
    assert wished_key("Bb", "") == key_in("Bb major")
    assert wished_key("em", "") == key_in("E minor")
    with pytest.raises(UsageError, match="names no key"):
        wished_key("H flat", "")


def test_moods_have_mode_and_tempo() -> None:
    assert mood_of("a sad farewell")[0] == "minor"
    assert mood_of("欢乐的春天")[0] == "major"
    assert mood_of("calm evening")[1] < mood_of("something")[1] < mood_of("a merry dance")[1]


# ---------------------------------------------------------------- through the studio


def test_a_chorale_is_composed_kept_and_written_with_every_mark(studio: Studio, tmp_path) -> None:
    work = studio.create("chorale", "a calm evening prayer in E minor", seed=5, bars=4)
    score = work.content.score
    assert score is not None
    assert (score.fifths, score.mode, score.length) == (1, "minor", 4 * 4 * QUARTER)
    assert work.text.startswith("%abc")
    assert work.evidence.form == "masked"
    assert studio.library.get(work.id).content.score == score
    for face in FACES:
        path = studio.export(work, tmp_path / f"work.{face}")
        beside = path.with_name(path.name + ".c2pa")
        report = provenance.verify(
            path.read_bytes(),
            name=path.name,
            sidecar=beside.read_bytes() if beside.exists() else None,
            anchors=studio.keys.anchors(),
            find=studio.record_of,
        )
        assert not report.broken, face
        assert report.record is not None, face
        assert report.record.id == work.id
    assert read_score((tmp_path / "work.mid").read_bytes(), "mid").parts[0].notes[0][:3] == score.parts[0].notes[0][:3]


def test_a_chinese_brief_gets_chinese_names(studio: Studio) -> None:
    work = studio.create("众赞歌", "e小调 平静的夜", seed=1, bars=2)
    assert work.content.language == "zh"
    assert work.content.score is not None
    assert [part.name for part in work.content.score.parts] == ["女高音", "女低音", "男高音", "男低音"]
    assert work.content.score.fifths == 1


def test_a_remake_is_the_same_piece(studio: Studio) -> None:
    work = studio.create("chorale", "joyful morning in D", seed=2, bars=2)
    again, differs = studio.remake(work.id)
    assert differs == ()
    assert again.content.score == work.content.score


def test_a_melody_is_harmonised_note_by_note(studio: Studio, tmp_path) -> None:
    notes = tuple(Note(at * QUARTER, QUARTER, int(pitch)) for at, pitch in enumerate(TUNE))
    tune = Score(
        title="Tune", parts=(Part(name="Tune", kind="voice", notes=notes),), fifths=1, metres=(Metre(0, 3, 4),)
    )
    path = tmp_path / "tune.mid"
    path.write_bytes(file_of(tune, "mid", soundfont=find_soundfont()))
    work = studio.create("chorale", melody=path, seed=1)
    score = work.content.score
    assert score is not None
    assert [note[:3] for note in score.parts[0].notes] == [note[:3] for note in notes]
    assert score.metres == (Metre(0, 3, 4),)
    assert (score.fifths, score.mode) == (1, "major")
    assert all(part.notes for part in score.parts)
    assert not any(each.kind.startswith("parallel") for each in quality.voice_leading(score))
    listed = json.loads(json.dumps(work.as_json(), ensure_ascii=False))
    assert {each["rule"] for each in listed["findings"]} >= {"parallels", "kept-notes", "cadence"}


def test_a_chorale_goes_on_from_what_is_given(studio: Studio, tmp_path) -> None:
    begun = studio.create("chorale", "solemn, in G minor", seed=3, bars=2)
    path = studio.export(begun, tmp_path / "begun.musicxml")
    work = studio.create("chorale", "solemn", continued=path, seed=4, bars=2)
    before, after = begun.content.score, work.content.score
    assert before is not None
    assert after is not None
    assert after.length == before.length + 2 * 4 * QUARTER
    assert work.record.parents == (begun.id,)
    for old, new in zip(before.parts, after.parts, strict=True):
        kept = [note[:3] for note in new.notes if note.start < before.length]
        assert kept == [note[:3] for note in old.notes]


def test_any_voices_and_bars_may_stand_while_the_rest_is_written_anew(studio: Studio, tmp_path) -> None:
    work = studio.create("chorale", "solemn, in A minor", seed=8, bars=4)
    old = work.content.score
    assert old is not None
    path = studio.export(work, tmp_path / "old.musicxml")
    outer = studio.create("chorale", "solemn", score=path, keep="soprano, bass", seed=1)
    new = outer.content.score
    assert new is not None
    for part in (0, 3):
        assert [note[:3] for note in new.parts[part].notes] == [note[:3] for note in old.parts[part].notes]
    assert new.parts[1].notes != old.parts[1].notes
    bars = studio.create("chorale", "solemn", score=path, keep="1-2", seed=2).content.score
    assert bars is not None
    half = 2 * 4 * QUARTER
    assert frames_of(bars)[: half // FRAME].tolist() == frames_of(old)[: half // FRAME].tolist()
    assert bars.length == old.length
    assert frames_of(bars)[half // FRAME :].tolist() != frames_of(old)[half // FRAME :].tolist()
    with pytest.raises(UsageError, match="neither a voice nor bars"):
        studio.create("chorale", "solemn", score=path, keep="kazoo")
    with pytest.raises(UsageError, match="Nothing of the score"):
        studio.create("chorale", "solemn", score=path)


@pytest.mark.parametrize(
    ("given_", "match"),
    [
        ({"melody": "missing.mid"}, "missing.mid"),
        ({"key": "H"}, "names no key"),
        ({"bars": 900}, "bars"),
        ({"sound": "kazoo"}, "sound"),
    ],
)
def test_a_wrong_wish_is_named(studio: Studio, given_: dict[str, object], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        studio.create("chorale", "evening", **given_)


def test_a_melody_that_no_octave_brings_into_range_is_moved_into_another_key(studio: Studio, tmp_path) -> None:
    notes = tuple(Note(at * QUARTER, QUARTER, pitch) for at, pitch in enumerate((59, 64, 66, 67, 71, 67, 66, 64)))
    tune = Score(parts=(Part(name="Tune", kind="voice", notes=notes),), fifths=1, mode="minor")
    work = studio.create("chorale", "", seed=2, melody=tune)
    sung = [note.pitch for note in work.content.score.parts[0].notes]
    assert sung == [note.pitch + 1 for note in notes]
    assert (work.content.score.fifths, work.content.score.mode) == (-4, "minor")
    assert [each.found for each in work.findings if each.rule == "transposed"] == ["moved by +1 semitones"]


def test_a_melody_wider_than_a_voice_is_refused_with_its_width(studio: Studio) -> None:
    notes = (Note(0, QUARTER, 40), Note(QUARTER, QUARTER, 90))
    with pytest.raises(UsageError, match="50 semitones"):
        studio.create("chorale", melody=Score(parts=(Part(name="x", kind="voice", notes=notes),)))


def test_a_piece_of_an_hour_is_refused_with_its_length(studio: Studio) -> None:
    notes = tuple(Note(at * QUARTER, QUARTER, 67 + at % 5) for at in range(5000))
    with pytest.raises(UsageError, match="1250 bars"):
        studio.create("chorale", melody=Score(parts=(Part(name="x", kind="voice", notes=notes),)))


def test_a_text_has_no_notes_to_write(studio: Studio, tmp_path) -> None:
    work = studio.create("chorale", "evening", seed=1, bars=2)
    text = work.model_copy(update={"content": work.content.model_copy(update={"score": None})})
    with pytest.raises(UsageError, match="mid"):
        studio.export(text, tmp_path / "x.mid")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(60, 81), st.sampled_from((12, 24, 48, 96))), min_size=2, max_size=12))
def test_any_melody_in_range_gets_three_voices(model: ChoraleModel, line: list[tuple[int, int]]) -> None:
    grid = np.repeat([pitch for pitch, _ in line], [max(1, length // FRAME) for _, length in line])
    task = np.full((len(grid), VOICES), OPEN)
    task[:, 0] = grid
    written = write(model, Task(task), drafts=1, seed=0)
    assert (written.frames[0] > 0).all()
