"""Backup and restore: everything comes back, while others write; what is damaged or hostile changes nothing."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from PIL import Image

from castalia.backup import MANIFEST, backup, restore
from castalia.core.errors import StorageError, UsageError
from castalia.given import Upload
from castalia.studio import Studio
from servers import PASSWORD, Person, Served, tile

KEY = bytes(range(32)).hex()


def castalia(*arguments: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "castalia", "--lang", "en", *map(str, arguments)]
    run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert run.returncode == code, run.stderr
    return run.stdout + run.stderr


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small folder: a database, a key, a file below."""
    folder = tmp_path / "data"
    (folder / "vault").mkdir(parents=True)
    (folder / "vault" / "ring.json").write_text("{}")
    (folder / "vault" / ".lock").touch()
    (folder / "名.txt").write_text("content")
    database = apsw.Connection(str(folder / "library.db"))
    database.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    database.close()
    return folder


def picture(folder: Path) -> str:
    path = folder / "leaf.png"
    path.write_bytes(base64.b64decode(tile()["base64"]))
    return str(path)


def nothing_is_left(tmp_path: Path, *but: str) -> bool:
    return {each.name for each in tmp_path.iterdir()} == {*but}


def test_a_person_s_works_come_back_and_verify(home: Path, tmp_path: Path):
    studio = Studio()
    work = studio.create("pattern", picture=picture(tmp_path), seed=4)
    path = studio.export(work, tmp_path / "tile.png")
    studio.library.rate(work.id, 5)
    studio.close()
    said = castalia("backup", tmp_path / "all.zip")
    assert "no password" in said
    assert (tmp_path / "all.zip").stat().st_mode & 0o077 == 0
    shutil.rmtree(home / "data")
    castalia("restore", tmp_path / "all.zip")
    again = Studio()
    kept = again.library.get(work.id)
    assert (kept.text, kept.rating, kept.content) == (work.text, 5, work.content)
    report = again.verify(Upload(path.name, path.read_bytes()))
    assert report.ok
    assert report.work == work.id
    assert again.remake(work.id)[1] == ()
    assert again.keys.anchors() == studio.keys.anchors()
    again.close()
    for each in (home / "data").rglob("*"):
        assert each.stat().st_mode & 0o077 == 0 or each.name.endswith((".lock", ".db")), each


def test_with_a_password_the_archive_opens_nothing(home: Path, tmp_path: Path):
    studio = Studio()
    work = studio.create("pattern", "a fence of quiet herons", picture=picture(tmp_path), seed=1)
    studio.vault.set_password(PASSWORD)
    studio.close()
    assert "no password" not in castalia("backup", tmp_path / "all.zip")
    content = (tmp_path / "all.zip").read_bytes()
    assert b"heron" not in content
    assert work.id.encode() not in content
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert "vault/key" not in packed.namelist()


def test_a_server_is_backed_up_while_it_works_and_comes_back_whole(tmp_path: Path):
    served = Served(tmp_path / "server").start()
    ada = served.sign_up("Ada")
    bo = served.sign_up("Bo", ada.client.post("/api/invitations").json()["invitation"])
    work = bo.make("pattern", fields={"picture": tile()}, seed=5)["works"][0]
    file = bo.client.get(f"/api/works/{work}/files/png").content
    key = bo.key()
    asked = [{"genre": "pattern", "fields": {"picture": tile()}, "seed": each} for each in range(3)]
    jobs = [ada.client.post("/api/works", json=each).json()["id"] for each in asked]
    assert "files" in castalia("backup", tmp_path / "all.zip", "--data", served.data)
    assert "Stop it first" in castalia("restore", tmp_path / "all.zip", "--data", served.data, "--replace", code=4)
    served.kill()
    shutil.rmtree(served.data)
    castalia("restore", tmp_path / "all.zip", "--data", served.data)
    served.start()
    bo = Person("Bo", served.client(Authorization=f"Bearer {key}"), {})
    assert bo.client.get(f"/api/works/{work}").status_code == 200
    report = bo.client.post("/api/verify", files={"file": ("a.png", file)}).json()
    assert report["ok"]
    assert report["work"] == work
    Image.open(io.BytesIO(bo.client.get(f"/api/works/{work}/files/png").content)).load()
    ada = served.log_in("Ada")
    assert [ada.wait(each)["state"] for each in jobs] == ["done"] * 3
    assert ada.client.get("/api/works").json()["total"] == 3
    assert served.log_in("Bo").client.get("/api/works").json()["total"] == 1
    served.stop()


def opened(path: Path, *, encrypted: bool) -> apsw.Connection:
    database = apsw.Connection(str(path))
    if encrypted:
        database.pragma("cipher", "chacha20")
        database.pragma("hexkey", KEY)
    database.set_busy_timeout(10_000)
    database.pragma("journal_mode", "wal")
    return database


@pytest.mark.parametrize("encrypted", [True, False])
def test_what_was_committed_before_is_in_it_and_nothing_by_halves(encrypted: bool, tmp_path: Path):
    """Cells all over the file and their sum change together; the log is begun anew every few transactions."""
    folder, cells = tmp_path / "data", 2_000
    folder.mkdir()
    database = opened(folder / "server.db", encrypted=encrypted)
    database.execute("CREATE TABLE cells (id INTEGER PRIMARY KEY, n, filler); CREATE TABLE sums (total)")
    with database:
        database.execute("INSERT INTO sums VALUES (0)")
        database.executemany("INSERT INTO cells VALUES (?, 0, randomblob(3000))", [(each,) for each in range(cells)])
    database.close()
    committed, stopped = 0, threading.Event()

    def write() -> None:
        nonlocal committed
        while not stopped.is_set():
            database = opened(folder / "server.db", encrypted=encrypted)
            database.pragma("wal_autocheckpoint", 8)
            database.pragma("synchronous", "off")  # faster: the disk's part is not what is tried here
            for _ in range(200):
                with database:
                    for each in range(7):
                        place = (committed * 7 + each) * 389 % cells
                        database.execute("UPDATE cells SET n = n + 1 WHERE id = ?", (place,))
                    database.execute("UPDATE sums SET total = total + 7")
                committed += 1
                if committed % 50 == 0:
                    time.sleep(0.05)  # else nobody could read six megabytes between two beginnings of the log
            database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        grown: list[int] = []
        for number in range(8):
            before = committed
            backup(folder, tmp_path / f"{number}.zip")
            restore(tmp_path / f"{number}.zip", tmp_path / f"restored-{number}")
            copy = opened(tmp_path / f"restored-{number}" / "server.db", encrypted=encrypted)
            assert copy.pragma("integrity_check") == "ok"
            ((total, held),) = copy.execute("SELECT total, (SELECT sum(n) FROM cells) FROM sums")
            assert total == held
            assert total >= 7 * before
            copy.close()
            grown.append(total)
    finally:
        stopped.set()
        writer.join()
    assert grown[-1] > grown[0], "nobody wrote meanwhile"


def test_passing_files_are_left_out_and_names_of_all_kinds_come_back(data: Path, tmp_path: Path):
    told = backup(data, tmp_path / "all.zip")
    assert told.files == 3
    again, aside = restore(tmp_path / "all.zip", tmp_path / "new" / "data")
    assert aside is None
    assert again.made == told.made
    assert sorted(each.name for each in (tmp_path / "new" / "data").rglob("*") if each.is_file()) == [
        "library.db",
        "ring.json",
        "名.txt",
    ]
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        assert json.loads(packed.read(MANIFEST))["schemas"].keys() == {"library", "server"}


def test_nothing_is_overwritten_unasked(data: Path, tmp_path: Path):
    archive = tmp_path / "all.zip"
    backup(data, archive)
    with pytest.raises(UsageError, match="exists"):
        backup(data, archive)
    with pytest.raises(UsageError, match="would lie"):
        backup(data, data / "all.zip")
    with pytest.raises(UsageError, match="holds something"):
        restore(archive, data)
    (data / "名.txt").write_text("newer")
    told, aside = restore(archive, data, replace=True)
    assert (data / "名.txt").read_text() == "content"
    assert (aside / "名.txt").read_text() == "newer"
    assert nothing_is_left(tmp_path, "all.zip", "data", aside.name)
    assert told.files == 3


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_what_root_restores_belongs_to_whose_the_folder_is(data: Path, tmp_path: Path):
    backup(data, tmp_path / "all.zip")
    os.chown(data, 12_345, 12_346)
    restore(tmp_path / "all.zip", data, replace=True)
    assert {(each.stat().st_uid, each.stat().st_gid) for each in (data, *data.rglob("*"))} == {(12_345, 12_346)}


def test_a_link_is_said_and_not_left_out(data: Path, tmp_path: Path):
    (data / "elsewhere").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="link"):
        backup(data, tmp_path / "all.zip")
    assert nothing_is_left(tmp_path, "data")


def changed(archive: Path, change: Callable[[dict[str, bytes], dict[str, zipfile.ZipInfo]], object]) -> None:
    """Write an archive again with other entries."""
    with zipfile.ZipFile(archive) as packed:
        entries = {each.filename: packed.read(each) for each in packed.infolist()}
    infos = {name: zipfile.ZipInfo(name) for name in entries}
    change(entries, infos)
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in entries.items():
            packed.writestr(infos.get(name, zipfile.ZipInfo(name)), content)


def renamed(name: str) -> Callable[[dict[str, bytes], dict[str, zipfile.ZipInfo]], object]:
    def change(entries: dict[str, bytes], _: object) -> None:
        manifest = json.loads(entries.pop(MANIFEST))
        manifest["files"][name] = manifest["files"].pop("名.txt")
        entries[name] = entries.pop("名.txt")
        entries[MANIFEST] = json.dumps(manifest).encode()

    return change


def linked(_: object, infos: dict[str, zipfile.ZipInfo]) -> None:
    infos["名.txt"].external_attr = (stat.S_IFLNK | 0o777) << 16


def packed_small(entries: dict[str, bytes], infos: dict[str, zipfile.ZipInfo]) -> None:
    manifest = json.loads(entries[MANIFEST])
    entries["名.txt"] = bytes(10_000_000)
    manifest["files"]["名.txt"]["bytes"] = 10_000_000
    entries[MANIFEST] = json.dumps(manifest).encode()
    infos["名.txt"].compress_type = zipfile.ZIP_DEFLATED


def of_a_newer_version(entries: dict[str, bytes], _: object) -> None:
    entries[MANIFEST] = json.dumps(json.loads(entries[MANIFEST]) | {"schemas": {"library": 999}}).encode()


def other_digest(entries: dict[str, bytes], _: object) -> None:
    entries["名.txt"] = b"CONTENT"


HOSTILE = {
    "a path upwards": renamed("../名.txt"),
    "a path upwards below": renamed("vault/../../名.txt"),
    "an absolute path": renamed("/tmp/名.txt"),
    "a drive": renamed("C:/名.txt"),
    "a backslash": renamed("..\\名.txt"),
    "an empty part": renamed("vault//名.txt"),
    "a dot": renamed("./名.txt"),
    "a control character": renamed("a\nb"),
    "a file that is a folder too": renamed("library.db/名.txt"),
    "a link": linked,
    "a bomb": packed_small,
    "a newer version": of_a_newer_version,
    "another digest": other_digest,
    "a file more": lambda entries, _: entries.update({"more.txt": b"x"}),
    "a file less": lambda entries, _: entries.pop("名.txt"),
    "no manifest": lambda entries, _: entries.pop(MANIFEST),
    "no JSON": lambda entries, _: entries.update({MANIFEST: b"{"}),
    "endless numbers": lambda entries, _: entries.update({MANIFEST: b"9" * 100_000}),
    "depth": lambda entries, _: entries.update({MANIFEST: b"[" * 1_000_000}),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_what_is_hostile_changes_nothing(how: str, data: Path, tmp_path: Path):
    archive = tmp_path / "all.zip"
    backup(data, archive)
    changed(archive, HOSTILE[how])
    (data / "名.txt").write_text("mine")
    with pytest.raises((UsageError, StorageError)):
        restore(archive, data, replace=True)
    assert (data / "名.txt").read_text() == "mine"
    assert nothing_is_left(tmp_path, "all.zip", "data")


def test_any_flipped_byte_is_seen(data: Path, tmp_path: Path):
    backup(data, tmp_path / "all.zip")
    whole = (tmp_path / "all.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        begins = [
            (each.header_offset + 30 + len(each.filename.encode()) + 20, each.file_size) for each in packed.infolist()
        ]
    for begin, size in begins[:-1]:
        for place in {begin, begin + size // 2, begin + size - 1}:
            (tmp_path / "bad.zip").write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
            with pytest.raises(UsageError, match="damaged"):
                restore(tmp_path / "bad.zip", tmp_path / "new")
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "bad.zip").write_bytes(whole[:cut])
        with pytest.raises(UsageError):
            restore(tmp_path / "bad.zip", tmp_path / "new")
    assert nothing_is_left(tmp_path, "all.zip", "bad.zip", "data")
