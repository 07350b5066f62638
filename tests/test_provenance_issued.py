"""The user's own certificate: taken when it fits, refused with a reason when not, and kept like every other key."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from castalia.cli.keys import keys as command
from castalia.core.config import Config
from castalia.core.errors import MarkError, UsageError
from castalia.provenance import Keys, mark, read_certificate
from made_certificates import CLAIM, DOCUMENT, EMAIL, SERVER, authority, issue
from test_provenance_mark import Store, check, judged, states


@pytest.fixture(scope="module")
def issuer():
    return authority()


@pytest.mark.parametrize(
    ("kind", "purposes"),
    [
        ("es256", (EMAIL,)),
        ("es384", (DOCUMENT,)),
        ("es512", (CLAIM,)),
        ("ps256", (EMAIL, DOCUMENT)),
        ("ed25519", (EMAIL,)),
    ],
)
def test_works_are_signed_with_the_users_own_certificate(tmp_path, issuer, kind, purposes):
    store = Store()
    keys = Keys(store, tmp_path)
    before = mark(judged(), keys=keys, config=Config()).files[0]
    own = keys.signing()
    leaf = issuer.issue(kind, purposes=purposes)
    keys.use(read_certificate(leaf.chain, leaf.private("a secret"), "a secret"))
    marked = mark(judged(), keys=keys, config=Config(), faces=("json", "md"))
    for fresh in (keys, Keys(store, tmp_path)):
        report = check(fresh, marked.files[1])
        assert states(report)["c2pa"] == states(report)["record"] == "trusted"
        assert "A. Writer" in report.layer("c2pa").detail
        assert states(check(fresh, before))["c2pa"] == "trusted"
        assert fresh.issued
    assert own.key.strip() not in b"".join(store.held.values())
    assert marked.record.provider == f"Castalia studio {own.issuer_id[:8]}"  # the studio is the same one
    assert b"PRIVATE" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    root = issuer.above
    assert root
    assert states(check(keys, marked.files[1], anchors=root.pem))["c2pa"] == "trusted"
    assert states(check(keys, marked.files[1], anchors=b""))["c2pa"] == "valid"


def test_rotating_leaves_the_certificate_and_going_back_makes_a_new_key(tmp_path, issuer):
    keys = Keys(Store(), tmp_path)
    first, leaf = keys.signing(), issuer.issue()
    keys.use(read_certificate(leaf.chain, leaf.private()))
    theirs, file, seen = keys.signing(), mark(judged(), keys=keys, config=Config()).files[0], keys.watermark()
    keys.rotate(authority=True)
    assert keys.signing() == theirs
    assert keys.watermark() != seen
    keys.use_own()
    keys.use_own()
    mine = keys.signing()
    assert not keys.issued
    assert len({first.id, theirs.id, mine.id}) == 3
    assert mine.issuer_id != first.issuer_id  # rotated in the meantime
    assert states(check(keys, file))["c2pa"] == "trusted"
    assert {key.id: key.usable for key in keys.list() if key.kind == "signing"} == {
        first.id: False,
        theirs.id: False,
        mine.id: True,
    }
    keys.use(read_certificate(leaf.chain, leaf.private()))  # and the user's again
    keys.use(read_certificate(leaf.chain, leaf.private()))
    assert keys.signing().key
    assert states(check(keys, mark(judged(), keys=keys, config=Config()).files[0]))["c2pa"] == "trusted"


def test_a_backup_carries_the_certificate(tmp_path, issuer):
    here, there, leaf = Keys(Store(), tmp_path / "a"), Keys(Store(), tmp_path / "b"), issuer.issue("ed25519")
    here.use(read_certificate(leaf.chain, leaf.private()))
    there.restore(here.backup("correct horse"), "correct horse")
    assert there.signing() == here.signing()
    assert there.issued
    assert states(check(there, mark(judged(), keys=there, config=Config()).files[0]))["c2pa"] == "trusted"


def test_what_does_not_fit_is_refused_with_the_reason(tmp_path, issuer):
    leaf = issuer.issue()
    right = leaf.private()
    other = issuer.issue()

    def chained(**more) -> tuple[bytes, bytes]:
        made = issuer.issue(**more)
        return made.chain, made.private()

    alone = issue()
    cases = {
        "does not belong to the first certificate": (leaf.chain, other.private()),
        "has 1 certificates": (leaf.pem, right),
        "has 0 certificates|not PEM": (b"", right),
        "not PEM": (b"hello", right),
        "not in order": (leaf.pem + other.pem, right),
        "is encrypted, and there is no password": (leaf.chain, leaf.private("a secret")),
        "cannot be read": (leaf.chain, b"hello"),
        "not today": chained(days=(-90, -1)),
        r"from .* not today": chained(days=(1, 90)),
        "1024 bits": chained(kind="rsa1024"),
        "secp256k1": chained(kind="secp256k1"),
        "CA:TRUE": chained(ca=True),
        "lacks digitalSignature": chained(signs=False),
        f"usage is {SERVER}": chained(purposes=(SERVER,)),
        "usage is –": chained(purposes=()),
        "did not issue": (alone.pem + issuer.pem, alone.private()),
    }
    for why, (chain, key) in cases.items():
        with pytest.raises(UsageError, match=why) as caught:
            read_certificate(chain, key)
        assert caught.value.hint, why
    with pytest.raises(UsageError, match="cannot be read"):
        read_certificate(leaf.chain, leaf.private("a secret"), "another")
    assert read_certificate(leaf.chain, right, "not needed").key


def test_a_certificate_that_has_ended_signs_nothing(tmp_path, issuer, monkeypatch):
    keys, leaf = Keys(Store(), tmp_path), issuer.issue()
    keys.use(read_certificate(leaf.chain, leaf.private()))
    old = issuer.issue(days=(-90, -1))
    pair = keys.signing()
    monkeypatch.setattr(keys, "_signing", type(pair)(old.chain, old.private()))
    with pytest.raises(MarkError, match="ended on") as caught:
        mark(judged(), keys=keys, config=Config())
    assert "keys use" in caught.value.hint


def test_the_command_takes_a_certificate_and_seals_its_key(home, tmp_path, issuer):
    leaf = issuer.issue()
    chain, key, password = tmp_path / "chain.pem", tmp_path / "key.pem", tmp_path / "password"
    chain.write_bytes(leaf.chain)
    key.write_bytes(leaf.private("a secret"))
    password.write_text("a secret\n")

    def run(*arguments: object):
        return CliRunner().invoke(command, [str(each) for each in arguments], catch_exceptions=False)

    given = ("use", "--certificate", chain, "--key", key)
    with pytest.raises(UsageError, match="no password") as caught:
        run(*given)
    assert "--key-password-file" in caught.value.hint
    for half in (("use",), ("use", "--certificate", chain), ("use", "--own", "--key", key)):
        with pytest.raises(UsageError, match="--own"):
            run(*half)
    done = run(*given, "--key-password-file", password)
    assert done.exit_code == 0
    assert "A. Writer" in done.stdout
    assert "timestamp_url" in done.stderr
    held = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"PRIVATE" not in held
    assert "stays" in run("rotate").stderr
    assert "A. Writer" in run("show").stdout
    kinds = {each["kind"]: each for each in json.loads(run("use", "--own", "--json").stdout)}
    assert kinds["signing"]["name"].startswith("Castalia signing key")
