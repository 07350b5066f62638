"""Certificates for signing: a studio's own authority, and the signing key that it vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

AUTHORITY_YEARS = 30
SIGNING_YEARS = 20
"""Long, because a signature without a time stamp ends with its certificate, and works are to outlive that."""
_ORGANISATION = "Castalia studio"


@dataclass(frozen=True)
class Pair:
    """A certificate and, unless it has been retired, its private key; both PEM."""

    certificates: bytes
    """The certificate, followed by the one that vouches for it, and so on."""
    key: bytes
    """PKCS#8, unencrypted; empty when retired."""

    @classmethod
    def load(cls, bundle: bytes) -> Pair:
        """Read what `bundle` wrote."""
        mark = bundle.find(b"-----BEGIN PRIVATE KEY-----")
        return cls(bundle, b"") if mark < 0 else cls(bundle[:mark], bundle[mark:])

    @property
    def bundle(self) -> bytes:
        """Both in one piece, so that they are stored in one write."""
        return self.certificates + self.key

    @property
    def retired(self) -> Pair:
        """The certificates alone."""
        return Pair(self.certificates, b"")

    @cached_property
    def leaf(self) -> Certificate:
        """The first certificate, parsed."""
        from cryptography.x509 import load_pem_x509_certificate

        return load_pem_x509_certificate(self.certificates)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the first certificate, hexadecimal."""
        from cryptography.hazmat.primitives import hashes

        return self.leaf.fingerprint(hashes.SHA256()).hex()

    @property
    def name(self) -> str:
        """Common name of the first certificate; the whole of its subject where it has none."""
        from cryptography.x509.oid import NameOID

        common = self.leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(common[0].value) if common else self.leaf.subject.rfc4514_string()

    @property
    def id(self) -> str:
        """The fingerprint's first sixteen digits."""
        return self.fingerprint[:16]

    @cached_property
    def issuer(self) -> bytes:
        """The certificate (PEM) that vouches for this one: the second, or itself where it is alone."""
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.x509 import load_pem_x509_certificates

        return load_pem_x509_certificates(self.certificates)[:2][-1].public_bytes(Encoding.PEM)

    @property
    def issuer_id(self) -> str:
        """The issuer's id."""
        return Pair(self.issuer, b"").id


def algorithm_of(certificate: Certificate) -> str | None:
    """The signature algorithm of C2PA (2.2, section 13.2.1) for a certificate's key; None where there is none."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}.get(key.curve.name)
    if isinstance(key, rsa.RSAPublicKey):
        return "ps256"
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else None


def make_authority() -> Pair:
    """A new self-signed authority (P-256)."""
    return _make(None)


def make_signing(authority: Pair) -> Pair:
    """A new signing key under an authority, as C2PA wants it: emailProtection, digitalSignature, both key ids."""
    return _make(authority)


def _make(authority: Pair | None) -> Pair:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    key_id = x509.SubjectKeyIdentifier.from_public_key(public)
    role, years = ("authority", AUTHORITY_YEARS) if authority is None else ("signing key", SIGNING_YEARS)
    name = _name(f"Castalia {role} {key_id.digest.hex()[:8]}")
    signer: EllipticCurvePrivateKey = key
    if authority is not None:
        loaded = serialization.load_pem_private_key(authority.key, None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise TypeError(type(loaded).__name__)
        signer = loaded
    start = datetime.now(UTC) - timedelta(minutes=10)  # clocks of other machines may be slow
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if authority is None else authority.leaf.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * years))
        .add_extension(x509.BasicConstraints(authority is None, 0 if authority is None else None), critical=True)
        .add_extension(_usage(authority=authority is None), critical=True)
        .add_extension(key_id, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if authority is not None:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(usage, critical=False)
    certificate = builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pkcs8 = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate + (authority.certificates if authority else b""), pkcs8)


def _name(common: str):  # noqa: ANN202
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _usage(*, authority: bool):  # noqa: ANN202
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
