"""Which model draws, and pipelines that others trained: behind an endpoint, and in a diffusers folder."""

from __future__ import annotations

import importlib.util
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from openai import OpenAI
from openai.types import image_edit_params, image_generate_params
from PIL import Image
from safetensors.numpy import save_file

from castalia.cli.models import models as command
from castalia.core.errors import EngineError, MissingError, UsageError
from castalia.core.picture import DirectStep, MixStep, Picture, RedrawStep
from castalia.engines import connection
from castalia.engines.diffusers_folder import check_folder
from castalia.engines.images_endpoint import ImagesEndpoint
from castalia.modalities.image import Chosen
from castalia.modalities.image import read as reading
from castalia.modalities.image.pipeline import Pipeline
from castalia.studio import Studio
from picture_server import NAMES, PictureServer
from pictures_drawn import scene

GIVEN = Picture.of(scene(96, 64), made_by="person")


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with PictureServer() as running:
        yield running


def drawer(server: PictureServer, **given: Any) -> Pipeline:
    return Pipeline(ImagesEndpoint(server.url, side=128, **given))


def near(pixels: np.ndarray, name: str) -> bool:
    """Whether a picture is striped in a colour."""
    return bool((np.abs(pixels.astype(int) - NAMES[name]).max(-1) < 12).mean() > 0.3)


# ------------------------------------------------------------ which model draws


def test_what_is_named_decides_about_the_model(tmp_path: Path) -> None:
    assert Chosen().kind == "own"
    assert Chosen("https://host/v1#name").kind == "endpoint"
    (tmp_path / "card.json").write_text("{}")
    assert Chosen(str(tmp_path)).kind == "trained"
    (tmp_path / "model_index.json").write_text("{}")
    assert Chosen(str(tmp_path)).kind == "diffusers"
    for name in ("a.safetensors", "b.GGUF"):
        (tmp_path / name).write_bytes(b"")
        assert Chosen(str(tmp_path / name)).kind == "checkpoint"


@pytest.mark.parametrize("named", ["", "nothing", "some.ckpt"])
def test_what_is_no_model_is_told_with_what_would_be(tmp_path: Path, named: str) -> None:
    (tmp_path / "some.ckpt").write_bytes(b"a pickle")
    with pytest.raises(UsageError, match="image_model = ") as caught:
        _ = Chosen(str(tmp_path / named)).kind
    assert "model_index.json" in caught.value.hint


# ------------------------------------------------------------ an endpoint


def test_words_and_seed_go_to_the_endpoint_and_its_picture_comes_back(server: PictureServer) -> None:
    remote = drawer(server)
    first, again, other = (remote.draw("a red umbrella", "ink", seed, 0) for seed in (1, 1, 2))
    assert first.shape == (128, 128, 3)
    assert near(first, "red")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    path, body = server.asked[0]
    assert path == "/v1/images/generations"
    assert (body["prompt"], body["size"], body["seed"]) == ("a red umbrella, ink", "128x128", 1)
    assert (remote.name, remote.digest) == ("painter-1", f"{server.url}#painter-1")
    assert (remote.unknown("xyz"), remote.nearest(first), remote.known()["words"]) == (None, None, ())


@pytest.mark.parametrize(("size", "asked"), [(64, 128), (300, 300)])
def test_a_small_picture_is_drawn_in_the_models_size_and_reduced(server: PictureServer, size: int, asked: int) -> None:
    assert drawer(server).draw("a blue door", "", 1, size).shape == (size, size, 3)
    assert server.asked[-1][1]["size"] == f"{asked}x{asked}"


def test_a_given_picture_goes_along_in_its_own_shape(server: PictureServer) -> None:
    made = drawer(server).redraw(RedrawStep("again", GIVEN, "a green hill", strength=0.3), 5)
    assert made.shape == (64, 96, 3)
    path, body = server.asked[-1]
    assert (path, body["strength"], body["seed"]) == ("/v1/images/edits", "0.3", "5")
    assert Image.open(io.BytesIO(body["image"])).size == (128, 85)


def test_what_a_server_refuses_is_left_out_from_then_on() -> None:
    with PictureServer(strict=True) as server:
        remote = drawer(server)
        assert near(remote.draw("a red umbrella", "", 1, 0), "red")
        count = len(server.asked)
        remote.draw("a red umbrella", "", 1, 0)
        assert len(server.asked) == count + 1
        remote.redraw(RedrawStep("again", GIVEN, "a hill"), 1)
        sent = dict(server.asked)
    for params, path in ((image_generate_params.ImageGenerateParamsNonStreaming, "generations"),
                         (image_edit_params.ImageEditParamsNonStreaming, "edits")):  # fmt: skip
        body = sent[f"/v1/images/{path}"]
        known = {name for each in params.__mro__ for name in getattr(each, "__annotations__", {})}
        known |= set(params.__required_keys__ | params.__optional_keys__)
        assert set(body) <= known
        assert {"prompt", "model"} <= set(body)


def test_the_official_client_reads_this_server_as_we_do(server: PictureServer) -> None:
    client = OpenAI(base_url=server.url, api_key="any")
    made = client.images.generate(
        model="painter-1", prompt="a red umbrella", size="256x256", response_format="b64_json"
    )
    assert made.data
    assert made.data[0].b64_json
    client.images.edit(model="painter-1", prompt="a red umbrella", image=("picture.png", GIVEN.png, "image/png"))
    drawer(server).redraw(RedrawStep("again", GIVEN, "a red umbrella"), 1)
    (_, theirs), (_, ours) = server.asked[-2:]
    assert type(theirs["image"]) is type(ours["image"]) is bytes
    assert set(theirs) <= set(ours)
    client.close()


def test_a_busy_server_is_asked_again_and_a_wrong_key_is_said() -> None:
    with PictureServer(busy=2, key="right") as server:
        assert near(drawer(server, key="right", model="m").draw("a red umbrella", "", 1, 0), "red")
        with pytest.raises(EngineError, match="401") as caught:
            drawer(server, key="wrong", model="m").draw("a red umbrella", "", 1, 0)
        assert not caught.value.retryable
        server.busy = 9
        with pytest.raises(EngineError, match="503") as caught:
            drawer(server, key="right", model="m").draw("a red umbrella", "", 1, 0)
        assert caught.value.retryable


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"data": [{"url": "http://elsewhere/x.png"}]}, "without a picture"),
        ({"data": []}, "without a picture"),
        ({"data": [{"b64_json": "!"}]}, "without a picture"),
        ({"data": [{"b64_json": "aGVsbG8="}]}, "format is none"),
        ([], "without a picture"),
    ],
)
def test_an_answer_without_a_picture_is_told(answer: Any, why: str) -> None:
    with PictureServer(answer=json.dumps(answer).encode()) as server, pytest.raises(EngineError, match=why):
        drawer(server).draw("a red umbrella", "", 1, 0)


def test_an_answer_that_is_too_large_is_not_read(server: PictureServer, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = drawer(server)
    with monkeypatch.context() as patch:
        patch.setattr(reading, "MOST_PIXELS", 1_000)
        with pytest.raises(EngineError, match="128 × 128 pixels"):
            remote.draw("a red umbrella", "", 1, 0)
    monkeypatch.setattr(connection, "_MOST_BYTES", 200)
    with pytest.raises(EngineError, match="more than"):
        remote.draw("a red umbrella", "", 1, 0)


def test_several_models_want_a_name() -> None:
    with PictureServer(models=("writer", "painter")) as server, pytest.raises(UsageError, match="several") as caught:
        drawer(server)
    assert "writer, painter" in caught.value.hint
    with PictureServer(models=()) as server, pytest.raises(EngineError, match="lists no model"):
        drawer(server)


def test_what_a_pipeline_cannot_is_said(server: PictureServer) -> None:
    remote = drawer(server)
    with pytest.raises(UsageError, match="cannot mix"):
        remote.mix(MixStep("m", (GIVEN, GIVEN), ("a", "b")))
    with pytest.raises(UsageError, match="cannot move"):
        remote.direct(DirectStep("d", GIVEN, "a", "rounder"))


def test_the_whole_way_names_the_model_and_promises_no_picture_twice(
    server: PictureServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASTALIA_OFFLINE", "1")  # a configured engine is no download
    studio = Studio(image_model=f"{server.url}#painter-1", image_size=256)
    work = studio.create("picture", "a red umbrella", seed=4)
    assert work.content.picture
    assert work.content.picture.width == 256
    assert work.record.model == "painter-1"
    assert work.record.model_digest == "endpoint#painter-1"
    assert work.evidence.digest == f"{server.url}#painter-1"
    assert {each.rule: each.ok for each in work.findings}["near-copy"] is False
    assert "words" not in {each.rule for each in work.findings}
    assert studio.remake(work.id)[1] == ()
    server.models, before = ("painter-1",), server.asked[:]
    monkeypatch.setitem(NAMES, "red", (200, 10, 60))  # the server's model was changed
    differences = studio.remake(work.id)[1]
    assert differences[0] == "the picture differs"
    assert "no picture twice" in differences[1]
    assert before
    studio.close()


def test_the_key_is_the_image_hosts_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASTALIA_IMAGE_KEY", raising=False)
    monkeypatch.setenv("CASTALIA_ENDPOINT_KEY", "of the language model")
    with PictureServer(key="right") as server:
        studio = Studio(image_model=f"{server.url}#painter-1")
        assert studio.picture_model.key == ""
        studio.vault.put(connection.secret_name(server.url), b"right")
        assert studio.painters.drawer.draw("a red umbrella", "", 1, 64).shape == (64, 64, 3)
        monkeypatch.setenv("CASTALIA_IMAGE_KEY", "wrong")
        assert studio.picture_model.key == "wrong"
        studio.close()


# ------------------------------------------------------------ a diffusers folder


def index(folder: Path, **held: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline", **held}))
    return folder


def test_a_folder_with_code_or_without_safetensors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no weights as safetensors") as caught:
        check_folder(index(tmp_path / "bare"))
    assert "safe_serialization" in caught.value.hint
    coded = index(tmp_path / "coded")
    (coded / "unet").mkdir()
    (coded / "unet" / "model.safetensors").write_bytes(b"")
    assert check_folder(coded) == "StableDiffusionPipeline"
    (coded / "unet" / "mine.py").write_text("print('run')")
    with pytest.raises(UsageError, match="Python code"):
        check_folder(coded)
    with pytest.raises(UsageError, match="code of its own"):
        check_folder(index(tmp_path / "own", _class_name=["mine", "Pipeline"]))
    (tmp_path / "bare" / "model_index.json").write_text("[" * 100_000)
    with pytest.raises(UsageError, match="cannot be read"):
        check_folder(tmp_path / "bare")


@pytest.mark.skipif(importlib.util.find_spec("diffusers") is not None, reason="diffusers is installed")
def test_without_diffusers_the_command_is_said(tmp_path: Path) -> None:
    folder = index(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(MissingError) as caught:
        Chosen(str(folder)).open().draw("a red umbrella", "", 1, 0)
    assert caught.value.hint == "pip install 'castalia[diffusers]'"
    assert caught.value.exit_code == 3


@pytest.mark.slow
def test_a_folder_draws_the_same_under_a_seed_and_redraws_what_it_is_given(tmp_path: Path) -> None:
    pytest.importorskip("diffusers", reason="pip install 'castalia[diffusers]'")
    import subprocess
    import sys

    script = Path(__file__).with_name("tiny_diffusers.py")
    subprocess.run([sys.executable, str(script), str(tmp_path / "tiny")], check=True, capture_output=True)
    told: list[str] = []
    folder = Chosen(str(tmp_path / "tiny"), steps=3, guidance=2.0).open(lambda text, _: told.append(text))
    assert isinstance(folder, Pipeline)
    first, again, other = (folder.draw("a red umbrella", "", seed, 0) for seed in (1, 1, 2))
    assert first.shape == (128, 128, 3)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(folder.draw("a blue door", "", 1, 0), first)
    assert "drawing, step 3 of 3" in told
    assert folder.build.startswith("StableDiffusionPipeline, diffusers ")
    assert folder.build.endswith("steps 3, guidance 2")
    subtle, strong = (
        folder.redraw(RedrawStep("again", GIVEN, "a hill", strength=strength), 1) for strength in (0.4, 1.0)
    )
    assert subtle.shape == GIVEN.pixels.shape
    assert not np.array_equal(subtle, strong)
    digest = folder.digest
    folder.close()
    (tmp_path / "tiny" / "unet" / "config.json").write_text("{}")
    broken = Chosen(str(tmp_path / "tiny")).open()
    assert broken.digest != digest
    with pytest.raises(EngineError, match="tiny failed"):
        broken.draw("a red umbrella", "", 1, 0)
    studio = Studio(image_model=str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="no such folder or file"):
        _ = studio.painters.drawer


# ------------------------------------------------------------ a checkpoint file


def checkpoint(path: Path) -> Path:
    save_file({"of.nothing": np.zeros((4, 4), np.float32)}, path)
    return path


def test_a_damaged_checkpoint_is_refused_before_it_is_loaded(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "a.safetensors").read_bytes()
    for content in (b"", b"\xff" * 9, whole[:-1], whole[:8] + b"[]" + whole[10:]):
        (tmp_path / "b.safetensors").write_bytes(content)
        with pytest.raises(UsageError, match="no usable checkpoint"):
            Chosen(str(tmp_path / "b.safetensors")).open()
    (tmp_path / "b.gguf").write_bytes(b"GGML")
    with pytest.raises(UsageError, match="no GGUF file"):
        Chosen(str(tmp_path / "b.gguf")).open()


def test_a_checkpoint_that_draws_nothing_is_told_or_what_to_install(tmp_path: Path) -> None:
    drawing = Chosen(str(checkpoint(tmp_path / "a.safetensors"))).open()
    assert len(drawing.digest) == 64
    installed = importlib.util.find_spec("cyllama") is not None
    with pytest.raises(EngineError if installed else MissingError) as caught:
        drawing.draw("a red umbrella", "", 1, 0)
    assert ("a failed" in caught.value.message) if installed else (caught.value.hint == "pip install 'castalia[sd]'")


# ------------------------------------------------------------ commands


def test_the_commands_show_which_model_draws(
    server: PictureServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def row() -> dict[str, Any]:
        listed = CliRunner().invoke(command, ["list", "--json"])
        (found,) = [each for each in json.loads(listed.output) if "draws" in each]
        return found

    assert row() == {"name": "emoji", "draws": "own", "path": ""}
    monkeypatch.setenv("CASTALIA_IMAGE_MODEL", f"{server.url}#painter-1")
    assert row() == {"name": "painter-1", "draws": "endpoint", "path": server.url}
    assert not server.asked
    assert "any words" in CliRunner().invoke(command, ["words"]).output
    plain = CliRunner().invoke(command, ["list"]).output
    assert f"draws pictures (image_model): {server.url}" in plain
