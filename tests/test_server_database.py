"""SQLite and PostgreSQL hold the same: one scenario over both, and a real server over the latter."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from castalia.core.errors import StorageError
from castalia.server.store import Quota, Store, Token
from servers import Person, Served, tile

PORT = 5433


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that ends with the module."""
    found = [shutil.which("pg_ctl"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")))]
    control = next((Path(each).resolve() for each in found if each), None)
    user = next((each.pw_name for each in pwd.getpwall() if each.pw_name == "postgres"), None)
    if control is None or (os.getuid() == 0 and user is None):
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        if os.getuid() == 0:  # it refuses to run as root
            shutil.chown(at, user)

        def run(*command: str) -> None:
            subprocess.run(
                command, check=True, capture_output=True, cwd=at, user=user if os.getuid() == 0 else None, timeout=60
            )

        run(str(control.with_name("initdb")), "-D", f"{at}/data", "-A", "trust", "-U", "castalia", "-E", "UTF8")
        options = f"-p {PORT} -k {at} -c listen_addresses=127.0.0.1 -c fsync=off"
        run(str(control), "-D", f"{at}/data", "-w", "-l", f"{at}/log", "-o", options, "start")
        try:
            with psycopg.connect(f"host=127.0.0.1 port={PORT} user=castalia dbname=postgres", autocommit=True) as made:
                made.execute("CREATE DATABASE studio")
                made.execute("CREATE DATABASE tables")
            yield f"postgresql://castalia@127.0.0.1:{PORT}"
        finally:
            run(str(control), "-D", f"{at}/data", "-m", "immediate", "stop")


def story(at: Path | str) -> list[object]:
    """What a server asks of its tables, and what it is answered, without the times."""
    store, told = Store(at), list[object]()

    def say(*what: object) -> None:
        told.extend(what)

    ada = store.add_account("a", "Ada", None)
    assert ada is not None
    say(ada.id, ada.admin, store.account("aDA"), store.account("é"), store.add_account("b", "Bo", b"no invitation"))
    for digest, name in ((b"x", "ADA"), (b"y", "Bo")):
        store.invite(digest, 100)
        say(bool(store.add_account(name, name, digest)))
    store.add_token(Token("t", "a", "key", "mine", b"\0sealed", ("read", "write"), 1.0, None, None), b"\xff digest")
    way = store.find_token(b"\xff digest")
    say(way and way[0].sealed, way and way[0].scopes, store.find_token(b"other"))
    store.touch_token("t")
    for account, kind, live in (("a", "haiku", False), ("a", "story", False), ("Bo", "haiku", True)):
        store.add_job(f"{account}-{kind}", account, kind, b"asked", live=live)
    say(store.take_job(["a", "Bo"], within=5.0), store.waiting(), store.waiting("a"))
    order = []
    while (job := store.take_job(["a", "Bo"])) is not None:
        order.append(job.id)
        say(
            store.end_job(job.id, "done" if job.kind == "haiku" else "refused", b"outcome"),
            store.end_job(job.id, "done", b""),
        )
    say(order, store.counts(), [(each.id, each.asked, each.outcome) for each in store.jobs("a", limit=9, offset=0)])
    say(store.repeat_job("a-story"), store.repeat_job("a-haiku"), store.cancel_waiting("a-story"))
    store.add_job("again", "a", "haiku", b"asked", live=False)
    quick = store.take_job(["a"], within=5.0)
    store.return_job("again")
    say(quick and quick.id, (store.usual_seconds("haiku") or 9) < 5, store.usual_seconds("none"))
    for name in ("Ada", "Bo"):
        store.note("login failed", detail=name, address="192.0.2.1")
    say(store.failures(0, name="Ada", address="192.0.2.1"), len(store.noted(limit=10)))
    store.limit_account("Bo", Quota(5, 3_000_000_000, 2))
    say(
        store.account("bo"), [store.begin_job("Bo", 1, most) for most in (2, 2, 2, None, 0)], store.jobs_of_day("Bo", 1)
    )
    say(store.begin_job("Bo", 2, 0), store.jobs_of_day("Bo", 2), store.job_bytes("a"), store.job_bytes("Bo"))
    store.enable_account("Bo", enabled=False)
    store.remove_account("a")
    say([(each.name, each.enabled) for each in store.accounts()], store.counts(), store.tokens("a", "key"))
    store.close()
    again = Store(at)
    say(len(again.accounts()))
    again.close()
    return told


def test_both_answer_the_same(tmp_path: Path, postgres: str) -> None:
    file, server = story(tmp_path / "server.db"), story(f"{postgres}/tables")
    without = [[each if not hasattr(each, "created") else each.id for each in told] for told in (file, server)]
    assert without[0] == without[1]
    assert "a" in without[0]


def test_a_second_server_is_kept_off(postgres: str) -> None:
    first = Store(f"{postgres}/tables")
    with pytest.raises(StorageError, match="Another server"):
        Store(f"{postgres}/tables")
    first.close()
    Store(f"{postgres}/tables").close()


def test_without_one_to_talk_to_the_reason_is_said_without_the_password() -> None:
    with pytest.raises(StorageError) as error:
        Store("postgresql://ada:secret-word@127.0.0.1:9/none")
    assert "secret-word" not in str(error.value)
    assert "127.0.0.1" in str(error.value)


def test_a_server_over_postgresql_loses_nothing_when_it_is_killed(tmp_path: Path, postgres: str) -> None:
    served = Served(tmp_path / "server", environment={"CASTALIA_DATABASE": f"{postgres}/studio"}).start()
    ada = served.sign_up("Ada")
    key = ada.key()
    asked = {"genre": "pattern", "fields": {"picture": tile()}, "seed": 1, "n": 2}
    jobs = [ada.client.post("/api/works", json={**asked, "seed": each}).json()["id"] for each in range(3)]
    served.kill()
    served.start()
    ada = Person("Ada", served.client(Authorization=f"Bearer {key}"), {})
    assert [ada.wait(each)["state"] for each in jobs] == ["done"] * 3
    assert ada.client.get("/api/works").json()["total"] == 6
    assert not (served.data / "server.db").exists()
    served.stop()
