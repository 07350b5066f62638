"""The keywords of JSON schemas that are followed here, and what is left of a schema without all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

_NOTES = frozenset(
    (
        *("$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default", "examples"),
        *("format", "deprecated", "readOnly", "writeOnly", "strict"),
    )
)
"""Keywords that ask nothing of a value."""
NUMBERS = frozenset(
    (
        *("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum"),
        *("exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    )
)
KNOWN = (
    _NOTES
    | NUMBERS
    | {
        *("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"),
        *("properties", "required", "additionalProperties"),
        "items",
    }
)
TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def known_part(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """A JSON schema as far as it is known here: what else it asks for is then asked no more.

    Raises:
        TypeError: it is none. RecursionError: it is too deep.
    """
    if not isinstance(schema, Mapping):
        return schema
    given = cast("Mapping[str, Any]", schema)
    found = {name: _known_value(name, value) for name, value in given.items() if name in KNOWN}
    kinds = found.get("type")
    if kinds is not None and not {*([kinds] if isinstance(kinds, str) else kinds)} <= {*TYPES}:
        del found["type"]
    if len(found.get("allOf", [1])) != 1:
        del found["allOf"]
    if isinstance(found.get("items"), list):
        del found["items"]
    if "required" in found:
        found["required"] = [name for name in found["required"] if name in found.get("properties", {})]
    return found


def _known_value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    """Of a keyword: the schemas in it, as far as they are known."""
    if name in ("properties", "$defs", "definitions") and isinstance(value, Mapping):
        return {each: known_part(inner) for each, inner in cast("Mapping[str, Any]", value).items()}
    if name in ("anyOf", "oneOf", "allOf") and isinstance(value, list):
        return [known_part(each) for each in cast("list[Any]", value)]
    return known_part(value) if name in ("items", "additionalProperties") else value
