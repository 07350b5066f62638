"""Completions: a text that is gone on with, as OpenAI's older clients send and read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from castalia import privacy
from castalia.core.language import say
from castalia.core.values import Work
from castalia.genres.reply import ReplyFields
from castalia.server.accounts import Caller
from castalia.server.asked import Completion
from castalia.server.chat import refuse_extra, unsupported, work_of
from castalia.server.errors import Refusal, body
from castalia.server.house import House
from castalia.server.jobs import Feed
from castalia.server.store import Job
from castalia.server.writing import REPLY, Order, Tokens, Writing, event, header, model, record, reply_fields, usage

_NOT_DONE = ("suffix", "best_of")


def complete(house: House, caller: Caller, asked: Completion, room: str, settings: Mapping[str, object]) -> Writing:
    """Begin to write.

    Raises:
        Refusal: the request wants what is not done; the queue is full.
    """
    order = order_of(asked, room)
    job, feed = house.jobs.submit(caller, room, job_of(asked, order, settings), live=True)
    return Writing(house, caller, order, job, feed, CompletionShape(asked, order, job, feed))


async def complete_each(
    house: House, caller: Caller, asked: Completion, room: str, settings: Mapping[str, object], request: Request
) -> JSONResponse:
    """Go on with several texts, each a job of its own; their choices come in one answer, text by text.

    Raises:
        Refusal: it is a stream; one of them was refused, or the queue is full.
    """
    if asked.stream:
        raise unsupported("prompt", say("Several texts are not streamed.", "多个文本不支持流式输出。"))
    writings: list[Writing] = []
    try:
        for text in asked.texts:
            each = asked.model_copy(update={"prompt": text})
            writings.append(await run_in_threadpool(complete, house, caller, each, room, settings))
        answers = [await each.whole(request) for each in writings]
    finally:
        for each in writings:
            each.leave()
    shown: dict[str, Any] = {**answers[0][0]}
    choices = [choice for answer, _ in answers for choice in answer["choices"]]
    shown["choices"] = [{**choice, "index": index} for index, choice in enumerate(choices)]
    shown["usage"] = {name: sum(answer["usage"][name] for answer, _ in answers) for name in shown["usage"]}
    shown["castalia"] = [record for answer, _ in answers for record in answer["castalia"]]
    return JSONResponse(shown, headers=header([work for _, works in answers for work in works]))


def order_of(asked: Completion, room: str) -> Order:
    """What is to be written.

    Raises:
        Refusal: it wants what is not done.
    """
    extra = asked.model_extra or {}
    refuse_extra(extra)
    for name in _NOT_DONE:
        if extra.get(name) not in (None, "", 1):
            raise unsupported(name)
    if room != REPLY and (asked.echo or asked.logprobs is not None):
        raise unsupported("logprobs", say("A whole work has a form of its own.", "完整作品有其自身的形式。"))
    (text, *more) = asked.texts
    if more:
        raise unsupported("prompt", say("A batch has one text a line.", "批处理每行一个文本。"))
    if not text.strip():
        raise Refusal(
            400, "invalid_value", say("There is no text to go on with.", "没有可续写的文本。"), param="prompt"
        )
    fields = ReplyFields()
    if room == REPLY:
        fields = reply_fields(length=asked.most, stop=asked.stops, goes_on=True)
    words = privacy.guard(text) if room == REPLY else text  # as the work has them, before what is added
    return Order(room, words, fields, asked.n or 1, asked.model, asked.logprobs)


def job_of(asked: Completion, order: Order, settings: Mapping[str, object]) -> dict[str, Any]:
    """What the worker is told."""
    return work_of(order, asked.seed, settings, stream=asked.stream, **asked.sampling)


class CompletionShape:
    """As completions look; a `Shape`."""

    def __init__(self, asked: Completion, order: Order, job: Job, feed: Feed) -> None:
        self._asked, self._order, self._tokens = asked, order, Tokens(order, feed)
        self._id, self._created = f"cmpl-{job.id}", int(job.created)

    def whole(self, works: Sequence[Work | None], why: str) -> Mapping[str, Any]:  # noqa: ARG002 - it has no room for it
        """See `Shape`."""
        echo = self._asked.texts[0] if self._asked.echo else ""
        choices = [
            self._choice(
                index,
                echo + (work.text if work else ""),
                self._reason(work),
                self._tokens.of(index, "", work.text) if work else None,
            )
            for index, work in enumerate(works)
        ]
        beside = {"usage": usage(works), "castalia": [record(each) for each in works]}
        return self._frame(model(works, self._asked.model)) | {"choices": choices} | beside

    def begin(self) -> Iterator[str]:
        """See `Shape`."""
        if self._asked.echo:
            for index in range(self._order.n):
                yield self._chunk(index, self._asked.texts[0])

    def said(self, index: int, new: str, logprobs: Mapping[str, Any] | None) -> Iterator[str]:
        """See `Shape`."""
        yield self._chunk(index, new, logprobs=logprobs)

    def ended(self, index: int, work: Work | None, why: str) -> Iterator[str]:  # noqa: ARG002 - likewise
        """See `Shape`."""
        yield self._chunk(index, "", self._reason(work), beside={"castalia": record(work)})

    def failed(self, why: Refusal) -> Iterator[str]:
        """See `Shape`."""
        yield event(body(why.status, why.message, why.code, hint=why.hint))

    def last(self, works: Sequence[Work | None]) -> Iterator[str]:
        """See `Shape`."""
        if self._asked.stream_options and self._asked.stream_options.include_usage:
            yield event(self._frame(model(works, self._asked.model)) | {"choices": [], "usage": usage(works)})
        yield "data: [DONE]\n\n"

    # ------------------------------------------------------------ within

    def _reason(self, work: Work | None) -> str:
        if work is None:
            return "content_filter"
        return "length" if self._order.cut_short(work) else "stop"

    def _frame(self, named: str) -> dict[str, Any]:
        return {"id": self._id, "object": "text_completion", "created": self._created, "model": named}

    def _choice(
        self, index: int, text: str, reason: str | None, logprobs: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        return {"index": index, "text": text, "finish_reason": reason, "logprobs": _older(logprobs)}

    def _chunk(
        self,
        index: int,
        text: str,
        reason: str | None = None,
        *,
        logprobs: Mapping[str, Any] | None = None,
        beside: dict[str, Any] | None = None,
    ) -> str:
        frame = self._frame(self._asked.model or "castalia")
        return event(frame | {"choices": [self._choice(index, text, reason, logprobs)]} | (beside or {}))


def _older(logprobs: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Log-probabilities as completions have them."""
    if logprobs is None:
        return None
    tokens = logprobs["content"]
    return {
        "tokens": [each["token"] for each in tokens],
        "token_logprobs": [each["logprob"] for each in tokens],
        "top_logprobs": [{other["token"]: other["logprob"] for other in each["top_logprobs"]} for each in tokens],
        "text_offset": [],
    }
