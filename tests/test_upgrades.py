"""Databases of every earlier schema, opened by today's code: what they held is there.

`tests/files/library_*.json` are rows that the code of those days wrote: two poems, one made from the other, rated; from
the second on a picture, whose bytes stood in its row until the third, and a marked file that left.
"""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import apsw
import pytest

from castalia.core.config import Config
from castalia.library import Library
from castalia.provenance import Keys, mark
from castalia.server.accounts import Accounts
from castalia.server.store import Store
from servers import PASSWORD
from test_provenance_mark import JUEJU, judged
from test_provenance_mark import Store as Secrets

KEY = bytes(range(32))
RELEASED = {
    "library/0001_works.sql": "c263f89fe7331ca7f5922e0fabed0ed8f13c5baa741857b5446f0f6256c7a0ea",
    "library/0002_files.sql": "48d2285b587994becc61cea147a1ef2e42e953088a23e57baa929ec1801feb28",
    "library/0003_pictures.sql": "ca1e93e82b8958ba9743f58dc15789b39345551102f978cb1f9fd1772a2fa0a2",
    "library/0004_boards.sql": "10426588b774f994b2263a738fff79ff5ae18f9a78b2ad395c17ee89f6270e2e",
    "server/0001_server.sql": "d824f608781bd6728a45ffb15505ea777f1d20cc124a1efcce43992033427a1b",
    "server/0002_lanes.sql": "3aa692d4a589fdab48d5d521a951d073638a91c9aa6d55bb68ea872db6097971",
    "server/0003_quotas.sql": "462c789e1304645b7477a2bc1bbda2623476f7e534e4d6434c011d364c2e6e4b",
}
"""SHA-256 of the steps that databases out there have behind them."""


def steps(room: str) -> Sequence[Traversable]:
    found = (each for each in (files("castalia") / room / "migrations").iterdir() if each.name.endswith(".sql"))
    return sorted(found, key=lambda each: each.name)


def begun(path: Path, room: str, version: int, key: bytes = b"") -> apsw.Connection:
    """An empty database as it was when that step was the newest."""
    path.parent.mkdir(exist_ok=True)
    old = apsw.Connection(str(path))
    if key:
        old.pragma("cipher", "chacha20")
        old.pragma("hexkey", key.hex())
    old.pragma("journal_mode", "wal")
    for step in steps(room)[:version]:
        old.execute(step.read_text())
    old.execute(f"PRAGMA user_version = {version}")
    return old


def value(held: object) -> object:
    return bytes.fromhex(held["hex"]) if isinstance(held, dict) else held


@pytest.mark.parametrize("name", RELEASED)
def test_a_step_that_was_released_stays_as_it_is(name):
    room, _, step = name.partition("/")
    content = (files("castalia") / room / "migrations" / step).read_bytes()
    assert hashlib.sha256(content).hexdigest() == RELEASED[name]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_library_of_then_opens_with_all_that_it_held(version, tmp_path):
    held = json.loads((Path(__file__).parent / "files" / f"library_{version}.json").read_text())
    old = begun(tmp_path / "library.db", "library", version, KEY)
    for table, rows in held.items():
        for row in rows:
            old.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", [value(each) for each in row])
    old.close()

    library = Library(tmp_path / "library.db", KEY)
    works = {row[0]: row for row in held["works"]}
    assert {work.id for work in library.list()} == {*works}
    for id_, row in works.items():
        work = library.get(id_)
        assert work.text == json.loads(row[8])["text"]
        assert work.record.model_dump(mode="json").items() >= json.loads(row[11]).items()
        assert work.rating == row[6]
        assert library.find_by_fingerprint(work.record.text_sha256).id == id_ or not work.record.text_sha256
    (child, parent) = held["lineage"][0]
    assert library.parents(child) == [parent]
    assert [each.id for each in library.search("harbour")] == [parent]
    assert library.setting("theme") == "dark"
    if version > 1:
        (picture,) = (library.get(id_).content.picture for id_ in works if library.get(id_).content.picture)
        assert picture.pixels.shape == (160, 160, 3)
        assert tuple(picture.pixels[10, 20]) == (60, 20, 30)
        assert library.find_file(sha256=held["files"][0][0]).name == "umbrella.txt"
    keys = Keys(Secrets(), tmp_path / "certificates")
    new = library.keep(mark(judged(JUEJU, language="zh"), keys=keys, config=Config(), faces=("txt",)))
    library.delete(parent)
    assert library.count() == len(works)
    assert library.get(new.id).text == JUEJU
    library.close()


@pytest.mark.parametrize("version", range(1, len(steps("server"))))
def test_a_server_of_then_opens_with_all_that_it_held(version, tmp_path):
    now = Store(tmp_path / "now" / "server.db")
    accounts = Accounts(now, tmp_path / "accounts")
    entered, _ = accounts.sign_up("Ada", PASSWORD, "", "127.0.0.1")
    ada = accounts.caller(entered.token)
    key = accounts.make_key(ada, "program", ("read",), None, "")
    job = now.add_job(str(uuid.uuid4()), ada.account.id, "haiku", ada.vault.seal(b"words", "x"), live=False)
    accounts.invite(ada, "")
    now.close()

    old = begun(tmp_path / "old" / "server.db", "server", version)
    old.execute("ATTACH ? AS now", (str(tmp_path / "now" / "server.db"),))
    tables = [name for (name,) in old.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    assert {"accounts", "tokens", "jobs", "audit", "invitations"} <= {*tables}
    for table in tables:
        columns = ", ".join(row[1] for row in old.execute(f"PRAGMA main.table_info({table})"))
        old.execute(f"INSERT INTO main.{table} SELECT {columns} FROM now.{table}")
    old.close()

    store = Store(tmp_path / "old" / "server.db")
    again = Accounts(store, tmp_path / "accounts")
    assert again.caller(key.token).account.name == "Ada"
    assert again.caller(entered.token).account.admin
    assert again.caller(key.token).vault.unseal(store.job(job.id).asked, "x") == b"words"
    assert again.log_in("ada", PASSWORD, "").account.id == ada.account.id
    assert store.take_job([ada.account.id]).id == job.id
    assert {each["event"] for each in store.noted(limit=9)} >= {"account made", "key made", "login"}
    assert store.account("Ada").created == pytest.approx(time.time(), abs=60)
    store.close()
