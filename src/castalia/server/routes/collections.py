"""Collections of one's own works, to train on: taken in, cleaned, sealed."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.server.accounts import Caller
from castalia.server.errors import Refusal, malformed
from castalia.server.house import House, InHouse, Maker, Reader
from castalia.server.sent import read_form
from castalia.server.shelves import Shelves, training_room

router = APIRouter(prefix="/api/collections", tags=["collections"])
_MOST_FILES = 2000
"""Files of a form; an archive may hold more."""


class NewCollection(BaseModel):
    """What a collection is; its files are the other parts of the form."""

    model_config = ConfigDict(extra="ignore")
    name: str = Field(pattern=r"^[\w-]{1,60}$")
    kind: str = Field(pattern="^(chorale|tune|picture)$")
    owner: str = Field("", max_length=500)
    licence: str = Field("", max_length=500)


class Shown(BaseModel):
    """A collection in a list."""

    name: str
    kind: str
    pieces: int
    owner: str
    licence: str


class Collections(BaseModel):
    """All of somebody's."""

    collections: list[Shown]


@router.get("")
def list_collections(house: InHouse, caller: Reader) -> Collections:
    """One's collections."""
    return Collections(
        collections=[
            Shown(
                name=card["name"],
                kind=card["kind"],
                pieces=len(card["pieces"]),
                owner=card["owner"],
                licence=card["licence"],
            )
            for card in _shelves(house, caller).every()
        ]
    )


@router.get("/{name}")
def show_collection(name: str, house: InHouse, caller: Reader) -> dict[str, Any]:
    """Its card: each piece with its part of the split, and what was dropped and why."""
    try:
        return dict(_shelves(house, caller).find(name))
    except UsageError as error:
        raise Refusal(404, "no_collection", error.message, hint=error.hint) from error


@router.post(
    "",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["name", "kind", "files"],
                        "properties": {
                            "name": {"type": "string", "pattern": r"^[\w-]{1,60}$"},
                            "kind": {"type": "string", "enum": ["chorale", "tune", "picture"]},
                            "owner": {"type": "string", "maxLength": 500},
                            "licence": {"type": "string", "maxLength": 500},
                            "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        },
                    }
                }
            },
        }
    },
)
async def add(request: Request, house: InHouse, caller: Maker) -> dict[str, Any]:
    """Take in scores or pictures, as files or a .zip: answers with a job, whose outcome says what was dropped and why.

    A collection of the same name is replaced. Captions of pictures come as in `castalia collections add`.
    """
    told, files = await read_form(request, _MOST_FILES)
    try:
        asked = NewCollection.model_validate(told)
    except ValidationError as error:
        raise malformed(error) from error
    if not files:
        raise Refusal(
            400, "invalid_value", say("No file came along.", "未附带文件。"), hint="-F files=@works.zip", param="files"
        )
    training_room()
    job, feed = house.jobs.submit(caller, "collection", {"do": "collect", **asked.model_dump(), "files": files})
    return house.jobs.told(job, feed.sight)


@router.delete("/{name}", status_code=204)
def remove(name: str, house: InHouse, caller: Maker) -> None:
    """Delete a collection."""
    try:
        _shelves(house, caller).remove(name)
    except UsageError as error:
        raise Refusal(404, "no_collection", error.message, hint=error.hint) from error


def _shelves(house: House, caller: Caller) -> Shelves:
    return Shelves(house.accounts.home(caller.account.id), caller.vault)
