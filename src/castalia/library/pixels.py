"""Pictures out of a value's JSON and back: they are kept as bytes, and the JSON names them by their SHA-256."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

from castalia.core.picture import Picture
from castalia.core.value import Value

_BEGIN = base64.b64encode(b"\x89PNG\r\n\x1a\n\0").decode()
"""How every picture's base64 begins."""


def taken_out(*values: Value) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """The values as JSON without the bytes of their pictures, and these, by name."""
    kept: dict[str, bytes] = {}
    bare = [_without(value.model_dump(mode="json"), kept) for value in values]
    return tuple(json.dumps(each, ensure_ascii=False) for each in bare), kept


def put_back(bare: str, kept: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - JSON
    """What the JSON says, its pictures as `Picture`; None stands for one that is not among `kept`."""
    return json.loads(bare, object_hook=lambda found: _with(cast("dict[str, Any]", found), kept))


def _without(value: object, kept: dict[str, bytes]) -> object:
    if isinstance(value, list):
        return [_without(each, kept) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    fields = cast("dict[str, object]", value)
    png = fields.get("png")
    if isinstance(png, str) and png.startswith(_BEGIN):
        content = base64.b64decode(png)
        name = hashlib.sha256(content).hexdigest()
        kept[name] = content
        return {**fields, "png": {"kept": name}}
    return {name: _without(each, kept) for name, each in fields.items()}


def _with(found: dict[str, Any], kept: Mapping[str, bytes]) -> dict[str, Any] | Picture | None:
    match found:
        case {"png": {"kept": str(name)}}:
            return Picture.model_validate({**found, "png": kept[name]}) if name in kept else None
        case _:
            return found
