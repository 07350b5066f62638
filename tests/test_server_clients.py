"""What programs written for OpenAI's interface send in practice, and what they have to be told to go on from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest

from servers import Served

MODEL = "smollm2-135m"
USER: dict[str, Any] = {"role": "user", "content": "Say hello."}
CALL: dict[str, Any] = {"id": "call_1", "type": "function", "function": {"name": "w", "arguments": "{}"}}
PICTURE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.fixture(scope="module")
def served(english_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("served") / "server"
    environment = {"CASTALIA_MODEL": MODEL, "CASTALIA_THREADS": "1", "CASTALIA_CONTEXT": "512"}
    server = Served(data, environment=environment).start()
    yield server
    server.stop()


def chat(client: openai.OpenAI, **more: Any) -> Any:
    extra = more.pop("extra_body", None)
    asked = {"model": MODEL, "messages": [USER], "max_tokens": 8, "seed": 1, **more}
    return client.chat.completions.create(**asked, extra_body=extra)


# ---------------------------------------------------------------- what is taken


@pytest.mark.parametrize(
    "more",
    [
        {"extra_body": {"stream": None, "model": None, "stop": None, "tools": None, "stream_options": None}},
        {"extra_body": {"stream_options": {"include_usage": None}}},
        {"extra_body": {"verbosity": "low", "modalities": ["text"], "prompt_cache_key": "k", "logit_bias": {}}},
        {
            "user": "u",
            "metadata": {"a": "b"},
            "store": True,
            "service_tier": "auto",
            "parallel_tool_calls": False,
            "reasoning_effort": "low",
        },
        {"max_tokens": None, "max_completion_tokens": 5},
        {"max_tokens": 32_000, "stop": ["."]},
        {"top_p": 0},
        {"stop": ""},
        {"stop": ["", "\n"]},
        {"messages": [{"role": "system", "content": "Say hello."}]},
        {"messages": [{"role": "developer", "content": "Be brief."}, USER]},
        {"messages": [{"role": "assistant", "content": "Welcome!"}, USER]},
        {"messages": [{**USER, "name": "ada", "tool_call_id": None}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Say hello.", "cache_control": {}}]}]},
        {"messages": [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, USER]},
        {"messages": [USER, {"role": "assistant", "content": None, "refusal": "No.", "audio": None}, USER]},
        {
            "messages": [
                USER,
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "3 degrees"}]},
            ]
        },
    ],
    ids="-".join,
)
def test_what_clients_send_is_taken(client, more):
    assert chat(client, **more).choices[0].message.content


def test_a_stop_of_white_space_ends_a_reply_that_has_begun(client):
    whole = chat(client, max_tokens=20).choices[0].message.content
    assert " " in whole
    for stop in (" ", [" "]):
        assert chat(client, max_tokens=20, stop=stop).choices[0].message.content == whole.split()[0]
    events = list(chat(client, max_tokens=20, stop=[" "], stream=True))
    assert "".join(each.choices[0].delta.content or "" for each in events) == whole.split()[0]
    begun = client.completions.create(model=MODEL, prompt="The sea is", seed=1, max_tokens=20, stop=[" "])
    assert begun.choices[0].text.strip()
    assert " " not in begun.choices[0].text.strip()


def test_a_tools_schema_is_followed_as_far_as_it_is_known(client):
    parameters = {
        "type": "object",
        "properties": {
            "zip": {"type": "string", "pattern": "^[0-9]{5}$", "maxLength": 5},
            "pair": {"type": "array", "prefixItems": [{"type": "integer"}], "uniqueItems": True, "maxItems": 1},
        },
        "required": ["zip", "elsewhere"],
        "patternProperties": {},
    }
    tool: Any = {"type": "function", "function": {"name": "find", "description": None, "parameters": parameters}}
    tools = [tool, *({"type": "function", "function": {"name": f"t{n}", "description": "d " * 20}} for n in range(4))]
    named: Any = {"type": "function", "function": {"name": "find"}}
    made = chat(client, tools=tools, tool_choice=named, max_tokens=60)
    (call,) = made.choices[0].message.tool_calls
    assert isinstance(json.loads(call.function.arguments)["zip"], str)
    strict = {"type": "function", "function": {**tool["function"], "strict": True}}
    with pytest.raises(openai.BadRequestError, match="patternProperties"):
        chat(client, tools=[strict], tool_choice=named, max_tokens=60)


@pytest.mark.parametrize("parameters", [{"properties": 5, "required": ["a"]}, {"allOf": 5}, {"type": [{}]}])
def test_what_is_no_schema_of_a_tool_is_refused(client, parameters):
    with pytest.raises(openai.BadRequestError, match="schema"):
        chat(client, tools=[{"type": "function", "function": {"name": "w", "parameters": parameters}}])


def test_a_response_takes_what_is_of_models_that_think(client):
    told: Any = [
        {"role": "user", "content": "How cold?"},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "function_call", "call_id": "c", "name": "w", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "-3"}]},
    ]
    made = client.responses.create(
        model=MODEL,
        input=told,
        max_output_tokens=8,
        store=False,
        reasoning={"effort": "low"},
        include=["reasoning.encrypted_content"],
        truncation="auto",
    )
    assert made.output_text
    with pytest.raises(openai.BadRequestError, match="logprobs"):
        client.responses.create(model=MODEL, input="x", include=["message.output_text.logprobs"])


def test_several_texts_are_gone_on_with_in_one_request(client, ada):
    asked = {"model": MODEL, "seed": 1, "max_tokens": 8, "n": 2}
    texts = ["The sea is", "The moon is"]
    made = client.completions.create(**asked, prompt=texts)
    each = [client.completions.create(**asked, prompt=text) for text in texts]
    assert [choice.index for choice in made.choices] == [0, 1, 2, 3]
    assert [choice.text for choice in made.choices] == [choice.text for one in each for choice in one.choices]
    assert made.usage.total_tokens == sum(one.usage.total_tokens for one in each)
    assert len({record["id"] for record in made.model_extra["castalia"]}) == 4
    with pytest.raises(openai.BadRequestError, match="streamed"):
        client.completions.create(**asked, prompt=texts, stream=True)
    with pytest.raises(openai.BadRequestError, match="no text"):
        client.completions.create(**asked, prompt=["The sea is", " "])
    jobs = ada.client.get("/api/jobs").json()
    assert {job["state"] for job in jobs} <= {"done", "refused", "cancelled"}


@pytest.mark.parametrize("prompt", ["One\r\ntwo", "  The sea is \n"])
def test_a_text_that_is_cleaned_is_not_said_again(client, prompt):
    asked = {"model": MODEL, "prompt": prompt, "seed": 1, "max_tokens": 8}
    whole = client.completions.create(**asked, echo=True).choices[0].text
    streamed = "".join(each.choices[0].text for each in client.completions.create(**asked, echo=True, stream=True))
    assert streamed.strip() == whole.strip()
    assert whole.startswith(prompt)
    assert prompt.split()[0] not in whole.removeprefix(prompt)[: len(prompt)]


# ---------------------------------------------------------------- what is refused, and how


def test_what_does_not_fit_the_context_has_the_code_that_clients_look_for(client):
    long = "12 x, " * 400
    for call in (
        lambda: chat(client, messages=[{"role": "user", "content": long}]),
        lambda: chat(client, messages=[{"role": "user", "content": long * 20}]),
        lambda: client.responses.create(model=MODEL, input=long),
        lambda: client.completions.create(model=MODEL, prompt=long),
        lambda: client.embeddings.create(model=MODEL, input=long * 20),
    ):
        with pytest.raises(openai.BadRequestError) as refused:
            call()
        assert refused.value.code == "context_length_exceeded"


def test_a_stream_of_what_cannot_be_written_is_refused_before_it_begins(client):
    long = [{"role": "user", "content": "12 x, " * 400}]
    with pytest.raises(openai.BadRequestError) as refused:
        chat(client, messages=long, stream=True)
    assert refused.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL, input=long, stream=True)


def test_a_reply_that_fills_the_context_says_that_it_was_cut(client):
    full: Any = [{"role": "user", "content": "12 x, " * 85 + "Go on like this."}]
    made = chat(client, messages=full, max_tokens=8000, temperature=0)
    assert made.usage.completion_tokens < 300
    assert made.usage.total_tokens == 504
    assert made.choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("more", "param", "why"),
    [
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "content", "image_url"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages.0.content", "part"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content", "string"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "at most 4"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice.type", "function"),
        ({"messages": [USER, {"role": "assistant", "content": "Hel"}]}, "messages", "not the user's"),
    ],
)
def test_an_error_says_where_and_what(client, more, param, why):
    with pytest.raises(openai.BadRequestError, match=why) as refused:
        chat(client, **more)
    assert refused.value.param == param


def test_what_is_no_json_is_said_to_be_none(ada):
    for body in ("{", "[", "{'a': 1}"):
        answer = ada.client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "malformed"
        assert answer.json()["error"]["param"] is None


@pytest.mark.parametrize(
    "told",
    [
        {"input": [{"role": "user", "content": "a"}] * 401},
        {"input": [{"type": "function_call", "name": "w" * 65}, {"type": "function_call_output", "output": "3"}]},
        {"input": "x", "tools": [{"type": "function", "name": "a b"}]},
    ],
    ids=("turns", "call", "tool"),
)
def test_a_response_that_is_none_is_refused_as_such(client, told):
    with pytest.raises(openai.BadRequestError):
        client.responses.create(model=MODEL, **told)


def test_a_call_that_there_is_not_is_not_found(client, ada):
    with pytest.raises(openai.NotFoundError, match="POST /v1/vector_stores"):
        client.vector_stores.create(name="x")
    for method, path in (("GET", "/v1/threads/x"), ("POST", "/v1/conversations"), ("POST", "/api/nothing")):
        answer = ada.client.request(method, path)
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error"), path
    assert ada.client.delete("/v1/embeddings").status_code == 405


def test_a_key_that_is_revoked_ends_its_streams(client, served, ada):
    made = ada.client.post("/api/keys", json={}).json()
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=made["key"], max_retries=0, timeout=120) as other:
        tale = [{"role": "user", "content": "Tell me a long tale of the sea."}]
        stream = chat(other, messages=tale, max_tokens=400, n=8, stream=True, extra_body={"temperature": 1.2})
        ends = []
        for event in stream:
            ends += [choice.finish_reason for choice in event.choices if choice.finish_reason]
            if event.choices[0].delta.content and made:
                ada.client.delete(f"/api/keys/{made.pop('id')}")
                made = {}
    assert len(ends) == 8
    assert ends[-1] == "content_filter"  # what was not yet begun is not written
    assert chat(client).choices


# ---------------------------------------------------------------- embeddings, moderation, pictures


def test_embeddings_have_as_many_dimensions_as_asked_for(client):
    whole = client.embeddings.create(model=MODEL, input=["sea"]).data[0].embedding
    few = client.embeddings.create(model=MODEL, input=["sea"], dimensions=64).data[0].embedding
    assert len(few) == 64
    assert np.allclose(few, np.array(whole[:64]) / np.linalg.norm(whole[:64]), atol=1e-5)
    for dimensions, why in ((len(whole) + 1, "dimensions"), (0, "greater")):
        with pytest.raises(openai.BadRequestError, match=why):
            client.embeddings.create(model=MODEL, input=["sea"], dimensions=dimensions)


def test_embeddings_of_tokens_or_nothing_are_refused(client):
    for tokens in ([1, 2, 3], [[1, 2], [3]]):
        with pytest.raises(openai.BadRequestError, match="Tokens") as refused:
            client.embeddings.create(model=MODEL, input=tokens)
        assert "check_embedding_ctx_length" in refused.value.body["hint"]
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=MODEL, input=[])
    assert len(client.embeddings.create(model=MODEL, input=["a"] * 300).data) == 300


def test_moderation_reads_parts_too(client):
    made = client.moderations.create(input=[{"type": "text", "text": "a calm sea"}])
    assert [each.flagged for each in made.results] == [False]
    with pytest.raises(openai.BadRequestError, match="image_url"):
        client.moderations.create(input=[PICTURE])


def test_pictures_are_not_streamed(client):
    with pytest.raises(openai.BadRequestError, match="stream"):
        client.images.generate(model="picture", prompt="apple", size="64x64", stream=True)
