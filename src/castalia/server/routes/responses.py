"""OpenAI's responses: made, found again, followed, deleted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.values import Work
from castalia.server import responses
from castalia.server.described import STREAMED
from castalia.server.errors import Refusal
from castalia.server.house import InHouse, Maker, Opened, open_studio
from castalia.server.named import genre_or_model
from castalia.studio import Studio

router = APIRouter(prefix="/v1/responses", tags=["openai"])


@router.post("", response_model=None, responses=STREAMED)
async def respond(
    asked: responses.Asked, request: Request, house: InHouse, caller: Maker
) -> JSONResponse | StreamingResponse:
    """A reply, or with `castalia/GENRE` a whole work; with `previous_response_id` the next turn of a conversation.

    Every response is kept as a work, whatever `store` says.
    """
    room, settings = genre_or_model(asked.model)

    def turns() -> list[Any]:
        studio = open_studio(house, caller)
        try:
            return list(responses.turns_of(_kept(studio, asked.previous_response_id or "")))
        finally:
            studio.close()

    before = await run_in_threadpool(turns) if asked.previous_response_id else []
    writing = await run_in_threadpool(responses.respond, house, caller, asked, room, settings, before)
    return await writing.answer(request, stream=bool(asked.stream))


@router.get("/{id_}")
def show(id_: str, studio: Opened) -> dict[str, Any]:
    """A response that was made before."""
    return dict(responses.shown(_kept(studio, id_)))


@router.get("/{id_}/input_items")
def inputs(id_: str, studio: Opened) -> dict[str, Any]:
    """The turns before it, the last one first."""
    turns = responses.turns_of(_kept(studio, id_))[:-1]
    items = [
        {
            "id": f"msg_{number}",
            "type": "message",
            "role": each["role"],
            "status": "completed",
            "content": [{"type": "input_text", "text": each["content"]}],
        }
        for number, each in reversed(list(enumerate(turns)))
    ]
    return {
        "object": "list",
        "data": items,
        "first_id": items[0]["id"],
        "last_id": items[-1]["id"],
        "has_more": False,
    }


@router.delete("/{id_}")
def remove(id_: str, _: Maker, studio: Opened) -> dict[str, Any]:
    """Delete a response, which is a work of the library."""
    studio.library.delete(_kept(studio, id_).id)
    return {"id": id_, "object": "response", "deleted": True}


def _kept(studio: Studio, id_: str) -> Work:
    try:
        work = studio.library.get(id_.removeprefix(responses.ID))
        if id_ == responses.ID + work.id:  # whole, not its beginning alone
            return work
    except UsageError:
        pass
    raise Refusal(
        404,
        "response_not_found",
        say("There is no response {id!r}.", "没有响应 {id!r}。", id=id_[:60]),
        hint="POST /v1/responses",
        param="response_id",
    )
