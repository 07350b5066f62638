"""What the routes stand on, and the questions that they ask of every request: who is it, and may they."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from castalia.core import config, language
from castalia.core.language import say
from castalia.server.accounts import Accounts, Caller
from castalia.server.errors import Refusal
from castalia.server.jobs import Jobs
from castalia.server.metrics import Metrics
from castalia.server.settings import ServerSettings
from castalia.server.store import Store
from castalia.studio import Studio


class Working(Protocol):
    """Whoever does the jobs."""

    @property
    def loaded(self) -> bool:
        """Whether a language model is in memory."""
        ...

    @property
    def alive(self) -> bool:
        """Whether all work or wait for work."""
        ...


@dataclass(frozen=True)
class House:
    """The parts of one server."""

    settings: ServerSettings
    store: Store
    accounts: Accounts
    jobs: Jobs
    workers: Working
    metrics: Metrics


def house(request: Request) -> House:
    """The server that a request came to."""
    return request.app.state.house


def address(request: Request) -> str:
    """Where it came from, as far as the connection tells."""
    return request.client.host if request.client else ""


def known(request: Request) -> Caller:
    """Who it is, whatever they may."""
    caller = request.scope.get("state", {}).get("caller")
    if caller is None:
        first = not house(request).store.accounts()
        raise Refusal(
            401,
            "no_account_yet" if first else "no_credentials",
            say("Nobody is logged in, and no valid key was sent.", "尚未登录，也没有有效的密钥。"),
            hint=say("Make the first account: POST /api/accounts", "请先创建账户：POST /api/accounts")
            if first
            else say(
                "Log in (POST /api/session), or send `Authorization: Bearer KEY`.", "请登录，或在请求头中给出密钥。"
            ),
        )
    return caller


def _scoped(caller: Caller, scope: str) -> Caller:
    if not caller.may(scope):
        raise Refusal(
            403,
            "scope",
            say("This key may not: it lacks {scope}.", "此密钥没有权限：{scope}。", scope=scope),
            hint=say("Make a key with that scope, or log in.", "请创建具有该权限的密钥，或登录。"),
        )
    return caller


def _reader(caller: Annotated[Caller, Depends(known)]) -> Caller:
    return _scoped(caller, "read")


def _maker(caller: Annotated[Caller, Depends(known)]) -> Caller:
    return _scoped(caller, "write")


def _holder(caller: Annotated[Caller, Depends(known)]) -> Caller:
    return _scoped(caller, "account")


def _administrator(caller: Annotated[Caller, Depends(_holder)]) -> Caller:
    if not caller.account.admin:
        raise Refusal(403, "not_administrator", say("Only the administrator may.", "仅管理员可以。"))
    return caller


InHouse = Annotated[House, Depends(house)]
Address = Annotated[str, Depends(address)]
Reader = Annotated[Caller, Depends(_reader)]
"""Somebody who may see works."""
Maker = Annotated[Caller, Depends(_maker)]
"""Somebody who may make, change and delete them."""
Holder = Annotated[Caller, Depends(_holder)]
"""Somebody in a session, who may change the account."""
Administrator = Annotated[Caller, Depends(_administrator)]


def open_studio(at: House, caller: Caller) -> Studio:
    """The caller's own studio; who opens it closes it. It writes nothing: models are the worker's."""
    return Studio(
        data=at.accounts.home(caller.account.id), vault=caller.vault, read_files=False, lang=language.current()
    )


def _opened(at: InHouse, caller: Annotated[Caller, Depends(_reader)]) -> Iterator[Studio]:
    studio = open_studio(at, caller)
    try:
        yield studio
    finally:
        studio.close()


Opened = Annotated[Studio, Depends(_opened, scope="function")]
"""The caller's studio, closed after the route."""


def settings_for(model: str, **sampling: float | None) -> dict[str, object]:
    """What a request changes of the settings: the language model and how it is sampled.

    Args:
        model: Name of an installed model; empty or `castalia` takes the server's.
        sampling: By the names of the settings; None leaves one as it is.

    Raises:
        Refusal: no such model is installed. Paths and addresses are not looked at, whoever asks.
    """
    from castalia import models

    changed: dict[str, object] = {name: value for name, value in sampling.items() if value is not None}
    if model in ("", "castalia", config.load().config.model):
        return changed
    if model not in {each.name for each in models.installed()}:
        raise Refusal(
            404,
            "model_not_found",
            say("There is no model {model!r} here.", "此处没有模型 {model!r}。", model=model[:100]),
            hint="GET /v1/models",
            param="model",
        )
    return changed | {"model": model}
