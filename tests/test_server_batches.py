"""Files and batches, asked by OpenAI's own client; a server that is killed in the middle answers no line twice."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import openai
import pytest

from castalia.privacy import Vault
from castalia.server import batches
from castalia.server.jobs import Feed, Taken
from castalia.server.kept_files import KeptFiles
from castalia.server.store import Job
from servers import PASSWORD, Person, Served

MODEL = "smollm2-135m"


@pytest.fixture(scope="module")
def key(ada: Person) -> str:
    return ada.key()


def _client(served: Served, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key=key, max_retries=0, timeout=60)


def _jsonl(bodies: list[dict[str, Any]], url: str = "/v1/chat/completions") -> bytes:
    lines = [{"custom_id": f"line-{n}", "method": "POST", "url": url, "body": each} for n, each in enumerate(bodies)]
    return "".join(json.dumps(each) + "\n" for each in lines).encode()


def _chat(words: str, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": words}], "max_tokens": 12, "seed": 1, **more}


def _ended(client: openai.OpenAI, id_: str) -> Any:
    deadline = time.monotonic() + 90
    while (batch := client.batches.retrieve(id_)).status == "in_progress":
        assert time.monotonic() < deadline, batch
        time.sleep(0.3)
    return batch


def _answers(client: openai.OpenAI, id_: str) -> dict[str, Any]:
    found = [json.loads(line) for line in client.files.content(id_).text.splitlines()]
    return {each["custom_id"]: each["response"] for each in found}


def test_files_are_kept_sealed_listed_read_and_deleted(served, ada, key):
    with _client(served, key) as client:
        content = _jsonl([_chat("a secret harbour")])
        file = client.files.create(file=("../../requests.jsonl", content), purpose="batch")
        assert (file.filename, file.bytes, file.purpose) == ("requests.jsonl", len(content), "batch")
        assert client.files.content(file.id).content == content
        assert [each.id for each in client.files.list(purpose="batch")] == [file.id]
        kept = [path.read_bytes() for path in served.data.rglob("files/*")]
        assert len(kept) == 2
        assert not any(clear in each for each in kept for clear in (b"secret", b"requests", b"custom_id"))
        bob = served.sign_up("Bob", ada.client.post("/api/invitations").json()["invitation"])
        assert bob.client.get(f"/v1/files/{file.id}").status_code == 404
        assert client.files.delete(file.id).deleted
        for gone in (file.id, "file-../../vault/ring"):
            assert ada.client.get(f"/v1/files/{gone}/content").status_code == 404
        with pytest.raises(openai.BadRequestError):
            client.files.create(file=("a.txt", b"x"), purpose="fine-tune")


def test_files_come_page_by_page_in_either_order(served, ada, key):
    with _client(served, key) as client:
        made = [client.files.create(file=(f"{n}.jsonl", b"{}"), purpose="user_data").id for n in range(3)]
        for order in ("asc", "desc"):
            pages = client.files.list(purpose="user_data", limit=1, order=order)
            found = [each.id for _, each in zip(range(9), pages, strict=False)]
            assert sorted(found) == sorted(made)
            whole = client.files.list(purpose="user_data", order=order).data
            assert [each.id for each in whole] == found
            assert [each.created_at for each in whole] == sorted(
                (each.created_at for each in whole), reverse=order == "desc"
            )
        assert client.files.list(after="file-" + "0" * 32).data == []
        for each in made:
            client.files.delete(each)


def test_a_batch_goes_on_after_a_kill_and_answers_each_line_once(served, ada, key):
    bodies = [_chat(f"Say something of the number {n}.", seed=n) for n in range(6)]
    bodies += [_chat("x", presence_penalty=3), {"model": "gpt-4o", "messages": bodies[0]["messages"]}]
    with _client(served, key) as client:
        file = client.files.create(file=("requests.jsonl", _jsonl(bodies)), purpose="batch")
        batch = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"a": "b"}
        )
        assert (batch.status, batch.request_counts.total, batch.metadata) == ("in_progress", 8, {"a": "b"})
        deadline = time.monotonic() + 60
        while client.batches.retrieve(batch.id).request_counts.completed < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    served.kill()
    served.start()
    with _client(served, key) as client:
        done = _ended(client, batch.id)
        assert (done.status, done.request_counts.completed, done.request_counts.failed) == ("completed", 6, 2)
        assert done.completed_at >= done.created_at
        answers, errors = _answers(client, done.output_file_id), _answers(client, done.error_file_id)
        assert {*answers} == {f"line-{n}" for n in range(6)}
        assert {each["status_code"] for each in answers.values()} == {200}
        assert {name: each["status_code"] for name, each in errors.items()} == {"line-6": 400, "line-7": 404}
        works = {each["body"]["castalia"][0]["id"] for each in answers.values()}
        texts = [each["body"]["choices"][0]["message"]["content"] for each in answers.values()]
        again = served.log_in("Ada")
        kept = again.client.get("/api/works", params={"limit": 200}).json()["works"]
        assert {each["id"] for each in kept} == works
        assert sorted(each["text"] for each in kept) == sorted(texts)
        assert [each.id for each in client.batches.list()] == [batch.id]
        assert not list(served.data.rglob("*.line"))


def test_a_batch_lets_others_go_first_and_can_be_stopped(served, key):
    with _client(served, key) as client:
        texts = [{"model": MODEL, "input": f"the sea {n}"} for n in range(3)]
        for url, bodies in (
            ("/v1/embeddings", texts),
            ("/v1/responses", [{**each, "max_output_tokens": 8} for each in texts]),
            ("/v1/completions", [{"model": MODEL, "prompt": each["input"], "max_tokens": 8} for each in texts]),
        ):
            file = client.files.create(file=("x.jsonl", _jsonl(bodies, url)), purpose="batch")
            batch = client.batches.create(input_file_id=file.id, endpoint=url, completion_window="24h")
            assert _ended(client, batch.id).request_counts.completed == 3
        long = [_chat("Tell me about the sea.", max_tokens=150, seed=n) for n in range(30)]
        file = client.files.create(file=("long.jsonl", _jsonl(long)), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        assert client.chat.completions.create(**_chat("Quick?", max_tokens=4)).choices
        counts = client.batches.retrieve(batch.id).request_counts
        assert counts.completed < 30
        assert client.batches.cancel(batch.id).status in ("cancelling", "cancelled")
        deadline = time.monotonic() + 60
        while client.batches.retrieve(batch.id).status != "cancelled":
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_batch_whose_file_is_gone_says_so(served, key):
    with _client(served, key) as client:
        bodies = [_chat("Tell me about the sea.", max_tokens=400, seed=n) for n in range(9)]
        file = client.files.create(file=("x.jsonl", _jsonl(bodies)), purpose="batch")
        batch = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    served.kill()
    for path in served.data.rglob(f"{file.id}.*"):
        path.unlink()
    served.start()
    with _client(served, key) as client:
        failed = _ended(client, batch.id)
        assert failed.status == "failed"
        assert file.id in failed.errors.data[0].message
        assert batch.id in [each.id for each in client.batches.list()]


def test_a_batch_that_is_ended_twice_has_one_file_of_answers(tmp_path):
    vault, _ = Vault.make(tmp_path, PASSWORD)
    files = KeptFiles(tmp_path, vault)
    lines = _jsonl([{"input": "the sea"}, {"input": 5}], "/v1/embeddings")
    asked = {
        "endpoint": "/v1/embeddings",
        "file": files.put("x.jsonl", lines, "batch")["id"],
        "total": 2,
        "metadata": {},
        "window": "24h",
        "lang": "en",
    }
    job = Job(str(uuid.uuid4()), "", "batch", False, "running", 1, 0.0, 0.0, None, b"", None)
    made = {"vectors": [[1.0]], "tokens": 2, "model": MODEL}
    ended = [
        batches.run(Taken(job, asked, vault, tmp_path, Feed()), lambda _: ("done", made), lambda: None)
        for _ in range(2)
    ]
    assert ended[0] == ended[1]
    assert sorted(each["purpose"] for each in files.every()) == ["batch", "batch_output", "batch_output"]


def test_what_is_no_batch_is_refused_with_its_line(served, key):
    good = _jsonl([_chat("a")])
    with _client(served, key) as client:
        for content, why in (
            (b"", "0 requests"),
            (good + b"{", "Line 2"),
            (good + good, "Line 2.*'line-0' is there twice"),
            (good.replace(b"line-0", b"half \\ud800"), "Line 1"),
            (_jsonl([_chat("a")], "/v1/embeddings"), "Line 1"),
            (b"[1]", "Line 1"),
        ):
            file = client.files.create(file=("x.jsonl", content), purpose="batch")
            with pytest.raises(openai.BadRequestError, match=why):
                client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
        for id_ in ("batch_1", "batch_" + "0" * 32):
            with pytest.raises(openai.NotFoundError):
                client.batches.retrieve(id_)
