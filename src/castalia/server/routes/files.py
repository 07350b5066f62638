"""OpenAI's files and batches: requests in a file, answered in turn by the queue, and their answers as a file."""

from __future__ import annotations

import base64
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from castalia.core.language import say
from castalia.server.accounts import Caller
from castalia.server.batches import ENDPOINTS, answers_folder, lines_of
from castalia.server.errors import Refusal
from castalia.server.house import House, InHouse, Maker, Reader
from castalia.server.kept_files import KeptFiles
from castalia.server.sent import read_form
from castalia.server.store import Job

router = APIRouter(prefix="/v1", tags=["openai"])
_BATCH = "batch_"
_KIND = "batch"
_PURPOSES = ("batch", "user_data")
_STATES = {"waiting": "in_progress", "running": "in_progress", "done": "completed", "refused": "failed"}


class NewBatch(BaseModel):
    """A batch."""

    model_config = ConfigDict(extra="ignore")
    input_file_id: str
    endpoint: Literal["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"]
    completion_window: Annotated[str, Field(max_length=20)] = "24h"
    metadata: Annotated[dict[str, str], Field(max_length=16)] | None = None


assert NewBatch.model_fields["endpoint"].annotation == Literal[ENDPOINTS]  # pyright: ignore[reportInvalidTypeForm]


@router.post(
    "/files",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file", "purpose"],
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            "purpose": {"type": "string", "enum": list(_PURPOSES)},
                        },
                    }
                }
            },
        }
    },
)
async def upload(request: Request, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Keep a file for a batch, sealed; JSON lines of `custom_id`, `method`, `url` and `body`."""
    told, files = await read_form(request)
    purpose = told.get("purpose", "")
    if purpose not in _PURPOSES or len(files) != 1 or files[0]["field"] != "file":
        raise Refusal(
            400,
            "invalid_value",
            say("One file and its purpose are wanted.", "须有一个文件及其用途。"),
            hint="-F purpose=batch -F file=@requests.jsonl",
            param="purpose" if purpose not in _PURPOSES else "file",
        )
    return dict(_files(house, caller).put(files[0]["name"], base64.b64decode(files[0]["base64"]), purpose))


@router.get("/files")
def list_files(
    house: InHouse,
    caller: Reader,
    purpose: Annotated[str, Query(max_length=40)] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str, Query(max_length=100)] = "",
) -> dict[str, Any]:
    """One's files, newest first, or with `order=asc` oldest first; those after the file `after`."""
    files = _files(house, caller)
    found = [each for each in files.every() if purpose in ("", each["purpose"])]
    found = found[::-1] if order == "asc" else found
    if after:
        ids = [each["id"] for each in found]
        found = found[ids.index(files.about(after)["id"]) + 1 :] if after in ids else []
    return {"object": "list", "data": found[:limit], "has_more": len(found) > limit}


@router.get("/files/{id_}")
def show_file(id_: str, house: InHouse, caller: Reader) -> dict[str, Any]:
    """What is known of a file."""
    return dict(_files(house, caller).about(id_))


@router.get("/files/{id_}/content", response_class=Response)
def read_file(id_: str, house: InHouse, caller: Reader) -> Response:
    """Its bytes."""
    content = _files(house, caller).content(id_)
    return Response(content, media_type="application/octet-stream", headers={"Content-Disposition": "attachment"})


@router.delete("/files/{id_}")
def remove_file(id_: str, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Delete a file."""
    _files(house, caller).remove(id_)
    return {"id": id_, "object": "file", "deleted": True}


@router.post("/batches")
def begin(asked: NewBatch, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Answer every request of a file in turn, whenever nobody waits; survives a restart without doing a line twice."""
    total = len(lines_of(_files(house, caller).content(asked.input_file_id), asked.endpoint))
    told = {
        "do": "batch",
        "endpoint": asked.endpoint,
        "file": asked.input_file_id,
        "total": total,
        "metadata": asked.metadata or {},
        "window": asked.completion_window,
    }
    job, _ = house.jobs.submit(caller, _KIND, told)
    return _shown(house, caller, job)


@router.get("/batches")
def list_batches(
    house: InHouse, caller: Reader, limit: Annotated[int, Query(ge=1, le=100)] = 20, after: str = ""
) -> dict[str, Any]:
    """One's batches, newest first."""
    jobs = [each for each in house.store.jobs(caller.account.id, limit=10_000, offset=0) if each.kind == _KIND]
    ids = [each.id for each in jobs]
    begin = ids.index(after.removeprefix(_BATCH)) + 1 if after.removeprefix(_BATCH) in ids else 0
    data = [_shown(house, caller, each) for each in jobs[begin : begin + limit]]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return {"object": "list", "data": data, **ends, "has_more": len(jobs) > begin + limit}


@router.get("/batches/{id_}")
def show_batch(id_: str, house: InHouse, caller: Reader) -> dict[str, Any]:
    """How far a batch is; `output_file_id` and `error_file_id` in the end."""
    return _shown(house, caller, _found(house, caller, id_))


@router.post("/batches/{id_}/cancel")
def cancel(id_: str, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Stop a batch; works that it made stay."""
    job = _found(house, caller, id_)
    house.jobs.cancel(job)
    return _shown(house, caller, _found(house, caller, id_))


def _files(house: House, caller: Caller) -> KeptFiles:
    return KeptFiles(house.accounts.home(caller.account.id), caller.vault)


def _found(house: House, caller: Caller, id_: str) -> Job:
    try:
        job = house.jobs.find(caller, str(uuid.UUID(id_.removeprefix(_BATCH))))
        if job.kind == _KIND:
            return job
    except (ValueError, Refusal):
        pass
    raise Refusal(
        404,
        "no_batch",
        say("There is no batch {id!r}.", "没有批次 {id!r}。", id=id_[:60]),
        hint="GET /v1/batches",
        param="batch_id",
    )


def _shown(house: House, caller: Caller, job: Job) -> dict[str, Any]:
    """A batch as OpenAI's clients read it."""
    feed = house.jobs.feed(job, caller)
    sight = feed.sight
    outcome = sight.outcome or {}
    told = outcome.get("batch") or house.jobs.asked(job, caller)
    folder = answers_folder(house.accounts.home(job.account), job.id)
    done = told.get("completed", len(list(folder.glob("*.line"))))
    state = "cancelling" if feed.cancelled and sight.outcome is None else _STATES.get(sight.state, sight.state)
    why = outcome.get("error")
    finished = None if job.finished is None else int(job.finished)
    return {
        "id": _BATCH + job.id,
        "object": "batch",
        "endpoint": told["endpoint"],
        "errors": {"object": "list", "data": [{"code": why["code"], "message": why["message"]}]} if why else None,
        "input_file_id": told["file"],
        "completion_window": told["window"],
        "status": state,
        "output_file_id": told.get("output"),
        "error_file_id": told.get("error"),
        "created_at": int(job.created),
        "in_progress_at": int(job.started) if job.started else None,
        "completed_at": finished if state == "completed" else None,
        "cancelled_at": finished if state == "cancelled" else None,
        "failed_at": finished if state == "failed" else None,
        "request_counts": {"total": told["total"], "completed": done, "failed": told.get("failed", 0)},
        "metadata": told["metadata"],
    }
