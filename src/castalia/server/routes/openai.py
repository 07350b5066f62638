"""OpenAI's interface, as its clients use it: models, chat, images, moderation, embeddings.

What is asked for becomes a job like any other, and what comes back is a work: checked, marked and kept. Content stays
clean: the record travels beside it, in a field `castalia`, in a header, and in a stream's last event.
"""

from __future__ import annotations

import base64
import time
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from castalia import genres, models, privacy, provenance, quality
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.seeds import SEED_LIMIT, chosen
from castalia.server import chat
from castalia.server.errors import Refusal
from castalia.server.house import InHouse, Maker, Reader, open_studio, settings_for
from castalia.server.waiting import finished

router = APIRouter(prefix="/v1", tags=["openai"])
_GENRE = "castalia/"
"""Before the name of a genre where a model's is asked for."""
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


class Images(BaseModel):
    """A request for pictures."""

    model_config = ConfigDict(extra="ignore")
    prompt: str
    model: Annotated[str, Field(description="a genre of pictures; usually `picture`")] = ""
    n: Annotated[int, Field(ge=1, le=10)] = 1
    size: Annotated[str, Field(pattern=r"^(auto|\d{1,5}x\d{1,5})$")] = "auto"
    style: str = ""
    seed: int | None = None
    response_format: Literal["b64_json"] = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] = "png"


class Moderation(BaseModel):
    """Texts to look at."""

    model_config = ConfigDict(extra="ignore")
    input: str | list[str]


class Embeddings(BaseModel):
    """Texts to embed."""

    model_config = ConfigDict(extra="ignore")
    input: str | Annotated[list[str], Field(max_length=256)]
    model: str = ""
    encoding_format: Literal["float", "base64"] = "float"


@router.get("/models")
def list_models(_: Reader) -> dict[str, Any]:
    """`castalia` (the server's own choice), each installed language model, and `castalia/GENRE` for a whole work."""
    names = ["castalia", *(each.name for each in models.installed()), *(_GENRE + each.name for each in genres.every())]
    return {"object": "list", "data": [_model(name) for name in names]}


@router.get("/models/{name:path}")
def show_model(name: str, _: Reader) -> dict[str, Any]:
    """One of them."""
    if name != "castalia":
        _genre_or_model(name)
    return _model(name)


@router.post("/chat/completions", response_model=None)
async def complete(
    asked: chat.Chat, request: Request, house: InHouse, caller: Maker
) -> JSONResponse | StreamingResponse:
    """A reply, sentence by sentence where `stream` is set: each was judged before it leaves.

    With a model `castalia/GENRE` the last turn is the brief of a whole work, which comes in one piece when it is one.
    """
    room, settings = _genre_or_model(asked.model)
    job, feed = house.jobs.submit(caller, room, chat.job_of(asked, room, settings), live=True)
    writing = chat.Writing(house, caller, asked, room, job, feed)
    if asked.stream:
        return StreamingResponse(writing.events(), media_type="text/event-stream", headers=writing.headers(whole=False))
    sight = await finished(house, job, feed, request)
    shown = await run_in_threadpool(writing.whole, sight)
    return JSONResponse(shown, headers=writing.headers(whole=True))


@router.post("/images/generations", response_model=None)
async def draw(asked: Images, request: Request, house: InHouse, caller: Maker) -> JSONResponse:
    """Pictures, as marked files in base64."""
    name = asked.model.removeprefix(_GENRE)
    room = _genre("picture" if name in ("", "castalia") else name)
    fields: dict[str, Any] = {"style": asked.style} if asked.style else {}
    if asked.size != "auto":
        width, height = (int(each) for each in asked.size.split("x"))
        if width != height or "size" not in room.fields.model_fields:
            raise Refusal(
                400,
                "invalid_value",
                say(
                    "{genre} is not drawn as {size}.", "{genre} 不能按 {size} 绘制。", genre=room.name, size=asked.size
                ),
                hint=say("Use auto, or a square.", "请用 auto，或正方形尺寸。"),
                param="size",
            )
        fields["size"] = width
        genres.fields_of(room, fields)
    job, feed = house.jobs.submit(
        caller,
        room.name,
        {
            "do": "create",
            "genre": room.name,
            "words": asked.prompt,
            "fields": fields,
            "faces": [asked.output_format],
            "n": asked.n,
            "seed": chosen(None if asked.seed is None else asked.seed % SEED_LIMIT),
        },
        live=True,
    )
    sight = await finished(house, job, feed, request)

    def shown() -> dict[str, Any]:
        studio = open_studio(house, caller)
        try:
            works = [studio.library.get(each) for each in sight.works]
            files = [studio.export_bytes(each, asked.output_format) for each in works]
        finally:
            studio.close()
        return {
            "created": int(time.time()),
            "output_format": asked.output_format,
            "data": [{"b64_json": base64.b64encode(each.content).decode()} for each in files],
            "castalia": [provenance.machine_record(each.record, each.label) for each in files],
        }

    return JSONResponse(
        await run_in_threadpool(shown), headers=chat.header([(each, "picture") for each in sight.works])
    )


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
    texts = [asked.input] if isinstance(asked.input, str) else asked.input
    settings = settings_for(asked.model)
    job, feed = house.jobs.submit(
        caller, "embeddings", {"do": "embed", "texts": texts, "settings": settings}, live=True
    )
    sight = await finished(house, job, feed, request)
    made = sight.outcome or {}

    def shown(vector: list[float]) -> Any:  # noqa: ANN401 - numbers, or text
        if asked.encoding_format == "float":
            return vector
        return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()

    return JSONResponse(
        {
            "object": "list",
            "model": made["model"],
            "data": [
                {"object": "embedding", "index": index, "embedding": shown(vector)}
                for index, vector in enumerate(made["vectors"])
            ],
            "usage": {"prompt_tokens": made["tokens"], "total_tokens": made["tokens"]},
        }
    )


@router.api_route("/audio/{rest:path}", methods=["POST"], include_in_schema=False)
def no_audio(rest: str, _: Reader) -> None:
    """There is no room for speech and sound in this version."""
    raise Refusal(
        501,
        "not_installed",
        say("This version has no room for {what}.", "此版本不支持 {what}。", what=f"audio/{rest[:40]}"),
        hint=say("Update Castalia when it has one: pip install --upgrade castalia", "请在推出后升级 Castalia。"),
    )


def _genre_or_model(name: str) -> tuple[str, dict[str, object]]:
    """(the genre that is made, the settings it is made with) of what stands where a model is named."""
    if name.startswith(_GENRE):
        return _genre(name.removeprefix(_GENRE)).name, {}
    return chat.REPLY, settings_for(name)


def _genre(name: str) -> Any:  # noqa: ANN401 - a `Genre`
    try:
        return genres.find(name)
    except UsageError as error:
        raise Refusal(404, "model_not_found", error.message, hint="GET /v1/models", param="model") from error


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "castalia"}
