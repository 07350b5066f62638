"""Responses: OpenAI's newer interface. A response is a work, so the library is where it is kept and found again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError

from castalia.core.language import say
from castalia.core.values import Work
from castalia.genres.reply import ReplyFields
from castalia.server import chat
from castalia.server.accounts import Caller
from castalia.server.asked import Chat, Function, Given, Words
from castalia.server.errors import Refusal, malformed
from castalia.server.house import House
from castalia.server.jobs import work_id
from castalia.server.store import Job
from castalia.server.writing import REPLY, Order, Writing, event, model, record, usage

ID = "resp_"
"""Before the id of a response's work."""


class Item(Given):
    """A turn, a call of a tool, or what the tool gave; thoughts that another model left are passed over."""

    type: Literal["message", "function_call", "function_call_output", "reasoning"] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: Words = ""
    call_id: str = ""
    name: str = ""
    arguments: str = "{}"
    output: Words = ""

    @property
    def turn(self) -> Mapping[str, Any]:
        """The same as a turn of a chat."""
        if self.type == "function_call":
            call = {"id": self.call_id, "function": {"name": self.name, "arguments": self.arguments}}
            return {"role": "assistant", "tool_calls": [call]}
        if self.type == "function_call_output":
            return {"role": "tool", "content": self.output, "tool_call_id": self.call_id}
        return {"role": self.role or "user", "content": self.content}


class FlatTool(Function):
    """A tool that may be called."""

    type: Literal["function"]


class FlatChoice(Given):
    """The tool that must be called."""

    type: Literal["function"]
    name: str


class FlatFormat(Given):
    """What the text has to be."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str = ""
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None


class TextOptions(Given):
    """Of the text."""

    format: FlatFormat | None = None


class Asked(Given):
    """A request for a response."""

    model_config = ConfigDict(extra="allow")
    input: str | Annotated[list[Item], Field(min_length=1, max_length=400)]
    model: str = ""
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    max_output_tokens: Annotated[int | None, Field(ge=1, le=1_000_000)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    text: TextOptions | None = None
    tools: Annotated[list[FlatTool], Field(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | FlatChoice | None = None
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None
    include: Annotated[list[str], Field(max_length=16)] | None = None
    seed: int | None = None
    """Not OpenAI's: as in chat."""


_NOT_DONE = ("background", "conversation", "prompt", "max_tool_calls", "top_logprobs")
_LOGPROBS = "message.output_text.logprobs"
"""The one thing of what may be included that a reply here could have; all else is of tools and thoughts."""


def respond(
    house: House,
    caller: Caller,
    asked: Asked,
    room: str,
    settings: Mapping[str, object],
    before: Sequence[Mapping[str, Any]] = (),
) -> Writing:
    """Begin to write.

    Args:
        house: Where.
        caller: Who asks.
        asked: For what.
        room: The genre: a reply, or a whole work.
        settings: What it is made with.
        before: Turns of the response that this one follows.

    Raises:
        Refusal: the request wants what is not done; the queue is full.
    """
    said = chat_of(asked, before)
    order = chat.order_of(said, room)
    job, feed = house.jobs.submit(caller, room, chat.job_of(said, order, settings), live=True)
    return Writing(house, caller, order, job, feed, ResponseShape(asked, order, job))


def turns_of(work: Work) -> list[Mapping[str, Any]]:
    """The conversation up to a response, and itself."""
    before, roles = _fields_of(work).before, ("user", "assistant")
    return [
        {"role": roles[number % 2], "content": text}
        for number, text in enumerate((*before, work.brief.words, work.text))
    ]


def shown(work: Work) -> Mapping[str, Any]:
    """A response that was made before."""
    order = Order(work.genre, work.brief.words, _fields_of(work), model=work.evidence.model)
    frame = _frame(work.id, work.record.created.timestamp(), Asked(input=work.brief.words))
    return frame | _finished(order, [work], "")


def _fields_of(work: Work) -> ReplyFields:
    """Of the reply that a work is; of any other the usual."""
    return ReplyFields.model_validate(work.brief.fields.model_dump()) if work.genre == REPLY else ReplyFields()


def chat_of(asked: Asked, before: Sequence[Mapping[str, Any]]) -> Chat:
    """The same as a chat.

    Args:
        asked: For what.
        before: Turns of the response that this one follows.

    Raises:
        Refusal: the request wants what is not done.
    """
    extra = asked.model_extra or {}
    for name in _NOT_DONE:
        if extra.get(name) not in (None, False, [], {}, 0):
            raise chat.unsupported(name)
    if _LOGPROBS in (asked.include or ()):
        raise chat.unsupported("include", say("{name} is not supported here.", "不支持 {name}。", name=_LOGPROBS))
    turns = [{"role": "user", "content": asked.input}] if isinstance(asked.input, str) else []
    turns += [each.turn for each in asked.input if isinstance(each, Item) and each.type != "reasoning"]
    system = [{"role": "system", "content": asked.instructions}] if asked.instructions else []
    told: dict[str, Any] = {
        "messages": [*system, *before, *turns],
        **asked.model_dump(include={"model", "temperature", "top_p", "seed"}, exclude_none=True),
        "max_completion_tokens": asked.max_output_tokens,
        "stream": bool(asked.stream),
    }
    if asked.text and asked.text.format:
        form = asked.text.format
        told["response_format"] = {"type": form.type, "json_schema": {"name": form.name, "schema": form.schema_}}
    if asked.tools:
        told["tools"] = [
            {"type": "function", "function": each.model_dump(exclude={"type"}, exclude_none=True)}
            for each in asked.tools
        ]
    if isinstance(asked.tool_choice, FlatChoice):
        told["tool_choice"] = {"type": "function", "function": {"name": asked.tool_choice.name}}
    else:
        told["tool_choice"] = asked.tool_choice
    try:
        return Chat.model_validate(told)
    except ValidationError as error:
        raise malformed(error) from error


class ResponseShape:
    """As responses look; a `Shape`."""

    def __init__(self, asked: Asked, order: Order, job: Job) -> None:
        self._asked, self._order = asked, order
        self._work = work_id(job.id, 0)
        self._frame = _frame(self._work, job.created, asked)
        self._count = 0
        self._text = ""

    def whole(self, works: Sequence[Work | None], why: str) -> Mapping[str, Any]:
        """See `Shape`."""
        return self._frame | _finished(self._order, works, why)

    def begin(self) -> Iterator[str]:
        """See `Shape`."""
        begun: dict[str, Any] = {**self._frame, "status": "in_progress", "output": []}
        yield self._event("response.created", response=begun)
        yield self._event("response.in_progress", response=begun)

    def said(self, index: int, new: str, logprobs: Mapping[str, Any] | None) -> Iterator[str]:  # noqa: ARG002
        """See `Shape`."""
        if not self._text:
            item: dict[str, Any] = _message(self._work, "", "in_progress") | {"content": []}
            yield self._event("response.output_item.added", output_index=0, item=item)
            yield self._event("response.content_part.added", **self._place, part=_part(""))
        self._text += new
        yield self._event("response.output_text.delta", **self._place, delta=new, logprobs=[])

    def ended(self, index: int, work: Work | None, why: str) -> Iterator[str]:  # noqa: ARG002
        """See `Shape`."""
        for item in _output(self._order, work):
            if item["type"] == "message":
                yield self._event("response.output_text.done", **self._place, text=self._text, logprobs=[])
                yield self._event("response.content_part.done", **self._place, part=_part(self._text))
            else:
                begun = {**item, "arguments": "", "status": "in_progress"}
                place = {"item_id": item["id"], "output_index": 0}
                yield self._event("response.output_item.added", output_index=0, item=begun)
                told = {"arguments": item["arguments"]}
                yield self._event("response.function_call_arguments.delta", **place, delta=item["arguments"])
                yield self._event("response.function_call_arguments.done", **place, **told, name=item["name"])
            yield self._event("response.output_item.done", output_index=0, item=item)
        end = self._frame | _finished(self._order, [work], why)
        yield self._event(f"response.{end['status']}", response=end)

    def failed(self, why: Refusal) -> Iterator[str]:
        """See `Shape`."""
        error = {"code": "server_error", "message": why.message}
        end: dict[str, Any] = {**self._frame, "status": "failed", "output": [], "error": error}
        yield self._event("response.failed", response=end)

    def last(self, works: Sequence[Work | None]) -> Iterator[str]:  # noqa: ARG002
        """See `Shape`."""
        return iter(())

    # ------------------------------------------------------------ within

    @property
    def _place(self) -> Mapping[str, Any]:
        return {"item_id": f"msg_{self._work}", "output_index": 0, "content_index": 0}

    def _event(self, kind: str, /, **told: Any) -> str:  # noqa: ANN401 - JSON
        number, self._count = self._count, self._count + 1
        return event({"type": kind, "sequence_number": number, **told}, kind)


def _frame(work: str, created: float, asked: Asked) -> dict[str, Any]:
    """What stands in a response from its beginning."""
    asked_json = asked.model_dump(mode="json", by_alias=True)
    text: dict[str, Any] = asked_json["text"] or {}
    form: dict[str, Any] = text.get("format") or {"type": "text"}
    return {
        "id": ID + work,
        "object": "response",
        "created_at": created,
        "model": asked.model or "castalia",
        "error": None,
        "incomplete_details": None,
        "instructions": asked.instructions,
        "max_output_tokens": asked.max_output_tokens,
        "metadata": asked.metadata or {},
        "parallel_tool_calls": False,
        "previous_response_id": asked.previous_response_id,
        "store": True,
        "temperature": asked.temperature,
        "text": {"format": form if form["type"] == "json_schema" else {"type": form["type"]}},
        "tool_choice": asked_json["tool_choice"] or "auto",
        "tools": [{"strict": True, **each} for each in asked_json["tools"] or ()],
        "top_p": asked.top_p,
        "truncation": "disabled",
        "usage": None,
    }


def _finished(order: Order, works: Sequence[Work | None], why: str) -> dict[str, Any]:
    """What comes to it in the end."""
    (work,) = works
    spent = usage(works)
    cut_short = work is not None and not order.fields.json_schema and order.cut_short(work)
    error = None if work else {"code": "server_error", "message": why or say("refused", "已拒绝")}
    return {
        "status": "failed" if work is None else "incomplete" if cut_short else "completed",
        "error": error,
        "incomplete_details": {"reason": "max_output_tokens"} if cut_short else None,
        "model": model(works, order.model),
        "output": _output(order, work),
        "usage": {
            "input_tokens": spent["prompt_tokens"],
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": spent["completion_tokens"],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": spent["total_tokens"],
        },
        "castalia": [record(work)],
    }


def _output(order: Order, work: Work | None) -> list[dict[str, Any]]:
    if work is None:
        return []
    if call := order.call(work):
        return [
            {
                "id": f"fc_{work.id}",
                "type": "function_call",
                "status": "completed",
                "call_id": f"call_{work.id}",
                "name": call["name"],
                "arguments": json.dumps(call["arguments"], ensure_ascii=False),
            }
        ]
    return [_message(work.id, work.text, "completed")]


def _message(work: str, text: str, status: str) -> dict[str, Any]:
    return {"id": f"msg_{work}", "type": "message", "role": "assistant", "status": status, "content": [_part(text)]}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
