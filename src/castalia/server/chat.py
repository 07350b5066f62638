"""Chat completions: a conversation as OpenAI's clients send it, and a reply as they read it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from castalia import provenance
from castalia.core.language import say
from castalia.core.seeds import SEED_LIMIT, chosen
from castalia.core.values import Work
from castalia.genres.reply import cut
from castalia.server.accounts import Caller
from castalia.server.errors import Refusal, body
from castalia.server.house import House, open_studio
from castalia.server.jobs import Feed, Sight
from castalia.server.store import Job
from castalia.server.waiting import refusal
from castalia.server.worker import work_id

REPLY = "reply"
"""The genre of a turn of a conversation."""
_BEAT = 15.0
_NOT_YET = ("tools", "tool_choice", "functions", "function_call", "response_format", "logprobs", "logit_bias", "audio")
"""What would change the reply and is not done yet: refused, not ignored."""


class Text(BaseModel):
    """A part of a turn."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """A turn of a conversation."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Text]

    @property
    def text(self) -> str:
        """All its words."""
        return self.content if isinstance(self.content, str) else "\n".join(each.text for each in self.content)


class StreamOptions(BaseModel):
    """What a stream brings beside."""

    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


class Chat(BaseModel):
    """A request for a reply."""

    model_config = ConfigDict(extra="allow")
    messages: Annotated[list[Turn], Field(min_length=1, max_length=400)]
    model: str = ""
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Annotated[int | None, Field(ge=1, le=8)] = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    max_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None

    @property
    def stops(self) -> tuple[str, ...]:
        """Texts before which the reply ends."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def most(self) -> int:
        """Tokens of a reply."""
        return self.max_completion_tokens or self.max_tokens or 512


def job_of(asked: Chat, room: str, settings: Mapping[str, object]) -> dict[str, Any]:
    """What the worker is told.

    Raises:
        Refusal: the request wants what is not done yet, or ends with another's turn than the user's.
    """
    extra = asked.model_extra or {}
    for name in _NOT_YET:
        if extra.get(name) not in (None, False, [], {}, "none", "auto", {"type": "text"}):
            raise Refusal(
                400,
                "unsupported_parameter",
                say("{name} is not supported here yet.", "暂不支持 {name}。", name=name),
                hint=say("Leave it out.", "请去掉该参数。"),
                param=name,
            )
    system = "\n\n".join(each.text for each in asked.messages if each.role in ("system", "developer"))
    turns = _alternating([each for each in asked.messages if each.role in ("user", "assistant")])
    if len(turns) % 2 == 0:
        raise Refusal(
            400,
            "invalid_value",
            say("The last turn is not the user's.", "最后一条消息不是用户的。"),
            param="messages",
        )
    fields: dict[str, Any] = {}
    if room == REPLY:
        fields = {"system": system, "before": turns[:-1], "length": asked.most, "stop": list(asked.stops)}
    sampling = {"temperature": asked.temperature, "top_p": asked.top_p}
    changed = {name: value for name, value in sampling.items() if value is not None}
    # What was said in a stream is not taken back, so there is no second try.
    tries = {"tries": 1} if asked.stream and room == REPLY else {}
    return {
        "do": "create",
        "genre": room,
        "words": turns[-1],
        "fields": fields,
        "n": asked.n or 1,
        "seed": chosen(None if asked.seed is None else asked.seed % SEED_LIMIT),
        "settings": {**settings, **changed, **tries},
    }


def header(works: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The header that names the works of an answer, and says that a model made them.

    Args:
        works: (id, genre) of each.
    """
    told = [{"id": id_, "genre": genre, "digital_source_type": "trainedAlgorithmicMedia"} for id_, genre in works]
    return {"Castalia-Record": json.dumps(told)}


class Writing:
    """One answer that is being written."""

    def __init__(self, house: House, caller: Caller, asked: Chat, room: str, job: Job, feed: Feed) -> None:
        self._house, self._caller, self._asked, self._room = house, caller, asked, room
        self._job, self._feed = job, feed
        self._n = asked.n or 1
        self._id, self._created = f"chatcmpl-{job.id}", int(job.created)
        self._ids = [work_id(job.id, number) for number in range(self._n)]

    def headers(self, *, whole: bool) -> dict[str, str]:
        """Of the answer; of a stream, those of works that will come."""
        works = self._feed.sight.works if whole else self._ids
        stream = {} if whole else {"X-Accel-Buffering": "no"}
        return header([(each, self._room) for each in works]) | stream

    def whole(self, sight: Sight) -> dict[str, Any]:
        """The answer in one piece."""
        works = self._works(sight)
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._created,
            "model": self._model(works),
            "choices": [
                {
                    "index": index,
                    "message": {
                        "role": "assistant",
                        "content": work.text if work else None,
                        "refusal": None if work else refusal(Sight(outcome=sight.outcome)).message,
                    },
                    "finish_reason": self._reason(work),
                    "logprobs": None,
                }
                for index, work in enumerate(works)
            ],
            "usage": _usage(works),
            "castalia": [_record(each) for each in works],
        }

    async def events(self) -> AsyncIterator[str]:
        """The answer sentence by sentence, as server-sent events; whoever closes the connection ends the writing."""
        sent: dict[int, str] = {}
        try:
            for index in range(self._n):
                yield self._chunk(index, {"role": "assistant", "content": ""})
            async for sight in self._feed.watch(_BEAT):
                for each in self._said(sight, sent):
                    yield each
            sight = self._feed.sight
            if "error" in (sight.outcome or {}):
                why = refusal(sight)
                yield _event(body(why.status, why.message, why.code, hint=why.hint))
                return
            works = await run_in_threadpool(self._works, sight)
            for index, work in enumerate(works):
                if work and (new := self._new(sent, index, work.text)):
                    yield self._chunk(index, {"content": new})
                yield self._chunk(index, {}, self._reason(work), castalia=_record(work))
            if self._asked.stream_options and self._asked.stream_options.include_usage:
                records = [_record(each) for each in works]
                yield _event(self._frame() | {"choices": [], "usage": _usage(works), "castalia": records})
            yield "data: [DONE]\n\n"
        finally:
            self._house.jobs.cancel(self._job)

    # ------------------------------------------------------------ within

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
        elif self._room != REPLY:
            yield f": {' '.join(sight.message.split())} {sight.share:.0%}\n\n"
        else:
            for index, text in sight.heard.items():
                if new := self._new(sent, index, cut(text, self._asked.stops)):
                    yield self._chunk(index, {"content": new})

    def _new(self, sent: dict[int, str], index: int, text: str) -> str:
        """What of a text was not sent yet."""
        new = text[len(sent.get(index, "")) :]
        sent[index] = text
        return new

    def _reason(self, work: Work | None) -> str:
        if work is None:
            return "content_filter"
        cut_short = self._room == REPLY and work.evidence.sampled_tokens >= self._asked.most
        return "length" if cut_short else "stop"

    def _model(self, works: Sequence[Work | None]) -> str:
        return next((each.evidence.model for each in works if each), self._asked.model or "castalia")

    def _frame(self) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._asked.model or "castalia",
        }

    def _chunk(self, index: int, delta: Mapping[str, Any], reason: str | None = None, **beside: object) -> str:
        choice = {"index": index, "delta": delta, "finish_reason": reason, "logprobs": None}
        return _event(self._frame() | {"choices": [choice]} | beside)


def _event(shown: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(shown, ensure_ascii=False)}\n\n"


def _record(work: Work | None) -> dict[str, Any] | None:
    return provenance.machine_record(work.record, provenance.label_for(work.record)) if work else None


def _usage(works: Sequence[Work | None]) -> dict[str, int]:
    read = max((each.evidence.prompt_tokens for each in works if each), default=0)
    written = sum(each.evidence.sampled_tokens for each in works if each)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


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
