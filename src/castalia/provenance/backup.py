"""A backup of keys: a JSON object sealed with AES-256-GCM under a key that Argon2id makes of a password.

Layout: magic, 16 bytes salt, 12 bytes nonce, ciphertext. The cost is part of the version that the magic names, so
that a hostile file cannot ask for gigabytes.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from typing import cast

from castalia.core.errors import UsageError
from castalia.core.language import say

_MAGIC = b"castalia keys 1\n"
_LONGEST = 4_000_000
SHORTEST_PASSWORD = 8
"""Characters."""


def seal(found: Mapping[str, bytes], password: str) -> bytes:
    """Seal secrets by name.

    Raises:
        UsageError: the password is too short.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(password) < SHORTEST_PASSWORD:
        raise UsageError(
            say(
                "The backup's password has {n} characters; it needs {least}.",
                "备份密码只有 {n} 个字符，至少需要 {least} 个。",
                n=len(password),
                least=SHORTEST_PASSWORD,
            )
        )
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    plain = json.dumps({name: base64.b64encode(secret).decode() for name, secret in found.items()}).encode()
    return _MAGIC + salt + nonce + AESGCM(_key(password, salt)).encrypt(nonce, plain, _MAGIC)


def unseal(archive: bytes, password: str) -> dict[str, bytes]:
    """Open what `seal` wrote.

    Raises:
        UsageError: no backup of ours, damaged, or the wrong password.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    start = len(_MAGIC)
    if not archive.startswith(_MAGIC) or not start + 44 <= len(archive) <= _LONGEST:
        raise UsageError(say("This file is no backup of Castalia's keys.", "该文件不是 Castalia 的密钥备份。"))
    salt, nonce, sealed = archive[start : start + 16], archive[start + 16 : start + 28], archive[start + 28 :]
    try:
        plain = AESGCM(_key(password, salt)).decrypt(nonce, sealed, _MAGIC)
    except InvalidTag as error:
        raise UsageError(
            say("The password is wrong or the backup is damaged.", "密码错误，或备份已损坏。"),
            hint=say("Try the password again; use another copy.", "请重试密码，或使用另一份备份。"),
        ) from error
    found = cast("dict[str, str]", json.loads(plain))
    return {name: base64.b64decode(secret) for name, secret in found.items()}


def _key(password: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    return Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=64 * 1024).derive(password.encode())
