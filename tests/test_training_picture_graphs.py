"""A picture model as ONNX: the same pictures as torch and the studio draw, any number of words and pictures at once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs castalia[train]")
pytest.importorskip("onnxruntime", reason="needs castalia[pictures]")

from click.testing import CliRunner
from onnxruntime import InferenceSession
from safetensors.numpy import load_file

from castalia.cli.train import train as commands
from castalia.core.errors import MissingError, UsageError
from castalia.modalities.image.draw.model import DrawingModel
from castalia.training.images.graphs import MEANING
from castalia.training.portable import LARGEST, export_model

GRAPHS = {"words.onnx", "generator.onnx", "decoder.onnx", "encoder.onnx"}


@pytest.fixture(scope="module")
def written(shapes_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("onnx")
    said = CliRunner().invoke(commands, ["export", str(shapes_model), "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert said.output.count("parity") == 2
    return out


def run(folder: Path, name: str, **given: np.ndarray) -> np.ndarray:
    session = InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, given)[0]


def test_graphs_words_weights_and_card_are_written(written: Path, shapes_model: Path) -> None:
    there = {path.name for path in written.iterdir()}
    assert there == GRAPHS | {"fp16.safetensors", "words.json", "card.json", "README.md"}
    assert all(path.stat().st_size <= LARGEST for path in written.iterdir())
    card = json.loads((written / "card.json").read_text(encoding="utf-8"))
    assert set(card["graphs"]) == GRAPHS
    said = [value for graph in card["graphs"].values() for side in graph.values() for value in side.values()]
    assert {value["meaning"] for value in said} == set(MEANING.values())
    assert all(value["shape"][0] == "batch" for value in said)
    assert card["digest"] == DrawingModel(shapes_model).digest
    assert "words.json" in (written / "README.md").read_text(encoding="utf-8")


def test_the_graphs_are_as_torch_and_the_studio_within_half_precision(written: Path) -> None:
    parity = json.loads((written / "card.json").read_text(encoding="utf-8"))["parity"]
    assert set(parity) == {"torch", "numpy"}
    for far in parity.values():
        assert far["code"] < 1e-3
        assert far["latents"] < 5e-3
    assert parity["torch"]["pixels"] < 0.5
    assert parity["torch"]["encoded"] < 5e-3
    assert parity["numpy"]["pixels"] < 1  # its levels are whole


def test_several_captions_of_different_length_are_drawn_at_once(written: Path, shapes_model: Path) -> None:
    model = DrawingModel(shapes_model)
    asked = [model.read(words).numbers for words in ("red circle", "blue square, shape", "triangle")]
    longest = max(map(len, asked)) + 2
    words = np.array([[*each, *[0] * (longest - len(each))] for each in asked], np.int64)
    code = run(written, "words", words=words)
    pixels = run(written, "decoder", latents=run(written, "generator", words=words, code=code))
    for number, own in enumerate(asked):
        drawn = model.network.pixels(model.network.latents(own, model.network.meant(own)))
        levels = (pixels[number].clip(-1, 1) + 1) * 127.5
        assert np.abs(levels.transpose(1, 2, 0) - drawn).max() < 1


def test_half_precision_lies_beside_and_is_what_the_eight_bits_say(written: Path, shapes_model: Path) -> None:
    half, kept = load_file(written / "fp16.safetensors"), load_file(shapes_model / "weights.safetensors")
    assert {each.dtype for each in half.values()} == {np.dtype(np.float16)}
    name = "decoder.leave.weight"
    whole = kept[f"{name}.rounded"] * kept[f"{name}.step"].reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(half[name], whole, rtol=1e-3, atol=1e-6)


def test_what_is_no_model_or_another_is_refused(shapes_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="own folder"):
        export_model(shapes_model, shapes_model)
    other = tmp_path / "other"
    shutil.copytree(shapes_model, other)
    card = json.loads((other / "card.json").read_text(encoding="utf-8"))
    card["recipe"]["size"]["width"] = 48
    (other / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(UsageError, match="do not fit its card"):
        export_model(other, tmp_path / "out")
    (other / "words.json").unlink()
    with pytest.raises(MissingError, match=r"words\.json missing"):
        export_model(other, tmp_path / "out")
