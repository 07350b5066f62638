"""Genres, works, jobs and verification: the studio's own interface."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from functools import cache
from typing import Annotated, Any, Literal, cast, get_args
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from castalia import faces, genres, provenance
from castalia.core import seeds
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.ports import Genre
from castalia.core.score import Score
from castalia.core.values import Brief, Work
from castalia.given import Upload, takes
from castalia.server.errors import Refusal, malformed
from castalia.server.house import InHouse, Maker, Opened, Reader, open_studio, settings_for
from castalia.server.jobs import Feed
from castalia.server.sent import base_name, read_request
from castalia.server.store import Job
from castalia.studio import Studio

router = APIRouter(prefix="/api")
_BEAT = 15.0
"""Seconds after which a silent stream says that it is still there."""


class NewWork(BaseModel):
    """What is to be made."""

    model_config = ConfigDict(extra="forbid")
    genre: Annotated[str, Field(max_length=100, description="name or alias")]
    words: Annotated[str, Field(description="the brief")] = ""
    fields: Annotated[
        Mapping[str, Any],
        Field(description='of the genre; a file is {"name", "base64"}, or a part of that name in a multipart form'),
    ] = {}
    n: Annotated[int, Field(ge=1, le=16, description="variations, each under a seed of its own")] = 1
    seed: Annotated[int | None, Field(ge=0, lt=seeds.SEED_LIMIT)] = None
    faces: Annotated[tuple[str, ...], Field(max_length=8, description="formats marked at once")] = ()
    parents: Annotated[tuple[str, ...], Field(max_length=16, description="ids of works it is made from")] = ()
    model: Annotated[str, Field(max_length=100)] = ""
    temperature: Annotated[float | None, Field(ge=0, le=5)] = None
    tries: Annotated[int | None, Field(ge=1, le=20)] = None


class Rating(BaseModel):
    """What somebody thinks of a work."""

    model_config = ConfigDict(extra="forbid")
    rating: Annotated[int, Field(ge=1, le=5)]


class Placed(BaseModel):
    """Where a work is put; what is left out stays."""

    model_config = ConfigDict(extra="forbid")
    starred: bool | None = None
    boards: Annotated[tuple[str, ...] | None, Field(max_length=20, description="names")] = None


# ---------------------------------------------------------------- genres


@router.get("/genres", tags=["works"])
def list_genres() -> list[dict[str, Any]]:
    """The kinds of works, with their fields as JSON schema; texts in the language that the request asks for."""
    return [_genre(each) for each in genres.every()]


@router.get("/genres/{name}", tags=["works"])
def show_genre(name: str) -> dict[str, Any]:
    """One genre, by its name or an alias."""
    return _genre(_found(name))


def _found(name: str) -> Genre:
    try:
        return genres.find(name)
    except UsageError as error:
        raise Refusal(404, "no_genre", error.message, hint=error.hint, param="genre") from error


def _genre(room: Genre) -> dict[str, Any]:
    return {
        "name": room.name,
        "aliases": list(room.aliases),
        "title": say(*room.title),
        "summary": say(*room.summary),
        "languages": list(room.languages),
        "kind": _kind(room),
        "picture": takes(room, "picture"),
        "fields": room.fields.model_json_schema(),
    }


def _kind(room: Genre) -> Literal["text", "picture", "music"]:
    """What its works are: what it is given, where it is given something, else what its plan has."""
    given = {each for field in room.fields.model_fields.values() for each in _types(field.annotation)}
    if Picture in given or Score in given:
        return "picture" if Picture in given else "music"
    fields = genres.fields_of(room, {"language": room.languages[0]})
    plan = room.plan(Brief(genre=room.name, words="-", fields=fields, seed=0))
    return "picture" if plan.pictures else "music" if plan.music else "text"


def _genre_of(name: str) -> dict[str, str]:
    """What the genre of a work makes and is called; it may be installed no more."""
    try:
        room = genres.find(name)
    except UsageError:
        return {"kind": "text", "genre_title": name}
    return {"kind": _kind_of(room.name), "genre_title": say(*room.title)}


@cache
def _kind_of(name: str) -> str:
    return _kind(genres.find(name))


def _types(annotation: object) -> set[object]:
    inner = get_args(annotation)
    return {annotation}.union(*map(_types, inner))


# ---------------------------------------------------------------- works


@router.post(
    "/works",
    tags=["works"],
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": NewWork.model_json_schema()}},
        }
    },
)
async def create(request: Request, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Make one or several works of a brief: answers with a job, whose `works` are their ids.

    JSON; or a multipart form whose part `request` is that JSON and whose other parts are files, named like fields.
    """
    given, sent = await read_request(request)
    try:
        asked = NewWork.model_validate(given)
    except ValidationError as error:
        raise malformed(error) from error
    room = _found(asked.genre)
    for name in ("language", "style", *asked.fields, *sent):
        if not takes(room, name):
            genres.fields_of(room, {name: ""})  # says which there are
    job, feed = house.jobs.submit(
        caller,
        room.name,
        {
            "do": "create",
            **asked.model_dump(mode="json", include={"words", "n", "faces", "parents"}),
            "genre": room.name,
            "seed": seeds.chosen(asked.seed),
            "fields": {**asked.fields, **sent},
            "settings": settings_for(asked.model, temperature=asked.temperature, tries=asked.tries),
        },
    )
    return house.jobs.told(job, feed.sight)


@router.get("/works", tags=["works"])
def list_works(
    studio: Opened,
    q: Annotated[str, Query(max_length=1000)] = "",
    genre: Annotated[str | None, Query(max_length=100)] = None,
    language: Literal["en", "zh"] | None = None,
    starred: Annotated[bool, Query()] = False,  # noqa: FBT002
    board: Annotated[str | None, Query(max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> dict[str, Any]:
    """One's works, newest first; with `q` alone those that hold all its words, best first."""
    library = studio.library
    found = (
        library.search(q, limit=limit)
        if q.strip()
        else library.list(limit=limit, offset=offset, genre=genre, language=language, starred=starred, board=board)
    )
    places = library.places(each.id for each in found)
    works = [_shown(each) | asdict(places[each.id]) for each in found]
    return {"works": works, "total": library.count(), "boards": library.boards()}


@router.get("/works/{id_}", tags=["works"])
def show_work(id_: str, studio: Opened) -> dict[str, Any]:
    """A work with its findings, record, brief and lineage."""
    work = _kept(studio, id_)
    brief = work.brief.model_dump(mode="json", exclude={"fields": {"__all__": {"png"}}})
    return _placed(work, studio) | {
        "markdown": work.content.markdown,
        "faces": list(faces.known(work.content)),
        "label": provenance.label_for(work.record),
        "brief": {"words": work.brief.words, "seed": work.brief.seed, "fields": _without_pixels(brief["fields"])},
        "parents": list(studio.library.parents(work.id)),
        "children": list(studio.library.children(work.id)),
    }


@router.get("/works/{id_}/files/{face}", tags=["works"])
def file(id_: str, face: str, studio: Opened, sidecar: Annotated[bool, Query()] = False) -> Response:  # noqa: FBT002
    """The work as a marked file; with `sidecar` the C2PA manifest of a format that has no room for one inside."""
    work = _kept(studio, id_)
    made = studio.export_bytes(work, face.lower())
    content, name = made.content, f"{work.genre}-{work.id[:8]}.{face.lower()}"
    if sidecar:
        if made.sidecar is None:
            raise Refusal(404, "no_sidecar", say("The manifest is in the file.", "签名清单在文件之内。"))
        content, name = made.sidecar, name + ".c2pa"
    return Response(
        content,
        media_type="application/octet-stream" if sidecar else provenance.format_of(face).media_type,
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            # What a model wrote is never run, not even if somebody opens the file at its own address.
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


@router.post("/works/{id_}/remake", tags=["works"], status_code=202)
def remake(id_: str, house: InHouse, caller: Maker, studio: Opened) -> dict[str, Any]:
    """Make a work again from its record; the job's outcome says what differs, and nothing new is kept."""
    work = _kept(studio, id_)
    job, feed = house.jobs.submit(caller, "remake", {"do": "remake", "work": work.id})
    return house.jobs.told(job, feed.sight)


@router.get(
    "/works/{id_}/thumbnail",
    tags=["works"],
    response_class=Response,
    responses={200: {"content": {"image/webp": {}}}},
)
def thumbnail(id_: str, studio: Opened) -> Response:
    """A picture's work small, as a marked WebP."""
    content = studio.thumbnail(_kept(studio, id_))
    if content is None:
        raise Refusal(404, "no_picture", say("The work is no picture.", "该作品不是图片。"))
    return Response(content, media_type="image/webp")


@router.patch("/works/{id_}", tags=["works"])
def place(id_: str, asked: Placed, _: Maker, studio: Opened) -> dict[str, Any]:
    """Star a work, or say on which boards it lies; a board is there while a work lies on it."""
    work = _kept(studio, id_)
    studio.library.place(work.id, starred=asked.starred, boards=asked.boards)
    return _placed(work, studio)


@router.put("/works/{id_}/rating", tags=["works"])
def rate(id_: str, asked: Rating, _: Maker, studio: Opened) -> dict[str, Any]:
    """Rate a work from 1 to 5."""
    return _placed(studio.library.rate(_kept(studio, id_).id, asked.rating), studio)


@router.delete("/works/{id_}", tags=["works"], status_code=204)
def delete(id_: str, _: Maker, studio: Opened) -> None:
    """Delete a work with its ratings and what is known of its files."""
    studio.library.delete(_kept(studio, id_).id)


def _kept(studio: Studio, id_: str) -> Work:
    try:
        return studio.library.get(id_)
    except UsageError as error:
        raise Refusal(404, "no_work", error.message, hint="GET /api/works") from error


def _placed(work: Work, studio: Studio) -> dict[str, Any]:
    return _shown(work) | asdict(studio.library.places([work.id])[work.id])


def _shown(work: Work) -> dict[str, Any]:
    return work.as_json() | {
        "title": work.content.title,
        "created": work.record.created.isoformat(),
        "rating": work.rating,
        "music": work.content.score is not None,
        **_genre_of(work.genre),
    }


def _without_pixels(value: object) -> object:
    """JSON without the bytes of pictures, which are had as files."""
    if isinstance(value, Mapping):
        held = cast("Mapping[str, object]", value)
        return {name: _without_pixels(each) for name, each in held.items() if name != "png"}
    return [_without_pixels(each) for each in cast("list[object]", value)] if isinstance(value, list) else value


# ---------------------------------------------------------------- verification


@router.post("/verify", tags=["verification"])
async def verify(file: UploadFile, house: InHouse, caller: Reader, sidecar: UploadFile | None = None) -> dict[str, Any]:
    """Check every mark of a file; `sidecar` is its C2PA manifest, where that came beside it."""
    sent = Upload(base_name(file.filename), await file.read())
    beside = await sidecar.read() if sidecar else None

    def checked() -> dict[str, Any]:
        studio = open_studio(house, caller)
        try:
            report = studio.verify(sent, beside, house.accounts.anchors())
        finally:
            studio.close()
        return report.model_dump(mode="json") | {"ok": report.ok, "verdict": report.verdict}

    return await run_in_threadpool(checked)


# ---------------------------------------------------------------- jobs


@router.get("/jobs", tags=["jobs"])
def list_jobs(
    house: InHouse,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    offset: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> list[dict[str, Any]]:
    """One's jobs, newest first."""
    return [house.jobs.seen(each, caller) for each in house.store.jobs(caller.account.id, limit=limit, offset=offset)]


@router.get("/jobs/{id_}", tags=["jobs"])
def show_job(id_: str, house: InHouse, caller: Reader) -> dict[str, Any]:
    """How far a job is, or how it ended: `works`, and in `outcome` what was refused, with each rule."""
    return house.jobs.seen(house.jobs.find(caller, id_), caller)


@router.get("/jobs/{id_}/events", tags=["jobs"])
async def events(id_: str, house: InHouse, caller: Reader) -> StreamingResponse:
    """The same as server-sent events, each time that something changes, until the job is over.

    `preview` is a draft that was not judged yet: only what `works` names is a work.
    """
    job = house.jobs.find(caller, id_)
    stream = _events(house, job, house.jobs.feed(job, caller))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/jobs/{id_}/cancel", tags=["jobs"])
def cancel(id_: str, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Stop a job; works that it finished stay."""
    job = house.jobs.find(caller, id_)
    house.jobs.cancel(job)
    return house.jobs.seen(house.jobs.find(caller, id_), caller)


@router.post("/jobs/{id_}/retry", tags=["jobs"], status_code=202)
def retry(id_: str, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Put a job that was refused, failed or cancelled into the queue again; finished works are not made twice."""
    return house.jobs.seen(house.jobs.retry(house.jobs.find(caller, id_), caller), caller)


async def _events(house: InHouse, job: Job, feed: Feed) -> AsyncIterator[str]:
    async for sight in feed.watch(_BEAT):
        if sight is None:
            yield ": still there\n\n"
        else:
            shown = json.dumps(house.jobs.told(job, sight), ensure_ascii=False)
            yield f"event: {sight.state}\ndata: {shown}\n\n"
