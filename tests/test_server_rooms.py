"""Models that are fetched and collections that are taken in over HTTP. Against a real process and a slow host."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image, ImageDraw

from servers import Person, Served, tile

WEIGHTS = bytes(range(256)) * 32_768
PIECE = 131_072


class _Host(BaseHTTPRequestHandler):
    """Hands out `WEIGHTS` in pieces; waits between them as long as its server is slow."""

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        self.server.asked.append(begin)  # pyright: ignore[reportAttributeAccessIssue]
        self.send_response(206 if begin else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(WEIGHTS) - begin))
        self.end_headers()
        try:
            for at in range(begin, len(WEIGHTS), PIECE):
                self.wfile.write(WEIGHTS[at : at + PIECE])
                self.server.quick.wait(0.4)  # pyright: ignore[reportAttributeAccessIssue]
        except OSError:
            pass  # whoever asked has gone

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def host() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Host)
    server.asked, server.quick = [], threading.Event()  # pyright: ignore[reportAttributeAccessIssue]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.quick.set()  # pyright: ignore[reportAttributeAccessIssue]
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def served(host: ThreadingHTTPServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("rooms")
    entry = {
        "title": "A toy",
        "file": "toy.gguf",
        "size": len(WEIGHTS),
        "memory": 1000,
        "quality": -5,
        "licence": "MIT",
        "languages": ["en"],
        "context": 64,
        "sha256": hashlib.sha256(WEIGHTS).hexdigest(),
    }
    text = ""
    for name, more in {"toy": {}, "giant": {"memory": 2**50}}.items():
        text += f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in (entry | more).items())
        text += f'[[{name}.sources]]\nkind = "url"\nurl = "http://127.0.0.1:{host.server_port}/toy.gguf"\n'
    (home / "config").mkdir()
    (home / "config" / "models.toml").write_text(text)
    environment = {"CASTALIA_HOME": str(home), "CASTALIA_MODELS": str(home / "models")}
    server = Served(home / "server", environment=environment).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def bob(served: Served, ada: Person) -> Person:
    return served.sign_up("Bob", ada.client.post("/api/invitations").json()["invitation"])


def _models(person: Person) -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in person.client.get("/api/models").json()["models"]}


def _until(person: Person, job: str, message: str) -> None:
    deadline = time.monotonic() + 20
    while message not in (shown := person.client.get(f"/api/jobs/{job}").json())["message"]:
        assert time.monotonic() < deadline, shown
        time.sleep(0.05)


def test_a_model_is_fetched_beside_the_works_stopped_and_fetched_on(ada, bob, host, served):
    known = _models(bob)
    assert (known["toy"]["bytes"], known["toy"]["licence"], known["toy"]["languages"]) == (len(WEIGHTS), "MIT", ["en"])
    assert (known["toy"]["installed"], known["toy"]["fits"], known["giant"]["fits"]) == (False, True, False)
    assert known["style"]["languages"] == []
    assert bob.client.post("/api/models/toy/pull").status_code == 403
    assert ada.client.post("/api/models/nothing/pull").status_code == 404
    asked = ada.client.post("/api/models/toy/pull")
    assert (asked.status_code, asked.json()["kind"]) == (202, "pull")
    job = asked.json()["id"]
    _until(ada, job, "2 of 8 MB")
    assert ada.make("pattern", fields={"picture": tile()}, seed=5)["state"] == "done"
    shown = ada.client.get(f"/api/jobs/{job}").json()
    assert shown["state"] == "running"
    assert 0 < shown["share"] < 1
    ada.client.post(f"/api/jobs/{job}/cancel")
    assert ada.wait(job)["state"] == "cancelled"
    assert not _models(ada)["toy"]["installed"]
    host.quick.set()
    assert ada.client.post(f"/api/jobs/{job}/retry").status_code == 202
    assert ada.wait(job)["outcome"] == {"model": "toy"}
    assert host.asked[0] == 0
    assert host.asked[-1] > 0  # the second time it went on where the first had stopped
    assert _models(bob)["toy"]["installed"]
    assert ada.client.delete("/api/models/toy").status_code == 204
    assert not _models(ada)["toy"]["installed"]
    assert ada.client.delete("/api/models/toy").status_code == 400
    noted = {each["event"] for each in ada.client.get("/api/audit").json()}
    assert {"model pulled", "model removed"} <= noted


def test_offline_nothing_is_fetched_and_that_is_said(tmp_path):
    server = Served(tmp_path / "server", environment={"CASTALIA_OFFLINE": "1", "CASTALIA_MODELS": str(tmp_path)})
    server.start()
    try:
        ada = server.sign_up("Ada")
        for name in ("smollm2-135m", "enlarge"):
            refused = ada.client.post(f"/api/models/{name}/pull")
            assert refused.status_code == 501
            assert "CASTALIA_OFFLINE" in refused.json()["error"]["message"]
            assert refused.json()["error"]["hint"] == f"CASTALIA_OFFLINE=0 castalia models pull {name}"
        assert ada.client.get("/api/jobs").json() == []
    finally:
        server.stop()


def _pictures(count: int) -> list[tuple[str, bytes]]:
    made: list[tuple[str, bytes]] = []
    for number in range(count):
        picture = Image.new("RGB", (72, 64), "white")
        draw = ImageDraw.Draw(picture)
        draw.rectangle((6 * number, 4, 6 * number + 20, 56), fill=("red", "green", "blue", "orange")[number % 4])
        draw.ellipse((30, 5 * number, 60, 5 * number + 24), fill="black")
        content = io.BytesIO()
        picture.save(content, "png")
        made.append((f"a {('red', 'green', 'blue', 'orange')[number % 4]} post {number}.png", content.getvalue()))
    return made


def _archive(files: list[tuple[str, bytes]]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in files:
            archive.writestr(name, each)
    return content.getvalue()


def test_pictures_become_a_collection_that_its_owner_alone_sees(ada, bob, served):
    told = {"name": "posts", "kind": "picture", "owner": "Ada & Co", "licence": "CC-BY-4.0"}
    sent = _archive([*_pictures(5), ("../../notes.txt", b"x"), ("small.png", _pictures(1)[0][1][:60])])
    asked = ada.client.post("/api/collections", data=told, files={"files": ("../posts.zip", sent)})
    assert asked.status_code == 202, asked.text
    job = ada.wait(asked.json()["id"])
    assert job["state"] == "done", job
    assert job["outcome"]["pieces"] == 5
    assert list(job["outcome"]["dropped"]) == ["small.png"]
    expected = {"name": "posts", "kind": "picture", "pieces": 5, "owner": "Ada & Co", "licence": "CC-BY-4.0"}
    assert ada.client.get("/api/collections").json() == {"collections": [expected]}
    card = ada.client.get("/api/collections/posts").json()
    assert {each["text"] for each in card["pieces"]} >= {"a red post", "a green post"}
    assert bob.client.get("/api/collections").json() == {"collections": []}
    assert bob.client.get("/api/collections/posts").status_code == 404
    # on the disk there is neither a name nor a picture in the clear
    kept = list(served.data.rglob("collections/*"))
    assert len(kept) == 2
    for path in kept:
        assert "posts" not in path.name
        assert not any(clear in path.read_bytes() for clear in (b"post", b"Ada & Co", b"NUMPY", b"PK\x03\x04"))
    assert ada.client.delete("/api/collections/posts").status_code == 204
    assert ada.client.get("/api/collections").json() == {"collections": []}
    assert ada.client.delete("/api/collections/posts").status_code == 404


def test_scores_come_as_files_or_in_an_archive(ada):
    tune = "X:1\nT:{0}\nM:4/4\nL:1/4\nK:C\n" + "CDEF|GABc|cBAG|FEDC|" * 4 + "\n"
    for files in (
        [("files", ("a.abc", tune.format("A").encode()))],
        [("files", ("all.zip", _archive([("deep/a.abc", tune.format("A").encode()), ("b.abc", b"nothing")])))],
    ):
        asked = ada.client.post("/api/collections", data={"name": "tunes", "kind": "tune"}, files=files)
        job = ada.wait(asked.json()["id"])
        assert job["state"] == "done", job
        assert job["outcome"]["pieces"] == 1
    assert ada.client.get("/api/collections/tunes").json()["kind"] == "tune"


@pytest.mark.parametrize(
    ("told", "name", "content"),
    [
        ({"name": "../../etc", "kind": "picture"}, "a.png", b"x"),
        ({"name": "x", "kind": "music21:bach"}, "a.png", b"x"),
        ({"kind": "picture"}, "a.png", b"x"),
        ({"name": "x", "kind": "picture"}, None, b""),
    ],
)
def test_what_is_no_collection_is_refused_at_once(ada, told, name, content):
    files = {"files": (name, content)} if name else {"other": ("", b"")}
    assert ada.client.post("/api/collections", data=told, files=files).status_code == 400


@pytest.mark.parametrize("kind", ["picture", "tune"])
def test_bombs_and_broken_archives_are_refused_by_their_list(ada, kind):
    broken = _archive(_pictures(1))[:-40]
    many = _archive([(f"{number}.png", b"") for number in range(20_001)])
    for content, why in ((broken, "damaged"), (many, "20,001 files"), (b"PK", "damaged")):
        asked = ada.client.post(
            "/api/collections", data={"name": "x", "kind": kind}, files={"files": ("a.zip", content)}
        )
        job = ada.wait(asked.json()["id"])
        assert job["state"] == "failed"
        assert why in job["outcome"]["error"]["message"]
    assert "x" not in [each["name"] for each in ada.client.get("/api/collections").json()["collections"]]
