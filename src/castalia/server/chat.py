"""Chat completions: a conversation as OpenAI's clients send it, and a reply as they read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from castalia.core.language import say
from castalia.core.seeds import SEED_LIMIT, chosen
from castalia.core.values import Work
from castalia.genres.reply import ReplyFields, calls_schema, read_schema
from castalia.server.accounts import Caller
from castalia.server.asked import Chat, Choice, Turn
from castalia.server.errors import Refusal, body
from castalia.server.house import House
from castalia.server.jobs import Feed
from castalia.server.store import Job
from castalia.server.writing import REPLY, Order, Tokens, Writing, event, model, record, reply_fields, usage

_NOT_YET = ("functions", "function_call", "logit_bias", "audio")
"""What would change the reply and is not done: refused, not ignored."""

_AFTER_A_TOOL = "\n\nNow answer my question in words, without JSON, unless another call of a tool is needed."
"""Said with a tool's result: a small model would else call the same tool over and over."""


def reply(house: House, caller: Caller, asked: Chat, room: str, settings: Mapping[str, object]) -> Writing:
    """Begin to write.

    Args:
        house: Where.
        caller: Who asks.
        asked: For what.
        room: The genre: a reply, or a whole work.
        settings: What it is made with.

    Raises:
        Refusal: the request wants what is not done, or ends with another's turn than the user's; the queue is full.
    """
    order = order_of(asked, room)
    job, feed = house.jobs.submit(caller, room, job_of(asked, order, settings), live=True)
    return Writing(house, caller, order, job, feed, ChatShape(asked, order, job, feed))


def order_of(asked: Chat, room: str) -> Order:
    """What is to be written.

    Raises:
        Refusal: it wants what is not done, or ends with another's turn than the user's.
    """
    refuse_extra(asked.model_extra or {})
    told = [each for each in asked.messages if each.role in ("system", "developer")]
    turns = _alternating([each for each in asked.messages if each.role not in ("system", "developer")])
    if not turns:
        turns = [told.pop().text]  # who is only told something is asked it
    if len(turns) % 2 == 0:
        raise Refusal(
            400,
            "invalid_value",
            say("The last turn is not the user's.", "最后一条消息不是用户的。"),
            hint=say("End with a turn of the role user or tool.", "请以 user 或 tool 的消息结尾。"),
            param="messages",
        )
    fields = ReplyFields()
    form = _form(asked)
    if asked.messages[-1].role == "tool" and form.get("call") == "auto":
        turns[-1] += _AFTER_A_TOOL
    if room == REPLY:
        system = "\n\n".join(each.text for each in told)
        before = tuple(turns[:-1])
        fields = reply_fields(system=system, before=before, length=asked.most, stop=asked.stops, **form)
    elif form or asked.logprobs:
        name = next((each for each in ("tools", "response_format", "logprobs") if getattr(asked, each)), "tools")
        raise unsupported(name, say("A whole work has a form of its own.", "完整作品有其自身的形式。"))
    logprobs = (asked.top_logprobs or 0) if asked.logprobs else None
    return Order(room, turns[-1], fields, asked.n or 1, asked.model, logprobs)


def job_of(asked: Chat, order: Order, settings: Mapping[str, object]) -> dict[str, Any]:
    """What the worker is told."""
    return work_of(order, asked.seed, settings, stream=asked.stream, **asked.sampling)


def work_of(
    order: Order, seed: int | None, settings: Mapping[str, object], *, stream: bool, **sampling: float | None
) -> dict[str, Any]:
    """What the worker is told of any text.

    Args:
        order: What is to be written.
        seed: None takes one by chance.
        settings: What it is made with.
        stream: Whether it is said while it is written.
        sampling: What changes of how tokens are drawn.
    """
    changed = {name: value for name, value in sampling.items() if value is not None}
    free = order.room == REPLY and not order.fields.json_schema and order.fields.call == "auto"
    # What was said in a stream is not taken back, so there is no second try.
    tries = {"tries": 1} if stream and free else {}
    return {
        "do": "create",
        "genre": order.room,
        "words": order.words,
        "fields": order.fields.model_dump(mode="json", exclude_defaults=True) if order.room == REPLY else {},
        "n": order.n,
        "seed": chosen(None if seed is None else seed % SEED_LIMIT),
        "settings": {**settings, **changed, **tries},
        "logprobs": order.logprobs is not None,
    }


def refuse_extra(extra: Mapping[str, Any]) -> None:
    """Raise `Refusal` for what would change the reply and is not done."""
    for name in _NOT_YET:
        if extra.get(name) not in (None, False, [], {}, "none", "auto"):
            raise unsupported(name)


def unsupported(name: str, why: str = "") -> Refusal:
    """A parameter that is refused."""
    return Refusal(
        400,
        "unsupported_parameter",
        why or say("{name} is not supported here.", "不支持 {name}。", name=name),
        hint=say("Leave it out.", "请去掉该参数。"),
        param=name,
    )


def _form(asked: Chat) -> dict[str, Any]:
    """Fields of the reply that say what it has to be."""
    schema = asked.response_format.asked if asked.response_format else None
    tools = [each.function for each in asked.tools or ()] if asked.tool_choice != "none" else []
    if isinstance(asked.tool_choice, Choice):
        wanted = asked.tool_choice.function.name
        tools = [each for each in tools if each.name == wanted]
        if not tools:
            raise Refusal(
                400,
                "invalid_value",
                say("There is no tool {name!r}.", "没有工具 {name!r}。", name=wanted[:64]),
                param="tool_choice",
            )
    if not tools:
        if schema is None:
            return {}
        read_schema(schema, asked.most)
        return {"json_schema": json.dumps(schema, ensure_ascii=False)}
    if schema is not None:
        raise unsupported(
            "response_format",
            say("tools and response_format exclude each other.", "tools 与 response_format 不能并用。"),
        )
    told = [each.model_dump(exclude_none=True, exclude_defaults=True) for each in tools]
    read_schema(calls_schema(told), asked.most)
    call = "auto" if asked.tool_choice in (None, "auto") else "required"
    return {"tools": json.dumps(told, ensure_ascii=False), "call": call}


class ChatShape:
    """As chat completions look; a `Shape`."""

    def __init__(self, asked: Chat, order: Order, job: Job, feed: Feed) -> None:
        self._asked, self._order, self._tokens = asked, order, Tokens(order, feed)
        self._id, self._created = f"chatcmpl-{job.id}", int(job.created)

    def whole(self, works: Sequence[Work | None], why: str) -> Mapping[str, Any]:
        """See `Shape`."""
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": model(works, self._asked.model),
            "choices": [
                {
                    "index": index,
                    "message": self._message(work, why),
                    "finish_reason": self._reason(work),
                    "logprobs": self._tokens.of(index, "", work.text) if work else None,
                }
                for index, work in enumerate(works)
            ],
            "usage": usage(works),
            "castalia": [record(each) for each in works],
        }

    def begin(self) -> Iterator[str]:
        """See `Shape`."""
        for index in range(self._order.n):
            yield self._chunk(index, {"role": "assistant", "content": ""})

    def said(self, index: int, new: str, logprobs: Mapping[str, Any] | None) -> Iterator[str]:
        """See `Shape`."""
        yield self._chunk(index, {"content": new}, logprobs=logprobs)

    def ended(self, index: int, work: Work | None, why: str) -> Iterator[str]:
        """See `Shape`."""
        if work is None:
            yield self._chunk(index, {"refusal": why})
        if calls := self._calls(work):
            yield self._chunk(index, {"tool_calls": [{"index": 0, **each} for each in calls]})
        yield self._chunk(index, {}, self._reason(work), beside={"castalia": record(work)})

    def failed(self, why: Refusal) -> Iterator[str]:
        """See `Shape`."""
        yield event(body(why.status, why.message, why.code, hint=why.hint))

    def last(self, works: Sequence[Work | None]) -> Iterator[str]:
        """See `Shape`."""
        if self._asked.stream_options and self._asked.stream_options.include_usage:
            yield event(
                self._frame() | {"choices": [], "usage": usage(works), "castalia": [record(each) for each in works]}
            )
        yield "data: [DONE]\n\n"

    # ------------------------------------------------------------ within

    def _message(self, work: Work | None, why: str) -> dict[str, Any]:
        calls = self._calls(work)
        content = work.text if work and not calls else None
        message = {"role": "assistant", "content": content, "refusal": None if work else why}
        return message | ({"tool_calls": calls} if calls else {})

    def _calls(self, work: Work | None) -> list[dict[str, Any]]:
        call = self._order.call(work)
        if work is None or call is None:
            return []
        function = {"name": call["name"], "arguments": json.dumps(call["arguments"], ensure_ascii=False)}
        return [{"id": f"call_{work.id}", "type": "function", "function": function}]

    def _reason(self, work: Work | None) -> str:
        if work is None:
            return "content_filter"
        if self._order.call(work):
            return "tool_calls"
        cut_short = not self._order.fields.json_schema and self._order.cut_short(work)
        return "length" if cut_short else "stop"

    def _frame(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._asked.model or "castalia",
        }

    def _chunk(
        self,
        index: int,
        delta: Mapping[str, Any],
        reason: str | None = None,
        *,
        logprobs: Mapping[str, Any] | None = None,
        beside: dict[str, Any] | None = None,
    ) -> str:
        choice = {"index": index, "delta": delta, "finish_reason": reason, "logprobs": logprobs}
        return event(self._frame() | {"choices": [choice]} | (beside or {}))


def _alternating(turns: Sequence[Turn]) -> list[str]:
    """The words of turns, the user's first and then by turns; several by one in a row become one."""
    said: list[str] = []
    for turn in turns:
        mine = len(said) % 2 == (0 if turn.role == "assistant" else 1)  # the last one's role is this one's too
        if mine and said:
            said[-1] += f"\n\n{turn.text}"
        else:
            said += ([""] if turn.role == "assistant" and not said else []) + [turn.text]
    return said
