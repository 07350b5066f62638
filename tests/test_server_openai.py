"""OpenAI's interface, asked by the official client, with the smallest language model; and what a reply never says."""

from __future__ import annotations

import base64
import io
import json
import time
from itertools import pairwise

import numpy as np
import openai
import pytest
from PIL import Image

from castalia.core.ports import Message, Step
from castalia.genres.reply import TALK, cut
from castalia.modalities.text import encode
from castalia.modalities.text.forms.talk import TalkForm
from castalia.modalities.text.generate import Writer
from servers import Served

MODEL = "smollm2-135m"
ASKED: list[dict[str, str]] = [
    {"role": "system", "content": "You answer in plain words."},
    {"role": "user", "content": "Tell me about the sea."},
]


def test_the_models_are_those_that_can_be_asked(client):
    names = [each.id for each in client.models.list()]
    assert names[0] == "castalia"
    assert {MODEL, "castalia/haiku"} <= {*names}
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4o")
    with pytest.raises(openai.NotFoundError, match="no model"):
        client.chat.completions.create(model="gpt-4o", messages=ASKED)


def test_a_reply_is_a_work_and_says_so_beside_its_content(client, ada):
    asked = {"model": MODEL, "messages": ASKED, "seed": 3, "max_tokens": 24}
    raw = client.chat.completions.with_raw_response.create(**asked)
    told, reply = json.loads(raw.headers["castalia-record"]), raw.parse()
    (record,) = reply.model_extra["castalia"]
    assert told[0]["id"] == record["id"]
    assert record["visible_label"]
    work = ada.client.get(f"/api/works/{record['id']}").json()
    assert work["text"] == reply.choices[0].message.content
    assert work["genre"] == "reply"
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage.completion_tokens == 24
    assert reply.usage.prompt_tokens > 20
    again = client.chat.completions.create(**asked)
    assert again.choices[0].message.content == reply.choices[0].message.content
    report = ada.client.post("/api/verify", files={"file": ("copied.txt", work["text"].encode())}).json()
    assert report["work"] in (record["id"], again.model_extra["castalia"][0]["id"])


def test_a_stream_is_the_work_sentence_by_sentence(client, ada):
    asked = {"model": "castalia", "messages": ASKED, "seed": 3, "max_tokens": 60, "n": 2}
    events = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    texts, records = ["", ""], {}
    for event in events[:-1]:
        (choice,) = event.choices
        texts[choice.index] += choice.delta.content or ""
        if choice.finish_reason:
            records[choice.index] = event.model_extra["castalia"]
    for index, text in enumerate(texts):
        assert ada.client.get(f"/api/works/{records[index]['id']}").json()["text"] == text
    assert len([event for event in events if event.choices and event.choices[0].delta.content]) > 3
    assert texts[0] != texts[1]
    assert events[-1].choices == []
    assert events[-1].usage.completion_tokens == 120
    assert [each["id"] for each in events[-1].model_extra["castalia"]] == [records[0]["id"], records[1]["id"]]


def test_a_stop_is_not_said(client):
    whole = (
        client.chat.completions.create(model=MODEL, messages=ASKED, seed=3, max_tokens=40).choices[0].message.content
    )
    stop = whole.split()[6]
    for stream in (False, True):
        answer = client.chat.completions.create(
            model=MODEL, messages=ASKED, seed=3, max_tokens=40, stop=[stop], stream=stream
        )
        said = (
            "".join(each.choices[0].delta.content or "" for each in answer)
            if stream
            else answer.choices[0].message.content
        )
        assert said == whole[: whole.index(stop)].strip()


def test_who_goes_away_frees_the_model(client, ada):
    def cancelled() -> int:
        lines = ada.client.get("/metrics").text.splitlines()
        return sum(int(line.split()[-1]) for line in lines if 'state="cancelled"' in line)

    before = cancelled()
    stream = client.chat.completions.create(model=MODEL, messages=ASKED, seed=5, max_tokens=3000, stream=True)
    for event in stream:
        if event.choices[0].delta.content:
            break
    stream.close()
    deadline = time.monotonic() + 60
    while cancelled() == before and time.monotonic() < deadline:
        time.sleep(0.2)
    assert cancelled() == before + 1
    assert client.chat.completions.create(model=MODEL, messages=ASKED, max_tokens=4).choices[0].message.content


def test_a_whole_work_comes_in_one_piece(client, ada):
    asked = {"model": "castalia/haiku", "messages": [{"role": "user", "content": "first snow over the harbour"}]}
    events = list(client.chat.completions.create(**asked, seed=7, stream=True))
    said = [event.choices[0].delta.content for event in events if event.choices[0].delta.content]
    assert len(said) == 1
    assert len(said[0].splitlines()) == 3
    assert ada.client.get(f"/api/works/{events[-1].model_extra['castalia']['id']}").json()["text"] == said[0]


def test_what_is_not_done_is_said_and_not_ignored(client, served):
    for more in ({"logit_bias": {"50256": -100}}, {"function_call": {"name": "f"}}):
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model=MODEL, messages=ASKED, extra_body=more)
        assert refused.value.code == "unsupported_parameter"
        assert refused.value.param in more
    with pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model=MODEL, messages=[*ASKED, {"role": "assistant", "content": "Yes"}])
    with pytest.raises(openai.APIStatusError) as missing:
        client.audio.speech.create(model="castalia", voice="alloy", input="hello")
    assert missing.value.status_code == 501
    with (
        openai.OpenAI(base_url=f"{served.url}/v1", api_key="ck-nothing", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_penalties_change_a_reply_and_are_remade(client, ada):
    asked = {"model": MODEL, "messages": ASKED, "seed": 3, "max_tokens": 40}
    plain = client.chat.completions.create(**asked).choices[0].message.content
    zero = client.chat.completions.create(**asked, presence_penalty=0, frequency_penalty=0)
    assert zero.choices[0].message.content == plain
    made = client.chat.completions.create(**asked, presence_penalty=1.5, frequency_penalty=1)
    assert made.choices[0].message.content != plain
    work = made.model_extra["castalia"][0]["id"]
    assert ada.wait(ada.client.post(f"/api/works/{work}/remake").json()["id"])["outcome"]["changes"] == []
    begun = {"model": MODEL, "prompt": "The sea is", "seed": 3, "max_tokens": 40}
    assert client.completions.create(**begun, frequency_penalty=2).choices[0].text != (
        client.completions.create(**begun).choices[0].text
    )
    for name, value in (("presence_penalty", 2.1), ("frequency_penalty", -2.1), ("presence_penalty", "much")):
        for call, body in ((client.chat.completions.create, asked), (client.completions.create, begun)):
            with pytest.raises(openai.BadRequestError) as refused:
                call(**body, extra_body={name: value})
            assert refused.value.param == name


def test_embeddings_are_unit_vectors_in_either_encoding(client):
    texts = ["a boat on the sea", "a ship at sea", "tax law"]
    plain = client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
    packed = client.embeddings.create(model=MODEL, input=texts)  # the client's own default is base64
    vectors = np.array([each.embedding for each in plain.data])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)
    assert np.allclose(vectors, [each.embedding for each in packed.data], atol=1e-5)
    assert plain.usage.prompt_tokens > 8


def test_moderation_names_what_would_refuse_a_work(client):
    clean, rude = client.moderations.create(input=["a calm sea", "you bitch"]).results
    assert not clean.flagged
    assert rude.flagged
    assert rude.categories.harassment
    assert not rude.categories.hate
    assert rude.model_extra["castalia"]["covered"] == ["harassment", "self-harm", "sexual", "violence"]


def test_a_picture_comes_as_a_marked_file(client, ada):
    made = client.images.generate(model="picture", prompt="apple", size="64x64", extra_body={"seed": 1})
    content = base64.b64decode(made.data[0].b64_json)
    assert Image.open(io.BytesIO(content)).size == (64, 64)
    report = ada.client.post("/api/verify", files={"file": ("a.png", content)}).json()
    assert report["work"] == made.model_extra["castalia"][0]["id"]
    with pytest.raises(openai.BadRequestError):
        client.images.generate(model="picture", prompt="apple", size="1792x1024")
    with pytest.raises(openai.BadRequestError):
        client.images.generate(model="picture", prompt="apple", size="1024x1024")


def test_without_a_model_it_says_what_to_install(tmp_path):
    served = Served(tmp_path / "server", environment={"CASTALIA_MODELS": str(tmp_path / "none")}).start()
    key = served.sign_up("Ada").key()
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0) as client:
        with pytest.raises(openai.APIStatusError) as missing:
            client.chat.completions.create(model="castalia", messages=ASKED)
        assert missing.value.status_code == 501
        assert missing.value.body["hint"] == "castalia models pull"
        with pytest.raises(openai.APIError) as streamed:
            list(client.chat.completions.create(model="castalia", messages=ASKED, stream=True))
        assert "No language model" in streamed.value.message
    served.stop()


def test_no_sentence_is_heard_that_does_not_fit(english_model_path):
    from castalia.engines.llama import Llama

    engine = Llama(english_model_path, name=MODEL, digest="", context=512, threads=1)
    heard: list[str] = []
    form = TalkForm(lambda text: "sea" not in text or len(text) < 60)
    step = Step("reply", (Message("user", "Tell me about the sea."),), form, TALK, limit=80)
    prompt = encode.prompt(engine, encode.messages(step, {}))
    written = Writer(engine, (), None, 1).write(step, prompt, {}, first=True, heard=lambda _, text: heard.append(text))
    engine.close()
    assert all(form.fits(text) for text in heard)
    assert all(later.startswith(earlier) for earlier, later in pairwise(heard))
    assert written.text == (heard[-1] if heard else "")
    assert written.sampled <= 80


def test_a_text_is_cut_at_its_first_stop():
    assert cut(" one. two; three", (";", ".")) == "one"
    assert cut(" one ", ()) == "one"
