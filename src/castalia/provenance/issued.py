"""A certificate that another authority issued to the user, checked for signing (C2PA 2.2, section 14.5)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.language import say
from castalia.core.values import Evidence
from castalia.provenance import c2pa
from castalia.provenance.certificates import Pair, algorithm_of
from castalia.provenance.embed import FACES, Stamp
from castalia.provenance.record import make_record

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate, ExtensionType

_E = TypeVar("_E", bound="ExtensionType")
SHORTEST_RSA = 2048
"""Bits."""
_MOST = 10
"""Certificates of a chain."""


def read_certificate(certificates: bytes, key: bytes, password: str | None = None) -> Pair:
    """A certificate chain and its key, checked and tried.

    Args:
        certificates: PEM: the user's certificate, its issuer's, and so on; the root may be left out.
        key: PEM: the private key of the first certificate (P-256, P-384, P-521, RSA or Ed25519).
        password: Opens the key where it is encrypted.

    Raises:
        UsageError: they do not fit one another, are not valid today, or are not for signing; says which and what to do.
    """
    from cryptography.hazmat.primitives import serialization

    chain, private = _chain(certificates), _private(key, password)
    _check_key(chain[0], private)
    _check_order(chain)
    for each in chain:
        _check_dates(each)
    _check_purpose(chain[0])
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    pair = Pair(
        b"".join(each.public_bytes(encoding) for each in chain),
        private.private_bytes(encoding, form, serialization.NoEncryption()),
    )
    _try(pair)
    return pair


def _chain(certificates: bytes) -> list[Certificate]:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        chain = load_pem_x509_certificates(certificates)
    except ValueError as error:
        raise UsageError(
            say("The certificate chain is not PEM: {why}.", "证书链不是 PEM 格式：{why}。", why=error),
            hint=say(
                "Give a file of `-----BEGIN CERTIFICATE-----` blocks.",
                "请提供由 `-----BEGIN CERTIFICATE-----` 段组成的文件。",
            ),
        ) from error
    if not 2 <= len(chain) <= _MOST:
        raise UsageError(
            say(
                "The chain has {n} certificates; it needs yours and its issuer's, and at most {most}.",
                "证书链含 {n} 个证书；需要您的证书及其颁发者的证书，最多 {most} 个。",
                n=len(chain),
                most=_MOST,
            ),
            hint=say(
                "Append the issuer's certificate: cat mine.pem issuer.pem > chain.pem",
                "请附上颁发者的证书：cat mine.pem issuer.pem > chain.pem",
            ),
        )
    return chain


def _private(key: bytes, password: str | None) -> PrivateKeyTypes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        try:
            return serialization.load_pem_private_key(key, password.encode() if password else None)
        except TypeError:  # a password and a key that is not encrypted, or the other way round
            if password is None:
                raise
            return serialization.load_pem_private_key(key, None)
    except TypeError as error:
        raise UsageError(
            say("The private key is encrypted, and there is no password.", "私钥已加密，但没有提供密码。"),
            hint="--key-password-file FILE|-",
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(
            say(
                "The private key cannot be read: {why}.",
                "无法读取私钥：{why}。",
                why=str(error).partition(" (")[0].rstrip(".") or type(error).__name__,
            ),
            hint=say(
                "Give the key as PEM (`-----BEGIN PRIVATE KEY-----`), and the right password where it is encrypted.",
                "请提供 PEM 格式的私钥（`-----BEGIN PRIVATE KEY-----`）；若已加密，请提供正确的密码。",
            ),
        ) from error


def _check_key(leaf: Certificate, private: PrivateKeyTypes) -> None:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if private.public_key() != leaf.public_key():
        raise UsageError(
            say(
                "The private key does not belong to the first certificate, {name}.",
                "私钥不属于第一个证书 {name}。",
                name=leaf.subject.rfc4514_string(),
            ),
            hint=say(
                "Put your own certificate first in the chain; its issuer's follows.",
                "请将您自己的证书放在证书链首位，其后为颁发者的证书。",
            ),
        )
    if isinstance(private, RSAPrivateKey) and private.key_size < SHORTEST_RSA:
        raise UsageError(
            say(
                "The RSA key has {n} bits; C2PA asks for {least} or more.",
                "RSA 密钥为 {n} 位；C2PA 要求至少 {least} 位。",
                n=private.key_size,
                least=SHORTEST_RSA,
            ),
            hint=say("Have a certificate issued for a longer key.", "请为更长的密钥申请证书。"),
        )
    if algorithm_of(leaf) is None:
        raise UsageError(
            say(
                "C2PA knows no signature with a key of the kind {kind}.",
                "C2PA 不支持 {kind} 类型的密钥。",
                kind=getattr(getattr(private, "curve", None), "name", type(private).__name__),
            ),
            hint=say("Use P-256, P-384, P-521, RSA or Ed25519.", "请使用 P-256、P-384、P-521、RSA 或 Ed25519。"),
        )


def _check_order(chain: list[Certificate]) -> None:
    from cryptography.exceptions import InvalidSignature

    for below, above in pairwise(chain):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise UsageError(
                say(
                    "The chain is not in order: {above} did not issue {below}.",
                    "证书链顺序有误：{above} 并未颁发 {below}。",
                    above=above.subject.rfc4514_string(),
                    below=below.subject.rfc4514_string(),
                ),
                hint=say(
                    "Put your certificate first, and after each the one of its issuer.",
                    "请将您的证书放在首位，其后依次为各自颁发者的证书。",
                ),
            ) from error


def _check_dates(certificate: Certificate) -> None:
    now = datetime.now(UTC)
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now <= last:
        raise UsageError(
            say(
                "The certificate {name} is valid from {first:%Y-%m-%d} to {last:%Y-%m-%d}, not today.",
                "证书 {name} 的有效期为 {first:%Y-%m-%d} 至 {last:%Y-%m-%d}，今天无效。",
                name=certificate.subject.rfc4514_string(),
                first=first,
                last=last,
            ),
            hint=say("Have it renewed by its issuer; check this machine's clock.", "请向颁发者续期，并检查本机时钟。"),
        )


def _check_purpose(leaf: Certificate) -> None:
    from cryptography import x509

    def extension(kind: type[_E]) -> _E | None:
        try:
            return leaf.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    constraints, usage = extension(x509.BasicConstraints), extension(x509.KeyUsage)
    purposes = [each.dotted_string for each in extension(x509.ExtendedKeyUsage) or ()]
    problem = ""
    if constraints is not None and constraints.ca:
        problem = say("it is an authority's (CA:TRUE)", "它是颁发机构的证书（CA:TRUE）")
    elif usage is None or not usage.digital_signature:
        problem = say("its key usage lacks digitalSignature", "其密钥用途不含 digitalSignature")
    elif not set(purposes) & set(c2pa.PURPOSES):
        found = ", ".join(purposes) or "–"
        problem = say("its extended key usage is {found}", "其扩展密钥用途为 {found}", found=found)
    if problem:
        raise UsageError(
            say(
                "The certificate {name} is not for signing: {why}.",
                "证书 {name} 不能用于签名：{why}。",
                name=leaf.subject.rfc4514_string(),
                why=problem,
            ),
            hint=say(
                "C2PA asks for digitalSignature and one of: {known}.",
                "C2PA 要求 digitalSignature 以及其中之一：{known}。",
                known=", ".join(f"{name} ({oid})" for oid, name in c2pa.PURPOSES.items()),
            ),
        )


def _try(pair: Pair) -> None:
    """Sign a few bytes and verify them: the library has rules beyond those above."""
    face, content = FACES["txt"], b"trial"
    stamp = Stamp(make_record(Evidence(model="", digest="", engine="", seed=0), genre="", provider=""), "")
    try:
        _, sidecar = c2pa.sign(content, face, stamp, pair)
        found = c2pa.check(content, face.signed_as, sidecar, anchors=pair.issuer)
        why = "" if found and found.state == "trusted" else ", ".join(found.problems if found else ()) or "untrusted"
    except CastaliaError as error:
        why = error.message
    if why:
        raise UsageError(
            say(
                "C2PA does not take a signature with this certificate: {why}", "C2PA 不接受此证书的签名：{why}", why=why
            ),
            hint=say("Ask its issuer for a certificate for C2PA signing.", "请向颁发者申请用于 C2PA 签名的证书。"),
        )
