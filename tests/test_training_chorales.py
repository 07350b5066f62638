"""Collections and the chorale recipe at its tiny size: cleaning, resuming, parity, and the way back into the studio."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs castalia[train]")

import torch

from castalia.core.errors import UsageError
from castalia.core.music import VoicesStep
from castalia.core.score import Part, Score
from castalia.modalities.music import ChoraleModel, file_of, find_soundfont
from castalia.modalities.music.voices.decode import score_of
from castalia.modalities.music.voices.encode import FRAME
from castalia.modalities.music.voices.fingerprint import fingerprint
from castalia.modalities.music.voices.grid import VOICES
from castalia.modalities.music.voices.model import nats
from castalia.training import add, find, names, remove
from castalia.training.chorales import PRESETS, train_chorales
from castalia.training.chorales.batches import Pieces, masked
from castalia.training.chorales.export import export
from castalia.training.chorales.network import UNKNOWN
from castalia.training.chorales.recipe import measure, train
from castalia.training.collections import chorales
from castalia.training.portable import export_model

TINY = replace(PRESETS["tiny"], steps=6, batch=3, window=24)


def piece(seed: int, frames: int = 96) -> np.ndarray:
    """Four lines that wander by step, a beat a note."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-2, 3, (frames // 4, VOICES)).cumsum(0).clip(-5, 5)
    return np.repeat(np.array((72, 67, 60, 48)) + steps, 4, axis=0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    return tmp_path


@pytest.fixture
def grids(home):
    path = home / "grids.json"
    path.write_text(json.dumps({"train": [piece(n).tolist() for n in range(6)], "valid": [piece(9).tolist()]}))
    return path


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return Pieces.of([piece(number) for number in range(6)], [piece(9), piece(10, 64)])


def test_a_collection_is_cleaned_kept_and_split_the_same_way_again(home) -> None:
    folder = home / "scores"
    folder.mkdir()
    sketch = Score(parts=tuple(Part(name=name, kind="voice") for name in "SATB"))
    for number in range(12):
        score = score_of(piece(number), VoicesStep("x", sketch, 96 * FRAME))
        folder.joinpath(f"{number:02}.mid").write_bytes(file_of(score, "mid", soundfont=find_soundfont()))
    score = score_of(piece(3) + 2, VoicesStep("x", sketch, 96 * FRAME))
    folder.joinpath("again.musicxml").write_bytes(file_of(score, "musicxml", soundfont=find_soundfont()))
    folder.joinpath("broken.mid").write_bytes(b"MThd nothing")
    short = Score(parts=(Part(name="Solo", kind="voice", notes=score.parts[0].notes),))
    folder.joinpath("solo.abc").write_bytes(file_of(short, "abc", soundfont=find_soundfont()))
    made = add("mine", str(folder), owner="Me", licence="own work")
    assert len(made.pieces) == 12
    assert set(made.card["dropped"]) == {"again.musicxml", "broken.mid", "solo.abc"} or len(made.card["dropped"]) == 3
    assert any("the same piece" in why for why in made.card["dropped"].values())
    np.testing.assert_array_equal(made.pieces["00.mid"], piece(0))
    again = find("mine")
    assert again.split == made.split
    assert again.card["owner"] == "Me"
    other = add("other", str(folder))
    assert other.split == made.split
    remove("other")
    assert names() == ["mine"]


def test_a_test_chorale_is_kept_out_in_any_key(home, grids, monkeypatch) -> None:
    monkeypatch.setattr(chorales, "_tests", lambda: [fingerprint(piece(2) + 4)])
    made = add("clean", str(grids))
    assert "canonical test chorale" in made.card["dropped"]["train/2"]
    assert len(made.of("train")) == 5


@pytest.mark.parametrize(
    ("name", "source", "match"),
    [("a b", ".", "no name"), ("x", "/nowhere", "does not exist"), ("x", "tests/made_files.py", "holds no piece")],
)
def test_a_wrong_collection_is_named(home, name, source, match) -> None:
    with pytest.raises(UsageError, match=match):
        add(name, source)
    with pytest.raises(UsageError, match="no collection"):
        find("x")


def test_masks_never_give_everything() -> None:
    rng = np.random.default_rng(0)
    shares = [masked(rng, 40).mean() for _ in range(300)]
    assert max(shares) < 1
    assert 0.2 < np.mean(shares) < 0.8


def test_a_stopped_run_goes_on_bit_for_bit(pieces: Pieces, tmp_path) -> None:
    whole = train(pieces, TINY, tmp_path / "whole", log=lambda _: None, every=2)[0]

    class KilledError(Exception):
        pass

    def dies(line) -> None:
        if line["step"] == 4:
            raise KilledError

    with pytest.raises(KilledError):
        train(pieces, TINY, tmp_path / "parts", log=dies, every=2)
    parts = train(pieces, TINY, tmp_path / "parts", log=lambda _: None, every=2)[0]
    for name, values in whole.state_dict().items():
        assert torch.equal(values, parts.state_dict()[name]), name
    assert not list((tmp_path / "parts").glob("*.checkpoint"))


def test_the_loss_falls_and_is_the_same_again(pieces: Pieces, tmp_path) -> None:
    lines: list[dict] = []
    recipe = replace(TINY, steps=40, rate=5e-3)
    train(pieces, recipe, tmp_path / "run", log=lines.append, every=10)
    losses = [line["train"] for line in lines]
    assert losses[-1] < 0.9 * losses[0]
    again: list[dict] = []
    train(pieces, recipe, tmp_path / "again", log=again.append, every=10)
    assert [line["train"] for line in again] == losses


def test_torch_numpy_and_onnx_say_the_same(pieces: Pieces, tmp_path) -> None:
    recipe = replace(TINY, members=2)
    members = train(pieces, recipe, tmp_path / "run", log=lambda _: None)
    card = {"name": "tiny", "kind": "chorale", "collection": {}, "recipe": asdict(recipe), "trained_on": []}
    export(members, pieces, tmp_path / "model", card)
    model = ChoraleModel(tmp_path / "model")
    valid = list(pieces.frames[pieces.train :])
    for soprano in (False, True):
        ours = np.concatenate(nats(model, valid, soprano=soprano))
        theirs = measure(pieces, members, soprano=soprano)
        assert ours.mean(0)[1:] == pytest.approx(theirs[1:], abs=5e-3)  # half precision on one side

    import onnxruntime

    export_model(tmp_path / "model", tmp_path / "onnx")
    encoder = onnxruntime.InferenceSession(str(tmp_path / "onnx" / "encoder.onnx"))
    given = np.full((2, 12, VOICES), UNKNOWN)
    given[:, :, 0] = np.arange(12) + 30
    (ahead,) = encoder.run(None, {"given": given})
    np.testing.assert_allclose(ahead, model.network.encode(given), atol=2e-3)
    writing = model.open(np.where(given == UNKNOWN, -1, given + 33))
    writing.begin()
    inputs, known = writing.state.inputs(), ahead[:, :, 0]
    step = onnxruntime.InferenceSession(str(tmp_path / "onnx" / "step.onnx"))
    hidden, state = step.run(None, {**inputs, "ahead": known, "state": model.network.start(2)})
    mine, own = model.network.step(inputs, known, model.network.start(2))
    np.testing.assert_allclose(hidden, mine, atol=2e-3)
    np.testing.assert_allclose(state, own, atol=2e-3)
    chosen = np.full((2, VOICES), 20)
    found, seen = model.experts.read(writing.state, 1, chosen + 33, writing.memory)
    chances = np.zeros((2, VOICES, *found.shape[1:]), np.float32)
    depth = np.zeros((2, VOICES, found.shape[1]), np.float32)
    chances[:, 1], depth[:, 1] = np.log(found), seen
    past = {name: inputs[name] for name in ("previous", "reference", "held")}
    scores = onnxruntime.InferenceSession(str(tmp_path / "onnx" / "scores.onnx"))
    asked = {"hidden": hidden, "chosen": chosen, **past, "chances": chances, "seen": depth, "ahead": known}
    (said,) = scores.run(None, asked)
    expected = model.network.scores(1, hidden, chosen, inputs, np.log(found), seen, known)
    np.testing.assert_allclose(said[:, 1], expected, atol=5e-3)


def test_a_preset_that_is_not_there_is_named(home, grids) -> None:
    with pytest.raises(UsageError, match="no preset"):
        train_chorales(add("mine", str(grids)), home / "x", preset="huge", log=lambda _: None)


def test_the_commands_lead_from_scores_to_a_chorale_of_their_own(home, grids, monkeypatch) -> None:
    from castalia.cli.collections import collections as commands
    from castalia.cli.create import create
    from castalia.cli.train import train as training

    run = CliRunner().invoke
    added = run(commands, ["add", "mine", "--from", str(grids), "--owner", "Me", "--licence", "own work"])
    assert "7" in added.output
    assert "mine\t7\tMe" in run(commands, ["list"]).output
    folder = home / "model"
    said = run(
        training,
        ["music", "--collection", "mine", "--preset", "tiny", "--steps", "4", "--threads", "1", "--out", str(folder)],
    )
    assert said.exit_code == 0, said.output
    assert "min gone, at most 0.0 left" in said.output
    assert f"sample: {folder / 'samples' / 'member-0-step-1.mid'}" in said.output
    card = json.loads((folder / "card.json").read_text())
    assert card["collection"]["owner"] == "Me"
    assert card["pieces"] == {"train": 6, "valid": 1}
    assert 0 <= card["critic"]["valid_right"] <= 1
    assert (folder / "critic.safetensors").is_file()
    monkeypatch.setenv("CASTALIA_MUSIC_MODEL", str(folder))
    made = run(create, ["chorale", "evening in C", "-o", "bars=2", "--seed", "1", "--json", "--tries", "1"])
    shown = json.loads(made.output)
    assert shown["castalia"] is None or shown["castalia"]["model"] == "chorale-tiny"
    assert "%abc" in shown["text"]
    assert run(commands, ["remove", "mine"]).exit_code == 0
