"""OpenAI's interface, as its clients use it: models, chat, completions, moderation, embeddings.

What is asked for becomes a job like any other, and what comes back is a work: checked, marked and kept. Content stays
clean: the record travels beside it, in a field `castalia`, in a header, and in a stream's last event.
"""

from __future__ import annotations

import time
from typing import Annotated, Any, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from castalia import genres, models, privacy, quality
from castalia.core.language import say
from castalia.server import chat, completions
from castalia.server.asked import Chat, Completion, Given, Words
from castalia.server.described import STREAMED
from castalia.server.embedding import Embeddings
from castalia.server.errors import Refusal
from castalia.server.house import InHouse, Maker, Reader, settings_for
from castalia.server.named import GENRE, genre_or_model
from castalia.server.waiting import finished

router = APIRouter(prefix="/v1", tags=["openai"])
_MODERATED = {
    "sexual": "sexual",
    "insult": "harassment",
    "self-harm": "self-harm",
    "violence": "violence",
}
"""OpenAI's names for the kinds of the house's list; the others of theirs are not looked for."""
_UNMODERATED = (
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual/minors",
    "violence/graphic",
)


def _each_in_a_list(given: object) -> object:
    """Parts, as they may stand beside texts, as texts of one part each."""
    if not isinstance(given, list):
        return given
    return [[cast("object", each)] if isinstance(each, dict) else each for each in cast("list[object]", given)]


class Moderation(Given):
    """Texts to look at."""

    input: str | Annotated[list[Words], BeforeValidator(_each_in_a_list)]


@router.get("/models")
def list_models(_: Reader) -> dict[str, Any]:
    """`castalia` (the server's own choice), each installed language model, and `castalia/GENRE` for a whole work."""
    names = ["castalia", *(each.name for each in models.installed()), *(GENRE + each.name for each in genres.every())]
    return {"object": "list", "data": [_model(name) for name in names]}


@router.get("/models/{name:path}")
def show_model(name: str, _: Reader) -> dict[str, Any]:
    """One of them."""
    if name != "castalia":
        genre_or_model(name)
    return _model(name)


@router.post("/chat/completions", response_model=None, responses=STREAMED)
async def complete(asked: Chat, request: Request, house: InHouse, caller: Maker) -> JSONResponse | StreamingResponse:
    """A reply, sentence by sentence where `stream` is set: each was judged before it leaves.

    With a model `castalia/GENRE` the last turn is the brief of a whole work, which comes in one piece when it is one.
    """
    room, settings = genre_or_model(asked.model)
    writing = await run_in_threadpool(chat.reply, house, caller, asked, room, settings)
    return await writing.answer(request, stream=asked.stream)


@router.post("/completions", response_model=None, responses=STREAMED)
async def go_on(asked: Completion, request: Request, house: InHouse, caller: Maker) -> JSONResponse | StreamingResponse:
    """A text gone on with, or each of several; sentence by sentence where `stream` is set."""
    room, settings = genre_or_model(asked.model)
    if len(asked.texts) > 1:
        return await completions.complete_each(house, caller, asked, room, settings, request)
    writing = await run_in_threadpool(completions.complete, house, caller, asked, room, settings)
    return await writing.answer(request, stream=asked.stream)


@router.post("/moderations")
def moderate(asked: Moderation, _: Reader) -> dict[str, Any]:
    """What would refuse a work: terms of the house's list. Kinds that it does not cover are never flagged."""
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    results: list[dict[str, Any]] = []
    for text in texts:
        found = quality.harmful(text)
        categories = {_MODERATED.get(kind, kind): bool(terms) for kind, terms in found.items()}
        results.append(
            {
                "flagged": any(categories.values()),
                "categories": dict.fromkeys(_UNMODERATED, False) | categories,
                "category_scores": dict.fromkeys(_UNMODERATED, 0.0)
                | {kind: float(each) for kind, each in categories.items()},
                "category_applied_input_types": {kind: ["text"] for kind in categories},
                "castalia": {
                    "method": "list of terms",
                    "covered": sorted(categories),
                    "terms": {kind: list(terms) for kind, terms in found.items() if terms},
                    "personal_data": list(privacy.personal(text)),
                },
            }
        )
    return {"id": f"modr-{time.time_ns():x}", "model": "castalia-terms", "results": results}


@router.post("/embeddings", response_model=None)
async def embed(asked: Embeddings, request: Request, house: InHouse, caller: Maker) -> JSONResponse:
    """Unit vectors of the language model's last layer. An analysis: nothing is kept."""
    job, feed = house.jobs.submit(caller, "embeddings", asked.job(settings_for(asked.model)), live=True)
    sight = await finished(house, job, feed, request)
    return JSONResponse(asked.shown(sight.outcome or {}))


@router.api_route("/audio/{rest:path}", methods=["POST"], include_in_schema=False)
def no_audio(rest: str, _: Reader) -> None:
    """There is no room for speech and sound in this version."""
    raise Refusal(
        501,
        "not_installed",
        say("This version has no room for {what}.", "此版本不支持 {what}。", what=f"audio/{rest[:40]}"),
        hint=say("Update Castalia when it has one: pip install --upgrade castalia", "请在推出后升级 Castalia。"),
    )


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "castalia"}
