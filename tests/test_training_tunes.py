"""Collections of tunes and their recipe at its tiny size: books, cleaning, resuming, parity, and the way back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.errors import UsageError
from castalia.core.score import Metre, Note, Part, Score
from castalia.modalities.music import TuneModel, file_of, read_score
from castalia.modalities.music.tunes.encode import tune_of
from castalia.modalities.music.tunes.given import Given
from castalia.modalities.music.tunes.model import nats
from castalia.modalities.music.tunes.tune import KINDS, Tune, length_symbols, pitch_symbols
from castalia.training import add, find, names, remove
from castalia.training.collections.books import tunes_in
from castalia.training.collections.tunes import kind_of
from castalia.training.optimiser import schedule
from castalia.training.portable import export_model
from castalia.training.tunes import PRESETS, train_tunes
from castalia.training.tunes.batches import Tunes, masked
from castalia.training.tunes.export import export
from castalia.training.tunes.recipe import measure, train

TINY = replace(PRESETS["tiny"], steps=6, batch=3, window=24)
SCALE = (62, 64, 66, 67, 69, 71, 73, 74, 76, 78)
BOOK = """X:1
T:One
R:reel
M:4/4
L:1/8
K:D
DEFG ABAG|FGAB cdcB|ABAG FGFE|DEFD A4|1 DEFG ABcd|e2d2 d4:|2 dcBA GFED|C2E2 D4||

X:2
T:The Other Jig
M:6/8
L:1/8
K:G
D|G2G GAB|+GB+c2 dBG|A2A ABc|d2B G2D|G2G GAB|c2c dBG|A2B cBA|G3 G2:|

X:3
T:Broken Bars
M:4/4
L:1/8
K:C
CDE|FGABc|defgabc'|
"""


def melody(seed: int, bars: int = 8, up: int = 0) -> Score:
    """Eighths and quarters up and down the scale of D."""
    rng = np.random.default_rng(seed)
    notes: list[Note] = []
    now, place = 0, 4
    while now < bars * 192:
        length = min(int(rng.choice((24, 48))), 192 - now % 192)
        place = int(np.clip(place + rng.integers(-2, 3), 0, 9))
        notes.append(Note(now, length, SCALE[place] + up))
        now += length
    part = Part(name="Tune", kind="voice", notes=tuple(notes))
    return Score(title=f"Reel {seed}", parts=(part,), fifths=2, metres=(Metre(0, 4, 4),))


def tune(seed: int, bars: int = 8) -> Tune:
    score = melody(seed, bars)
    return tune_of(score.parts[0].notes, score, "reel")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture(scope="module")
def tunes() -> Tunes:
    return Tunes.of([tune(number) for number in range(8)], [tune(20), tune(21, 4)])


# ---------------------------------------------------------------- collections


def test_a_book_is_taken_apart_with_its_second_endings_and_old_chords() -> None:
    found = dict(tunes_in(BOOK.encode()))
    assert list(found) == ["One", "The Other Jig", "Broken Bars"]
    assert "DEFG ABcd" not in found["One"]
    assert read_score(found["One"].encode(), "abc").length == 6 * 192
    assert "[GB]c2" in found["The Other Jig"]
    assert [kind_of(text, title) for title, text in found.items()] == ["reel", "jig", ""]


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_make_a_book(content: bytes) -> None:
    assert all(isinstance(title, str) for title, _ in tunes_in(b"X:1\n" + content))


def test_tunes_are_cleaned_kept_and_split_the_same_way_again(home) -> None:
    folder = home / "scores"
    folder.mkdir()
    for number in range(12):
        folder.joinpath(f"reel {number:02}.mid").write_bytes(file_of(melody(number), "mid", soundfont=None))
    folder.joinpath("again.musicxml").write_bytes(file_of(melody(3, up=2), "musicxml", soundfont=None))
    folder.joinpath("broken.mid").write_bytes(b"MThd nothing")
    folder.joinpath("book.abc").write_text(BOOK)
    made = add("mine", str(folder), kind="tune", owner="Me", licence="own work")
    assert len(made.pieces) == 14
    assert set(made.card["dropped"]) == {"reel 03.mid", "broken.mid", "Broken Bars"} or len(made.card["dropped"]) == 3
    assert any("the same piece" in why for why in made.card["dropped"].values())
    assert {KINDS[piece.setting.kind] for piece in made.pieces.values()} == {"reel", "jig"} | (
        {""} if "again.musicxml" in made.pieces else set()
    )
    again = find("mine")
    assert again.kind == "tune"
    assert again.split == made.split
    for name, piece in made.pieces.items():
        assert again.pieces[name].setting == piece.setting
        np.testing.assert_array_equal(again.pieces[name].notes, piece.notes)
    remove("mine")
    assert names() == []


def test_the_corpora_of_music21_are_read_without_it(home) -> None:
    pytest.importorskip("music21")
    made = add("aird", "music21:airdsAirs", kind="tune")
    assert len(made.pieces) > 600
    assert {"train", "valid", "test"} == set(made.split.values())
    assert 0.05 < len(made.of("test")) / len(made.pieces) < 0.2
    with pytest.raises(UsageError, match="no corpus"):
        add("essen", "music21:essenFolksong", kind="tune")


@pytest.mark.parametrize(("kind", "match"), [("song", "no kind"), ("tune", "holds no piece")])
def test_a_wrong_collection_is_named(home, kind: str, match: str) -> None:
    path = home / "broken.abc"
    path.write_text(BOOK[BOOK.index("X:3") :])
    with pytest.raises(UsageError, match=match):
        add("x", str(path), kind=kind)


# ---------------------------------------------------------------- recipe


def test_masks_never_give_everything() -> None:
    rng = np.random.default_rng(0)
    places = np.arange(40) * 6 % 48
    given_ = [masked(rng, places) for _ in range(200)]
    assert {int(each.max()) for each in given_} >= {1, 2}
    assert 0.2 < np.mean([(each == 2).mean() for each in given_]) < 0.8


def test_the_rate_rises_and_falls() -> None:
    rates = [schedule(step, 1000) for step in range(1000)]
    assert rates[0] < rates[49]
    assert max(rates) == pytest.approx(1, abs=0.02)
    assert rates[-1] < 0.03


def test_a_stopped_run_goes_on_bit_for_bit(tunes: Tunes, tmp_path) -> None:
    whole = train(tunes, TINY, tmp_path / "whole", log=lambda _: None, every=2)[0]

    class KilledError(Exception):
        pass

    def dies(line) -> None:
        if line["step"] == 4:
            raise KilledError

    with pytest.raises(KilledError):
        train(tunes, TINY, tmp_path / "parts", log=dies, every=2)
    parts = train(tunes, TINY, tmp_path / "parts", log=lambda _: None, every=2)[0]
    for name, values in whole.state_dict().items():
        assert torch.equal(values, parts.state_dict()[name]), name
    assert not list((tmp_path / "parts").glob("*.checkpoint"))


def test_the_best_by_validation_is_kept_and_training_stops_early(tunes: Tunes, tmp_path) -> None:
    lines: list[dict] = []
    recipe = replace(TINY, steps=400, rate=2e-2, decay=0.0, patience=2, average=0.0)
    best = train(tunes, recipe, tmp_path / "run", log=lines.append, every=10)[0]
    assert lines[-1]["step"] < 400
    least = min(line["valid"] for line in lines)
    assert lines[-1]["valid"] > least
    assert float(measure(tunes, [best]).sum()) == pytest.approx(least, abs=1e-3)


def test_the_loss_falls_and_is_the_same_again(tunes: Tunes, tmp_path) -> None:
    lines: list[dict] = []
    recipe = replace(TINY, steps=30, rate=5e-3)
    train(tunes, recipe, tmp_path / "run", log=lines.append, every=10)
    losses = [line["train"] for line in lines]
    assert losses[-1] < 0.95 * losses[0]
    again: list[dict] = []
    train(tunes, recipe, tmp_path / "again", log=again.append, every=10)
    assert [line["train"] for line in again] == losses


def test_torch_numpy_and_onnx_say_the_same(tunes: Tunes, tmp_path) -> None:
    recipe = replace(TINY, members=2, steps=20, rate=5e-3)
    members = train(tunes, recipe, tmp_path / "run", log=lambda _: None)
    about = {"name": "tiny", "kind": "tune", "kinds": {}, "recipe": asdict(recipe), "collection": {}, "trained_on": []}
    export(members, tunes, tmp_path / "model", about)
    model = TuneModel(tmp_path / "model")
    valid = list(tunes.tunes[tunes.train :])
    for rhythm in (False, True):
        ours = np.concatenate(nats(model, valid, rhythm=rhythm))
        theirs = measure(tunes, members, rhythm=rhythm)
        assert ours.mean(0) == pytest.approx(theirs, abs=5e-3)  # half precision on one side

    import onnxruntime

    export_model(tmp_path / "model", tmp_path / "onnx")
    graphs = {path.stem: onnxruntime.InferenceSession(str(path)) for path in (tmp_path / "onnx").glob("*.onnx")}
    each, setting = valid[0], valid[0].setting
    begin = np.cumsum(each.notes[:, 0]) - each.notes[:, 0]
    length, pitch = length_symbols(each.notes[:, 0]), pitch_symbols(each.notes[:, 1])
    third = [values[::3].tolist() for values in (begin, pitch, length)]
    fixed = Given.of(*third, pickup=setting.pickup, bar=setting.bar)
    names = ("given_pitch", "given_length", "given_place")
    told = [values[None, ::-1] for values in (fixed.pitches, fixed.lengths, fixed.places)]
    (ahead,) = graphs["encoder"].run(None, dict(zip(names, told, strict=True)))
    np.testing.assert_allclose(ahead, model.network.encode([fixed]), atol=2e-3)

    def run(graph: str, **values: np.ndarray) -> list[np.ndarray]:
        return graphs[graph].run(None, {entry.name: values[entry.name] for entry in graphs[graph].get_inputs()})

    writing, state = model.open([setting], [fixed]), model.network.start(1)
    for number in range(len(begin)):
        writing.begin()
        note = slice(number, number + 1)
        after, far = fixed.ahead(begin[note])
        inputs, known = {**writing.state.inputs(), "far": far}, ahead[:, :, after[0]]
        hidden, state = run("step", **inputs, known=known, state=state)
        for graph, said in (("lengths", None), ("pitches", length[note])):
            found, seen = model.experts.read(writing.state, said, writing.memory)
            chances = np.log(np.maximum(found, 1e-6)).astype(np.float32)
            more = {"length": length[note], "known": known, "seen": seen.astype(np.float32)}
            (scores,) = run(graph, **inputs, hidden=hidden, chances=chances, **more)
            np.testing.assert_allclose(scores, writing.scores(said), atol=5e-3)
        writing.end(each.notes[note, 0], length[note], pitch[note], np.ones(1, bool))


def test_the_commands_lead_from_tunes_to_a_melody_of_their_own(home, monkeypatch) -> None:
    from castalia.cli.collections import collections as commands
    from castalia.cli.create import create
    from castalia.cli.train import train as training

    folder = home / "scores"
    folder.mkdir()
    for number in range(24):
        folder.joinpath(f"{number:02}.abc").write_bytes(file_of(melody(number), "abc", soundfont=None))
    run = CliRunner().invoke
    added = run(commands, ["add", "mine", "--as", "tune", "--from", str(folder), "--owner", "Me", "--json"])
    assert added.exit_code == 0, added.output
    assert json.loads(added.output)["kind"] == "tune"
    model = home / "model"
    said = run(
        training,
        ["music", "--collection", "mine", "--preset", "tiny", "--steps", "4", "--threads", "1", "--out", str(model)],
    )
    assert said.exit_code == 0, said.output
    assert "min gone, at most 0.0 left" in said.output
    assert f"sample: {model / 'samples' / 'member-0-step-1.mid'}" in said.output
    card = json.loads((model / "card.json").read_text())
    assert card["kind"] == "tune"
    assert card["collection"]["owner"] == "Me"
    monkeypatch.setenv("CASTALIA_MUSIC_MODEL", str(model))
    made = run(create, ["melody", "a reel in D", "-o", "bars=4", "--seed", "1", "--json", "--tries", "1"])
    shown = json.loads(made.output)
    assert shown["castalia"] is None or shown["castalia"]["model"] == "tune-tiny"
    assert "%abc" in shown["text"]


def test_a_preset_that_is_not_there_is_named(home) -> None:
    path = home / "book.abc"
    path.write_text(BOOK)
    with pytest.raises(UsageError, match="no preset"):
        train_tunes(add("mine", str(path), kind="tune"), home / "x", preset="huge", log=lambda _: None)
