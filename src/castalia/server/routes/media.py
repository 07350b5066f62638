"""OpenAI's interface to pictures, and LocalAI's to music: works as marked files."""

from __future__ import annotations

import base64
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from castalia import genres, provenance
from castalia.core.language import say
from castalia.core.ports import Genre
from castalia.core.seeds import SEED_LIMIT, chosen
from castalia.core.values import MarkedFile
from castalia.server.accounts import Caller
from castalia.server.asked import Given
from castalia.server.chat import unsupported
from castalia.server.errors import Refusal, malformed
from castalia.server.house import House, InHouse, Maker, open_studio
from castalia.server.named import GENRE, genre_named
from castalia.server.sent import read_form
from castalia.server.waiting import finished
from castalia.server.writing import header

router = APIRouter(prefix="/v1", tags=["openai"])
_BPM = 100
"""Quarters a minute where a length is asked for and no tempo."""
_MEDIA = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac"}


class Images(Given):
    """A request for pictures."""

    prompt: str
    model: Annotated[str, Field(description="a genre of pictures; usually `picture`, for edits `redraw`")] = ""
    n: Annotated[int, Field(ge=1, le=10)] = 1
    size: Annotated[str, Field(pattern=r"^(auto|\d{1,5}x\d{1,5})$")] = "auto"
    style: str = ""
    seed: int | None = None
    response_format: Literal["b64_json"] = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    stream: bool = False


class Edits(Images):
    """A request to change a picture."""

    strength: Annotated[float | None, Field(ge=0, le=1, description="of redraw and painting")] = None
    direction: Annotated[str, Field(max_length=200, description="of direct")] = ""
    amount: Annotated[float | None, Field(ge=-4, le=4, description="of direct")] = None


class Sound(BaseModel):
    """A request for music."""

    model_config = ConfigDict(extra="ignore")
    text: Annotated[str, Field(max_length=20_000)]
    model: Annotated[str, Field(description="a genre of music; usually `loop`, with `instrumental` false `song`")] = ""
    duration_seconds: Annotated[float | None, Field(gt=0, le=600)] = None
    bpm: Annotated[int | None, Field(ge=20, le=240)] = None
    keyscale: Annotated[str, Field(max_length=20, description="such as E minor")] = ""
    timesignature: Annotated[str, Field(max_length=5, description="such as 3/4, or 3 for it")] = ""
    instrumental: bool = True
    seed: int | None = None
    response_format: Literal["wav", "mp3", "flac"] = "wav"


@router.post("/images/generations", response_model=None)
async def draw(asked: Images, request: Request, house: InHouse, caller: Maker) -> JSONResponse:
    """Pictures, as marked files in base64."""
    return await _pictures(asked, _room(asked.model, "picture"), {}, request, house, caller)


@router.post(
    "/images/edits",
    response_model=None,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["image", "prompt"],
                        "properties": {
                            "image": {"type": "string", "format": "binary"},
                            "mask": {"type": "string", "format": "binary"},
                            **{name: {"type": "string"} for name in sorted(Edits.model_fields)},
                        },
                    }
                }
            },
        }
    },
)
async def edit(request: Request, house: InHouse, caller: Maker) -> JSONResponse:
    """A picture drawn again, moved along a direction, or painted: `model` is `redraw`, `direct`, `painting` or another.

    A form with the picture as `image`. Where `mask`, as large as it, is transparent it may change, elsewhere it stays.
    """
    told, files = await read_form(request)
    try:
        asked = Edits.model_validate(told)
    except ValidationError as error:
        raise malformed(error) from error
    sent = {each["field"].removesuffix("[]"): {"name": each["name"], "base64": each["base64"]} for each in files}
    if "image" not in sent or len(sent) < len(files) or not sent.keys() <= {"image", "mask"}:
        raise Refusal(
            400,
            "invalid_value",
            say("Wanted are one image and at most one mask.", "须为一张图片，至多一张蒙版。"),
            hint="-F image=@picture.png -F mask=@mask.png",
            param="image",
        )
    room = _room(asked.model, "redraw")
    wanted = {"picture": sent["image"], **({"mask": sent["mask"]} if "mask" in sent else {})}
    if not wanted.keys() <= room.fields.model_fields.keys():
        raise Refusal(
            400,
            "invalid_value",
            say("{genre} changes no picture so.", "{genre} 不如此修改图片。", genre=room.name),
            hint="redraw, direct, painting",
            param="model",
        )
    fields: dict[str, Any] = wanted | {
        name: value for name in ("strength", "direction", "amount") if (value := getattr(asked, name)) not in (None, "")
    }
    return await _pictures(asked, room, fields, request, house, caller)


@router.post(
    "/sound-generation", response_class=Response, responses={200: {"content": {"audio/wav": {}, "audio/mpeg": {}}}}
)
async def sound(asked: Sound, request: Request, house: InHouse, caller: Maker) -> Response:
    """Music as one marked file. What its genre has no field for is refused, not ignored."""
    room = _room(asked.model, "loop" if asked.instrumental else "song")
    fields: dict[str, Any] = {}
    metre = asked.timesignature and (asked.timesignature if "/" in asked.timesignature else f"{asked.timesignature}/4")
    tempo = asked.bpm or (_BPM if asked.duration_seconds else None)
    fields |= {"metre": metre} if metre else {}
    fields |= {"tempo": tempo} if tempo else {}
    fields |= {"key": asked.keyscale} if asked.keyscale else {}
    if asked.duration_seconds and tempo:
        quarters = _quarters(metre or "4/4")
        fields["bars"] = max(2, min(64, round(asked.duration_seconds * tempo / 60 / quarters)))
    genres.fields_of(room, fields)
    job, feed = house.jobs.submit(
        caller,
        room.name,
        {
            "do": "create",
            "genre": room.name,
            "words": asked.text,
            "fields": fields,
            "faces": [asked.response_format],
            "n": 1,
            "seed": chosen(None if asked.seed is None else asked.seed % SEED_LIMIT),
        },
        live=True,
    )
    sight = await finished(house, job, feed, request)
    (file,) = await run_in_threadpool(_files, house, caller, sight.works, asked.response_format)
    return Response(
        file.content,
        media_type=_MEDIA[asked.response_format],
        headers={
            **header([(each, room.name) for each in sight.works]),
            "Content-Disposition": f'attachment; filename="{room.name}-{file.record.id[:8]}.{asked.response_format}"',
        },
    )


async def _pictures(
    asked: Images, room: Genre, fields: dict[str, Any], request: Request, house: House, caller: Caller
) -> JSONResponse:
    """Make pictures and answer with them."""
    if asked.stream:
        raise unsupported("stream")
    fields |= {"style": asked.style} if asked.style else {}
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
    genres.fields_of(room, {name: value for name, value in fields.items() if name not in ("picture", "mask")})
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
    files = await run_in_threadpool(_files, house, caller, sight.works, asked.output_format)
    shown = {
        "created": int(time.time()),
        "output_format": asked.output_format,
        "data": [{"b64_json": base64.b64encode(each.content).decode()} for each in files],
        "castalia": [provenance.machine_record(each.record, each.label) for each in files],
    }
    return JSONResponse(shown, headers=header([(each, room.name) for each in sight.works]))


def _files(house: House, caller: Caller, works: tuple[str, ...], face: str) -> list[MarkedFile]:
    studio = open_studio(house, caller)
    try:
        return [studio.export_bytes(studio.library.get(each), face) for each in works]
    finally:
        studio.close()


def _room(model: str, usual: str) -> Genre:
    name = model.removeprefix(GENRE)
    return genre_named(usual if name in ("", "castalia") else name)


def _quarters(metre: str) -> float:
    """Quarters of a bar."""
    beats, _, unit = metre.partition("/")
    if not (beats.isdecimal() and unit.isdecimal() and 0 < int(beats) <= 32 and 0 < int(unit) <= 32):
        raise Refusal(
            400,
            "invalid_value",
            say("{metre!r} is no time signature.", "{metre!r} 不是拍号。", metre=metre),
            param="timesignature",
        )
    return int(beats) * 4 / int(unit)
