"""The vault: a random library key, wrapped for each way of opening it, and small secrets sealed under it.

Wrapping: AES-256-GCM (NIST SP 800-38D) under a key that comes from a password or recovery code by Argon2id (RFC 9106,
second recommended setting: 64 MiB, 3 passes, 4 lanes), or from a key file that only this user may read. Losing every
way in loses the works: there is no back door.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from castalia.core.errors import LockedError, StorageError, UsageError
from castalia.core.files import make_folder, storage_error, write_atomic
from castalia.core.language import say

_KEY_BYTES = 32
_CODE_ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"

Way = Literal["file", "password", "recovery"]


class _Wrap(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    way: Way
    salt: str = ""
    sealed: str


class _Ring(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    wraps: Annotated[tuple[_Wrap, ...], Field(min_length=1)]


class Vault:
    """An opened vault; a `SecretStore`. Make one with `Vault.open`."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key

    @classmethod
    def open(cls, data: Path, password: str | None = None) -> Vault:
        """Open the vault in a data folder; the first time, make it.

        Args:
            data: The data folder; the vault is its subfolder `vault`.
            password: The user's password or recovery code; the first time, None makes a vault that opens with a key
                file.

        Raises:
            LockedError: it wants a password, or this one is wrong.
            StorageError: the folder cannot be written, or the vault's file is damaged.
        """
        folder = make_folder(data / "vault", private=True)
        try:
            with FileLock(folder / ".lock"):
                if not (folder / "ring.json").exists():
                    return cls._make(folder, password)
        except OSError as error:
            raise storage_error(error, folder) from error
        return cls(folder, _opened(_ring(folder), folder, password))

    @classmethod
    def make(cls, data: Path, password: str) -> tuple[Vault, str]:
        """Make a vault with a password in a data folder that has none.

        Returns:
            It, and the recovery code, shown this once.

        Raises:
            UsageError: the password is empty.
            StorageError: the folder cannot be written.
        """
        vault = cls(make_folder(data / "vault", private=True), secrets.token_bytes(_KEY_BYTES))
        return vault, vault.set_password(password)

    @classmethod
    def _make(cls, folder: Path, password: str | None) -> Vault:
        vault = cls(folder, secrets.token_bytes(_KEY_BYTES))
        if password is None:
            local = secrets.token_bytes(_KEY_BYTES)
            write_atomic(folder / "key", local, private=True)
            vault._write((_Wrap(way="file", sealed=_seal(local, vault._key, b"file")),))
        else:
            vault._write((_by_words("password", password, vault._key),))
        return vault

    @staticmethod
    def stretch(password: str) -> None:
        """Take as long as `open` takes to find a password wrong."""
        for _ in range(2):  # as a password, and as a recovery code
            _stretched(password, bytes(16))

    @classmethod
    def open_with(cls, data: Path, token: str, sealed: bytes) -> Vault:
        """Open the vault in a data folder with a random token, such as an API key.

        Args:
            data: The data folder.
            token: At least 128 random bits, so that nothing has to be stretched.
            sealed: What `sealed_for` gave for it.

        Raises:
            LockedError: it was sealed for another token.
        """
        try:
            return cls(data / "vault", AESGCM(_of_token(token)).decrypt(sealed[:12], sealed[12:], b"token"))
        except (InvalidTag, ValueError) as error:
            raise LockedError(
                say("This key does not open the library.", "此密钥无法打开作品库。"),
                hint=say("Log in, and make another.", "请登录并另建密钥。"),
            ) from error

    def sealed_for(self, token: str) -> bytes:
        """The vault's key, wrapped by a random token; whoever holds both opens the vault (see `open_with`)."""
        return _seal_raw(_of_token(token), self._key, b"token")

    def seal(self, content: bytes, purpose: str) -> bytes:
        """Bytes that lie outside the vault, encrypted for its owner alone; `purpose` must be named again."""
        return _seal_raw(self._subkey, content, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """What `seal` was given.

        Raises:
            LockedError: it was sealed by another vault, for another purpose, or is damaged.
        """
        try:
            return AESGCM(self._subkey).decrypt(sealed[:12], sealed[12:], purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise LockedError(
                say("This vault does not open what was sealed.", "此密钥库无法打开被加密的内容。"),
                hint=say("It has not been changed.", "该内容未被改动。"),
            ) from error

    @property
    def library_key(self) -> bytes:
        """The key of the library's database: 32 bytes, derived from the vault's."""
        return hashlib.blake2b(self._key, digest_size=_KEY_BYTES, person=b"castalia-library"[:16]).digest()

    def protection(self) -> str:
        """What opens the vault and what that does not protect against, in one sentence."""
        if any(wrap.way == "file" for wrap in _ring(self._folder).wraps):
            return say(
                "opened by a key file that only your account can read: protects a copied library or backup, "
                "not against whoever acts as you on this machine (`castalia keys password` sets a password)",
                "由仅您的账户可读的密钥文件打开：可保护被复制的作品库或备份，但无法防范在本机以您身份操作的人"
                "（`castalia keys password` 可设置密码）",
            )
        return say(
            "opened by your password: protects everything at rest, not while the studio runs",
            "由您的密码打开：保护静态数据，但不保护运行中的内容",
        )

    def set_password(self, password: str) -> str:
        """Protect the vault with a password instead of the key file (or the password before).

        Returns:
            A new recovery code, shown this once; the one before stops working.

        Raises:
            UsageError: the password is empty.
        """
        if not password:
            raise UsageError(say("The password is empty.", "密码为空。"), hint=say("Choose another.", "请另选。"))
        code = "-".join("".join(secrets.choice(_CODE_ALPHABET) for _ in range(5)) for _ in range(6))
        self._write((_by_words("password", password, self._key), _by_words("recovery", _plain(code), self._key)))
        (self._folder / "key").unlink(missing_ok=True)
        return code

    @contextmanager
    def locked(self) -> Generator[None]:
        """Hold off other processes that make or change secrets; not to be nested."""
        try:
            with FileLock(self._folder / ".lock"):
                yield
        except OSError as error:
            raise storage_error(error, self._folder) from error

    # ------------------------------------------------------------ SecretStore

    def get(self, name: str) -> bytes | None:
        """See `SecretStore.get`. Raises `StorageError` when the sealed file is damaged."""
        path = self._path(name)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error(error, path) from error
        return _unsealed(self._subkey, sealed, path)[len(name.encode()) + 1 :]

    def put(self, name: str, secret: bytes) -> None:
        """See `SecretStore.put`."""
        sealed = _seal_raw(self._subkey, name.encode() + b"\0" + secret, self._path(name).name.encode())
        make_folder(self._folder / "secrets", private=True)
        write_atomic(self._path(name), sealed, private=True)

    def remove(self, name: str) -> bool:
        """Delete a secret; whether there was one."""
        path = self._path(name)
        there = path.exists()
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error
        return there

    def names(self) -> Sequence[str]:
        """See `SecretStore.names`."""
        found: list[str] = []
        for path in (self._folder / "secrets").glob("*.sealed"):
            with suppress(FileNotFoundError):  # another process has just removed it
                found.append(_unsealed(self._subkey, path.read_bytes(), path).partition(b"\0")[0].decode())
        return sorted(found)

    # ------------------------------------------------------------ within

    @property
    def _subkey(self) -> bytes:
        return hashlib.blake2b(self._key, digest_size=_KEY_BYTES, person=b"castalia-secret").digest()

    def _path(self, name: str) -> Path:
        tag = hashlib.blake2b(name.encode(), key=self._subkey, digest_size=16).hexdigest()
        return self._folder / "secrets" / f"{tag}.sealed"

    def _write(self, wraps: tuple[_Wrap, ...]) -> None:
        write_atomic(self._folder / "ring.json", _Ring(wraps=wraps).model_dump_json(indent=1).encode(), private=True)


def _ring(folder: Path) -> _Ring:
    path = folder / "ring.json"
    try:
        return _Ring.model_validate_json(path.read_bytes())
    except OSError as error:
        raise storage_error(error, path) from error
    except ValidationError as error:
        raise _damaged(path) from error


def _opened(ring: _Ring, folder: Path, password: str | None) -> bytes:
    for wrap in ring.wraps:
        try:
            if wrap.way == "file":
                return _unseal((folder / "key").read_bytes(), wrap.sealed, b"file")
            if password is not None:
                words = _plain(password) if wrap.way == "recovery" else password
                return _unseal(_stretched(words, base64.b64decode(wrap.salt)), wrap.sealed, wrap.way.encode())
        except InvalidTag:
            continue
        except (OSError, ValueError) as error:
            raise _damaged(folder / "key") from error
    if password is None:
        raise LockedError(
            say("The vault wants a password.", "密钥库需要密码。"),
            hint=say("Set CASTALIA_PASSWORD, or enter it when asked.", "请设置 CASTALIA_PASSWORD，或按提示输入。"),
        )
    raise LockedError(
        say("Neither the password nor the recovery code is right.", "密码和恢复码都不正确。"),
        hint=say("Try again; the recovery code has six groups of five.", "请重试；恢复码为六组、每组五个字符。"),
    )


def _by_words(way: Way, words: str, key: bytes) -> _Wrap:
    salt = secrets.token_bytes(16)
    sealed = _seal(_stretched(words, salt), key, way.encode())
    return _Wrap(way=way, salt=base64.b64encode(salt).decode(), sealed=sealed)


def _stretched(words: str, salt: bytes) -> bytes:
    return hash_secret_raw(
        words.encode(), salt, time_cost=3, memory_cost=65_536, parallelism=4, hash_len=_KEY_BYTES, type=Type.ID
    )


def _of_token(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=_KEY_BYTES, person=b"castalia-token").digest()


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter in _CODE_ALPHABET)


def _seal(key: bytes, secret: bytes, bound: bytes) -> str:
    return base64.b64encode(_seal_raw(key, secret, bound)).decode()


def _unseal(key: bytes, sealed: str, bound: bytes) -> bytes:
    raw = base64.b64decode(sealed)
    return AESGCM(key).decrypt(raw[:12], raw[12:], bound)


def _seal_raw(key: bytes, secret: bytes, bound: bytes) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(key).encrypt(nonce, secret, bound)


def _unsealed(key: bytes, sealed: bytes, path: Path) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], path.name.encode())
    except (InvalidTag, ValueError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> StorageError:
    return StorageError(
        say("{path} is damaged or belongs to another vault.", "{path} 已损坏，或属于另一个密钥库。", path=path),
        hint=say("Restore it from a backup; it has not been changed.", "请从备份恢复；该文件未被改动。"),
    )
