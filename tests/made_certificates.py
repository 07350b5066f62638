"""Certificates as an authority would issue them, right and wrong ones, made on the spot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

EMAIL, DOCUMENT, CLAIM = "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1"
SERVER = "1.3.6.1.5.5.7.3.1"
PEM = serialization.Encoding.PEM
KEYS = {
    "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "es384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "es512": lambda: ec.generate_private_key(ec.SECP521R1()),
    "ps256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "rsa1024": lambda: rsa.generate_private_key(public_exponent=65537, key_size=1024),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
}


@dataclass(frozen=True)
class Holder:
    """A certificate with its key, and who issued it."""

    key: object
    certificate: x509.Certificate
    above: Holder | None = None

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def chain(self) -> bytes:
        """Down to, and without, the root."""
        return self.pem + (self.above.chain if self.above and self.above.above else b"")

    def private(self, password: str | None = None) -> bytes:
        seal = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
        return self.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, seal)

    def issue(self, kind: str = "es256", **more) -> Holder:
        return replace(issue(kind, above=self, **more), above=self)


def issue(
    kind: str = "es256",
    *,
    above: Holder | None = None,
    name: str = "A. Writer",
    ca: bool = False,
    signs: bool = True,
    purposes: tuple[str, ...] = (EMAIL,),
    days: tuple[int, int] = (-1, 90),
) -> Holder:
    """A certificate; without `above` one that vouches for itself."""
    key = KEYS[kind]()
    signer = above.key if above else key
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Org"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(above.certificate.subject if above else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.KeyUsage(signs and not ca, not signs, *[False] * 3, ca, ca, *[False] * 2), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if purposes and not ca:
        usage = x509.ExtendedKeyUsage([x509.ObjectIdentifier(each) for each in purposes])
        builder = builder.add_extension(usage, critical=False)
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Holder(key, builder.sign(signer, digest))


def authority() -> Holder:
    """An intermediate authority under a root."""
    return issue(ca=True, name="Root").issue(ca=True, name="Issuing authority")
