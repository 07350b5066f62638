"""Pictures in words by a model that sees, and what words and music make of a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from castalia.cli.look import look as command
from castalia.core.errors import EngineError, UsageError
from castalia.core.picture import Picture
from castalia.engines.vision import VisionModel
from castalia.engines.vision_server import LocalVision
from castalia.genres import _music, find
from castalia.modalities.image.look import look
from castalia.studio import Studio
from picture_server import PictureServer
from pictures_drawn import scene
from tiny_projector import write_projector

CAPTION = "A red umbrella lies on the ground."


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with PictureServer(models=("seer-1",)) as running:
        yield running


@pytest.fixture
def red(tmp_path: Path) -> Path:
    Image.new("RGB", (900, 600), (210, 40, 40)).save(path := tmp_path / "red.jpg")
    return path


def studio_of(server: PictureServer, **settings: object) -> Studio:
    return Studio(vision_model=f"{server.url}#seer-1", **settings)


# ------------------------------------------------------------ an endpoint


def test_the_endpoint_sees_the_picture_and_its_words_are_called_a_guess(server: PictureServer, home: Path) -> None:
    studio = studio_of(server)
    pixels = np.full((1200, 1600, 3), (220, 30, 30), np.uint8)
    seen = studio.look(Picture.of(pixels))
    assert (seen.caption, seen.captioned_by) == (CAPTION, "seer-1")
    assert seen.guess() == f"A guess by seer-1, which may be wrong: {CAPTION}"
    assert seen.guess("zh").startswith("模型 seer-1 猜测")
    assert seen.words() == look(pixels).words()  # what is measured stays as it is
    path, body = server.asked[0]
    assert path == "/v1/chat/completions"
    text, image = body["messages"][-1]["content"]
    assert text["type"] == "text"
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert (body["temperature"], body["stream"]) == (0.0, True)
    studio.close()


def test_without_a_model_that_sees_nothing_is_guessed(home: Path) -> None:
    studio = Studio()
    seen = studio.look(Picture.of(scene()))
    assert studio.vision is None
    assert (seen.caption, seen.guess(), seen.guess("zh")) == ("", "", "")
    studio.close()


def test_a_server_that_cannot_see_is_told(server: PictureServer) -> None:
    server.answer = b'data: {"error": {"message": "image input is not supported"}}\n\n'
    with pytest.raises(EngineError, match="not supported"):
        VisionModel(server.url).describe(Picture.of(scene()).png)
    server.answer = b"data: [DONE]\n\n"
    with pytest.raises(EngineError, match="said nothing") as caught:
        VisionModel(server.url).describe(Picture.of(scene()).png)
    assert "vision_model" in caught.value.hint


def test_look_prints_the_guess_below_what_is_measured(
    server: PictureServer, red: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASTALIA_VISION_MODEL", server.url)
    lines = CliRunner().invoke(command, [str(red)]).output.splitlines()
    assert lines[1] == f"A guess by seer-1, which may be wrong: {CAPTION}"
    found = json.loads(CliRunner().invoke(command, [str(red), "--json"]).output)
    assert (found["caption"], found["captioned_by"], found["width"]) == (CAPTION, "seer-1", 900)


# ------------------------------------------------------------ llama.cpp and a projector


def test_a_model_and_its_projector_answer_about_a_picture(english_model_path: Path, tmp_path: Path, home: Path) -> None:
    projector = write_projector(tmp_path / "mmproj.gguf", into=576)
    studio = Studio(vision_model=str(english_model_path), vision_projector=str(projector), threads=1)
    seen = studio.look(Picture.of(scene()))
    other = studio.look(Picture.of(255 - np.zeros((64, 64, 3), np.uint8)))
    assert seen.captioned_by == "smollm2-135m"
    assert seen.caption  # the projector's weights are chance, so what is said means nothing
    assert seen.caption != other.caption
    vision = studio.vision
    assert isinstance(vision, LocalVision)
    assert len(vision.digest) == 64
    process = vision._process  # pyright: ignore[reportPrivateUsage]
    assert process.poll() is None
    studio.close()
    assert process.poll() is not None


def test_a_projector_of_another_model_is_refused(english_model_path: Path, tmp_path: Path) -> None:
    projector = write_projector(tmp_path / "mmproj.gguf", into=64)
    with pytest.raises(EngineError, match="does not load") as caught:
        LocalVision(english_model_path, projector, digest="")
    assert "vision_projector" in caught.value.hint


def test_files_of_the_wrong_kind_are_refused_before_they_are_loaded(
    english_model_path: Path, tmp_path: Path, home: Path
) -> None:
    def refusal(model: Path | str, projector: Path | str) -> str:
        with pytest.raises((UsageError, EngineError)) as caught:
            _ = Studio(vision_model=str(model), vision_projector=str(projector)).vision
        return str(caught.value)

    (tmp_path / "broken.gguf").write_bytes(b"GGUF")
    projector = write_projector(tmp_path / "mmproj.gguf", into=576)
    assert "no model that sees" in refusal(english_model_path, "")
    assert "no model that sees" in refusal("nothing.gguf", projector)
    assert "not a projector" in refusal(english_model_path, english_model_path)
    assert "not a language model" in refusal(projector, projector)
    assert "not a usable GGUF file" in refusal(english_model_path, tmp_path / "broken.gguf")


# ------------------------------------------------------------ other rooms


def test_a_poem_about_a_picture_is_told_what_it_shows(server: PictureServer, red: Path, home: Path) -> None:
    studio = studio_of(server)
    brief, doubts = studio.given.brief(find("haiku"), "after the storm", 1, (), {"picture": str(red)})
    first, *rest = brief.words.split("\n")
    assert first == "after the storm"
    assert rest == [f"{CAPTION} A lively picture in scarlet."] or rest[0].startswith(CAPTION)
    (doubt,) = doubts
    assert (doubt.rule, doubt.ok, doubt.refuses) == ("picture", False, False)
    assert doubt.found.startswith("A guess by seer-1")
    prompt = find("haiku").plan(brief).steps[0].messages[-1].content
    assert "umbrella" in prompt
    chinese, _ = studio.given.brief(find("jueju5"), "雨后", 1, (), {"picture": str(red)})
    assert chinese.fields.language == "zh"
    assert "图片以" in chinese.words
    studio.close()


def test_a_work_is_a_parent_and_its_own_words_go_along(home: Path) -> None:
    studio = Studio()
    work = studio.create("picture", "red apple", seed=3)
    brief, doubts = studio.given.brief(find("haiku"), "", 1, (), {"picture": work.id})
    assert brief.parents == (work.id,)
    assert brief.words.startswith("red apple\nA ")
    assert "not recognised" in doubts[0].found
    studio.close()


@pytest.mark.parametrize(
    ("levels", "feeling", "mode"),
    [((25, 20, 30), "dark", "minor"), ((250, 200, 210), "bright", "major"), ((240, 60, 30), "lively", "major")],
)
def test_light_and_colour_set_the_mode_of_music(home: Path, tmp_path: Path, levels, feeling: str, mode: str) -> None:
    pixels = np.full((64, 64, 3), levels, np.uint8)
    pixels[20:40, 20:40] //= 2
    Image.fromarray(pixels).save(path := tmp_path / "light.png")
    studio = Studio()
    for language in ("en", "zh"):
        fields = {"picture": str(path), "language": language}
        brief, _ = studio.given.brief(find("loop"), "", 1, (), fields)
        assert feeling in brief.words or language == "zh"
        assert _music.mood_of(brief.words)[0] == mode
    studio.close()


def test_a_room_that_takes_a_picture_itself_is_left_alone(server: PictureServer, red: Path, home: Path) -> None:
    studio = studio_of(server)
    brief, doubts = studio.given.brief(find("painting"), "", 1, (), {"picture": str(red)})
    assert (brief.words, doubts, server.asked) == ("", [], [])
    studio.close()
