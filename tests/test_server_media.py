"""Pictures that are changed, and music, over OpenAI's and LocalAI's interface. Against a real process."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import httpx
import numpy as np
import openai
import pytest
from PIL import Image

from servers import Person, Served, tile


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("served") / "server").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def key(ada: Person) -> str:
    return ada.key()


@pytest.fixture(scope="module")
def client(served: Served, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0, timeout=120) as made:
        yield made


def picture() -> io.BytesIO:
    file = io.BytesIO(base64.b64decode(tile()["base64"]))
    file.name = "../../tile.png"
    return file


def test_a_picture_is_drawn_again_as_a_marked_file(client, ada):
    answer = client.images.edit(image=picture(), prompt="a cat", extra_body={"seed": 4, "strength": 0.3})
    content = base64.b64decode(answer.data[0].b64_json)
    assert Image.open(io.BytesIO(content)).format == "PNG"
    record = answer.model_extra["castalia"][0]
    assert record["genre"] == "redraw"
    report = ada.client.post("/api/verify", files={"file": ("changed.png", content)}).json()
    assert report["work"] == record["id"]
    work = ada.client.get(f"/api/works/{record['id']}").json()
    assert work["brief"]["fields"]["strength"] == 0.3


def test_another_genre_changes_it_otherwise(client):
    answer = client.images.edit(image=picture(), prompt="tiles", model="castalia/pattern", output_format="webp", n=2)
    assert [each["genre"] for each in answer.model_extra["castalia"]] == ["pattern", "pattern"]
    assert {Image.open(io.BytesIO(base64.b64decode(each.b64_json))).format for each in answer.data} == {"WEBP"}


def test_what_a_mask_does_not_open_stays(client):
    before = base64.b64decode(client.images.generate(prompt="a red apple", extra_body={"seed": 3}).data[0].b64_json)
    old = Image.open(io.BytesIO(before)).convert("RGB")
    mask = Image.new("RGBA", old.size, (255, 255, 255, 255))
    mask.paste((0, 0, 0, 0), (0, 0, old.width, old.height // 2))
    file = io.BytesIO()
    mask.save(file, "PNG")
    answer = client.images.edit(
        image=("old.png", before),
        mask=("mask.png", file.getvalue()),
        prompt="a red apple",
        extra_body={"seed": 8, "strength": 1},
    )
    new = Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json))).convert("RGB")
    upper, lower = (
        np.abs(np.array(new, np.int64)[half] - np.array(old, np.int64)[half]).mean()
        for half in (slice(20, old.height // 2), slice(old.height // 2, old.height - 30))
    )
    assert lower < 4 < 2 * lower + 4 < upper  # watermarks are put in anew


def test_edits_that_cannot_be_are_refused(client):
    for more, why in (
        ({"mask": picture()}, "mask"),
        ({"mask": io.BytesIO(b"no picture")}, "none that is read"),
        ({"mask": picture(), "model": "pattern"}, "changes no picture so"),
        ({"model": "haiku"}, "changes no picture"),
        ({"size": "1024x1536"}, "1024x1536"),
        ({"extra_body": {"direction": "older"}}, "direction"),
        ({"image": io.BytesIO(b"no picture")}, "picture"),
    ):
        with pytest.raises(openai.BadRequestError, match=why):
            client.images.edit(**{"image": picture(), "prompt": "a cat"} | more)
    with pytest.raises(openai.NotFoundError):
        client.images.edit(image=picture(), prompt="a cat", model="dall-e-2")


def test_music_comes_as_one_marked_file_of_the_length_asked_for(served, ada, key):
    asked = {"text": "calm evening", "duration_seconds": 9, "bpm": 80, "keyscale": "D minor", "timesignature": "3"}
    with httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {key}"}, timeout=120) as client:
        made = client.post("/v1/sound-generation", json={**asked, "seed": 5})
        assert made.status_code == 200, made.text
        assert made.headers["content-type"] == "audio/wav"
        assert made.content[:4] == b"RIFF"
        report = ada.client.post("/api/verify", files={"file": ("loop.wav", made.content)}).json()
        assert report["work"] in made.headers["castalia-record"]
        fields = ada.client.get(f"/api/works/{report['work']}").json()["brief"]["fields"]
        assert (fields["bars"], fields["metre"], fields["key"], fields["tempo"]) == (4, "3/4", "D minor", 80)
        melody = client.post("/v1/sound-generation", json={"text": "a jig", "model": "melody", "seed": 1})
        assert (melody.status_code, "melody" in melody.headers["castalia-record"]) == (200, True)
        for more, why in (
            ({"timesignature": "x/4", "duration_seconds": 5}, "x/4"),
            ({"duration_seconds": 900}, "duration_seconds"),
            ({"model": "haiku", "bpm": 90}, "no field"),
        ):
            refused = client.post("/v1/sound-generation", json={"text": "calm", **more})
            assert refused.status_code == 400
            assert why in refused.json()["error"]["message"]
