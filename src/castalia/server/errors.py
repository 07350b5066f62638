"""Errors as OpenAI's clients expect them: `{"error": {message, type, code, param}}`, and `hint`, the next step."""

from __future__ import annotations

import sys
import traceback
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from castalia.core.errors import (
    CastaliaError,
    EngineError,
    LockedError,
    MissingError,
    RefusedError,
    StorageError,
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

    async def malformed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(each) for each in first["loc"] if each not in ("body", "query", "path"))
        return JSONResponse(body(400, f"{place}: {first['msg']}", "invalid_value", param=place), 400)

    async def unwritable(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, UnicodeEncodeError)  # half a character, as JSON can name one (`"\\ud800"`)
        return JSONResponse(body(400, say("A text has half a character.", "文本中有不完整的字符。"), "malformed"), 400)

    async def plain(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        return JSONResponse(body(error.status_code, str(error.detail), "http"), error.status_code, error.headers)

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(CastaliaError, failed)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(UnicodeEncodeError, unwritable)
    app.add_exception_handler(HTTPException, plain)
