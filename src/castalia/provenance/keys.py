"""The studio's keys: an authority, the signing key under it, and the watermark key.

Private keys lie in the secret store alone. Certificates are public and also lie as files in a folder, so that
verifying needs no password. Nothing that was ever used is forgotten: old certificates and watermark keys are kept.

Names in the store: `authority-<id>`, `signing-<id>` (certificates and key), `watermark-<id>` (32 bytes), and for
each kind `<kind>-current`, which holds the id in use.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from castalia.core.errors import UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say
from castalia.core.ports import Processor, SecretStore
from castalia.provenance.certificates import Pair, make_authority, make_signing

if TYPE_CHECKING:
    from castalia.provenance.watermark import WatermarkKey

Kind = Literal["authority", "signing", "watermark"]
KINDS: tuple[Kind, ...] = ("authority", "signing", "watermark")


@dataclass(frozen=True)
class KeyInfo:
    """What may be shown of a key."""

    kind: Kind
    id: str
    current: bool
    usable: bool
    """Whether the private part is still kept; a retired signing key only verifies."""
    fingerprint: str
    """SHA-256 of the certificate, or of the watermark key."""
    name: str = ""
    """The certificate's common name, as `verify` shows the signer; empty for a watermark key."""
    made: str = ""
    """ISO date; empty when unknown."""
    expires: str = ""


class Keys:
    """Signing and watermark keys, made on first use.

    Args:
        secrets: Where private keys are kept, encrypted.
        folder: Where public certificates are kept, readable without the store.
    """

    def __init__(self, secrets: SecretStore, folder: Path) -> None:
        self._secrets = secrets
        self._folder = folder
        self._signing: Pair | None = None

    # ------------------------------------------------------------ in use

    def signing(self) -> Pair:
        """The current signing key with its chain."""
        if self._signing is None:
            bundle = self._current("signing")
            if bundle:
                self._signing = Pair.load(bundle)
                self._publish(self._signing)
            else:
                self._signing = self._sign_with(make_signing(self._authority()))
        return self._signing

    def watermark(self) -> WatermarkKey:
        """The current private watermark key: who holds it can tell this studio's texts from all others."""
        from castalia.provenance.watermark import WatermarkKey

        return WatermarkKey(self._current("watermark") or self._make_watermark())

    def watermarks(self) -> tuple[WatermarkKey, ...]:
        """All private watermark keys that were ever used, the current one first."""
        from castalia.provenance.watermark import WatermarkKey

        first = self._secrets.get("watermark-current")
        ids = sorted(self._ids("watermark"), key=lambda each: (each.encode() != first, each))
        return tuple(WatermarkKey(secret) for each in ids if (secret := self._secrets.get(f"watermark-{each}")))

    def text_watermark(self, strength: float, *, private: bool = False) -> Processor:
        """The link of the sampling chain that writes the watermark.

        Args:
            strength: Bias in nats.
            private: With this studio's own key instead of the published one: only who holds the key can tell then.
        """
        from castalia.provenance.watermark import PUBLISHED
        from castalia.provenance.watermarks.text import TextWatermark

        return TextWatermark((self.watermark() if private else PUBLISHED).secret, strength)

    def anchors(self) -> bytes:
        """Certificates (PEM) of every authority this studio has had; needs no secret."""
        return anchors_in(self._folder)

    @property
    def studio_name(self) -> str:
        """What stands for the provider when the user gave no name: tells studios apart, names nobody."""
        return f"Castalia studio {self._authority().id[:8]}"

    @property
    def issued(self) -> bool:
        """Whether the signing key is the user's own, under an authority that is not this studio's."""
        return self._secrets.get(f"authority-{self.signing().issuer_id}") is None

    # ------------------------------------------------------------ care

    def list(self) -> tuple[KeyInfo, ...]:
        """All keys, by kind, the current one of each first; makes none."""
        shown: list[KeyInfo] = []
        for kind in KINDS:
            current = (self._secrets.get(f"{kind}-current") or b"").decode()
            for each in sorted(self._ids(kind), key=lambda each: (each != current, each)):
                secret = self._secrets.get(f"{kind}-{each}") or b""
                shown.append(_info(kind, each, secret, current=each == current))
        return tuple(shown)

    def make(self) -> None:
        """Make whatever key is missing."""
        self._authority()
        self.signing()
        self.watermark()

    def rotate(self, *, authority: bool = False, watermark: bool = True) -> None:
        """Use new keys from now on. Old works stay verifiable; the old private keys are destroyed.

        A signing key under the user's own certificate stays: only its issuer can renew it.

        Args:
            authority: Replace the studio's authority too (others who trust it need the new certificate).
            watermark: Replace the watermark key.
        """
        old, issued = self._authority(), self.issued
        current = self._make_authority() if authority else old
        if not issued:
            self._sign_with(make_signing(current))
        if authority:
            self._secrets.put(f"authority-{old.id}", old.retired.bundle)
        if watermark:
            self._make_watermark()

    def use(self, pair: Pair) -> None:
        """Sign with the user's own certificate from now on; the private key before it is destroyed.

        Args:
            pair: From `read_certificate`.
        """
        self.make()
        self._sign_with(pair)

    def use_own(self) -> None:
        """Sign under the studio's authority again, with a new key; nothing changes where that is so already."""
        self.make()
        if self.issued:
            self._sign_with(make_signing(self._authority()))

    def backup(self, password: str) -> bytes:
        """All keys in one file sealed with a password."""
        from castalia.provenance.backup import seal

        self.make()
        names = [name for name in self._secrets.names() if name.partition("-")[0] in KINDS]
        return seal({name: secret for name in names if (secret := self._secrets.get(name))}, password)

    def restore(self, archive: bytes, password: str) -> tuple[str, ...]:
        """Take the keys of a backup in and use its current ones; keys made since are kept for verifying.

        Returns:
            The ids that were new here.

        Raises:
            UsageError: the file is no backup, damaged, or the password is wrong.
        """
        from castalia.provenance.backup import unseal

        found = unseal(archive, password)
        _check(found)
        before = {(kind, each) for kind in KINDS for each in self._ids(kind)}
        pointers = {f"{kind}-current" for kind in KINDS}
        for name in sorted(found, key=lambda name: name in pointers):  # what a pointer names comes before it
            kept = self._secrets.get(name)
            if name in pointers or kept is None or not Pair.load(kept).key:
                self._secrets.put(name, found[name])
        for name, secret in found.items():
            if name not in pointers and not name.startswith("watermark"):
                self._publish(Pair.load(secret))
        self._signing = None
        return tuple(each for kind in KINDS for each in self._ids(kind) if (kind, each) not in before)

    # ------------------------------------------------------------ inside

    def _ids(self, kind: Kind) -> list[str]:
        names = (name.removeprefix(f"{kind}-") for name in self._secrets.names() if name.startswith(f"{kind}-"))
        return [name for name in names if name != "current"]

    def _current(self, kind: Kind) -> bytes | None:
        pointer = self._secrets.get(f"{kind}-current")
        return self._secrets.get(f"{kind}-{pointer.decode()}") if pointer else None

    def _use(self, kind: Kind, name: str, secret: bytes) -> None:
        self._secrets.put(f"{kind}-{name}", secret)
        self._secrets.put(f"{kind}-current", name.encode())

    def _authority(self) -> Pair:
        bundle = self._current("authority")
        return Pair.load(bundle) if bundle else self._make_authority()

    def _make_authority(self) -> Pair:
        made = make_authority()
        self._use("authority", made.id, made.bundle)
        self._publish(made)
        return made

    def _sign_with(self, pair: Pair) -> Pair:
        """Use a signing key; the one before it only verifies from then on."""
        old = self._current("signing")
        self._publish(pair)
        self._use("signing", pair.id, pair.bundle)
        if old and (before := Pair.load(old)).id != pair.id:
            self._secrets.put(f"signing-{before.id}", before.retired.bundle)
        self._signing = pair
        return pair

    def _make_watermark(self) -> bytes:
        secret = secrets.token_bytes(32)
        self._use("watermark", hashlib.sha256(secret).hexdigest()[:16], secret)
        return secret

    def _publish(self, pair: Pair) -> None:
        """Write the certificates, and those of the authority as an anchor, unless they are there."""
        for path, content in (
            (self._folder / f"authority-{pair.issuer_id}.pem", pair.issuer),
            (self._folder / f"signing-{pair.id}.pem", pair.certificates),
        ):
            if not path.exists() and not (pair.id == pair.issuer_id and path.name.startswith("signing")):
                write_atomic(path, content)


def anchors_in(folder: Path) -> bytes:
    """Certificates (PEM) of the authorities in a folder; empty when there are none."""
    try:
        return b"".join(path.read_bytes() for path in sorted(folder.glob("authority-*.pem")))
    except OSError:
        return b""


def _info(kind: Kind, name: str, secret: bytes, *, current: bool) -> KeyInfo:
    if kind == "watermark":
        return KeyInfo(kind, name, current, usable=True, fingerprint=hashlib.sha256(secret).hexdigest())
    pair = Pair.load(secret)
    return KeyInfo(
        kind,
        name,
        current,
        usable=bool(pair.key),
        fingerprint=pair.fingerprint,
        name=pair.name,
        made=pair.leaf.not_valid_before_utc.date().isoformat(),
        expires=pair.leaf.not_valid_after_utc.date().isoformat(),
    )


def _check(found: Mapping[str, bytes]) -> None:
    """Raise `UsageError` when a backup holds anything that is not a key by its own name."""
    for name, secret in found.items():
        kind, _, each = name.partition("-")
        try:
            if each == "current":
                right = f"{kind}-{secret.decode()}" in found
            elif kind == "watermark":
                right = hashlib.sha256(secret).hexdigest()[:16] == each and len(secret) == 32
            else:
                right = kind in KINDS and Pair.load(secret).id == each
        except ValueError:
            right = False
        if not right:
            raise UsageError(
                say("The backup holds something that is not a key: {name}.", "备份中有非密钥内容：{name}。", name=name)
            )
