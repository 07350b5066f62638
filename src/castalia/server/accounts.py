"""Who may come in: accounts, sessions, API keys, and the vault that each of them opens.

A password is stored nowhere, hashed or not: the account's vault opens with it, or it is wrong. Sessions and keys are
256 random bits, of which the server keeps a SHA-256 and the vault's key wrapped by them; so nothing on disk opens a
library without what its owner holds, and nobody who runs the server can read it while they are away.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore

from castalia.core.errors import LockedError, UsageError
from castalia.core.language import say
from castalia.privacy import Vault
from castalia.server.errors import Refusal
from castalia.server.store import Account, Store, Token

SCOPES = ("read", "write", "account")
"""See works and jobs; make, change and delete them; change password and keys, which sessions alone may."""
SESSION_SECONDS = 14 * 86_400
_INVITATION_SECONDS = 7 * 86_400
_SHORTEST = 10
"""Characters of a password."""
_NAME = re.compile(r"[\w][\w .@+-]{0,62}[\w]|[\w]")
_WINDOW = 15 * 60
"""Seconds in which failed logins are counted."""
_MOST = (5, 20, 100)
"""Of them for a name from one address, from one address, and for a name from everywhere."""


@dataclass(frozen=True)
class Caller:
    """Who a request comes from."""

    account: Account
    token: Token
    vault: Vault
    csrf: str
    """What a page sends along to prove that the request is its own; of keys empty."""

    def may(self, scope: str) -> bool:
        """Whether this way in allows that."""
        return scope in self.token.scopes


@dataclass(frozen=True)
class Entered:
    """A way in that was just made: the token is shown this once."""

    token: str
    kept: Token
    account: Account
    vault: Vault


class Accounts:
    """See the module.

    Args:
        store: The server's database.
        folder: Where each account has a folder of its own.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._folder = store, folder
        self._stretching = Semaphore(2)  # each costs 64 MiB

    def home(self, account: str) -> Path:
        """The data folder of an account."""
        return self._folder / account

    def anchors(self) -> bytes:
        """Certificates (PEM) of every account's authority: works of this server are trusted by all of it."""
        return b"".join(each.read_bytes() for each in sorted(self._folder.glob("*/certificates/authority-*.pem")))

    # ------------------------------------------------------------ coming in

    def sign_up(self, name: str, password: str, invitation: str, address: str) -> tuple[Entered, str]:
        """Make an account: the first needs no invitation, and becomes the administrator.

        Returns:
            A session, and the recovery code of its library, shown this once.

        Raises:
            UsageError: name or password does not do.
            Refusal: the name is taken, or the invitation does not hold.
        """
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise UsageError(
                say("{name!r} is no name for an account.", "{name!r} 不能作为账户名。", name=name[:70]),
                hint=say("1 to 64 letters, digits and . _ - + @", "1 至 64 个字母、数字或 . _ - + @"),
            )
        _check(password)
        id_ = uuid.uuid4().hex
        code = _digest(invitation) if invitation else None
        account = self._store.add_account(id_, name, code)
        if account is None:
            self._store.note("sign-up refused", detail=name, address=address)
            raise Refusal(
                403,
                "invitation_required",
                say(
                    "The invitation does not hold, or the name is taken.",
                    "邀请码无效，或该名称已被使用。",
                ),
                hint=say("Ask the administrator for an invitation.", "请向管理员索取邀请码。"),
            )
        try:
            with self._stretching:
                vault, recovery = Vault.make(self.home(id_), password)
        except BaseException:
            self._store.remove_account(id_)
            shutil.rmtree(self.home(id_), ignore_errors=True)
            raise
        self._store.note("account made", account=id_, detail=name, address=address)
        return self._session(account, vault), recovery

    def log_in(self, name: str, password: str, address: str) -> Entered:
        """A session for somebody who knows the password or the recovery code.

        Raises:
            Refusal: one of them is wrong, or there were too many attempts.
        """
        name = name.strip()[:64]
        self._hold_off(name, address)
        account = self._store.account(name)
        try:
            with self._stretching:
                if (
                    account is None
                    or not account.enabled
                    or not (self.home(account.id) / "vault" / "ring.json").exists()
                ):
                    Vault.stretch(password)  # takes as long as for an account that is there
                    raise LockedError("")
                vault = Vault.open(self.home(account.id), password)
        except LockedError as error:
            self._store.note("login failed", detail=name.casefold(), address=address)
            raise Refusal(
                401,
                "invalid_login",
                say("Name or password is wrong.", "名称或密码不正确。"),
                hint=say("The recovery code serves as a password too.", "恢复码也可当作密码使用。"),
            ) from error
        self._store.note("login", account=account.id, address=address)
        return self._session(account, vault)

    def caller(self, token: str) -> Caller | None:
        """Who holds this token; None for nobody."""
        found = self._store.find_token(_digest(token))
        if found is None:
            return None
        kept, account = found
        vault = Vault.open_with(self.home(account.id), token, kept.sealed)
        if time.time() - (kept.used or 0) > 60:
            self._store.touch_token(kept.id)
        return Caller(account, kept, vault, csrf_of(token) if kept.kind == "session" else "")

    def log_out(self, caller: Caller) -> None:
        """End this session."""
        self._store.remove_token(caller.account.id, caller.token.id)

    # ------------------------------------------------------------ care

    def change_password(self, caller: Caller, old: str, new: str, address: str) -> str:
        """Another password; other sessions end, keys stay.

        Returns:
            The new recovery code.

        Raises:
            Refusal: the old one is wrong, or there were too many attempts.
            UsageError: the new one is too short.
        """
        _check(new)
        self._hold_off(caller.account.name, address)
        with self._stretching:
            try:
                vault = Vault.open(self.home(caller.account.id), old)
            except LockedError as error:
                self._store.note("login failed", detail=caller.account.name.casefold(), address=address)
                raise Refusal(403, "invalid_login", say("The password is wrong.", "密码不正确。")) from error
            code = vault.set_password(new)
        self._store.remove_sessions(caller.account.id, but=caller.token.id)
        self._store.note("password changed", account=caller.account.id, address=address)
        return code

    def make_key(
        self, caller: Caller, name: str, scopes: Sequence[str], seconds: float | None, address: str
    ) -> Entered:
        """An API key.

        Raises:
            UsageError: there is no such scope.
        """
        if not scopes or not set(scopes) <= {*SCOPES[:2]}:
            raise UsageError(
                say("{scopes} are no scopes of a key.", "{scopes} 不是密钥的权限。", scopes=", ".join(scopes)),
                hint=say("Use read, write, or both.", "可用 read、write 或两者。"),
            )
        made = self._token("key", caller.account, caller.vault, name.strip()[:64], tuple(scopes), seconds)
        self._store.note("key made", account=caller.account.id, detail=made.kept.id, address=address)
        return made

    def invite(self, caller: Caller, address: str) -> str:
        """A code with which one more person may sign up."""
        code = "ci-" + secrets.token_urlsafe(24)
        self._store.invite(_digest(code), _INVITATION_SECONDS)
        self._store.note("invitation made", account=caller.account.id, address=address)
        return code

    def remove(self, account: Account, by: Caller, address: str) -> None:
        """Delete an account and everything it has, for good."""
        self._store.remove_account(account.id)
        shutil.rmtree(self.home(account.id), ignore_errors=True)
        self._store.note("account removed", account=by.account.id, detail=account.name, address=address)

    # ------------------------------------------------------------ within

    def _hold_off(self, name: str, address: str) -> None:
        """Raise `Refusal` where somebody has guessed too often."""
        counted = self._store.failures(time.time() - _WINDOW, name=name.casefold(), address=address)
        if any(found >= most for found, most in zip(counted, _MOST, strict=True)):
            self._store.note("login held off", detail=name.casefold(), address=address)
            raise Refusal(
                429,
                "too_many_attempts",
                say("Too many failed logins.", "登录失败次数过多。"),
                hint=say("Wait a quarter of an hour.", "请等待一刻钟。"),
                retry_after=_WINDOW,
            )

    def _session(self, account: Account, vault: Vault) -> Entered:
        return self._token("session", account, vault, "", SCOPES, SESSION_SECONDS)

    def _token(
        self, kind: str, account: Account, vault: Vault, name: str, scopes: tuple[str, ...], seconds: float | None
    ) -> Entered:
        secret = ("ck-" if kind == "key" else "cs-") + secrets.token_urlsafe(32)
        kept = Token(
            id=secrets.token_hex(6),
            account=account.id,
            kind="key" if kind == "key" else "session",
            name=name,
            sealed=vault.sealed_for(secret),
            scopes=scopes,
            created=time.time(),
            expires=None if seconds is None else time.time() + seconds,
            used=None,
        )
        self._store.add_token(kept, _digest(secret))
        return Entered(secret, kept, account, vault)


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def csrf_of(token: str) -> str:
    """What the page that holds a session sends along with each change."""
    return hashlib.blake2b(token.encode(), digest_size=16, person=b"castalia-csrf").hexdigest()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _check(password: str) -> None:
    if not _SHORTEST <= len(password) <= 1000:
        raise UsageError(
            say(
                "A password has at least {n} characters.",
                "密码至少 {n} 个字符。",
                n=_SHORTEST,
            ),
            hint=say("Several words are easy to keep in mind.", "几个词连在一起更容易记住。"),
        )
