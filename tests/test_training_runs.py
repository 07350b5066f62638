"""Training as it is run: minutes, run files, samples, stopping early, going on, cards, and other programs."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.core.errors import MissingError, UsageError
from castalia.core.score import Metre, Note, Part, Score
from castalia.modalities.music import file_of, read_score
from castalia.modalities.music.tunes.encode import tune_of
from castalia.training import Collection, add, find
from castalia.training.best import Best
from castalia.training.budget import Timed, between, steps_within
from castalia.training.card import unfinished
from castalia.training.chorales import PRESETS as CHORALES
from castalia.training.chorales import train_chorales
from castalia.training.chorales.batches import Pieces
from castalia.training.chorales.export import export
from castalia.training.chorales.network import Network
from castalia.training.chorales.recipe import measure
from castalia.training.chorales.recipe import train as train_voices
from castalia.training.clock import HEARD, Clock
from castalia.training.collections.chorales import _sung
from castalia.training.portable import LARGEST, export_model
from castalia.training.samples import write_sample
from castalia.training.tunes import train_tunes

VOICES = 4


def piece(seed: int, frames: int = 96) -> np.ndarray:
    """Four lines that wander by step, a beat a note."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-2, 3, (frames // 4, VOICES)).cumsum(0).clip(-5, 5)
    return np.repeat(np.array((72, 67, 60, 48)) + steps, 4, axis=0)


def tune(seed: int):
    """Eight bars of quarters up and down the scale of D."""
    rng = np.random.default_rng(seed)
    places = np.abs(rng.choice((-2, -1, 1, 2), 32).cumsum() % 14 - 7)
    notes = tuple(Note(48 * at, 48, (62, 64, 66, 67, 69, 71, 73, 74)[place]) for at, place in enumerate(places))
    score = Score(parts=(Part(name="Tune", kind="voice", notes=notes),), fifths=2, metres=(Metre(0, 4, 4),))
    return tune_of(score.parts[0].notes, score, "reel")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    torch.set_num_threads(1)
    return tmp_path


@pytest.fixture
def mine(home) -> Collection:
    path = home / "grids.json"
    path.write_text(json.dumps({"train": [piece(n).tolist() for n in range(4)], "valid": [piece(9).tolist()]}))
    return add("mine", str(path), owner="Me", licence="own work")


def tunes_of(count: int = 6) -> Collection:
    pieces = {f"{number}": tune(number) for number in range(count)}
    split = {name: "valid" if name == "0" else "train" for name in pieces}
    return Collection(
        "reels", pieces, split, {"kind": "tune", "name": "reels", "owner": "Me", "licence": "own work", "dropped": {}}
    )


def silent(_) -> None:
    """A log that says nothing."""


def weights(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("weights.safetensors", "member-0.safetensors")}


# ---------------------------------------------------------------- parts


def test_without_patience_the_last_is_kept() -> None:
    last = Best(patience=0)
    assert [last.better(loss) for loss in (3.0, 1.0, 2.0, 2.5)] == [True] * 4
    assert not last.done


def test_patience_is_counted_in_measurements_without_a_better_one() -> None:
    best = Best(patience=2)
    assert [best.better(loss) for loss in (3.0, 2.0, 2.5, 1.5, 1.5)] == [True, True, False, True, False]
    assert not best.done
    best.better(9.0)
    assert best.done
    assert best.least == 1.5


def test_a_clock_says_what_has_gone_what_is_left_and_when_to_be_heard() -> None:
    seconds = [0.0]
    clock = Clock(2.0, lambda: seconds[0])
    assert clock.time_to_be_heard()
    for _ in range(10):
        clock.step()
    seconds[0] = 60.0
    assert clock.gone == 3.0
    assert clock.left(30) == pytest.approx(3.0)
    assert not clock.time_to_be_heard()
    seconds[0] += 60 * HEARD
    assert clock.time_to_be_heard()


@settings(max_examples=80, deadline=None)
@given(st.floats(0.001, 600), st.integers(1, 4), st.floats(0.01, 5), st.floats(0, 20), st.sampled_from((80, 100)))
def test_the_steps_fit_into_the_minutes_and_one_is_taken_at_least(
    minutes: float, members: int, step: float, measuring: float, most: int
) -> None:
    def taken(steps: int) -> float:
        return members * (steps * step + -(-steps // between(steps, most)) * measuring) / 60

    steps = steps_within(minutes, members, Timed(step, measuring), most)
    assert steps >= 1
    assert steps == 1 or taken(steps) <= minutes * (1 + 1e-9)
    if steps > 1000:  # nothing large is left
        assert taken(steps) > 0.9 * minutes


def test_voices_are_found_by_name_among_instruments() -> None:
    assert _sung([("Horn", 0), ("Soprano Oboe", 1), ("Alto", 2), ("Tenor", 3), ("Bass\rContinuo", 4)]) == [1, 2, 3, 4]
    assert _sung([("", number) for number in range(4)]) == [0, 1, 2, 3]
    assert not _sung([("Soprano 1", 0), ("Soprano 2", 1), ("Alto", 2), ("Tenor", 3), ("Bass", 4)])
    assert not _sung([("Soprano", 0), ("Alto", 1), ("Tenor", 2), ("Bassoon", 3), ("Flute", 4)])


# ---------------------------------------------------------------- runs


def test_the_best_by_validation_is_kept_and_chorales_stop_early(home) -> None:
    pieces = Pieces.of([piece(number) for number in range(4)], [piece(9)])
    recipe = replace(CHORALES["tiny"], steps=400, batch=3, window=24, rate=5e-2, decay=0.0, patience=2, average=0.0)
    lines: list[dict] = []
    best = train_voices(pieces, recipe, home / "run", log=lines.append, every=5)[0]
    assert lines[-1]["step"] < 400
    least = min(line["valid"] for line in lines)
    assert lines[-1]["valid"] > least
    assert [line["valid"] for line in lines].index(least) == len(lines) - 3
    assert float(measure(pieces, [best]).mean()) == pytest.approx(least, abs=1e-4)


def test_patience_outlives_a_stop(home) -> None:
    pieces = Pieces.of([piece(number) for number in range(4)], [piece(9)])
    recipe = replace(CHORALES["tiny"], steps=400, batch=3, window=24, rate=5e-2, decay=0.0, patience=2, average=0.0)
    lines: list[dict] = []
    whole = train_voices(pieces, recipe, home / "whole", log=lines.append, every=5)[0]

    def stops(line) -> None:
        if line["step"] == lines[-1]["step"]:  # the one before was no better, either
            raise KilledError

    with pytest.raises(KilledError):
        train_voices(pieces, recipe, home / "parts", log=stops, every=5)
    again: list[dict] = []
    parts = train_voices(pieces, recipe, home / "parts", log=again.append, every=5)[0]
    assert [line["step"] for line in again] == [lines[-1]["step"]]
    assert all(torch.equal(each, parts.state_dict()[name]) for name, each in whole.state_dict().items())


class KilledError(Exception):
    """As when the machine is switched off."""


def dies(line) -> None:
    """A log at whose third line the run ends."""
    if line.get("step") == 3:
        raise KilledError


def test_samples_of_tunes_change_nothing_and_a_stopped_run_goes_on_bit_for_bit(home, monkeypatch) -> None:
    monkeypatch.setattr("castalia.training.clock.HEARD", 0.0)  # at every line
    lines: list[dict] = []
    train_tunes(tunes_of(), home / "heard", preset="tiny", steps=4, log=lines.append)
    heard = [Path(line["sample"]) for line in lines if "sample" in line]
    assert [path.name for path in heard] == [f"member-0-step-{step}.mid" for step in range(1, 5)]
    score = read_score(heard[-1].read_bytes(), "mid")
    assert sum(len(part.notes) for part in score.parts) > 8
    assert score.length == pytest.approx(8 * 192, abs=192)
    with pytest.raises(KilledError):
        train_tunes(tunes_of(), home / "parts", preset="tiny", steps=4, log=dies)
    train_tunes(tunes_of(), home / "parts", log=silent)  # what is not said is as in the run that is there
    assert (home / "parts" / "samples" / heard[-1].name).read_bytes() == heard[-1].read_bytes()
    monkeypatch.setattr("castalia.training.tunes.run.write_sample", lambda *_: None)
    train_tunes(tunes_of(), home / "unheard", preset="tiny", steps=4, log=silent)
    assert not (home / "unheard" / "samples").exists()
    assert weights(home / "heard") == weights(home / "unheard") == weights(home / "parts")


def test_samples_of_chorales_change_nothing_and_a_stopped_run_goes_on_bit_for_bit(home, monkeypatch) -> None:
    monkeypatch.setattr("castalia.training.clock.HEARD", 0.0)
    pieces = Pieces.of([piece(number) for number in range(4)], [piece(9)])
    recipe = replace(CHORALES["tiny"], steps=4, batch=3, window=24)

    def sample(network: Network, path: Path) -> None:
        write_sample("chorale", lambda there: export([network], pieces, there, unfinished("chorale")), path)

    with pytest.raises(KilledError):
        train_voices(pieces, recipe, home / "parts", log=dies, every=1, sample=sample)
    train_voices(pieces, recipe, home / "parts", log=silent, every=1, sample=sample)
    train_voices(pieces, recipe, home / "unheard", log=silent, every=1)
    names = [f"member-0-step-{step}.mid" for step in range(1, 5)]
    assert sorted(path.name for path in (home / "parts" / "samples").iterdir()) == names
    score = read_score((home / "parts" / "samples" / names[-1]).read_bytes(), "mid")
    assert [len(part.notes) > 8 for part in score.parts] == [True] * 4
    assert score.length == 8 * 192
    done = [(home / name / "member-0.safetensors").read_bytes() for name in ("parts", "unheard")]
    assert done[0] == done[1]


def test_minutes_choose_the_steps_and_the_run_file_keeps_them(home) -> None:
    lines: list[dict] = []
    folder, reels = home / "model", tunes_of()
    train_tunes(reels, folder, preset="tiny", minutes=0.03, log=lines.append)
    held = json.loads((folder / "run.json").read_text())
    assert next(iter(held)) == "command"
    steps = held["recipe"]["steps"]
    assert lines[0]["steps"] == steps >= 1
    assert held["minutes"] == 0.03
    assert f"--steps {steps} " in held["command"]
    assert held["collection"] == {"name": "reels", "digest": reels.digest, "kind": "tune"}
    assert {"torch", "numpy", "castalia", "threads"} <= set(held["versions"])
    measured = [line for line in lines if "left" in line]
    assert measured[-1]["left"] == 0
    card = json.loads((folder / "card.json").read_text())
    assert card["command"] == held["command"]
    assert card["collection"] == {
        "name": "reels",
        "kind": "tune",
        "owner": "Me",
        "licence": "own work",
        "kept": 6,
        "dropped": 0,
        "digest": reels.digest,
    }
    assert card["recipe"] == held["recipe"]
    assert card["minutes"] >= 0
    train_tunes(reels, folder, minutes=0.03, log=silent)  # the same again is no other run
    assert json.loads((folder / "run.json").read_text()) == held


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"seed": 4}, "seed 3 ≠ 4"),
        ({"steps": 3}, "steps 2 ≠ 3"),
        ({"preset": "large"}, "preset tiny ≠ large"),
        ({"minutes": 5.0}, "minutes – ≠ 5"),
        ({"steps": 2, "minutes": 5.0}, r"Both steps \(2\) and minutes \(5\)"),
    ],
)
def test_another_run_in_the_folder_is_named(mine, home, asked, match) -> None:
    folder = home / "model"
    train_tunes(tunes_of(), folder, preset="tiny", steps=2, seed=3, log=silent)
    with pytest.raises(UsageError, match=match) as raised:
        train_tunes(tunes_of(), folder, **asked, log=silent)
    if len(asked) == 1:
        assert "--out OTHER" in raised.value.hint


def test_other_pieces_another_collection_and_folders_without_a_run_file_are_named(mine, home) -> None:
    folder = home / "model"
    train_tunes(tunes_of(), folder, preset="tiny", steps=2, log=silent)
    with pytest.raises(UsageError, match=r"pieces [0-9a-f]{12} ≠"):
        train_tunes(tunes_of(7), folder, log=silent)
    with pytest.raises(UsageError, match="collection reels ≠ mine"):
        train_chorales(mine, folder, log=silent)
    (folder / "run.json").write_text('{"command": "…", "recipe": {"depth": 3}}')
    with pytest.raises(UsageError, match="run file cannot be read"):
        train_tunes(tunes_of(), folder, log=silent)
    (folder / "run.json").unlink()
    with pytest.raises(UsageError, match="no run file"):
        train_tunes(tunes_of(), folder, preset="tiny", steps=2, log=silent)


def test_a_collection_digest_is_of_its_pieces_and_their_parts(mine) -> None:
    assert find("mine").digest == mine.digest
    renamed = replace(
        mine,
        pieces={f"x{name}": each for name, each in mine.pieces.items()},
        split={f"x{name}": part for name, part in mine.split.items()},
    )
    assert renamed.digest == mine.digest
    name = next(iter(mine.pieces))
    assert replace(mine, pieces={**mine.pieces, name: mine.pieces[name] + 1}).digest != mine.digest
    assert replace(mine, split={**mine.split, name: "valid"}).digest != mine.digest


# ---------------------------------------------------------------- other programs, and commands


def test_a_model_is_written_for_other_programs_with_what_goes_in_and_out(home) -> None:
    from castalia.cli.train import train as commands

    folder, out = home / "model", home / "onnx"
    train_tunes(tunes_of(), folder, preset="tiny", steps=2, log=silent)
    said = CliRunner().invoke(commands, ["export", str(folder), "--to", "onnx", "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert {path.name for path in out.iterdir()} == {
        *("encoder.onnx", "step.onnx", "lengths.onnx", "pitches.onnx"),
        *("counts.npz", "card.json", "README.md"),
    }
    assert all(path.stat().st_size <= LARGEST for path in out.iterdir())
    card = json.loads((out / "card.json").read_text())
    assert card["graphs"]["lengths.onnx"]["inputs"]["hidden"]["shape"] == [1, "batch", 32]
    assert all(
        value["meaning"] for graph in card["graphs"].values() for side in graph.values() for value in side.values()
    )
    assert card["collection"]["owner"] == "Me"
    assert "`hidden` float32" in (out / "README.md").read_text()
    with pytest.raises(MissingError, match="no music model"):
        export_model(home / "nowhere", out)
    with pytest.raises(UsageError, match="own folder"):
        export_model(folder, folder)
    other = home / "other"
    shutil.copytree(folder, other)
    told = json.loads((other / "card.json").read_text())
    told["recipe"]["size"]["width"] = 48
    (other / "card.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match="do not fit its card"):
        export_model(other, out)


def test_steps_and_minutes_together_are_wrong_use(mine, home) -> None:
    from castalia.cli.train import train as commands

    asked = ["music", "--collection", "mine", "--threads", "1", "--out", str(home / "model")]
    said = CliRunner().invoke(commands, [*asked, "--steps", "2", "--minutes", "1"])
    assert isinstance(said.exception, UsageError)
    assert not (home / "model").exists()


def test_a_mixed_folder_is_taken_apart_and_its_report_can_be_read_again(home) -> None:
    from castalia.cli.collections import collections as commands

    folder = home / "mixed"
    folder.mkdir()
    rng = np.random.default_rng(2)
    scale = (62, 64, 66, 67, 69, 71, 73, 74)
    for number in range(6):
        places = np.abs(rng.choice((-2, -1, 1, 2), 32).cumsum() % 14 - 7)
        notes = tuple(Note(48 * at, 48, scale[place]) for at, place in enumerate(places))
        score = Score(parts=(Part(name="Tune", kind="voice", notes=notes),), fifths=2, metres=(Metre(0, 4, 4),))
        (folder / f"{number}.mid").write_bytes(file_of(score, "mid", soundfont=home))
    good = (folder / "0.mid").read_bytes()
    (folder / "cut.mid").write_bytes(good[: len(good) // 2])
    (folder / "empty.mid").write_bytes(b"")
    drum = Part(name="Drums", kind="drums", notes=tuple(Note(24 * at, 12, 36) for at in range(64)))
    (folder / "drums.mid").write_bytes(file_of(Score(parts=(drum,)), "mid", soundfont=home))
    sung = "X:1\nT:Sung\nM:4/4\nL:1/4\nK:G\nGABc|d2B2|cBAG|A4|GABc|d2e2|dcBA|G4|\nw:one two three four five\n"
    (folder / "song.abc").write_text(sung)
    (folder / "bad.abc").write_text("hello")
    run = CliRunner().invoke
    added = run(commands, ["add", "mixed", "--as", "tune", "--from", str(folder), "--owner", "Me"])
    assert added.exit_code == 0, added.output
    assert "mixed: 7 pieces" in added.output
    assert "collections show mixed" in added.output
    shown = run(commands, ["show", "mixed"]).output
    for dropped in ("cut.mid", "empty.mid", "drums.mid", "bad.abc 1", "only percussion plays"):
        assert dropped in shown
    said = json.loads(run(commands, ["show", "mixed", "--json"]).output)
    assert said["digest"] == find("mixed").digest
    assert (said["owner"], said["pieces"], len(said["dropped"])) == ("Me", 7, 4)
    assert isinstance(run(commands, ["show", "none"]).exception, UsageError)
