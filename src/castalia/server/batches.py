"""Batches: a file of requests, answered one after the other by the queue's workers, and a file of their answers.

A line that is answered lies sealed in the account's folder until all are, and its works have ids that follow from the
batch and the line: whatever happens, no line is answered twice. Between lines whoever waits goes first.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from castalia.core.errors import CastaliaError
from castalia.core.files import make_folder, write_atomic
from castalia.core.language import say
from castalia.server import chat, completions, responses
from castalia.server.asked import Chat, Completion
from castalia.server.embedding import Embeddings
from castalia.server.errors import Refusal, malformed, refusal_of
from castalia.server.jobs import Feed, Taken, work_id
from castalia.server.kept_files import KeptFiles
from castalia.server.named import genre_or_model
from castalia.server.store import State
from castalia.server.waiting import refusal
from castalia.server.writing import Order, Shape
from castalia.studio import Studio

ENDPOINTS = ("/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings")
MOST_LINES = 10_000

Made = tuple[State, Mapping[str, Any]]


@dataclass(frozen=True)
class Line:
    """One request."""

    custom_id: str
    body: Mapping[str, Any]


def lines_of(content: bytes, endpoint: str) -> list[Line]:
    """The requests of a file.

    Raises:
        Refusal: a line is none, or for another endpoint; says which.
    """
    found: list[Line] = []
    names: set[str] = set()
    for number, raw in enumerate(content.splitlines(), 1):
        if not raw.strip():
            continue
        try:
            line: Any = json.loads(raw)
            json.dumps(line, ensure_ascii=False).encode()  # half a character, as JSON can name one, is none
            name, asked = line["custom_id"], line["body"]
            wrong = line.get("url", endpoint) != endpoint or line.get("method", "POST") != "POST"
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise _bad_line(number, type(error).__name__) from error
        if not isinstance(name, str) or not isinstance(asked, dict) or wrong:
            raise _bad_line(number, f"custom_id, url: {endpoint}, body")
        if name in names:
            raise _bad_line(number, say("custom_id {name!r} is there twice", "custom_id {name!r} 重复", name=name[:64]))
        names.add(name)
        found.append(Line(name, cast("dict[str, Any]", asked)))
    if not found or len(found) > MOST_LINES:
        raise Refusal(
            400,
            "invalid_file",
            say(
                "{n:,} requests; there must be 1 to {most:,}.", "{n:,} 个请求；须为 1 至 {most:,} 个。",
                n=len(found), most=MOST_LINES,
            ),
            param="input_file_id",
        )  # fmt: skip
    return found


def run(taken: Taken, make: Callable[[Taken], Made], rest: Callable[[], None]) -> Made:
    """Answer every line that was not answered yet.

    Args:
        taken: The batch.
        make: Does the work of one line.
        rest: Called before each; raises where others wait.
    """
    asked, files = taken.asked, KeptFiles(taken.home, taken.vault)
    lines = lines_of(files.content(str(asked["file"])), str(asked["endpoint"]))
    folder = make_folder(answers_folder(taken.home, taken.job.id), private=True)
    first = True
    for number, line in enumerate(lines):
        path = folder / f"{number}.line"
        if path.is_file():
            continue
        if not first:
            rest()
        first = False
        told = say("request {n} of {all}", "第 {n}/{all} 个请求", n=number + 1, all=len(lines))
        taken.feed.show(message=told, share=number / len(lines))
        answer = _answered(taken, number, line, make)
        write_atomic(
            path, taken.vault.seal(json.dumps(answer).encode(), f"batch/{taken.job.id}/{number}"), private=True
        )
    found = [
        json.loads(taken.vault.unseal((folder / f"{number}.line").read_bytes(), f"batch/{taken.job.id}/{number}"))
        for number in range(len(lines))
    ]
    good = [each for each in found if each["response"]["status_code"] == 200]
    bad = [each for each in found if each["response"]["status_code"] != 200]
    kept = {
        # Of ids that follow from the batch: killed from here on, it puts the same files there again.
        name: files.put(
            f"batch_{taken.job.id}_{name}.jsonl",
            _jsonl(each),
            "batch_output",
            id_=uuid.uuid5(uuid.UUID(taken.job.id), name),
        )["id"]
        if each
        else None
        for name, each in (("output", good), ("error", bad))
    }
    shutil.rmtree(folder)
    told = {name: asked[name] for name in ("endpoint", "file", "total", "metadata", "window")}
    return "done", {"works": [], "batch": {**told, **kept, "completed": len(good), "failed": len(bad)}}


def answers_folder(home: Path, job: str) -> Path:
    """Where the lines of a batch lie that were answered so far."""
    return home / "batches" / job


def _answered(taken: Taken, number: int, line: Line, make: Callable[[Taken], Made]) -> Mapping[str, Any]:
    id_ = str(uuid.uuid5(uuid.UUID(taken.job.id), f"line {number}"))
    try:
        status, answer = 200, _made(replace(taken, job=replace(taken.job, id=id_), feed=Feed()), line, make)
    except ValidationError as error:
        why = malformed(error)
        status, answer = why.status, why.as_json()
    except Refusal as why:
        status, answer = why.status, why.as_json()
    except CastaliaError as error:
        why = refusal_of(error)
        status, answer = why.status, why.as_json()
    response = {"status_code": status, "request_id": id_, "body": answer}
    return {"id": f"batch_req_{id_}", "custom_id": line.custom_id, "response": response, "error": None}


def _made(taken: Taken, line: Line, make: Callable[[Taken], Made]) -> Mapping[str, Any]:
    """The answer to one request.

    Raises:
        Refusal: it is refused.
        ValidationError: it is none.
        CastaliaError: it failed.
    """
    endpoint, given = str(taken.asked["endpoint"]), {**line.body, "stream": False}
    room, settings = genre_or_model(str(given.get("model") or ""))
    if endpoint == "/v1/embeddings":
        wanted = Embeddings.model_validate(given)
        _, outcome = make(replace(taken, asked={"lang": taken.asked["lang"], **wanted.job(settings)}))
        return wanted.shown(outcome)
    order, job, shape = _ordered(endpoint, given, room, settings, taken)
    state, outcome = make(replace(taken, asked={"lang": taken.asked["lang"], **job}))
    why = refusal_of_outcome(outcome)
    if state != "done":
        raise why
    studio = Studio(data=taken.home, vault=taken.vault, read_files=False)
    try:
        ids = [work_id(taken.job.id, each) for each in range(order.n)]
        works = [studio.library.get(each) if each in outcome["works"] else None for each in ids]
    finally:
        studio.close()
    return shape.whole(works, why.message if outcome.get("refused") else "")


def _ordered(
    endpoint: str, given: Mapping[str, Any], room: str, settings: Mapping[str, object], taken: Taken
) -> tuple[Order, Mapping[str, Any], Shape]:
    """(what is to be written, what the worker is told, how it looks)."""
    if endpoint == "/v1/chat/completions":
        talk = Chat.model_validate(given)
        order = chat.order_of(talk, room)
        return order, chat.job_of(talk, order, settings), chat.ChatShape(talk, order, taken.job, taken.feed)
    if endpoint == "/v1/completions":
        text = Completion.model_validate(given)
        order = completions.order_of(text, room)
        shape = completions.CompletionShape(text, order, taken.job, taken.feed)
        return order, completions.job_of(text, order, settings), shape
    asked = responses.Asked.model_validate(given)
    if asked.previous_response_id:
        raise chat.unsupported("previous_response_id")
    said = responses.chat_of(asked, ())
    order = chat.order_of(said, room)
    return order, chat.job_of(said, order, settings), responses.ResponseShape(asked, order, taken.job)


def refusal_of_outcome(outcome: Mapping[str, Any]) -> Refusal:
    """Why a job made nothing, or one of its works was refused."""
    from castalia.server.jobs import Sight

    return refusal(Sight(outcome=outcome))


def _jsonl(answers: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in answers).encode()


def _bad_line(number: int, why: str) -> Refusal:
    return Refusal(
        400,
        "invalid_file",
        say("Line {n} is no request: {why}.", "第 {n} 行不是请求：{why}。", n=number, why=why),
        hint='{"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {…}}',
        param="input_file_id",
    )
