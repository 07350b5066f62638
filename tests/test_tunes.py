"""Melodies: the model, the masks and the form, and the genres melody and variation through the studio."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia import quality
from castalia.core.errors import MissingError, UsageError
from castalia.core.music import Kept, TuneStep
from castalia.core.score import QUARTER, ChordSymbol, Metre, Note, Part, Score
from castalia.genres._tunes import kind_named, line_of, metre_in, wished_tonic
from castalia.modalities.music import Composers, TuneModel, file_of
from castalia.modalities.music.tunes.encode import tune_of
from castalia.modalities.music.tunes.experts import SIZES, Experts, Memory, learn
from castalia.modalities.music.tunes.fingerprint import fingerprint
from castalia.modalities.music.tunes.form import ends_of, plan
from castalia.modalities.music.tunes.generate import write
from castalia.modalities.music.tunes.melodic import lengths_at, rest_of
from castalia.modalities.music.tunes.model import nats
from castalia.modalities.music.tunes.request import score_of, task_of
from castalia.modalities.music.tunes.state import walk
from castalia.modalities.music.tunes.tune import (
    LENGTHS,
    PITCHES,
    REST,
    Tune,
    home,
    length_symbols,
    pitch_symbols,
    tonic_class,
)
from castalia.quality.tune_copying import open_tune_index
from castalia.studio import Studio

BAR = 4 * QUARTER
COMMON = Metre(0, 4, 4)
SCALE = (62, 64, 66, 67, 69, 71, 73, 74)


@pytest.fixture(scope="module")
def model() -> TuneModel:
    return TuneModel.default()


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        yield (made := Studio())
        made.close()


def sketch(metre: Metre = COMMON, **changed) -> Score:
    return Score(**{"parts": (Part(name="Tune", kind="voice"),), "fifths": 2, "metres": (metre,), **changed})


def wandering(seed: int, bars: int = 8) -> tuple[Note, ...]:
    """Eighths and quarters up and down the scale of D, to a long D."""
    rng = np.random.default_rng(seed)
    notes, now, place = [], 0, 4
    while now < (bars - 1) * BAR:
        length = int(rng.choice((QUARTER // 2, QUARTER)))
        length = min(length, BAR - now % BAR)
        place = int(np.clip(place + rng.integers(-2, 3), 0, 7))
        notes.append(Note(now, length, SCALE[place]))
        now += length
    return (*notes, Note(now, BAR, 62))


def melody(seed: int, bars: int = 8) -> Score:
    return sketch(parts=(Part(name="Tune", kind="voice", notes=wandering(seed, bars)),))


def tune(seed: int) -> Tune:
    return tune_of(wandering(seed), sketch(), "reel")


def made_by(model: TuneModel, step: TuneStep, *, seed: int = 0) -> Score:
    task, base = task_of(step, knows=model.knows(step.style), seed=seed)
    return score_of(write(model, task, drafts=2, seed=seed)[0], base, step)


# ---------------------------------------------------------------- tunes, experts, model


@given(st.integers(-60, 60))
def test_pitches_come_into_the_range_by_octaves(step: int) -> None:
    symbol = int(pitch_symbols(np.array(step)))
    assert 0 <= symbol < REST
    assert (symbol - 14 - step) % 12 == 0


@given(st.integers(0, 11), st.floats(30, 100))
def test_the_tonic_lies_under_the_middle_of_a_tune(tonic: int, middle: float) -> None:
    base = home(tonic, middle)
    assert base % 12 == tonic
    assert -3 <= middle - base < 10


def test_a_tune_is_read_without_its_own_counts() -> None:
    learned = learn([tune(1)])
    for what in range(2):
        assert np.allclose(learned.seen[what][0][:, :3], 0)  # what it knows, it knows of this tune alone


def test_experts_say_the_same_one_note_at_a_time_as_all_at_once() -> None:
    learned = learn([tune(seed) for seed in range(8)], [tune(9)])
    experts = Experts.from_arrays(learned.experts.arrays())
    memory = Memory(1)
    for number, (state, length, pitch, going) in enumerate(walk([tune(9)])):
        for what in range(2):
            chances, seen = experts.read(state, length if what else None, memory)
            assert chances[0].sum(-1) == pytest.approx(1, abs=1e-4)
            np.testing.assert_allclose(chances[0], learned.chances[what][-1][number], atol=2e-3)
            np.testing.assert_allclose(seen[0], learned.seen[what][-1][number], atol=5e-3)
        memory.note(state, length, pitch, going)


def test_the_model_knows_a_tune_from_noise_and_tunes_side_by_side_cost_what_each_costs_alone(model) -> None:
    rng = np.random.default_rng(0)
    noise = replace(tune(1), notes=np.stack([rng.choice(LENGTHS, 60), rng.integers(-10, 20, 60)], 1))
    music = tune(2)
    both = nats(model, [music, noise])
    assert both[0].sum(1).mean() < 4 < 6 < both[1].sum(1).mean()
    for each, cost in zip((music, noise), both, strict=True):
        np.testing.assert_allclose(cost, nats(model, [each])[0], atol=1e-4)
    assert np.allclose(nats(model, [music], rhythm=True)[0][:, 0], 0)


def test_its_chances_sum_to_one(model: TuneModel) -> None:
    task, _ = task_of(TuneStep("x", sketch(), 4 * BAR), knows=False, seed=0)
    from castalia.modalities.music.tunes.given import Given

    writing = model.open([task.setting] * 2, [Given.of([], [], [], pickup=0, bar=BAR)] * 2)
    writing.begin()
    lengths = writing.scores(None)
    pitches = writing.scores(np.array([3, 5]))
    assert lengths.shape == (2, SIZES[0])
    assert pitches.shape == (2, PITCHES)
    assert np.exp(lengths).sum(1) == pytest.approx([1, 1], abs=1e-4)
    assert np.exp(pitches).sum(1) == pytest.approx([1, 1], abs=1e-4)


def test_a_fingerprint_holds_in_every_key() -> None:
    up = tuple(note._replace(pitch=note.pitch + 5) for note in wandering(3))
    assert fingerprint(tune(3)) == fingerprint(tune_of(up, sketch(fifths=1), ""))
    assert not fingerprint(tune(3)) & fingerprint(tune(4))


def test_a_folder_of_a_model_takes_the_place_of_its_own_kind(tmp_path) -> None:
    shipped = TuneModel.default().folder
    for name in ("weights.safetensors", "counts.npz", "card.json"):
        (tmp_path / name).write_bytes((shipped / name).read_bytes())
    composers = Composers(tmp_path)
    assert composers.tunes.folder == tmp_path
    assert composers.voices.folder != tmp_path
    with pytest.raises(MissingError, match=r"counts\.npz"):
        TuneModel(tmp_path / "none")


# ---------------------------------------------------------------- form and masks


def test_phrases_return_and_close() -> None:
    eight = plan(ends_of(8 * BAR, BAR), BAR, seed=0)
    assert [each.close for each in eight] == ["open", "final"]
    assert eight[1].source == 0
    assert eight[1].same < eight[1].end
    for seed, form in enumerate(("AABA", "ABAC", "AABB")):
        phrases = plan(ends_of(16 * BAR, BAR), BAR, seed=seed)
        assert [each.source >= 0 for each in phrases] == [form.index(letter) < at for at, letter in enumerate(form)]
        assert [each.close for each in phrases] == ["open", "closed", "open", "final"]
    assert ends_of(6 * BAR, BAR) == [2 * BAR, 4 * BAR, 6 * BAR]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(((2, 4), (3, 4), (4, 4), (6, 8), (9, 8))),
    st.sampled_from((0, 12, 24, 48)),
    st.integers(0, 2**31),
)
def test_lengths_always_fill_the_bars_to_the_end(metre: tuple[int, int], pickup: int, seed: int) -> None:
    score = sketch(Metre(0, *metre), pickup=pickup)
    bar = score.metres[0].bar
    task, _ = task_of(TuneStep("x", score, 4 * bar), knows=False, seed=0)
    rng, now = np.random.default_rng(seed), 0
    last = 0
    while now < task.setting.length:
        phrase = next(each for each in task.phrases if each.end > now)
        mask = lengths_at(now, task.setting, rest_of(phrase, task.setting), task.setting.length)
        assert mask.any(), now
        last = LENGTHS[int(rng.choice(np.flatnonzero(mask)))]
        assert (now - pickup) // bar == (now + last - 1 - pickup) // bar
        now += last
    assert now == task.setting.length
    assert last >= QUARTER


# ---------------------------------------------------------------- requests


@pytest.mark.parametrize("metre", [(2, 4), (3, 4), (4, 4), (6, 8), (9, 8)])
def test_a_tune_fills_its_bars_within_its_compass_and_ends_at_home(model: TuneModel, metre) -> None:
    score = sketch(Metre(0, *metre), pickup=24)
    step = TuneStep("x", score, 8 * score.metres[0].bar, lowest=60, highest=76)
    written = made_by(model, step, seed=4)
    notes = written.parts[0].notes
    assert notes == made_by(model, step, seed=4).parts[0].notes
    assert notes != made_by(model, step, seed=5).parts[0].notes
    assert written.length == step.length
    assert all(60 <= note.pitch <= 76 for note in notes)
    assert all(a.start + a.length == b.start for a, b in pairwise(notes))
    assert notes[-1].pitch % 12 == tonic_class(2, "major")
    assert notes[-1].length >= QUARTER


def test_given_notes_stand_at_the_beginning_and_in_the_middle(model: TuneModel) -> None:
    given_ = wandering(5, bars=2)
    middle = Note(5 * BAR, BAR // 2, 71)
    score = sketch(parts=(Part(name="Tune", kind="voice", notes=(*given_, middle)),))
    kept = (Kept(0, 0, 2 * BAR), Kept(0, middle.start, middle.start + middle.length))
    notes = made_by(model, TuneStep("x", score, 8 * BAR, kept=kept), seed=1).parts[0].notes
    assert notes[: len(given_)] == given_
    assert middle in notes
    assert notes[-1].start + notes[-1].length == 8 * BAR
    assert all(note.start + note.length <= middle.start or note.start >= middle.start for note in notes)


def test_a_rhythm_gets_its_pitches_and_keeps_its_syllables(model: TuneModel) -> None:
    starts = (0, 48, 96, 120, 144, 240, 288, 336)
    lengths = (48, 48, 24, 24, 72, 48, 48, 48)
    rhythm = tuple(
        Note(start, length, 0, 80, f"la{number}")
        for number, (start, length) in enumerate(zip(starts, lengths, strict=True))
    )
    step = TuneStep("x", sketch(), 2 * BAR, rhythm=rhythm, phrases=(BAR, 2 * BAR), lowest=60, highest=74)
    notes = made_by(model, step, seed=2).parts[0].notes
    assert [(note.start, note.length, note.lyric) for note in notes] == [
        (note.start, note.length, note.lyric) for note in rhythm
    ]
    assert all(60 <= note.pitch <= 74 for note in notes)
    assert notes[-1].pitch % 12 == 2


def test_notes_on_strong_beats_belong_to_the_chords(model: TuneModel) -> None:
    chords = tuple(ChordSymbol(bar * BAR, name) for bar, name in enumerate(("D", "G", "A7", "D") * 2))
    classes = {"D": {2, 6, 9}, "G": {7, 11, 2}, "A7": {9, 1, 4, 7}}
    kept, all_ = 0, 0
    for seed in range(4):
        for note in made_by(model, TuneStep("x", sketch(), 8 * BAR, chords=chords), seed=seed).parts[0].notes:
            if note.start % (BAR // 2) == 0 and note.start + note.length < 8 * BAR:
                all_ += 1
                kept += note.pitch % 12 in classes[chords[note.start // BAR].name]
    assert kept / all_ > 0.85


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.integers(48, 90), st.integers(5, 130)), min_size=1, max_size=10))
def test_any_given_beginning_is_gone_on_from(model: TuneModel, line: list[tuple[int, int]]) -> None:
    starts = np.cumsum([0, *(length for _, length in line)]).tolist()
    notes = tuple(Note(start, length, pitch) for start, (pitch, length) in zip(starts, line, strict=False))
    score = sketch(parts=(Part(name="Tune", kind="voice", notes=notes),))
    step = TuneStep("x", score, (starts[-1] // BAR + 4) * BAR, kept=(Kept(0, 0, starts[-1]),))
    written = made_by(model, step).parts[0].notes
    assert written[: len(notes)] == notes
    assert written[-1].start + written[-1].length == step.length


# ---------------------------------------------------------------- genres


def test_a_merry_jig_in_d(studio: Studio, tmp_path) -> None:
    work = studio.create("melody", "a merry jig in D", seed=3)
    score = work.content.score
    assert score is not None
    assert (score.fifths, score.mode, score.metres[0][1:]) == (2, "major", (6, 8))
    assert work.content.text.startswith("%abc")
    again = studio.create("旋律", "a merry jig in D", seed=3).content.score
    assert again is not None
    assert again.parts == score.parts
    path = studio.export(work, tmp_path / "jig.mid")
    assert path.stat().st_size > 500
    assert file_of(score, "png", soundfont=None)[:4] == b"\x89PNG"


def test_a_melody_goes_on_from_a_file(studio: Studio, tmp_path) -> None:
    path = tmp_path / "tune.abc"
    path.write_bytes(file_of(melody(6, 4), "abc", soundfont=None))
    work = studio.create("melody", "on and on", continued=path, bars=4, seed=1)
    score = work.content.score
    assert score is not None
    assert score.length == 8 * BAR
    assert [note[:3] for note in score.parts[0].notes[: len(wandering(6, 4))]] == [n[:3] for n in wandering(6, 4)]


def test_a_hum_stands_at_the_beginning(studio: Studio) -> None:
    notes = (Note(0, 50, 62), Note(55, 40, 66), Note(100, 90, 69))
    score = sketch(parts=(Part(name="Hum", kind="voice", notes=notes),))
    made = studio.create("melody", hum=score, bars=8, seed=2).content.score
    assert made is not None
    assert [note[:3] for note in made.parts[0].notes[:3]] == [note[:3] for note in notes]
    assert made.length == 8 * BAR


@pytest.mark.parametrize("strength", ["subtle", "strong"])
def test_a_variation_is_recognised_and_differs(studio: Studio, strength: str) -> None:
    theme = melody(7)
    made = studio.create("变奏", melody=theme, strength=strength, seed=1).content.score
    assert made is not None
    old, new = line_of(theme), made.parts[0].notes
    firsts = {(note.start, note.pitch) for note in old if note.start % BAR == 0}
    assert firsts <= {(note.start, note.pitch) for note in new}
    assert tuple(note[:3] for note in new) != tuple(note[:3] for note in old)
    assert made.length == theme.length


@pytest.mark.parametrize(
    ("genre", "fields", "match"),
    [
        ("melody", {"metre": "7/8"}, "metre"),
        ("melody", {"kind": "tango"}, "kind"),
        ("melody", {"continued": "missing.mid"}, "missing.mid"),
        ("variation", {}, "needs a melody"),
    ],
)
def test_a_wrong_wish_is_named(studio: Studio, genre: str, fields: dict[str, object], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        studio.create(genre, "something", **fields)


def test_words_choose_kind_key_and_metre() -> None:
    for words, kind in (("two jigs", "jig"), ("slip jig", "slip jig"), ("一首圆舞曲", "waltz"), ("进行曲", "march")):
        assert kind_named("", words, "")[0] == kind
    assert kind_named("march", "x", "6/8")[1].metre == "6/8"
    assert metre_in("in 6/8 time") == "6/8"
    assert metre_in("on 16/8") == ""
    for words, fifths in (("in D", 2), ("in B flat", -2), ("G调", 1), ("in E minor", 1)):
        key = wished_tonic("", words, None)
        assert key is not None
        assert key.fifths == fifths
    assert wished_tonic("", "a walk in A forest", None) is None


# ---------------------------------------------------------------- rules


def judged(score: Score, rule) -> bool:
    from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence

    brief = Brief(genre="melody", words="x", fields=BriefFields(), seed=0)
    evidence = Evidence(model="m", digest="d", engine="e", threads=1, seed=0)
    draft = Draft(brief=brief, content=Content(text="", score=score), evidence=evidence)
    return quality.judge(draft, (rule,)).passed


def test_rules_tell_good_from_bad() -> None:
    good = melody(8)
    drum = sketch(parts=(Part(name="Tune", kind="voice", notes=tuple(Note(at * 24, 24, 62) for at in range(64))),))
    wild = sketch(parts=(Part(name="T", kind="voice", notes=(Note(0, 96, 50), Note(96, 84, 81), Note(180, 12, 61))),))
    assert judged(good, quality.TonicEndRule())
    assert not judged(wild, quality.TonicEndRule())
    assert judged(good, quality.CompassRule(60, 76))
    assert not judged(wild, quality.CompassRule(60, 76))
    assert judged(good, quality.MelodicLeapRule())
    assert not judged(wild, quality.MelodicLeapRule())
    assert judged(wild, quality.MelodicLeapRule(frozenset((0, 96, 180))))
    assert not judged(drum, quality.DrummingRule())
    assert judged(good, quality.RestingNoteRule((8 * BAR,)))
    assert not judged(wild, quality.RestingNoteRule((BAR,)))
    theme = good.parts[0].notes
    strong = frozenset(note.start for note in theme if note.start % BAR == 0)
    assert not judged(good, quality.VariationRule(theme, strong))
    assert not judged(wild, quality.VariationRule(theme, strong))


def test_a_copied_tune_is_found_in_any_key_and_rhythm(tmp_path) -> None:
    index = quality.TuneIndex.build([(f"tune {seed}", [note.pitch for note in wandering(seed)]) for seed in range(20)])
    index.write(tmp_path / "index.npz")
    index = open_tune_index(tmp_path / "index.npz")
    copy = [(note.start * 2, note.pitch - 3) for note in wandering(11)[3:30]]
    run = index.longest(copy)
    assert run.tune == "tune 11"
    assert run.notes == len([1 for a, b in pairwise(copy) if a[1] != b[1]]) + 1
    assert index.longest(copy, without=["tune 11"]).notes < 14
    assert not judged(melody(11), quality.TuneCopyingRule(index))
    assert judged(melody(11), quality.TuneCopyingRule(index, theme=wandering(11)))
    assert judged(melody(11), quality.TuneCopyingRule(index, given=frozenset(n.start for n in wandering(11)[:-4])))
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="No index"):
        open_tune_index(tmp_path / "bad.npz")
    assert len(quality.shipped_tune_index()) > 2000


def test_symbols_of_lengths_are_the_nearest() -> None:
    assert [LENGTHS[each] for each in length_symbols(np.array([24, 50, 3, 999]))] == [24, 48, 6, 216]
