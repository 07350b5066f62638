"""Accounts, sessions, keys and invitations."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from castalia.core.language import say
from castalia.server.accounts import SESSION_SECONDS, Caller, Entered, csrf_of
from castalia.server.errors import Refusal
from castalia.server.gate import COOKIE
from castalia.server.house import Address, Administrator, Holder, InHouse, Reader, known
from castalia.server.store import Account, Quota, Token

router = APIRouter(prefix="/api", tags=["accounts"])


class Credentials(BaseModel):
    """A name and a password."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=1000)]


class SignUp(Credentials):
    """A new account."""

    invitation: Annotated[str, Field(max_length=100)] = ""


class Passwords(BaseModel):
    """The password, and another."""

    model_config = ConfigDict(extra="forbid")
    old: Annotated[str, Field(max_length=1000)]
    new: Annotated[str, Field(max_length=1000)]


class NewKey(BaseModel):
    """What a key is to be for."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=64)] = ""
    scopes: tuple[str, ...] = ("read", "write")
    days: Annotated[float | None, Field(gt=0, le=3650)] = None


class NewQuota(BaseModel):
    """What an account may have; what is left out, as much as there is room for."""

    model_config = ConfigDict(extra="forbid")
    works: Annotated[int | None, Field(ge=0, lt=2**53, description="kept at a time")] = None
    bytes: Annotated[int | None, Field(ge=0, lt=2**53, description="on the disk")] = None
    jobs_a_day: Annotated[int | None, Field(ge=0, lt=2**53)] = None


class Change(BaseModel):
    """What an administrator may change of an account."""

    model_config = ConfigDict(extra="forbid")
    enabled: bool | None = None
    quota: NewQuota | None = None


@router.post("/accounts", status_code=201)
def sign_up(asked: SignUp, house: InHouse, address: Address, response: Response) -> dict[str, Any]:
    """Make an account and begin a session. The first becomes administrator; others bring an invitation.

    The recovery code is shown this once: without it and the password nobody can open the library any more.
    """
    entered, recovery = house.accounts.sign_up(asked.name, asked.password, asked.invitation, address)
    return _begun(entered, house, response) | {"recovery_code": recovery}


@router.get("/accounts")
def list_accounts(house: InHouse, _: Administrator) -> list[dict[str, Any]]:
    """All accounts, for the administrator; nothing of what is in them."""
    return [_account(each) | {"bytes": house.jobs.quotas.bytes(each)} for each in house.store.accounts()]


@router.patch("/accounts/{id_}")
def change_account(id_: str, asked: Change, house: InHouse, caller: Administrator, address: Address) -> dict[str, Any]:
    """Shut somebody out, or let them in again; limit what they may have, which stands in place of all limits before."""
    if asked.enabled is not None:
        account = _other(house, id_, caller)
        house.store.enable_account(account.id, enabled=asked.enabled)
        if not asked.enabled:
            house.jobs.forget(account.id)
        event = "account enabled" if asked.enabled else "account disabled"
        house.store.note(event, account=caller.account.id, detail=account.name, address=address)
    if asked.quota is not None:
        account = _found(house, id_)
        house.store.limit_account(account.id, Quota(**asked.quota.model_dump()))
        house.store.note("quota changed", account=caller.account.id, detail=account.name, address=address)
    return _account(_found(house, id_))


@router.delete("/accounts/{id_}", status_code=204)
def remove_account(id_: str, house: InHouse, caller: Administrator, address: Address) -> None:
    """Delete an account with all its works, for good."""
    account = _other(house, id_, caller)
    house.jobs.forget(account.id)
    house.accounts.remove(account, caller, address)


@router.post("/invitations", status_code=201)
def invite(house: InHouse, caller: Administrator, address: Address) -> dict[str, str]:
    """A code with which one person may make an account within a week, under a password that only they know."""
    return {"invitation": house.accounts.invite(caller, address)}


@router.get("/audit")
def audit(house: InHouse, _: Administrator, limit: Annotated[int, Field(ge=1, le=1000)] = 100) -> list[dict[str, Any]]:
    """What was done with accounts and keys, newest first."""
    return list(house.store.noted(limit=limit))


@router.post("/session")
def log_in(asked: Credentials, house: InHouse, address: Address, response: Response) -> dict[str, Any]:
    """Begin a session: a cookie, and the token that changes have to bring in `X-CSRF-Token`."""
    return _begun(house.accounts.log_in(asked.name, asked.password, address), house, response)


@router.get("/session")
def session(request: Request) -> dict[str, Any]:
    """Who this is."""
    caller = known(request)
    return _me(caller.account, caller.csrf, caller.token.scopes)


@router.delete("/session", status_code=204)
def log_out(house: InHouse, caller: Holder, response: Response) -> None:
    """End the session."""
    house.accounts.log_out(caller)
    house.jobs.leave(caller.token.id)
    response.delete_cookie(COOKIE)


@router.get("/quota")
def quota(house: InHouse, caller: Reader) -> dict[str, Any]:
    """What one has, and may have at most (`null`: as much as there is room for); jobs by the day in UTC."""
    return dict(house.jobs.quotas.seen(caller.account, caller.vault.library_key))


@router.post("/password")
def change_password(asked: Passwords, house: InHouse, caller: Holder, address: Address) -> dict[str, str]:
    """Another password. Other sessions end, keys stay; the new recovery code is shown this once."""
    return {"recovery_code": house.accounts.change_password(caller, asked.old, asked.new, address)}


@router.get("/keys")
def list_keys(house: InHouse, caller: Holder) -> list[dict[str, Any]]:
    """One's API keys, without the keys themselves."""
    return [_token(each) for each in house.store.tokens(caller.account.id, "key")]


@router.post("/keys", status_code=201)
def make_key(asked: NewKey, house: InHouse, caller: Holder, address: Address) -> dict[str, Any]:
    """An API key, shown this once. It opens the library, as the password does: keep it so."""
    seconds = asked.days * 86_400 if asked.days else None
    made = house.accounts.make_key(caller, asked.name, asked.scopes, seconds, address)
    return _token(made.kept) | {"key": made.token}


@router.delete("/keys/{id_}", status_code=204)
def revoke_key(id_: str, house: InHouse, caller: Holder, address: Address) -> None:
    """Revoke a key: it opens nothing any more, and what is written for it on an open connection ends."""
    if not house.store.remove_token(caller.account.id, id_):
        raise Refusal(404, "no_key", say("There is no key {id!r}.", "没有密钥 {id!r}。", id=id_[:50]))
    house.jobs.leave(id_)
    house.store.note("key revoked", account=caller.account.id, detail=id_, address=address)


def _begun(entered: Entered, house: InHouse, response: Response) -> dict[str, Any]:
    response.set_cookie(
        COOKIE,
        entered.token,
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        secure=house.settings.secure,
    )
    return _me(entered.account, csrf_of(entered.token), entered.kept.scopes)


def _me(account: Account, csrf: str, scopes: tuple[str, ...]) -> dict[str, Any]:
    return {"account": _account(account), "csrf": csrf, "scopes": list(scopes)}


def _account(account: Account) -> dict[str, Any]:
    shown = ("id", "name", "admin", "enabled", "created")
    return {name: getattr(account, name) for name in shown} | {"quota": asdict(account.quota)}


def _token(token: Token) -> dict[str, Any]:
    shown = ("id", "name", "scopes", "created", "expires", "used")
    return {name: getattr(token, name) for name in shown}


def _found(house: InHouse, id_: str) -> Account:
    account = house.store.account(id_)
    if account is None:
        raise Refusal(404, "no_account", say("There is no account {id!r}.", "没有账户 {id!r}。", id=id_[:50]))
    return account


def _other(house: InHouse, id_: str, caller: Caller) -> Account:
    account = _found(house, id_)
    if account.id == caller.account.id:
        raise Refusal(409, "own_account", say("That is your own account.", "这是您自己的账户。"))
    return account
