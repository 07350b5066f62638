"""Works, jobs and verification over HTTP. Against a real process."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator

import pytest
from PIL import Image

from castalia import genres
from servers import Person, Served, tile


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("served") / "server").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pattern(ada: Person) -> str:
    """Id of a work made of an upload."""
    job = ada.make("pattern", fields={"picture": tile()}, seed=5)
    assert job["state"] == "done", job["outcome"]
    return job["works"][0]


@pytest.fixture(scope="module")
def chorale(ada: Person) -> str:
    job = ada.make("chorale", seed=4, faces=["mid"])
    assert job["state"] == "done", job["outcome"]
    return job["works"][0]


def test_every_genre_tells_its_fields_in_either_language(ada):
    english, chinese = (
        ada.client.get("/api/genres", headers={"Accept-Language": each}).json() for each in ("en", "zh-CN,zh;q=0.9")
    )
    assert [each["name"] for each in english] == [each.name for each in genres.every()]
    assert {each["name"]: each["title"] for each in chinese}["haiku"] == "俳句"
    assert "tone" in ada.client.get("/api/genres/俳句").json()["fields"]["properties"]
    assert ada.client.get("/api/genres/nothing").status_code == 404


def test_a_work_is_made_listed_found_rated_and_deleted(ada, pattern):
    shown = ada.client.get(f"/api/works/{pattern}").json()
    assert shown["genre"] == "pattern"
    assert shown["kind"] == "picture"
    assert shown["castalia"]["id"] == pattern
    assert "png" not in str(shown["brief"])
    assert all(finding["ok"] or finding["severity"] == "note" for finding in shown["findings"])
    assert pattern in [each["id"] for each in ada.client.get("/api/works", params={"genre": "pattern"}).json()["works"]]
    assert ada.client.put(f"/api/works/{pattern}/rating", json={"rating": 4}).json()["rating"] == 4
    assert ada.client.put(f"/api/works/{pattern}/rating", json={"rating": 6}).status_code == 400
    job = ada.make("pattern", "a plum coloured fence", fields={"picture": tile()}, seed=6)
    work = job["works"][0]
    found = ada.client.get("/api/works", params={"q": "plum fence"}).json()["works"]
    assert [each["id"] for each in found] == [work]
    assert ada.client.delete(f"/api/works/{work}").status_code == 204
    assert ada.client.get(f"/api/works/{work}").status_code == 404


def test_genres_are_grouped_by_what_they_make(ada):
    found = {each["name"]: each for each in ada.client.get("/api/genres").json()}
    assert {each["kind"] for each in found.values()} == {"text", "picture", "music"}
    expected = {"haiku": "text", "news": "text", "pattern": "picture", "picture": "picture", "cover": "picture"}
    expected |= {"song": "music", "variation": "music", "accompaniment": "music"}
    assert {name: found[name]["kind"] for name in expected} == expected
    assert found["haiku"]["picture"] is True
    assert found["sheet"]["picture"] is False  # it takes several


def test_a_work_is_called_by_its_kind_in_the_language_that_is_asked_for(ada, pattern):
    for language, title in (("en", "Pattern"), ("zh", "纹样"), ("en", "Pattern")):
        shown = ada.client.get(f"/api/works/{pattern}", headers={"Accept-Language": language}).json()
        assert shown["genre_title"] == title


def test_works_are_starred_and_put_on_boards(ada, pattern, chorale):
    placed = ada.client.patch(f"/api/works/{pattern}", json={"starred": True, "boards": ["walls", "blue"]})
    assert (placed.json()["starred"], placed.json()["boards"]) == (True, ["blue", "walls"])
    for wanted in ({"starred": True}, {"board": "walls"}):
        listed = ada.client.get("/api/works", params=wanted).json()
        assert [each["id"] for each in listed["works"]] == [pattern]
        assert listed["boards"] == {"blue": 1, "walls": 1}
    assert ada.client.patch(f"/api/works/{pattern}", json={"starred": False}).json()["boards"] == ["blue", "walls"]
    assert ada.client.patch(f"/api/works/{pattern}", json={"boards": ["x" * 61]}).status_code == 400
    assert ada.client.patch("/api/works/00000000", json={"starred": True}).status_code == 404
    assert ada.client.get(f"/api/works/{chorale}").json()["starred"] is False


def test_a_thumbnail_is_small_marked_and_made_once(ada, pattern, chorale):
    first, second = (ada.client.get(f"/api/works/{pattern}/thumbnail").content for _ in range(2))
    assert first == second
    assert max(Image.open(io.BytesIO(first)).size) <= 320
    report = ada.client.post("/api/verify", files={"file": ("a.webp", first)}).json()
    assert report["ok"]
    assert report["work"] == pattern
    assert ada.client.get(f"/api/works/{chorale}/thumbnail").status_code == 404


def test_a_work_names_the_files_that_it_is_had_as(ada, pattern, chorale):
    for work, some, other in ((pattern, {"png", "webp"}, "mp3"), (chorale, {"mp3", "musicxml", "md"}, "zip")):
        shown = ada.client.get(f"/api/works/{work}").json()
        assert some < set(shown["faces"])
        assert other not in shown["faces"]


def test_a_file_of_a_work_carries_its_marks_and_is_never_run(ada, pattern, chorale):
    png = ada.client.get(f"/api/works/{pattern}/files/png")
    assert png.headers["content-type"] == "image/png"
    assert png.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in png.headers["content-security-policy"]
    report = ada.client.post("/api/verify", files={"file": ("a.png", png.content)}).json()
    assert report["ok"]
    assert report["work"] == pattern
    assert {each["name"]: each["state"] for each in report["layers"]}["c2pa"] == "trusted"
    html, beside = (
        ada.client.get(f"/api/works/{chorale}/files/html", params={"sidecar": each}).content for each in (False, True)
    )
    signed = ada.client.post("/api/verify", files={"file": ("a.html", html), "sidecar": ("a.c2pa", beside)}).json()
    assert {each["name"]: each["state"] for each in signed["layers"]}["c2pa"] == "trusted"
    assert ada.client.get(f"/api/works/{pattern}/files/mid").status_code == 400
    assert ada.client.get(f"/api/works/{pattern}/files/png", params={"sidecar": True}).status_code == 404


def test_what_somebody_else_changed_is_seen(served, ada, pattern):
    png = ada.client.get(f"/api/works/{pattern}/files/png").content
    changed = png[:-40] + bytes([png[-40] ^ 1]) + png[-39:]
    assert not ada.client.post("/api/verify", files={"file": ("a.png", changed)}).json()["ok"]
    bo = served.sign_up("Bo", ada.client.post("/api/invitations").json()["invitation"])
    seen = bo.client.post("/api/verify", files={"file": ("a.png", png)}).json()
    assert {each["name"]: each["state"] for each in seen["layers"]}["c2pa"] == "trusted"  # of this server
    assert seen["work"] is None  # of somebody else's library nothing is told


def test_a_form_brings_files_as_a_page_sends_them(ada):
    content = base64.b64decode(tile()["base64"])
    asked = ada.client.post(
        "/api/works", data={"request": '{"genre": "pattern", "seed": 5}'}, files={"picture": ("x.png", content)}
    )
    assert asked.status_code == 202, asked.text
    job = ada.wait(asked.json()["id"])
    assert job["state"] == "done", job["outcome"]
    assert ada.client.get(f"/api/works/{job['works'][0]}").json()["brief"]["seed"] == 5


def test_a_field_never_names_a_file_of_the_server(ada, tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(base64.b64decode(tile()["base64"]))
    (tmp_path / "secret.txt").write_text("the words of a secret file")
    job = ada.make("pattern", fields={"picture": str(path)})
    assert job["state"] == "failed"
    assert "by its name" in job["outcome"]["error"]["message"]
    named = ada.make("pattern", str(path))
    assert named["state"] == "failed"
    assert ada.client.post("/api/works", json={"genre": "haiku", "model": str(path)}).status_code == 404
    assert ada.client.post("/api/works", json={"genre": "haiku", "model": "http://127.0.0.1:1/v1"}).status_code == 404


def test_a_picture_that_would_burst_memory_is_refused_before_it_is_decoded(ada):
    made = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(made, "png")
    assert len(made.getvalue()) < 300_000
    bomb = {"name": "bomb.png", "base64": base64.b64encode(made.getvalue()).decode()}
    job = ada.make("pattern", fields={"picture": bomb})
    assert job["state"] == "failed"
    assert job["outcome"]["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"genre": "nothing"}, 404),
        ({"genre": "pattern", "fields": {"colour": "red"}}, 400),
        ({"genre": "pattern", "seed": -1}, 400),
        ({"genre": "pattern", "n": 1000}, 400),
        ({"genre": "pattern", "file": "/etc/passwd"}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_be_is_said_at_once(ada, asked, status):
    answer = ada.client.post("/api/works", json=asked)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_what_is_no_request_is_no_fault_of_the_server(ada):
    for content, kind in (
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"[" * 100_000, "application/json"),
    ):
        assert ada.client.post("/api/works", content=content, headers={"Content-Type": kind}).status_code == 400
    assert ada.client.post("/api/works", content=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
    broken = ada.client.post("/api/works", content=b"x", headers={"Content-Type": "multipart/form-data; boundary=y"})
    assert broken.status_code == 400
    assert ada.client.post("/api/verify", files={"file": ("x.png", b"")}).status_code == 200
    assert ada.client.get("/api/works/%00").status_code == 404
    assert ada.client.get("/api/jobs/nothing").status_code == 404


def test_no_call_breaks_whatever_it_is_sent(served, ada):
    key = {"Authorization": f"Bearer {ada.key()}"}
    odd: list[object] = [{}, [], None, "x", 1e308, {"x": {"x": []}}, {"n": -1, "seed": 2**70, "limit": "\ud800"}]
    text = {
        "genre": "haiku",
        "words": "\x00\ud800",
        "prompt": "\x00",
        "input": [""],
        "name": "\x00" * 9,
        "password": "x",
    }
    called = 0
    for path, calls in served.client().get("/openapi.json").json()["paths"].items():
        for method in calls:
            for id_ in ("0", "%2e%2e%2f", "a" * 300, "\u96ea'\"<b>", "%00"):
                url = re.sub(r"\{[^}]+\}", lambda _, id_=id_: id_, path)
                for body in [*odd, text] if method in ("post", "put", "patch") else [None]:
                    content = json.dumps(body).encode() if method != "get" else None
                    headers = {"Content-Type": "application/json", **key}
                    with ada.client.stream(method, url, content=content, headers=headers) as answer:
                        assert answer.status_code < 500 or answer.status_code == 501, (method, url, body)
                    called += 1
                if "{" not in path:
                    break
    json_type = {"Content-Type": "application/json"}
    for fields in ({"\ud800": 1}, {"tone": "\ud800"}, {"tone": {"name": "x", "base64": "?"}}, {"tone": [[[]]]}):
        answer = ada.client.post(
            "/api/works", content=json.dumps({"genre": "haiku", "words": "x", "fields": fields}), headers=json_type
        )
        assert answer.status_code in (202, 400), answer.text
        if answer.status_code == 202:
            assert ada.wait(answer.json()["id"])["outcome"]["error"]["code"] == "invalid_value"
    assert called > 200
    assert "Traceback" not in served.log
    assert "File " not in served.log


def test_a_work_is_made_again_as_it_was(ada, pattern):
    total = ada.client.get("/api/works").json()["total"]
    asked = ada.client.post(f"/api/works/{pattern}/remake").json()
    job = ada.wait(asked["id"])
    assert job["state"] == "done", job["outcome"]
    assert job["outcome"]["changes"] == []
    assert ada.client.get("/api/works").json()["total"] == total


def test_a_waiting_job_is_cancelled_at_once_and_retried(ada):
    asked = [{"genre": "chorale", "seed": each} for each in (1, 2, 3)]  # two may run at once
    first, between, second = (ada.client.post("/api/works", json=each).json() for each in asked)
    cancelled = ada.client.post(f"/api/jobs/{second['id']}/cancel").json()
    assert cancelled["state"] == "cancelled"
    assert ada.wait(second["id"])["state"] == "cancelled"
    assert ada.client.post(f"/api/jobs/{first['id']}/retry").status_code == 409
    assert ada.client.post(f"/api/jobs/{second['id']}/retry").status_code == 202
    assert ada.wait(second["id"])["state"] == ada.wait(first["id"])["state"] == "done"
    assert [each["id"] for each in ada.client.get("/api/jobs").json()][:3] == [second["id"], between["id"], first["id"]]
