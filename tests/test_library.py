"""The library: what is kept stays, whole or not at all, under the user's key alone; killed, crowded and damaged too."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import apsw
import pytest

from castalia.core.config import Config
from castalia.core.errors import LockedError, StorageError, UsageError
from castalia.library import Library
from castalia.library.store import Place
from castalia.privacy import Vault
from castalia.provenance import Keys, mark
from test_provenance_mark import HAIKU, JUEJU, Store, judged

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(Store(), tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def library(tmp_path: Path):
    opened = Library(tmp_path / "library.db", KEY)
    yield opened
    opened.close()


def keep(library: Library, keys: Keys, text: str = HAIKU, *, language: str = "en", **brief: object):
    draft = judged(text, language=language)
    changed = draft.draft.model_copy(update={"brief": draft.draft.brief.model_copy(update=brief)})
    return library.keep(mark(draft.model_copy(update={"draft": changed}), keys=keys, config=Config(), faces=("txt",)))


def test_a_work_comes_back_as_it_was_kept(library, keys, tmp_path):
    work = keep(library, keys, JUEJU, language="zh")
    library.close()
    again = Library(tmp_path / "library.db", KEY)
    assert again.get(work.id).model_dump(exclude={"brief": {"fields"}}) == work.model_dump(
        exclude={"brief": {"fields"}}
    )
    assert again.get(work.id[:8]).id == work.id
    assert again.find_by_fingerprint(work.record.text_sha256).id == work.id
    again.close()


def test_list_is_newest_first_and_filters(library, keys):
    first, second = keep(library, keys), keep(library, keys, JUEJU, language="zh")
    assert [work.id for work in library.list()] == [second.id, first.id]
    assert [work.id for work in library.list(language="en")] == [first.id]
    assert [work.id for work in library.list(limit=1, offset=1)] == [first.id]
    assert library.count() == 2


@pytest.mark.parametrize("query", ["月", "山月", JUEJU.splitlines()[0][:4], HAIKU.split()[0], HAIKU.split()[0].upper()])
def test_search_finds_a_single_character_and_any_case(library, keys, query):
    english, chinese = keep(library, keys), keep(library, keys, "山月照人归" + JUEJU, language="zh")
    wanted = english if query.isascii() else chinese
    assert [work.id for work in library.search(query)] == [wanted.id]


@pytest.mark.parametrize("query", ['"zq', "' OR 1=1 --", "%", "_", "NEAR(", "*", "a AND", "\\", "zq\0"])
def test_search_takes_any_text_as_text(library, keys, query):
    keep(library, keys)
    assert library.search(query) == []


def test_ratings_are_one_to_five_and_the_last_counts(library, keys):
    work = keep(library, keys)
    library.rate(work.id, 2)
    assert library.rate(work.id, 5).rating == 5
    assert library.get(work.id).rating == 5
    for wrong in (0, 6, -1):
        with pytest.raises(UsageError):
            library.rate(work.id, wrong)


def test_deleting_leaves_lineage_and_nothing_to_find(library, keys):
    parent = keep(library, keys)
    child = keep(library, keys, JUEJU, language="zh", parents=(parent.id,))
    assert list(library.children(parent.id)) == [child.id]
    library.delete(parent.id)
    assert library.search(HAIKU.split()[0]) == []
    assert list(library.parents(child.id)) == [parent.id]
    with pytest.raises(UsageError):
        library.get(parent.id)


@pytest.mark.parametrize("asked", ["", "abc", "%%%%", "____", "ffffffff", "' OR '1'='1"])
def test_no_such_work_is_said(library, keys, asked):
    keep(library, keys)
    with pytest.raises(UsageError):
        library.get(asked)


def test_nothing_is_readable_without_the_key(library, keys, tmp_path):
    work = keep(library, keys)
    library.close()
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"SQLite format" not in content
        for secret in (work.text.split("\n")[0], work.id, work.brief.words):
            assert secret.encode() not in content
    with pytest.raises(LockedError):
        Library(tmp_path / "library.db", bytes(32))
    assert (tmp_path / "library.db").stat().st_mode & 0o077 == 0


def test_a_file_that_is_no_library_is_left_alone(tmp_path):
    path = tmp_path / "library.db"
    path.write_bytes(b"my diary, not a library\n" * 400)
    before = path.read_bytes()
    with pytest.raises(LockedError):
        Library(path, KEY)
    assert path.read_bytes() == before


def read_all(path: Path) -> None:
    broken = Library(path, KEY)
    for work in broken.list():
        broken.get(work.id)
    broken.search("a word")


def test_damage_is_said_and_not_overwritten(library, keys, tmp_path):
    for _ in range(5):
        keep(library, keys)
    library.close()
    path = tmp_path / "library.db"
    content = bytearray(path.read_bytes())
    content[8192:12288] = os.urandom(4096)
    path.write_bytes(content)
    with pytest.raises((StorageError, LockedError)):
        read_all(path)
    assert path.read_bytes()[:8192] == bytes(content)[:8192]


def test_works_are_starred_and_lie_on_boards(library, keys):
    first, second = keep(library, keys), keep(library, keys)
    assert library.place(first.id, starred=True, boards=["spring ", "  sea", "sea", ""]) == Place(
        True, ("sea", "spring")
    )
    library.place(second.id, boards=["sea"])
    assert library.place(first.id, boards=["sea"]) == Place(True, ("sea",))
    assert library.boards() == {"sea": 2}
    assert [each.id for each in library.list(starred=True)] == [first.id]
    assert {each.id for each in library.list(board="sea")} == {first.id, second.id}
    assert library.list(board="spring") == []
    assert library.place(first.id, starred=False) == Place(False, ("sea",))
    library.delete(first.id)
    assert library.boards() == {"sea": 1}
    for wrong in (["x" * 61], [str(n) for n in range(21)]):
        with pytest.raises(UsageError, match="At most 20 boards"):
            library.place(second.id, boards=wrong)
    assert library.places([second.id]) == {second.id: Place(False, ("sea",))}


def test_a_newer_schema_is_refused(library, tmp_path):
    library.close()
    database = apsw.Connection(str(tmp_path / "library.db"))
    database.pragma("cipher", "chacha20")
    database.pragma("hexkey", KEY.hex())
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StorageError, match="newer"):
        Library(tmp_path / "library.db", KEY)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_said(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match=r"[Pp]ermission"):
        Library(tmp_path / "library.db", KEY)
    tmp_path.chmod(0o700)


def test_a_full_disk_is_said_whatever_sqlite_calls_it(library, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Full())
    with pytest.raises(StorageError, match="full"), library._errors():
        raise apsw.IOError


class Full:
    free = 0


WRITER = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from castalia.core.config import Config
from castalia.library import Library
from castalia.library.store import Place
from castalia.provenance import Keys, mark
from test_provenance_mark import HAIKU, Store, judged
folder, count = Path(sys.argv[1]), int(sys.argv[2])
keys = Keys(Store(), folder / f"certificates-{{sys.argv[3]}}")
keys.make()
library = Library(folder / "library.db", bytes(range(32)))
for number in range(count):
    work = library.keep(mark(judged(HAIKU), keys=keys, config=Config(), faces=("txt",)))
    print(work.id, flush=True)
"""


def writer(folder: Path, count: int, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(count), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_killed_at_any_moment_every_finished_work_is_there_and_none_half(tmp_path):
    for wait in (0.02, 0.11, 0.23):
        process = writer(tmp_path, 10_000, "one")
        assert process.stdout
        first = process.stdout.readline()  # it has begun
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        finished = {first.strip(), *process.stdout.read().split()} - {""}
        process.stdout.close()
        process.wait()
        library = Library(tmp_path / "library.db", KEY)
        kept = library.list(limit=10_000)
        assert finished <= {work.id for work in kept}
        assert all(work.text and work.record.id == work.id for work in kept)
        assert len(library.search(HAIKU.split()[0], limit=10_000)) == len(kept)
        library.close()


def test_two_processes_write_one_library(tmp_path):
    processes = [writer(tmp_path, 20, name) for name in ("one", "two")]
    said = [set(process.communicate(timeout=120)[0].split()) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    library = Library(tmp_path / "library.db", KEY)
    assert {work.id for work in library.list(limit=100)} == said[0] | said[1]
    assert library.count() == 40
    library.close()


def test_who_has_begun_to_write_is_not_overtaken(library, keys, tmp_path):
    """Else SQLite refuses the first at its second statement, at once and whatever patience it was given."""
    work = keep(library, keys)
    other = Library(tmp_path / "library.db", KEY)
    late = threading.Thread(target=other.rate, args=(work.id, 4))
    with library._writing():
        library._database.execute("SELECT count(*) FROM works").fetchall()
        late.start()
        late.join(0.3)
        assert late.is_alive(), "it waits for its turn"
        library._database.execute("UPDATE works SET rating = 2")
    late.join(10)
    assert library.get(work.id).rating == 4
    other.close()


# ------------------------------------------------------------ the vault


def test_the_vault_opens_with_its_file_then_with_a_password_then_with_the_recovery_code(tmp_path):
    vault = Vault.open(tmp_path)
    vault.put("signing", b"secret")
    assert "key file" in vault.protection()
    code = vault.set_password("correct horse")
    assert "password" in vault.protection()
    with pytest.raises(LockedError):
        Vault.open(tmp_path)
    with pytest.raises(LockedError):
        Vault.open(tmp_path, "wrong horse")
    for way in ("correct horse", code, code.lower().replace("-", " ")):
        opened = Vault.open(tmp_path, way)
        assert opened.library_key == vault.library_key
        assert opened.get("signing") == b"secret"
        assert list(opened.names()) == ["signing"]


def test_secrets_and_their_names_are_sealed(tmp_path):
    Vault.open(tmp_path).put("endpoint-example.org", b"sk-very-secret")
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert b"very-secret" not in file.read_bytes()
            assert "example" not in file.name
            assert file.stat().st_mode & 0o077 == 0 or file.name == ".lock"


def test_a_damaged_secret_or_ring_is_said(tmp_path):
    vault = Vault.open(tmp_path)
    vault.put("one", b"secret")
    sealed = next((tmp_path / "vault" / "secrets").glob("*.sealed"))
    sealed.write_bytes(sealed.read_bytes()[:-1] + bytes([sealed.read_bytes()[-1] ^ 1]))
    with pytest.raises(StorageError, match="damaged"):
        vault.get("one")
    (tmp_path / "vault" / "ring.json").write_text("{}")
    with pytest.raises(StorageError, match="damaged"):
        Vault.open(tmp_path)


def test_who_cannot_wait_any_longer_may_try_again(library, tmp_path):
    other = Library(tmp_path / "library.db", KEY)
    other._database.set_busy_timeout(50)
    library._database.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageError, match="Another process") as busy:
        other.setting("theme", "dark")
    assert busy.value.retryable
    library._database.execute("ROLLBACK")
    assert other.setting("theme", "dark") == "dark"
    other.close()
