"""Explanations of music: they tell what the writer knew, what rules took away, and what a work resembles."""

from __future__ import annotations

import io
import itertools
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from castalia import quality
from castalia.cli.explain import explain as command
from castalia.core.errors import UsageError
from castalia.core.language import use
from castalia.core.music import Kept, VoicesStep, Wish
from castalia.core.score import Note, Part, Score
from castalia.modalities.music import ChoraleModel, explain_voices, explanation_file, tell
from castalia.modalities.music.files.shade import NONE, colour, shaded
from castalia.modalities.music.voices.decode import score_of
from castalia.modalities.music.voices.encode import FRAME, given_of, leading_note
from castalia.modalities.music.voices.generate import Task, write
from castalia.modalities.music.voices.model import OPEN
from castalia.modalities.music.voices.reasons import Seen, reason
from castalia.quality import MusicIndex, passages
from castalia.studio import Studio


@pytest.fixture(scope="module")
def model() -> ChoraleModel:
    return ChoraleModel.default()


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        yield (made := Studio())
        made.close()


@pytest.fixture(scope="module")
def work(studio):
    return studio.create("chorale", "evening in G", seed=1, bars=4)


def empty(frames: int, **changes: object) -> VoicesStep:
    names = ("Soprano", "Alto", "Tenor", "Bass")
    score = Score(parts=tuple(Part(name=name, kind="voice") for name in names), **changes)
    return VoicesStep("piece", score, frames * FRAME)


def hymn(bars: int = 4) -> np.ndarray:
    chords = ((72, 67, 64, 48), (72, 69, 65, 53), (71, 67, 62, 55), (72, 67, 64, 48))
    return np.repeat(np.array(chords * bars, np.int64), 4, axis=0)


# ---------------------------------------------------------------- what is computed


def test_it_sees_the_chances_that_the_writer_saw(model):
    step = empty(64)
    drafts = write(model, Task(given_of(step), sensitive=leading_note(step)), drafts=1, seed=5)
    explained = explain_voices(model, step, score_of(drafts.frames[0], step))
    assert explained.asked == 256
    told = dict(explained.masked)
    told["range"] += told.pop("rest")
    assert told.pop("plan") == 0
    for rule, share in drafts.turned_down.items():
        assert told[rule] * 256 == pytest.approx(float(share[0]), rel=1e-3, abs=1e-3)
    cost = sum(note.cost for note in explained.notes)
    assert cost / 256 == pytest.approx(float(drafts.cost[0]), rel=1e-3)
    for note in explained.notes:
        if note.moves == 1:
            expected = float(drafts.doubt[0, note.start // FRAME, note.part])
            assert note.entropy == pytest.approx(expected, abs=1e-3)


def test_a_note_is_told_with_what_was_rather_wanted(model):
    piece = hymn()
    piece[20:24, 2] = 61  # a tenor that nobody expects
    explained = explain_voices(model, empty(64), score_of(piece, empty(64)))
    odd = next(note for note in explained.notes if note.part == 2 and note.start == 20 * FRAME)
    assert (odd.bar, odd.beat, odd.pitch) == (2, 2.0, 61)
    assert odd.rank > 3
    assert len(odd.rather) == 3
    assert [each.chance for each in odd.rather] == sorted((each.chance for each in odd.rather), reverse=True)
    assert all(each.chance > odd.chance for each in odd.rather)
    assert 0 <= explained.masked_by_any <= sum(explained.masked.values()) <= 1
    assert {note.rank for note in explained.notes} > {1}
    assert all(0 <= note.entropy <= np.log(53) for note in explained.notes)


def test_a_melody_is_explained_with_the_chances_that_its_writer_saw(studio):
    work = studio.create("melody", "a jig in D", seed=4, bars=8)
    score = work.content.score
    explained = studio.explain(work)
    assert explained.wrote_it
    assert (explained.each, explained.asked) == ("note", len(score.parts[0].notes))
    assert [(note.start, note.pitch) for note in explained.notes] == [note[:3:2] for note in score.parts[0].notes]
    assert {"range", "leaps", "repeats", "rest", "ending"} == set(explained.masked)
    assert 0 < explained.masked_by_any < 1
    for refusal in explained.refusals:
        assert refusal.why
        assert refusal.pitch != next(note.pitch for note in explained.notes if note.start == refusal.start)
    by_hand = sum(-math.log(note.chance) for note in explained.notes)
    assert sum(note.cost for note in explained.notes) > by_hand  # lengths cost too
    assert len({passage.bar for passage in explained.passages}) == len(explained.passages)
    assert "Turned down" in tell(explained, score)
    assert b"<svg" in explanation_file(explained, score, "svg")


def test_what_goes_on_from_a_tune_is_explained_after_it(studio):
    given = Score(
        parts=(Part(name="Tune", kind="voice", notes=tuple(Note(at * 48, 48, 67 + at % 3) for at in range(16))),),
        fifths=1,
    )
    work = studio.create("melody", "", seed=1, continued=given, bars=4)
    explained = studio.explain(work)
    assert [note.given for note in explained.notes[:16]] == [True] * 16
    assert explained.written
    assert all(note.start >= 16 * 48 for note in explained.written)


def test_what_was_given_is_not_explained(model):
    piece = hymn()
    score = score_of(piece, empty(64))
    step = VoicesStep("piece", score, 64 * FRAME, (Kept(0, 0, 64 * FRAME), Kept(3, 0, 32 * FRAME)))
    explained = explain_voices(model, step, score)
    given = {(note.part, note.start < 32 * FRAME) for note in explained.notes if note.given}
    assert given == {(0, True), (0, False), (3, True)}
    assert explained.asked == int((given_of(step) == OPEN).sum())
    assert all(refusal.part != 0 for refusal in explained.refusals)
    everything = VoicesStep("piece", score, 64 * FRAME, tuple(Kept(voice, 0, 64 * FRAME) for voice in range(4)))
    nothing = explain_voices(model, everything, score)
    assert (nothing.written, nothing.refusals, nothing.asked) == ([], (), 0)
    assert "nothing to explain" in tell(nothing, score)


@pytest.mark.parametrize(
    ("rule", "voice", "pitch", "words"),
    [
        ("parallels", 3, 53, "parallel fifths with the tenor"),
        ("parallels", 3, 50, "parallel octaves with the soprano"),
        ("crossing", 3, 61, "crosses the tenor"),
        ("spacing", 1, 60, "more than an octave from the soprano"),
        ("leading-note", 3, 62, "doubles the leading note of the soprano"),
        ("leaps", 3, 66, "a leap of 11 semitones"),
        ("range", 3, 30, "outside C2–E4"),
        ("rest", 2, 0, "fall silent"),
        ("plan", 0, 70, "another chord"),
    ],
)
def test_a_reason_names_the_voices(rule, voice, pitch, words):
    before, now = np.array([79, 72, 62, 55]), np.array([74, 69, 60, 0])
    assert words in reason(rule, voice, pitch, Seen(now, before), Score(parts=()))


def test_the_plans_last_chord_turns_down_what_is_not_in_it(model):
    step = empty(64)
    only_c = {name: float("-inf") for name in range(12) if name}
    wishing = VoicesStep("piece", step.sketch, step.length, wishes=(Wish(60 * FRAME, 64 * FRAME, only_c, (3,)),))
    explained = explain_voices(model, wishing, score_of(hymn(), wishing))
    assert explained.masked["plan"] > 0
    assert {each.part for each in explained.refusals if "plan" in each.rules} <= {3}


# ---------------------------------------------------------------- near passages


def test_each_bar_names_its_longest_shared_run():
    rng = np.random.default_rng(3)
    old = np.sort(rng.integers(50, 75, (96, 4)))[:, ::-1].tolist()
    new = np.sort(rng.integers(50, 75, (64, 4)))[:, ::-1]
    new[20:29] = np.array(old[40:49]) + 3  # nine chords, bars 2 and 3, a minor third up
    score = score_of(new, empty(64))
    found = passages(score, MusicIndex.build([hymn().tolist(), old]))
    assert [(each.bar, each.sonorities) for each in found] == [(1, 0), (2, 9), (3, 0), (4, 0)]
    assert (found[1].piece, found[1].first_bar, found[1].last_bar) == (2, 2, 2)
    assert (found[1].piece_first_bar, found[1].piece_last_bar) == (3, 3)
    assert MusicIndex.build([old]).longest(score).sonorities == 9
    assert passages(score, MusicIndex.build([old]), without=(0,))[1].sonorities == 0
    assert passages(Score(parts=(Part(name="S", kind="voice"),))) == ()


# ---------------------------------------------------------------- what is drawn and said


def test_colours_are_told_apart_in_grey():
    def lightness(name: str) -> float:
        red, green, blue = (int(name[at : at + 2], 16) for at in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    ramp = [lightness(colour(level / 4)) for level in range(5)]
    assert all(later - earlier > 14 for earlier, later in itertools.pairwise(ramp))
    assert lightness(NONE) > ramp[-1] + 10
    assert colour(-3) == colour(0)
    assert colour(9) == colour(1)


def test_any_tune_is_coloured_by_part_and_start():
    tune = tuple(Note(48 * at, 48, 60 + at) for at in range(8))
    score = Score(title="Tune & <more>", parts=(Part(name="Melody", notes=tune),))
    values = {(0, 48 * at): at / 7 for at in range(7)} | {(0, 48 * 7): None}
    first, *_ = shaded(score, values, [(0.0, "a < b"), (None, "given")], cropped=True)
    assert first == shaded(score, values, [(0.0, "a < b"), (None, "given")], cropped=True)[0]
    assert first.count(NONE) >= 2
    assert f'class="note" color="{colour(1.0 * 6 / 7)}"' in first
    assert "a &lt; b" in first


def test_the_files_of_an_explanation(studio, work, tmp_path):
    explained = studio.explain(work)
    score = work.content.score
    assert explained.wrote_it
    assert len(explained.passages) == 4
    assert explained.usual == quality.BACH_TO_BACH
    picture = Image.open(io.BytesIO(explanation_file(explained, score, "png")))
    assert picture.mode == "RGB"
    saturated = np.ptp(np.asarray(picture).astype(int), axis=2) > 60
    assert saturated.sum() > 200
    assert explanation_file(explained, score, "svg") == explanation_file(explained, score, "svg")
    page = explanation_file(explained, score, ".html").decode()
    assert page.count("<svg") >= 1
    assert "Nearest training passage" in page or "No long run" in page
    assert json.loads(explanation_file(explained, score, "json"))["unsure"]
    with pytest.raises(UsageError, match="svg, png, html, json"):
        explanation_file(explained, score, "doc")
    for kind in ("svg", "png", "html", "json"):
        path = studio.export_explanation(work, explained, tmp_path / f"why.{kind}")
        from castalia.provenance import verify

        report = verify(path, find=studio.record_of, anchors=studio.keys.anchors())
        assert report.work == work.id, kind


def test_the_text_is_read_in_both_languages(studio, work):
    explained = studio.explain(work)
    try:
        for language, words in (("en", "Where it was least certain"), ("zh", "最不确定之处")):
            use(language)
            told = tell(explained, work.content.score, notes=True)
            assert words in told
            assert all(len(line) < 260 for line in told.splitlines())
    finally:
        use("en")


def test_the_command_explains_and_says_what_it_cannot(studio, work, tmp_path, monkeypatch):
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path))
    mine = Studio()
    made = mine.create("chorale", "", seed=2, bars=4, tempo=70)
    mine.close()
    done = CliRunner().invoke(command, [made.id, "--json", "-o", str(tmp_path / "why.svg")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "why.svg").read_text().startswith("<svg")
    poem = made.model_copy(update={"genre": "haiku", "content": made.content.model_copy(update={"score": None})})
    with pytest.raises(UsageError, match="haiku"):
        studio.explain(poem)
