"""JSON, tools and log-probabilities in chat, asked by OpenAI's own client with the smallest language model."""

from __future__ import annotations

import json
import math
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

MODEL = "smollm2-135m"
ASKED: list[Any] = [{"role": "user", "content": "Describe a harbour in winter."}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather of a town",
        "parameters": {
            "type": "object",
            "properties": {"town": {"type": "string", "maxLength": 12}, "unit": {"enum": ["C", "F"]}},
            "required": ["town", "unit"],
        },
    },
}
CLOCK: Any = {"type": "function", "function": {"name": "clock"}}


class Harbour(BaseModel):
    name: str
    ships: int
    frozen: bool
    wind: Literal["calm", "storm"]


def test_a_reply_is_json_by_a_schema_and_the_record_stands_beside_it(client, ada):
    answer = client.chat.completions.parse(model=MODEL, messages=ASKED, seed=2, max_tokens=60, response_format=Harbour)
    (choice,) = answer.choices
    assert choice.message.parsed.wind in ("calm", "storm")
    assert choice.finish_reason == "stop"
    assert list(json.loads(choice.message.content)) == ["name", "ships", "frozen", "wind"]
    record = answer.model_extra["castalia"][0]
    work = ada.client.get(f"/api/works/{record['id']}").json()
    assert work["text"] == choice.message.content
    assert {"rule": "json", "ok": True}.items() <= next(f for f in work["findings"] if f["rule"] == "json").items()


def test_any_object_is_whole_however_few_tokens_it_has(client):
    for most in (4, 30):
        answer = client.chat.completions.create(
            model=MODEL, messages=ASKED, seed=most, max_tokens=most, response_format={"type": "json_object"}
        )
        assert isinstance(json.loads(answer.choices[0].message.content), dict)
        assert answer.usage.completion_tokens <= most


def test_a_tool_that_must_be_called_is_called(client):
    asked = {"model": MODEL, "messages": ASKED, "seed": 4, "max_tokens": 50, "tools": [WEATHER, CLOCK]}
    whole = client.chat.completions.create(**asked, tool_choice="required")
    (call,) = whole.choices[0].message.tool_calls
    assert whole.choices[0].finish_reason == "tool_calls"
    assert whole.choices[0].message.content is None
    assert call.function.name in ("weather", "clock")
    named = {"type": "function", "function": {"name": "weather"}}
    events = list(client.chat.completions.create(**asked, tool_choice=named, stream=True))
    calls = [each for event in events for each in event.choices[0].delta.tool_calls or ()]
    assert [each.function.name for each in calls] == ["weather"]
    assert json.loads(calls[0].function.arguments)["unit"] in ("C", "F")
    assert not any(event.choices[0].delta.content for event in events)
    assert events[-1].choices[0].finish_reason == "tool_calls"
    assert events[-1].model_extra["castalia"]["id"]


def test_a_conversation_with_a_tool_goes_on_in_words_or_with_a_call(client):
    calls = [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Oslo"}'}}]
    said = [
        *ASKED,
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "content": "3 degrees, wind from the north"},
    ]
    for choice in ("auto", "none"):
        answer = client.chat.completions.create(
            model=MODEL, messages=said, seed=1, max_tokens=40, tools=[WEATHER], tool_choice=choice
        )
        message = answer.choices[0].message
        assert bool(message.content) != bool(message.tool_calls)


def test_a_model_is_told_that_a_result_may_be_put_into_words(client, ada):
    calls = [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"town": "Oslo"}'}}]
    result = {"role": "tool", "tool_call_id": "call_1", "content": "3 degrees"}
    said = [*ASKED, {"role": "assistant", "content": None, "tool_calls": calls}, result]
    for choice, told in (("auto", True), ("none", False), ("required", False)):
        answer = client.chat.completions.create(
            model=MODEL, messages=said, seed=1, max_tokens=40, tools=[WEATHER], tool_choice=choice
        )
        work = ada.client.get(f"/api/works/{answer.model_extra['castalia'][0]['id']}").json()
        assert work["brief"]["words"].startswith("Result of the tool: 3 degrees")
        assert ("answer my question in words" in work["brief"]["words"]) == told


def test_tokens_come_with_their_log_probabilities(client):
    asked = {"model": MODEL, "messages": ASKED, "seed": 6, "max_tokens": 40, "logprobs": True, "top_logprobs": 3}
    whole = client.chat.completions.create(**asked).choices[0]
    tokens = whole.logprobs.content
    assert "".join(each.token for each in tokens).strip() == whole.message.content
    assert bytes([byte for each in tokens for byte in each.bytes]).decode().strip() == whole.message.content
    for each in tokens:
        assert each.logprob <= 0
        assert len(each.top_logprobs) == 3
        likeliest = [other.logprob for other in each.top_logprobs]
        assert likeliest == sorted(likeliest, reverse=True)
        assert likeliest[0] >= each.logprob - 1e-6
        assert sum(map(math.exp, likeliest)) <= 1 + 1e-6
    events = list(client.chat.completions.create(**asked, stream=True))
    streamed = [
        each for event in events if event.choices[0].logprobs for each in event.choices[0].logprobs.content or ()
    ]
    assert [each.token for each in streamed] == [each.token for each in tokens]
    assert client.chat.completions.create(**asked | {"logprobs": False}).choices[0].logprobs is None


def test_what_cannot_be_is_refused_by_name(client):
    pattern = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "string", "pattern": "a+"}}}
    named = {"type": "function", "function": {"name": "nothing"}}
    for more, why in (
        ({"response_format": pattern}, "pattern"),
        ({"tools": [WEATHER], "tool_choice": named}, "nothing"),
        ({"tools": [WEATHER], "response_format": {"type": "json_object"}}, "exclude"),
        ({"model": "castalia/haiku", "tools": [WEATHER]}, "form of its own"),
        ({"top_logprobs": 21}, "20"),
    ):
        with pytest.raises(openai.BadRequestError, match=why):
            client.chat.completions.create(**{"model": MODEL, "messages": ASKED} | more)
