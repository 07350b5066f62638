"""The JSON form: what it admits is what a schema allows, whatever is drawn, and it comes to an end."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from castalia import quality
from castalia.core.errors import UsageError
from castalia.core.values import Brief, BriefFields, Content, Draft, Evidence
from castalia.genres.reply import calls_schema, read_schema
from castalia.modalities.text.forms.json_grammar import Grammar
from castalia.modalities.text.forms.json_schema import JsonCursor

NAMES = [f"p{number}" for number in range(5000)]
TREE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "maxLength": 5},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
            },
            "required": ["name", "next"],
        }
    },
}
SCHEMAS: list[Any] = [
    {"type": "object"},
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["b"]},
    {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 4},
    {"enum": ["red", "green", 3, None, {"x": 1}]},
    {"type": "integer", "minimum": -3, "maximum": 12},
    {"type": "string", "minLength": 3, "maxLength": 4},
    {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"const": "雪"}}]},
    {"type": ["string", "null"]},
    {"type": "object", "additionalProperties": {"type": "integer"}},
    {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": True},
    {"type": "array"},
    {},
    TREE,
    calls_schema([{"name": "weather", "parameters": TREE}, {"name": "time"}]),
]
LETTERS = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    " ",
    "\\",
    "u",
    "d",
    "8",
    "0",
    "1",
    "-",
    ".",
    "e",
    "a",
    "雪",
    "\n",
    "true",
    "null",
]


def finding(schema: Any, text: str) -> bool:
    draft = Draft(
        brief=Brief(genre="reply", words="x", fields=BriefFields(), seed=1),
        content=Content(text=text, language="en"),
        evidence=Evidence(model="", digest="", engine="", seed=0),
    )
    return all(each.ok for each in quality.JsonRule(schema).check(draft))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda each: json.dumps(each)[:40])
@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_drawn_becomes_what_the_rule_accepts(schema, seed):
    chance, cursor, text = random.Random(seed), JsonCursor(Grammar(schema), 90), ""
    while not cursor.done:
        pieces = [*LETTERS, *cursor.suggestions()]
        admitted = [piece for piece in pieces if cursor.admits(piece)]
        if cursor.admits("") and (not admitted or chance.random() < 0.3):
            break
        assert admitted, (text, cursor.states)
        piece = chance.choice(admitted)
        cursor.advance(piece)
        text += piece
    assert cursor.left > -60  # one character after the other, where a model has tokens of several
    json.loads(text)
    assert finding(schema, text), text


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "integer"}, ["0", "-7", "120"], ["01", "1.5", "--1", "", "1e3", '"1"']),
        ({"type": "number"}, ["0.5", "-1e-7", "3"], [".5", "1.", "1e", "+1"]),
        ({"type": "string"}, ['"a\\u00e9\\n"', '""'], ['"\n"', '"\\x"', '"\\ud800"', "a", '"a']),
        ({"type": "array", "maxItems": 1}, ["[]", "[[1, null]]"], ["[1,2]", "[1,]"]),
        (SCHEMAS[1], ['{"b": "x"}', '{"a": 1, "b":""}'], ['{"a": 1}', '{"b": 1}', '{"b": "x", "a": 1}', '{"c": ""}']),
        (
            TREE,
            ['{"name": "a", "next": {"name": "", "next": null}}'],
            ['{"name": "abcdef", "next": null}', '{"next": 1}'],
        ),
    ],
)
def test_exact_texts(schema, good, bad):
    grammar = Grammar(schema)
    for text in good:
        assert grammar.whole(grammar.after(grammar.start, text)), text
        assert finding(schema, text)
    for text in bad:
        assert not grammar.whole(grammar.after(grammar.start, text)), text


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "string", "pattern": "a+"}, "pattern"),
        ({"type": "thing"}, "thing"),
        ({"$ref": "https://example.org/a.json"}, "example.org"),
        ({"$ref": "#/nowhere"}, "nowhere"),
        ({"type": "string", "maxLength": "9"}, "maxLength"),
        ({"type": "object", "properties": 3}, "JSON schema"),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "nothing fulfils"),
        ([1], "no object"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "nothing fulfils"),
        ({"type": "string", "minLength": 10**9}, "1,000,000,002 tokens, and 1,000 are allowed"),
        ({"properties": {name: {} for name in NAMES}, "required": NAMES}, "too large"),
        ({"enum": list(range(9000))}, "too large"),
        ({"anyOf": [{"type": "array", "maxItems": number} for number in range(9000)]}, "too large"),
    ],
)
def test_what_is_no_schema_or_not_known_is_refused_by_name(schema, why):
    with pytest.raises(UsageError, match=why):
        read_schema(schema, 1000)


def test_references_that_multiply_each_other_are_given_up():
    ways = {"anyOf": [{"$ref": f"#/$defs/{number}"} for number in range(12)]}
    rings = {str(number): {"type": "array", "items": ways} for number in range(12)}
    grammar = read_schema({**ways, "$defs": rings}, 1000)
    assert grammar.after(grammar.start, "[[")
    with pytest.raises(UsageError, match="too many ways"):
        grammar.after(grammar.start, "[" * 9)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer", "minimum": 5}, "4"),
        ({"type": "number", "multipleOf": 0.5}, "0.7"),
        ({"type": "number", "exclusiveMaximum": 1}, "1"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "1"),
        ({"type": "array", "minItems": 2}, "[1]"),
        ({"type": "boolean"}, "NaN"),
        ({"const": 1}, "true"),
    ],
)
def test_the_rule_finds_what_the_form_leaves_to_it(schema, text):
    assert not finding(schema, text)


def test_what_is_not_known_of_a_tools_parameters_is_left_out() -> None:
    known = {"type": "object", "properties": {"pattern": {"type": "string"}}, "required": ["pattern"]}
    inner = {"type": "string", "pattern": "a+"}
    parameters = {
        **{name: value for name, value in known.items() if name != "properties"},
        "properties": {"pattern": inner},
        "required": ["pattern", "missing"],
        "$defs": {"x": {"not": {}, "type": "file"}},
        "minProperties": 1,
    }
    schema = calls_schema([{"name": "f", "parameters": parameters}])
    assert schema["properties"]["arguments"] == {**known, "$defs": {"x": {}}}
    read_schema(schema, 100)
    with pytest.raises(UsageError, match="minProperties"):
        read_schema(calls_schema([{"name": "f", "parameters": parameters, "strict": True}]), 100)
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"items": deep}
    with pytest.raises(UsageError, match="schema"):
        calls_schema([{"name": "f", "parameters": deep}])
