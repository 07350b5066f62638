"""The OpenAPI description: every answer that is an error, in the shape that all of them have."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field

_ERRORS = {
    400: "a field is missing, wrong or not supported: `invalid_value`, `unsupported_parameter`, `malformed`",
    401: "nobody is logged in, or the key is not valid: `no_credentials`, `invalid_login`, `locked`",
    403: "this key or account may not: `scope`, `not_administrator`, `csrf`, `foreign_origin`, `invitation_required`",
    404: "there is none of that name: `no_work`, `no_job`, `no_genre`, `no_model`, `model_not_found`, `http`",
    405: "not this method: `http`",
    409: "it is not in a state for that: `cancelled`, `not_ended`",
    413: "larger than may be sent: `too_large`",
    415: "neither JSON nor a form: `media_type`",
    421: "this server has another name: `unknown_host`",
    422: "a work was made and broke a rule, which the message names: `refused`",
    429: "too much at once; `Retry-After` says when: `too_many_jobs`, `too_many_requests`, `quota_jobs`",
    499: "whoever asked went away: `gone`",
    500: "something inside went wrong: `internal`, `failed`, `engine_failed`",
    501: "a part is not installed; `hint` has the command: `not_installed`",
    503: "busy; `Retry-After` says when: `busy`, `engine_failed`",
    507: "the disk or the account's share of it is full: `storage_failed`",
}


STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/json": {}, "text/event-stream": {}},
        "description": "The answer, or with `stream` its events",
    }
}
"""Of calls that answer in one piece or as server-sent events."""


class Problem(BaseModel):
    """What went wrong."""

    message: str = Field(description="the rule and the value that broke it, in the language that was asked for")
    type: str = Field(description="as OpenAI names it, such as invalid_request_error")
    code: str = Field(description="stable name")
    param: str | None = Field(description="the field that it is about")
    hint: str = Field("", description="the next step")


class ErrorAnswer(BaseModel):
    """Every error of every call."""

    error: Problem


def describe(app: FastAPI) -> None:
    """Make an app say in its description how it answers errors."""

    def made() -> dict[str, Any]:
        if app.openapi_schema is None:
            told = get_openapi(title=app.title, version=app.version, routes=app.routes, description=_told())
            shapes = ErrorAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas: dict[str, Any] = told["components"]["schemas"]
            schemas |= {**shapes.pop("$defs"), "ErrorAnswer": shapes}
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
            content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
            for calls in told["paths"].values():
                for call in calls.values():
                    call["responses"].pop("422", None)  # FastAPI's own, which is never sent
                    for name in ("4XX", "5XX"):
                        call["responses"][name] = {"description": "An error; see above", "content": content}
            app.openapi_schema = told
        return app.openapi_schema

    app.openapi = made


def _told() -> str:
    rows = "\n".join(f"- {status}: {why}" for status, why in _ERRORS.items())
    return (
        "The studio's own interface (`/api`) and OpenAI's (`/v1`). Every error is "
        '`{"error": {"message", "type", "code", "param", "hint"}}`:\n\n' + rows
    )
