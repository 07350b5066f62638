"""OpenAI's responses and completions, asked by its own client with the smallest language model."""

from __future__ import annotations

import json

import openai
import pytest

MODEL = "smollm2-135m"
TOOL = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "parameters": {"type": "object", "properties": {"unit": {"enum": ["C", "F"]}}, "required": ["unit"]},
}


def test_a_response_is_a_work_found_again_followed_and_deleted(client, ada):
    first = client.responses.create(
        model=MODEL,
        input="Tell me about the sea.",
        instructions="You answer in plain words.",
        max_output_tokens=20,
        metadata={"for": "a test"},
        extra_body={"seed": 3},
    )
    assert first.status == "incomplete"
    assert first.incomplete_details.reason == "max_output_tokens"
    assert first.metadata == {"for": "a test"}
    assert (first.usage.output_tokens, first.usage.total_tokens) == (20, 20 + first.usage.input_tokens)
    record = first.model_extra["castalia"][0]
    assert first.id == f"resp_{record['id']}"
    work = ada.client.get(f"/api/works/{record['id']}").json()
    assert work["text"] == first.output_text
    again = client.responses.retrieve(first.id)
    assert (again.output_text, again.status) == (first.output_text, "incomplete")
    second = client.responses.create(
        model=MODEL, input="And the wind?", previous_response_id=first.id, max_output_tokens=8
    )
    assert second.previous_response_id == first.id
    items = [each.content[0].text for each in client.responses.input_items.list(second.id)]
    assert items == ["And the wind?", first.output_text, "Tell me about the sea."]
    client.responses.delete(first.id)
    for gone in (first.id, "resp_1234", second.id[:-3]):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(gone)
    with pytest.raises(openai.NotFoundError):
        client.responses.create(model=MODEL, input="And?", previous_response_id=first.id)


def test_a_response_streams_as_its_client_expects(client):
    events = list(client.responses.create(model=MODEL, input="The sea?", max_output_tokens=50, stream=True))
    final = events[-1].response
    kinds = [each.type for each in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-1] in ("response.completed", "response.incomplete")
    assert kinds.count("response.output_text.delta") >= 2
    assert [each.sequence_number for each in events] == list(range(len(events)))
    assert "".join(each.delta for each in events if each.type == "response.output_text.delta") == final.output_text
    assert events[-1].response.model_extra["castalia"][0]["visible_label"]


def test_a_response_calls_a_tool_and_takes_its_result(client):
    asked = [{"role": "user", "content": [{"type": "input_text", "text": "How cold is it?"}]}]
    first = client.responses.create(
        model=MODEL, input=asked, tools=[TOOL], tool_choice="required", max_output_tokens=30
    )
    (call,) = first.output
    assert (call.type, call.name, first.output_text) == ("function_call", "weather", "")
    assert json.loads(call.arguments)["unit"] in ("C", "F")
    told = [*asked, call.model_dump(), {"type": "function_call_output", "call_id": call.call_id, "output": "-3"}]
    assert client.responses.create(model=MODEL, input=told, max_output_tokens=8).output_text
    with client.responses.stream(
        model=MODEL, input=asked, tools=[TOOL], tool_choice="required", max_output_tokens=30
    ) as stream:
        kinds = [each.type for each in stream]
    assert "response.function_call_arguments.done" in kinds
    assert "response.output_text.delta" not in kinds


def test_a_response_is_json_or_a_whole_work(client):
    schema = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"]}
    form = {"type": "json_schema", "name": "x", "schema": schema}
    made = client.responses.create(model=MODEL, input="Is it cold?", text={"format": form}, max_output_tokens=20)
    assert json.loads(made.output_text)["a"] in (True, False)
    haiku = client.responses.create(model="castalia/haiku", input="first snow over the harbour")
    assert len(haiku.output_text.splitlines()) == 3
    assert haiku.status == "completed"
    with pytest.raises(openai.BadRequestError, match="background"):
        client.responses.create(model=MODEL, input="x", background=True)


def test_a_completion_goes_on_with_a_text(client, ada):
    prompt = "The harbour lay under snow, and"
    asked = {"model": MODEL, "prompt": prompt, "seed": 3, "max_tokens": 24}
    whole = client.completions.create(**asked, logprobs=2)
    (choice,) = whole.choices
    assert choice.text
    assert prompt not in choice.text
    assert (choice.finish_reason, whole.usage.completion_tokens) == ("length", 24)
    assert "".join(choice.logprobs.tokens).startswith(choice.text[:10])
    assert all(len(each) == 2 for each in choice.logprobs.top_logprobs)
    work = ada.client.get(f"/api/works/{whole.model_extra['castalia'][0]['id']}").json()
    assert work["text"].strip() == choice.text.strip()
    events = list(client.completions.create(**asked, stream=True, echo=True, stream_options={"include_usage": True}))
    assert "".join(each.choices[0].text for each in events[:-1]) == prompt + choice.text
    assert events[-1].usage.completion_tokens == 24
    for more in ({"suffix": "x"}, {"best_of": 3}):
        with pytest.raises(openai.BadRequestError, match="not supported"):
            client.completions.create(**asked, **more)
