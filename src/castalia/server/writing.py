"""One answer that is being written: from a job's sights to what a client reads, in one piece or as a stream.

How an answer looks is its interface's: chat, completion, response. What is said, and that nothing leaves before it was
judged, is the same for all.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from fastapi import Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from castalia import genres, provenance
from castalia.core import config
from castalia.core.ports import SPARE
from castalia.core.values import Work
from castalia.genres.reply import ReplyFields, said
from castalia.server.accounts import Caller
from castalia.server.errors import Refusal
from castalia.server.house import House, open_studio
from castalia.server.jobs import Feed, Sight, work_id
from castalia.server.logged import between
from castalia.server.store import Job
from castalia.server.waiting import finished, refusal

REPLY = "reply"
"""The genre of a turn of a conversation."""
_BEAT = 15.0
_AT_ONCE = 1.0
"""Seconds that a stream waits for its first words before it begins without them."""


@dataclass(frozen=True)
class Order:
    """What is written, as far as its answer depends on it."""

    room: str
    """Genre."""
    words: str
    fields: ReplyFields
    n: int = 1
    model: str = ""
    """As it was asked for."""
    logprobs: int | None = None
    """Tokens to name beside each that was drawn; None names none."""

    def cut(self, text: str) -> str:
        """What is said of a text so far; a call of a tool is nothing that is said."""
        if self.room != REPLY:
            return text
        shown = said(text, self.words, self.fields)
        return "" if self.fields.tools and shown.startswith("{") else shown

    def call(self, work: Work | None) -> Mapping[str, Any] | None:
        """The call of a tool that a reply is."""
        if work is None or not self.fields.tools or not work.text.startswith("{"):
            return None
        return json.loads(work.text)

    def cut_short(self, work: Work) -> bool:
        """Whether its tokens were used up, or the model's context."""
        made = work.evidence
        full = made.prompt_tokens + made.sampled_tokens >= config.load().config.context - SPARE
        return self.room == REPLY and (made.sampled_tokens >= self.fields.length or full)


def reply_fields(**given: object) -> ReplyFields:
    """Fields of a reply.

    Raises:
        UsageError: one is too large, or wrong; says which.
    """
    return cast("ReplyFields", genres.fields_of(genres.find(REPLY), given))


class Shape(Protocol):
    """How an answer looks to the clients of one interface; each method of a stream gives its events."""

    def whole(self, works: Sequence[Work | None], why: str) -> Mapping[str, Any]:
        """In one piece; `why` some of them were refused."""
        ...

    def begin(self) -> Iterator[str]:
        """Before the first word."""
        ...

    def said(self, index: int, new: str, logprobs: Mapping[str, Any] | None) -> Iterator[str]:
        """More of one of the texts."""
        ...

    def ended(self, index: int, work: Work | None, why: str) -> Iterator[str]:
        """One is finished, or was refused, and why."""
        ...

    def failed(self, why: Refusal) -> Iterator[str]:
        """Nothing was made."""
        ...

    def last(self, works: Sequence[Work | None]) -> Iterator[str]:
        """All are finished."""
        ...


class Tokens:
    """Log-probabilities of what is said, where they were asked for."""

    def __init__(self, order: Order, feed: Feed) -> None:
        self._order, self._feed = order, feed

    def of(self, index: int, before: str, text: str) -> Mapping[str, Any] | None:
        """Of what a text has more than the one before."""
        if self._order.logprobs is None:
            return None
        tokens, lead = self._feed.sight.drawn.get(index, ()), self._lead(index)
        return between(tokens, len(before) + lead if before else 0, len(text) + lead, self._order.logprobs)

    def _lead(self, index: int) -> int:
        """Characters before what is said: white space, or the text that it goes on with."""
        if self._order.fields.goes_on:
            return len(self._order.words)
        raw = self._feed.sight.heard.get(index, "")
        return len(raw) - len(raw.lstrip())


class Writing:
    """See the module."""

    def __init__(self, house: House, caller: Caller, order: Order, job: Job, feed: Feed, shape: Shape) -> None:
        self._house, self._caller, self._order, self._shape = house, caller, order, shape
        self._job, self._feed, self._tokens = job, feed, Tokens(order, feed)
        self._ids = [work_id(job.id, number) for number in range(order.n)]

    async def answer(self, request: Request, *, stream: bool) -> JSONResponse | StreamingResponse:
        """The whole, when it is there, or a stream.

        Raises:
            Refusal: nothing was made.
        """
        if stream:
            await self._at_once()
            told = [(each, self._order.room) for each in self._ids]
            headers = header(told) | {"X-Accel-Buffering": "no"}
            return StreamingResponse(self.events(), media_type="text/event-stream", headers=headers)
        shown, works = await self.whole(request)
        return JSONResponse(shown, headers=header(works))

    async def whole(self, request: Request) -> tuple[Mapping[str, Any], Sequence[tuple[str, str]]]:
        """The answer in one piece when it is there, and (id, genre) of each work in it.

        Raises:
            Refusal: nothing was made.
        """
        sight = await finished(self._house, self._job, self._feed, request)
        shown = await run_in_threadpool(lambda: self._shape.whole(self._works(sight), _why(sight)))
        return shown, [(each, self._order.room) for each in sight.works]

    def leave(self) -> None:
        """Nobody waits for it any more."""
        self._house.jobs.cancel(self._job)

    async def events(self) -> AsyncIterator[str]:
        """Sentence by sentence, as server-sent events; whoever closes the connection ends the writing."""
        sent: dict[int, str] = {}
        try:
            for each in self._shape.begin():
                yield each
            async for sight in self._feed.watch(_BEAT):
                for each in self._said(sight, sent):
                    yield each
            sight = self._feed.sight
            if "error" in (sight.outcome or {}):
                for each in self._shape.failed(refusal(sight)):
                    yield each
                return
            works = await run_in_threadpool(self._works, sight)
            for index, work in enumerate(works):
                for each in self._more(sent, index, self._order.cut(self._begun(work))):
                    yield each
                for each in self._shape.ended(index, work, _why(sight)):
                    yield each
            for each in self._shape.last(works):
                yield each
        finally:
            self.leave()

    # ------------------------------------------------------------ within

    async def _at_once(self) -> None:
        """Wait a moment for what cannot be written at all, so that it is said by a status and not within a stream.

        Raises:
            Refusal: it cannot.
        """
        deadline = time.monotonic() + _AT_ONCE
        async for sight in self._feed.watch(_AT_ONCE / 4):
            if sight is not None and sight.outcome is not None and "error" in sight.outcome:
                raise refusal(sight)
            if (sight is not None and sight.heard) or time.monotonic() > deadline:
                return

    def _begun(self, work: Work | None) -> str:
        """A work's text, after the one that it goes on with."""
        if work is None:
            return ""
        return self._order.words + work.text if self._order.fields.goes_on else work.text

    def _works(self, sight: Sight) -> list[Work | None]:
        """Each of them, None for one that was refused."""
        studio = open_studio(self._house, self._caller)
        try:
            return [studio.library.get(each) if each in sight.works else None for each in self._ids]
        finally:
            studio.close()

    def _said(self, sight: Sight | None, sent: dict[int, str]) -> Iterator[str]:
        """Events of a sight: sentences of a reply; of a whole work how far it is, in comments."""
        if sight is None:
            yield ": still there\n\n"
        elif self._order.room != REPLY:
            yield f": {' '.join(sight.message.split())} {sight.share:.0%}\n\n"
        else:
            for index, text in sight.heard.items():
                yield from self._more(sent, index, self._order.cut(text))

    def _more(self, sent: dict[int, str], index: int, text: str) -> Iterator[str]:
        before = sent.get(index, "")
        if len(text) > len(before):
            sent[index] = text
            yield from self._shape.said(index, text[len(before) :], self._tokens.of(index, before, text))


def header(works: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The header that names the works of an answer, and says that a model made them.

    Args:
        works: (id, genre) of each.
    """
    told = [{"id": id_, "genre": genre, "digital_source_type": "trainedAlgorithmicMedia"} for id_, genre in works]
    return {"Castalia-Record": json.dumps(told)}


def event(shown: Mapping[str, Any], name: str = "") -> str:
    """A server-sent event."""
    return (
        f"{f'event: {name}' if name else ''}{chr(10) if name else ''}data: {json.dumps(shown, ensure_ascii=False)}\n\n"
    )


def record(work: Work | None) -> dict[str, Any] | None:
    """What stands beside the content."""
    return provenance.machine_record(work.record, provenance.label_for(work.record)) if work else None


def usage(works: Sequence[Work | None]) -> dict[str, int]:
    """Tokens read and written."""
    read = max((each.evidence.prompt_tokens for each in works if each), default=0)
    written = sum(each.evidence.sampled_tokens for each in works if each)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def model(works: Sequence[Work | None], asked: str) -> str:
    """The model that wrote them."""
    return next((each.evidence.model for each in works if each), asked or "castalia")


def _why(sight: Sight) -> str:
    """Why some were refused."""
    return refusal(Sight(outcome=sight.outcome)).message if (sight.outcome or {}).get("refused") else ""
