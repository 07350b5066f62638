"""The API's page for people, made of its OpenAPI description; the usual viewers load their scripts from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment

from castalia.core import language
from castalia.core.language import say

_PAGE = """<!doctype html>
<html lang="{{ lang }}"><head><meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/reference.css"></head>
<body><main><h1>{{ title }}</h1><p>{{ told }} <a href="/openapi.json">openapi.json</a></p>
{% for tag, calls in tags.items() %}<h2>{{ tag }}</h2>
{% for call in calls %}<details><summary><code class="{{ call.method }}">{{ call.method|upper }}</code>
<code>{{ call.path }}</code> <span>{{ call.summary }}</span></summary>
{% for line in call.text %}<p>{{ line }}</p>{% endfor %}
{% if call.parameters %}<table>{% for each in call.parameters %}<tr><td><code>{{ each.name }}</code></td>
<td>{{ each.where }}</td><td>{{ each.kind }}</td></tr>{% endfor %}</table>{% endif %}
{% if call.fields %}<table>{% for each in call.fields %}<tr><td><code>{{ each.name }}</code>{{ each.mark }}</td>
<td>{{ each.kind }}</td><td>{{ each.told }}</td></tr>{% endfor %}</table>{% endif %}
</details>{% endfor %}{% endfor %}</main></body></html>
"""


def page(description: Mapping[str, Any]) -> str:
    """HTML with a list of every call, its parameters and the fields of its body.

    Args:
        description: OpenAPI 3.1.
    """
    tags: dict[str, list[Mapping[str, Any]]] = {}
    for path, calls in description["paths"].items():
        for method, call in calls.items():
            tags.setdefault(call.get("tags", ["other"])[0], []).append(_call(path, method, call, description))
    return (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            title=f"Castalia {description['info']['version']}",
            lang=language.current(),
            told=say("Every call of this server, as", "本服务器的全部接口，机器可读格式："),
            tags=tags,
        )
    )


def _call(path: str, method: str, call: Mapping[str, Any], description: Mapping[str, Any]) -> Mapping[str, Any]:
    content = call.get("requestBody", {}).get("content", {})
    schema: Mapping[str, Any] = {}
    if content:
        schema = _resolved(next(iter(content.values()))["schema"], description)
    required = schema.get("required", ())
    return {
        "path": path,
        "method": method,
        "summary": call.get("summary", ""),
        "text": [line for line in call.get("description", "").split("\n\n") if line],
        "parameters": [
            {"name": each["name"], "where": each["in"], "kind": _kind(each["schema"])}
            for each in call.get("parameters", ())
        ],
        "fields": [
            {
                "name": name,
                "mark": " *" if name in required else "",
                "kind": _kind(field),
                "told": field.get("description", ""),
            }
            for name, field in schema.get("properties", {}).items()
        ],
    }


def _resolved(schema: Mapping[str, Any], description: Mapping[str, Any]) -> Mapping[str, Any]:
    named = str(schema.get("$ref", "")).rpartition("/")[2]
    return description["components"]["schemas"][named] if named else schema


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(_kind(each) for each in schema["anyOf"] if each.get("type") != "null")
    kind = str(schema.get("$ref", "")).rpartition("/")[2] or str(schema.get("type", "any"))
    if kind == "array":
        kind = f"[{_kind(schema.get('items', {}))}]"
    if "enum" in schema:
        kind = " | ".join(json.dumps(each) for each in schema["enum"])
    return kind + (f" = {json.dumps(schema['default'], ensure_ascii=False)}" if "default" in schema else "")
