"""What an account may have, and how often it may ask. Against a real process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from castalia.server.errors import Refusal
from castalia.server.quotas import Rates
from servers import PASSWORD, Person, Served, tile


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("served") / "server").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ada(served: Served) -> Person:
    return served.sign_up("Ada")


@pytest.fixture
def bo(served: Served, ada: Person, request: pytest.FixtureRequest) -> Person:
    invitation = ada.client.post("/api/invitations").json()["invitation"]
    return served.sign_up(request.node.name[:60], invitation)


def limit(ada: Person, who: Person, **quota: int) -> dict[str, object]:
    answer = ada.client.patch(f"/api/accounts/{who.told['account']['id']}", json={"quota": quota})
    assert answer.status_code == 200, answer.text
    return answer.json()


WISH = {"genre": "pattern", "fields": {"picture": tile()}, "seed": 1}


def test_works_are_limited_and_one_that_is_deleted_makes_room(ada, bo):
    assert limit(ada, bo, works=2)["quota"] == {"works": 2, "bytes": None, "jobs_a_day": None}
    assert bo.client.post("/api/works", json={**WISH, "n": 3}).status_code == 507
    works = [bo.make(**{**WISH, "seed": each})["works"][0] for each in (1, 2)]
    full = bo.client.post("/api/works", json=WISH)
    assert full.status_code == 507
    assert "2 works" in full.json()["error"]["message"]
    assert "administrator" in full.json()["error"]["hint"]
    assert bo.client.get("/api/quota").json()["works"] == {"used": 2, "most": 2}
    remade = bo.wait(bo.client.post(f"/api/works/{works[0]}/remake").json()["id"])
    assert remade["state"] == "done", "what keeps nothing needs no room"
    bo.client.delete(f"/api/works/{works[0]}")
    assert bo.make(**WISH)["state"] == "done"
    limit(ada, bo)
    assert bo.make(**WISH)["state"] == "done"


def test_jobs_that_wait_together_do_not_pass_the_limit(ada, bo):
    limit(ada, bo, works=3)
    jobs = [bo.client.post("/api/works", json={**WISH, "n": 2}).json()["id"] for _ in range(6)]
    states = [bo.wait(each)["state"] for each in jobs]
    assert states.count("failed") >= 4
    assert bo.client.get("/api/works").json()["total"] <= 4, "two may run at the same moment"


def test_bytes_are_limited(ada, bo):
    assert bo.make(**WISH)["state"] == "done"
    used = bo.client.get("/api/quota").json()["bytes"]["used"]
    assert used > 10_000
    assert {each["bytes"] for each in ada.client.get("/api/accounts").json() if each["name"] == bo.name} == {used}
    limit(ada, bo, bytes=used)
    assert bo.client.post("/api/works", json=WISH).status_code == 507
    limit(ada, bo, bytes=used + 10_000_000)
    assert bo.client.post("/api/works", json=WISH).status_code == 202


def test_jobs_a_day_are_limited_and_say_when_to_come_back(ada, bo):
    limit(ada, bo, jobs_a_day=2)
    for _ in range(2):
        assert bo.make(**WISH)["state"] == "done"
    late = bo.client.post("/api/works", json=WISH)
    assert late.status_code == 429
    assert late.json()["error"]["code"] == "quota_jobs"
    assert 0 < int(late.headers["Retry-After"]) <= 86_400
    assert bo.client.get("/api/quota").json()["jobs_a_day"] == {"used": 2, "most": 2}
    limit(ada, bo, jobs_a_day=0)
    assert bo.client.post("/api/works", json=WISH).status_code == 429


def test_a_retry_is_a_job_too(ada, bo):
    limit(ada, bo, jobs_a_day=2)
    job = bo.make("pattern", fields={"picture": {"name": "x.png", "base64": ""}})
    assert job["state"] == "failed"
    assert bo.client.post(f"/api/jobs/{job['id']}/retry").status_code == 202
    bo.wait(job["id"])
    assert bo.client.post(f"/api/jobs/{job['id']}/retry").status_code == 429


def test_only_the_administrator_sets_limits(ada, bo):
    path = f"/api/accounts/{bo.told['account']['id']}"
    assert bo.client.patch(path, json={"quota": {}}).status_code == 403
    for wrong in ({"works": -1}, {"works": 2**53}, {"works": "many"}, {"disk": 1}, {"bytes": 1e400}, []):
        assert ada.client.patch(path, content=json.dumps({"quota": wrong})).status_code == 400, wrong
    assert limit(ada, ada, works=10_000)["quota"]["works"] == 10_000
    assert "quota changed" in [each["event"] for each in ada.client.get("/api/audit").json()]


def test_who_asks_too_often_is_told_to_wait_and_others_are_not(tmp_path):
    served = Served(tmp_path / "server", ("--requests", "60")).start()
    ada = served.sign_up("Ada")
    key = ada.key()
    bo = served.sign_up("Bo", ada.client.post("/api/invitations").json()["invitation"])
    busy = served.client(Authorization=f"Bearer {key}")
    answers = [busy.get("/api/session") for _ in range(70)]
    late = next(each for each in answers if each.status_code == 429)
    assert late.json()["error"]["code"] == "too_many_requests"
    assert int(late.headers["Retry-After"]) >= 1
    assert ada.client.get("/api/session").status_code == 429, "all ways in of an account count together"
    assert bo.client.get("/api/session").status_code == 200
    stranger = served.client()
    assert {stranger.get("/healthz").status_code for _ in range(20)} == {200, 429}
    assert bo.client.get("/api/works").status_code == 200
    assert stranger.post("/api/session", json={"name": "Ada", "password": PASSWORD}).status_code == 429
    served.stop()


def test_requests_are_let_in_again_evenly():
    now = 0.0
    rates = Rates(lambda: now)

    def let_in(who: str) -> bool:
        with suppress(Refusal):
            rates.check(who, 6)
            return True
        return False

    assert [let_in("a") for _ in range(8)] == [True] * 6 + [False] * 2
    with pytest.raises(Refusal) as late:
        rates.check("a", 6)
    assert late.value.retry_after == pytest.approx(10)
    assert let_in("b")
    now = 9.0
    assert not let_in("a")
    now = 10.0
    assert [let_in("a"), let_in("a")] == [True, False]
    now = 1000.0
    assert [let_in("a") for _ in range(8)] == [True] * 6 + [False] * 2
    rates.check("a", 0)
    for each in range(20_000):
        rates.check(str(each), 6)
    assert len(rates._left) <= 10_000
