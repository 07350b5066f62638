"""What a request brings: JSON, or a form with JSON and files. Files stay in memory and are known by their bytes."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, cast

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser

from castalia.core.language import say
from castalia.server.errors import Refusal

MultiPartParser.spool_max_size = 2**40  # never onto a disk in the clear; the gate has limited the whole already

_MOST_FILES = 32
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


async def read_request(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the JSON object, files by the name of their field, several as a list), each file as `{"name", "base64"}`.

    Raises:
        Refusal: it is neither, or malformed.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return _object(await request.body()), {}
    if kind != "multipart/form-data":
        raise Refusal(
            415,
            "media_type",
            say("The request is {kind!r}.", "请求类型为 {kind!r}。", kind=kind[:80]),
            hint=say(
                "Send application/json or multipart/form-data.", "请使用 application/json 或 multipart/form-data。"
            ),
        )
    told, files = await read_form(request)
    sent: dict[str, Any] = {}
    for each in files:
        name, one = each.pop("field"), each
        before = sent.get(name)
        sent[name] = one if before is None else [*(before if isinstance(before, list) else [before]), one]
    return _object(told.get("request", "{}").encode()), sent


async def read_form(request: Request, most: int = _MOST_FILES) -> tuple[dict[str, str], list[dict[str, str]]]:
    """(words by the name of their field, files as `{"field", "name", "base64"}`) of a multipart form.

    Args:
        request: Asked so.
        most: Files that it may bring.

    Raises:
        Refusal: it is none.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Refusal(
            415,
            "media_type",
            say("The request is {kind!r}.", "请求类型为 {kind!r}。", kind=kind[:80]),
            hint=say("Send multipart/form-data.", "请使用 multipart/form-data。"),
        )
    told: dict[str, str] = {}
    files: list[dict[str, str]] = []
    async with request.form(max_files=most, max_fields=_MOST_FILES, max_part_size=2_000_000) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                content = base64.b64encode(await value.read()).decode()
                files.append({"field": name, "name": base_name(value.filename), "base64": content})
            else:
                told[name] = value
    return told, files


def base_name(name: str | None) -> str:
    """What an uploaded file is called, without folders."""
    return (name or "").replace("\\", "/").rpartition("/")[2][:200] or "-"


def _object(raw: bytes) -> dict[str, Any]:
    try:
        found: object = json.loads(raw)
        if _SURROGATE.search(raw):
            json.dumps(found, ensure_ascii=False).encode()  # half a character is none
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "malformed", say("That is no JSON.", "不是有效的 JSON。")) from error
    if not isinstance(found, dict):
        raise Refusal(400, "malformed", say("The JSON is no object.", "JSON 不是对象。"))
    return cast("dict[str, Any]", found)
