"""The gate that every request passes before anything of its body is read: host, origin, size, who it is.

An ASGI middleware rather than dependencies of the routes, because those run when a body is already in memory.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from castalia.core import language
from castalia.core.errors import CastaliaError
from castalia.core.language import say
from castalia.provenance import LONGEST
from castalia.server.accounts import Accounts, Caller, same
from castalia.server.errors import Refusal, broken
from castalia.server.jobs import Jobs
from castalia.server.metrics import Metrics
from castalia.server.quotas import Rates
from castalia.server.settings import ServerSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "castalia_session"
CSRF_HEADER = "x-csrf-token"
_STRANGERS = 16_384
"""Bytes of a request from nobody who is known: a login."""
_USUAL = 2_000_000
_LARGE = (
    ("/api/verify", 2 * LONGEST + 10_000),
    *((path, 60_000_000) for path in ("/api/works", "/api/collections", "/v1/images/edits", "/v1/files")),
)
"""Bytes of requests that bring files, by the beginning of their path."""
_ONCE = (
    "authorization",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "origin",
    "transfer-encoding",
    CSRF_HEADER,
)
"""Headers that a proxy in front might read otherwise than we do when they come twice."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Gate:
    """See the module."""

    def __init__(self, app: App, settings: ServerSettings, accounts: Accounts, jobs: Jobs, metrics: Metrics) -> None:
        self._app, self._settings, self._accounts, self._jobs, self._metrics = app, settings, accounts, jobs, metrics
        self._rates = Rates()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if self._settings.secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
                if scope["path"].startswith(("/api/", "/v1/")):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            headers = Headers(scope=scope)
            language.use(_language(headers))
            most = self._let_in(scope, headers)
            caller: Caller | None = scope["state"]["caller"]
            with self._rates.inside(caller.account.id if caller else "", self._settings.most_at_once):
                await self._app(scope, _limited(receive, most), answer)
        except Refusal as refusal:
            await refusal.response()(scope, receive, answer)
        except ClientDisconnect:
            pass
        except Exception as error:  # or uvicorn would write its message, which may quote somebody's words
            response = broken(error)
            if status is None:
                await response(scope, receive, answer)
        finally:
            self._metrics.request(scope, status or 500, time.monotonic() - began)

    def _let_in(self, scope: Scope, headers: Headers) -> int:
        """Bytes that the request may bring.

        Raises:
            Refusal: it is not for this server, forged, too large, or one too many.
        """
        if any(len(headers.getlist(name)) > 1 for name in _ONCE) or (
            "transfer-encoding" in headers and "content-length" in headers
        ):
            raise Refusal(
                400,
                "ambiguous",
                say("A header is there twice, or says two things.", "有请求头重复或相互矛盾。"),
                hint=say("Send it once.", "请只发送一次。"),
                close=True,
            )
        host = headers.get("host", "")
        if not self._settings.knows(host):
            raise Refusal(
                421,
                "unknown_host",
                say("This server is not {host!r}.", "此服务器不是 {host!r}。", host=host[:100]),
                hint=say("castalia serve --url names its address.", "请用 castalia serve --url 指定其地址。"),
            )
        changes = scope["method"] not in ("GET", "HEAD", "OPTIONS")
        origin = headers.get("origin")
        if changes and origin is not None and not self._own(origin, host):
            raise Refusal(403, "foreign_origin", say("A page of another site asked.", "请求来自其他网站的页面。"))
        caller, by_cookie = self._caller(headers)
        if caller and by_cookie and changes and not same(headers.get(CSRF_HEADER, ""), caller.csrf):
            raise Refusal(
                403,
                "csrf",
                say("The header {name} is missing or wrong.", "缺少请求头 {name} 或其值有误。", name="X-CSRF-Token"),
                hint="GET /api/session",
            )
        most = self._settings.most_requests
        if caller:
            self._rates.check(caller.account.id, most)
        else:
            self._rates.check(str((scope.get("client") or ("",))[0]), -(-most // 5))
        scope.setdefault("state", {})["caller"] = caller
        if caller:
            self._jobs.present(caller)
        most = _most(scope["path"]) if caller else _STRANGERS
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > most:
            raise _too_large(most)
        return most

    def _own(self, origin: str, host: str) -> bool:
        try:
            named = urlsplit(origin).netloc
        except ValueError:
            return False
        return named == host or (bool(self._settings.url) and named == urlsplit(self._settings.url).netloc)

    def _caller(self, headers: Headers) -> tuple[Caller | None, bool]:
        """(who it is, whether a cookie says so); a key goes before a cookie."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if token and scheme.lower() == "bearer":
            return self._known(token.strip()), False
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return None, False
        caller = self._known(cookie.value) if cookie else None
        return (caller, True) if caller and caller.token.kind == "session" else (None, False)

    def _known(self, token: str) -> Caller | None:
        try:
            return self._accounts.caller(token) if token.isascii() and len(token) < 100 else None
        except CastaliaError:
            return None


def _most(path: str) -> int:
    return next((most for begin, most in _LARGE if path.startswith(begin)), _USUAL)


def _limited(receive: Receive, most: int) -> Receive:
    """The body, up to a limit that a request without a length cannot pass either."""
    read = 0

    async def next_part() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > most:
            refusal = _too_large(most)
            raise HTTPException(refusal.status, refusal.message)
        return message

    return next_part


def _too_large(most: int) -> Refusal:
    return Refusal(
        413,
        "too_large",
        say("The request is larger than {n:,} bytes.", "请求大于 {n:,} 字节。", n=most),
        hint=say("Log in first, or send less.", "请先登录，或减少内容。"),
    )


def _language(headers: Headers) -> str:
    """The first language that the request asks for and we speak."""
    for each in headers.get("accept-language", "").lower().split(","):
        if each.strip()[:2] in ("en", "zh"):
            return each.strip()[:2]
    return ""
