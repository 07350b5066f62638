"""JSON by a schema, checked on the finished text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from castalia.core.language import say
from castalia.core.values import Draft, Finding

_MOST_FINDINGS = 8


@dataclass(frozen=True)
class JsonRule:
    """The text is JSON, and what a schema asks for.

    Attributes:
        schema: JSON schema; keywords that are no check here were refused before anything was written.
        only_if: The rule holds for texts that begin with this.
    """

    schema: Mapping[str, Any]
    only_if: str = ""
    name: str = "json"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        text = draft.content.text
        if not text.startswith(self.only_if):
            return ()
        hint = say("Allow it more tokens, or try another seed.", "请允许更多词元，或换一个种子。")
        try:
            value = json.loads(text, parse_constant=_no_number)
        except ValueError as error:
            return [Finding(rule=self.name, ok=False, found=str(error), wanted=say("JSON", "JSON"), hint=hint)]
        wrong = list(_wrong(value, self.schema, self.schema, "$"))
        if not wrong:
            return [Finding(rule=self.name, ok=True, found=say("as its schema says", "符合模式"))]
        return [
            Finding(rule=self.name, ok=False, place=place, found=json.dumps(found)[:80], wanted=wanted, hint=hint)
            for place, found, wanted in wrong[:_MOST_FINDINGS]
        ]


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _wrong(value: Any, schema: Any, whole: Any, place: str) -> Iterator[tuple[str, Any, str]]:  # noqa: ANN401 - JSON
    """(place, value, what is wanted) of each fault."""
    if schema in (True, {}):
        return
    if "$ref" in schema:
        yield from _wrong(value, _at(whole, schema["$ref"]), whole, place)
        return
    yield from _wrong_ways(value, schema, whole, place)
    kinds = schema.get("type")
    if kinds is not None and not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield place, value, str(kinds)
        return
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        yield place, value, json.dumps(schema["enum"], ensure_ascii=False)[:80]
    if "const" in schema and not _same(value, schema["const"]):
        yield place, value, json.dumps(schema["const"], ensure_ascii=False)[:80]
    if isinstance(value, dict):
        yield from _wrong_object(cast("dict[str, Any]", value), schema, whole, place)
    elif isinstance(value, list):
        yield from _wrong_array(cast("list[Any]", value), schema, whole, place)
    elif isinstance(value, str):
        yield from _out_of(len(value), value, schema, ("minLength", "maxLength"), place)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _wrong_number(value, schema, place)


def _wrong_ways(value: Any, schema: Any, whole: Any, place: str) -> Iterator[tuple[str, Any, str]]:  # noqa: ANN401
    for name in ("anyOf", "oneOf"):
        fits = sum(not any(_wrong(value, each, whole, place)) for each in schema.get(name, ()))
        if name in schema and (fits == 0 or (name == "oneOf" and fits > 1)):
            yield place, value, f"{name}: {fits}"
    for each in schema.get("allOf", ()):
        yield from _wrong(value, each, whole, place)


def _wrong_object(value: dict[str, Any], schema: Any, whole: Any, place: str) -> Iterator[tuple[str, Any, str]]:  # noqa: ANN401
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield place, sorted(value), f"{name}"
    for name, each in value.items():
        inner = known.get(name, schema.get("additionalProperties", True))
        if inner is False:
            yield place, name, f"one of {sorted(known)}"
        else:
            yield from _wrong(each, inner, whole, f"{place}.{name}")


def _wrong_array(value: list[Any], schema: Any, whole: Any, place: str) -> Iterator[tuple[str, Any, str]]:  # noqa: ANN401
    yield from _out_of(len(value), value, schema, ("minItems", "maxItems"), place)
    for number, each in enumerate(value):
        yield from _wrong(each, schema.get("items", True), whole, f"{place}[{number}]")


def _wrong_number(value: float, schema: Any, place: str) -> Iterator[tuple[str, Any, str]]:  # noqa: ANN401
    yield from _out_of(value, value, schema, ("minimum", "maximum"), place)
    if value <= schema.get("exclusiveMinimum", -math.inf) or value >= schema.get("exclusiveMaximum", math.inf):
        yield place, value, f"{schema.get('exclusiveMinimum', '')} < … < {schema.get('exclusiveMaximum', '')}"
    step = schema.get("multipleOf")
    if step and abs(value / step - round(value / step)) > 1e-9:
        yield place, value, f"n × {step}"


def _out_of(
    size: float,
    value: Any,  # noqa: ANN401
    schema: Any,  # noqa: ANN401
    names: tuple[str, str],
    place: str,
) -> Iterator[tuple[str, Any, str]]:
    least, most = schema.get(names[0], -math.inf), schema.get(names[1], math.inf)
    if not least <= size <= most:
        yield place, value, f"{names[0]} {least}, {names[1]} {most}"


def _is(value: object, kind: str) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _at(whole: Any, pointer: str) -> Any:  # noqa: ANN401 - JSON
    for part in pointer.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        whole = cast("Any", whole[int(key)] if isinstance(whole, list) else whole[key])
    return whole
