"""Errors as OpenAI's clients expect them: `{"error": {message, type, code, param}}`, and `hint`, the next step."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount

from castalia.core.errors import (
    CastaliaError,
    EngineError,
    LockedError,
    MissingError,
    RefusedError,
    StorageError,
    TooLongError,
    UsageError,
)
from castalia.core.language import say

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    422: "refused_error",
    429: "rate_limit_error",
    501: "not_installed_error",
}

_FIELD = re.compile(r"[a-z_][a-z0-9_]*|\d+")


class Refusal(Exception):  # noqa: N818 - what it is, as everywhere here
    """The server itself says no.

    Args:
        status: HTTP status.
        code: Stable name.
        message: The rule and the value.
        hint: The next step.
        param: What of the request it is about.
        retry_after: Seconds after which it may go.
        close: Whether nothing more is read from the connection.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        hint: str = "",
        param: str = "",
        retry_after: float | None = None,
        close: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint
        self.param, self.retry_after, self.close = param, retry_after, close

    def as_json(self) -> dict[str, Any]:
        """The body."""
        return body(self.status, self.message, self.code, hint=self.hint, param=self.param)

    def response(self) -> JSONResponse:
        """The whole answer."""
        headers = {} if self.retry_after is None else {"Retry-After": str(max(1, round(self.retry_after)))}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        if self.close:
            headers["Connection"] = "close"
        return JSONResponse(self.as_json(), self.status, headers)


def body(status: int, message: str, code: str, *, hint: str = "", param: str = "") -> dict[str, Any]:
    """An error's body."""
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    error: dict[str, Any] = {"message": message, "type": kind, "code": code, "param": param or None}
    return {"error": error | ({"hint": hint} if hint else {})}


def refusal_of(error: CastaliaError) -> Refusal:
    """What a studio's error is over HTTP."""
    match error:
        case RefusedError():
            status, code = 422, "refused"
        case TooLongError():
            status, code = 400, "context_length_exceeded"
        case UsageError():
            status, code = 400, "invalid_value"
        case LockedError():
            status, code = 401, "locked"
        case MissingError():
            status, code = 501, "not_installed"
        case EngineError():
            status, code = (503 if error.retryable else 500), "engine_failed"
        case StorageError():
            status, code = (503 if error.retryable else 507), "storage_failed"
        case _:
            status, code = 500, "failed"
    return Refusal(status, code, error.message, hint=error.hint, retry_after=5 if status == 503 else None)


def malformed(error: ValidationError) -> Refusal:
    """What is wrong with the shape of what was sent."""
    return _misshapen(cast("Sequence[Mapping[str, Any]]", error.errors(include_url=False, include_input=False)))


def _misshapen(errors: Sequence[Mapping[str, Any]]) -> Refusal:
    """Of several ways to read a request, what is wrong with the one that came furthest."""
    worst = max(errors, key=lambda each: (len(each["loc"]), not each["type"].endswith("_type")))
    if worst["type"] == "json_invalid":
        why = worst.get("ctx", {}).get("error", "")
        return Refusal(400, "malformed", say("That is no JSON: {why}.", "不是有效的 JSON：{why}。", why=why))
    # Between the names of fields pydantic puts those of its own branches: `str`, `list[Text]`, `Choice`.
    named = [each for each in map(str, worst["loc"]) if _FIELD.fullmatch(each) and each not in ("str", "int", "float")]
    place, why = ".".join(named), str(worst["msg"]).removeprefix("Value error, ")
    return Refusal(400, "invalid_value", f"{place}: {why}" if place else why, param=place)


def broken(error: Exception) -> JSONResponse:
    """An error of our own: the log says where, and not its message, which may quote somebody's words."""
    where = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"castalia: {type(error).__name__}\n{where}")
    message = say("Internal error: {kind}.", "内部错误：{kind}。", kind=type(error).__name__)
    return JSONResponse(body(500, message, "internal"), 500)


def answer_errors(app: FastAPI) -> None:
    """Make an app answer every error in this shape."""

    async def refused(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Refusal)
        return error.response()

    async def failed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, CastaliaError)
        return refusal_of(error).response()

    async def misshapen(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return _misshapen([{**each, "loc": each["loc"][1:]} for each in error.errors()]).response()

    async def unwritable(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, UnicodeEncodeError)  # half a character, as JSON can name one (`"\\ud800"`)
        return JSONResponse(body(400, say("A text has half a character.", "文本中有不完整的字符。"), "malformed"), 400)

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        path = request.url.path
        if error.status_code in (404, 405) and path.startswith(("/v1/", "/api/")):
            # Whatever is no call goes to the page's folder, which knows GET alone and says nothing of the others.
            found = [each.matches(request.scope)[0] for each in app.routes if not isinstance(each, Mount)]
            what = f"{request.method} {path[:100]}"
            why = say("There is no {what} here.", "此处没有 {what}。", what=what)
            return Refusal(405 if Match.PARTIAL in found else 404, "http", why, hint="GET /openapi.json").response()
        return JSONResponse(body(error.status_code, str(error.detail), "http"), error.status_code, error.headers)

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(CastaliaError, failed)
    app.add_exception_handler(RequestValidationError, misshapen)
    app.add_exception_handler(UnicodeEncodeError, unwritable)
    app.add_exception_handler(HTTPException, plain)
