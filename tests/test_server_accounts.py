"""The server's door: who comes in, what is let through, what nobody can read. Against a real process."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from castalia.cli.serve import serve as command
from castalia.core.errors import MissingError, UsageError
from castalia.server.settings import ServerSettings
from castalia.server.store import Store
from servers import PASSWORD, Person, Served, tile


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("served") / "server").start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def bo(served: Served, ada: Person) -> Person:
    """Somebody whom she invited."""
    return served.sign_up("Bo", ada.client.post("/api/invitations").json()["invitation"])


def error(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_it_is_there_and_says_what_it_does(served, ada):
    assert ada.client.get("/healthz").json()["status"] == "ok"
    assert ada.client.get("/readyz").status_code == 200
    assert 'castalia_requests_total{method="GET",route="/healthz",status="200"}' in ada.client.get("/metrics").text
    paths = ada.client.get("/openapi.json").json()["paths"]
    page = ada.client.get("/docs").text
    assert len(paths) > 20
    assert all(path in page for path in paths)
    assert "http://" not in page.replace(served.url, "")
    assert "https://" not in page


def test_every_answer_forbids_what_a_page_does_not_need(ada):
    for path in ("/", "/docs", "/api/works", "/nothing/here"):
        headers = ada.client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert ada.client.get("/api/works").headers["cache-control"] == "no-store"


def test_a_name_that_is_not_its_own_is_turned_away(served):
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", ""):
        assert error(served.client(Host=host).get("/healthz"))[0] in (400, 421), host
    for host in ("localhost:1", "127.0.0.1", "[::1]:8471"):
        assert served.client(Host=host).get("/healthz").status_code == 200


def test_the_first_account_is_administrator_and_others_are_invited(served, ada, bo):
    assert ada.told["account"]["admin"]
    assert not bo.told["account"]["admin"]
    stranger = {"name": "Cy", "password": PASSWORD}
    assert error(served.client().post("/api/accounts", json=stranger)) == (403, "invitation_required")
    invitation = ada.client.post("/api/invitations").json()["invitation"]
    taken = {"name": "bo", "password": PASSWORD, "invitation": invitation}
    assert error(served.client().post("/api/accounts", json=taken)) == (403, "invitation_required")
    assert error(bo.client.post("/api/invitations")) == (403, "not_administrator")
    assert error(bo.client.get("/api/accounts")) == (403, "not_administrator")
    assert error(bo.client.get("/api/audit")) == (403, "not_administrator")


def test_short_passwords_and_strange_names_are_refused(served, ada):
    invitation = ada.client.post("/api/invitations").json()["invitation"]
    for name, password in (("Cy", "short"), ("../Cy", PASSWORD), ("", PASSWORD)):
        asked = {"name": name, "password": password, "invitation": invitation}
        assert error(served.client().post("/api/accounts", json=asked)) == (400, "invalid_value")


def test_a_session_cookie_is_kept_from_scripts_and_other_sites(served, ada):
    answer = served.client().post("/api/session", json={"name": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_change_by_cookie_wants_the_token_and_the_own_origin(served, ada):
    bare = served.client(Cookie="; ".join(f"{name}={value}" for name, value in ada.client.cookies.items()))
    assert bare.get("/api/session").status_code == 200
    assert error(bare.post("/api/keys", json={})) == (403, "csrf")
    assert error(bare.post("/api/keys", json={}, headers={"X-CSRF-Token": "0" * 32})) == (403, "csrf")
    foreign = ada.client.post("/api/keys", json={}, headers={"Origin": "https://evil.example"})
    assert error(foreign) == (403, "foreign_origin")
    login = {"name": "Ada", "password": PASSWORD}
    forged = served.client(Origin="http://evil.example").post("/api/session", json=login)
    assert error(forged) == (403, "foreign_origin")
    assert ada.client.get("/api/session", headers={"Origin": served.url}).status_code == 200


def test_a_key_does_what_its_scopes_say_until_it_is_revoked(served, ada):
    made = ada.client.post("/api/keys", json={"name": "reader", "scopes": ["read"]}).json()
    reader = served.client(Authorization=f"Bearer {made['key']}")
    assert reader.get("/api/works").status_code == 200
    assert error(reader.post("/api/works", json={"genre": "haiku"})) == (403, "scope")
    assert error(reader.get("/api/keys")) == (403, "scope")
    assert error(ada.client.post("/api/keys", json={"scopes": ["account"]})) == (400, "invalid_value")
    listed = ada.client.get("/api/keys").json()
    assert made["key"] not in str(listed)
    assert ada.client.delete(f"/api/keys/{made['id']}").status_code == 204
    assert error(reader.get("/api/works")) == (401, "no_credentials")


def test_a_late_key_opens_nothing(served, ada):
    key = ada.key(days=1e-6)
    time.sleep(0.2)
    assert error(served.client(Authorization=f"Bearer {key}").get("/api/works")) == (401, "no_credentials")


def test_nobody_sees_what_is_another_s_not_even_the_administrator(served, ada, bo):
    job = bo.make("pattern", fields={"picture": tile()})
    assert job["state"] == "done", job["outcome"]
    work = job["works"][0]
    for path in (f"/api/works/{work}", f"/api/works/{work}/files/png", f"/api/jobs/{job['id']}"):
        assert bo.client.get(path).status_code == 200
        assert ada.client.get(path).status_code == 404
    for change in (f"/api/jobs/{job['id']}/cancel", f"/api/works/{work}/remake"):
        assert ada.client.post(change).status_code == 404
    assert ada.client.delete(f"/api/works/{work}").status_code == 404
    assert ada.client.get("/api/works").json()["works"] == []
    assert ada.client.get("/api/jobs").json() == []


def test_nothing_of_it_lies_on_the_disk_in_the_clear(served, bo):
    words = "seventeen violet pelicans"
    key = bo.key(name="disk")
    job = bo.make("pattern", words, fields={"picture": tile()})
    assert job["state"] == "done", job["outcome"]
    session = bo.client.cookies["castalia_session"]
    secrets = [word.encode() for word in (words, PASSWORD, key, session, bo.told["recovery_code"])]
    paths = [path for path in served.data.rglob("*") if path.is_file()]
    assert len(paths) > 10
    for path in paths:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path
    assert not [secret for secret in secrets if secret.decode() in served.log]


def test_a_disabled_account_is_out_at_once(served, ada):
    cy = served.sign_up("Cy", ada.client.post("/api/invitations").json()["invitation"])
    key = served.client(Authorization=f"Bearer {cy.key()}")
    path = f"/api/accounts/{cy.told['account']['id']}"
    assert ada.client.patch(path, json={"enabled": False}).status_code == 200
    assert cy.client.get("/api/works").status_code == 401
    assert key.get("/api/works").status_code == 401
    assert served.client().post("/api/session", json={"name": "Cy", "password": PASSWORD}).status_code == 401
    assert ada.client.patch(path, json={"enabled": True}).status_code == 200
    assert key.get("/api/works").status_code == 200
    home = served.data / "accounts" / cy.told["account"]["id"]
    assert home.exists()
    assert ada.client.delete(path).status_code == 204
    assert not home.exists()
    assert key.get("/api/works").status_code == 401
    own = f"/api/accounts/{ada.told['account']['id']}"
    assert error(ada.client.delete(own)) == (409, "own_account")


def test_another_password_ends_other_sessions_and_the_recovery_code_opens(served, ada):
    di = served.sign_up("Di", ada.client.post("/api/invitations").json()["invitation"])
    other, key = served.log_in("di"), di.key()
    wrong = di.client.post("/api/password", json={"old": "not this one", "new": PASSWORD + "!"})
    assert error(wrong) == (403, "invalid_login")
    changed = di.client.post("/api/password", json={"old": PASSWORD, "new": PASSWORD + "!"}).json()
    assert other.client.get("/api/session").status_code == 401
    assert di.client.get("/api/works").status_code == 200
    assert served.client(Authorization=f"Bearer {key}").get("/api/works").status_code == 200
    assert served.client().post("/api/session", json={"name": "Di", "password": PASSWORD}).status_code == 401
    served.log_in("Di", PASSWORD + "!")
    served.log_in("Di", changed["recovery_code"])
    assert di.client.delete("/api/session").status_code == 204
    assert di.client.get("/api/works").status_code == 401


def test_a_request_is_measured_before_it_is_read(served, ada):
    assert error(served.client().post("/api/session", content=b" " * 20_000)) == (413, "too_large")
    assert ada.client.post("/api/keys", content=b" " * 2_100_000).status_code == 413
    host = served.url.removeprefix("http://")
    name, port = host.split(":")
    for head in (b"Content-Length: 99999999999", b"Content-Length: -1", b"Content-Length: x"):
        with socket.create_connection((name, int(port)), timeout=10) as line:
            line.sendall(b"POST /api/session HTTP/1.1\r\nHost: " + host.encode() + b"\r\n" + head + b"\r\n\r\n")
            assert line.recv(100).split()[1] in (b"413", b"400"), head


def test_a_body_without_a_length_is_cut_off(served):
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1000

    headers = {"Content-Type": "application/json"}
    assert served.client().post("/api/session", content=endless(), headers=headers).status_code == 413


@pytest.mark.parametrize(
    "path", ["/../server.db", "/%2e%2e/server.db", "/..%2f..%2fserver.db", "//etc/passwd", "/reference.css/../../x"]
)
def test_the_page_s_folder_is_not_left(served, path):
    host = served.url.removeprefix("http://")
    name, port = host.split(":")
    with socket.create_connection((name, int(port)), timeout=10) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        assert line.recv(100).split()[1] in (b"404", b"400"), path


def test_guessing_is_held_off(served, ada):
    ed = served.sign_up("Ed", ada.client.post("/api/invitations").json()["invitation"])
    guess = {"name": "Ed", "password": "a wrong password"}
    answers = [served.client().post("/api/session", json=guess) for _ in range(6)]
    assert [each.status_code for each in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) > 60
    right = served.client().post("/api/session", json={"name": "Ed", "password": PASSWORD})
    assert right.status_code == 429
    assert ed.client.get("/api/session").status_code == 200  # who is in stays in
    lines = ada.client.get("/api/audit").json()
    assert lines[0]["event"] == "login held off"
    assert {"login failed", "account made", "key made", "password changed"} <= {each["event"] for each in lines}
    assert "a wrong password" not in str(lines)


def test_it_listens_beyond_the_machine_only_with_an_account(tmp_path):
    command = [sys.executable, "-m", "castalia", "--lang", "en", "serve", "--host", "0.0.0.0", "--port", "0"]
    result = subprocess.run(
        [*command, "--data", str(tmp_path / "server")], check=False, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 2
    assert "Nobody has an account" in result.stderr


def test_without_its_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingError, match="uvicorn") as missing:
        command.main(["--port", "0"], standalone_mode=False)
    assert missing.value.exit_code == 3
    assert missing.value.hint == 'pip install "castalia[server]"'


def test_it_speaks_tls_with_a_certificate(tmp_path):
    made = subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1 -keyout k.pem -out c.pem".split(),
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    files = ("--certificate", str(tmp_path / "c.pem"), "--key", str(tmp_path / "k.pem"))
    served = Served(tmp_path / "server", arguments=files).start()
    with httpx.Client(base_url=served.url, verify=ssl.create_default_context(cafile=tmp_path / "c.pem")) as client:
        answer = client.post("/api/accounts", json={"name": "Ada", "password": PASSWORD})
        assert "secure" in answer.headers["set-cookie"].lower().split("; ")
        assert "max-age" in answer.headers["strict-transport-security"]
        assert client.get("/api/session").json()["account"]["name"] == "Ada"
    served.stop()


def test_settings_that_do_not_go_together_are_refused(tmp_path):
    with pytest.raises(UsageError, match="certificate"):
        ServerSettings(certificate=Path("a.pem")).check()
    with pytest.raises(UsageError, match="address"):
        ServerSettings(url="studio.example").check()
    named = ServerSettings(url="https://studio.example")
    assert named.secure
    assert named.knows("studio.example:443")
    assert not named.knows("other.example")


def test_the_database_of_a_newer_version_is_left_alone(tmp_path):
    import apsw

    from castalia.core.errors import StorageError

    Store(tmp_path / "server.db").close()
    database = apsw.Connection(str(tmp_path / "server.db"))
    database.execute("PRAGMA user_version = 999")
    database.close()
    with pytest.raises(StorageError, match="newer"):
        Store(tmp_path / "server.db")
