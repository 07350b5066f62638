"""Keys: made once, rotated without losing old works, carried to another machine."""

from __future__ import annotations

import http.server
import json
import shutil
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from castalia.cli.keys import keys as command
from castalia.core.config import Config
from castalia.core.errors import OfflineError, SignatureError, UsageError
from castalia.provenance import Keys, mark
from test_provenance_mark import Store, check, judged, states


def test_private_keys_are_in_the_store_alone(tmp_path):
    store = Store()
    keys = Keys(store, tmp_path)
    keys.make()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"PRIVATE" not in written
    assert keys.watermark().secret not in written
    assert any(b"PRIVATE" in secret for secret in store.held.values())


def test_keys_are_made_once_and_differ_between_studios(tmp_path):
    store = Store()
    first, again, other = Keys(store, tmp_path), Keys(store, tmp_path), Keys(Store(), tmp_path / "b")
    assert first.list() == ()
    assert first.watermarks() == ()
    assert first.signing() == again.signing() != other.signing()
    assert first.watermark() == again.watermark() != other.watermark()
    assert [key.kind for key in first.list()] == ["authority", "signing", "watermark"]
    assert all(key.current and key.usable and len(key.fingerprint) == 64 for key in first.list())


def test_the_certificate_is_what_c2pa_asks_for(tmp_path):
    from cryptography import x509

    leaf = Keys(Store(), tmp_path).signing().leaf
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [each.dotted_string for each in extended] == ["1.3.6.1.5.5.7.3.4"]
    assert leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)


@pytest.mark.parametrize("authority", [False, True])
def test_works_marked_before_a_rotation_stay_trusted(tmp_path, authority):
    store = Store()
    keys = Keys(store, tmp_path)
    old_file, old_key, old_mark = mark(judged(), keys=keys, config=Config()).files[0], keys.signing(), keys.watermark()
    keys.rotate(authority=authority)
    new_file = mark(judged(), keys=keys, config=Config()).files[0]
    for fresh in (keys, Keys(store, tmp_path)):
        assert fresh.signing().id != old_key.id
        assert (fresh.signing().issuer_id == old_key.issuer_id) is not authority
        assert fresh.watermarks() == (fresh.watermark(), old_mark)
        assert states(check(fresh, old_file))["c2pa"] == states(check(fresh, new_file))["c2pa"] == "trusted"
    assert old_key.key.strip() not in b"".join(store.held.values())
    assert [key.usable for key in keys.list() if key.id == old_key.issuer_id] == [not authority]
    assert [key.usable for key in keys.list() if key.id == old_key.id] == [False]


def test_a_backup_carries_everything_to_another_machine(tmp_path):
    here, there = Keys(Store(), tmp_path / "a"), Keys(Store(), tmp_path / "b")
    here.make()
    old = mark(judged(), keys=here, config=Config()).files[0]
    here.rotate(authority=True)
    archive = here.backup("correct horse")
    before = there.signing()
    assert b"PRIVATE" not in archive
    assert len(there.restore(archive, "correct horse")) == 2 + 2 + 2
    assert there.signing() == here.signing()
    assert there.watermarks()[0] == here.watermark()
    assert states(check(there, old))["c2pa"] == "trusted"
    assert before.id in {key.id for key in there.list()}
    assert there.restore(archive, "correct horse") == ()


def test_bad_backups_are_refused_and_change_nothing(tmp_path):
    store = Store()
    keys = Keys(store, tmp_path)
    archive = keys.backup("correct horse")
    held = dict(store.held)
    for broken, password, why in (
        (archive, "wrong horse!", "wrong"),
        (archive[:-1], "correct horse", "wrong"),
        (b"hello", "correct horse", "no backup"),
        (b"", "", "no backup"),
    ):
        with pytest.raises(UsageError, match=why):
            keys.restore(broken, password)
    with pytest.raises(UsageError, match="8"):
        keys.backup("short")
    assert store.held == held


def test_a_backup_cannot_plant_other_secrets(tmp_path):
    from castalia.provenance.backup import seal

    for name, secret in (("endpoint-key", b"x"), ("signing-abc", b"x"), ("watermark-current", b"nothing")):
        with pytest.raises(UsageError, match="not a key"):
            Keys(Store(), tmp_path).restore(seal({name: secret}, "correct horse"), "correct horse")


@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=4))
@settings(max_examples=5, deadline=None)
def test_what_is_sealed_is_unsealed(found):
    from castalia.provenance.backup import seal, unseal

    assert unseal(seal(found, "correct horse"), "correct horse") == found


# ---------------------------------------------------------------- time stamps

_CONFIG = """
[tsa]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@pytest.fixture
def authority(tmp_path: Path):
    """A time stamp authority: OpenSSL's own behind a local HTTP server; its URL, and how often it was asked."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("needs openssl")
    (tmp_path / "tsa.conf").write_text(_CONFIG.format(folder=tmp_path))
    (tmp_path / "serial").write_text("01")
    (tmp_path / "leaf.ext").write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
    )
    for arguments in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj /O=Test/CN=Root",
        "req -newkey rsa:2048 -nodes -keyout key.pem -out leaf.csr -subj /O=Test/CN=TSA",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile leaf.ext -out cert.pem",
    ):
        subprocess.run([openssl, *arguments.split()], cwd=tmp_path, check=True, capture_output=True)
    asked: list[int] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            query = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(len(query))
            (tmp_path / "query").write_bytes(query)
            command = [openssl, "ts", "-reply", "-config", "tsa.conf", "-section", "tsa", "-queryfile", "query"]
            reply = subprocess.run(
                [*command, "-signer", "cert.pem", "-inkey", "key.pem", "-chain", "ca.pem"],
                cwd=tmp_path,
                check=True,
                capture_output=True,
            ).stdout
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


def test_a_time_stamp_is_fetched_when_configured(tmp_path, authority):
    url, asked = authority
    keys = Keys(Store(), tmp_path / "certificates")
    file = mark(judged(), keys=keys, config=Config(timestamp_url=url)).files[0]
    assert len(asked) == 1
    root = (tmp_path / "ca.pem").read_bytes()
    for anchors, said in ((b"", "not trusted here"), (root, "by a trusted authority")):
        report = check(keys, file, anchors=keys.anchors() + anchors)
        assert states(report)["c2pa"] == "trusted"
        assert f"time stamp {datetime.now(UTC):%Y-%m-%d}" in report.layer("c2pa").detail
        assert said in report.layer("c2pa").detail
    assert "time stamp" in check(keys, file, anchors=root).layer("c2pa").detail  # an unknown signer's too


@pytest.mark.parametrize("broken", ["refused", "garbage", "empty", "error", "another", "no address"])
def test_a_time_stamp_that_cannot_be_had_is_said_and_nothing_is_delivered(tmp_path, broken):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            body = {"garbage": b"\x30\x82\xff\xff" + bytes(100), "another": bytes.fromhex("30053003020102")}.get(
                broken, b""
            )
            self.send_response(503 if broken == "error" else 200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = "hello" if broken == "no address" else f"http://127.0.0.1:{server.server_port}/"
        if broken == "refused":
            server.shutdown()
            server.server_close()
        with pytest.raises(SignatureError) as caught:
            mark(judged(), keys=Keys(Store(), tmp_path), config=Config(timestamp_url=url))
        if broken != "refused":
            server.shutdown()
    assert url in caught.value.hint
    assert "timestamp_url" in caught.value.hint


def test_no_time_stamp_is_asked_for_offline(tmp_path, authority):
    url, asked = authority
    with pytest.raises(OfflineError, match="needs the network"):
        mark(judged(), keys=Keys(Store(), tmp_path / "c"), config=Config(timestamp_url=url, offline=True))
    assert asked == []


def test_the_command_makes_shows_rotates_backs_up_and_restores(home, tmp_path, monkeypatch):
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert json.loads(run("list", "--json")) == []
    first = json.loads(run("make", "--json"))
    assert [key["kind"] for key in first] == ["authority", "signing", "watermark"]
    second = json.loads(run("rotate", "--json"))
    assert second[0] == first[0]
    assert second[1]["id"] != first[1]["id"]
    assert "verifies only" in run("show", first[1]["id"][:6])
    assert first[1]["name"] in run("list")
    assert run("certificate").startswith("-----BEGIN CERTIFICATE-----")
    (tmp_path / "password").write_text("correct horse\n")
    backup = (str(tmp_path / "keys.backup"), "--password-file", str(tmp_path / "password"))
    assert "5 keys" in run("backup", *backup)
    with pytest.raises(UsageError, match="already there"):
        run("backup", *backup)
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "other"))
    assert "5 keys were new" in run("restore", *backup)
    assert json.loads(run("show", "--json")) == second
