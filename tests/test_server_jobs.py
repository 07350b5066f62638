"""The queue: fair, and not to be lost; the server's process is killed for it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid

import pytest

from castalia.privacy import Vault
from castalia.server.accounts import Accounts
from castalia.server.errors import Refusal
from castalia.server.jobs import Jobs
from castalia.server.settings import ServerSettings
from castalia.server.store import Store
from servers import PASSWORD, Person, Served, tile


def test_killed_at_any_moment_it_loses_no_job_and_makes_none_twice(tmp_path):
    served = Served(tmp_path / "server").start()
    ada = served.sign_up("Ada")
    key = ada.key()
    asked = [{"genre": "pattern", "fields": {"picture": tile()}, "seed": each, "n": 2} for each in range(5)]
    jobs = [ada.client.post("/api/works", json=each).json()["id"] for each in asked]
    total, kills = 0, 0
    while kills < 3 and total < 10:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and total <= kills * 3:
            total = ada.client.get("/api/works").json()["total"]
            time.sleep(0.02)
        served.kill()
        kills += 1
        served.start()
        ada = Person("Ada", served.client(Authorization=f"Bearer {key}"), {})
        if kills == 1:
            stored = Store(served.data / "server.db")
            assert stored.waiting() > 0
            stored.close()
            time.sleep(0.5)  # nobody was here since the start, so nothing can be opened and nothing is made
    made = [ada.wait(each) for each in jobs]
    assert kills >= 1
    assert [each["state"] for each in made] == ["done"] * 5
    works = [work for each in made for work in each["works"]]
    assert len(set(works)) == 10
    assert ada.client.get("/api/works", params={"limit": 200}).json()["total"] == 10
    served.stop()


def test_stopped_it_gives_back_what_it_was_making(tmp_path):
    served = Served(tmp_path / "server").start()
    ada = served.sign_up("Ada")
    jobs = [ada.client.post("/api/works", json={"genre": "chorale", "seed": each}).json()["id"] for each in range(3)]
    served.stop()
    assert served.process.returncode in (0, -15)
    served.start()
    ada = served.log_in("Ada")
    assert [ada.wait(each)["state"] for each in jobs] == ["done"] * 3
    assert ada.client.get("/api/works").json()["total"] == 3
    second = [sys.executable, "-m", "castalia", "--lang", "en", "serve", "--port", "0", "--data", str(served.data)]
    refused = subprocess.run(second, check=False, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 4
    assert "Another server" in refused.stderr
    served.stop()


def test_a_job_waits_for_its_owner_after_a_start(tmp_path):
    served = Served(tmp_path / "server").start()
    ada = served.sign_up("Ada")
    bo = served.sign_up("Bo", ada.client.post("/api/invitations").json()["invitation"])
    served.stop()
    store = Store(served.data / "server.db")
    vault = Vault.open(served.data / "accounts" / bo.told["account"]["id"], PASSWORD)
    id_ = str(uuid.uuid4())
    wish = {"do": "create", "genre": "chorale", "words": "", "fields": {}, "n": 1, "seed": 1, "lang": "en"}
    sealed = vault.seal(json.dumps(wish).encode(), f"job/{id_}/asked")
    store.add_job(id_, bo.told["account"]["id"], "chorale", sealed, live=False)
    live = str(uuid.uuid4())
    store.add_job(live, bo.told["account"]["id"], "reply", sealed, live=True)
    store.close()
    served.start()
    served.log_in("Ada")
    time.sleep(1)
    store = Store(served.data / "server.db")
    assert store.job(id_).state == "waiting"
    assert store.job(live).state == "cancelled"
    bo = served.log_in("Bo")
    assert bo.wait(id_)["state"] == "done"
    store.close()
    served.stop()


def test_what_is_over_at_once_does_not_wait_behind_what_takes_long(tmp_path):
    served = Served(tmp_path / "server", ("--workers", "1")).start()
    ada = served.sign_up("Ada")
    pattern = {"genre": "pattern", "fields": {"picture": tile()}, "seed": 1}
    ada.wait(ada.client.post("/api/works", json=pattern).json()["id"])  # from now on it is known to be quick
    long = [
        ada.client.post("/api/works", json={"genre": "chorale", "seed": each, "n": 8}).json()["id"] for each in (1, 2)
    ]
    quick = ada.wait(ada.client.post("/api/works", json={**pattern, "seed": 2}).json()["id"])
    states = [ada.client.get(f"/api/jobs/{each}").json()["state"] for each in long]
    assert quick["state"] == "done"
    assert "waiting" in states, states
    for each in long:
        ada.client.post(f"/api/jobs/{each}/cancel")
    served.stop()


@pytest.fixture
def queue(tmp_path):
    store = Store(tmp_path / "server.db")
    accounts = Accounts(store, tmp_path / "accounts")
    jobs = Jobs(store, accounts, ServerSettings(data=tmp_path, most_waiting=6, most_waiting_each=4))
    first, _ = accounts.sign_up("Ada", PASSWORD, "", "")
    ada = accounts.caller(first.token)
    second, _ = accounts.sign_up("Bo", PASSWORD, accounts.invite(ada, ""), "")
    yield jobs, ada, accounts.caller(second.token)
    store.close()


def test_the_queue_is_fair_and_goes_by_who_was_served_longest_ago(queue):
    jobs, ada, bo = queue
    asked = [(ada, "a1"), (ada, "a2"), (ada, "a3"), (bo, "b1"), (bo, "b2")]
    for who, kind in asked:
        jobs.submit(who, kind, {})
    order = []
    while taken := jobs.take(0):
        order.append(taken.job.kind)
        jobs.end(taken, "done", {})
    assert order == ["a1", "b1", "a2", "b2", "a3"]


def test_who_waits_on_a_connection_goes_before_their_own_other_jobs(queue):
    jobs, ada, _ = queue
    jobs.submit(ada, "later", {})
    jobs.submit(ada, "now", {}, live=True)
    assert jobs.take(0).job.kind == "now"


def test_a_full_queue_says_when_to_come_back(queue):
    jobs, ada, bo = queue
    for _ in range(4):
        jobs.submit(ada, "haiku", {})
    with pytest.raises(Refusal) as mine:
        jobs.submit(ada, "haiku", {})
    assert (mine.value.status, mine.value.code) == (429, "too_many_jobs")
    jobs.submit(bo, "haiku", {})
    jobs.submit(bo, "haiku", {})
    with pytest.raises(Refusal) as ours:
        jobs.submit(bo, "haiku", {})
    assert (ours.value.status, ours.value.response().headers["retry-after"]) == (503, "10")


def test_a_job_with_which_the_server_goes_down_is_given_up(queue, tmp_path):
    jobs, ada, _ = queue
    job, _ = jobs.submit(ada, "haiku", {})
    for _ in range(3):
        assert jobs.take(0).job.id == job.id
        jobs._store.restart_jobs()
    assert jobs.take(0) is None
    assert jobs.seen(jobs.find(ada, job.id), ada)["state"] == "failed"


def test_a_worker_for_quick_jobs_takes_only_kinds_that_were_quick(queue):
    jobs, ada, _ = queue
    first, _ = jobs.submit(ada, "haiku", {})
    assert jobs.take(0, within=5.0) is None, "nobody knows yet how long it takes"
    jobs.end(jobs.take(0), "done", {})
    second, _ = jobs.submit(ada, "haiku", {})
    jobs.submit(ada, "story", {})
    assert jobs.take(0, within=5.0).job.id == second.id
    assert jobs.take(0, within=5.0) is None
    assert jobs.take(0).job.kind == "story"
    assert first.id != second.id
